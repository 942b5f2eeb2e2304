"""Blocks of set text: what is written where, in which cut and colour, and how blocks stack into a column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from stages.images.cards.backdrop import Patch
from stages.typeset.direction import embedded, has_right_to_left
from stages.typeset.fonts import DISPLAY, SANS, regional_family
from stages.typeset.svg import text_element
from stages.typeset.text import Fitted, Font, fit

Anchor = Literal["start", "middle", "end"]

# Where the baseline stands within a line's box, as a share of the type size.
_BASELINE = 0.80
_BELOW = 0.26
_ABOVE = 0.14


def heading_font() -> Font:
    return Font(DISPLAY, weight=600, optical_size=144, tracking_em=-0.008)


def quote_font() -> Font:
    return Font(DISPLAY, weight=400, italic=True, optical_size=100)


def body_font() -> Font:
    return Font(SANS, weight=400, optical_size=26)


def label_font() -> Font:
    return Font(SANS, weight=500, optical_size=24)


def figure_font() -> Font:
    return Font(SANS, weight=700, optical_size=32, tracking_em=-0.03)


def kicker_font() -> Font:
    return Font(SANS, weight=600, optical_size=14, tracking_em=0.14)


@dataclass(frozen=True)
class Block:
    """Set text at its place, in pixels. `x` is its left edge, its centre or its right edge, as `anchor` says."""

    role: str
    fitted: Fitted
    font: Font
    fill: str
    x: float
    top: float
    anchor: Anchor = "start"

    @property
    def bottom(self) -> float:
        return self.top + self.fitted.height_px

    def moved(self, by: float) -> Block:
        """The same block `by` pixels lower."""
        return replace(self, top=self.top + by)

    def mirrored(self, width: int) -> Block:
        """The same block on the other side of a picture of that width."""
        anchors: dict[Anchor, Anchor] = {"start": "end", "middle": "middle", "end": "start"}
        return replace(self, x=width - self.x, anchor=anchors[self.anchor])

    def patch(self) -> Patch:
        """The box that the ink can reach, accents and descenders included."""
        size = self.fitted.size_px
        width = max((self.font.width(line, size) for line in self.fitted.lines), default=0.0)
        left = self.x - {"start": 0.0, "middle": width / 2, "end": width}[self.anchor]
        last = self.top + _BASELINE * size + max(len(self.fitted.lines) - 1, 0) * self.fitted.leading_px
        return Patch(left, self.top - _ABOVE * size, left + width, last + _BELOW * size, self.fill)

    def svg(self) -> str:
        """One SVG text element for each line."""
        size = self.fitted.size_px
        return "".join(
            text_element(
                embedded(line) if has_right_to_left(line) else line,
                self.font,
                x=self.x,
                y=self.top + _BASELINE * size + at * self.fitted.leading_px,
                size_px=size,
                fill=self.fill,
                anchor=self.anchor,
            )
            for at, line in enumerate(self.fitted.lines)
        )


@dataclass(frozen=True)
class Wish:
    """A text that wants a place in a column: its range of sizes in pixels, the most of the column's height that it may
    take, and the gap below it. `language` says where its long words are hyphenated."""

    role: str
    text: str
    font: Font
    fill: str
    largest_px: float
    smallest_px: float
    share: float = 1.0
    leading: float = 1.15
    gap_px: float = 0.0
    most_lines: int = 99
    language: str = ""


@dataclass(frozen=True)
class Box:
    """A place, in pixels."""

    left: float
    top: float
    width: float
    height: float

    @property
    def bottom(self) -> float:
        return self.top + self.height


def column(
    wishes: Sequence[Wish], box: Box, *, anchor: Anchor = "start", align: Literal["top", "middle", "bottom"] = "middle"
) -> list[Block]:
    """Set the wishes one below the other, and the whole at the top, in the middle or at the bottom of the box.

    Earlier ones choose first; what they leave is the room of later ones, of which each keeps its smallest line.
    """
    wishes = [wish for wish in wishes if wish.text.strip()]
    x = box.left + (box.width / 2 if anchor == "middle" else 0.0)
    blocks: list[Block] = []
    top = box.top
    for at, wish in enumerate(wishes):
        later = sum(one.smallest_px * 1.3 for one in wishes[at + 1 :]) + sum(one.gap_px for one in wishes[at:-1])
        room = max(min(box.bottom - top - later, box.height * wish.share), wish.smallest_px)
        # Letterspacing would tear joined scripts apart.
        font = replace(wish.font, regional=regional_family(wish.language))
        font = replace(font, tracking_em=0.0) if has_right_to_left(wish.text) else font
        fitted = fit(
            wish.text,
            font,
            largest_px=wish.largest_px,
            smallest_px=wish.smallest_px,
            width_px=box.width,
            height_px=room,
            leading=wish.leading,
            max_lines=wish.most_lines,
            language=wish.language,
        )
        blocks.append(Block(wish.role, fitted, font, wish.fill, x, top, anchor))
        top = blocks[-1].bottom + wish.gap_px
    spare = box.bottom - (blocks[-1].bottom if blocks else box.top)
    by = {"top": 0.0, "middle": spare / 2, "bottom": spare}[align]
    return [block.moved(by) for block in blocks]
