"""The sound: placed to the sample, ducked by a closed form, at one loudness, the same bytes each time."""

from __future__ import annotations

import hashlib
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from config.errors import BriefError, CancelledError, CheckFailedError
from stages.base import CancelToken
from stages.render.audio.envelopes import MusicCurve, speech_spans
from stages.render.audio.limiter import CONTEXT, HOP, Hops, limited, true_peaks
from stages.render.audio.loudness import measure_file
from stages.render.audio.mix import Mix, mix
from stages.render.audio.music import load_music
from stages.render.audio.narration import Voices
from stages.render.ffmpeg.process import FfmpegRun
from stages.render.sources.probe import probe_audio
from stages.render.specs import MediaFacts, MixSpec, TimedLine

RATE = 48_000


class Studio:
    """A folder that stands for the store: artifacts are called by their names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run = FfmpegRun("a test", folder, CancelToken())

    def artifact(self, digest: str) -> Path:
        return self.folder / digest

    def record(self, name: str, sound: NDArray[Any], rate: int = RATE) -> str:
        """A 16-bit WAV of floats in -1..1, (n,) or (n, channels)."""
        with wave.open(str(self.folder / name), "wb") as file:
            file.setnchannels(1 if sound.ndim == 1 else sound.shape[1])
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(np.round(sound * 32767).astype("<i2").tobytes())
        return name

    def mix(self, spec: MixSpec, name: str = "mix.m4a", **options: Any) -> MediaFacts:
        return mix(
            spec,
            self.folder / name,
            self.artifact,
            self.folder,
            options.pop("cancel", CancelToken()),
            options.pop("progress", lambda done, total, unit: None),
            **options,
        )

    def digest(self, name: str = "mix.m4a") -> str:
        return hashlib.sha256((self.folder / name).read_bytes()).hexdigest()


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


def seconds(count: float) -> NDArray[np.float64]:
    return np.arange(round(count * RATE)) / RATE


def speech(length_s: float, level: float = 0.3) -> NDArray[np.float64]:
    """Voiced syllables, four a second, with the crest of a voice."""
    t = seconds(length_s)
    voice = sum(np.cos(2 * np.pi * 120 * k * t) / k for k in range(1, 20))
    syllables = np.clip(1.3 * np.sin(2 * np.pi * 4 * t), 0, 1)
    sound = np.asarray(voice * syllables)
    return np.asarray(level * sound / np.abs(sound).max(), dtype=np.float64)


def chord(length_s: float, rate: int = RATE) -> NDArray[np.float64]:
    t = np.arange(round(length_s * rate)) / rate
    left = sum(np.sin(2 * np.pi * f * t + f) for f in (110.3, 164.7, 221.9)) * 0.1
    right = sum(np.sin(2 * np.pi * f * t) for f in (110.3, 138.1, 331.7)) * 0.1
    return np.stack([left, right], axis=1)


def line(digest: str, at: int, samples: int, *, silent: bool = False) -> TimedLine:
    return TimedLine(digest=digest, samples=samples, at_sample=at, silent=silent)


@pytest.fixture
def programme(studio: Studio) -> MixSpec:
    """Six seconds: two lines, music at another rate that has to be looped."""
    voice = studio.record("voice.wav", speech(1.5))
    music = studio.record("music.wav", chord(2.3, 44_100), 44_100)
    return MixSpec(
        samples=6 * RATE,
        lines=(line(voice, RATE // 2, 72_000), line(voice, 4 * RATE, 72_000)),
        music_digest=music,
        fade_in_s=0.3,
        fade_out_s=0.5,
    )


def dry(studio: Studio, spec: MixSpec) -> Mix:
    return Mix(spec, Voices(spec, studio.artifact), None, 0.0)


def test_lines_stand_in_the_mix_to_the_sample(studio: Studio) -> None:
    click = np.zeros(101)
    click[0] = click[100] = 0.5
    studio.record("click.wav", click)
    mixed = dry(studio, MixSpec(samples=9000, lines=(line("click.wav", 1234, 101), line("click.wav", 8899, 101))))
    whole = mixed.read(-10, 9010)
    assert list(np.flatnonzero(whole[:, 0]) - 10) == [1234, 1334, 8899, 8999]
    assert (whole[:, 0] == whole[:, 1]).all()
    pieces = np.concatenate([mixed.read(start, start + 7) for start in range(1200, 1400, 7)])
    assert (pieces == mixed.read(1200, 1200 + len(pieces))).all()


def test_the_finished_track_has_its_samples_its_loudness_and_its_headroom(studio: Studio, programme: MixSpec) -> None:
    facts = studio.mix(programme)
    heard = probe_audio(studio.folder / "mix.m4a")
    found = measure_file(studio.folder / "mix.m4a", studio.run)
    assert (heard.samples, heard.start_pts, heard.channels) == (6 * RATE, 0, 2)
    assert (heard.codec, heard.profile, heard.sample_rate_hz) == ("aac", "LC", RATE)
    assert facts.samples == 6 * RATE
    assert facts.duration_s == 6.0
    assert facts.integrated_lufs == found.integrated_lufs == pytest.approx(-14.0, abs=0.3)
    assert found.true_peak_dbtp is not None
    assert found.true_peak_dbtp <= -1.0


@pytest.mark.parametrize(("target", "peak"), [(-23.0, -3.0), (-16.0, -1.5)])
def test_loudness_and_peak_are_what_the_spec_asks_for(
    studio: Studio, programme: MixSpec, target: float, peak: float
) -> None:
    facts = studio.mix(programme.model_copy(update={"target_lufs": target, "true_peak_dbtp": peak}))
    assert facts.integrated_lufs == pytest.approx(target, abs=0.3)
    assert facts.true_peak_dbtp is not None
    assert facts.true_peak_dbtp <= peak


def test_the_same_mix_is_the_same_bytes_whatever_the_block(studio: Studio, programme: MixSpec) -> None:
    digests = set()
    for block in (HOP * 1200, HOP * 1200, HOP * 7, HOP * 5000):
        studio.mix(programme, block=block)
        digests.add(studio.digest())
    assert len(digests) == 1


def test_music_is_ducked_before_speech_begins_and_comes_back_after_it_ends() -> None:
    spec = MixSpec(samples=20 * RATE, lines=(line("a", 5 * RATE, 2 * RATE), line("b", 12 * RATE, RATE)))
    curve = MusicCurve(spec, 1.0)
    decibels = 20 * np.log10(curve.gains(0, spec.samples) + 1e-9)
    assert (np.abs(decibels[5 * RATE : 7 * RATE] + 18) < 0.01).all()
    assert decibels[round(4.84 * RATE)] == pytest.approx(0, abs=0.01)
    assert decibels[round(4.925 * RATE)] == pytest.approx(-9, abs=0.1)
    assert decibels[round(7.3 * RATE)] == pytest.approx(-9, abs=0.1)
    assert decibels[round(7.61 * RATE) : round(11.8 * RATE)] == pytest.approx(0, abs=0.01)
    steps = np.abs(np.diff(decibels[2 * RATE : 17 * RATE]))
    assert steps.max() < 0.01
    assert (curve.gains(7 * RATE - 5, 7 * RATE + 5) == curve.gains(0, spec.samples)[7 * RATE - 5 : 7 * RATE + 5]).all()


def test_music_stays_down_in_gaps_too_short_to_come_back_in() -> None:
    spec = MixSpec(samples=9 * RATE, lines=(line("a", 2 * RATE, RATE), line("b", 4 * RATE, RATE)))
    between = MusicCurve(spec, 1.0).gains(2 * RATE, 5 * RATE)
    assert np.ptp(between) == 0
    assert between[0] == pytest.approx(10 ** (-18 / 20))


def test_lines_that_are_only_shown_do_not_duck_the_music() -> None:
    assert speech_spans([line("a", 0, RATE, silent=True)], RATE) == []
    spec = MixSpec(samples=9 * RATE, lines=(line("a", 3 * RATE, RATE, silent=True),))
    assert MusicCurve(spec, 1.0).gains(3 * RATE, 4 * RATE).min() == 1.0


def test_music_fades_in_and_out_even_where_there_is_hardly_room() -> None:
    for samples in (30 * RATE, RATE, 100):
        gains = MusicCurve(MixSpec(samples=samples, lines=()), 1.0).gains(0, samples)
        assert gains[0] < 0.01
        assert gains[-1] < 0.01
        assert gains.max() > 0.9


def test_an_unclean_seam_is_crossed_and_a_clean_one_is_left_alone(studio: Studio) -> None:
    rough = load_music(studio.artifact(studio.record("rough.wav", chord(1.7013))), 10 * RATE, studio.run)
    assert rough
    assert rough.seam == 14_400
    step = np.abs(np.diff(rough.read(0, 10 * RATE), axis=0)).max()
    assert step <= 1.5 * np.abs(np.diff(rough.read(RATE // 2, RATE), axis=0)).max()
    whole_periods = 0.3 * np.sin(2 * np.pi * 100 * seconds(1.5))
    clean = load_music(studio.artifact(studio.record("clean.wav", whole_periods)), 10 * RATE, studio.run)
    assert clean
    assert (clean.seam, clean.period) == (0, 72_000)
    assert (clean.read(0, 72_000) == clean.read(72_000, 144_000)).all()


def test_looped_music_keeps_its_level_through_the_seam(studio: Studio) -> None:
    noise = np.random.default_rng(1).standard_normal((2 * RATE + 199, 2))
    noise = np.stack([np.convolve(noise[:, side], np.hanning(200), "valid") for side in (0, 1)], axis=1) * 0.015
    music = load_music(studio.artifact(studio.record("noise.wav", noise)), 9 * RATE, studio.run)
    assert music
    assert music.seam
    crossing = [music.read(turn * music.period, turn * music.period + music.seam) for turn in range(1, 6)]
    assert (crossing[0] == crossing[1]).all()
    assert np.sqrt(np.mean(crossing[0] ** 2)) == pytest.approx(np.sqrt(np.mean(noise**2)), rel=0.15)


def test_music_as_long_as_the_programme_is_not_looped(studio: Studio) -> None:
    music = load_music(studio.artifact(studio.record("long.wav", chord(3))), 2 * RATE, studio.run)
    assert music
    assert music.seam == 0


def test_music_without_a_gain_is_as_loud_as_the_narration(studio: Studio) -> None:
    voice = studio.record("voice.wav", speech(4, 0.2))
    studio.record("loud.wav", chord(4) * 2)
    # So low a target leaves the limiter nothing to do.
    lines = (line(voice, 0, 4 * RATE),)
    spec = MixSpec(samples=12 * RATE, lines=lines, music_digest="loud.wav", fade_in_s=0, fade_out_s=0, target_lufs=-28)
    studio.mix(spec)
    sound = decoded(studio.folder / "mix.m4a")
    studio.record("spoken.wav", sound[: 4 * RATE])
    studio.record("played.wav", sound[6 * RATE : 11 * RATE])
    spoken = measure_file(studio.folder / "spoken.wav", studio.run)
    played = measure_file(studio.folder / "played.wav", studio.run)
    assert played.integrated_lufs == pytest.approx(spoken.integrated_lufs, abs=0.6)


def decoded(path: Path) -> NDArray[np.float32]:
    import av

    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1).T


def test_a_programme_of_music_alone_reaches_the_same_loudness(studio: Studio) -> None:
    music = studio.record("music.wav", chord(2) * 0.05)
    facts = studio.mix(MixSpec(samples=5 * RATE, lines=(), music_digest=music, music_gain_db=-20))
    assert facts.integrated_lufs == pytest.approx(-14.0, abs=0.3)


def test_a_silent_programme_stays_silent(studio: Studio) -> None:
    studio.record("silence.wav", np.zeros(RATE))
    studio.record("hush.wav", np.zeros((RATE, 2)))
    lines = (line("silence.wav", 0, RATE, silent=True), line("silence.wav", 2 * RATE, RATE))
    facts = studio.mix(MixSpec(samples=4 * RATE, lines=lines, music_digest="hush.wav"))
    assert (facts.samples, facts.integrated_lufs, facts.true_peak_dbtp) == (4 * RATE, -70.0, None)
    assert not decoded(studio.folder / "mix.m4a").any()


def test_faint_noise_is_not_turned_up(studio: Studio) -> None:
    noise = np.random.default_rng(2).uniform(-1, 1, 4 * RATE) * 0.0008
    facts = studio.mix(MixSpec(samples=4 * RATE, lines=(line(studio.record("noise.wav", noise), 0, 4 * RATE),)))
    assert facts.integrated_lufs is not None
    assert facts.integrated_lufs < -60


@pytest.mark.parametrize("samples", [1, 2000, 24_000])
def test_even_the_shortest_programme_has_its_samples_and_no_peak_too_high(studio: Studio, samples: int) -> None:
    studio.record("short.wav", speech(1, 0.9)[6000 : 6000 + samples])
    music = studio.record("music.wav", chord(1))
    facts = studio.mix(MixSpec(samples=samples, lines=(line("short.wav", 0, samples),), music_digest=music))
    assert facts.samples == samples
    assert facts.true_peak_dbtp is None or facts.true_peak_dbtp <= -1.0


def test_sharp_peaks_over_quiet_speech_are_held_under_the_ceiling(studio: Studio) -> None:
    sound = speech(5, 0.08)
    sound[20_000::30_011] = 0.98
    facts = studio.mix(MixSpec(samples=5 * RATE, lines=(line(studio.record("peaks.wav", sound), 0, 5 * RATE),)))
    assert facts.true_peak_dbtp is not None
    assert facts.true_peak_dbtp <= -1.0
    assert facts.integrated_lufs == pytest.approx(-14.0, abs=0.3)


def test_peaks_between_samples_are_seen() -> None:
    t = np.arange(4800 + 2 * CONTEXT)
    wave_ = np.sin(np.pi / 2 * t + np.pi / 4).astype(np.float32)[None, :]
    assert np.abs(wave_).max() == pytest.approx(0.7071, abs=0.001)
    assert true_peaks(wave_).max() == pytest.approx(1.0, abs=0.01)


def test_the_limiter_lets_nothing_over_its_ceiling_and_leaves_quiet_parts_alone() -> None:
    rng = np.random.default_rng(4)
    sound = (rng.standard_normal((RATE, 2)) * 0.1).astype(np.float32)
    sound[30_000] = (1.7, -0.2)
    hops = Hops(RATE)
    padded = np.pad(sound, ((CONTEXT, CONTEXT), (0, 0)))
    hops.add(0, padded)
    curve = hops.curve(1.5, 0.8)
    out = limited(sound, 0, 1.5, curve)
    assert true_peaks(np.pad(out, ((CONTEXT, CONTEXT), (0, 0))).T.copy()).max() <= 0.8 * 1.01
    assert (out[: 30_000 - 100 * HOP] == sound[: 30_000 - 100 * HOP] * np.float32(1.5)).all()
    assert np.abs(np.diff(curve)).max() < 0.12
    assert hops.loudness_change_lu(curve) < -0.05


@pytest.mark.parametrize(("at", "samples"), [(3 * RATE, RATE + 1), (-1, RATE), (9 * RATE, RATE)])
def test_a_line_outside_the_programme_is_refused(studio: Studio, at: int, samples: int) -> None:
    studio.record("voice.wav", np.zeros(samples))
    with pytest.raises(CheckFailedError, match=r"Line 1 .*planned for samples .*only 0 to 192000"):
        studio.mix(MixSpec(samples=4 * RATE, lines=(line("voice.wav", at, samples),)))


def wrong_rate(studio: Studio) -> None:
    studio.record("voice.wav", np.zeros(RATE), 24_000)


def too_short(studio: Studio) -> None:
    studio.record("voice.wav", np.zeros(RATE - 1))


def cut_off(studio: Studio) -> None:
    studio.record("voice.wav", np.zeros(RATE))
    path = studio.artifact("voice.wav")
    path.write_bytes(path.read_bytes()[:5000])


def no_sound(studio: Studio) -> None:
    studio.artifact("voice.wav").write_text("Internal Server Error")


@pytest.mark.parametrize("spoil", [wrong_rate, too_short, cut_off, no_sound])
def test_a_narration_that_is_not_what_it_should_be_is_named(studio: Studio, spoil: Callable[[Studio], None]) -> None:
    studio.record("good.wav", np.zeros(RATE))
    spoil(studio)
    lines = (line("good.wav", 0, RATE), line("voice.wav", RATE, RATE))
    with pytest.raises(CheckFailedError, match="Line 2 of the narration"):
        studio.mix(MixSpec(samples=3 * RATE, lines=lines))


def test_music_that_is_no_sound_is_the_briefs_problem(studio: Studio) -> None:
    studio.artifact("music.mp3").write_bytes(b"<html>not found</html>" * 99)
    with pytest.raises(BriefError, match="music cannot be used") as raised:
        studio.mix(MixSpec(samples=RATE, lines=(), music_digest="music.mp3"))
    assert raised.value.hint
    assert raised.value.problems
    studio.record("blip.wav", chord(0.1))
    with pytest.raises(BriefError, match=r"lasts only 0\.10 s"):
        studio.mix(MixSpec(samples=RATE, lines=(), music_digest="blip.wav"))


def test_a_cancelled_mix_stops_and_says_so(studio: Studio, programme: MixSpec) -> None:
    cancel = CancelToken()

    def progress(done: int, total: int, unit: str) -> None:
        if done:
            cancel.cancel("enough")

    with pytest.raises(CancelledError, match="enough"):
        studio.mix(programme, cancel=cancel, progress=progress, block=HOP * 1000)


def test_progress_rises_to_the_end(studio: Studio, programme: MixSpec) -> None:
    seen: list[tuple[int, int, str]] = []
    studio.mix(programme, progress=lambda *step: seen.append(step), block=HOP * 1000)
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)
    assert seen[-1] == (6, 6, "seconds")
