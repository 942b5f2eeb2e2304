"""The ground that a card is drawn on: light, shade and grain as float pixels, so that no gradient shows steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stages.images.cards.palette import Palette, from_oklab, luminance, rgb, to_oklab

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.float32]

# Gradients have no detail: they are mixed at this fraction of the size and scaled up.
_COARSE = 8
_VEIL_REACH = 0.34
_HUSH_REACH = 0.13
# A lone bright star between two letters is no reason to darken half of the picture.
_WORST = 0.998
# Enough to hide the steps of 8 bits without costing an encoder much.
_GRAIN = 1.5 / 255


@dataclass(frozen=True)
class Light:
    """A soft glow: centre and radius in pixels, its `strength` 0..1 at the centre."""

    x: float
    y: float
    radius: float
    colour: str
    strength: float = 1.0


@dataclass(frozen=True)
class Canvas:
    """What drawings are made for. `focus` is (x, y, radius) of the picture's main thing, in pixels."""

    width: int
    height: int
    palette: Palette
    rng: np.random.Generator
    focus: tuple[float, float, float]

    @property
    def unit(self) -> float:
        """One pixel of a picture whose short side is 1080."""
        return min(self.width, self.height) / 1080

    @property
    def tall(self) -> bool:
        """Whether text and drawing are stacked rather than side by side."""
        return self.width < self.height * 1.2


@dataclass(frozen=True)
class Art:
    """A drawing: SVG elements, and the light that it sheds on the ground before they are drawn.

    A `fine` one is of thin lines or dots, which must not run through letters.
    """

    body: str = ""
    lights: tuple[Light, ...] = ()
    fine: bool = False


def ground(canvas: Canvas, lights: Sequence[Light]) -> Pixels:
    """The lit ground: float32 (height, width, 3), sRGB 0..1."""
    import cv2

    rows, columns = -(-canvas.height // _COARSE) + 2, -(-canvas.width // _COARSE) + 2
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32) * _COARSE - _COARSE / 2
    palette, rng = canvas.palette, canvas.rng
    turn = rng.uniform(-0.5, 0.5)
    slope = (x / canvas.width - 0.5) * np.sin(turn) + (y / canvas.height - 0.5) * np.cos(turn) + 0.5
    slope = slope + 0.05 * np.sin(x / canvas.width * 5 + rng.uniform(0, 6))
    lab = _mix_lab(
        to_oklab(rgb(palette.deep)), to_oklab(rgb(palette.mid)), _smooth(1 - np.clip(slope, 0, 1))[..., None]
    )
    for light in lights:
        distance = np.hypot(x - light.x, y - light.y) / light.radius
        weight = (light.strength * np.exp(-(distance**2) * 2.2))[..., None]
        lab = _mix_lab(lab, to_oklab(rgb(light.colour)), weight)
    coarse = from_oklab(lab)
    size = (columns * _COARSE, rows * _COARSE)
    full = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(full[_COARSE : _COARSE + canvas.height, _COARSE : _COARSE + canvas.width])


def lay_over(pixels: Pixels, layer: NDArray[np.uint8]) -> None:
    """Blend an RGBA layer of the same size (straight alpha) into `pixels` in place."""
    drawn = np.flatnonzero(layer[..., 3].any(axis=1))
    if drawn.size == 0:
        return
    first, last = int(drawn[0]), int(drawn[-1]) + 1
    layer = layer[first:last]
    target = pixels[first:last]
    alpha = layer[..., 3:].astype(np.float32) * np.float32(1 / 255)
    target += (layer[..., :3].astype(np.float32) * np.float32(1 / 255) - target) * alpha


@dataclass(frozen=True)
class Patch:
    """A box of text, in pixels, and the colour that it is set in."""

    left: float
    top: float
    right: float
    bottom: float
    fill: str


