"""Drawings behind the text: landscapes, waves, threads, dots, stars and level lines, each anew for every seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from stages.images.cards.backdrop import Art, Canvas, Light
from stages.images.cards.palette import mix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Curve = NDArray[np.float64]

Drawing = Callable[[Canvas], Art]


def curve(canvas: Canvas, points: int, swings: float, roughness: float) -> Curve:
    """A line of hills: `points` heights in -1..1, about `swings` of them across, finer ones weighted by `roughness`."""
    at = np.linspace(0, 1, points)
    heights = np.zeros(points)
    weight, total = 1.0, 0.0
    for octave in range(4):
        count = swings * 2.1**octave
        for _ in range(2):
            phase, stretch = canvas.rng.uniform(0, 2 * np.pi), canvas.rng.uniform(0.75, 1.3)
            heights += weight * np.sin(at * count * stretch * np.pi + phase)
            total += weight
        weight *= roughness
    return heights / total


def path(xs: Curve, ys: Curve) -> str:
    """Points as SVG path data, starting with a move."""
    return "M" + " ".join(f"{x:.1f} {y:.1f}" for x, y in zip(xs, ys, strict=True))


def sheds(canvas: Canvas, *, low: bool = False) -> tuple[Light, ...]:
    """Light that every drawing shares: warm around the focus, a second glow far from it, dark where captions go."""
    x, y, radius = canvas.focus
    palette, rng = canvas.palette, canvas.rng
    side = max(canvas.width, canvas.height)
    share = 0.75 if low else 1.0
    return (
        Light(x + rng.uniform(0.0, 0.12) * side, y + rng.uniform(-0.2, 0.1) * radius, 0.52 * side, palette.warm,
              0.62 * share),
        Light(canvas.width * rng.uniform(0.85, 1.1), canvas.height * rng.uniform(-0.1, 0.1), 0.4 * side, palette.glow,
              0.5 * share),
        Light(canvas.width * rng.uniform(-0.1, 0.25), canvas.height * rng.uniform(0.75, 1.1), 0.42 * side,
              mix(palette.mid, palette.warm, 0.35), 0.55 * share),
        Light(canvas.width * rng.uniform(0.75, 1.05), canvas.height * rng.uniform(0.8, 1.1), 0.34 * side,
              palette.accents[int(rng.integers(0, 3))], 0.34 * share),
    )  # fmt: skip


def ridges(canvas: Canvas) -> Art:
    """Mountains in the haze, the nearest in the dark."""
    return _layers(canvas, roughness=0.52, swings=(3.4, 1.5), depth=6)


def waves(canvas: Canvas) -> Art:
    """Long swells with a bright crest each."""
    return _layers(canvas, roughness=0.16, swings=(2.6, 1.7), depth=6, crests=True)


def _layers(canvas: Canvas, *, roughness: float, swings: tuple[float, float], depth: int, crests: bool = False) -> Art:
    palette, width, height = canvas.palette, canvas.width, canvas.height
    horizon = height * (0.6 if not canvas.tall else 0.64)
    xs = np.linspace(-10, width + 10, 190 if roughness > 0.3 else 110)
    near = mix(palette.deep, "#000000", 0.25) if not palette.is_light else mix(palette.mid, palette.ink, 0.16)
    far = mix(palette.warm, palette.mid, 0.42)
    body = []
    for layer in range(depth):
        share = layer / (depth - 1)
        base = horizon + (height * 0.97 - horizon) * share**1.15
        swell = height * (0.075 - 0.03 * share) * (1.0 if not canvas.tall else 0.55)
        ys = base - swell * curve(canvas, len(xs), swings[0] + (swings[1] - swings[0]) * share, roughness) * 1.9
        top = mix(far, near, share**0.8)
        line = path(xs, ys)
        body.append(
            f'<linearGradient id="l{layer}" gradientUnits="userSpaceOnUse" x1="0" x2="0" y1="{ys.min():.0f}" y2="{height}">'
            f'<stop offset="0" stop-color="{mix(top, palette.glow, 0.10 * (1 - share))}"/>'
            f'<stop offset="1" stop-color="{mix(top, near, 0.55)}"/></linearGradient>'
            f'<path d="{line} L{width + 10} {height + 10} L-10 {height + 10}Z" fill="url(#l{layer})"'
            f' fill-opacity="{0.72 + 0.28 * share:.2f}"/>'
        )
        if crests:
            body.append(
                f'<path d="{line}" fill="none" stroke="{palette.glow}" stroke-opacity="{0.34 - 0.24 * share:.2f}"'
                f' stroke-width="{1.6 * canvas.unit:.2f}"/>'
            )
    x, y, radius = canvas.focus
    haze = Light(x, horizon, 0.62 * max(width, height), palette.warm, 0.75)
    sun = Light(x, min(y, horizon) - 0.1 * radius, 0.36 * max(width, height), palette.glow, 0.72)
    return Art("".join(body), (haze, sun))


def threads(canvas: Canvas) -> Art:
    """Two ribbons of fine threads that cross the picture."""
    palette, width, height = canvas.palette, canvas.width, canvas.height
    xs = np.linspace(-20, width + 20, 64)
    body = []
    centres = (0.3, 0.72) if not canvas.tall else (0.16, 0.76)
    for ribbon, centre in enumerate(centres):
        first, second = curve(canvas, len(xs), 1.6, 0.25), curve(canvas, len(xs), 2.1, 0.25)
        third = curve(canvas, len(xs), 1.3, 0.2)
        inks = (palette.accents[ribbon], palette.accents[2] if ribbon == 0 else palette.glow)
        body.append(
            f'<linearGradient id="t{ribbon}" gradientUnits="userSpaceOnUse" x1="0" x2="{width}" y1="0" y2="0">'
            f'<stop offset="0" stop-color="{inks[1]}" stop-opacity="0.10"/>'
            f'<stop offset="0.55" stop-color="{inks[0]}" stop-opacity="0.75"/>'
            f'<stop offset="1" stop-color="{inks[1]}" stop-opacity="0.9"/></linearGradient>'
        )
        count = 30
        for thread in range(count):
            share = thread / (count - 1)
            fold = np.sin(share * np.pi)
            ys = height * (centre + 0.17 * (first * (1 - share) + second * share) + 0.10 * fold * third)
            body.append(
                f'<path d="{path(xs, ys)}" fill="none" stroke="url(#t{ribbon})"'
                f' stroke-opacity="{0.18 + 0.4 * fold:.2f}"'
                f' stroke-width="{1.25 * canvas.unit:.2f}"/>'
            )
    return Art("".join(body), sheds(canvas), fine=True)


def dots(canvas: Canvas) -> Art:
    """A field of dots that swell with an unseen tide, strongest away from the text."""
    palette, unit = canvas.palette, canvas.unit
    step = 34 * unit
    columns, rows = int(canvas.width / step) + 2, int(canvas.height / step) + 2
    phase = canvas.rng.uniform(0, 2 * np.pi, 4)
    x, y, radius = canvas.focus
    body = []
    for row in range(rows):
        for column in range(columns):
            cx, cy = (column + 0.5 * (row % 2)) * step, row * step
            tide = np.sin(cx / (170 * unit) + phase[0] + 1.4 * np.sin(cy / (230 * unit) + phase[1]))
            tide += np.sin(cy / (150 * unit) + phase[2] + np.sin(cx / (310 * unit) + phase[3]))
            near = np.exp(-((np.hypot(cx - x, cy - y) / (3.1 * radius)) ** 2) * 1.6)
            size = (0.5 + 0.25 * tide) ** 1.4 * near
            if size < 0.12:
                continue
            ink = mix(palette.warm, palette.glow, min(size * 1.1, 1.0))
            body.append(
                f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="{size * 10.5 * unit:.2f}" fill="{ink}"'
                f' fill-opacity="{0.25 + 0.5 * size:.2f}"/>'
            )
    return Art("".join(body), sheds(canvas, low=True), fine=True)


def stars(canvas: Canvas) -> Art:
    """A night sky: faint dust, some bright stars, and one figure of stars joined by lines."""
    palette, unit, rng = canvas.palette, canvas.unit, canvas.rng
    ink = palette.line if not palette.is_light else palette.accents[0]
    body = []
    for _ in range(230):
        x, y = rng.uniform(0, canvas.width), rng.uniform(0, canvas.height)
        size = 0.7 + 2.0 * rng.uniform() ** 5
        body.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size * unit:.2f}" fill="{ink}"'
            f' fill-opacity="{rng.uniform(0.15, 0.75):.2f}"/>'
        )
    cx, cy, radius = canvas.focus
    turns = np.sort(rng.uniform(0, 2 * np.pi, 9))
    reach = radius * rng.uniform(1.05, 1.75, 9)
    points = [(cx + r * np.cos(t), cy + r * np.sin(t)) for r, t in zip(reach, turns, strict=True)]
    line = path(np.array([p[0] for p in points]), np.array([p[1] for p in points]))
    body.append(f'<path d="{line}" fill="none" stroke="{ink}" stroke-opacity="0.3" stroke-width="{1.4 * unit:.2f}"/>')
    for at, (x, y) in enumerate(points):
        size = (3.2 + 2.2 * (at % 3 == 0)) * unit
        body.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size * 3.2:.1f}" fill="{palette.kicker}" fill-opacity="0.12"/>'
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size:.1f}" fill="{palette.kicker}"/>'
        )
    return Art("".join(body), sheds(canvas, low=True), fine=True)


def levels(canvas: Canvas) -> Art:
    """Level lines of an unknown country."""
    palette, unit = canvas.palette, canvas.unit
    x, y, _ = canvas.focus
    angles = np.linspace(0, 2 * np.pi, 121)
    wobble = [(canvas.rng.uniform(0, 6.3), canvas.rng.uniform(0.4, 1.0)) for _ in range(5)]
    body = []
    farthest = int(max(canvas.width, canvas.height) * 1.05 / (46 * unit))
    for ring in range(2, farthest):
        drift = ring / farthest
        swing = np.zeros_like(angles)
        for order, (phase, weight) in enumerate(wobble, start=2):
            swing += weight / order * np.sin(order * angles + phase + drift * 2.4 * (order % 3 - 1))
        reach = ring * 46 * unit * (1 + (0.06 + 0.26 * drift) * swing)
        line = path(x + reach * np.cos(angles) * 1.12, y + reach * np.sin(angles))
        bold = ring % 4 == 0
        body.append(
            f'<path d="{line}Z" fill="none" stroke="{palette.glow if bold else palette.line}"'
            f' stroke-opacity="{(0.36 if bold else 0.15) * (1 - 0.55 * drift):.3f}"'
            f' stroke-width="{(1.9 if bold else 1.2) * unit:.2f}"/>'
        )
    return Art("".join(body), sheds(canvas), fine=True)


AMBIENT: dict[str, Drawing] = {
    "waves": waves,
    "levels": levels,
    "threads": threads,
    "ridges": ridges,
    "dots": dots,
    "stars": stars,
}
