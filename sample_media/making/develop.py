"""From light to a picture: bloom, exposure, film curve, grading, vignette and grain."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sample_media.making.noise import Grid

Photo = NDArray[np.uint8]


@dataclass(frozen=True)
class Film:
    """How light becomes a picture. `exposure` in stops; `lift` colours the shadows; sizes are shares of the width."""

    exposure: float = 0.0
    bloom: float = 0.06
    saturation: float = 1.05
    contrast: float = 1.08
    lift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    vignette: float = 0.25
    grain: float = 0.008
    seed: int = 1


def colour(text: str) -> Grid:
    """`#rrggbb` as linear light."""
    value = np.array([int(text[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.asarray(np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4), dtype=np.float32)


def develop(light: Grid, size: tuple[int, int], film: Film) -> Photo:
    """The picture, `size` pixels, of linear light with red, green, blue in the last axis."""
    width, height = size
    light = np.clip(np.nan_to_num(light, nan=0.0, posinf=60.0), 0, 60)
    light = np.asarray(cv2.resize(light, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
    if film.bloom:
        light = light * (1 - film.bloom) + _glow(np.minimum(light, 24), width) * film.bloom
    light *= 2.0**film.exposure
    across = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    light *= (1 - film.vignette * np.clip((across**2 + down**2) / 2, 0, 1) ** 1.3)[..., None]
    grey = light @ np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
    light = np.maximum(grey[..., None] + (light - grey[..., None]) * film.saturation, 0)
    shown = _curve(light)
    shown = np.where(shown <= 0.0031308, shown * 12.92, 1.055 * np.maximum(shown, 1e-6) ** (1 / 2.4) - 0.055)
    shown = np.clip(0.5 + (shown - 0.5) * film.contrast, 0, 1)
    shown += np.array(film.lift, dtype=np.float32) * (1 - shown) ** 3
    return _grained(shown.astype(np.float32), film)


def blur(image: Grid, sigma: float) -> NDArray[np.float32]:
    """A Gaussian blur, `sigma` in pixels."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), dtype=np.float32)


def _curve(light: Grid) -> Grid:
    """A filmic shoulder: bright light fades to white in place of being cut off."""
    a, b, c, d, e = 2.51, 0.03, 2.43, 0.59, 0.14
    x = light * np.float32(0.72)
    return np.asarray(np.clip((x * (a * x + b)) / (x * (c * x + d) + e), 0, 1), dtype=np.float32)


def _glow(light: Grid, width: int) -> Grid:
    """What a lens scatters: three blurs, taken at an eighth of the size."""
    size = (max(1, light.shape[1] // 8), max(1, light.shape[0] // 8))
    small = np.asarray(cv2.resize(light, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
    total = np.zeros_like(small)
    for share, weight in ((0.004, 0.5), (0.016, 0.3), (0.06, 0.2)):
        total += blur(small, max(0.6, share * width / 8)) * weight
    return np.asarray(cv2.resize(total, (light.shape[1], light.shape[0]), interpolation=cv2.INTER_CUBIC), np.float32)


def _grained(shown: Grid, film: Film) -> Photo:
    rng = np.random.default_rng(film.seed)
    grain = rng.standard_normal(shown.shape[:2], dtype=np.float32)
    grain = blur(grain, 0.8) * 1.6
    middle = shown.mean(axis=2)
    shown = shown + (grain * film.grain * (0.35 + 1.3 * middle * (1 - middle)))[..., None]
    dither = rng.random(shown.shape[:2], dtype=np.float32)[..., None] - 0.5
    return np.asarray(np.clip(shown * 255 + 0.5 + dither * 0.8, 0, 255), dtype=np.uint8)


def over(light: Grid, layer: Grid, alpha: Grid) -> Grid:
    """`layer` laid over `light` where `alpha` is 1."""
    return light + (layer - light) * alpha[..., None]
