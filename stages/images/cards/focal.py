"""The one thing that a card's eye rests on: a sun, a planet's orbits, a flower head of dots, rings, or an icon."""

from __future__ import annotations

import math

import numpy as np

from stages.images.cards.art import Drawing
from stages.images.cards.backdrop import Art, Canvas, Light
from stages.images.cards.palette import mix


def ring_arc(cx: float, cy: float, radius: float, start_deg: float, sweep_deg: float) -> str:
    """Path data of an arc; degrees run clockwise from the top."""
    sweep_deg = min(sweep_deg, 359.9)
    first, last = math.radians(start_deg - 90), math.radians(start_deg + sweep_deg - 90)
    x1, y1 = cx + radius * math.cos(first), cy + radius * math.sin(first)
    x2, y2 = cx + radius * math.cos(last), cy + radius * math.sin(last)
    large = int(sweep_deg > 180)
    return f"M{x1:.2f} {y1:.2f}A{radius:.2f} {radius:.2f} 0 {large} 1 {x2:.2f} {y2:.2f}"


def sphere(name: str, cx: float, cy: float, radius: float, colour: str, shade: str) -> str:
    """A ball lit from the upper left."""
    return (
        f'<radialGradient id="{name}" cx="0.34" cy="0.3" r="0.78">'
        f'<stop offset="0" stop-color="{mix(colour, "#ffffff", 0.5)}"/>'
        f'<stop offset="0.4" stop-color="{colour}"/><stop offset="1" stop-color="{shade}"/></radialGradient>'
        f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="{radius:.1f}" fill="url(#{name})"/>'
    )


def sun(canvas: Canvas) -> Art:
    """A disc that melts into the haze below it, inside three fading halos."""
    x, y, radius = canvas.focus
    palette = canvas.palette
    size = radius * 0.52
    top = mix(palette.glow, "#ffffff", 0.45) if not palette.is_light else palette.accents[1]
    foot = palette.accents[0]
    halos = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size * grow:.1f}" fill="{palette.glow}" fill-opacity="{opacity}"/>'
        for grow, opacity in ((2.15, 0.05), (1.72, 0.07), (1.33, 0.10))
    )
    body = (
        f'<linearGradient id="sun" x1="0" x2="0" y1="0" y2="1"><stop offset="0.05" stop-color="{top}"/>'
        f'<stop offset="1" stop-color="{foot}"/></linearGradient>'
        f'{halos}<circle cx="{x:.1f}" cy="{y:.1f}" r="{size:.1f}" fill="url(#sun)"/>'
    )
    return Art(body, (Light(x, y, radius * 1.5, palette.glow, 0.55),))


def orbits(canvas: Canvas) -> Art:
    """A planet, its rings seen at a slant, and moons on them."""
    x, y, radius = canvas.focus
    palette, rng, unit = canvas.palette, canvas.rng, canvas.unit
    tilt = float(rng.uniform(-24, -10))
    dark = mix(palette.accents[0], palette.deep if not palette.is_light else palette.ink, 0.62)
    back, front = [], []
    for ring in range(5):
        rx = radius * (0.58 + 0.17 * ring)
        ry = rx * 0.34
        stroke = f'stroke="{palette.line}" stroke-opacity="{0.5 - 0.07 * ring:.2f}" stroke-width="{1.7 * unit:.2f}"'
        dashes = f' stroke-dasharray="{2 * unit:.1f} {9 * unit:.1f}" stroke-linecap="round"' if ring % 2 else ""
        left, right = f"{x - rx:.1f} {y:.1f}", f"{x + rx:.1f} {y:.1f}"
        arc = f"A{rx:.1f} {ry:.1f} 0 0"
        back.append(f'<path d="M{left}{arc} 1 {right}" fill="none" {stroke}{dashes}/>')
        front.append(f'<path d="M{left}{arc} 0 {right}" fill="none" {stroke}{dashes}/>')
        angle = float(rng.uniform(0.15, 0.85)) * math.pi * (1 if ring % 2 else -1)
        px, py = x + rx * math.cos(angle), y + ry * math.sin(angle)
        size = radius * float(rng.uniform(0.028, 0.062))
        ball = sphere(f"m{ring}", px, py, size, palette.accents[(ring + 1) % 3], dark)
        (front if math.sin(angle) > 0 else back).append(ball)
    planet = sphere("planet", x, y, radius * 0.42, palette.accents[0], dark)
    body = f'<g transform="rotate({tilt:.1f} {x:.1f} {y:.1f})">{"".join(back)}{planet}{"".join(front)}</g>'
    return Art(body, (Light(x, y, radius * 1.25, palette.warm, 0.6),))


