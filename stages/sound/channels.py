"""Two channels that are one sound: balanced cables into stereo inputs, and microphones on one side, spoil what is mixed of them."""

from __future__ import annotations

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


@dataclass
class Balance:
    """What is known of two channels after `add`ing all their samples."""

    left: float = 0.0
    right: float = 0.0
    middle: float = 0.0

    def add(self, stereo: Samples) -> None:
        """Samples (n, 2)."""
        import numpy as np

        # A constant offset is no sound, and does not cancel out as sound does.
        centred = stereo.astype(np.float64) - stereo.mean(axis=0, dtype=np.float64)
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


def one_for_both(stereo: Samples, only: int | None) -> Samples:
    """Samples (n, 2) with one channel in both places; as they are for None."""
    return stereo if only is None else stereo[:, [only, only]]


def mixed(samples: Samples) -> Samples:
    """One channel (n,) of samples (n, channels): their middle, or the one channel that stands for both."""
    import numpy as np

    if samples.shape[1] == 1:
        return samples[:, 0]
    balance = Balance()
    balance.add(samples)
    return samples.mean(axis=1) if balance.only is None else np.ascontiguousarray(samples[:, balance.only])
