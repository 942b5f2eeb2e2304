"""Where things stand on a card: one composition per layout, each for wide and for tall pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stages.images.card_content import (
    CardSpec,
    Layout,
    choose_layout,
    find_figure,
    find_items,
    find_quote,
    heading_of,
    support_line,
)
from stages.images.card_focal import ring_arc
from stages.images.card_icons import icon_for
from stages.images.card_type import (
    Block,
    Box,
    Wish,
    body_font,
    column,
    figure_font,
    heading_font,
    kicker_font,
    label_font,
    quote_font,
)
from stages.images.palette import Palette, mix

Focus = tuple[float, float, float]


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


@dataclass(frozen=True)
class Sheet:
    """The measures of one card: margins, the box for text, one `unit` per pixel of a 1080 short side."""

    spec: CardSpec
    palette: Palette
    width: int
    height: int

    @property
    def unit(self) -> float:
        return min(self.width, self.height) / 1080

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
        """Where text may stand: below the header, above the captions."""
        top = self.height * (0.17 if not self.tall else 0.13 if self.slim else 0.16)
        bottom = self.height * (1 - (safe_bottom(self.width, self.height) + 0.02 if self.spec.caption_safe else 0.1))
        return Box(self.margin, top, self.width - 2 * self.margin, bottom - top)


def safe_bottom(width: int, height: int) -> float:
    """The lower share of a picture that belongs to burned captions: 0.22 wide, 0.25 square, 0.30 upright."""
    if width >= height * 1.2:
        return 0.22
    return 0.25 if width >= height * 0.8 else 0.30


def plan_card(spec: CardSpec, palette: Palette, width: int, height: int) -> CardPlan:
    """Compose the card: everything about it but the pixels."""
    sheet = Sheet(spec, palette, width, height)
    layout = choose_layout(spec)
    compose = {"title": _title, "statement": _statement, "list": _list, "number": _number, "quote": _quote}[layout]
    blocks, ornaments, focus, has_focal = (_reading if spec.reading_text.strip() else compose)(sheet)
    head, ticks = _header(sheet, layout)
    return CardPlan(layout, (*head, *blocks), ticks + ornaments, focus, has_focal)


Composition = tuple[list[Block], str, Focus, bool]


def _header(sheet: Sheet, layout: Layout) -> tuple[list[Block], str]:
    """The brief's title in small capitals, and where in the video this is."""
    unit, palette, spec = sheet.unit, sheet.palette, sheet.spec
    inside = sheet.inside
    top = sheet.height * (0.082 if not sheet.tall else 0.075 if sheet.slim else 0.072)
    ticks = _ticks(sheet, top)
    title = spec.brief_title.strip()
    if layout == "title" or not title:
        return [], ticks
    wish = Wish("header", title.upper(), kicker_font(), palette.kicker, 21 * unit, 21 * unit, most_lines=1)
    width = inside.width * (0.62 if not sheet.slim else 1.0)
    return column([wish], Box(sheet.margin, top, width, 21 * unit), align="top"), ticks


def _ticks(sheet: Sheet, top: float) -> str:
    spec, unit, ink = sheet.spec, sheet.unit, sheet.palette.line
    if spec.total < 2:
        return ""
    right, thick = sheet.width - sheet.margin, 5 * unit
    y = top + 8 * unit
    # Upright, the ticks span the picture above the title, as viewers know it from stories.
    span = 46 * unit * min(spec.total, 9) if not sheet.slim else sheet.width - 2 * sheet.margin
    y = y if not sheet.slim else top - 26 * unit
    gap = 9 * unit if spec.total <= 24 else 0.0
    one = (span - gap * (spec.total - 1)) / spec.total
    return "".join(
        f'<rect x="{right - span + at * (one + gap):.2f}" y="{y:.2f}" width="{one:.2f}" height="{thick:.2f}"'
        f' rx="{thick / 2 if gap else 0:.2f}" fill="{ink}" fill-opacity="{0.92 if at < spec.index else 0.26}"/>'
        for at in range(spec.total)
    )


def _wide_focus(sheet: Sheet, *, radius: float = 0.285) -> Focus:
    inside = sheet.inside
    return (sheet.width * 0.745, inside.top + inside.height * 0.5, sheet.height * radius)


def _stacked(sheet: Sheet, wishes: Sequence[Wish], *, most: float, reach: float) -> tuple[list[Block], Focus, bool]:
    """Text at the foot of its box, and the focal drawing in what is left above it."""
    inside = sheet.inside
    room = Box(inside.left, inside.bottom - inside.height * most, inside.width, inside.height * most)
    blocks = column(wishes, room, align="bottom")
    first = blocks[0].top if blocks else inside.bottom
    space = first - inside.top - 56 * sheet.unit
    radius = min(space / 2, sheet.width * reach)
    if radius < 0.13 * sheet.width:
        return column(wishes, inside), (sheet.width * 0.8, inside.top, sheet.width * 0.3), False
    return blocks, (sheet.width * 0.5, inside.top + space / 2, radius), True


