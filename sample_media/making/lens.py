"""A first-order lens seen close: rings of prisms, each showing the lamp behind it in its own slice, split into colours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sample_media.making.develop import Film, Photo, colour, develop
from sample_media.making.noise import Grid, fbm, smooth

Places = NDArray[np.intp]
_CENTRE = (0.06, 0.03)
#: Outer edges of the rings, in half widths: the bull's eye, then prisms that grow narrower outwards.
_EDGES = (
    0.20, 0.305, 0.395, 0.475, 0.548, 0.615, 0.677, 0.735, 0.79, 0.842, 0.90, 0.957, 1.012, 1.066, 1.119, 1.171, 1.222,
    1.272, 1.321, 1.37, 1.418, 1.466, 1.513, 1.56,
)  # fmt: skip
_LAMP = colour("#ffd08a")


def make(width: int, height: int) -> Photo:
    wide, high = int(width * 1.5), int(height * 1.5)
    x = (np.arange(wide, dtype=np.float32) + 0.5)[None, :] / wide * 2 - 1
    y = ((np.arange(high, dtype=np.float32) + 0.5)[:, None] / high * 2 - 1) * high / wide
    x, y = np.broadcast_arrays(x - _CENTRE[0], y - _CENTRE[1])
    far, turn = np.sqrt(x**2 + y**2).astype(np.float32), np.arctan2(y, x).astype(np.float32)
    ring = np.searchsorted(np.array(_EDGES, dtype=np.float32), far)  # 0 is the bull's eye
    inner, outer = np.array((0.0, *_EDGES, 1.9), np.float32)[ring], np.array((*_EDGES, 1.9), np.float32)[ring]
    part = (far - inner) / np.maximum(outer - inner, 1e-3)
    light = _through(x, y, far, turn, ring, part)
    light = _surface(light, x, y, far, turn, ring, part, outer - inner)
    light = _brass(light, x, y, far, turn)
    film = Film(
        exposure=0.05, bloom=0.13, contrast=1.14, saturation=1.08, lift=(0.0, 0.008, 0.022), vignette=0.5, seed=24
    )
    return develop(light, (width, height), film)


def _through(x: Grid, y: Grid, far: Grid, turn: Grid, ring: Places, part: Grid) -> Grid:
    """What each colour sees through the glass. Every prism is ground to aim at the lamp, almost exactly."""
    rng = np.random.default_rng(6)
    aim = rng.normal(0, 0.030, len(_EDGES) + 1).astype(np.float32)[ring]
    skew = rng.normal(0, 0.022, len(_EDGES) + 1).astype(np.float32)[ring]
    ripple = fbm(x * 5 + ring * 3.1, y * 5, 4) * 0.016
    spread = np.where(ring == 0, 0.95, 0.62 + 0.035 * ring).astype(np.float32)
    across, along = x / np.maximum(far, 1e-3), y / np.maximum(far, 1e-3)
    light = np.zeros((*far.shape, 3), dtype=np.float32)
    for channel, shift in enumerate((-0.021, 0.0, 0.026)):
        reach = np.where(
            ring == 0, far * 1.55 * (1 + shift * 2), (part - 0.46) * spread + aim + shift * (0.6 + far * 1.6)
        )
        u = reach * across - skew * along + ripple + np.where(ring == 0, 0.035, 0.19 + 0.05 * x)
        v = reach * along + skew * across + ripple + np.where(ring == 0, 0.0, -0.11 + 0.05 * y)
        room: Grid = _room(u.astype(np.float32), v.astype(np.float32))
        light[..., channel] = room[:, :, channel]
    return light * np.where(ring == 0, 1.0, 0.92)[..., None] * colour("#f4fff6")


def _room(u: Grid, v: Grid) -> Grid:
    """The lamp, the frame that holds it, panes of evening sky beyond."""
    flame = np.exp(-((u / 0.062) ** 2) - ((np.maximum(np.abs(v) - 0.055, 0) / 0.06) ** 2))
    mantle = np.exp(-((u / 0.15) ** 2) - ((v / 0.22) ** 2))
    halo = np.exp(-np.sqrt(u**2 + v**2) / 0.16)
    light = (
        flame[..., None] * _LAMP * 8
        + mantle[..., None] * colour("#ff9d45") * 0.8
        + halo[..., None] * colour("#ff8f3c") * 0.20
    )
    dusk = (
        colour("#1d4f7c") * 0.75
        + (colour("#f2946a") * 0.7 - colour("#1d4f7c") * 0.75) * smooth(-0.05, 0.55, v)[..., None]
    )
    sky = dusk * (0.8 + 0.4 * fbm(u * 3, v * 6, 4))[..., None]
    bars = np.maximum(
        smooth(0.035, 0.022, np.abs(np.mod(u + 0.24, 0.48) - 0.24 - 0.19)), smooth(0.022, 0.012, np.abs(v - 0.36))
    )
    sky = sky * (1 - 0.92 * bars)[..., None]
    stand = smooth(0.085, 0.07, np.abs(u)) * smooth(0.17, 0.19, v)
    sky = sky * (1 - 0.95 * stand)[..., None] + stand[..., None] * colour("#7a5526") * 0.12
    return np.asarray(sky * 0.55 + light, dtype=np.float32)


def _surface(light: Grid, x: Grid, y: Grid, far: Grid, turn: Grid, ring: Places, part: Grid, size: Grid) -> Grid:
    """What the glass adds: dark edges where prisms meet, a bright line on each bevel, reflections, dust."""
    edge = np.where(ring == 0, 1 - part, np.minimum(part, 1 - part)) * size  # the bull's eye has no inner edge
    joint = smooth(0.0055, 0.0012, edge)
    light = light * (1 - 0.82 * joint)[..., None]
    slope = np.where(ring == 0, 0.35 * far / 0.2, 0.25 + 0.55 * part)
    facing = np.cos(turn + 2.25) * slope
    window = smooth(0.34, 0.62, facing + 0.05 * fbm(x * 9, y * 9, 4)) * smooth(0.92, 0.70, facing)
    light = light + (window * 0.16)[..., None] * colour("#9cc4ec")
    back = smooth(0.42, 0.70, -facing) * 0.10
    light = light + back[..., None] * colour("#ffb478")
    bevel = (
        (ring > 0)
        * smooth(0.0052, 0.0030, np.abs(part * size - 0.0085))
        * (0.25 + 0.75 * np.clip(np.cos(turn + 2.2), 0, 1))
    )
    light = light + (bevel * 0.36)[..., None] * colour("#dff0ff")
    low = smooth(0.005, 0.003, np.abs((1 - part) * size - 0.008)) * np.clip(np.cos(turn - 0.9), 0, 1)
    light = light + (low * 0.4)[..., None] * colour("#ffcf94")
    dust = smooth(0.62, 0.95, fbm(x * 60, y * 60, 4)) * 0.035 + 0.012 * np.clip(fbm(x * 4, y * 4, 5) + 0.3, 0, 1)
    seed = smooth(0.80, 0.96, fbm(x * 34 + 3, y * 34, 2)) * 0.22
    return np.asarray(
        light + (dust + seed * smooth(0.25, 0.9, light.mean(axis=-1)))[..., None] * colour("#ffe6c4"), dtype=np.float32
    )


def _brass(light: Grid, x: Grid, y: Grid, far: Grid, turn: Grid) -> Grid:
    """The frame: four spokes that hold the rings from the third on, and a hoop outside."""
    for angle in (0.38, 0.38 + np.pi / 2, 0.38 + np.pi, 0.38 - np.pi / 2):
        off = -x * np.sin(angle) + y * np.cos(angle)
        on = x * np.cos(angle) + y * np.sin(angle)
        half = 0.0115
        bar = smooth(half, half - 0.0025, np.abs(off)) * smooth(0.395, 0.400, on)
        shadow = smooth(0.045, 0.005, np.abs(off - 0.010)) * smooth(0.38, 0.42, on)
        light = light * (1 - 0.5 * shadow)[..., None]
        light = _metal(light, bar, off / half, angle, x, y)
    hoop = (far - 1.010) / 0.022
    light = light * (1 - 0.5 * smooth(2.4, 0.6, np.abs(hoop)))[..., None]
    light = _metal(light, smooth(1.0, 0.9, np.abs(hoop)), hoop, turn, x, y)
    screws = np.zeros_like(far)
    for angle in np.arange(16) * np.pi / 8 + 0.18:
        screws = np.maximum(
            screws, smooth(0.0115, 0.0095, np.hypot(x - 1.010 * np.cos(angle), y - 1.010 * np.sin(angle)))
        )
    return np.asarray(
        light * (1 - 0.55 * screws)[..., None] + (screws * 0.05)[..., None] * colour("#ffd890"), dtype=np.float32
    )


def _metal(light: Grid, cover: Grid, across: Grid, angle: Grid | float, x: Grid, y: Grid) -> Grid:
    """A round brass bar: bright along the side that looks at the window, warm along the side of the lamp."""
    across = np.clip(across, -1, 1)
    scratch = 1 + 0.25 * fbm(x * 50, y * 50, 3)
    tone = 0.07 + 0.8 * np.exp(-(((across + 0.42) / 0.20) ** 2)) + 0.30 * np.exp(-(((across - 0.62) / 0.15) ** 2))
    lit = (tone * scratch * (0.6 + 0.4 * np.cos(np.asarray(angle) * 2 + 0.7)))[..., None] * colour("#d9a348")
    return np.asarray(light + (lit - light) * cover[..., None], dtype=np.float32)
