"""Probing counts what is there; it never believes what a file says about itself."""

from __future__ import annotations

import pickle
import struct
import wave
from fractions import Fraction
from pathlib import Path

import pytest

from config.errors import CheckFailedError
from stages.base import CancelToken
from stages.render.ffmpeg.process import FfmpegRun, run_ffmpeg
from stages.render.sources.probe import BT709, decode_all, probe_audio, probe_video

TAGS = "format=yuv420p,setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("probe")


def encode(folder: Path, name: str, *arguments: str) -> Path:
    run_ffmpeg([*arguments, str(folder / name)], FfmpegRun("a test file", folder, CancelToken()))
    return folder / name


@pytest.fixture(scope="module")
def clip(folder: Path) -> Path:
    source = ["-f", "lavfi", "-i", "testsrc2=size=160x90:rate=30", "-vf", TAGS, "-frames:v", "40"]
    coding = ["-c:v", "libx264", "-preset", "veryfast", "-bf", "0", "-g", "30", "-threads", "1"]
    return encode(folder, "clip.mp4", *source, *coding, "-video_track_timescale", "90000", "-movflags", "+faststart")


@pytest.fixture(scope="module")
def sound(folder: Path) -> Path:
    source = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-af", "atrim=end_sample=30001"]
    return encode(folder, "sound.m4a", *source, "-ac", "2", "-c:a", "aac")


def damaged(clip: Path, change: str) -> Path:
    data = bytearray(clip.read_bytes())
    body = data.find(b"mdat")
    if change == "cut short":
        data = data[: body + (len(data) - body) * 2 // 3]
    elif change == "zeros":
        data[body + 4000 : body + 7000] = bytes(3000)
    elif change == "no index":
        data[data.find(b"moov") : data.find(b"moov") + 4] = b"junk"
    elif change == "empty":
        data = bytearray()
    elif change == "text":
        data = bytearray(b"<html>Too many requests</html>" * 50)
    path = clip.with_name(f"{change.replace(' ', '-')}.mp4")
    path.write_bytes(data)
    return path


def test_a_clip_is_described_by_what_is_in_its_packets(clip: Path) -> None:
    facts = probe_video(clip)
    assert (facts.frames, facts.key_frames, facts.width, facts.height) == (40, 2, 160, 90)
    assert (facts.fps, facts.time_base, facts.start_pts) == (Fraction(30), Fraction(1, 90_000), 0)
    assert (facts.codec, facts.tag, facts.profile, facts.pix_fmt) == ("h264", "avc1", "High", "yuv420p")
    assert facts.colour == BT709
    assert facts.extradata.startswith(b"\x01")
    assert facts.is_even
    assert facts.duration_s == Fraction(40, 30)


def test_a_clip_with_a_frame_left_out_has_uneven_steps(folder: Path) -> None:
    select = ["-vf", "select='not(eq(n,5))'", "-fps_mode", "vfr", "-frames:v", "12"]
    path = encode(folder, "gap.mp4", "-f", "lavfi", "-i", "testsrc2=size=64x36:rate=30", *select, "-c:v", "libx264")
    assert not probe_video(path).is_even


def test_sound_counts_the_samples_that_are_heard_without_priming_and_padding(sound: Path) -> None:
    facts = probe_audio(sound)
    assert (facts.samples, facts.sample_rate_hz, facts.channels) == (30_001, 48_000, 2)
    assert (facts.codec, facts.profile, facts.start_pts) == ("aac", "LC", 0)


@pytest.mark.parametrize("samples", [1, 500, 1024, 24_000])
def test_any_number_of_samples_is_counted_exactly(folder: Path, samples: int) -> None:
    wav = folder / f"{samples}.wav"
    with wave.open(str(wav), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(struct.pack("<h", 900) * samples)
    assert probe_audio(wav).samples == samples
    assert probe_audio(encode(folder, f"{samples}.m4a", "-i", str(wav), "-c:a", "aac")).samples == samples


def test_a_sound_clip_decodes_to_all_its_pictures(clip: Path, sound: Path) -> None:
    seen: list[int] = []
    assert decode_all(clip, seen.append) == 40
    assert seen == list(range(1, 41))
    assert decode_all(sound) == 0


@pytest.mark.parametrize("change", ["cut short", "zeros", "no index", "empty", "text"])
def test_no_damaged_clip_decodes_to_its_end(clip: Path, change: str) -> None:
    with pytest.raises(CheckFailedError, match=change.replace(" ", "-")):
        decode_all(damaged(clip, change))


@pytest.mark.parametrize("change", ["cut short", "no index", "empty", "text"])
def test_a_clip_that_cannot_be_read_through_is_not_described(clip: Path, change: str) -> None:
    with pytest.raises(CheckFailedError):
        probe_video(damaged(clip, change))


def test_a_file_without_the_wanted_stream_is_named_and_so_is_a_missing_one(clip: Path, sound: Path) -> None:
    with pytest.raises(CheckFailedError, match=r"clip\.mp4 holds no audio stream"):
        probe_audio(clip)
    with pytest.raises(CheckFailedError, match=r"sound\.m4a holds no video stream"):
        probe_video(sound)
    with pytest.raises(CheckFailedError, match=r"gone\.mp4 .*No such file"):
        probe_video(clip.with_name("gone.mp4"))


def test_what_was_found_survives_crossing_a_process_border(clip: Path) -> None:
    facts = probe_video(clip)
    assert pickle.loads(pickle.dumps(facts)) == facts