def _split(sheet: Sheet, wishes: Sequence[Wish], *, wide: float = 0.475) -> tuple[list[Block], Focus, bool]:
    """Text on the left and the focal drawing on the right, or stacked on a tall picture."""
    if sheet.tall:
        return _stacked(sheet, wishes, most=0.66, reach=0.40)
    inside = sheet.inside
    blocks = column(wishes, Box(inside.left, inside.top, sheet.width * wide, inside.height))
    return blocks, _wide_focus(sheet), True


def _rule(sheet: Sheet, blocks: Sequence[Block], after: str) -> str:
    """A short bar in the gap below the block of that role."""
    for block, following in zip(blocks, blocks[1:], strict=False):
        if block.role == after:
            unit = sheet.unit
            middle = (block.bottom + following.top) / 2 + block.fitted.size_px * 0.06
            return (
                f'<rect x="{block.x:.1f}" y="{middle - 3 * unit:.1f}" width="{92 * unit:.1f}" height="{6 * unit:.1f}"'
                f' rx="{3 * unit:.1f}" fill="{sheet.palette.accents[0]}"/>'
            )
    return ""


def _heading_wish(sheet: Sheet, largest: float, share: float, gap: float, text: str | None = None) -> Wish:
    unit = sheet.unit
    return Wish(
        "heading",
        heading_of(sheet.spec) if text is None else text,
        heading_font(),
        sheet.palette.ink,
        largest * unit,
        40 * unit,
        share=share,
        leading=1.09,
        gap_px=gap * unit,
    )


def _body_wish(sheet: Sheet, text: str, *, lines: int = 5, largest: float = 40) -> Wish:
    unit = sheet.unit
    return Wish("body", text, body_font(), sheet.palette.soft, largest * unit, 30 * unit, leading=1.42, most_lines=lines)


def _title(sheet: Sheet) -> Composition:
    spec, unit = sheet.spec, sheet.unit
    heading = heading_of(spec)
    kicker = "" if heading.lower() == spec.brief_title.strip().lower() else spec.brief_title.strip()
    wishes = [
        Wish("kicker", kicker.upper(), kicker_font(), sheet.palette.kicker, 25 * unit, 21 * unit, gap_px=26 * unit, most_lines=2),
        _heading_wish(sheet, 132 if sheet.tall else 124, 0.66, 74),
        _body_wish(sheet, support_line(spec)),
    ]
    if sheet.tall:
        blocks, focus, has_focal = _stacked(sheet, wishes, most=0.68, reach=0.44)
    else:
        blocks, focus, has_focal = _split(sheet, wishes, wide=0.5)
    return blocks, _rule(sheet, blocks, "heading"), focus, has_focal


def _statement(sheet: Sheet) -> Composition:
    wishes = [_heading_wish(sheet, 104 if sheet.tall else 92, 0.7, 70), _body_wish(sheet, support_line(sheet.spec))]
    blocks, focus, has_focal = _split(sheet, wishes)
    return blocks, _rule(sheet, blocks, "heading"), focus, has_focal


def _reading(sheet: Sheet) -> Composition:
    unit, inside, spec = sheet.unit, sheet.inside, sheet.spec
    heading = heading_of(spec) if spec.heading.strip() else ""
    body = Wish("body", spec.reading_text, body_font(), sheet.palette.ink, 58 * unit, 25 * unit, leading=1.42)
    width = inside.width if sheet.tall else inside.width * 0.82
    wishes = [_heading_wish(sheet, 76, 0.34, 58, heading), body]
    blocks = column(wishes, Box(inside.left, inside.top, width, inside.height))
    focus = (sheet.width * 0.9, inside.top, sheet.height * 0.2)
    return blocks, _rule(sheet, blocks, "heading"), focus, False


