"""Joining copies what was encoded, refuses what does not fit, and counts nothing as finished before it is checked."""

from __future__ import annotations

import hashlib
import shutil
import wave
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest

from config.errors import CancelledError, CheckFailedError, DamagedSegmentError
from stages.base import CancelToken
from stages.render.ffmpeg.process import FfmpegRun, run_ffmpeg
from stages.render.output.check import Expectations, inspect
from stages.render.output.join import mux
from stages.render.specs import Encoding, MediaFacts, MuxSpec, TimedLine
from stages.text.languages import three_letters

FPS, LENGTHS, SAMPLES = 30, (40, 1, 59), 100 * 1600
TAGS = "format=yuv420p,setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv"
ENCODING = Encoding(level="Low", width=160, height=90, fps=FPS, bitrate_bps=100_000)
AWKWARD_TITLE = 'it\'s 50% {\\an8} C:\\x; [a]=b, "q" – für Zoë'


def ffmpeg(folder: Path, *arguments: str) -> None:
    run_ffmpeg(arguments, FfmpegRun("a test file", folder, CancelToken()))


def encode(path: Path, frames: int, *, size: str = "160x90", coding: tuple[str, ...] = (), filters: str = TAGS) -> None:
    source = ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate={FPS}", "-vf", filters, "-frames:v", str(frames)]
    settings = ["-c:v", "libx264", "-preset", "veryfast", "-bf", "0", "-g", "60", "-threads", "1"]
    exact = ["-video_track_timescale", "90000", "-fflags", "+bitexact", "-flags:v", "+bitexact"]
    ffmpeg(path.parent, *source, *settings, *exact, *coding, str(path))


