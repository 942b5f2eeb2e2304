"""A lighthouse, drawn once as SVG and set into a scene at any size and in any light."""

from __future__ import annotations

import io

import cv2
import numpy as np

from sample_media.making.develop import blur
from sample_media.making.noise import Grid, fbm

#: Width and height of the drawing; the tower's foot is at its bottom centre.
_WIDE, _HIGH = 300, 640


def tower_svg(scale: float, *, bands: str = "", lamp: str = "#2a2620") -> str:
    """A tapering tower with gallery, lantern and dome. `bands` colours two bands; `lamp` the panes."""
    rails = "".join(f'<rect x="{96 + i * 9}" y="150" width="2" height="24" fill="#222"/>' for i in range(13))
    panes = "".join(f'<rect x="{124 + i * 12.6:.1f}" y="86" width="2.2" height="62" fill="#1c1c1c"/>' for i in range(5))
    windows = "".join(
        f'<rect x="{152 - i}" y="{250 + i * 110}" width="13" height="24" fill="#181818"/>' for i in range(3)
    )
    band = ""
    if bands:
        for top, bottom in ((250, 340), (430, 520)):
            a, b = (_half(top), _half(bottom))
            band += f'<path d="M{150 - a} {top}H{150 + a}L{150 + b} {bottom}H{150 - b}Z" fill="{bands}"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDE * scale:.0f}" height="{_HIGH * scale:.0f}"'
        f' viewBox="0 0 {_WIDE} {_HIGH}">'
        f'<path d="M{150 - _half(186)} 186H{150 + _half(186)}L{150 + _half(640)} 640H{150 - _half(640)}Z" fill="#e9e4da"/>'
        f"{band}{windows}"
        '<path d="M92 174H208L200 190H186L178 200H122L114 190H100Z" fill="#8d8a84"/>'
        f'<rect x="92" y="148" width="116" height="3" fill="#222"/>{rails}'
        f'<rect x="122" y="84" width="56" height="90" fill="{lamp}"/><rect x="122" y="148" width="56" height="26" fill="#d8d2c6"/>'
        f'{panes}<rect x="116" y="78" width="68" height="8" rx="2" fill="#4a4642"/>'
        '<path d="M118 78C120 48 138 34 150 32C162 34 180 48 182 78Z" fill="#5c3a33"/>'
        '<circle cx="150" cy="28" r="6" fill="#5c3a33"/><rect x="149" y="2" width="2" height="26" fill="#222"/></svg>'
    )


def _half(y: float) -> float:
    """Half the tower's width at a height of the drawing."""
    return 38 + (y - 186) * 0.052 + max(0.0, y - 560) * 0.06


def draw(svg: str) -> tuple[Grid, Grid]:
    """Linear colours and coverage of a drawing."""
    import resvg_py
    from PIL import Image

    with Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True)))) as image:
        pixels = np.asarray(image.convert("RGBA"), dtype=np.float32) / 255
    return np.asarray(pixels[..., :3] ** 2.2, dtype=np.float32), np.ascontiguousarray(pixels[..., 3])


def lamp_at(foot: tuple[float, float], high_px: float) -> tuple[float, float]:
    """The middle of the lantern of a tower `high_px` high."""
    return foot[0], foot[1] - high_px * (1 - 116 / _HIGH)


def place_tower(
    light: Grid,
    foot: tuple[float, float],
    high_px: float,
    *,
    sun: Grid,
    sky: Grid,
    from_left: float,
    bands: str = "",
    lamp: Grid | None = None,
    air: Grid | None = None,
    veil: float = 0.0,
) -> None:
    """Draws a tower `high_px` high into `light`. `sun` falls from the left by `from_left` (-1..1), `sky` from all round.

    `air` is what lies between, by the share `veil`. `lamp` is the light of its panes.
    """
    drawn, alpha = draw(
        tower_svg(max(0.3, high_px * 2 / _HIGH), bands=bands, lamp="#ffffff" if lamp is not None else "#3a3630")
    )
    rows, columns = alpha.shape
    u = np.linspace(-1, 1, columns, dtype=np.float32)[None, :] * (_WIDE / 2 / 52)
    turn = np.clip(u, -1, 1)
    facing = np.clip(-turn * from_left + np.sqrt(1 - turn**2) * np.sqrt(max(0.0, 1 - from_left**2)) * 0.25, 0, 1)
    v = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    stain = fbm(np.broadcast_to(u * 3, alpha.shape), np.broadcast_to(v * 5, alpha.shape), 5)
    lit = (sky * (0.75 + 0.25 * (1 - np.abs(turn)))[..., None] + sun * facing[..., None]) * (1 + 0.16 * stain)[
        ..., None
    ]
    shown = drawn * lit
    if lamp is not None:
        panes = (v > 86 / _HIGH) & (v < 148 / _HIGH) & (np.abs(u) < 27 / 52) & (drawn[..., 0] > 0.9)
        shown = np.where(panes[..., None], lamp, shown)
    if air is not None:
        shown = shown + (air - shown) * veil
    set_in(light, (shown * alpha[..., None]).astype(np.float32), alpha, foot, high_px)


def set_in(
    light: Grid, shown: Grid, alpha: Grid, foot: tuple[float, float], high_px: float, *, below: float | None = None
) -> None:
    """Scales a premultiplied layer to its place, to parts of a pixel, and lays it over. Nothing shows under row `below`."""
    scale = high_px / alpha.shape[0]
    left, top = foot[0] - alpha.shape[1] * scale / 2, foot[1] - high_px
    x0, y0 = int(np.floor(left)), int(np.floor(top))
    size = (int(np.ceil(alpha.shape[1] * scale)) + 2, int(np.ceil(high_px)) + 2)
    move = np.array([[scale, 0, left - x0 + scale / 2 - 0.5], [0, scale, top - y0 + scale / 2 - 0.5]], dtype=np.float64)
    layer = cv2.warpAffine(blur(shown, 0.45 / scale), move, size, flags=cv2.INTER_LINEAR)
    cover = cv2.warpAffine(blur(alpha, 0.45 / scale), move, size, flags=cv2.INTER_LINEAR)
    high, wide = light.shape[:2]
    a, b = max(0, x0), min(wide, x0 + size[0])
    c, d = max(0, y0), min(high, y0 + size[1], high if below is None else round(below))
    if a >= b or c >= d:
        return
    part = (slice(c - y0, d - y0), slice(a - x0, b - x0))
    light[c:d, a:b] = light[c:d, a:b] * (1 - cover[part])[..., None] + layer[part]


def flare(light: Grid, at: tuple[float, float], size_px: float, lamp: Grid, power: float) -> None:
    """The glow of a lamp: a core, a halo, and faint spikes."""
    high, wide = light.shape[:2]
    x = (np.arange(wide, dtype=np.float32) - at[0])[None, :] / size_px
    y = (np.arange(high, dtype=np.float32) - at[1])[:, None] / size_px
    far = np.sqrt(x**2 + y**2)
    glow = np.exp(-((far / 0.16) ** 2)) * 3 + 0.10 * np.exp(-far / 0.5) + 0.03 * np.exp(-far / 2.2)
    glow = (
        glow + 0.25 * np.exp(-np.abs(y) / 0.03 - np.abs(x) / 0.8) + 0.15 * np.exp(-np.abs(x) / 0.03 - np.abs(y) / 0.5)
    )
    light += (glow * power)[..., None] * lamp
