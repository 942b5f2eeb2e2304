"""A narration that the user spoke: taken as it is, but for silence at its ends, level and rate, as every line is.

It always wins: nobody is asked to speak a scene that has one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import BriefError
from stages.models import Narration
from stages.speech.reading import read

if TYPE_CHECKING:
    from stages.speech.sound import Samples

# A person may read much faster or slower than a voice does; beyond this it is the sound of another text, or none.
_SHORTEST_SHARE, _LONGEST_SHARE = 0.25, 6.0


@dataclass(frozen=True)
class Recording:
    """A sound file in which a scene's whole narration, `text`, is spoken."""

    path: Path
    text: str
    language: str


def take_recording(recording: Recording, folder: Path) -> tuple[Path, Narration]:
    """The line's WAV in `folder`, and its words with their times. Raises BriefError for a sound that cannot be this text's."""
    from stages.speech.sound import SAMPLE_RATE_HZ, even_level, fade_ends, write_wav
    from stages.speech.timing import estimate_words

    line = fade_ends(even_level(_spoken_part(recording)))
    words = estimate_words(read(recording.text, recording.language), line, SAMPLE_RATE_HZ)
    path = folder / "line.wav"
    samples = write_wav(path, line)
    return path, Narration(
        text=recording.text,
        words=words,
        samples=samples,
        sample_rate_hz=SAMPLE_RATE_HZ,
        provider="brief",
        timing="estimated",
    )


def check_recording(recording: Recording) -> None:
    """Raise BriefError for what `take_recording` would refuse."""
    _spoken_part(recording)


def _spoken_part(recording: Recording) -> Samples:
    from stages.sound.files import UnreadableSoundError
    from stages.speech.sound import SAMPLE_RATE_HZ, read_sound, speech_bounds, voiced
    from stages.speech.speech_stage import expected_seconds

    name = recording.path.name
    hint = "record it again, or leave `recording` away to have a voice speak the scene"
    try:
        samples = read_sound(recording.path)
    except UnreadableSoundError as error:
        raise BriefError(f"{name} is no sound that can be read: {error}", hint=hint) from error
    # A constant offset is no sound, and would keep silence from being found.
    samples = samples - samples.mean() if len(samples) else samples
    if not len(samples) or not voiced(samples, SAMPLE_RATE_HZ).any():
        raise BriefError(f"{name} is silent", hint=hint)
    start, end = speech_bounds(samples, SAMPLE_RATE_HZ)
    seconds = (end - start) / SAMPLE_RATE_HZ
    wanted = expected_seconds(recording.text, recording.language)
    if not _SHORTEST_SHARE * wanted <= seconds <= _LONGEST_SHARE * wanted:
        raise BriefError(
            f"{name} has {seconds:.1f} s of speech where its scene's text takes about {wanted:.1f} s", hint=hint
        )
    return samples[start:end]
