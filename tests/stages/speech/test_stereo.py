"""Two channels that are one sound, and sound of every kind of file."""

from __future__ import annotations

import subprocess
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from stages.base import CancelToken
from stages.render.audio.music import load_music, music_fault
from stages.render.ffmpeg.process import FfmpegRun, ffmpeg_path
from stages.sound.channels import Balance, mixed
from stages.sound.files import SAMPLE_RATE_HZ, SoundFile, UnreadableSoundError
from stages.speech.recording import Recording, take_recording
from stages.speech.sound import loudness, read_sound

FFMPEG = [str(ffmpeg_path()), "-v", "error", "-nostdin"]
SAID = "Ships see the light, and they come home."


def stereo(path: Path, left: NDArray[Any], right: NDArray[Any]) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(np.round(np.stack([left, right], 1) * 32767).astype("<i2").tobytes())
    return path


def voice(seconds: float = 3.0, level: float = 0.1) -> NDArray[np.float64]:
    time = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return np.asarray(level * np.sin(2 * np.pi * 180 * time) * (1 + np.sin(2 * np.pi * 4 * time)) * (time > 0.3))


def noise(seconds: float, seed: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(0, 0.1, round(seconds * SAMPLE_RATE_HZ))


@pytest.mark.parametrize(
    ("share", "is_one"), [(-1.0, True), (-0.7, True), (-0.5, True), (0.0, True), (0.6, False), (1.0, False)]
)
def test_of_one_voice_in_two_channels_the_louder_is_taken_where_the_other_spoils_it(share: float, is_one: bool) -> None:
    sound = voice()
    balance = Balance()
    balance.add(np.stack([sound, share * sound], 1))
    assert balance.only == (0 if is_one else None)
    swapped = Balance()
    swapped.add(np.stack([share * sound, sound], 1))
    assert swapped.only == (None if not is_one else 0 if share == -1 else 1)


def test_wide_stereo_stays_wide_and_an_offset_does_not_count() -> None:
    balance = Balance()
    balance.add(np.stack([noise(1, 1) + 0.3, noise(1, 2) - 0.3], 1))
    assert balance.only is None
    silence = Balance()
    silence.add(np.full((4800, 2), 0.2))
    assert silence.only is None


def test_an_offset_of_music_is_taken_away(tmp_path: Path) -> None:
    path = stereo(tmp_path / "a.wav", noise(2, 1) + 0.2, noise(2, 2) - 0.1)
    music = load_music(path, SAMPLE_RATE_HZ, run(tmp_path))
    assert music is not None
    assert music.read(0, SAMPLE_RATE_HZ).mean(axis=0) == pytest.approx([0, 0], abs=0.005)


def test_a_recording_in_antiphase_is_heard_as_what_it_is(tmp_path: Path) -> None:
    plain = stereo(tmp_path / "plain.wav", voice(), voice())
    anti = stereo(tmp_path / "anti.wav", voice(), -voice())
    assert np.allclose(read_sound(anti), read_sound(plain), atol=1e-4)
    path, narration = take_recording(Recording(anti, SAID, "en"), tmp_path)
    assert not narration.silent
    assert loudness(read_sound(path)) == pytest.approx(-20, abs=0.5)


def test_an_offset_does_not_hide_the_silence_around_a_recording(tmp_path: Path) -> None:
    padded = np.concatenate([np.zeros(48_000), voice(), np.zeros(96_000)])
    plain = take_recording(Recording(stereo(tmp_path / "a.wav", padded, padded), SAID, "en"), tmp_path)[1]
    offset = take_recording(Recording(stereo(tmp_path / "b.wav", padded + 0.2, padded + 0.2), SAID, "en"), tmp_path)[1]
    assert offset.samples == pytest.approx(plain.samples, abs=2400)


def test_mono_and_one_channel_are_taken_as_they_are() -> None:
    sound = voice()
    assert np.array_equal(mixed(sound[:, None]), sound)
    assert np.array_equal(mixed(np.stack([np.zeros_like(sound), sound], 1)), sound)


# Music


def run(tmp_path: Path) -> FfmpegRun:
    return FfmpegRun("a test", tmp_path, CancelToken())


def test_music_in_antiphase_is_the_same_in_both_loudspeakers(tmp_path: Path) -> None:
    music = load_music(stereo(tmp_path / "a.wav", voice(), -voice()), SAMPLE_RATE_HZ, run(tmp_path))
    assert music is not None
    heard = music.read(24_000, 48_000)
    assert np.array_equal(heard[:, 0], heard[:, 1])
    assert np.abs(heard).max() > 0.1
    wide = load_music(stereo(tmp_path / "b.wav", noise(2, 1), noise(2, 2)), SAMPLE_RATE_HZ, run(tmp_path))
    assert wide is not None
    assert not np.array_equal(*wide.read(0, 4800).T)


@pytest.mark.parametrize("level", [0.0, 0.5 / 32767, 0.0003])
def test_music_that_nobody_would_hear_is_said_to_be_silent_and_is_no_music(tmp_path: Path, level: float) -> None:
    quiet = level * noise(3, 1) * 10
    path = stereo(tmp_path / "a.wav", quiet, quiet)
    assert music_fault(path, whole=True) == "is silent: the film has no music"
    assert load_music(path, SAMPLE_RATE_HZ, run(tmp_path)) is None


def test_music_that_begins_very_late_is_heard_from_the_start(tmp_path: Path) -> None:
    late = np.concatenate([np.zeros(33 * SAMPLE_RATE_HZ), 0.3 * noise(2, 1)])
    music = load_music(stereo(tmp_path / "a.wav", late, late), SAMPLE_RATE_HZ, run(tmp_path))
    assert music is not None
    assert np.abs(music.read(0, 4800)).max() > 0.01


def test_music_in_one_channel_is_as_loud_from_both_as_it_was_from_one(tmp_path: Path) -> None:
    music = load_music(stereo(tmp_path / "a.wav", voice(), np.zeros_like(voice())), SAMPLE_RATE_HZ, run(tmp_path))
    assert music is not None
    heard = music.read(24_000, 48_000)
    # The silence at its start is no part of it.
    first = round(0.3 * SAMPLE_RATE_HZ) + 24_000
    assert np.square(heard).sum() == pytest.approx(np.square(voice()[first : first + 24_000]).sum(), rel=0.03)


def test_quiet_music_and_music_that_begins_late_are_music(tmp_path: Path) -> None:
    late = np.concatenate([np.zeros(5 * SAMPLE_RATE_HZ), 0.05 * noise(2, 1)])
    path = stereo(tmp_path / "a.wav", late, late)
    assert music_fault(path, whole=True) == ""
    music = load_music(path, SAMPLE_RATE_HZ, run(tmp_path))
    assert music is not None
    assert np.abs(music.read(0, 4800)).max() > 0.001


# Files


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.aiff", ()),
        ("a.wma", ("-c:a", "wmav2")),
        ("a.opus", ("-c:a", "libopus")),
        ("a.m4a", ()),
        ("a.caf", ()),
        ("a.amr", ("-ar", "8000", "-ac", "1")),
        ("a.flac", ()),
        ("a.mp3", ()),
        ("six.wav", ("-ac", "6")),
        ("four.wav", ("-af", "pan=4c|c0=c0|c1=c0|c2=c0|c3=c0")),
    ],
)
def test_sound_of_every_kind_is_read(tmp_path: Path, name: str, options: tuple[str, ...]) -> None:
    path = tmp_path / name
    subprocess.run([*FFMPEG, "-f", "lavfi", "-i", "sine=f=440:d=2:r=44100", *options, str(path)], check=True)
    sound = read_sound(path)
    assert len(sound) / SAMPLE_RATE_HZ == pytest.approx(2.0, abs=0.05)
    assert -30 < 10 * np.log10(np.mean(sound**2)) < -10


