"""Colours of cards: named palettes, and one chosen from a title for `auto`.

Mixing happens in OKLab, where it stays clean.
"""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stages.images.cards.themes import check_theme

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Colours = NDArray[np.float32]

_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_FROM_LMS = np.linalg.inv(_TO_LMS)
_FROM_LAB = np.linalg.inv(_TO_LAB)


@dataclass(frozen=True)
class Palette:
    """Colours as `#rrggbb`. `deep` lies under text, `mid`, `warm` and `glow` rise to the light; `ink` and `soft` are
    text, `kicker` small text; `accents` are for drawing."""

    name: str
    deep: str
    mid: str
    warm: str
    glow: str
    ink: str
    soft: str
    kicker: str
    accents: tuple[str, str, str]

    @property
    def is_light(self) -> bool:
        """Whether text is darker than its ground."""
        return bool(luminance(self.deep) > luminance(self.ink))

    @property
    def line(self) -> str:
        """Colour of hairlines and glass over the ground."""
        return self.ink if self.is_light else "#ffffff"


_DARK_INK = "#ffffff"

PALETTES: dict[str, Palette] = {
    palette.name: palette
    for palette in (
        Palette("ocean", "#03223c", "#075178", "#1a9cb0", "#b5efdf", _DARK_INK, "#d9eef3", "#ffd9a0",
                ("#ff7d6b", "#f7c548", "#6fe0d2")),
        Palette("ember", "#1d0b33", "#6a1660", "#cf3a50", "#ff9d52", _DARK_INK, "#fbe3dc", "#ffd08a",
                ("#ff6a5c", "#ffc163", "#ff9fb0")),
        Palette("forest", "#06221c", "#114a3b", "#4b8a50", "#e3eba6", _DARK_INK, "#e0eedd", "#f4da8c",
                ("#f0915b", "#f0d36b", "#8fd3a6")),
        Palette("dusk", "#15143a", "#39307a", "#9a5aa6", "#ffb59c", _DARK_INK, "#e9e3f7", "#ffd3b8",
                ("#ff8ba0", "#ffc27a", "#9db8ff")),
        Palette("slate", "#0f161e", "#243443", "#4d6a83", "#b4cfe2", _DARK_INK, "#dbe5ee", "#9fd8ff",
                ("#ffb45c", "#7cc8ff", "#d5e2ec")),
        Palette("aurora", "#070f2c", "#0b3a57", "#12a189", "#a9f3b9", _DARK_INK, "#d8f1ea", "#b9f5cf",
                ("#c08cff", "#6ff0b8", "#5cd6f0")),
        Palette("desert", "#2a1322", "#7a3739", "#d27f49", "#ffe0a1", _DARK_INK, "#fae6d6", "#ffe0a8",
                ("#ff8559", "#ffcf70", "#74cabd")),
        Palette("rose", "#260a26", "#6f1f55", "#d4557e", "#ffcbb4", _DARK_INK, "#fae0e8", "#ffc9b8",
                ("#ff7f93", "#ffc879", "#d9a2ff")),
        Palette("paper", "#f7f0e3", "#f0e2cb", "#f3c9a2", "#fffaf0", "#1c2430", "#454b58", "#9a3324",
                ("#d9573a", "#e3a02f", "#2c7a80")),
        Palette("mist", "#eef4f8", "#d6e5f0", "#a9cbe3", "#fff6e8", "#14253a", "#3f4f63", "#1f5f8f",
                ("#2f7fb8", "#f0936b", "#4bb0a4")),
    )
}  # fmt: skip

_TOPICS = {
    "ocean": "ocean sea reef coral marine water river lake fish ship coast island whale swim rain",
    "forest": "forest tree plant garden nature green farm leaf bird wildlife animal park food bee soil",
    "ember": "fire volcano heat energy sun war music passion engine power revolution history",
    "aurora": "space star planet science ai robot future quantum data computer technology internet code",
    "desert": "desert travel egypt africa rome ancient road coffee bread sand clay wood",
    "slate": "business finance market money company work office law tax security steel city bridge",
    "rose": "love heart health care family art fashion flower wedding mind medicine",
    "dusk": "night dream sleep moon story myth film cinema poem",
    "paper": "book write school learn language letter library essay news press",
    "mist": "cloud sky weather ice snow winter air flight mountain glacier",
}
_HUE_SPREAD_DEG = 12.0


