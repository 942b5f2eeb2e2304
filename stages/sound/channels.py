"""Two channels that are one sound: balanced cables into stereo inputs, and microphones on one side, spoil what is mixed of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples = NDArray[np.floating[Any]]

# Channels of music are alike in part: mixed, they lose 3 dB or so against the louder one. Ones that cancel each other lose more.
_CANCELLED = 10 ** (-10 / 10)
# A channel this far below the other is not connected.
_DEAD = 10 ** (-40 / 10)
# A constant beside the sound, which takes room from it and thumps where it begins; less of it does no harm.
_OFFSET = 0.005


@dataclass
class Balance:
    """What is known of two channels after `add`ing all their samples."""

    left: float = 0.0
    right: float = 0.0
    middle: float = 0.0
    _sums: tuple[float, float] = (0.0, 0.0)
    _count: int = 0

    def add(self, stereo: Samples) -> None:
        """Samples (n, 2)."""
        import numpy as np

        # A constant offset is no sound, and does not cancel out as sound does.
        sums = stereo.sum(axis=0, dtype=np.float64)
        self._sums = (self._sums[0] + float(sums[0]), self._sums[1] + float(sums[1]))
        self._count += len(stereo)
        centred = stereo.astype(np.float64) - sums / max(len(stereo), 1)
        self.left += float(np.square(centred[:, 0]).sum())
        self.right += float(np.square(centred[:, 1]).sum())
        self.middle += float(np.square(centred.mean(axis=1)).sum())

    @property
    def only(self) -> int | None:
        """The channel that stands for both: where the other is dead, or the two cancel each other out. None where both do."""
        louder, quieter = max(self.left, self.right), min(self.left, self.right)
        if louder and (quieter < louder * _DEAD or self.middle < louder * _CANCELLED):
            return int(self.right > self.left)
        return None

    @property
    def repair(self) -> Repair:
        """What makes of the two channels what they were meant to be."""
        offset = tuple(total / max(self._count, 1) for total in self._sums)
        only = self.only
        # As much power as both had together, and so as loud as they were measured.
        gain = 1.0 if only is None else math.sqrt((self.left + self.right) / (2 * max(self.left, self.right)))
        return Repair(only, (offset[0], offset[1]) if max(map(abs, offset)) > _OFFSET else (0.0, 0.0), gain)


@dataclass(frozen=True)
class Repair:
    """`only` is the channel that both loudspeakers get, with `gain`, if they get one.

    `offset` is taken from both channels before.
    """

    only: int | None = None
    offset: tuple[float, float] = (0.0, 0.0)
    gain: float = 1.0

    def of(self, stereo: NDArray[np.float32]) -> NDArray[np.float32]:
        """Samples (n, 2), repaired."""
        import numpy as np

        level = stereo - np.array(self.offset, np.float32) if any(self.offset) else stereo
        return level if self.only is None else level[:, [self.only, self.only]] * np.float32(self.gain)


AS_IT_IS = Repair()


def mixed(samples: Samples) -> Samples:
    """One channel (n,) of samples (n, channels): their middle, or the one channel that stands for both."""
    import numpy as np

    if samples.shape[1] == 1:
        return samples[:, 0]
    balance = Balance()
    balance.add(samples)
    return samples.mean(axis=1) if balance.only is None else np.ascontiguousarray(samples[:, balance.only])
