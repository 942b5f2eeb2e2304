"""English speech by hibari: a small neural voice, far faster than speech on one core, with exact word times."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

from checkpoints.digests import INSTALLED
from config.errors import FramekeepError, RejectedError, TransientError, UnavailableError
from stages.base import CancelToken
from stages.models import Word
from stages.speech.providers.voice_checks import refuse_language, refuse_text, unknown_voice, versions
from stages.speech.reading import Reading, read
from stages.speech.speech_provider import SpeechProvider, SpeechRequest, Spoken

DEFAULT_VOICE = "heart"
_PEAK = 0.9


class HibariProvider(SpeechProvider):
    """`heart` (American, female) is in the package. `emma`, `fenrir`, `fable` and `kore` count when their files are already in
    hibari's cache folder: nothing is ever downloaded here.
    """

    name = "hibari"
    languages = ("en",)

    def identity(self) -> dict[str, str]:
        """Bytes follow the numeric stack: hibari takes its transforms from SciPy where there is one, else from NumPy."""
        stack = versions("hibari-tts", "onnxruntime", "numpy", "scipy", "av", "unicode-rbnf")
        return {**stack, "machine": platform.machine(), "model": _model_digest()}

    def check(self, language: str, voice: str, text: str) -> None:
        self._require()
        refuse_language(self.name, language, self.languages)
        self._voice(voice)
        refuse_text(self.name, language, text)

    def connect(self, cancel: CancelToken, timeout_s: float) -> None:
        self._require()
        self._engine(DEFAULT_VOICE)
        self.rest()

    def speak(self, request: SpeechRequest, cancel: CancelToken, folder: Path) -> Spoken:
        self.check(request.language, request.voice, request.text)
        voice = self._voice(request.voice)
        reading = read(request.text, request.language)
        if not reading.text:
            raise RejectedError(f"hibari finds nothing to say in '{request.text}'", provider=self.name)
        cancel.check()
        from stages.speech.sound import write_wav
        from stages.speech.timing import estimate_words

        utterance = self._synthesise(voice, reading.text, request.seed, cancel)
        if not len(utterance.samples):
            raise TransientError(
                f"hibari gave no sound for '{request.text}'", provider=self.name, kind="ServiceUnavailable"
            )
        samples = utterance.samples.astype("float64")
        samples *= _PEAK / max(abs(samples).max(), 1e-6)
        path = folder / "hibari.wav"
        write_wav(path, samples, utterance.rate_hz)
        if utterance.spans is None:
            words, timing = estimate_words(reading, samples, utterance.rate_hz), "estimated"
        else:
            words, timing = _exact(reading, utterance.spans), "exact"
        return Spoken(path=path, words=words, timing=timing, voice=voice, notes=reading.notes)  # type: ignore[arg-type]

    def rest(self) -> None:
        if engines := sys.modules.get("stages.speech.providers.hibari_engine"):
            engines.unload()

    def _engine(self, voice: str) -> Any:
        try:
            from stages.speech.providers.hibari_engine import engine

            return engine(voice)  # onnxruntime's errors have no common root below Exception
        except ImportError as error:
            raise self._missing(str(error)) from error
        except Exception as error:
            raise UnavailableError(
                f"hibari cannot load its voice {voice}: {error}",
                provider=self.name,
                hint="pip install --force-reinstall hibari-tts==0.2.1",
            ) from error

    def _synthesise(self, voice: str, text: str, seed: int, cancel: CancelToken) -> Any:
        loaded = self._engine(voice)
        try:
            return loaded.speak(text, seed, cancel.check)
        except FramekeepError:
            raise
        except Exception as error:
            raise TransientError(
                f"hibari failed on '{text}': {error}", provider=self.name, kind="ServiceUnavailable"
            ) from error

    def _require(self) -> None:
        for module in ("hibari", "onnxruntime"):
            if importlib.util.find_spec(module) is None:
                raise self._missing(f"{module} is not here")

    def _missing(self, why: str) -> UnavailableError:
        return UnavailableError(
            f"hibari is not installed: {why}", provider=self.name, hint="pip install hibari-tts==0.2.1"
        )

    def _voice(self, voice: str) -> str:
        if not voice:
            return DEFAULT_VOICE
        ready = {name.lower(): name for name in _voices()}
        if voice.lower() not in ready:
            raise unknown_voice(self.name, voice, ready.values())
        return ready[voice.lower()]


def _exact(reading: Reading, spans: tuple[Any, ...]) -> tuple[Word, ...]:
    """Engine times by shown word, over the places of its spoken form in the text. What is not read out takes no time."""
    words: list[Word] = []
    position, latest = 0, 0.0
    for token in reading.tokens:
        end = position + len(token.spoken)
        own = [span for span in spans if span.start < end and span.end > position] if token.spoken else []
        start_s = max(own[0].start_s, latest) if own else latest
        latest = max(own[-1].end_s, start_s) if own else latest
        words.append(Word(text=token.shown, start_s=start_s, end_s=latest))
        position = end + 1 if token.spoken else position
    return tuple(words)


def _assets() -> Path | None:
    found = importlib.util.find_spec("hibari")
    return Path(found.origin).parent / "assets" if found and found.origin else None


@functools.lru_cache(maxsize=1)
def _model_digest() -> str:
    folder = _assets()
    model = folder / "hibari.onnx" if folder else None
    return INSTALLED.of(model) if model and model.is_file() else "absent"


@functools.lru_cache(maxsize=1)
def _voices() -> tuple[str, ...]:
    """Voices whose files are here. Read from the package's list without importing it, which would load NumPy."""
    folder = _assets()
    if folder is None or not (folder / "voices.json").is_file():
        return (DEFAULT_VOICE,)
    listed: dict[str, dict[str, Any]] = json.loads((folder / "voices.json").read_text(encoding="utf-8"))
    cache = _cache_folder()
    return tuple(name for name, facts in listed.items() if facts.get("bundled") or (cache / facts["file"]).is_file())


def _cache_folder() -> Path:
    """Where hibari keeps voices that its user has fetched."""
    if home := os.environ.get("HIBARI_HOME"):
        return Path(home)
    from platformdirs import user_cache_path

    return user_cache_path("hibari", appauthor=False, opinion=False)
