"""Every speech provider keeps the same promises; the last part holds what is special to one."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import subprocess
import sys
import wave
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from config.errors import CancelledError, FramekeepError, RejectedError, TransientError, UnavailableError, UsageError
from stages.base import CancelToken, Context
from stages.models import Narration
from stages.speech import voice_registry
from stages.speech.normalise.split_lines import split_lines
from stages.speech.providers import hibari_engine, hibari_provider, pico_provider
from stages.speech.reading import read
from stages.speech.sound import TARGET_LUFS, loudness, read_sound, voiced
from stages.speech.speech_provider import SpeechProvider, SpeechRequest
from stages.speech.speech_stage import expected_seconds, speak_line
from stages.speech.timing import estimate_words

LINE = "Dr. Lee paid $4.50 for 3 kg, i.e. the whole bag, at 7:30 p.m. today."
NEEDS_PICO = pytest.mark.skipif(
    importlib.util.find_spec("py_nanotts") is None, reason="py-nanotts has no wheel for macOS"
)
ALL = ["hibari", pytest.param("pico", marks=NEEDS_PICO), "text"]
SPEAKING = ALL[:2]


def speak(
    provider: SpeechProvider, folder: Path, text: str = LINE, language: str = "en", voice: str = "", seed: int = 0
) -> tuple[Path, Narration]:
    folder.mkdir(parents=True, exist_ok=True)
    context = Context(scratch=folder, artifact=lambda digest: folder / digest)
    return speak_line(SpeechRequest(text, language, voice, seed), context, [provider])


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ALL)
def test_a_line_is_48_khz_mono_16_bit_of_exactly_its_samples(name: str, tmp_path: Path) -> None:
    path, narration = speak(voice_registry.create(name), tmp_path)
    with wave.open(str(path)) as written:
        assert (written.getframerate(), written.getnchannels(), written.getsampwidth()) == (48_000, 1, 2)
        assert written.getnframes() == narration.samples
    assert (narration.text, narration.provider, narration.sample_rate_hz) == (LINE, name, 48_000)
    assert narration.silent == (name == "text")


@pytest.mark.parametrize("name", ALL)
def test_words_are_the_shown_ones_and_rise_within_the_line(name: str, tmp_path: Path) -> None:
    _, narration = speak(voice_registry.create(name), tmp_path)
    assert [word.text for word in narration.words] == LINE.split()
    times = [time for word in narration.words for time in (word.start_s, word.end_s)]
    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] <= narration.samples / 48_000
    assert all(word.end_s - word.start_s > 0.04 for word in narration.words)


@pytest.mark.parametrize("name", SPEAKING)
def test_a_line_takes_about_as_long_as_saying_it(name: str, tmp_path: Path) -> None:
    _, narration = speak(voice_registry.create(name), tmp_path)
    assert narration.samples / 48_000 == pytest.approx(expected_seconds(LINE, "en"), rel=0.4)


@pytest.mark.parametrize("name", ALL)
def test_the_same_request_gives_the_same_bytes_whatever_was_said_before(name: str, tmp_path: Path) -> None:
    provider = voice_registry.create(name)
    first, _ = speak(provider, tmp_path / "a")
    speak(provider, tmp_path / "b", "Something else was said in between.")
    again, _ = speak(provider, tmp_path / "c")
    assert digest(first) == digest(again)


@pytest.mark.parametrize("name", ALL)
def test_several_threads_do_not_disturb_each_other(name: str, tmp_path: Path) -> None:
    texts = ["First the sea rose.", "Then the wind came up.", "At last it was quiet."]

    def digests(workers: int) -> list[str]:
        with ThreadPoolExecutor(workers) as pool:
            folders = [tmp_path / f"{workers}-{number}" for number in range(len(texts))]
            return list(
                pool.map(
                    lambda text, folder: digest(speak(voice_registry.create(name), folder, text)[0]), texts, folders
                )
            )

    assert digests(1) == digests(3)


@pytest.mark.parametrize("name", ALL)
def test_nothing_is_left_to_say_once_the_run_is_stopped(name: str, tmp_path: Path) -> None:
    stopped = CancelToken()
    stopped.cancel()
    with pytest.raises(CancelledError):
        voice_registry.create(name).speak(SpeechRequest(LINE, "en", "", 0), stopped, tmp_path)


@pytest.mark.parametrize("name", ALL)
def test_identity_is_plain_text_and_names_versions(name: str) -> None:
    identity = voice_registry.create(name).identity()
    assert all(isinstance(value, str) and value for value in identity.values())
    assert identity["numpy"][0].isdigit()
    assert json.loads(json.dumps(identity)) == identity


@pytest.mark.parametrize("name", SPEAKING)
def test_lines_are_equally_loud(name: str, tmp_path: Path) -> None:
    for number, text in enumerate(("No!", LINE, "A quiet word about whispering in the hall.")):
        path, _ = speak(voice_registry.create(name), tmp_path / str(number), text)
        assert loudness(read_sound(path)) == pytest.approx(TARGET_LUFS, abs=0.7)


@pytest.mark.parametrize("name", SPEAKING)
@pytest.mark.parametrize(
    ("language", "voice", "text", "says"),
    [
        ("zh", "", "你好", "no voice for Chinese"),
        ("en", "", "你好，世界", "Chinese characters"),
        ("en", "", "Привет, мир", "Cyrillic"),
        ("en", "nobody", "Hello", "no voice 'nobody'"),
        (
            "en",
            "",
            "Der Turm steht am Hafen und ist nicht mehr für die Leute da, aber das Licht ist noch an.",
            "looks German",
        ),
    ],
)
def test_what_cannot_be_spoken_is_refused_with_a_way_out(
    name: str, language: str, voice: str, text: str, says: str
) -> None:
    with pytest.raises(UnavailableError, match=says) as refused:
        voice_registry.create(name).check(language, voice, text)
    assert refused.value.hint
    assert refused.value.provider == name


@pytest.mark.parametrize("name", SPEAKING)
def test_a_line_with_nothing_to_say_is_rejected(name: str, tmp_path: Path) -> None:
    with pytest.raises(RejectedError, match="nothing to say"):
        speak(voice_registry.create(name), tmp_path, "🎉 🎉")


@pytest.mark.parametrize("name", SPEAKING)
def test_a_missing_package_is_an_unavailable_provider(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda module: None)
    with pytest.raises(UnavailableError, match="not installed") as refused:
        voice_registry.create(name).check("en", "", "Hello")
    assert "pip install" in refused.value.hint


@pytest.mark.parametrize("name", SPEAKING)
def test_what_is_not_read_out_is_noted(name: str, tmp_path: Path) -> None:
    _, narration = speak(voice_registry.create(name), tmp_path, "Well done 🎉 my friends.")
    assert narration.notes == ("not read out: 🎉",)
    assert [word.text for word in narration.words][2] == "🎉"


# hibari


def test_hibari_tells_exact_times(tmp_path: Path) -> None:
    _, narration = speak(voice_registry.create("hibari"), tmp_path, "One, two, three.")
    assert narration.timing == "exact"
    assert narration.words[0].start_s < 0.1


PARAGRAPH = (
    "Most people never notice the sensors, yet without them, nothing would move; the gates, the lamps and the pumps all wait. "
    "When it comes, usually before dawn, the whole harbour wakes up, and by six o'clock the first boats are gone."
)


def test_hibari_times_follow_the_sound() -> None:
    reading = read(PARAGRAPH, "en")
    utterance = hibari_engine.engine("heart").speak(reading.text, 0, lambda: None)
    assert utterance.spans is not None
    speaking = voiced(utterance.samples.astype(float), utterance.rate_hz)
    onsets = [
        0.01 * at for at in np.flatnonzero(np.diff(speaking.astype(int)) > 0) if not speaking[max(at - 8, 0) : at].any()
    ]
    late = [min(abs(span.start_s - onset) for span in utterance.spans) for onset in onsets]
    assert len(late) >= 4
    assert max(late) < 0.1


def test_estimated_times_come_near_the_exact_ones() -> None:
    errors = []
    for line in split_lines(PARAGRAPH, "en"):
        reading = read(line, "en")
        utterance = hibari_engine.engine("heart").speak(reading.text, 0, lambda: None)
        assert utterance.spans is not None
        guessed = estimate_words(reading, utterance.samples.astype(float), utterance.rate_hz)
        exact = hibari_provider._exact(reading, utterance.spans)
        errors += [abs(one.start_s - other.start_s) for one, other in zip(guessed, exact, strict=True)]
    assert sum(errors) / len(errors) < 0.1


def test_hibari_estimates_when_durations_do_not_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected, _ = speak(voice_registry.create("hibari"), tmp_path / "a")
    monkeypatch.setattr(hibari_engine, "_SAMPLES_PER_UNIT", 601)
    path, narration = speak(voice_registry.create("hibari"), tmp_path / "b")
    assert narration.timing == "estimated"
    assert digest(path) == digest(expected)


def test_hibari_estimates_when_the_model_has_no_durations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected, _ = speak(voice_registry.create("hibari"), tmp_path / "a")
    hibari_engine._load.cache_clear()
    monkeypatch.setattr(hibari_engine, "_DURATIONS", "/No_such_tensor")
    try:
        path, narration = speak(voice_registry.create("hibari"), tmp_path / "b")
    finally:
        hibari_engine._load.cache_clear()
    assert narration.timing == "estimated"
    assert digest(path) == digest(expected)


def test_hibari_parts_what_is_too_long_for_it(tmp_path: Path) -> None:
    text = "and the waves " * 50
    _, narration = speak(voice_registry.create("hibari"), tmp_path, text.strip())
    assert [word.text for word in narration.words] == text.split()
    assert narration.timing == "exact"
    assert max(b.start_s - a.start_s for a, b in zip(narration.words, narration.words[1:], strict=False)) < 1.5


def test_hibari_never_downloads_a_voice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIBARI_HOME", str(tmp_path))
    with pytest.raises(UnavailableError, match="no voice 'emma'; it has: heart"):
        voice_registry.create("hibari").check("en", "emma", "Hello")


def test_asking_who_speaks_loads_no_engine() -> None:
    code = (
        "import sys; from stages.speech import voice_registry as registry; registry.default_order('en', '');"
        "registry.create('hibari').check('en', '', 'Hello'); registry.create('hibari').identity();"
        "print([m for m in ('numpy', 'onnxruntime', 'hibari', 'av', 'py_nanotts') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# pico


@NEEDS_PICO
@pytest.mark.parametrize(
    ("language", "voice", "text", "spoken_by"),
    [
        ("de", "", "Am 3. Mai kostete es 3,50 €.", "de-DE"),
        ("en-GB", "", "It was a fine day.", "en-GB"),
        ("en", "EN-gb", "It was a fine day.", "en-GB"),
        ("fr", "", "Il fait beau aujourd'hui.", "fr-FR"),
        ("es", "", "Hoy hace buen tiempo.", "es-ES"),
        ("it", "", "Oggi fa bel tempo.", "it-IT"),
    ],
)
def test_pico_has_six_voices(tmp_path: Path, language: str, voice: str, text: str, spoken_by: str) -> None:
    _, narration = speak(voice_registry.create("pico"), tmp_path, text, language, voice)
    assert (narration.voice, narration.timing) == (spoken_by, "estimated")


class StopsAtOnce(CancelToken):
    """Is cancelled as soon as somebody has something to stop."""

    def on_cancel(self, callback: Callable[[], None]) -> Callable[[], None]:
        forget = super().on_cancel(callback)
        self.cancel()
        return forget


@NEEDS_PICO
def test_stopping_the_run_stops_picos_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pico_provider, "_CHILD", "import threading; threading.Event().wait()")
    with pytest.raises(CancelledError):
        voice_registry.create("pico").speak(SpeechRequest(LINE, "en", "", 0), StopsAtOnce(), tmp_path)


@NEEDS_PICO
@pytest.mark.parametrize(
    ("child", "error", "says"),
    [
        ("import os; os._exit(3)", TransientError, "its process ended with 3"),
        ("raise ImportError('no such library')", UnavailableError, "no such library"),
        ("raise RuntimeError('bad lingware')", TransientError, "bad lingware"),
        ("pass", TransientError, "pico gave 0.0 s"),
    ],
)
def test_what_goes_wrong_in_picos_process_is_a_provider_error(
    child: str, error: type[FramekeepError], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pico_provider, "_CHILD", child)
    with pytest.raises(error, match=says):
        speak(voice_registry.create("pico"), tmp_path)


def test_what_goes_wrong_in_hibari_is_a_provider_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(voice: str) -> None:
        raise Exception("onnxruntime's own kind")

    monkeypatch.setattr(hibari_engine, "engine", breaks)
    with pytest.raises(UnavailableError, match="cannot load its voice heart: onnxruntime's own kind"):
        speak(voice_registry.create("hibari"), tmp_path)


@NEEDS_PICO
def test_a_pico_voice_of_another_language_is_refused() -> None:
    with pytest.raises(UnavailableError, match="does not speak the brief's language"):
        voice_registry.create("pico").check("en", "de-DE", "Hello")


# text


def test_silent_text_is_silence_for_as_long_as_reading_takes(tmp_path: Path) -> None:
    path, narration = speak(voice_registry.create("text"), tmp_path, "你好，世界。今天天气很好。", "zh")
    assert not read_sound(path).any()
    assert narration.samples / 48_000 == pytest.approx(3.0, abs=0.5)


# registry


@pytest.mark.parametrize(
    ("language", "voice", "order"),
    [
        ("en", "", ("hibari", "pico", "text")),
        ("en-US", "", ("hibari", "pico", "text")),
        ("en", "heart", ("hibari", "text")),
        ("en", "en-GB", ("pico", "text")),
        ("en", "nobody", ("hibari", "pico", "text")),
        ("de-AT", "", ("pico", "text")),
        ("zh", "", ()),
        ("ja", "heart", ()),
    ],
)
def test_who_is_asked_follows_language_and_voice(
    language: str, voice: str, order: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pico_provider.PicoProvider, "installed", staticmethod(lambda: True))
    assert voice_registry.default_order(language, voice) == order


def test_without_pico_german_has_nobody_and_english_still_has_hibari(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pico_provider.PicoProvider, "installed", staticmethod(lambda: False))
    assert voice_registry.default_order("de", "") == ()
    assert voice_registry.default_order("en", "") == ("hibari", "text")
    assert "pip install py-nanotts" in voice_registry.explain_missing("de", "Hallo").hint


def test_chinese_says_what_is_missing_and_what_can_be_done() -> None:
    missing = voice_registry.explain_missing("zh", "你好，世界。")
    assert isinstance(missing, FramekeepError)
    assert "No installed voice speaks Chinese (zh)" in missing.message
    assert "providers: {speech: [text]}" in missing.hint


def test_an_unknown_provider_is_wrong_use() -> None:
    with pytest.raises(UsageError, match="no speech provider 'sam'") as wrong:
        voice_registry.create("sam")
    assert "hibari, pico, ElevenLabs, text" in wrong.value.hint
    assert all(voice_registry.create(name).name == name for name in voice_registry.NAMES)
