"""The picture that stands in where nobody gave one: an empty frame with a sketched landscape, in the film's colours.

It has no words and shows nothing of the scene, so nobody takes it for the picture that was asked for. It needs no font, no icon and
no SVG: what made every other painter fail is the less likely to stop this one.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stages.base import CancelToken
from stages.images.picture_provider import ImageProvider, PictureRequest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Strokes are drawn this many times larger, and averaged.
_FINER = 3
_STROKE = 0.0045
_FRAME, _SKETCH = 0.55, 0.42


class PlaceholderPainter(ImageProvider):
    """The last resort for pictures. Never asked by name: it comes after everybody else."""

    name = "placeholder"
    makes_cards = True

    def identity(self) -> dict[str, str]:
        from importlib.metadata import version

        return {"pillow": version("pillow"), "numpy": version("numpy")}

    def draw(self, request: PictureRequest, cancel: CancelToken, folder: Path) -> Path:
        from PIL import Image

        pixels = render_placeholder(request)
        cancel.check()
        path = folder / "placeholder.png"
        Image.fromarray(pixels).save(path, compress_level=1)
        return path


def render_placeholder(request: PictureRequest) -> NDArray[np.uint8]:
    """The picture as uint8 (height, width, 3), sRGB. The same request gives the same pixels."""
    import numpy as np

    from stages.images.cards.palette import palette_for, rgb

    palette = palette_for(request.theme, request.brief_title)
    ground = _ground(request, np.stack([rgb(palette.deep), rgb(palette.mid), rgb(palette.warm)]))
    strokes = _strokes(request.width, request.height, request.caption_safe)[..., None]
    pixels = ground * (1 - strokes) + rgb(palette.soft) * strokes
    # Grain below one step in 255 keeps the gradient from banding.
    grain = np.random.default_rng(request.index).random((request.height, request.width, 1), dtype=np.float32) - 0.5
    return np.asarray(np.clip(pixels * 255 + grain + 0.5, 0, 255), dtype=np.uint8)


def _ground(request: PictureRequest, colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """Dark at the edges, a low light behind the sketch; mixed in OKLab."""
    import numpy as np

    from stages.images.cards.palette import from_oklab, to_oklab

    width, height = request.width, request.height
    deep, mid, warm = to_oklab(colours)
    # A ground this smooth is the same to the eye when computed at a quarter of the size.
    small = max(2, width // 4), max(2, height // 4)
    x = np.linspace(-1, 1, small[0], dtype=np.float32)[None, :] * min(1.0, width / height)
    y = np.linspace(-1, 1, small[1], dtype=np.float32)[:, None] * min(1.0, height / width)
    far = np.hypot(x, y + 0.1)[..., None]
    lab = mid + (deep - mid) * np.clip(far * 0.9, 0, 1)
    lab = lab + (warm - lab) * 0.22 * np.exp(-(far**2) * 3)
    import cv2

    return np.asarray(cv2.resize(from_oklab(lab), (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.float32)


def _strokes(width: int, height: int, caption_safe: bool) -> NDArray[np.float32]:
    """How much of each pixel the drawing covers, 0..1: corners of a frame, and in their middle a sun over two hills."""
    import numpy as np
    from PIL import Image, ImageDraw

    from stages.images.cards.safe_area import safe_bottom

    unit = min(width, height)
    picture = Image.new("L", (width * _FINER, height * _FINER), 0)
    pen = ImageDraw.Draw(picture)
    thick = max(1, round(_STROKE * unit * _FINER))

    def line(points: list[tuple[float, float]], strength: float) -> None:
        scaled = [(x * _FINER, y * _FINER) for x, y in points]
        pen.line(scaled, fill=round(255 * strength), width=thick, joint="curve")
        for x, y in (scaled[0], scaled[-1]):
            reach = thick / 2
            pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=round(255 * strength))

    margin = 0.08 * unit
    bottom = height * (1 - safe_bottom(width, height)) - 0.02 * unit if caption_safe else height - margin
    left, top, right = margin, margin, width - margin
    arm = 0.07 * unit
    for x, y, across, down in ((left, top, 1, 1), (right, top, -1, 1), (left, bottom, 1, -1), (right, bottom, -1, -1)):
        line([(x + across * arm, y), (x, y), (x, y + down * arm)], _FRAME)
    centre_x, centre_y, size = width / 2, (top + bottom) / 2, 0.24 * unit
    for points in _landscape():
        line([(centre_x + x * size, centre_y + y * size) for x, y in points], _SKETCH)
    covered = np.asarray(picture, dtype=np.float32).reshape(height, _FINER, width, _FINER)
    return np.asarray(covered.mean(axis=(1, 3)) / 255, dtype=np.float32)


def _landscape() -> list[list[tuple[float, float]]]:
    """A sun, a far hill that ends at the near one, the near hill, and the ground they stand on; x and y within -1..1."""
    import numpy as np

    around = np.linspace(0, 2 * np.pi, 73)
    sun = [(-0.42 + 0.17 * float(np.cos(a)), -0.36 + 0.17 * float(np.sin(a))) for a in around]
    near = _hill(0.34, 0.62, -0.30, -0.34, 1.0)
    far = [point for point in _hill(-0.42, 0.50, 0.08, -1.0, 0.6) if point[1] < _height(near, point[0])]
    return [sun, far, near, [(-1.0, 0.62), (1.0, 0.62)]]


def _hill(peak_x: float, width: float, peak_y: float, start: float, end: float) -> list[tuple[float, float]]:
    import numpy as np

    xs = np.linspace(start, end, 61)
    ys = 0.62 + (peak_y - 0.62) * np.exp(-(((xs - peak_x) / (0.5 * width)) ** 2))
    return [(float(x), float(y)) for x, y in zip(xs, ys, strict=True)]


def _height(hill: list[tuple[float, float]], x: float) -> float:
    import numpy as np

    xs, ys = zip(*hill, strict=True)
    return float(np.interp(x, xs, ys, left=0.62, right=0.62))
