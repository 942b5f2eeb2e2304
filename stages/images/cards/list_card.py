"""A card that enumerates: the heading, and one pane of glass for each item."""

from __future__ import annotations

from collections.abc import Sequence

from stages.images.cards.content import items_of
from stages.images.cards.icons import icon_for, icon_svg
from stages.images.cards.palette import Palette
from stages.images.cards.sheet import CardSheet, Composition, heading_wish, wide_focus
from stages.images.cards.type_blocks import Block, Box, Wish, column, label_font
from stages.models import ListItem

# Tall pictures have no room for more items and the icon too.
_ITEMS_BESIDE_ICON = 3
# More rows than these stand closer.
_FEW_ROWS = 5
# Clear space above and below an item's text, as a share of its pane.
_ROW_AIR = 0.12
# Rows of a wide, a square and an upright picture.
_MOST_ROWS, _MOST_ROWS_SQUARE, _MOST_ROWS_SLIM = 6, 5, 7
# An item's list within another's stands so far in, in discs; a third one no further than a second.
_STEP_IN, _DEEPEST = 1.5, 2
# From the top of a line to the middle of a digit, in type sizes.
_DIGIT_MIDDLE = 0.436


def list_card(sheet: CardSheet) -> Composition | None:
    """The card, or None when the text enumerates nothing."""
    inside, unit = sheet.inside, sheet.unit
    items = _shown(sheet, items_of(sheet.spec))
    if not items:
        return None
    badge = 118 * unit
    icon = icon_for(sheet.spec.heading, sheet.spec.text) or ""
    if sheet.tall:
        few = len(items) <= _ITEMS_BESIDE_ICON
        icon = icon if few else ""
        above = badge * 1.35 if icon else 0.0
        wish = heading_wish(sheet, 96 if few or sheet.slim else 60, 1.0, 0)
        room = Box(inside.left, inside.top + above, inside.width, inside.height * 0.40 - above)
        blocks = column([wish], room, align="top")
        top = (blocks[-1].bottom if blocks else room.top) + (54 if few else 40) * unit
        rows = Box(inside.left, top, inside.width, inside.bottom - top)
        focus = (sheet.width * 0.5, inside.top + inside.height * 0.4, sheet.height * 0.2)
    else:
        left = sheet.width * 0.5
        rows = Box(left, inside.top, sheet.width - sheet.margin - left, inside.height)
        shift = badge * 0.67 if icon else 0.0
        room = Box(inside.left, inside.top + shift, sheet.width * 0.36, inside.height - shift)
        blocks = column([heading_wish(sheet, 84, 1.0, 0)], room)
        focus = wide_focus(sheet)
    row_blocks, ornaments = _rows(sheet, items, rows)
    if icon and blocks:
        ornaments += _badge(sheet.palette, icon, inside.left, blocks[0].top - badge * 1.3, badge)
    return Composition((*blocks, *row_blocks), focus, ornaments=ornaments)


def _badge(palette: Palette, icon: str, left: float, top: float, size: float) -> str:
    half = size / 2
    return (
        f'<linearGradient id="badge" x1="0" x2="1" y1="0" y2="1"><stop stop-color="{palette.accents[1]}"/>'
        f'<stop offset="1" stop-color="{palette.accents[0]}"/></linearGradient>'
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{size:.1f}" height="{size:.1f}" rx="{size * 0.3:.1f}"'
        ' fill="url(#badge)"/>'
        + icon_svg(icon, palette.ink if palette.is_light else palette.deep, left + half, top + half, size * 0.56)
    )


def _shown(sheet: CardSheet, items: Sequence[ListItem]) -> list[ListItem]:
    """The items that there is room for; a last row tells how many more there are."""
    items = [item for item in items if item.text.strip()]
    most = _MOST_ROWS_SLIM if sheet.slim else _MOST_ROWS_SQUARE if sheet.tall else _MOST_ROWS
    if len(items) <= most:
        return list(items)
    return [*items[: most - 1], ListItem(f"+{len(items) - most + 1}", "")]


