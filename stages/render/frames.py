"""A frame's memory: yuv420p, planes Y, U, V one after the other, as the encoder takes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Frame:
    """A frame's memory, and its planes as views of it."""

    whole: NDArray[np.uint8]
    y: NDArray[np.uint8]
    u: NDArray[np.uint8]
    v: NDArray[np.uint8]


def blank_frame(size: tuple[int, int]) -> Frame:
    """Memory for a frame of even width and height, not yet written to."""
    import numpy as np

    width, height = size
    whole = np.empty(width * height * 3 // 2, np.uint8)
    luma, chroma = width * height, width * height // 4
    return Frame(
        whole,
        whole[:luma].reshape(height, width),
        whole[luma : luma + chroma].reshape(height // 2, width // 2),
        whole[luma + chroma :].reshape(height // 2, width // 2),
    )
