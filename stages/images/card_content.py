"""What a card shows of its scene: the layout its words ask for, and the words that are worth the space."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Layout = Literal["title", "statement", "list", "number", "quote"]

_SUPPORT_CHARS = 150
_ITEM_CHARS = 90
_MOST_ITEMS = 5


@dataclass(frozen=True)
class CardSpec:
    """One card. `index` counts from 1. `caption_safe` keeps text out of where burned captions go (`SAFE_BOTTOM`).

    `theme` is a palette's name or `auto`.
    """

    heading: str
    text: str
    index: int
    total: int
    brief_title: str
    theme: str
    seed: int
    caption_safe: bool
    language: str = "en"


@dataclass(frozen=True)
class Figure:
    """A number worth a card: `value` as shown, `label` what it counts, `share` 0..1 when it is a percentage.

    `lead` is a qualification that stood before it ("less than"), without which the number would be false.
    """

    value: str
    label: str
    share: float | None
    lead: str = ""


@dataclass(frozen=True)
class Quote:
    """Words between quotation marks, and who said them, if the text says so."""

    words: str
    speaker: str


def choose_layout(spec: CardSpec) -> Layout:
    """By content: the first of several scenes is a title; then a quotation, a figure, an enumeration, a statement."""
    if spec.index == 1 and spec.total > 1:
        return "title"
    if find_quote(spec.text):
        return "quote"
    if find_figure(f"{spec.text}\n{spec.heading}"):
        return "number"
    if find_items(spec.text):
        return "list"
    return "title" if spec.index == 1 else "statement"


def heading_of(spec: CardSpec) -> str:
    """The heading, or what stands in for a missing one."""
    heading = _tidy(spec.heading)
    if heading:
        return heading
    if spec.index == 1 and spec.brief_title.strip():
        return _tidy(spec.brief_title)
    return _clip(first_sentence(spec.text), 90) or _tidy(spec.brief_title)


def first_sentence(text: str) -> str:
    """Up to the first full stop that is not within a number or after a single letter."""
    match = re.match(
        r"\s*(.+?(?<!\b\w)(?<!\b[DMS][rst])(?<!\bMrs)(?<!\bNo)(?<!\bvs)[.!?\u2026\u3002\uff01\uff1f]+[\"'\u201d\u2019)]*)(?:\s|$)",
        text,
        re.DOTALL,
    )
    return _tidy(match[1] if match else text)


def support_line(spec: CardSpec) -> str:
    """A short sentence under the heading; empty when there is none that is short or says more than the heading.

    With captions on, the sentence stands there already: a card that repeats it only competes for the eye.
    """
    if spec.caption_safe:
        return ""
    sentence = first_sentence(spec.text)
    same = _plain(sentence) == _plain(heading_of(spec))
    return "" if same or len(sentence) > _SUPPORT_CHARS else sentence


_NUMBER = r"(?<![\w.,/\u2013-])(?:[$\u20ac\u00a3\u00a5]\s?)?[+\u2212-]?\d+(?:[.,\u00a0\u202f ]\d{3})*(?:[.,]\d+)?"
_PERCENT = r"\s?(?:%|percent\b|per cent\b|prozent\b|pour cent\b|por ciento\b|per cento\b|procent\b)"
_SCALE = r"\s(?:thousand|million|billion|trillion|Millionen|Milliarden|millions|milliards|millones)\b"
_UNIT = (
    r"\s?(?:(?:°\s?[CF]?|km/h|mph|km\u00b2|m\u00b2|k[mg]|[cm]m|m|GW|MW|kW|kWh|[GMT]B|[GM]Hz|ms|x|\u00d7)(?![\w])"
    r"|(?:kilo|centi|milli)?(?:met|lit)(?:er|re)s?\b|miles?\b|feet\b"
    r"|tons?\b|tonnes?\b|kilograms?\b|grams?\b|pounds?\b|degrees?\b"
    r"|light[- ]years?\b|years?\b|centuries\b|decades?\b|months?\b|weeks?\b|days?\b|hours?\b|minutes?\b|seconds?\b"
    r"|times\b|people\b|species\b|calories\b|dollars?\b|euros?\b|watts?\b|volts?\b)"
)
_LEAD = re.compile(
    r"\b(less than|more than|fewer than|at least|at most|up to|nearly|almost|about|around|over|under|roughly"
    r"|only|just)\s+$",
    re.IGNORECASE,
)
_CURRENCY = r"[$\u20ac\u00a3\u00a5]\s?\d[\d.,]*"


def find_figure(text: str) -> Figure | None:
    """The most telling number: a percentage before a sum with its scale, before a quantity with its unit."""
    for tail, is_share in ((_PERCENT, True), (_SCALE, False), (_UNIT, False)):
        match = re.search(f"({_NUMBER})({tail})", text, re.IGNORECASE if tail != _UNIT else 0)
        if match:
            return _figure(text, match, is_share=is_share)
    match = re.search(f"(?<![\\w.,])({_CURRENCY})()", text)
    return _figure(text, match, is_share=False) if match else None


def _figure(text: str, match: re.Match[str], *, is_share: bool) -> Figure:
    number, tail = match[1].strip(), match[2].strip()
    label = _label(text[match.end() :])
    before = _LEAD.search(text[: match.start()])
    lead = before[1] if before else ""
    if is_share:
        share = _amount(number) / 100
        return Figure(number + "%", label, share if 0 <= share <= 1 else None, lead)
    if tail in ("x", "\u00d7") or tail.startswith("\u00b0"):
        return Figure(number + tail, label, None, lead)
    if len(tail) <= 4 or re.fullmatch(_SCALE, " " + tail, re.IGNORECASE):
        return Figure(f"{number} {tail}".strip(), label, None, lead)
    return Figure(number, f"{tail} {label}".strip(), None, lead)


def _amount(number: str) -> float:
    digits = re.sub(r"[^\d.]", "", number.replace(",", "."))
    whole, _, fraction = digits.rpartition(".")
    return float(f"{whole.replace('.', '')}.{fraction}") if whole else float(digits or 0)


def _label(rest: str) -> str:
    """The phrase after a figure, cut where a reader would pause."""
    phrase = re.split(r"[.!?;:\u2013\u2014(\n]|,(?!\d)", rest, maxsplit=1)[0]
    words = phrase.split()[:7]
    while words and len(words) == 7 and len(words[-1]) <= 3:
        words.pop()
    return " ".join(words)


def find_items(text: str) -> list[str]:
    """An enumeration: bullets, numbered steps, a list after a colon, or short things joined by commas."""
    bullets = re.findall(r"^\s*(?:[-*\u2022]|\d{1,2}[.)])\s+(.+)$", text, re.MULTILINE)
    steps = [_step(match) for match in _STEPS.finditer(text)]
    for found in (bullets, steps, _after_colon(text), _serial(text)):
        items = [_capital(_tidy(item).rstrip(".;,")) for item in found]
        items = [_clip(item, _ITEM_CHARS) for item in items if item]
        if len(items) >= (2 if found is bullets else 3):
            return items[:_MOST_ITEMS]
    return []


_STEPS = re.compile(
    r"\b(?:First|Second|Third|Fourth|Fifth|Next|Then|Finally|Lastly|Step \d+)(?:ly)?\s?[,:]\s*([^.!?]+)", re.IGNORECASE
)
_AND = r",?\s+(?:and|or|und|oder|et|ou|y|o|e)\s+"


def _step(match: re.Match[str]) -> str:
    return match[1].split(";")[0]


def _after_colon(text: str) -> list[str]:
    match = re.search(r":\s+([^.:!?\n]+)[.!?]?", text)
    if not match:
        return []
    parts = re.split(f"{_AND}|;\\s*|,\\s+", match[1])
    return parts if all(len(part.split()) <= 8 for part in parts) else []


_BEFORE_SERIES = re.compile(
    r".*\b(?:such as|like|including|includes?|between|from|of|are|were|need|needs|namely|wie|sind|zwischen|aus"
    r"|comme|entre|como|come|tra)\s+(.+)$",
    re.IGNORECASE | re.DOTALL,
)


def _serial(text: str) -> list[str]:
    """`… animals such as crabs, sea stars and eels.`: only after words that tell where the first item begins."""
    for sentence in re.split(r"(?<=[.!?])\s+", text):
        match = re.match(rf"(.*?)((?:,\s+[^,]+)+?){_AND}([^,]+?)[.!?]?$", sentence.strip())
        first = match and _BEFORE_SERIES.match(match[1])
        if not match or not first:
            continue
        items = [first[1], *(part for part in re.split(r",\s+", match[2]) if part), match[3].strip()]
        if all(len(item.split()) <= 3 for item in items):
            return items
    return []


_QUOTED = (
    re.compile(r"\u201c([^\u201d]{12,})\u201d|\"([^\"]{12,})\"|\u00ab\s?([^\u00bb]{12,}?)\s?\u00bb|\u201e([^\u201c]{12,})\u201c"
               r"|\u300c([^\u300d]{6,})\u300d"),
)  # fmt: skip
_NAME = r"((?:[A-Z][\w.'\u2019-]+)(?:\s(?:(?:de|van|von|der|la|of)\s)?[A-Z][\w.'\u2019-]+){0,3})"
_VERB = r"(?:said|says|wrote|writes|asked|noted|argued|explained|told|called|put it|observed|recalled|warned)"
_SPEAKERS = (
    re.compile(rf"{_VERB}\s+(?:the\s+\w+\s+)?{_NAME}"),
    re.compile(rf"{_NAME}\s+(?:once\s+|later\s+)?{_VERB}"),
    re.compile(rf"[\u2013\u2014-]\s*{_NAME}\s*\.?$", re.MULTILINE),
    re.compile(rf"(?:words of|according to|[Aa]s)\s+{_NAME}"),
)


def find_quote(text: str) -> Quote | None:
    """The longest quotation of at least four words, with its speaker when a verb or a dash names one."""
    found = [group for pattern in _QUOTED for groups in pattern.findall(text) for group in groups if group]
    found = [words for words in found if len(words.split()) >= 4 or len(words) > len(words.encode()) / 2 > 12]
    if not found:
        return None
    words = max(found, key=len)
    around = text.replace(words, " ")
    names = [match[1] for pattern in _SPEAKERS if (match := pattern.search(around))]
    speaker = names[0] if names and names[0] not in ("He", "She", "They", "It", "We", "I") else ""
    return Quote(_tidy(words).rstrip(","), speaker.rstrip("."))


def _tidy(text: str) -> str:
    return " ".join(re.sub(r"^\s*(?:[-*\u2022#]+|\d{1,2}[.)])\s+", "", text, flags=re.MULTILINE).split())


def _plain(text: str) -> str:
    return re.sub(r"\W+", " ", text).strip().lower()


def _clip(text: str, chars: int) -> str:
    if len(text) <= chars:
        return text
    kept = text[:chars].rsplit(" ", 1)[0]
    return kept.rstrip(",;:.- ") + "\u2026"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
