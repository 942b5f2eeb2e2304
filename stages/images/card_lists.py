"""A card that enumerates: the heading, and one pane of glass for each item."""

from __future__ import annotations

from collections.abc import Sequence

from stages.images.card_content import find_items
from stages.images.card_icons import icon_for, icon_svg
from stages.images.card_sheet import Composition, Sheet, heading_wish, wide_focus
from stages.images.card_type import Block, Box, Wish, column, label_font
from stages.images.palette import Palette

# Tall pictures have no room for more items and the icon too.
_ITEMS_BESIDE_ICON = 3
# Clear space above and below an item's text, as a share of its pane.
_ROW_AIR = 0.12
# From the top of a line to the middle of a digit, in type sizes.
_DIGIT_MIDDLE = 0.436


def list_card(sheet: Sheet) -> Composition | None:
    """The card, or None when the text enumerates nothing."""
    inside, unit = sheet.inside, sheet.unit
    items = find_items(sheet.spec.text)
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
        top = blocks[-1].bottom + (54 if few else 40) * unit
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
    if icon:
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


def _rows(sheet: Sheet, items: Sequence[str], box: Box) -> tuple[list[Block], str]:
    """One pane per item, its number in a circle, all set in the size that suits the longest."""
    unit = sheet.unit
    gap = 18 * unit
    height = min((box.height - gap * (len(items) - 1)) / len(items), 138 * sheet.small)
    used = height * len(items) + gap * (len(items) - 1)
    top = box.top + ((box.height - used) / 2 if not sheet.tall else 0.0)
    disc = min(height * 0.29, 36 * sheet.small)
    indent = height * 0.5 + disc + 30 * unit
    width = box.width - indent - 30 * unit
    size = min(_item_size(sheet, item, width, height) for item in items)
    blocks: list[Block] = []
    panes = []
    for at, item in enumerate(items):
        y = top + at * (height + gap)
        wish = _item_wish(sheet, item, size)
        blocks += column([wish], Box(box.left + indent, y + _ROW_AIR * height, width, height * (1 - 2 * _ROW_AIR)))
        number = Wish("index", str(at + 1), label_font(), sheet.palette.kicker, disc, disc)
        cx, cy = box.left + height * 0.5 + 4 * unit, y + height / 2
        blocks += column([number], Box(cx - disc, cy - disc * _DIGIT_MIDDLE, disc * 2, disc), anchor="middle")
        panes.append(_pane(sheet, at, Box(box.left, y, box.width, height), (cx, cy, disc)))
    return blocks, "".join(panes)


def _item_wish(sheet: Sheet, item: str, largest: float) -> Wish:
    least = min(largest, 24 * sheet.unit)
    language = sheet.spec.language
    return Wish(
        "item", item, label_font(), sheet.palette.ink, largest, least, leading=1.22, most_lines=3, language=language
    )


def _item_size(sheet: Sheet, item: str, width: float, height: float) -> float:
    wish = _item_wish(sheet, item, 42 * sheet.small)
    return column([wish], Box(0, 0, width, height * (1 - 2 * _ROW_AIR)))[0].fitted.size_px


def _pane(sheet: Sheet, at: int, box: Box, circle: tuple[float, float, float]) -> str:
    unit, palette = sheet.unit, sheet.palette
    cx, cy, radius = circle
    return (
        f'<rect x="{box.left:.1f}" y="{box.top:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"'
        f' rx="{22 * unit:.1f}" fill="{palette.deep}" fill-opacity="0.38" stroke="{palette.line}"'
        f' stroke-opacity="0.20" stroke-width="{1.5 * unit:.2f}"/>'
        f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="{radius:.1f}" fill="none" stroke="{palette.accents[at % 3]}"'
        f' stroke-width="{2.6 * unit:.2f}"/>'
    )
