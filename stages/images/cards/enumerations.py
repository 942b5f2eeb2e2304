"""What a text enumerates without the marks of a list: steps, a list after a colon, short things joined by commas."""

from __future__ import annotations

import re

from stages.models import ListItem
from stages.text.binding import QUOTES
from stages.text.sentences import ends_sentence
from stages.text.sentences import sentences as in_sentences

_MARKED = re.compile(r"^[ \t]*(?:[-*\u2022]|(?P<number>\d{1,2})[.)])[ \t]+(?P<text>.+)$", re.MULTILINE)
_STEP = re.compile(
    r"\b(?:First|Second|Third|Fourth|Fifth|Next|Then|Finally|Lastly|Step \d+)(?:ly)?\s?[,:]\s*([^;]+)", re.IGNORECASE
)
_AND = r",?\s+(?:and|or|und|oder|et|ou|y|o|e)\s+"
_PARTS = re.compile(f"{_AND}|;\\s*|,\\s+")
_BEFORE_SERIES = re.compile(
    r".*\b(?:such as|like|including|includes?|between|from|of|are|were|need|needs|namely|wie|sind|zwischen|aus"
    r"|comme|entre|como|come|tra)\s+(.+)$",
    re.IGNORECASE | re.DOTALL,
)
_BULLET = "\u2022"
_LONGEST_PART, _LONGEST_SERIAL = 8, 3


def find_items(text: str, language: str = "") -> list[ListItem]:
    """The items, three or more, or two where they have marks; none where it is not certain where each begins and ends."""
    marked = [ListItem(found["text"], found["number"] or _BULLET) for found in _MARKED.finditer(text)]
    items = [item._replace(text=text) for item in marked if (text := _item(item.text, language))]
    if len(items) > 1:
        return items
    sentences = sentences_of(text, language)
    steps = [found[1] for sentence in sentences for found in _STEP.finditer(_bare(sentence))]
    for texts in (steps, _after_colon(sentences), _serial(sentences)):
        found = [_item(text, language) for text in texts]
        if len(found) > 2 and all(found):
            return [ListItem(text, str(number)) for number, text in enumerate(found, 1)]
    return []


def sentences_of(text: str, language: str = "") -> list[str]:
    """A text's sentences, none of which goes on over the end of a line."""
    return [" ".join(found.split()) for line in text.splitlines() for found in in_sentences(line, language)]


def _after_colon(sentences: list[str]) -> list[str]:
    for sentence in sentences:
        _, colon, rest = _bare(sentence).partition(": ")
        parts = _PARTS.split(rest.strip())
        if colon and ": " not in rest and len(parts) > 2:
            return parts if all(len(part.split()) <= _LONGEST_PART for part in parts) else []
    return []


def _serial(sentences: list[str]) -> list[str]:
    """`\u2026 animals such as crabs, sea stars and eels.`: only after words that tell where the first item begins."""
    for sentence in sentences:
        match = re.match(rf"(.*?)((?:,\s+[^,]+)+?){_AND}([^,]+)$", _bare(sentence))
        first = match and _BEFORE_SERIES.match(match[1])
        if not match or not first:
            continue
        items = [first[1], *(part for part in re.split(r",\s+", match[2]) if part), match[3].strip()]
        if all(len(item.split()) <= _LONGEST_SERIAL for item in items):
            return items
    return []


def _bare(sentence: str) -> str:
    """A sentence without the mark at its end."""
    return sentence.strip().rstrip(QUOTES).rstrip(".!?\u2026\u3002\uff01\uff1f")


def _item(text: str, language: str) -> str:
    text = " ".join(text.split())
    stem = text.rstrip(";,")
    if ends_sentence(stem.split(" ")[-1], "", language):
        stem = stem.rstrip(".\u3002")
    return stem[:1].upper() + stem[1:]