def bloom(canvas: Canvas) -> Art:
    """Seeds of a sunflower: each a golden angle on from the last."""
    x, y, radius = canvas.focus
    palette = canvas.palette
    count = 420
    golden = math.pi * (3 - math.sqrt(5))
    turn = float(canvas.rng.uniform(0, 2 * math.pi))
    body = []
    for seed in range(4, count):
        share = math.sqrt(seed / count)
        angle = seed * golden + turn
        size = radius * (0.008 + 0.028 * math.sin(min(share * 1.12, 1) * math.pi) ** 0.8)
        ink = mix(palette.accents[1], palette.accents[0], min(share * 1.6, 1.0))
        ink = mix(ink, palette.accents[2], max(share * 2 - 1, 0.0))
        fade = 1.0 if share < 0.8 else 1 - (share - 0.8) * 2.6
        px, py = x + radius * 1.02 * share * math.cos(angle), y + radius * 1.02 * share * math.sin(angle)
        body.append(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="{size:.2f}" fill="{ink}" fill-opacity="{fade:.2f}"/>')
    return Art("".join(body), (Light(x, y, radius * 1.2, palette.warm, 0.55),))


def rings(canvas: Canvas) -> Art:
    """Open rings, one inside the other, turned against each other."""
    x, y, radius = canvas.focus
    palette, rng = canvas.palette, canvas.rng
    body = []
    count = 7
    wide = radius * 0.075
    for ring in range(count):
        reach = radius * (0.97 - 0.128 * ring)
        start, sweep = float(rng.uniform(0, 360)), float(rng.uniform(110, 285))
        ink = palette.accents[ring % 3]
        body.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{reach:.1f}" fill="none" stroke="{palette.line}"'
            f' stroke-opacity="0.07" stroke-width="{wide:.1f}"/>'
            f'<linearGradient id="r{ring}" gradientTransform="rotate({rng.uniform(0, 90):.0f})">'
            f'<stop stop-color="{ink}"/>'
            f'<stop offset="1" stop-color="{mix(ink, palette.glow, 0.55)}"/></linearGradient>'
            f'<path d="{ring_arc(x, y, reach, start, sweep)}" fill="none" stroke="url(#r{ring})"'
            f' stroke-width="{wide:.1f}" stroke-linecap="round"/>'
        )
    return Art("".join(body), (Light(x, y, radius * 1.25, palette.warm, 0.5),))


def eclipse(canvas: Canvas) -> Art:
    """A dark disc before a light, with its corona."""
    x, y, radius = canvas.focus
    palette = canvas.palette
    size = radius * 0.66
    dark = palette.deep if not palette.is_light else palette.warm
    body = (
        f'<radialGradient id="corona" gradientUnits="userSpaceOnUse" cx="{x:.1f}" cy="{y:.1f}" r="{size * 1.55:.1f}">'
        f'<stop offset="0.62" stop-color="{palette.glow}" stop-opacity="0.95"/>'
        f'<stop offset="0.7" stop-color="{palette.accents[1]}"'
        f' stop-opacity="0.42"/><stop offset="1" stop-color="{palette.accents[0]}" stop-opacity="0"/></radialGradient>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size * 1.55:.1f}" fill="url(#corona)"/>'
        f'<linearGradient id="disc" x1="0" x2="1" y1="0" y2="1"><stop stop-color="{dark}"/>'
        f'<stop offset="1" stop-color="{mix(dark, palette.warm, 0.45)}"/></linearGradient>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size:.1f}" fill="url(#disc)"/>'
    )
    return Art(
        body, (Light(x, y, radius * 1.7, palette.accents[0], 0.45), Light(x, y, radius * 1.1, palette.glow, 0.5))
    )


def medallion(canvas: Canvas, icon: str) -> Art:
    """An icon in a disc of glass within a scale of fine marks."""
    x, y, radius = canvas.focus
    palette, unit = canvas.palette, canvas.unit
    turn = float(canvas.rng.uniform(0, 360))
    ticks = []
    for mark in range(120):
        angle = mark * math.tau / 120
        inner, outer = radius * 0.93, radius * (0.99 if mark % 5 == 0 else 0.96)
        cos, sin = math.cos(angle), math.sin(angle)
        ticks.append(f"M{x + inner * cos:.1f} {y + inner * sin:.1f}L{x + outer * cos:.1f} {y + outer * sin:.1f}")
    size = radius * 0.80
    scale = size / 24
    first, second = palette.accents[0], palette.accents[1]
    body = (
        f'<linearGradient id="rim" x1="0" x2="1" y1="0" y2="1"><stop stop-color="{second}"/><stop offset="1"'
        f' stop-color="{first}"/></linearGradient>'
        f'<linearGradient id="glass" x1="0" x2="1" y1="0" y2="1"><stop stop-color="{palette.line}"'
        f' stop-opacity="0.20"/>'
        f'<stop offset="1" stop-color="{palette.line}" stop-opacity="0.03"/></linearGradient>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius * 0.76:.1f}" fill="{palette.deep}" fill-opacity="0.42"/>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius * 0.76:.1f}" fill="url(#glass)"/>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius * 0.76:.1f}" fill="none" stroke="{palette.line}"'
        f' stroke-opacity="0.22" stroke-width="{1.5 * unit:.2f}"/>'
        f'<path d="{ring_arc(x, y, radius * 0.84, turn, 205)}" fill="none" stroke="url(#rim)"'
        f' stroke-width="{radius * 0.034:.1f}" stroke-linecap="round"/>'
        f'<path d="{"".join(ticks)}" stroke="{palette.line}" stroke-opacity="0.4" stroke-width="{1.6 * unit:.2f}"/>'
        f'<linearGradient id="icon" gradientUnits="userSpaceOnUse" x1="2" x2="22" y1="2" y2="22">'
        f'<stop stop-color="{palette.kicker if palette.is_light else mix(second, "#ffffff", 0.35)}"/>'
        f'<stop offset="1" stop-color="{first}"/></linearGradient>'
        f'<g transform="translate({x - size / 2:.1f} {y - size / 2:.1f}) scale({scale:.4f})" fill="none"'
        f' stroke="url(#icon)" stroke-width="1.25"'
        f' stroke-linecap="round" stroke-linejoin="round">{icon}</g>'
    )
    return Art(
        body,
        (
            Light(x, y, radius * 1.35, palette.warm, 0.6),
            Light(x + np.sin(turn) * radius * 0.4, y - radius * 0.5, radius, palette.glow, 0.35),
        ),
    )


FOCAL: dict[str, Drawing] = {"orbits": orbits, "bloom": bloom, "eclipse": eclipse, "rings": rings}
