"""The speech stage: a provider speaks the line, and what it gives is made like every other line.

Whoever spoke, a line comes out as 48 kHz mono 16-bit WAV, without silence at its ends, at one loudness.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import TransientError
from stages.base import CancelToken, Context
from stages.models import Narration, Word
from stages.speech.reading import read
from stages.speech.speech_provider import SpeechProvider, SpeechRequest, Spoken

if TYPE_CHECKING:
    from stages.speech.sound import Samples

# Letters a second of an unhurried voice; what a line takes lies within these factors of it, or the sound is broken.
_LETTERS_PER_SECOND = 13.0
_PAUSE_S = 0.3
_SHORTEST_SHARE, _LONGEST_SHARE = 0.2, 5.0
_NAMED_CHARS = 80


@dataclass(frozen=True)
class _SpokenLine:
    samples: Samples
    words: tuple[Word, ...]
    spoken: Spoken


def speak_line(request: SpeechRequest, context: Context, providers: Sequence[SpeechProvider]) -> tuple[Path, Narration]:
    """The line's WAV in the step's scratch folder, and its words with their times. Raises `ProviderError`."""
    from stages.speech.sound import SAMPLE_RATE_HZ, write_wav

    def work(provider: SpeechProvider, cancel: CancelToken) -> _SpokenLine:
        cancel.check()
        provider.check(request.language, request.voice, request.text)
        spoken = provider.speak(request, cancel, context.scratch)
        cancel.check()
        return _finish(request, spoken, provider.name)

    line, provider = context.call("speak", providers, work)
    path = context.scratch / "line.wav"
    samples = write_wav(path, line.samples)
    return path, Narration(
        text=request.text,
        words=line.words,
        samples=samples,
        sample_rate_hz=SAMPLE_RATE_HZ,
        provider=provider.name,
        voice=line.spoken.voice,
        silent=line.spoken.silent,
        timing=line.spoken.timing,
        notes=line.spoken.notes,
    )


def expected_seconds(text: str, language: str) -> float:
    """About how long a voice takes for a line."""
    said = read(text, language).text or text
    letters = sum(3 if ord(char) > 0x2E80 else 1 for char in said)
    return letters / _LETTERS_PER_SECOND + _PAUSE_S


def _finish(request: SpeechRequest, spoken: Spoken, provider: str) -> _SpokenLine:
    """Trimmed, levelled, its words moved by what was cut. Raises `TransientError` for what cannot be a spoken line."""
    from stages.speech import sound

    try:
        samples = sound.read_sound(spoken.path)
    except sound.UnreadableSoundError as error:
        raise TransientError(
            f"{provider} gave no readable sound for '{_shortened(request.text)}': {error}",
            provider=provider,
            kind="ServiceUnavailable",
        ) from error
    if spoken.silent:
        return _SpokenLine(samples, _within(spoken.words, 0.0, len(samples) / sound.SAMPLE_RATE_HZ), spoken)
    start, end = sound.speech_bounds(samples, sound.SAMPLE_RATE_HZ)
    seconds = (end - start) / sound.SAMPLE_RATE_HZ
    wanted = expected_seconds(request.text, request.language)
    if not _SHORTEST_SHARE * wanted <= seconds <= _LONGEST_SHARE * wanted:
        raise TransientError(
            f"{provider} gave {seconds:.1f} s of speech where about {wanted:.1f} s belong: '{_shortened(request.text)}'",
            provider=provider,
            hint="the sound is not used; try another provider or voice",
            kind="ServiceUnavailable",
        )
    line = sound.fade_ends(sound.even_level(samples[start:end]))
    return _SpokenLine(line, _within(spoken.words, start / sound.SAMPLE_RATE_HZ, seconds), spoken)


def _shortened(text: str) -> str:
    """A line as a message names it."""
    return text if len(text) <= _NAMED_CHARS else text[: _NAMED_CHARS - 1] + "…"


def _within(words: Sequence[Word], cut_s: float, length_s: float) -> tuple[Word, ...]:
    """Words on the trimmed line's clock, rising and inside it."""
    moved, latest = [], 0.0
    for word in words:
        start = min(max(word.start_s - cut_s, latest), length_s)
        latest = min(max(word.end_s - cut_s, start), length_s)
        moved.append(Word(text=word.text, start_s=round(start, 4), end_s=round(latest, 4)))
    return tuple(moved)
