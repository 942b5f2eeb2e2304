"""A true-peak limiter with look-ahead, without state: hop by hop peaks of the whole programme make one smooth gain curve.

A hop is 1 ms. Peaks are of the signal oversampled four times, as BS.1770 has it. The curve of an hour is 14 MB.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HOP = 48
# Samples that interpolation needs on either side of a block.
CONTEXT = 8
# Half the time, in hops, in which the gain goes down or up. The first is slower than a voice's pitch and adds no rasp; the
# others are for programmes of sharp peaks that cannot be made loud enough so gently.
SMOOTHNESS = (20, 6, 1)
_GATE_LU = 10.0


class Hops:
    """Peak and energy of each hop of a programme, filled block by block."""

    def __init__(self, samples: int) -> None:
        import numpy as np

        self.peaks: NDArray[np.float32] = np.zeros(-(-samples // HOP), dtype=np.float32)
        self.energy: NDArray[np.float32] = np.zeros_like(self.peaks)

    def add(self, start: int, block: NDArray[np.float32]) -> None:
        """Take in the samples from `start` (a multiple of `HOP`): `block` is (n + 2 * CONTEXT, 2) with its context around it."""
        import numpy as np

        planes = np.ascontiguousarray(block.T)
        inner = planes[:, CONTEXT : planes.shape[1] - CONTEXT]
        self._keep(self.peaks, start, true_peaks(planes).max(axis=0), np.maximum)
        self._keep(self.energy, start, np.square(inner).sum(axis=0), np.add)

    def _keep(self, into: NDArray[np.float32], start: int, values: NDArray[np.float32], reduce: np.ufunc) -> None:
        import numpy as np

        hops = -(-len(values) // HOP)
        padded = np.zeros(hops * HOP, dtype=np.float32)
        padded[: len(values)] = values
        into[start // HOP : start // HOP + hops] = reduce.reduce(padded.reshape(hops, HOP), axis=1)

    def curve(self, gain: float, ceiling: float, smooth: int = SMOOTHNESS[0]) -> NDArray[np.float32]:
        """The limiter's gain at the start of each hop and at the end of the last, for the programme turned up by `gain`.

        Between two hops' starts the gain is a straight line. It never lets a measured peak above `ceiling`.
        """
        import numpy as np

        wanted = np.minimum(1.0, ceiling / np.maximum(self.peaks * np.float32(gain), 1e-9)).astype(np.float32)
        reach = smooth + 1
        held = _sliding_min(np.pad(wanted, (reach + smooth, reach + smooth + 1), constant_values=1.0), 2 * reach + 1)
        window = np.hanning(2 * smooth + 3)[1:-1]
        window /= window.sum()
        curve = np.zeros(len(wanted) + 1, dtype=np.float32)
        for step, weight in enumerate(window):
            curve += held[step : step + len(curve)] * np.float32(weight)
        return curve

    def loudness_change_lu(self, curve: NDArray[np.float32]) -> float:
        """About how much quieter `curve` makes the programme: by energy, unweighted, with quiet hops gated out."""
        import numpy as np

        sounding = self.energy[self.energy > 0]
        if not len(sounding):
            return 0.0
        loud = self.energy > sounding.mean(dtype=np.float64) * 10 ** (-_GATE_LU / 10)
        energy = self.energy[loud].astype(np.float64)
        kept = float((energy * np.square(curve[:-1][loud].astype(np.float64))).sum() / energy.sum())
        return 10.0 * float(np.log10(max(kept, 1e-9)))


def limited(block: NDArray[np.float32], start: int, gain: float, curve: NDArray[np.float32]) -> NDArray[np.float32]:
    """`block` (n, 2), which begins at sample `start` (a multiple of `HOP`), turned up by `gain` and held down by `curve`."""
    import numpy as np

    hops = -(-len(block) // HOP)
    ends = curve[start // HOP : start // HOP + hops + 1]
    along = np.arange(HOP, dtype=np.float32) / np.float32(HOP)
    gains = (ends[:-1, None] + (ends[1:] - ends[:-1])[:, None] * along).reshape(-1)[: len(block)]
    out: NDArray[np.float32] = block * (gains * np.float32(gain))[:, None]
    return out


def true_peaks(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """For each sample of (channels, n + 2 * CONTEXT) the largest magnitude from it up to the next, interpolated four times."""
    import numpy as np

    length = planes.shape[1] - 2 * CONTEXT
    best = np.abs(planes[:, CONTEXT : CONTEXT + length])
    between, part = np.empty_like(best), np.empty_like(best)
    for taps in _phases():
        between.fill(0)
        for tap, weight in enumerate(taps, start=1):
            np.multiply(planes[:, tap : tap + length], weight, out=part)
            between += part
        np.maximum(best, np.abs(between, out=between), out=best)
    return best


@functools.cache
def _phases() -> list[NDArray[np.float32]]:
    """Filters for a quarter, a half and three quarters of a sample later: Kaiser-windowed sinc, 2 * CONTEXT taps each."""
    import numpy as np

    phases = []
    for fraction in (0.25, 0.5, 0.75):
        at = np.arange(1 - CONTEXT, CONTEXT + 1) - fraction
        taps = np.sinc(at) * np.i0(5.0 * np.sqrt(1 - np.square(at / CONTEXT))) / np.i0(5.0)
        phases.append((taps / taps.sum()).astype(np.float32))
    return phases


def _sliding_min(values: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """The minimum of every `width` neighbours, by doubling."""
    import numpy as np

    reached = 1
    while reached < width:
        step = min(reached, width - reached)
        values = np.minimum(values[:-step], values[step:])
        reached += step
    return values