def _list(sheet: Sheet) -> Composition:
    inside, items, unit = sheet.inside, find_items(sheet.spec.text), sheet.unit
    badge = 118 * unit
    icon = icon_for(sheet.spec.heading, sheet.spec.text) or ""
    wish = _heading_wish(sheet, 96 if sheet.tall else 84, 1.0, 0)
    if sheet.tall:
        room = inside.height * 0.40
        blocks = column([wish], Box(inside.left, inside.top + badge * 1.35, inside.width, room - badge * 1.35), align="top")
        top = blocks[-1].bottom + 54 * unit
        rows = Box(inside.left, top, inside.width, inside.bottom - top)
    else:
        left = sheet.width * 0.5
        rows = Box(left, inside.top, sheet.width - sheet.margin - left, inside.height)
        shift = badge * 0.67 if icon else 0.0
        blocks = column([wish], Box(inside.left, inside.top + shift, sheet.width * 0.35, inside.height - shift))
    row_blocks, ornaments = _rows(sheet, items, rows)
    if icon:
        ornaments += _badge(sheet.palette, icon, inside.left, blocks[0].top - badge * 1.3, badge)
    focus = (sheet.width * 0.5, inside.top + inside.height * 0.4, sheet.height * 0.2)
    return [*blocks, *row_blocks], ornaments, focus if sheet.tall else _wide_focus(sheet), False


