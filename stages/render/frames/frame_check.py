"""What frames look like from afar: enough to tell a black, frozen, green or foreign picture from the one that was painted.

A decoder reports broken data, never a wrong picture: an encoder or a filter that puts out black does so flawlessly. So
the painter's frames and the decoded ones are compared, field by field of a coarse grid. What is meant to be black (a fade,
a dark picture) was painted black, and is no finding.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from stages.render.encoders.nv12 import framed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FIELDS = 8
# Samples to each side of a field: their mean is hardly moved by what an encoder takes away.
_SAMPLES = 8
# A frame seen small: Y, U and V.
_LOOK = (3, _FIELDS, _FIELDS)
# In levels of 255. Noise at a twentieth of the bits that it needs moves the mean of a field by up to 23.
_UNLIKE = 48
# What counts as black, and what is too light to have become it by encoding.
_BLACK_LUMA, _NOT_BLACK_LUMA = 20, 40
# A picture that never moves by more than the first has stopped; one that was to move by the second should not have.
_STOPPED, _MOVED = 1, 6


@dataclass
class Looks:
    """One small picture (3 planes of 8 × 8 means) for each frame."""

    seen: list[NDArray[np.uint8]] = field(default_factory=list)

    def add_raw(self, frame: memoryview, size: tuple[int, int]) -> None:
        """Look at a raw frame as it is painted."""
        import numpy as np

        planes = framed(np.frombuffer(frame, np.uint8), size)
        look = np.empty(_LOOK, np.uint8)
        _means(planes.y, look[0])
        colours = _means(planes.uv)
        look[1], look[2] = colours[..., 0], colours[..., 1]
        self.seen.append(look)

    def add_decoded(self, frame: Any) -> None:
        """Look at a decoded frame of 8-bit planes."""
        import numpy as np

        look = np.empty(_LOOK, np.uint8)
        for plane, seen in zip(frame.planes[:3], look, strict=True):
            rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
            _means(rows[: plane.height, : plane.width], seen)
        self.seen.append(look)


def strangest(painted: Looks, decoded: Looks) -> str:
    """What is wrong with the first decoded frame that is not the painted one; nothing where all are alike."""
    for number, (wanted, found) in enumerate(zip(painted.seen, decoded.seen, strict=True), start=1):
        if found[0].max() <= _BLACK_LUMA and wanted[0].max() >= _NOT_BLACK_LUMA:
            return f"frame {number} is black, and is not meant to be"
        apart = _apart(wanted, found)
        if apart > _UNLIKE:
            return f"frame {number} is not the one that was painted: a part of it is off by {apart} levels"
    if _movement(painted) >= _MOVED and _movement(decoded) <= _STOPPED:
        return "the picture stands still, and is meant to move"
    return ""


def _movement(looks: Looks) -> int:
    """How far the frame that is least like the first one is from it."""
    return max((_apart(look, looks.seen[0]) for look in looks.seen), default=0)


def _apart(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> int:
    """By how much the field that differs most does."""
    import numpy as np

    return int(np.abs(one.astype(np.int16) - other).max())


def _means(plane: Any, into: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
    import cv2

    side = _FIELDS * _SAMPLES
    # The nearest samples alone: to read every pixel would cost more and tell nothing more.
    samples = cv2.resize(plane, (side, side), interpolation=cv2.INTER_NEAREST)
    return cast("NDArray[np.uint8]", cv2.resize(samples, (_FIELDS, _FIELDS), dst=into, interpolation=cv2.INTER_AREA))


@dataclass
class Darkness:
    """Stretches of black frames, each as its first frame (from 0) and the one after its last."""

    stretches: list[tuple[int, int]] = field(default_factory=list)
    _number: int = 0

    def add_decoded(self, frame: Any) -> None:
        """Look at the next frame's light."""
        import numpy as np

        plane = frame.planes[0]
        rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
        if int(_means(rows[: plane.height, : plane.width]).max()) <= _BLACK_LUMA:
            if self.stretches and self.stretches[-1][1] == self._number:
                self.stretches[-1] = (self.stretches[-1][0], self._number + 1)
            else:
                self.stretches.append((self._number, self._number + 1))
        self._number += 1
