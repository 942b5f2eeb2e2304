"""Joining copies what was encoded, refuses what does not fit, and counts nothing as finished before it is checked."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest

from config.errors import CancelledError, CheckFailedError
from stages.base import CancelToken
from stages.render.check import Expectations, check_finished
from stages.render.join import mux
from stages.render.languages import three_letters
from stages.render.models import Encoding, MediaFacts, MuxSpec
from stages.render.process import Run, run_ffmpeg

FPS, LENGTHS, SAMPLES = 30, (40, 1, 59), 100 * 1600
TAGS = "format=yuv420p,setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv"
ENCODING = Encoding(level="Low", width=160, height=90, fps=FPS, bitrate_bps=100_000)
AWKWARD_TITLE = 'it\'s 50% {\\an8} C:\\x; [a]=b, "q" – für Zoë'


def ffmpeg(folder: Path, *arguments: str) -> None:
    run_ffmpeg(arguments, Run("a test file", folder, CancelToken()))


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
        segments=("0.mp4", "1.mp4", "2.mp4"),
        segment_frames=LENGTHS,
        audio="sound.m4a",
        samples=SAMPLES,
        encoding=ENCODING,
        title=AWKWARD_TITLE,
        language="de-AT",
    )
    return spec.model_copy(update=changes)


def join(store: Path, spec: MuxSpec, cancel: CancelToken | None = None) -> tuple[Path, MediaFacts]:
    out = store.parent / "video.mp4"
    return out, mux(spec, out, lambda name: store / name, cancel or CancelToken(), lambda done, total, unit: None)


def packets(path: Path, kind: str) -> list[bytes]:
    with av.open(str(path)) as container:
        stream = next(stream for stream in container.streams if stream.type == kind)
        return [bytes(packet) for packet in container.demux(stream) if packet.size]


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
        (another_size, "width is 192, the first one's is 160"),
        (another_preset, "extradata is"),
        (another_colour, "colour is"),
        (another_time_base, "time_base is 1/15360"),
    ],
)
def test_a_segment_that_does_not_fit_is_named(store: Path, spoil: Callable[[Path], None], says: str) -> None:
    spoil(store / "2.mp4")
    with pytest.raises(CheckFailedError, match=rf"Segment 3 of 3 .*{says}") as raised:
        join(store, plan())
    assert raised.value.hint
    assert not (store.parent / "video.mp4").exists()


def test_zeros_within_a_segment_are_found_by_the_last_check_and_traced_to_it(store: Path) -> None:
    data = bytearray((store / "2.mp4").read_bytes())
    body = data.find(b"mdat")
    data[body + 9000 : body + 12_000] = bytes(3000)
    (store / "2.mp4").write_bytes(data)
    with pytest.raises(CheckFailedError, match=r"Segment 3 of 3 is broken: .*cannot be read"):
        join(store, plan())


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
    run = Run("a check", store.parent, CancelToken())
    assert check_finished(out, wanted, run).frames == 100
    with pytest.raises(CheckFailedError, match=r"ftyp, .*mdat, moov, wanted moov, then mdat"):
        check_finished(slow, wanted, run)
    with pytest.raises(CheckFailedError, match="no mp4 file"):
        check_finished(store / "none", wanted, run) if (store / "none").write_text("?") else None
    with pytest.raises(CheckFailedError, match="size is 160x90, wanted 160x92; the frame rate is 30, wanted 25"):
        check_finished(out, replace(wanted, height=92, fps=25), run)


def test_a_cancelled_join_stops(store: Path) -> None:
    cancel = CancelToken()
    cancel.cancel("enough")
    with pytest.raises(CancelledError, match="enough"):
        join(store, plan(), cancel)


def test_the_check_reports_its_progress_apart_from_encoded_frames(store: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    mux(plan(), store.parent / "video.mp4", lambda name: store / name, CancelToken(), lambda *step: seen.append(step))
    assert seen[-1] == (100, 100, "checked")


@pytest.mark.parametrize(
    ("tag", "code"), [("en", "eng"), ("pt-BR", "por"), ("zh_Hans", "zho"), ("yue", "yue"), ("x", "und"), ("", "und")]
)
def test_languages_have_three_letters(tag: str, code: str) -> None:
    assert three_letters(tag) == code
