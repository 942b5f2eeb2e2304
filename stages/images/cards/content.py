"""What a card shows of its scene: the layout its words ask for, and the words that are worth the space."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from stages.images.cards.enumerations import find_items, sentences_of
from stages.images.cards.figures import find_figure
from stages.models import ListItem
from stages.text.binding import binds

Layout = Literal["title", "statement", "list", "number", "quote"]

_SUPPORT_CHARS, _HEADING_CHARS = 150, 90
# A name, and where it was said.
_MOST_SPEAKER_WORDS = 8


@dataclass(frozen=True)
class CardSpec:
    """One card. `index` counts from 1. `caption_safe` keeps text out of where burned captions go (`SAFE_BOTTOM`).

    `theme` is a palette's name or `auto`. `items` are those of a list that the text was written as.
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
    items: tuple[ListItem, ...] = ()


@dataclass(frozen=True)
class Quote:
    """Words between quotation marks, and who said them, if the text says so."""

    words: str
    speaker: str


def choose_layout(spec: CardSpec) -> Layout:
    """By content: what was written as a list is one, and the first of several scenes is a title.

    Then a quotation, a figure, an enumeration in a sentence, a statement.
    """
    if len(spec.items) > 1:
        return "list"
    if spec.index == 1 and spec.total > 1:
        return "title"
    if find_quote(spec.text):
        return "quote"
    if find_figure(f"{spec.text}\n{spec.heading}", spec.language):
        return "number"
    if items_of(spec):
        return "list"
    return "title" if spec.index == 1 else "statement"


def items_of(spec: CardSpec) -> list[ListItem]:
    """What the card enumerates: its list, or what its text enumerates in a sentence."""
    return list(spec.items) if len(spec.items) > 1 else find_items(spec.text, spec.language)


def heading_of(spec: CardSpec) -> str:
    """The heading, or what stands in for a missing one."""
    heading = _tidy(spec.heading)
    if heading:
        return heading
    if spec.index == 1 and spec.brief_title.strip():
        return _tidy(spec.brief_title)
    sentence = first_sentence(spec.text, spec.language)
    if len(spec.items) > 1 and _plain(sentence) == _plain(spec.items[0].text):
        # The list says it already.
        return _tidy(spec.brief_title)
    return _clip(sentence, _HEADING_CHARS) or _tidy(spec.brief_title)


def first_sentence(text: str, language: str = "") -> str:
    """Up to the first mark that ends a sentence: none within a number, nor that of an abbreviation."""
    paragraphs = re.split(r"\n[ \t]*\n", text)
    return next((sentence for part in paragraphs for sentence in sentences_of(_tidy(part), language)), "")


def support_line(spec: CardSpec) -> str:
    """A short sentence under the heading; empty when there is none that is short or says more than the heading.

    With captions on, the sentence stands there already: a card that repeats it only competes for the eye.
    """
    if spec.caption_safe:
        return ""
    sentence = first_sentence(spec.text, spec.language)
    same = _plain(sentence) == _plain(heading_of(spec))
    return "" if same or len(sentence) > _SUPPORT_CHARS else sentence


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
# What a dash at a text's end ascribes to somebody: the paragraph above it, or what ends as a sentence on the same line.
_ASCRIBED = re.compile(
    r"(?:^|\n)(?P<words>(?![-*\u2022\u2013-\u2015])[^\n]{12,240}?)(?:\n\s*|(?<=[.!?\u2026\u3002\uff01\uff1f\u201d\u00bb])\s+)"
    r"(?:[\u2013-\u2015]|--)\s*(?P<speaker>[^\s\d\u2013-\u2015-][^\n\u2013-\u2015!?]{1,60})\s*$"
)


def find_quote(text: str) -> Quote | None:
    """The longest quotation of at least four words, with its speaker when a verb or a dash names one.

    Without quotation marks, what a dash at the end ascribes to somebody.
    """
    found = [group for pattern in _QUOTED for groups in pattern.findall(text) for group in groups if group]
    found = [words for words in found if len(words.split()) >= 4 or len(words) > len(words.encode()) / 2 > 12]
    if not found:
        return _ascribed(text)
    words = max(found, key=len)
    around = text.replace(words, " ")
    names = [match[1] for pattern in _SPEAKERS if (match := pattern.search(around))]
    speaker = names[0] if names and names[0] not in ("He", "She", "They", "It", "We", "I") else ""
    return Quote(_tidy(words).rstrip(","), speaker.rstrip("."))


def _ascribed(text: str) -> Quote | None:
    match = _ASCRIBED.search(text.rstrip())
    if not match or match["speaker"][0].islower() or len(match["speaker"].split()) > _MOST_SPEAKER_WORDS:
        return None
    return Quote(_tidy(match["words"]), match["speaker"].rstrip(". "))


def _tidy(text: str) -> str:
    return " ".join(re.sub(r"^\s*(?:[-*\u2022#]+|\d{1,2}[.)])\s+", "", text, flags=re.MULTILINE).split())


def _plain(text: str) -> str:
    return re.sub(r"\W+", " ", text).strip().lower()


def _clip(text: str, chars: int) -> str:
    if len(text) <= chars:
        return text
    words = text.split()
    while len(words) > 1 and len(" ".join(words)) > chars:
        following = words.pop()
        while len(words) > 1 and binds(words[-1], following):
            following = words.pop()
    kept = " ".join(words)[:chars]
    return kept.rstrip(",;:.- ") + "\u2026"
