"""The last resort: nobody speaks, and the words stay on screen for as long as reading them takes."""

from __future__ import annotations

from pathlib import Path

from stages.base import CancelToken
from stages.speech.providers.voice_checks import versions
from stages.speech.reading import read
from stages.speech.speech_provider import SpeechProvider, SpeechRequest, Spoken

# Comfortable for reading; captions allow up to 20. A Chinese or Japanese character counts as three.
_CHARACTERS_PER_SECOND = 14.0
_SHORTEST_S = 1.4
_SENTENCE_S = 0.35


class TextProvider(SpeechProvider):
    """Silent text, in any language. A voice's name means nothing to it."""

    name = "text"

    def identity(self) -> dict[str, str]:
        return versions("numpy")

    def check(self, language: str, voice: str, text: str) -> None:
        """It can always."""

    def speak(self, request: SpeechRequest, cancel: CancelToken, folder: Path) -> Spoken:
        import numpy as np

        from stages.speech.sound import SAMPLE_RATE_HZ, write_wav
        from stages.speech.timing import spread_words

        cancel.check()
        seconds = reading_seconds(request.text)
        path = folder / "text.wav"
        write_wav(path, np.zeros(round(seconds * SAMPLE_RATE_HZ)))
        words = spread_words(read(request.text, request.language), 0.0, seconds)
        return Spoken(path=path, words=words, timing="estimated", voice="", silent=True)


def reading_seconds(text: str) -> float:
    """How long it takes to read a line."""
    characters = sum(3 if ord(char) > 0x2E80 else 1 for char in " ".join(text.split()))
    return max(_SHORTEST_S, characters / _CHARACTERS_PER_SECOND + _SENTENCE_S)
