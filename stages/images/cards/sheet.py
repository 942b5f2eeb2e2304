"""The measures of a card, its header, and the two ways to share a picture between text and a drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from stages.images.cards.content import CardSpec, Layout, heading_of
from stages.images.cards.palette import Palette
from stages.images.cards.safe_area import safe_bottom
from stages.images.cards.type_blocks import Block, Box, Wish, body_font, column, heading_font, kicker_font
from stages.typeset.text import unbroken

Focus = tuple[float, float, float]

# A heading that would have to be smaller than this for the sake of one long word takes the whole width instead.
_SMALL_HEADING = 64
# More scenes than this show as one bar.
_MOST_TICKS = 24
# Less of a picture's width is no room for a drawing.
_LEAST_RADIUS = 0.13


@dataclass(frozen=True)
class Composition:
    """What stands on a card. `ornaments` is SVG that lies under the text; `focus` is (x, y, radius) in pixels.

    `has_focal` says whether a focal drawing belongs at the focus; without it the focus only tells where light falls.
    """

    blocks: tuple[Block, ...]
    focus: Focus
    has_focal: bool = False
    ornaments: str = ""

    def with_ornaments(self, svg: str) -> Composition:
        return replace(self, ornaments=self.ornaments + svg)


@dataclass(frozen=True)
class CardSheet:
    """The measures of one card: margins, the box for text, one `unit` per pixel of a 1080 short side."""

    spec: CardSpec
    palette: Palette
    width: int
    height: int

    @property
    def unit(self) -> float:
        return min(self.width, self.height) / 1080

    @property
    def small(self) -> float:
        """One `unit` for small type, which upright pictures need larger: they are seen on phones."""
        return self.unit * (1.28 if self.slim else 1.1 if self.tall else 1.0)

    @property
    def tall(self) -> bool:
        """Whether text and drawing are stacked rather than side by side."""
        return self.width < self.height * 1.2

    @property
    def slim(self) -> bool:
        """Whether this is a phone's upright picture rather than a square one."""
        return self.width < self.height * 0.8

    @property
    def margin(self) -> float:
        return self.width * (0.0725 if not self.tall else 0.085)

    @property
    def inside(self) -> Box:
        """Where text may stand: below the header, above the captions or, upright, above what phones draw there."""
        top = self.height * (0.17 if not self.tall else 0.13 if self.slim else 0.16)
        if self.spec.caption_safe:
            foot = safe_bottom(self.width, self.height) + 0.015
        else:
            foot = 0.2 if self.slim else 0.1
        return Box(self.margin, top, self.width - 2 * self.margin, self.height * (1 - foot) - top)


def header(sheet: CardSheet, layout: Layout) -> Composition:
    """The brief's title in small capitals, and where in the video this is."""
    top = sheet.height * (0.08 if not sheet.tall else 0.075 if sheet.slim else 0.072)
    size = 24 * sheet.small
    ticks = _ticks(sheet, top, size)
    title = sheet.spec.brief_title.strip()
    blocks: list[Block] = []
    if layout != "title" and title:
        language = sheet.spec.language
        wish = Wish(
            "header", title.upper(), kicker_font(), sheet.palette.kicker, size, size, most_lines=1, language=language
        )
        width = sheet.inside.width * (0.56 if not sheet.slim else 1.0)
        blocks = column([wish], Box(sheet.margin, top, width, size), align="top")
    return Composition(tuple(blocks), (0.0, 0.0, 0.0), ornaments=ticks)


def _ticks(sheet: CardSheet, top: float, size: float) -> str:
    spec, unit, ink = sheet.spec, sheet.unit, sheet.palette.line
    if spec.total < 2:
        return ""
    right, thick = sheet.width - sheet.margin, 5 * unit
    # The middle of a capital of the title beside them. Upright, they span the picture above it, as in stories.
    y = top + 0.44 * size - thick / 2 if not sheet.slim else top - 30 * unit
    span = 46 * unit * min(spec.total, 9) if not sheet.slim else sheet.width - 2 * sheet.margin
    if spec.total > _MOST_TICKS:
        done = span * spec.index / spec.total
        return _tick(right - span, y, span, thick, ink, 0.26) + _tick(right - span, y, done, thick, ink, 0.92)
    gap = 9 * unit
    one = (span - gap * (spec.total - 1)) / spec.total
    return "".join(
        _tick(right - span + at * (one + gap), y, one, thick, ink, 0.92 if at < spec.index else 0.26)
        for at in range(spec.total)
    )