def test_damage_is_found_with_its_second_and_tags_at_the_end_are_none(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    subprocess.run([*FFMPEG, "-f", "lavfi", "-i", "sine=f=440:d=2:r=44100", str(path)], check=True)
    data = bytearray(path.read_bytes())
    (tmp_path / "tagged.mp3").write_bytes(data + b"TAG" + b"x" * 125 + b"APETAGEX" + b"y" * 300)
    assert len(read_sound(tmp_path / "tagged.mp3")) == pytest.approx(2 * SAMPLE_RATE_HZ, abs=2400)
    middle = len(data) // 2
    data[middle : middle + 400] = bytes(400)
    path.write_bytes(data)
    with pytest.raises(UnreadableSoundError, match=r"damaged at 1\.0 s"):
        read_sound(path)
    assert "damaged at 1.0 s" in music_fault(path, whole=True)


@pytest.mark.parametrize("name", ["a.wav", "a.aiff", "a.flac", "a.au", "a.m4a", "a.mp3"])
def test_a_sound_that_ends_before_its_header_says_is_cut_off(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    front = ("-movflags", "+faststart") if name == "a.m4a" else ()
    subprocess.run([*FFMPEG, "-f", "lavfi", "-i", "sine=f=440:d=4:r=44100", *front, str(path)], check=True)
    assert music_fault(path, whole=True) == ""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UnreadableSoundError, match=r"cut off: it ends at [12]\.\d s, and says that it lasts 4\.0 s"):
        read_sound(path)
    assert music_fault(path, whole=True).startswith("is cut off")


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFFFFF - 36, 0x80000000])
def test_a_sound_from_a_pipe_whose_header_has_no_length_is_whole(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.wav"
    subprocess.run([*FFMPEG, "-f", "lavfi", "-i", "sine=f=440:d=2:r=44100", str(path)], check=True)
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = size.to_bytes(4, "little")
    path.write_bytes(data)
    assert len(read_sound(path)) == pytest.approx(2 * SAMPLE_RATE_HZ, abs=50)


def test_sound_stands_where_its_file_says(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    command = [*FFMPEG, "-f", "lavfi", "-i", "color=s=64x48:d=2", "-itsoffset", "0.5", "-f", "lavfi", "-i", "sine=d=1"]
    subprocess.run([*command, "-map", "0", "-map", "1", "-c:a", "pcm_s16le", str(path)], check=True)
    place, _ = next(SoundFile(path).pieces(0.0))
    assert place == pytest.approx(0.5 * SAMPLE_RATE_HZ, abs=96)