def calm(pixels: Pixels, patches: Sequence[Patch], palette: Palette, *, wanted: float) -> None:
    """Draw the ground under text towards the palette's `deep`, as far as every patch needs to reach the contrast.

    Works in place; the veil has soft edges and is no stronger than the worst patch asks for.
    """
    import cv2

    if not patches:
        return
    height, width = pixels.shape[:2]
    rows, columns = -(-height // _COARSE), -(-width // _COARSE)
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32) * _COARSE + _COARSE / 2
    deep = rgb(palette.deep)
    veil = np.zeros((rows, columns), dtype=np.float32)
    for patch in patches:
        needed = _needed(pixels, patch, deep, wanted)
        if needed:
            veil = np.maximum(veil, _around(x, y, patch, _VEIL_REACH * min(width, height)) * needed)
    if not veil.any():
        return
    sigma = _VEIL_REACH * min(width, height) / _COARSE / 6
    soft = np.asarray(cv2.GaussianBlur(veil, (0, 0), sigmaX=sigma), dtype=np.float32)
    pixels += (deep - pixels) * _enlarged(soft, width, height)


def hush(layer: NDArray[np.uint8], patches: Sequence[Patch], *, share: float) -> None:
    """Fade a drawing (RGBA, in place) by up to `share` behind text: its lines must not run through the letters."""
    height, width = layer.shape[:2]
    rows, columns = -(-height // _COARSE), -(-width // _COARSE)
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32) * _COARSE + _COARSE / 2
    mask = np.zeros((rows, columns), dtype=np.float32)
    for patch in patches:
        mask = np.maximum(mask, _around(x, y, patch, _HUSH_REACH * min(width, height)))
    keep = 1 - share * _enlarged(mask, width, height)[..., 0]
    layer[..., 3] = (layer[..., 3] * keep + np.float32(0.5)).astype(np.uint8)


def _around(x: Pixels, y: Pixels, patch: Patch, reach: float) -> Pixels:
    """1 on the patch, falling softly to 0 at `reach` pixels from it."""
    away = np.hypot(_outside(x, patch.left, patch.right), _outside(y, patch.top, patch.bottom))
    return _smooth(np.clip(1 - away / reach, 0, 1).astype(np.float32))


def _enlarged(mask: Pixels, width: int, height: int) -> Pixels:
    import cv2

    size = (mask.shape[1] * _COARSE, mask.shape[0] * _COARSE)
    full = cv2.resize(mask, size, interpolation=cv2.INTER_LINEAR)[:height, :width, None]
    return np.asarray(np.clip(full, 0, 1), dtype=np.float32)


def _needed(pixels: Pixels, patch: Patch, deep: Pixels, wanted: float) -> float:
    """How much of `deep` the patch needs, 0..1, so that its worst spot reaches the wanted contrast."""
    rows = slice(max(int(patch.top), 0), max(int(patch.bottom), 1), 3)
    columns = slice(max(int(patch.left), 0), max(int(patch.right), 1), 3)
    spot = pixels[rows, columns].reshape(-1, 3)
    if spot.size == 0:
        return 0.0
    text = float(luminance(patch.fill))
    for strength in np.arange(0.0, 1.0, 0.04):
        light = np.asarray(luminance(spot + (deep - spot) * np.float32(strength)))
        worst = float(np.quantile(light, _WORST if text > luminance_of(deep) else 1 - _WORST))
        if (max(text, worst) + 0.05) / (min(text, worst) + 0.05) >= wanted:
            # The blur rounds the veil off towards its edge.
            return min(float(strength) * 1.12, 1.0)
    return 1.0


def luminance_of(colour: Pixels) -> float:
    """Relative luminance of one colour given as three floats."""
    return float(luminance(colour))


def finish(pixels: Pixels, seed: int) -> NDArray[np.uint8]:
    """Grain over everything, and 8 bits: uint8 (height, width, 3)."""
    rng = np.random.default_rng(seed)
    grain = rng.standard_normal(pixels.shape[:2], dtype=np.float32)[..., None] * np.float32(_GRAIN)
    return np.asarray(np.clip((pixels + grain) * 255 + 0.5, 0, 255), dtype=np.uint8)


def _outside(values: Pixels, low: float, high: float) -> Pixels:
    return np.asarray(np.maximum(np.maximum(low - values, values - high), 0), dtype=np.float32)


def _smooth(values: Pixels) -> Pixels:
    return np.asarray(values * values * (3 - 2 * values), dtype=np.float32)


def _mix_lab(first: Pixels, second: Pixels, share: Pixels) -> Pixels:
    return np.asarray(first + (second - first) * share, dtype=np.float32)
