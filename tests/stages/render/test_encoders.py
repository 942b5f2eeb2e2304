"""Encoders: each makes segments that join, the same every time; who is chosen, and what hardware's failure does to an export."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import av
import numpy as np
import pytest
from typing_extensions import override

from config.codecs import SOFTWARE, Codec, EncoderName, codec_of, hardware
from config.errors import TransientError
from config.settings import Settings
from pipeline import Event, Pipeline
from pipeline.health.tool_checks import check_encoders
from stages.base import CancelToken
from stages.render.encoders import encoder_choice
from stages.render.encoders.codecs import FACTS
from stages.render.encoders.encoder import Libx264
from stages.render.encoders.encoder_choice import ENCODERS, Choice, choose, create, probe
from stages.render.ffmpeg.process import FfmpegRun, run_ffmpeg
from stages.render.sources.probe import BT709, VideoFacts, decode_all, probe_video
from stages.render.specs import Encoding

MakePipeline = Callable[..., Pipeline]
CODECS: tuple[Codec, ...] = get_args(Codec)
SIZE = (160, 90)


def with_rendering(settings: Settings, **changes: Any) -> Settings:
    document = settings.model_dump()
    document["rendering"] |= changes
    return Settings.model_validate(document)


def encoding_of(codec: Codec, **changes: Any) -> Encoding:
    plain: dict[str, Any] = {
        "codec": codec,
        "encoder": SOFTWARE[codec],
        "level": "low",
        "width": SIZE[0],
        "height": SIZE[1],
        "fps": 30,
        "bitrate_bps": 400_000,
        "preset": "superfast",
        "gop_s": 0.5,
    }
    return Encoding(**(plain | changes))


def encode(encoding: Encoding, out: Path, frames: int, look: str = "scrolling") -> VideoFacts:
    """A segment of noise that is `scrolling` or `fresh` in each frame, or of `flat` grey."""
    dice = np.random.default_rng(1)
    shape = (encoding.height * 3 // 2, encoding.width)
    noise = dice.integers(16, 235, shape, dtype=np.uint8)
    noise[encoding.height :] = 128
    if look == "flat":
        noise[: encoding.height] = 90

    def feed(stdin: Any) -> None:
        for frame in range(frames):
            picture = dice.integers(16, 235, shape, dtype=np.uint8) if look == "fresh" else noise
            stdin.write(np.roll(picture, 2 * frame, axis=1).tobytes())

    arguments = create(encoding.encoder).arguments(encoding, out)
    run_ffmpeg(arguments, FfmpegRun("a test", out.parent, CancelToken()), feed)
    return probe_video(out)


def order_of(path: Path) -> tuple[list[int], list[int]]:
    """Decoding and presentation times of all packets as stored."""
    with av.open(str(path)) as container:
        stored = [(packet.dts, packet.pts) for packet in container.demux(video=0) if packet.size]
    return [dts or 0 for dts, _ in stored], [pts or 0 for _, pts in stored]


# What each encoder makes


@pytest.mark.parametrize("codec", CODECS)
def test_every_codec_is_made_as_promised(codec: Codec, tmp_path: Path) -> None:
    out = tmp_path / "a.mp4"
    facts = encode(encoding_of(codec), out, 40)
    wanted = FACTS[codec]
    assert (facts.codec, facts.tag, facts.profile, facts.pix_fmt) == (codec, wanted.tag, wanted.profile, "yuv420p")
    assert facts.colour == BT709
    assert (facts.frames, decode_all(out), facts.key_frames) == (40, 40, 3)
    assert (facts.start_pts, facts.duration_pts, facts.is_even) == (0, 40 * 3000, True)


@pytest.mark.parametrize("codec", CODECS)
def test_frames_are_stored_in_the_order_in_which_they_are_shown(codec: Codec, tmp_path: Path) -> None:
    encode(encoding_of(codec), tmp_path / "a.mp4", 40)
    decoding, shown = order_of(tmp_path / "a.mp4")
    assert decoding == shown == [3000 * frame for frame in range(40)]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_frames_give_the_same_bytes(codec: Codec, threads: int, tmp_path: Path) -> None:
    digests = set()
    for name in ("a.mp4", "b.mp4"):
        encode(encoding_of(codec, threads=threads), tmp_path / name, 40)
        digests.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(digests) == 1


@pytest.mark.parametrize("codec", CODECS)
def test_what_is_in_a_segment_and_its_length_do_not_change_its_headers(codec: Codec, tmp_path: Path) -> None:
    headers = {
        encode(encoding_of(codec), tmp_path / f"{frames}-{look}.mp4", frames, look).extradata
        for frames in (1, 2, 33)
        for look in ("flat", "scrolling", "fresh")
    }
    assert len(headers) == 1
    assert headers != {b""}


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("fps", [24, 25, 30, 50, 60])
def test_every_frame_rate_is_exact(codec: Codec, fps: int, tmp_path: Path) -> None:
    facts = encode(encoding_of(codec, fps=fps), tmp_path / "a.mp4", 7)
    assert (facts.fps, facts.frames, facts.is_even) == (Fraction(fps), 7, True)
    assert facts.duration_s == Fraction(7, fps)


@pytest.mark.parametrize("codec", CODECS)
def test_the_levels_bit_rate_is_a_ceiling(codec: Codec, tmp_path: Path) -> None:
    sizes = {}
    for rate in (200_000, 20_000_000):
        out = tmp_path / f"{rate}.mp4"
        encode(encoding_of(codec, bitrate_bps=rate, crf=10), out, 120, "fresh")
        sizes[rate] = out.stat().st_size * 8 / 4
    assert sizes[20_000_000] > 10 * sizes[200_000]
    # A full buffer is two seconds of it, in four seconds of the worst there is.
    assert sizes[200_000] < 1.6 * 200_000


# Who is chosen


def test_the_table_and_the_classes_name_the_same_encoders() -> None:
    assert set(ENCODERS) == {name for name in get_args(EncoderName) if name not in ("software", "auto")}
    for name, kind in ENCODERS.items():
        assert (kind.name, kind.codec) == (name, codec_of(name))  # type: ignore[arg-type]
        assert kind.is_hardware == (name not in SOFTWARE.values())


@pytest.mark.parametrize("name", sorted(ENCODERS))
def test_every_encoder_is_told_of_key_frames_the_ceiling_and_colours(name: str, tmp_path: Path) -> None:
    encoder = create(name)
    line = encoder.arguments(encoding_of(encoder.codec), tmp_path / "a.mp4")
    told = dict(pairwise(line))
    assert (told["-g"], told["-vcodec"], told["-video_track_timescale"]) == ("15", name, "90000")
    assert told["-color_primaries"] == told["-colorspace"] == "bt709"
    if name != "libsvtav1":
        assert (told["-maxrate"], told["-bf"]) == ("400000", "0")


class Fake(Libx264):
    """Passes for hardware."""

    name = "h264_nvenc"
    is_hardware = True


class Refusing(Fake):
    """Cannot be opened."""

    @override
    def options(self, encoding: Encoding) -> dict[str, Any]:
        return super().options(encoding) | {"preset": "no-such-preset"}


class Untagged(Fake):
    """Works, but says nothing of High."""

    @override
    def options(self, encoding: Encoding) -> dict[str, Any]:
        return super().options(encoding) | {"profile:v": "baseline", "x264-params": "scenecut=0:open-gop=0"}


class Failing(Fake):
    """Passes its probe, and fails at its third segment and whatever comes after it."""

    begun = 0

    @override
    def options(self, encoding: Encoding) -> dict[str, Any]:
        if encoding.level != "probe":
            type(self).begun += 1
            if type(self).begun > 2:
                raise TransientError("the card is gone", provider=self.name)
        return super().options(encoding)


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Callable[[type[Libx264]], None]:
    """Puts a class in the place of h264_nvenc; all other hardware is absent."""

    def put(kind: type[Libx264]) -> None:
        for name in hardware("h264"):
            monkeypatch.setitem(encoder_choice.ENCODERS, name, Refusing)
        monkeypatch.setitem(encoder_choice.ENCODERS, "h264_nvenc", kind)

    Failing.begun = 0
    return put


def test_auto_takes_hardware_that_passes_its_probe(card: Callable[..., None]) -> None:
    card(Fake)
    assert choose("h264", "auto") == Choice("h264_nvenc", "h264_nvenc")
    assert choose("h264", "software") == Choice("libx264", "libx264")


@pytest.mark.parametrize("kind", [Refusing, Untagged])
def test_auto_never_takes_hardware_that_fails_its_probe(kind: type[Libx264], card: Callable[..., None]) -> None:
    card(kind)
    assert choose("h264", "auto") == Choice("libx264", "libx264")
    named = choose("h264", "h264_nvenc")
    assert (named.wanted, named.name) == ("h264_nvenc", "libx264")
    assert named.reason == probe("h264_nvenc") != ""


def test_a_probe_runs_once(card: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    card(type("Counted", (Fake,), {}))
    ran: list[str] = []
    encode_it = encoder_choice._encode

    def counted(*args: Any) -> None:
        ran.append("x")
        encode_it(*args)

    monkeypatch.setattr(encoder_choice, "_encode", counted)
    assert [probe("h264_nvenc") for _ in range(3)] == [""] * 3
    assert ran == ["x"]


def test_a_probe_says_how_what_it_made_is_wrong(card: Callable[..., None]) -> None:
    card(Untagged)
    assert "profile is Constrained Baseline, wanted High" in probe("h264_nvenc")
    card(Refusing)
    assert "does not work on this machine" in probe("h264_nvenc")
    assert "0x" not in probe("h264_nvenc")


def test_the_doctor_lists_what_works_and_warns_of_what_was_named(
    card: Callable[..., None], tiny_settings: Settings
) -> None:
    card(Fake)
    (fine,) = check_encoders(with_rendering(tiny_settings, encoder="auto"))
    assert fine.status == "ok"
    assert "h264: libx264, h264_nvenc" in fine.message
    assert "made with h264_nvenc" in fine.message
    card(Refusing)
    warning, fine = check_encoders(with_rendering(tiny_settings, encoder="h264_nvenc"))
    assert (warning.status, fine.status) == ("warn", "ok")
    assert "libx264 will be used: h264_nvenc does not work" in warning.message


def test_an_encoder_of_another_codec_is_refused() -> None:
    with pytest.raises(ValueError, match="libx265 makes hevc, but the codec is h264"):
        Settings.model_validate({"rendering": {"encoder": "LIBX265"}})
    assert Settings.model_validate({"rendering": {"encoder": "LIBX265", "codec": "HEVC"}}).rendering.codec == "hevc"


# The whole way


@pytest.mark.parametrize("codec", ["hevc", "av1"])
def test_a_brief_becomes_the_same_checked_video_twice(
    codec: Codec, tiny_brief: Path, tiny_settings: Settings, tmp_path: Path
) -> None:
    digests = set()
    for home in ("one", "two"):
        settings = with_rendering(tiny_settings, codec=codec)
        with Pipeline(settings, home=tmp_path / home) as pipeline:
            result = pipeline.render(tiny_brief, output=tmp_path / home / "out")
        assert (result.status, result.degradations) == ("done", ())
        (output,) = result.outputs
        digests.add(output.sha256)
    facts = probe_video(output.path)
    assert (facts.codec, facts.tag, facts.profile) == (codec, FACTS[codec].tag, FACTS[codec].profile)
    assert (facts.start_pts, facts.frames, decode_all(output.path)) == (0, output.frames, output.frames)
    decoding, shown = order_of(output.path)
    assert decoding == shown == sorted(set(shown))
    assert len(digests) == 1


def test_another_codec_keeps_the_sound(
    make_pipeline: MakePipeline, tiny_brief: Path, tiny_settings: Settings, tmp_path: Path, events: list[Event]
) -> None:
    make_pipeline().render(tiny_brief, output=tmp_path / "out")
    events.clear()
    make_pipeline(with_rendering(tiny_settings, codec="av1")).render(tiny_brief, output=tmp_path / "out")
    made = {event.data["stage"] for event in events if event.kind == "step_executed"}
    assert made == {"segment", "mux"}


def test_hardware_that_fails_gives_way_for_the_whole_export(
    make_pipeline: MakePipeline,
    tiny_brief: Path,
    tiny_settings: Settings,
    tmp_path: Path,
    events: list[Event],
    card: Callable[..., None],
) -> None:
    software = make_pipeline().render(tiny_brief, output=tmp_path / "plain")
    card(Failing)
    with Pipeline(
        with_rendering(tiny_settings, encoder="auto", jobs=1), home=tmp_path / "new", on_event=events.append
    ) as pipeline:
        events.clear()
        result = pipeline.render(tiny_brief, output=tmp_path / "out")
        again = pipeline.render(tiny_brief, output=tmp_path / "out")
        makers = {record.provider for record in pipeline.home.store.records() if record.stage == "segment"}
    assert makers == {"h264_nvenc", "libx264"}
    assert (result.status, result.exit_code) == ("degraded", 3)
    (change,) = result.degradations
    assert (change.stage, change.wanted, change.got) == ("render", "h264_nvenc", "libx264")
    assert "the card is gone" in change.reason
    # Not one segment of the card's is in it: every byte is as if there had been no card.
    assert result.outputs[0].sha256 == software.outputs[0].sha256
    made = [event.data["step"] for event in events if event.kind == "step_executed"]
    of_card = [step for step in made if step.startswith("segment/youtube/high.h264_nvenc/")]
    of_software = [step for step in made if step.startswith("segment/youtube/high/")]
    assert (len(of_card), len(of_software)) == (2, 5)
    assert (again.status, again.steps.executed, again.degradations) == ("degraded", 0, result.degradations)


def test_a_resumed_job_stays_with_the_software_until_better_is_asked_for(
    make_pipeline: MakePipeline,
    tiny_brief: Path,
    tiny_settings: Settings,
    tmp_path: Path,
    card: Callable[..., None],
) -> None:
    card(Failing)
    settings = with_rendering(tiny_settings, encoder="h264_nvenc", jobs=1)
    first = make_pipeline(settings).render(tiny_brief, output=tmp_path / "out")
    begun = Failing.begun
    tiny_brief.write_text(tiny_brief.read_text())
    pipeline = make_pipeline(settings)
    for record in list(pipeline.home.store.records()):
        if record.stage in ("segment", "mux") and record.provider == "libx264":
            for artifact in record.artifacts.values():
                pipeline.home.store.discard(artifact.digest)
    resumed = pipeline.resume(first.job_id)
    assert (resumed.status, resumed.degradations) == ("degraded", first.degradations)
    assert resumed.outputs[0].sha256 == first.outputs[0].sha256
    assert Failing.begun == begun

    card(Fake)
    restored = make_pipeline(settings).render(tiny_brief, output=tmp_path / "out", restore_quality=True)
    assert (restored.status, restored.degradations) == ("done", ())


def test_named_hardware_that_fails_its_probe_is_reported_and_not_tried(
    make_pipeline: MakePipeline, tiny_brief: Path, tiny_settings: Settings, tmp_path: Path, card: Callable[..., None]
) -> None:
    card(Refusing)
    settings = with_rendering(tiny_settings, encoder="h264_nvenc")
    result = make_pipeline(settings).render(tiny_brief, output=tmp_path / "out")
    assert (result.status, result.exit_code) == ("degraded", 3)
    (change,) = result.degradations
    assert (change.wanted, change.got) == ("h264_nvenc", "libx264")
    assert "does not work on this machine" in change.reason
    assert not any("h264_nvenc" in name for name in result.attempts.by_provider)