def _rows(sheet: CardSheet, items: Sequence[ListItem], box: Box) -> tuple[list[Block], str]:
    """One pane per item, its marker in a circle, all set in the size that suits the longest."""
    unit = sheet.unit
    gap = 18 * unit if len(items) <= _FEW_ROWS else 12 * unit
    height = min((box.height - gap * (len(items) - 1)) / len(items), 138 * sheet.small)
    used = height * len(items) + gap * (len(items) - 1)
    top = box.top + ((box.height - used) / 2 if not sheet.tall else 0.0)
    disc = min(height * 0.29, 36 * sheet.small)
    indent = height * 0.5 + disc + 30 * unit
    panes = [_inset(box, item, disc, top + at * (height + gap), height) for at, item in enumerate(items)]
    texts = [
        Box(
            pane.left + indent,
            pane.top + _ROW_AIR * height,
            pane.width - indent - 30 * unit,
            height * (1 - 2 * _ROW_AIR),
        )
        for pane in panes
    ]
    size = min(_item_size(sheet, item.text, text) for item, text in zip(items, texts, strict=True))
    blocks: list[Block] = []
    drawn = []
    for at, (item, pane, text) in enumerate(zip(items, panes, texts, strict=True)):
        blocks += column([_item_wish(sheet, item.text, size)], text)
        cx, cy = pane.left + height * 0.5 + 4 * unit, pane.top + height / 2
        if item.marker.isdecimal():
            number = Wish("index", item.marker, label_font(), sheet.palette.kicker, disc, disc * 0.6, most_lines=1)
            blocks += column([number], Box(cx - disc, cy - disc * _DIGIT_MIDDLE, disc * 2, disc), anchor="middle")
        drawn.append(_pane(sheet, pane) + _marker(sheet, item.marker, at, (cx, cy, disc)))
    return blocks, "".join(drawn)


def _inset(box: Box, item: ListItem, disc: float, top: float, height: float) -> Box:
    inset = min(item.depth, _DEEPEST) * _STEP_IN * disc
    return Box(box.left + inset, top, box.width - inset, height)


def _item_wish(sheet: CardSheet, item: str, largest: float) -> Wish:
    least = min(largest, 24 * sheet.unit)
    language = sheet.spec.language
    return Wish(
        "item", item, label_font(), sheet.palette.ink, largest, least, leading=1.22, most_lines=3, language=language
    )


def _item_size(sheet: CardSheet, item: str, box: Box) -> float:
    return column([_item_wish(sheet, item, 42 * sheet.small)], box)[0].fitted.size_px


def _pane(sheet: CardSheet, box: Box) -> str:
    palette = sheet.palette
    return (
        f'<rect x="{box.left:.1f}" y="{box.top:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"'
        f' rx="{22 * sheet.unit:.1f}" fill="{palette.deep}" fill-opacity="0.38" stroke="{palette.line}"'
        f' stroke-opacity="0.20" stroke-width="{1.5 * sheet.unit:.2f}"/>'
    )


def _marker(sheet: CardSheet, marker: str, at: int, circle: tuple[float, float, float]) -> str:
    """A ring for a number, a dot for a bullet, a box with or without its tick for a task."""
    cx, cy, radius = circle
    colour = sheet.palette.accents[at % 3]
    line = f'fill="none" stroke="{colour}" stroke-width="{2.6 * sheet.unit:.2f}"'
    if marker.isdecimal():
        return f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="{radius:.1f}" {line}/>'
    if marker not in ("\u2610", "\u2611"):
        dot = radius * (0.36 if marker else 0.0)
        return f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="{dot:.1f}" fill="{colour}"/>'
    side = radius * 1.24
    box = (
        f'<rect x="{cx - side / 2:.1f}" y="{cy - side / 2:.1f}" width="{side:.1f}" height="{side:.1f}"'
        f' rx="{side * 0.2:.1f}" {line}/>'
    )
    if marker == "\u2610":
        return box
    points = ((-0.28, 0.0), (-0.06, 0.22), (0.3, -0.22))
    tick = "L".join(f"{cx + across * side:.1f} {cy + down * side:.1f}" for across, down in points)
    return box + f'<path d="M{tick}" {line} stroke-linecap="round" stroke-linejoin="round"/>'
