"""A card about one number: a percentage in its gauge, any other quantity in large figures."""

from __future__ import annotations

from stages.images.cards.figures import Figure, find_figure
from stages.images.cards.focal import ring_arc
from stages.images.cards.icons import icon_for, icon_svg
from stages.images.cards.palette import Palette, mix
from stages.images.cards.sheet import CardSheet, Composition, Focus, body_wish, heading_wish, rule, split
from stages.images.cards.type_blocks import Box, Wish, column, figure_font, label_font


def number_card(sheet: CardSheet) -> Composition | None:
    """The card, or None when the text has no number worth one."""
    figure = find_figure(f"{sheet.spec.text}\n{sheet.spec.heading}", sheet.spec.language)
    if figure is None:
        return None
    gauge = _gauge_card(sheet, figure, figure.share) if figure.share is not None else None
    return gauge or _figure_card(sheet, figure)


def _figure_card(sheet: CardSheet, figure: Figure) -> Composition:
    unit, small, palette = sheet.unit, sheet.small, sheet.palette
    wishes = [
        heading_wish(sheet, 64 if sheet.tall else 58, 0.36, 84),
        Wish(
            "lead",
            figure.lead,
            label_font(),
            palette.kicker,
            40 * small,
            28 * small,
            gap_px=10 * unit,
            most_lines=1,
        ),
        Wish(
            "figure",
            figure.value,
            figure_font(),
            palette.ink,
            230 * unit,
            60 * unit,
            share=0.5,
            gap_px=18 * unit,
            most_lines=1,
        ),
        body_wish(sheet, figure.label, lines=2, largest=44),
    ]
    made = split(sheet, wishes, wide=0.52)
    return made.with_ornaments(rule(sheet, made.blocks, "heading"))


def _gauge_card(sheet: CardSheet, figure: Figure, share: float) -> Composition | None:
    """None when there is no room for a gauge."""
    palette = sheet.palette
    largest = 80 if not sheet.tall else 92 if sheet.slim else 64
    made = split(sheet, [heading_wish(sheet, largest, 1.0, 0)], wide=0.43)
    if not made.has_focal:
        return None
    x, y, radius = made.focus
    inner = radius * 1.16
    wishes = [
        Wish("lead", figure.lead, label_font(), palette.kicker, 0.15 * radius, 0.12 * radius, most_lines=1),
        Wish(
            "figure",
            figure.value,
            figure_font(),
            palette.ink,
            0.62 * radius,
            0.2 * radius,
            gap_px=0.07 * radius,
            most_lines=1,
        ),
        Wish(
            "label",
            figure.label,
            label_font(),
            palette.soft,
            0.145 * radius,
            0.13 * radius,
            leading=1.25,
            most_lines=3,
            language=sheet.spec.language,
        ),
    ]
    icon = icon_for(sheet.spec.heading, sheet.spec.text) or ""
    lower = 0.14 * radius if icon else 0.0
    inside = column(wishes, Box(x - inner / 2, y - 0.5 * radius + lower, inner, radius), anchor="middle")
    drawn = _gauge(palette, made.focus, share)
    drawn += icon_svg(icon, palette.kicker, x, y - 0.55 * radius, 0.25 * radius)
    return Composition((*made.blocks, *inside), made.focus, ornaments=drawn)


def _gauge(palette: Palette, focus: Focus, share: float) -> str:
    x, y, radius = focus
    thick = radius * 0.135
    reach = radius - thick / 2
    first, second = palette.accents[0], palette.accents[1]
    circle = f'cx="{x:.1f}" cy="{y:.1f}"'
    arc = ring_arc(x, y, reach, 0, max(share, 0.004) * 360)
    return (
        f'<radialGradient id="halo" gradientUnits="userSpaceOnUse" {circle} r="{radius * 1.28:.1f}">'
        f'<stop offset="0.70" stop-color="{second}" stop-opacity="0.34"/>'
        f'<stop offset="1" stop-color="{second}" stop-opacity="0"/></radialGradient>'
        f'<circle {circle} r="{radius * 1.28:.1f}" fill="url(#halo)"/>'
        f'<circle {circle} r="{radius:.1f}" fill="{mix(palette.deep, palette.mid, 0.3)}" fill-opacity="0.80"/>'
        f'<circle {circle} r="{reach:.1f}" fill="none" stroke="{palette.line}" stroke-opacity="0.13"'
        f' stroke-width="{thick:.1f}"/>'
        f'<linearGradient id="gauge" gradientUnits="userSpaceOnUse" x1="{x + radius:.1f}" y1="{y - radius:.1f}"'
        f' x2="{x - radius:.1f}" y2="{y + radius:.1f}">'
        f'<stop offset="0.1" stop-color="{first}"/><stop offset="0.9" stop-color="{second}"/></linearGradient>'
        f'<path d="{arc}" fill="none" stroke="url(#gauge)" stroke-width="{thick:.1f}" stroke-linecap="round"/>'
    )
