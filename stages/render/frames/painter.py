"""Painting a segment's frames: layers moved and blended, captions laid over, as raw nv12.

A frame follows from its number alone. The same segment gives the same bytes, and two slices of a scene the bytes of one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from stages.render.encoders.nv12 import Frame, blank_frame
from stages.render.frames.transitions import transition
from stages.render.motion import affine_at
from stages.render.sources.planes import LUMA, Planes, load_planes
from stages.render.sources.resample import Mover
from stages.render.specs import Layer, SegmentSpec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from stages.render.captions.art import CaptionBitmap


class _Source(Protocol):
    def at(self, frame: int) -> Planes: ...

    def close(self) -> None: ...


class _Still:
    """A picture: one canvas for every frame."""

    def __init__(self, planes: Planes) -> None:
        self._planes = planes

    def at(self, frame: int) -> Planes:
        return self._planes

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class _Overlay:
    """A caption in the frame's own terms: for each plane, its region, what stays of the frame (0..256) and what is added."""

    start: int
    end: int
    parts: tuple[tuple[tuple[slice, slice], NDArray[np.uint16], NDArray[np.uint16]], ...]


class Painter:
    """Paints one segment. `find` gives the file of a picture's digest. Raises BriefError for one that cannot be decoded."""

    def __init__(self, spec: SegmentSpec, find: Callable[[str], Path]) -> None:
        import cv2

        from stages.render.captions.art import caption_bitmaps

        # The pipeline runs segments side by side; more threads in each would only be in each other's way.
        cv2.setNumThreads(1)
        self._spec = spec
        self._size = (spec.encoding.width, spec.encoding.height)
        with contextlib.ExitStack() as stack:
            self._layers = []
            mover = Mover(self._size)
            for layer in spec.layers:
                painted = _LayerPainter(layer, self._source(layer, find), self._size, mover)
                stack.callback(painted.source.close)
                self._layers.append(painted)
            # A frame may still be on its way while the next one is painted.
            self._targets = [blank_frame(self._size) for _ in range(2)]
            self._overlays = [_overlay(bitmap) for bitmap in caption_bitmaps(spec)]
            self._picture = self._picture_painter()
            self._stack = stack.pop_all()

    def __enter__(self) -> Painter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def frames(self) -> Iterator[memoryview]:
        """All frames in order, as `Frame` lays them out in memory.

        Each stays as it is until the one after the next is asked for, and the last two as long as the painter.
        """
        for number in range(self._spec.frames):
            target = self._targets[number % len(self._targets)]
            self._picture(number, target)
            for overlay in self._overlays:
                if overlay.start <= number < overlay.end:
                    _lay(overlay, target)
            yield target.whole.data

    def _picture_painter(self) -> Callable[[int, Frame], None]:
        if len(self._layers) == 1:
            return self._layers[0].paint
        before, after = self._layers
        spec = self._spec
        both = (before.paint, after.paint)
        return transition(spec.blend, spec.frames, self._size, both, rightward=spec.right_to_left).paint

    def _source(self, layer: Layer, find: Callable[[str], Path]) -> _Source:
        path = find(layer.picture.digest)
        if layer.picture.kind == "clip":
            from stages.render.sources.clips import ClipSource

            return ClipSource(path, layer.motion, self._size, self._spec.encoding.fps)
        return _Still(load_planes(path, layer.motion, *self._size))


class _LayerPainter:
    """Moves one layer's canvas into frames."""

    def __init__(self, layer: Layer, source: _Source, size: tuple[int, int], mover: Mover) -> None:
        self.source = source
        self._mover = mover
        self._layer = layer
        self._size = size

    def paint(self, number: int, target: Frame, shift: float = 0.0) -> None:
        """Paint the layer's picture at segment frame `number`, moved to the right by `shift` pixels.

        What a moved picture leaves uncovered shows more of it, or its rim.
        """
        frame = self._layer.offset + number
        planes = self.source.at(frame)
        picture = (self._layer.picture.width, self._layer.picture.height)
        at = affine_at(self._layer.motion, frame, planes.size, self._size, picture)
        scale, x = (at.scale_x, at.scale_y), at.x - at.scale_x * shift
        room = planes.room
        self._mover.move(planes.y, target.y, scale, (x, at.y), room)
        # Where the frame's chroma samples lie (left, centred) in the canvas, whose own may lie elsewhere.
        chroma_at = ((x - planes.chroma_x) / 2, (at.scale_y * 0.5 + at.y - 0.5) / 2)
        self._mover.move(planes.uv, target.uv, scale, chroma_at, room)


def _overlay(bitmap: CaptionBitmap) -> _Overlay:
    """A caption picture as planes: premultiplied, in 256ths, so that laying it over is one multiplication a sample."""
    import numpy as np

    rgba = bitmap.rgba.astype(np.float32)
    alpha = rgba[..., 3] / 255
    rgb = rgba[..., :3] * (alpha[..., None] / 255)
    luma = rgb @ np.array(LUMA, np.float32)
    blue, red = (_left_sited((rgb[..., at] - luma) / (2 * (1 - LUMA[at]))) for at in (2, 0))
    half_alpha = _left_sited(alpha)[..., None]
    chroma = np.stack([blue, red], axis=-1) * 224 + half_alpha * 128
    parts = (
        _part(bitmap, 1, alpha, luma * 219 + alpha * 16),
        _part(bitmap, 2, np.repeat(half_alpha, 2, axis=2), chroma),
    )
    return _Overlay(bitmap.start, bitmap.end, parts)


def _part(
    bitmap: CaptionBitmap, step: int, alpha: NDArray[np.floating], level: NDArray[np.floating]
) -> tuple[tuple[slice, slice], NDArray[np.uint16], NDArray[np.uint16]]:
    import numpy as np

    height, width = alpha.shape[:2]
    x, y = bitmap.x // step, bitmap.y // step
    stays = (256 - np.rint(alpha * 256)).astype(np.uint16)
    added = np.rint(level * 256 + 128).astype(np.uint16)
    return (slice(y, y + height), slice(x, x + width)), stays, added


def _left_sited(plane: NDArray[np.floating]) -> NDArray[np.floating]:
    """At half the size, samples on every second column and between the rows."""
    import numpy as np

    rows = (plane[0::2] + plane[1::2]) / 2
    before = np.pad(rows[:, 1:-1:2], ((0, 0), (1, 0)))
    half: NDArray[np.floating] = before / 4 + rows[:, 0::2] / 2 + rows[:, 1::2] / 4
    return half


def _lay(overlay: _Overlay, target: Frame) -> None:
    import numpy as np

    planes: Sequence[NDArray[np.uint8]] = (target.y, target.uv)
    for plane, (region, stays, added) in zip(planes, overlay.parts, strict=True):
        under = plane[region]
        mixed = under * stays
        mixed += added
        mixed >>= 8
        np.copyto(under, mixed, casting="unsafe")
