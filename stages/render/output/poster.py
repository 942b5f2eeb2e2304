"""The poster: one frame of the film without captions, as a JPEG for players, pages and previews."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stages.render.encoders.nv12 import framed
from stages.render.frames.painter import Painter
from stages.render.sources.planes import LUMA
from stages.render.specs import SegmentSpec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_QUALITY = 93
# The spread of light (of 219 levels) below which there is nothing to see: a fade, an empty sky.
_LEAST_SPREAD = 6.0


def write_poster(candidates: Sequence[SegmentSpec], find: Callable[[str], Path], out: Path) -> None:
    """Write the first of the frames that shows something, or else the one that shows most, as an sRGB JPEG.

    `candidates` are segments of one frame. Raises BriefError for a picture that cannot be decoded, and OSError.
    """
    import numpy as np
    from PIL import Image

    best, best_spread = b"", -1.0
    for spec in candidates:
        with Painter(spec, find) as painter:
            data = bytes(next(painter.frames()))
        size = (spec.encoding.width, spec.encoding.height)
        spread = float(np.frombuffer(data, np.uint8, count=size[0] * size[1]).std())
        if spread > best_spread:
            best, best_spread = data, spread
        if best_spread >= _LEAST_SPREAD:
            break
    picture = Image.fromarray(_rgb(np.frombuffer(best, np.uint8), *size))
    picture.save(out, "JPEG", quality=_QUALITY, subsampling=0, optimize=True, progressive=True)


def _rgb(frame: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """BT.709 of limited range to sRGB: the way back of what made the planes."""
    import cv2
    import numpy as np

    planes = framed(frame, (width, height))
    y = planes.y.astype(np.float32)
    # A chroma sample stands on the left one of its two columns, and between its two rows.
    to_chroma = np.array([[0.5, 0.0, 0.0], [0.0, 0.5, -0.25]])
    u, v = cv2.split(
        cv2.warpAffine(
            planes.uv.astype(np.float32),
            to_chroma,
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
    )
    red, green, blue = LUMA
    light = (y - 16) * (255 / 219)
    from_u, from_v = (u - 128) * (255 / 224) * 2 * (1 - blue), (v - 128) * (255 / 224) * 2 * (1 - red)
    r, b = light + from_v, light + from_u
    g = (light - red * r - blue * b) / green
    rgb: NDArray[np.uint8] = np.clip(np.rint(np.stack([r, g, b], axis=-1)), 0, 255).astype(np.uint8)
    return rgb
