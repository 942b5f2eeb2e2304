"""A picture of quite another shape than the frame: shown whole, over a blurred and darkened fill of itself."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from stages.render.sources.planes import Planes, scaled

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# The fill's longer side before it is blurred and enlarged: detail that small is no detail any more.
_FILL_SIDE = 96
_BLUR_SIGMA = 2.4
# It must not compete with the picture.
_BRIGHTNESS, _COLOURFULNESS = 0.62, 0.8
_BLACK, _GREY = 16.0, 128.0
_DITHER_SEED = 20
# A little above the middle looks like the middle, and leaves room for a caption below.
_ABOVE = 0.42


def inner_size(picture: tuple[int, int], canvas: tuple[int, int]) -> tuple[int, int]:
    """The largest even size of the whole picture inside the canvas."""
    scale = min(canvas[0] / picture[0], canvas[1] / picture[1])
    width, height = (max(2, round(side * scale / 2) * 2) for side in picture)
    return min(width, canvas[0]), min(height, canvas[1])


def over_fill(inner: Planes, canvas: tuple[int, int]) -> Planes:
    """`inner` near the middle of a canvas that its own blurred enlargement fills, at an even position."""
    fill = _fill(inner, canvas)
    width, height = inner.size
    left, top = (canvas[0] - width) // 4 * 2, round((canvas[1] - height) * _ABOVE / 2) * 2
    fill.y[top : top + height, left : left + width] = inner.y
    rows = slice(top // 2, (top + height) // 2)
    columns = slice(left // 2, (left + width) // 2)
    fill.uv[rows, columns] = inner.uv
    return fill


def _fill(inner: Planes, canvas: tuple[int, int]) -> Planes:
    import cv2
    import numpy as np

    small = scaled(inner, _shrunk(inner.size))

    def grow(plane: NDArray[np.uint8], size: tuple[int, int], zero: float, gain: float) -> NDArray[np.uint8]:
        soft = cv2.GaussianBlur(plane.astype(np.float32), (0, 0), _BLUR_SIGMA, borderType=cv2.BORDER_REPLICATE)
        toned = (_middle(np.asarray(soft, np.float32), size) - zero) * gain + zero
        large = cv2.resize(toned, size, interpolation=cv2.INTER_CUBIC)
        # Slow gradients show steps without it.
        noise = _noise(size) if large.ndim == 2 else np.repeat(_noise(size)[..., None], large.shape[2], axis=2)
        return np.asarray(cv2.add(large, noise, dtype=cv2.CV_8U), np.uint8)

    half = (canvas[0] // 2, canvas[1] // 2)
    return Planes(
        grow(small.y, canvas, _BLACK, _BRIGHTNESS),
        grow(small.uv, half, _GREY, _COLOURFULNESS),
        inner.chroma_x,
    )


@lru_cache(maxsize=4)
def _noise(size: tuple[int, int]) -> NDArray[np.float32]:
    """One step of brightness, the same for every frame."""
    import numpy as np

    return np.random.default_rng(_DITHER_SEED).random((size[1], size[0]), dtype=np.float32) - 0.5


def _shrunk(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, _FILL_SIDE / min(size))
    width, height = (max(2, round(side * scale / 2) * 2) for side in size)
    return width, height


def _middle(plane: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """The middle of a plane in the shape of `size`, so that enlarging it keeps proportions."""
    height, width = plane.shape[:2]
    wanted_w = max(1, min(width, round(height * size[0] / size[1])))
    wanted_h = max(1, min(height, round(width * size[1] / size[0])))
    left, top = (width - wanted_w) // 2, (height - wanted_h) // 2
    return plane[top : top + wanted_h, left : left + wanted_w]
