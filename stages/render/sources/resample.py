"""Moving a plane into a frame: bilinear, at any scale and to any fraction of a sample.

OpenCV's `warpAffine` can begin anywhere, its `resize` only on a whole sample, but that one takes two fifths of the time. So
`resize` paints a few columns and rows more than the frame has, and the frame is cut out of them: of all the cuts there is nearly
always one that falls where the frame is to begin. A scale that repeats itself after few samples (2, 2.2, 2.25) has no such cut;
then the slow way is taken.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# How many cuts there are to choose from on each axis.
_CUTS = 64
# In samples of the frame: a cut that is off by less is good enough to look no further, one off by more is none. Nobody sees a
# move that is off by a thirtieth; on the average it is a third of that.
_NEAR, _OFF = 0.012, 0.03
# Samples that a plane has on its left and above it for the columns and rows that are cut off: those of the longest move.
ROOM = 122


class Mover:
    """Moves planes into frames of one size. Not for several threads at once."""

    def __init__(self, size: tuple[int, int]) -> None:
        import numpy as np

        width, height = size
        # For a plane of the frame's size, or of half of it and two channels.
        samples = max((width + _CUTS) * (height + _CUTS), 2 * (width // 2 + _CUTS) * (height // 2 + _CUTS))
        self._memory = np.empty(samples, np.uint8)

    def move(
        self,
        source: NDArray[np.uint8],
        target: NDArray[np.uint8],
        scale: tuple[float, float],
        at: tuple[float, float],
        room: int = 0,
    ) -> None:
        """Paint `target`: its sample (i, j) shows the source at (`scale`·(i, j) + `at`), and beyond its rims the rim.

        Both have the same channels, or none. The first `room` columns and rows of `source` repeat its rim and are not counted
        in `at`.
        """
        import cv2
        import numpy as np

        plane = source[room:, room:]
        height, width = target.shape[:2]
        x, y = at
        inside = 0 <= x <= plane.shape[1] - width and 0 <= y <= plane.shape[0] - height
        if inside and scale == (1.0, 1.0) and x == int(x) and y == int(y):
            np.copyto(target, plane[int(y) : int(y) + height, int(x) : int(x) + width])
            return
        if not self._cut_out(source, target, scale, (x + room, y + room)):
            cv2.warpAffine(
                plane,
                np.array([[scale[0], 0.0, x], [0.0, scale[1], y]]),
                (width, height),
                dst=target,
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REPLICATE,
            )

    def _cut_out(
        self, source: NDArray[np.uint8], target: NDArray[np.uint8], scale: tuple[float, float], at: tuple[float, float]
    ) -> bool:
        """Do it by `resize`, if that can be done."""
        import cv2
        import numpy as np

        across = _cut(scale[0], at[0], target.shape[1], source.shape[1])
        down = _cut(scale[1], at[1], target.shape[0], source.shape[0])
        if across is None or down is None:
            return False
        (left, columns, from_x, to_x), (top, rows, from_y, to_y) = across, down
        shape = (rows, columns, *source.shape[2:])
        painted = self._memory[: prod(shape)].reshape(shape)
        # Without a size the scale is taken as it is, and not made to fit one.
        cv2.resize(
            source[from_y:to_y, from_x:to_x],
            None,
            dst=painted,
            fx=1 / scale[0],
            fy=1 / scale[1],
            interpolation=cv2.INTER_LINEAR,
        )
        np.copyto(target, painted[top:, left:])
        return True


def _cut(scale: float, at: float, length: int, available: int) -> tuple[int, int, int, int] | None:
    """For one axis: samples that are cut off, samples painted, and the source's first one and the one after its last.

    None where no cut is near enough to `at`, or the source does not reach as far.
    """
    # `resize` shows the middle of the first painted sample at (scale - 1) / 2.
    begins = at - (scale - 1) / 2
    cut = first = 0
    least = _OFF * scale
    for samples in range(_CUTS):
        place = begins - samples * scale
        whole = round(place)
        if whole < 0:
            break
        if (off := abs(place - whole)) < least:
            cut, first, least = samples, whole, off
            if off < _NEAR * scale:
                break
    if least == _OFF * scale:
        return None
    painted = length + cut
    # The most that still rounds to as many samples: what lies beyond the last one belongs to it.
    given = min(int((painted + 0.49) * scale), available - first)
    # Of the last sample both neighbours must be there.
    if given < (painted - 0.5) * scale + 0.5:
        return None
    return cut, painted, first, first + given
