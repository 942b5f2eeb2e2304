"""Decoded pictures of clips as planes: upright, BT.709 of limited range, without combs, HDR brought down."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from stages.render.sources.hdr import TRANSFERS, to_sdr
from stages.render.sources.planes import Planes
from stages.render.sources.srgb import over

if TYPE_CHECKING:
    import numpy as np
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from numpy.typing import NDArray


def square_size(frame: VideoFrame, stream: VideoStream) -> tuple[int, int]:
    """Size in square pixels."""
    ratio = stream.sample_aspect_ratio or Fraction(1)
    return (round(frame.width * ratio), frame.height) if ratio > 0 else (frame.width, frame.height)


@dataclass(frozen=True)
class Upright:
    """What turns a stored picture upright: rows and columns change places if it is `transposed`, then it is mirrored.

    `mirrored` exchanges left and right, `flipped` top and bottom.
    """

    transposed: bool = False
    mirrored: bool = False
    flipped: bool = False

    def size(self, stored: tuple[int, int]) -> tuple[int, int]:
        """A stored size as shown, or a shown one as stored."""
        return stored[::-1] if self.transposed else stored

    def applied(self, plane: NDArray[Any]) -> NDArray[Any]:
        import numpy as np

        turned = plane.swapaxes(0, 1) if self.transposed else plane
        return np.ascontiguousarray(turned[:: -1 if self.flipped else 1, :: -1 if self.mirrored else 1])


AS_STORED = Upright()


def upright_of(frame: VideoFrame) -> Upright:
    """By the display matrix, whose first two rows and columns are (a, b) and (c, d): x' = ax + cy, y' = bx + dy."""
    from av.sidedata.sidedata import Type

    side_data: Any = frame.side_data
    matrix = side_data.get(Type.DISPLAYMATRIX)
    if matrix is None:
        return AS_STORED
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(matrix)[:36])
    # Between the four turns, the nearest one.
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Upright(False, a < 0, d < 0)
    return Upright(True, c < 0, b < 0)


def has_alpha(frame: VideoFrame) -> bool:
    """Whether its pixels may be transparent."""
    return any(component.is_alpha for component in frame.format.components) or frame.format.name == "pal8"


def small_rgba(frame: VideoFrame, size: tuple[int, int], upright: Upright) -> NDArray[np.uint8]:
    """Small and upright, with colours good enough to judge by. `size` is as shown."""
    width, height = upright.size(size)
    pixels = frame.reformat(width=width, height=height, format="rgba", threads=1).to_ndarray()
    return upright.applied(pixels)


def on_ground(frame: VideoFrame, ground: tuple[int, int, int]) -> VideoFrame:
    """The frame without transparency, over one colour."""
    from av.video.frame import VideoFrame

    pixels: NDArray[Any] = frame.reformat(format="rgba", threads=1).to_ndarray()
    opaque = VideoFrame.from_ndarray(over(pixels, ground), format="rgb24")
    opaque.pts, opaque.time_base = frame.pts, frame.time_base
    return opaque


def converted(frame: VideoFrame, size: tuple[int, int]) -> Planes:
    """Scaled to an even size, as BT.709 of limited range. What says nothing is BT.709 from 720 lines on, else BT.601."""
    import numpy as np
    from av.video.reformatter import ColorRange, Colorspace, Interpolation

    if int(frame.color_trc) in TRANSFERS:
        return _from_hdr(frame, size)
    unknown = int(frame.colorspace) in (0, 2)
    source = (Colorspace.ITU709 if frame.height >= 720 else Colorspace.ITU601) if unknown else None
    if frame.interlaced_frame:
        frame = _one_field(frame)
    shrinks = size[0] * size[1] < frame.width * frame.height / 2
    same = frame.reformat(
        width=size[0],
        height=size[1],
        format="nv12",
        src_colorspace=source,
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
        interpolation=Interpolation.AREA if shrinks else Interpolation.BICUBIC,
        threads=1,
    )
    chroma = _plane(same.planes[1], "<u2")
    return Planes(_plane(same.planes[0]), chroma.view(np.uint8).reshape(*chroma.shape, 2))


def _one_field(frame: VideoFrame) -> VideoFrame:
    """The upper half-picture of an interlaced frame: two moments at once show as combs wherever something moves."""
    import numpy as np
    from av.video.frame import VideoFrame

    # Of the usual format every second row of each plane is the field; of others, once chroma has luma's rows.
    kind = "yuv420p" if frame.format.name == "yuv420p" else "yuv422p"
    whole = frame.reformat(format=kind, threads=1)
    field = VideoFrame(whole.width // 2 * 2, whole.height // 4 * 2, kind)
    for plane, source in zip(field.planes, whole.planes, strict=True):
        padded = np.zeros((plane.height, plane.line_size), np.uint8)
        padded[:, : plane.width] = _plane(source)[::2][: plane.height, : plane.width]
        plane.update(padded.tobytes())
    field.colorspace, field.color_range = whole.colorspace, whole.color_range
    return field


def _from_hdr(frame: VideoFrame, size: tuple[int, int]) -> Planes:
    import numpy as np
    from av.video.reformatter import ColorRange, Colorspace, Interpolation

    same = frame.reformat(
        width=size[0],
        height=size[1],
        format="yuv420p10le",
        src_colorspace=Colorspace.BT2020,
        dst_colorspace=Colorspace.BT2020,
        dst_color_range=ColorRange.MPEG,
        interpolation=Interpolation.BICUBIC,
        threads=1,
    )
    y, u, v = (_plane(plane, "<u2") for plane in same.planes)
    luma, *chroma = to_sdr(y, u, v, int(frame.color_trc))
    return Planes(luma, np.stack(chroma, axis=-1))


def _plane(plane: Any, kind: str = "u1") -> NDArray[Any]:
    import numpy as np

    rows = np.frombuffer(plane, np.uint8)[: plane.height * plane.line_size].reshape(plane.height, plane.line_size)
    return np.ascontiguousarray(rows.view(kind)[:, : plane.width])


def turned(planes: Planes, upright: Upright) -> Planes:
    """The planes of a stored picture, upright."""
    if upright == AS_STORED:
        return planes
    # A quarter of a chroma pixel is let go where the sides change places; mirrored, it lies at the other end of its two.
    chroma_x = 0.5 if upright.transposed else 1.0 - planes.chroma_x if upright.mirrored else planes.chroma_x
    return Planes(upright.applied(planes.y), upright.applied(planes.uv), chroma_x)