def _tick(left: float, top: float, width: float, height: float, ink: str, opacity: float) -> str:
    return (
        f'<rect x="{left:.2f}" y="{top:.2f}" width="{width:.2f}" height="{height:.2f}" rx="{height / 2:.2f}"'
        f' fill="{ink}" fill-opacity="{opacity}"/>'
    )


def wide_focus(sheet: CardSheet, *, radius: float = 0.285) -> Focus:
    """Where a drawing stands beside text."""
    inside = sheet.inside
    return (sheet.width * 0.745, inside.top + inside.height * 0.5, sheet.height * radius)


def stacked(
    sheet: CardSheet, wishes: Sequence[Wish], *, most: float, reach: float, above_px: float = 0.0
) -> Composition:
    """Text at the foot of its box, and the focal drawing in what is left above it.

    The drawing may stand `above_px` higher than the box.
    """
    inside = sheet.inside
    top = inside.top - above_px
    room = Box(inside.left, inside.bottom - inside.height * most, inside.width, inside.height * most)
    blocks = column(wishes, room, align="bottom")
    first = blocks[0].top if blocks else inside.bottom
    space = first - top - 56 * sheet.unit
    radius = min(space / 2, sheet.width * reach)
    if radius < _LEAST_RADIUS * sheet.width:
        return Composition(tuple(column(wishes, inside)), (sheet.width * 0.8, inside.top, sheet.width * 0.3))
    return Composition(tuple(blocks), (sheet.width * 0.5, top + space / 2, radius), has_focal=True)


def split(sheet: CardSheet, wishes: Sequence[Wish], *, wide: float = 0.475) -> Composition:
    """Text on the left and the focal drawing on the right, or stacked on a tall picture."""
    if sheet.tall:
        return stacked(sheet, wishes, most=0.7, reach=0.40)
    inside = sheet.inside
    box = Box(inside.left, inside.top, sheet.width * wide, inside.height)
    if any(wish.role == "heading" and _needs_width(wish, box.width, sheet.unit) for wish in wishes):
        return alone(sheet, wishes)
    return Composition(tuple(column(wishes, box)), wide_focus(sheet), has_focal=True)


def alone(sheet: CardSheet, wishes: Sequence[Wish], *, wide: float = 1.0) -> Composition:
    """Text without a focal drawing, across `wide` of the box."""
    inside = sheet.inside
    blocks = column(wishes, Box(inside.left, inside.top, inside.width * wide, inside.height))
    return Composition(tuple(blocks), (sheet.width * 0.9, inside.top, sheet.height * 0.2))


def _needs_width(wish: Wish, width: float, unit: float) -> bool:
    size = min(wish.largest_px, _SMALL_HEADING * unit)
    return any(wish.font.width(word, size) > width for word in unbroken(wish.text, wish.language))


def rule(sheet: CardSheet, blocks: Sequence[Block], after: str) -> str:
    """A short bar in the gap below the block of that role."""
    for block, following in pairwise(blocks):
        if block.role == after:
            unit = sheet.unit
            middle = (block.bottom + following.top) / 2 + 0.04 * block.fitted.size_px
            return (
                f'<rect x="{block.x:.1f}" y="{middle - 3 * unit:.1f}" width="{92 * unit:.1f}" height="{6 * unit:.1f}"'
                f' rx="{3 * unit:.1f}" fill="{sheet.palette.accents[0]}"/>'
            )
    return ""


def heading_wish(sheet: CardSheet, largest: float, share: float, gap: float, text: str | None = None) -> Wish:
    """The scene's heading, or `text`; sizes and the gap below in units."""
    unit = sheet.unit
    return Wish(
        "heading",
        heading_of(sheet.spec) if text is None else text,
        heading_font(),
        sheet.palette.ink,
        largest * unit,
        44 * unit,
        share=share,
        leading=1.09,
        gap_px=gap * unit,
        language=sheet.spec.language,
    )


def body_wish(sheet: CardSheet, text: str, *, lines: int = 5, largest: float = 40) -> Wish:
    """A few lines of plain text; its largest size in units of small type."""
    small = sheet.small
    return Wish(
        "body",
        text,
        body_font(),
        sheet.palette.soft,
        largest * small,
        30 * small,
        leading=1.42,
        most_lines=lines,
        language=sheet.spec.language,
    )
