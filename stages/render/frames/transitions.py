"""How one scene gives way to the next: each frame of a transition is a closed form of its number.

Frame `number` of `frames` stands `(number + 1) / (frames + 1)` of the way, so that neither end repeats the frame beside it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from math import ceil, floor
from typing import TYPE_CHECKING

from stages.render.encoders.nv12 import Frame, blank_frame
from stages.render.specs import BlendName

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Paints a layer at a frame of the segment, moved to the right by so many pixels.
PaintLayer = Callable[[int, Frame, float], None]

_BLACK_LUMA, _NO_COLOUR = 16, 128
# While the next scene slides over it, the last one gives way by this part of the width, and loses this part of its light.
_YIELDS, _DIMS = 0.25, 0.35


class TransitionPainter(ABC):
    """Paints a transition's frames from two layers."""

    def __init__(self, frames: int, size: tuple[int, int], before: PaintLayer, after: PaintLayer) -> None:
        self._frames = frames
        self._size = size
        self._before = before
        self._after = after

    @abstractmethod
    def paint(self, number: int, target: Frame) -> None:
        """Paint frame `number` into `target`."""

    def _share(self, number: int) -> float:
        return (number + 1) / (self._frames + 1)


class Crossfade(TransitionPainter):
    """The one fades into the other."""

    def __init__(self, frames: int, size: tuple[int, int], before: PaintLayer, after: PaintLayer) -> None:
        super().__init__(frames, size, before, after)
        self._behind = blank_frame(size)

    def paint(self, number: int, target: Frame) -> None:
        import cv2

        self._before(number, target, 0.0)
        self._after(number, self._behind, 0.0)
        share = self._share(number)
        cv2.addWeighted(target.whole, 1 - share, self._behind.whole, share, 0, dst=target.whole)


class FadeThroughBlack(TransitionPainter):
    """Out to black by the middle, and in again. An odd number of frames has one black frame, an even one two."""

    def paint(self, number: int, target: Frame) -> None:
        mirrored = min(number, self._frames - 1 - number)
        light = 1 - (mirrored + 1) / ceil(self._frames / 2)
        if light <= 0:
            target.y[:] = _BLACK_LUMA
            target.uv[:] = _NO_COLOUR
            return
        paint = self._before if number == mirrored else self._after
        paint(number, target, 0.0)
        _dim(target, light)


class Slide(TransitionPainter):
    """The next scene comes in over the last, from the side where reading goes on, and slows to a stop."""

    def __init__(
        self, frames: int, size: tuple[int, int], before: PaintLayer, after: PaintLayer, *, rightward: bool
    ) -> None:
        super().__init__(frames, size, before, after)
        self._rightward = rightward
        self._behind = blank_frame(size)

    def paint(self, number: int, target: Frame) -> None:
        share = self._share(number)
        done = share * share * (3 - 2 * share)
        width = self._size[0]
        side = -1 if self._rightward else 1
        self._before(number, target, -side * _YIELDS * width * done)
        _dim(target, 1 - _DIMS * done)
        shift = side * width * (1 - done)
        self._after(number, self._behind, shift)
        _cover(self._behind.y, target.y, shift, 1, 0.0)
        # A chroma sample stands on the left one of its two pixels.
        _cover(self._behind.uv, target.uv, shift, 2, -0.5)


def transition(
    name: BlendName,
    frames: int,
    size: tuple[int, int],
    layers: tuple[PaintLayer, PaintLayer],
    *,
    rightward: bool = False,
) -> TransitionPainter:
    """The transition of that name; `rightward` is for what moves: the way that right-to-left reading goes on."""
    if name == "fade":
        return FadeThroughBlack(frames, size, *layers)
    if name == "slide":
        return Slide(frames, size, *layers, rightward=rightward)
    return Crossfade(frames, size, *layers)


def _dim(frame: Frame, light: float) -> None:
    """Towards BT.709's limited black: `light` 1 changes nothing."""
    import cv2
    import numpy as np

    levels = np.arange(256)
    for plane, black in ((frame.y, _BLACK_LUMA), (frame.uv, _NO_COLOUR)):
        table = np.clip(np.rint(black + (levels - black) * light), 0, 255).astype(np.uint8)
        cv2.LUT(plane, table, dst=plane)


def _cover(source: NDArray[np.uint8], target: NDArray[np.uint8], shift: float, step: int, left: float) -> None:
    """Lay `source`, moved by `shift` pixels, over the part of `target` that it reaches.

    The edge falls between pixels: the column it crosses gets as much of each side as lies in it. A column covers `step`
    pixels of the frame from `left` beside its own place on.
    """
    import cv2

    width = target.shape[1]
    # Where the moved picture begins (or, coming from the left, ends), in columns.
    edge = ((shift if shift >= 0 else width * step + shift) - left) / step
    whole = floor(edge)
    covered = slice(min(whole + 1, width), width) if shift >= 0 else slice(0, max(min(whole, width), 0))
    target[:, covered] = source[:, covered]
    if 0 <= whole < width:
        part = edge - whole if shift < 0 else 1 - (edge - whole)
        column = slice(whole, whole + 1)
        target[:, column] = cv2.addWeighted(target[:, column], 1 - part, source[:, column], part, 0)
