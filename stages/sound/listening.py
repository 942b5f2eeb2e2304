"""Whether there is anything to be heard in a file, and where it is damaged: looked for before the work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stages.sound.files import SAMPLE_RATE_HZ, SoundFile

# What stays below -60 dBFS is noise, and so is what rises above it for less than this.
_HEARD, _HEARD_SAMPLES = 1e-3, SAMPLE_RATE_HZ // 5


@dataclass(frozen=True)
class Heard:
    """What a file turned out to hold as far as it was listened to."""

    is_audible: bool
    damaged_s: tuple[float, ...]


def listen(path: Path, until_s: float, *, whole: bool) -> Heard:
    """The first `until_s` seconds of a file; without `whole` no further than to what can be heard. Raises UnreadableSoundError."""
    import numpy as np

    file = SoundFile(path)
    heard = 0
    for _, piece in file.pieces():
        # A constant offset is no sound.
        heard += int(np.sqrt(np.mean(np.square(piece - piece.mean(axis=0)))) > _HEARD) * len(piece)
        if file.seconds > until_s or (heard >= _HEARD_SAMPLES and not whole):
            break
    return Heard(heard >= _HEARD_SAMPLES, tuple(file.damaged_s))
