"""What every speech provider looks like."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stages.base import CancelToken, Provider
from stages.models import Word


@dataclass(frozen=True)
class SpeechRequest:
    """One line to be spoken. `text` is what captions show; `voice` is a provider's name for one, or empty: its default."""

    text: str
    language: str
    voice: str
    seed: int


@dataclass(frozen=True)
class Spoken:
    """What a provider gives: a sound file that FFmpeg can read, at any rate, and when each word sounds in it.

    `words` are exactly `text.split()` of the request, their times rising. `notes` say what was not read out.
    """

    path: Path
    words: tuple[Word, ...]
    timing: Literal["exact", "aligned", "estimated"]
    voice: str
    silent: bool = False
    notes: tuple[str, ...] = ()


class SpeechProvider(Provider):
    """Speaks a line. Safe to use from several threads."""

    @abstractmethod
    def check(self, language: str, voice: str, text: str) -> None:
        """Raise `UnavailableError` when this provider cannot speak `text`. Costs nothing and calls nobody."""

    @abstractmethod
    def speak(self, request: SpeechRequest, cancel: CancelToken, folder: Path) -> Spoken:
        """Write the sound into `folder`. Raises `ProviderError` or `CancelledError`."""

    def rest(self) -> None:
        """All lines are spoken: let go of what is large. Asked again all the same, it is loaded again."""