def _badge(palette: Palette, icon: str, left: float, top: float, size: float) -> str:
    half = size / 2
    return (
        f'<linearGradient id="badge" x1="0" x2="1" y1="0" y2="1"><stop stop-color="{palette.accents[1]}"/>'
        f'<stop offset="1" stop-color="{palette.accents[0]}"/></linearGradient>'
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{size:.1f}" height="{size:.1f}" rx="{size * 0.3:.1f}" fill="url(#badge)"/>'
        + _small_icon(palette.deep, icon, left + half, top + half, size * 0.56)
    )


def _rows(sheet: Sheet, items: Sequence[str], box: Box) -> tuple[list[Block], str]:
    """One pane of glass per item, its number in a circle, all set in the size that suits the longest."""
    unit, palette = sheet.unit, sheet.palette
    gap = 18 * unit
    height = min((box.height - gap * (len(items) - 1)) / len(items), 138 * unit)
    used = height * len(items) + gap * (len(items) - 1)
    top = box.top + ((box.height - used) / 2 if not sheet.tall else 0.0)
    disc = min(height * 0.29, 36 * unit)
    indent = height * 0.5 + disc + 32 * unit
    width = box.width - indent - 34 * unit
    size = min(_row_fit(sheet, item, width, height, 42 * unit) for item in items)
    blocks, panes = [], []
    for at, item in enumerate(items):
        y = top + at * (height + gap)
        wish = Wish("item", item, label_font(), palette.ink, size, min(size, 22 * unit), leading=1.22, most_lines=3)
        blocks += column([wish], Box(box.left + indent, y + 4 * unit, width, height - 8 * unit))
        number = Wish("index", str(at + 1), label_font(), palette.kicker, disc, disc)
        cx, cy = box.left + height * 0.5 + 4 * unit, y + height / 2
        blocks += column([number], Box(cx - disc, cy - disc * 0.53, disc * 2, disc), anchor="middle")
        panes.append(
            f'<rect x="{box.left:.1f}" y="{y:.1f}" width="{box.width:.1f}" height="{height:.1f}" rx="{22 * unit:.1f}"'
            f' fill="{palette.deep}" fill-opacity="0.38" stroke="{palette.line}" stroke-opacity="0.20" stroke-width="{1.5 * unit:.2f}"/>'
            f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="{disc:.1f}" fill="none" stroke="{palette.accents[at % 3]}" stroke-width="{2.6 * unit:.2f}"/>'
        )
    return blocks, "".join(panes)


def _row_fit(sheet: Sheet, item: str, width: float, height: float, largest: float) -> float:
    wish = Wish("item", item, label_font(), sheet.palette.ink, largest, 22 * sheet.unit, leading=1.22, most_lines=3)
    return column([wish], Box(0, 0, width, height - 16 * sheet.unit))[0].fitted.size_px


def _number(sheet: Sheet) -> Composition:
    figure = find_figure(f"{sheet.spec.text}\n{sheet.spec.heading}")
    if figure is None:
        return _statement(sheet)
    unit, palette = sheet.unit, sheet.palette
    if figure.share is None:
        wishes = [
            _heading_wish(sheet, 64 if sheet.tall else 58, 0.36, 84),
            Wish("lead", figure.lead, label_font(), palette.kicker, 40 * unit, 26 * unit, gap_px=10 * unit, most_lines=1),
            Wish("figure", figure.value, figure_font(), palette.ink, 230 * unit, 60 * unit, share=0.5, gap_px=18 * unit, most_lines=1),
            _body_wish(sheet, figure.label, lines=2, largest=44),
        ]
        blocks, focus, has_focal = _split(sheet, wishes, wide=0.52)
        return blocks, _rule(sheet, blocks, "heading"), focus, has_focal
    heading = _heading_wish(sheet, 92 if sheet.tall else 80, 1.0, 0)
    blocks, focus, fits = _split(sheet, [heading], wide=0.43)
    if not fits:
        return _statement(sheet)
    x, y, radius = focus
    inner = radius * 1.22
    wishes = [
        Wish("lead", figure.lead, label_font(), palette.kicker, 0.15 * radius, 0.1 * radius, gap_px=0.0, most_lines=1),
        Wish("figure", figure.value, figure_font(), palette.ink, 0.62 * radius, 0.2 * radius, gap_px=0.06 * radius, most_lines=1),
        Wish("label", figure.label, label_font(), palette.soft, 0.135 * radius, 0.085 * radius, leading=1.25, most_lines=3),
    ]
    icon = icon_for(sheet.spec.heading, sheet.spec.text) or ""
    lower = 0.12 * radius if icon else 0.0
    blocks += column(wishes, Box(x - inner / 2, y - 0.5 * radius + lower, inner, radius), anchor="middle")
    return blocks, _gauge(palette, focus, figure.share) + _small_icon(palette.kicker, icon, x, y - 0.5 * radius, 0.26 * radius), focus, False


def _gauge(palette: Palette, focus: Focus, share: float) -> str:
    x, y, radius = focus
    thick = radius * 0.135
    reach = radius - thick / 2
    first, second = palette.accents[0], palette.accents[1]
    circle = f'cx="{x:.1f}" cy="{y:.1f}"'
    arc = ring_arc(x, y, reach, 0, max(share, 0.004) * 360)
    return (
        f'<radialGradient id="halo" gradientUnits="userSpaceOnUse" {circle} r="{radius * 1.28:.1f}">'
        f'<stop offset="0.70" stop-color="{second}" stop-opacity="0.34"/><stop offset="1" stop-color="{second}" stop-opacity="0"/></radialGradient>'
        f'<circle {circle} r="{radius * 1.28:.1f}" fill="url(#halo)"/>'
        f'<circle {circle} r="{radius:.1f}" fill="{mix(palette.deep, palette.mid, 0.3)}" fill-opacity="0.80"/>'
        f'<circle {circle} r="{reach:.1f}" fill="none" stroke="{palette.line}" stroke-opacity="0.13" stroke-width="{thick:.1f}"/>'
        f'<linearGradient id="gauge" gradientUnits="userSpaceOnUse" x1="{x + radius:.1f}" y1="{y - radius:.1f}" x2="{x - radius:.1f}"'
        f' y2="{y + radius:.1f}"><stop offset="0.1" stop-color="{first}"/><stop offset="0.9" stop-color="{second}"/></linearGradient>'
        f'<path d="{arc}" fill="none" stroke="url(#gauge)" stroke-width="{thick:.1f}" stroke-linecap="round"/>'
    )


def _small_icon(colour: str, icon: str, x: float, y: float, size: float) -> str:
    if not icon:
        return ""
    return (
        f'<g transform="translate({x - size / 2:.1f} {y - size / 2:.1f}) scale({size / 24:.4f})" fill="none" stroke="{colour}"'
        f' stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round">{icon}</g>'
    )


def _quote(sheet: Sheet) -> Composition:
    quote = find_quote(sheet.spec.text)
    if quote is None:
        return _statement(sheet)
    unit, inside, palette = sheet.unit, sheet.inside, sheet.palette
    speaker = quote.speaker or sheet.spec.heading
    mark = 150 * unit if not sheet.tall else 190 * unit
    wishes = [
        Wish("quote", quote.words, quote_font(), palette.ink, 96 * unit if sheet.tall else 84 * unit, 34 * unit, share=0.86, leading=1.2, gap_px=44 * unit),
        Wish("speaker", speaker.upper(), kicker_font(), palette.kicker, 27 * unit, 20 * unit, most_lines=2),
    ]
    width = inside.width if sheet.tall else inside.width * 0.80
    left = inside.left if sheet.tall else inside.left + inside.width * 0.10
    top = inside.top + mark * 0.62
    blocks = column(wishes, Box(left, top, width, inside.bottom - top))
    first = blocks[0].top
    focus = (sheet.width * 0.82, sheet.height * 0.24, sheet.height * 0.2)
    return blocks, _quote_mark(palette, left - 0.02 * mark, first - mark * 0.80, mark), focus, False


def _quote_mark(palette: Palette, left: float, top: float, size: float) -> str:
    """Two opening commas, drawn so that they need no font."""
    comma = "M0 62C0 26 18 6 46 0L52 11C34 18 26 28 25 40C41 40 52 50 52 66C52 82 41 93 26 93C10 93 0 81 0 62Z"
    scale = size * 0.62 / 93
    return (
        f'<g transform="translate({left:.1f} {top:.1f}) scale({scale:.4f})" fill="{palette.accents[0]}">'
        f'<path d="{comma}"/><path transform="translate(66 0)" d="{comma}"/></g>'
    )
