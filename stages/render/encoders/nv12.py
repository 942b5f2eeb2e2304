"""A frame's memory as encoders keep it themselves: nv12, a plane of Y, and after it one of U and V in turns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

PIX_FMT = "nv12"

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Frame:
    """A frame's memory, and its planes as views of it: Y (h, w), and UV (h/2, w/2, 2)."""

    whole: NDArray[np.uint8]
    y: NDArray[np.uint8]
    uv: NDArray[np.uint8]


def blank_frame(size: tuple[int, int]) -> Frame:
    """Memory for a frame of even width and height, not yet written to."""
    import numpy as np

    width, height = size
    return framed(np.empty(width * height * 3 // 2, np.uint8), size)


def framed(whole: NDArray[np.uint8], size: tuple[int, int]) -> Frame:
    """A frame of memory that is there already."""
    width, height = size
    luma = width * height
    return Frame(whole, whole[:luma].reshape(height, width), whole[luma:].reshape(height // 2, width // 2, 2))
