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
    seconds: float = 0.0
    cut_from_s: float | None = None

    @property
    def fault(self) -> str:
        """What of it will not be heard, in words that follow its name; empty for nothing."""
        if self.damaged_s:
            return f"is damaged at {self.damaged_s[0]:.1f} s: what cannot be decoded is left out"
        return cut_off(self.seconds, self.cut_from_s) if self.cut_from_s else ""


def cut_off(seconds: float, stated_s: float) -> str:
    """That a file ends too early, in words that follow its name."""
    return f"is cut off: it ends at {seconds:.1f} s, and says that it lasts {stated_s:.1f} s"


def listen(path: Path, until_s: float, *, whole: bool) -> Heard:
    """The first `until_s` seconds of a file; without `whole` no further than to what can be heard. Raises UnreadableSoundError."""
    import numpy as np

    file = SoundFile(path)
    heard, is_all = 0, True
    for _, piece in file.pieces():
        # A constant offset is no sound.
        heard += int(np.sqrt(np.mean(np.square(piece - piece.mean(axis=0)))) > _HEARD) * len(piece)
        if file.seconds > until_s or (heard >= _HEARD_SAMPLES and not whole):
            is_all = False
            break
    cut_from_s = file.cut_from_s if is_all else None
    return Heard(heard >= _HEARD_SAMPLES, tuple(file.damaged_s), file.seconds, cut_from_s)
