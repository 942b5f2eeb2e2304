"""Decoded pictures of clips as planes: upright, BT.709 of limited range, without combs, HDR brought down."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from stages.render.hdr import TRANSFERS, to_sdr
from stages.render.planes import Planes

if TYPE_CHECKING:
    import numpy as np
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from numpy.typing import NDArray


def square_size(frame: VideoFrame, stream: VideoStream) -> tuple[int, int]:
    """Size in square pixels."""
    ratio = stream.sample_aspect_ratio or Fraction(1)
    return (round(frame.width * ratio), frame.height) if ratio > 0 else (frame.width, frame.height)


def turn_of(frame: VideoFrame) -> int:
    """Clockwise quarter turns to upright; the display matrix counts degrees against the clock."""
    return round(-frame.rotation / 90) % 4


def small_rgb(frame: VideoFrame, size: tuple[int, int], turn: int) -> NDArray[np.uint8]:
    """Small and upright, with colours good enough to judge by."""
    import numpy as np

    width, height = size[::-1] if turn % 2 else size
    pixels = frame.reformat(width=width, height=height, format="rgb24", threads=1).to_ndarray()
    return np.ascontiguousarray(np.rot90(pixels, -turn), np.uint8)


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


def turned(planes: Planes, turn: int) -> Planes:
    import numpy as np

    if not turn:
        return planes
    y, uv = (np.ascontiguousarray(np.rot90(plane, -turn)) for plane in (planes.y, planes.uv))
    # A quarter of a chroma pixel is let go where the sides change places.
    return Planes(y, uv, 0.5 if turn % 2 else planes.chroma_x)
