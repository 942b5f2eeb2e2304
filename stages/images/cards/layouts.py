"""Where things stand on a card: one composition per layout, each for wide and for tall pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace

from stages.images.cards.content import (
    CardSpec,
    Layout,
    choose_layout,
    find_quote,
    heading_of,
    support_line,
)
from stages.images.cards.list_card import list_card
from stages.images.cards.number_card import number_card
from stages.images.cards.palette import Palette
from stages.images.cards.sheet import (
    CardSheet,
    Composition,
    Focus,
    body_wish,
    header,
    heading_wish,
    rule,
    split,
    stacked,
)
from stages.images.cards.type_blocks import Block, Box, Wish, column, kicker_font, quote_font
from stages.typeset.direction import runs_right_to_left

_SHORT_HEADING_CHARS = 14


@dataclass(frozen=True)
class CardPlan:
    """A card before it is drawn. `ornaments` is SVG that lies under the text; `focus` is (x, y, radius) in pixels.

    `has_focal` says whether a focal drawing belongs at the focus; without it the focus only tells where light falls.
    """

    layout: Layout
    blocks: tuple[Block, ...]
    ornaments: str
    focus: Focus
    has_focal: bool


def plan_card(spec: CardSpec, palette: Palette, width: int, height: int) -> CardPlan:
    """Compose the card: everything about it but the pixels. Text that runs from right to left mirrors it."""
    sheet = CardSheet(spec, palette, width, height)
    layout = choose_layout(spec)
    body = _compose(sheet, layout)
    head = header(sheet, layout)
    plan = CardPlan(layout, (*head.blocks, *body.blocks), head.ornaments + body.ornaments, body.focus, body.has_focal)
    shown = f"{spec.heading} {spec.text}"
    return _mirrored(plan, width) if runs_right_to_left(shown) else plan


def _mirrored(plan: CardPlan, width: int) -> CardPlan:
    x, y, radius = plan.focus
    ornaments = plan.ornaments and f'<g transform="translate({width} 0) scale(-1 1)">{plan.ornaments}</g>'
    blocks = tuple(block.mirrored(width) for block in plan.blocks)
    return replace(plan, blocks=blocks, ornaments=ornaments, focus=(width - x, y, radius))


def _compose(sheet: CardSheet, layout: Layout) -> Composition:
    compose = {"title": _title, "quote": _quote, "list": list_card, "number": number_card}.get(layout)
    return (compose and compose(sheet)) or _statement(sheet)


def _title(sheet: CardSheet) -> Composition:
    spec, unit = sheet.spec, sheet.unit
    heading = heading_of(spec)
    kicker = "" if heading.lower() == spec.brief_title.strip().lower() else spec.brief_title.strip()
    wishes = [
        Wish(
            "kicker",
            kicker.upper(),
            kicker_font(),
            sheet.palette.kicker,
            28 * sheet.small,
            24 * sheet.small,
            gap_px=24 * unit,
            most_lines=2,
            language=spec.language,
        ),
        heading_wish(sheet, 124, 0.66, 78),
        body_wish(sheet, support_line(spec)),
    ]
    if sheet.tall:
        # No header but the ticks, so the drawing may rise.
        made = stacked(sheet, wishes, most=0.74, reach=0.44, above_px=0.05 * sheet.height)
    else:
        made = split(sheet, wishes, wide=0.5)
    return made.with_ornaments(rule(sheet, made.blocks, "heading"))


def _statement(sheet: CardSheet) -> Composition:
    largest = 104 if sheet.tall else 92
    if len(heading_of(sheet.spec)) <= _SHORT_HEADING_CHARS:
        largest = 160
    wishes = [heading_wish(sheet, largest, 0.7, 74), body_wish(sheet, support_line(sheet.spec))]
    made = split(sheet, wishes)
    return made.with_ornaments(rule(sheet, made.blocks, "heading"))


def _quote(sheet: CardSheet) -> Composition | None:
    quote = find_quote(sheet.spec.text)
    if quote is None:
        return None
    unit, inside, palette = sheet.unit, sheet.inside, sheet.palette
    speaker = quote.speaker or sheet.spec.heading
    mark = 150 * unit if not sheet.tall else 190 * unit
    wishes = [
        Wish(
            "quote",
            quote.words,
            quote_font(),
            palette.ink,
            100 * unit,
            36 * unit,
            share=0.86,
            leading=1.2,
            gap_px=44 * unit,
            language=sheet.spec.language,
        ),
        Wish(
            "speaker",
            speaker.upper(),
            kicker_font(),
            palette.kicker,
            29 * sheet.small,
            24 * sheet.small,
            most_lines=2,
            language=sheet.spec.language,
        ),
    ]
    width = inside.width if sheet.tall else inside.width * 0.80
    left = inside.left if sheet.tall else inside.left + inside.width * 0.10
    top = inside.top + mark * 0.62
    blocks = column(wishes, Box(left, top, width, inside.bottom - top))
    focus = (sheet.width * 0.82, sheet.height * 0.24, sheet.height * 0.2)
    sign = _quote_mark(palette, left - 0.02 * mark, blocks[0].top - mark * 0.80, mark)
    return Composition(tuple(blocks), focus, ornaments=sign)


def _quote_mark(palette: Palette, left: float, top: float, size: float) -> str:
    """Two opening commas, drawn so that they need no font."""
    comma = "M0 62C0 26 18 6 46 0L52 11C34 18 26 28 25 40C41 40 52 50 52 66C52 82 41 93 26 93C10 93 0 81 0 62Z"
    scale = size * 0.62 / 93
    return (
        f'<g transform="translate({left:.1f} {top:.1f}) scale({scale:.4f})" fill="{palette.accents[0]}">'
        f'<path d="{comma}"/><path transform="translate(66 0)" d="{comma}"/></g>'
    )