def sound(path: Path, samples: int, volume_db: float = -14.0) -> None:
    """A sine of 1 kHz at both ears: there its peak in dBFS is its loudness in LUFS."""
    source = f"aevalsrc='sin(2*PI*1000*t)|sin(2*PI*1000*t)':s=48000,volume={volume_db}dB,atrim=end_sample={samples}"
    ffmpeg(path.parent, "-f", "lavfi", "-i", source, "-c:a", "aac", "-b:a", "128k", "-fflags", "+bitexact", str(path))


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in an awkward place: three segments and a track."""
    store = tmp_path_factory.mktemp("join") / "it's a [store] %d"
    store.mkdir()
    for number, frames in enumerate(LENGTHS):
        encode(store / f"{number}.mp4", frames)
    sound(store / "sound.m4a", SAMPLES)
    return store


@pytest.fixture
def store(originals: Path, tmp_path: Path) -> Path:
    copy = tmp_path / originals.name
    shutil.copytree(originals, copy)
    return copy


def plan(**changes: Any) -> MuxSpec:
    spec = MuxSpec(
        # Stand for digests until `join` knows the files.
        segments=("0.mp4", "1.mp4", "2.mp4"),
        segment_frames=LENGTHS,
        audio="sound.m4a",
        samples=SAMPLES,
        encoding=ENCODING,
        title=AWKWARD_TITLE,
        language="de-AT",
    )
    return spec.model_copy(update=changes)


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "0" * 64


def join(
    store: Path,
    spec: MuxSpec,
    cancel: CancelToken | None = None,
    *,
    since: Callable[[], None] = lambda: None,
    progress: Callable[[int, int, str], None] = lambda done, total, unit: None,
) -> tuple[Path, MediaFacts]:
    """Join what is in the store under the names of a plan; `since` is what happens after the segments were published."""
    out = store.parent / "video.mp4"
    files = {digest_of(store / name): store / name for name in spec.segments}
    spec = spec.model_copy(update={"segments": tuple(digest_of(store / name) for name in spec.segments)})
    since()
    find = lambda digest: files.get(digest, store / digest)  # noqa: E731 - a name for what is passed twice
    return out, mux(spec, out, find, cancel or CancelToken(), progress)


def packets(path: Path, kind: str) -> list[bytes]:
    with av.open(str(path)) as container:
        stream = next(stream for stream in container.streams if stream.type == kind)
        return [bytes(packet) for packet in container.demux(stream) if packet.size]


def test_hundreds_of_segments_leave_no_frame_too_long(store: Path) -> None:
    encode(store / "7.mp4", 7)
    count = 400
    sound(store / "long.m4a", count * 7 * 1600)
    spec = plan(segments=("7.mp4",) * count, segment_frames=(7,) * count, audio="long.m4a", samples=count * 7 * 1600)
    out, facts = join(store, spec)
    assert facts.frames == count * 7
    with av.open(str(out)) as container:
        stamps = [packet.pts for packet in container.demux(container.streams.video[0]) if packet.size]
    assert stamps == [3000 * frame for frame in range(count * 7)]


def test_the_joined_file_is_what_was_planned(store: Path) -> None:
    out, facts = join(store, plan())
    assert (facts.frames, facts.samples, facts.width, facts.height) == (100, SAMPLES, 160, 90)
    assert facts.duration_s == pytest.approx(100 / FPS)
    assert facts.bytes == out.stat().st_size
    assert facts.integrated_lufs == pytest.approx(-14, abs=0.2)
    with av.open(str(out)) as container:
        assert container.start_time == 0
        assert container.metadata["title"] == AWKWARD_TITLE
        assert [stream.metadata["language"] for stream in container.streams] == ["deu", "deu"]
        assert [packet.pts for packet in container.demux(video=0) if packet.size] == [n * 3000 for n in range(100)]


def test_nothing_is_encoded_again(store: Path) -> None:
    out, _ = join(store, plan())
    assert packets(out, "video") == [
        packet for number in range(3) for packet in packets(store / f"{number}.mp4", "video")
    ]
    assert packets(out, "audio") == packets(store / "sound.m4a", "audio")


def test_joining_twice_makes_the_same_bytes(store: Path) -> None:
    first = join(store, plan())[0].read_bytes()
    assert join(store, plan())[0].read_bytes() == first


def test_one_segment_is_enough(store: Path) -> None:
    sound(store / "short.m4a", 40 * 1600)
    spec = plan(segments=("0.mp4",), segment_frames=(40,), audio="short.m4a", samples=40 * 1600)
    assert join(store, spec)[1].frames == 40


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def a_frame_less(path: Path) -> None:
    encode(path, LENGTHS[2] - 1)


def another_size(path: Path) -> None:
    encode(path, LENGTHS[2], size="192x108")


def another_preset(path: Path) -> None:
    encode(path, LENGTHS[2], coding=("-preset", "ultrafast"))


def another_colour(path: Path) -> None:
    encode(path, LENGTHS[2], filters=TAGS.replace("bt709", "smpte170m"))


def another_time_base(path: Path) -> None:
    encode(path, LENGTHS[2], coding=("-video_track_timescale", "15360"))


def gone(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (cut_short, "is broken"),
        (gone, "No such file"),
        (a_frame_less, "frames is 58, wanted 59"),
        (another_size, "width is 192, the others' is 160"),
        (another_preset, "extradata is"),
        (another_colour, "colour is"),
        (another_time_base, "time_base is 1/15360"),
    ],
)
def test_a_segment_that_does_not_fit_is_named(store: Path, spoil: Callable[[Path], None], says: str) -> None:
    spoil(store / "2.mp4")
    with pytest.raises(DamagedSegmentError, match=rf"^Segment 3 of 3 .*{says}") as raised:
        join(store, plan())
    assert raised.value.hint
    assert raised.value.digests == (digest_of(store / "2.mp4"),)
    assert not (store.parent / "video.mp4").exists()


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[data.find(b"mdat") + 900] ^= 4
    path.write_bytes(data)


@pytest.mark.parametrize("spoil", [cut_short, gone, flip_a_bit, another_preset])
def test_whatever_happened_to_a_segment_since_it_was_checked_is_traced_to_it(
    store: Path, spoil: Callable[[Path], None]
) -> None:
    whole = digest_of(store / "1.mp4")
    with pytest.raises(
        DamagedSegmentError, match=r"^Segment 2 of 3 is broken: (its bytes have changed|No such)"
    ) as raised:
        join(store, plan(), since=lambda: spoil(store / "1.mp4"))
    assert raised.value.digests == (whole,)
    assert not (store.parent / "video.mp4").exists()


def test_all_damaged_segments_are_named_at_once(store: Path) -> None:
    damaged = tuple(digest_of(store / name) for name in ("0.mp4", "2.mp4"))

    def spoil() -> None:
        flip_a_bit(store / "0.mp4")
        gone(store / "2.mp4")

    with pytest.raises(DamagedSegmentError) as raised:
        join(store, plan(), since=spoil)
    assert raised.value.digests == damaged
    assert len(raised.value.problems) == 2


def test_the_odd_one_out_is_to_blame_even_where_it_comes_first(store: Path) -> None:
    encode(store / "0.mp4", LENGTHS[0], coding=("-preset", "ultrafast"))
    with pytest.raises(
        DamagedSegmentError, match=r"^Segment 1 of 3 does not fit: .*extradata is \w+, the others' is"
    ) as raised:
        join(store, plan())
    assert raised.value.digests == (digest_of(store / "0.mp4"),)


def test_a_joined_file_whose_pictures_are_not_those_of_the_segments_is_found(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stages.render.output import join as joining

    other = store / "other.mp4"
    encode(other, 1, filters=f"negate,{TAGS}")
    taken = joining._playlist
    monkeypatch.setattr(joining, "_playlist", lambda paths: taken([paths[0], other, paths[2]]))
    with pytest.raises(CheckFailedError, match="the pictures of segment 2 were changed by joining") as raised:
        join(store, plan())
    assert not isinstance(raised.value, DamagedSegmentError)


def test_a_joined_file_that_ends_early_is_found(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from stages.render.output import join as joining

    taken = joining._playlist
    monkeypatch.setattr(joining, "_playlist", lambda paths: taken(paths[:2]))
    with pytest.raises(CheckFailedError, match=rf"the number of frames is \d+, wanted {sum(LENGTHS)}"):
        join(store, plan())


def line(store: Path, name: str, at_sample: int, samples: int, level: int) -> TimedLine:
    with wave.open(str(store / name), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(level.to_bytes(2, "little") * samples)
    return TimedLine(digest=name, samples=samples, at_sample=at_sample)


def sound_with_a_hole(path: Path, start_s: float, end_s: float, samples: int = SAMPLES) -> None:
    tone = f"sin(2*PI*1000*t)*0.21*(1-between(t\\,{start_s}\\,{end_s}))"
    source = f"aevalsrc='{tone}|{tone}':s=48000,atrim=end_sample={samples}"
    ffmpeg(path.parent, "-f", "lavfi", "-i", source, "-c:a", "aac", "-b:a", "128k", "-fflags", "+bitexact", str(path))


def test_a_line_that_cannot_be_heard_is_found_and_a_silent_one_is_not_missed(store: Path) -> None:
    sound_with_a_hole(store / "sound.m4a", 1.0, 2.0)
    lost, heard = line(store, "lost", 50_000, 40_000, 3000), line(store, "heard", 0, 40_000, 3000)
    still = line(store, "still", 50_000, 40_000, 0)
    on_purpose = lost.model_copy(update={"silent": True})
    half = line(store, "half", 40_000, 80_000, 3000)
    join(store, plan(lines=(heard, still, on_purpose, half), target_lufs=-14.0))
    with pytest.raises(CheckFailedError, match=r"line 2, at 1.0 s, cannot be heard for its 0.8 s"):
        join(store, plan(lines=(heard, lost)))


def test_music_that_breaks_off_is_found_and_a_rest_of_its_own_is_none(store: Path) -> None:
    frames, samples = 360, 360 * 1600
    encode(store / "long.mp4", frames)
    sound_with_a_hole(store / "sound.m4a", 4.0, 9.5, samples)
    sound_with_a_hole(store / "whole.m4a", 20, 20, samples)
    spec = plan(segments=("long.mp4",), segment_frames=(frames,), samples=samples)
    join(store, spec)
    join(store, spec.model_copy(update={"music_digest": "sound.m4a"}))
    with pytest.raises(CheckFailedError, match=r"neither speech nor music from 4\.0 to 9\.5 s"):
        join(store, spec.model_copy(update={"music_digest": "whole.m4a"}))


def test_a_plan_that_does_not_add_up_is_refused(store: Path) -> None:
    with pytest.raises(CheckFailedError, match="3 segments for 2 planned lengths"):
        join(store, plan(segment_frames=LENGTHS[:2]))


def test_sound_a_frame_too_short_is_found(store: Path) -> None:
    sound(store / "sound.m4a", SAMPLES - 1600)
    with pytest.raises(CheckFailedError, match=r"number of samples is 158400, wanted 160000; .*difference of picture"):
        join(store, plan())


@pytest.mark.parametrize(
    ("volume_db", "says"),
    [(-15.0, "a loudness of .* LUFS, wanted -14 within 0.5"), (-9.0, "a loudness of")],
)
def test_a_wrong_loudness_is_found(store: Path, volume_db: float, says: str) -> None:
    sound(store / "sound.m4a", SAMPLES, volume_db)
    with pytest.raises(CheckFailedError, match=says):
        join(store, plan())


def test_the_targets_are_the_plans_own(store: Path) -> None:
    with pytest.raises(CheckFailedError, match="wanted -23 within"):
        join(store, plan(target_lufs=-23.0))
    with pytest.raises(CheckFailedError, match=r"a true peak of .* dBTP, wanted at most -20"):
        join(store, plan(true_peak_dbtp=-20.0))


def test_silence_and_very_short_programmes_have_no_loudness_to_miss(store: Path) -> None:
    sound(store / "sound.m4a", SAMPLES, -200)
    facts = join(store, plan())[1]
    assert (facts.integrated_lufs, facts.true_peak_dbtp) == (-70.0, None)
    sound(store / "short.m4a", 40 * 1600, -30)
    spec = plan(segments=("0.mp4",), segment_frames=(40,), audio="short.m4a", samples=40 * 1600)
    assert join(store, spec)[1].integrated_lufs == pytest.approx(-30, abs=0.3)


def test_a_file_that_must_be_read_to_its_end_before_it_plays_is_refused(store: Path) -> None:
    out, _ = join(store, plan())
    slow = out.with_name("slow.mp4")
    ffmpeg(store.parent, "-i", str(out), "-c", "copy", str(slow))
    wanted = Expectations(frames=100, samples=SAMPLES, width=160, height=90, fps=FPS)
    run = FfmpegRun("a check", store.parent, CancelToken())

    def faults(path: Path, wanted: Expectations) -> str:
        return "; ".join(finding.message for finding in inspect(path, wanted, run).findings)

    assert faults(out, wanted) == faults(out, Expectations()) == ""
    assert "mdat, moov, wanted moov, then mdat" in faults(slow, wanted)
    different = replace(wanted, height=92, fps=25, codec="hevc")
    assert "size is 160x90, wanted 160x92; the frame rate is 30, wanted 25" in faults(out, different)
    assert "the video codec is h264, wanted hevc; the video tag is avc1, wanted hvc1" in faults(out, different)
    (store / "none").write_text("?")
    with pytest.raises(CheckFailedError, match="cannot be read"):
        inspect(store / "none", wanted, run)


def test_a_cancelled_join_stops(store: Path) -> None:
    cancel = CancelToken()
    cancel.cancel("enough")
    with pytest.raises(CancelledError, match="enough"):
        join(store, plan(), cancel)


def test_the_check_reports_its_progress_apart_from_encoded_frames(store: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    join(store, plan(), progress=lambda *step: seen.append(step))
    assert seen == [(40, 100, "checked"), (41, 100, "checked"), (100, 100, "checked")]


@pytest.mark.parametrize(
    ("tag", "code"), [("en", "eng"), ("pt-BR", "por"), ("zh_Hans", "zho"), ("yue", "yue"), ("x", "und"), ("", "und")]
)
def test_languages_have_three_letters(tag: str, code: str) -> None:
    assert three_letters(tag) == code
