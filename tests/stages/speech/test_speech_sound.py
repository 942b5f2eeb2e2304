"""The sound of a line, and when its words are in it."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from config.errors import CancelledError, TransientError, UnavailableError
from stages.base import CancelToken, Context
from stages.models import Word
from stages.speech.reading import read
from stages.speech.sound import (
    PEAK_DBFS,
    SAMPLE_RATE_HZ,
    TARGET_LUFS,
    UnreadableSoundError,
    even_level,
    loudness,
    read_sound,
    speech_bounds,
    write_wav,
)
from stages.speech.speech_provider import SpeechProvider, SpeechRequest, Spoken
from stages.speech.speech_stage import speak_line
from stages.speech.timing import estimate_words


def tone(seconds: float, level: float = 0.1, hertz: float = 997.0, rate_hz: int = SAMPLE_RATE_HZ) -> np.ndarray:
    return level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate_hz)) / rate_hz)


def silence(seconds: float, rate_hz: int = SAMPLE_RATE_HZ) -> np.ndarray:
    return np.zeros(round(seconds * rate_hz))


def test_loudness_is_the_standards_reference_value() -> None:
    # ITU-R BS.1770: a 997 Hz sine at full scale in one channel reads -3.01 LUFS.
    assert loudness(tone(3, 1.0)) == pytest.approx(-3.01, abs=0.05)
    assert loudness(np.concatenate([tone(3, 0.1), silence(9)])) == pytest.approx(-23.01, abs=0.3)


@pytest.mark.parametrize("level", [0.003, 0.05, 0.7])
def test_every_line_comes_out_equally_loud(level: float) -> None:
    assert loudness(even_level(tone(2, level))) == pytest.approx(TARGET_LUFS, abs=0.2)


def test_peaks_are_held_under_the_ceiling_without_clipping() -> None:
    spiky = tone(3, 0.01)
    spiky[40_000::24_000] = 0.9
    levelled = even_level(spiky)
    assert np.abs(levelled).max() <= 10 ** (PEAK_DBFS / 20) + 1e-9
    assert np.abs(levelled[:30_000]).max() > 0.05


@pytest.mark.parametrize("rate_hz", [16_000, 24_000, 44_100])
def test_resampling_keeps_length_pitch_and_place(tmp_path: Path, rate_hz: int) -> None:
    click = silence(1, rate_hz)
    click[rate_hz // 2] = 0.9
    write_wav(tmp_path / "click.wav", click, rate_hz)
    heard = read_sound(tmp_path / "click.wav")
    assert len(heard) == SAMPLE_RATE_HZ
    assert abs(int(np.argmax(np.abs(heard))) - SAMPLE_RATE_HZ // 2) <= 2
    write_wav(tmp_path / "tone.wav", tone(2, 0.5, 1000, rate_hz), rate_hz)
    spectrum = np.abs(np.fft.rfft(read_sound(tmp_path / "tone.wav")[4800:52800] * np.hanning(48000)))
    assert int(np.argmax(spectrum)) == 1000
    assert spectrum[1100:].max() < spectrum[1000] / 10**4


def test_what_is_no_sound_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "no.wav").write_text("<html>429</html>")
    with pytest.raises(UnreadableSoundError):
        read_sound(tmp_path / "no.wav")


def test_silence_at_the_ends_is_found() -> None:
    start, end = speech_bounds(np.concatenate([silence(0.5), tone(1), silence(0.7)]), SAMPLE_RATE_HZ)
    assert start / SAMPLE_RATE_HZ == pytest.approx(0.46, abs=0.011)
    assert end / SAMPLE_RATE_HZ == pytest.approx(1.6, abs=0.011)
    assert speech_bounds(silence(1), SAMPLE_RATE_HZ) == (0, 0)


def test_estimated_words_are_held_to_the_pauses() -> None:
    # The pause comes far later than the letters alone would have it.
    sound = np.concatenate([silence(0.2), tone(1.5), silence(0.4), tone(0.5), silence(0.2)])
    words = estimate_words(read("Short one, then a very much longer end.", "en"), sound, SAMPLE_RATE_HZ)
    assert [word.text for word in words] == ["Short", "one,", "then", "a", "very", "much", "longer", "end."]
    assert words[0].start_s == pytest.approx(0.2, abs=0.02)
    assert words[1].end_s == pytest.approx(1.7, abs=0.02)
    assert words[2].start_s == pytest.approx(2.1, abs=0.02)
    assert words[-1].end_s == pytest.approx(2.6, abs=0.02)


def test_a_pause_without_a_mark_shifts_nothing_but_its_neighbours() -> None:
    words = estimate_words(read("one two three four", "en"), tone(2), SAMPLE_RATE_HZ)
    assert [word.start_s for word in words] == sorted(word.start_s for word in words)
    assert words[-1].end_s == pytest.approx(2.0, abs=0.02)


class FakeVoice(SpeechProvider):
    """Gives the sound that a test hands it."""

    def __init__(self, samples: np.ndarray, words: tuple[Word, ...], able: bool = True) -> None:
        self.name = "fake"
        self.samples, self.words, self.able = samples, words, able

    def identity(self) -> dict[str, str]:
        return {}

    def check(self, language: str, voice: str, text: str) -> None:
        if not self.able:
            raise UnavailableError("cannot", provider=self.name)

    def speak(self, request: SpeechRequest, cancel: CancelToken, folder: Path) -> Spoken:
        write_wav(folder / "fake.wav", self.samples, 24_000)
        return Spoken(folder / "fake.wav", self.words, "exact", "someone", notes=("a note",))


def context(folder: Path) -> Context:
    return Context(scratch=folder, artifact=lambda digest: folder / digest)


REQUEST = SpeechRequest("Hello there friend", "en", "", 0)


def test_a_line_is_trimmed_and_its_words_move_with_it(tmp_path: Path) -> None:
    sound = np.concatenate([silence(0.6, 24_000), tone(1.2, 0.02, rate_hz=24_000), silence(0.9, 24_000)])
    words = (
        Word(text="Hello", start_s=0.6, end_s=1.0),
        Word(text="there", start_s=1.0, end_s=1.3),
        Word(text="friend", start_s=1.3, end_s=2.4),
    )
    path, narration = speak_line(REQUEST, context(tmp_path), [FakeVoice(sound, words)])
    with wave.open(str(path)) as written:
        assert written.getnframes() == narration.samples
        assert (written.getframerate(), written.getnchannels(), written.getsampwidth()) == (48_000, 1, 2)
    length_s = narration.samples / 48_000
    assert length_s == pytest.approx(1.34, abs=0.02)
    assert narration.words[0].start_s == pytest.approx(0.04, abs=0.011)
    assert narration.words[1].start_s == pytest.approx(0.44, abs=0.011)
    assert narration.words[2].end_s == pytest.approx(length_s, abs=0.001)
    assert (narration.provider, narration.voice, narration.timing) == ("fake", "someone", "exact")
    assert narration.notes == ("a note",)


@pytest.mark.parametrize("seconds", [0.0, 0.05, 30.0])
def test_a_sound_that_cannot_be_the_line_is_worth_another_try(tmp_path: Path, seconds: float) -> None:
    with pytest.raises(TransientError, match="fake gave"):
        speak_line(REQUEST, context(tmp_path), [FakeVoice(tone(seconds, rate_hz=24_000), ())])


def test_a_cancelled_run_asks_nobody(tmp_path: Path) -> None:
    stopped = CancelToken()
    stopped.cancel()

    def call(operation, providers, work):  # type: ignore[no-untyped-def]
        return work(providers[0], stopped), providers[0]

    given = Context(scratch=tmp_path, artifact=lambda digest: tmp_path / digest, call=call)
    with pytest.raises(CancelledError):
        speak_line(REQUEST, given, [FakeVoice(tone(1, rate_hz=24_000), ())])
    assert not list(tmp_path.iterdir())


def test_a_provider_that_cannot_is_asked_for_no_sound(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError):
        speak_line(REQUEST, context(tmp_path), [FakeVoice(tone(1, rate_hz=24_000), (), able=False)])
    assert not list(tmp_path.iterdir())