def palette_for(theme: str, title: str) -> Palette:
    """The named palette; for `auto` one that suits the title's words, else one by its letters.

    A palette drawn from letters is turned a little in hue, so that two titles differ even within one palette.
    Raises UsageError for an unknown name.
    """
    check_theme(theme)
    if theme in PALETTES:
        return PALETTES[theme]
    for word in re.findall(r"\w+", title.lower()):
        for name, topics in _TOPICS.items():
            if {word, word.removesuffix("s"), word.removesuffix("es")} & set(topics.split()):
                return PALETTES[name]
    digest = hashlib.sha256(title.strip().lower().encode()).digest()
    names = [name for name, palette in PALETTES.items() if not palette.is_light]
    turn_deg = (digest[1] / 255 * 2 - 1) * _HUE_SPREAD_DEG
    return _turned(PALETTES[names[digest[0] % len(names)]], turn_deg)


def _turned(palette: Palette, degrees: float) -> Palette:
    deep, mid, warm, glow = (
        _turn(colour, degrees) for colour in (palette.deep, palette.mid, palette.warm, palette.glow)
    )
    return replace(palette, deep=deep, mid=mid, warm=warm, glow=glow)


def _turn(colour: str, degrees: float) -> str:
    lab = to_oklab(rgb(colour))
    angle = math.radians(degrees)
    a, b = float(lab[1]), float(lab[2])
    lab[1] = a * math.cos(angle) - b * math.sin(angle)
    lab[2] = a * math.sin(angle) + b * math.cos(angle)
    return hex_of(from_oklab(lab))


def rgb(colour: str) -> Colours:
    """`#rrggbb` as three floats 0..1."""
    return np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)], dtype=np.float32)


def hex_of(colour: Colours) -> str:
    """Three floats 0..1, clipped, as `#rrggbb`."""
    return "#" + "".join(f"{round(float(value) * 255):02x}" for value in np.clip(colour, 0, 1))


def mix(first: str, second: str, share: float) -> str:
    """`share` of `second` in `first`, mixed in OKLab."""
    lab = to_oklab(rgb(first)) * (1 - share) + to_oklab(rgb(second)) * share
    return hex_of(from_oklab(lab))


def to_oklab(colours: Colours) -> Colours:
    """sRGB 0..1 in the last axis to OKLab."""
    linear = _linear(colours)
    return np.asarray(np.cbrt(linear @ _TO_LMS.T) @ _TO_LAB.T, dtype=np.float32)


def from_oklab(lab: Colours) -> Colours:
    """OKLab in the last axis to sRGB, clipped to 0..1."""
    linear = np.clip((lab @ _FROM_LAB.T) ** 3 @ _FROM_LMS.T, 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(encoded, dtype=np.float32)


def luminance(colour: str | Colours) -> float | Colours:
    """WCAG relative luminance 0..1 of one `#rrggbb` or of an array with sRGB 0..1 in its last axis."""
    values = rgb(colour) if isinstance(colour, str) else colour
    light = _linear(values) @ np.array([0.2126, 0.7152, 0.0722])
    return float(light) if light.ndim == 0 else np.asarray(light, dtype=np.float32)


def contrast(first: float, second: float) -> float:
    """WCAG contrast ratio, 1..21, of two relative luminances."""
    high, low = max(first, second), min(first, second)
    return (high + 0.05) / (low + 0.05)


def _linear(colours: Colours) -> Colours:
    bright = ((colours + 0.055) / 1.055) ** 2.4
    return np.asarray(np.where(colours <= 0.04045, colours / 12.92, bright), dtype=np.float32)
