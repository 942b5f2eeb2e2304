"""A text's paragraphs, sentences and headings, in order."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from stages.script.pointing import leans
from stages.script.words import count_words, primary

_BULLET = re.compile(r"^\s*(?:[-*\u2022\u2013]|\d{1,2}[.)])\s+")
_ENDS = (".", "!", "?", "\u2026", "\u3002", "\uff01", "\uff1f")
_CLOSERS = "\"')]\u201d\u2019\u00bb\u203a\u201c"
_HEADING_MOST_WORDS = 9
_ANNOUNCING_MOST_WORDS = 7
_FEW_WORDS, _FEW_CHARS = 5, 50
_CONTRAST = re.compile(
    r"(?:but|however|yet|still|aber|doch|jedoch|mais|cependant|pourtant|pero|sin embargo|ma|però)\b", re.I
)
#: A sentence longer than this is cut at a pause into parts of about half of it.
_LONGEST_WORDS = 60
_PAUSE = re.compile(r"(?<=[;:,\u2013\u2014\u2026\uff0c\u3001\uff1b])\s*")
#: After a quotation that ends like a sentence, a capital begins the next one.
_AFTER_QUOTATION = re.compile(
    r"(?<=[.!?\u2026][\u201d\u00bb\u2019])\s+(?=[A-Z\u00c0-\u00de])|"
    r"(?<=[.!?\u2026] \u00bb)\s+(?=[A-Z\u00c0-\u00de])"
)
#: Titles that pysbd ends a sentence after in some languages, though a name follows.
_TITLED = re.compile(r"(?:^|\s)(?:Sra?|Srta|Dra?|Dott|Prof|Sig|Mme|Mlle|Mrs?|Ms|St|Sta|Av|Avda|Ing|Hr|Fr|Nr)\.$")
_ABBREVIATED = re.compile(r"(?:^|\s)(?:[^\W\d_]{1,4}|\d{1,3})\.$")


@dataclass(frozen=True)
class Sentence:
    """One sentence. `heading` is the text's own heading right above it; `leans` means it needs the one before."""

    text: str
    opens_paragraph: bool = False
    heading: str = ""
    leans: bool = False

    @property
    def announces(self) -> bool:
        """Whether it says little but that something follows: `The result was startling.`"""
        return self.text.endswith(":") or (
            (self.opens_paragraph or bool(_CONTRAST.match(self.text)))
            and count_words(self.text) <= _ANNOUNCING_MOST_WORDS
        )


def split(text: str, language: str, check: Callable[[], None] = lambda: None) -> list[Sentence]:
    """All sentences in order, none of them without a word. `check` is called between paragraphs and may raise to stop.

    A short line without a full stop is the heading of what follows; where nothing follows, it is a sentence.
    """
    found: list[Sentence] = []
    lines: list[str] = []
    for paragraph, may_head in _paragraphs(text):
        check()
        if not any(char.isalnum() for char in paragraph):
            continue
        if may_head and _is_heading(paragraph):
            lines.append(paragraph)
            continue
        # More than two such lines one after the other are a list, and only the last may head what follows.
        *spoken, heading = lines if len(lines) > 2 else ["", ": ".join(line.rstrip(":") for line in lines)]
        found += [Sentence(_ended(line), True) for line in spoken if line]
        lines = []
        found += _of_paragraph(paragraph, heading.rstrip(":"), primary(language))
    return found + [Sentence(_ended(line), True) for line in lines]


def _of_paragraph(paragraph: str, heading: str, language: str) -> list[Sentence]:
    found: list[Sentence] = []
    for sentence in _sentences(paragraph, language):
        for number, part in enumerate(_parts(sentence)):
            opens = not found
            # Parts of one sentence belong together; where there is no punctuation at all, nobody can tell.
            goes_on = number > 0 and any(mark in sentence for mark in _ENDS)
            # A few words rarely stand alone: `The spot was there.`
            goes_on = goes_on or (not opens and len(part) < _FEW_CHARS and count_words(part) <= _FEW_WORDS)
            found.append(Sentence(part, opens, heading if opens else "", goes_on or leans(part, language)))
    return found


def _parts(sentence: str) -> list[str]:
    """The sentence, or, when nobody could say it in one breath, its parts between pauses."""
    # A word with its space takes two characters at least: most sentences need no counting.
    if len(sentence) < _LONGEST_WORDS or count_words(sentence) <= _LONGEST_WORDS:
        return [sentence] if any(char.isalnum() for char in sentence) else []
    parts: list[str] = []
    for piece in _PAUSE.split(sentence):
        if parts and count_words(parts[-1]) + count_words(piece) <= _LONGEST_WORDS // 2:
            parts[-1] += f" {piece}"
        else:
            parts += _chopped(piece)
    return [part for part in parts if count_words(part)]


def _chopped(piece: str) -> list[str]:
    if count_words(piece) <= _LONGEST_WORDS:
        return [piece]
    tokens = (
        piece.split()
        if " " in piece
        else [piece[at : at + _LONGEST_WORDS] for at in range(0, len(piece), _LONGEST_WORDS)]
    )
    size = _LONGEST_WORDS // 2 if " " in piece else 1
    return [" ".join(tokens[at : at + size]) for at in range(0, len(tokens), size)]


def _paragraphs(text: str) -> list[tuple[str, bool]]:
    """Paragraphs with their lines joined, and whether each may be a heading.

    Each item of a list is a paragraph that ends like a sentence; so is what announces the list.
    """
    paragraphs: list[tuple[str, bool]] = []
    for block in re.split(r"\n\s*\n", text.strip()):
        if _is_line_by_line(block):
            paragraphs += [(_ended(line.strip()), False) for line in block.split("\n")]
            continue
        lines: list[str] = []
        items: set[int] = set()
        for line in block.split("\n"):
            if _BULLET.match(line):
                items.add(len(lines))
                lines.append(_BULLET.sub("", line).strip())
            elif lines:
                lines[-1] += " " + line.strip()
            else:
                lines.append(line.strip())
        paragraphs += [
            (_ended(line), False) if index in items else (line, not items)
            for index, line in enumerate(lines)
            if line.strip()
        ]
    return [(" ".join(paragraph.split()), may_head) for paragraph, may_head in paragraphs]


def _is_line_by_line(block: str) -> bool:
    """Whether each line is a sentence that has no full stop, as people write for a teleprompter."""
    lines = [line.strip() for line in block.split("\n")]
    return len(lines) > 2 and all(
        line[:1].isupper() and not _BULLET.match(line) and not line.rstrip(_CLOSERS).endswith((*_ENDS, ","))
        for line in lines
    )


def _ended(text: str) -> str:
    text = text.rstrip(" ;,")
    return text if text.rstrip(_CLOSERS).endswith((*_ENDS, ":")) else f"{text}."


def _is_heading(paragraph: str) -> bool:
    return not paragraph.rstrip(_CLOSERS).endswith(_ENDS) and count_words(paragraph) <= _HEADING_MOST_WORDS


def _sentences(paragraph: str, language: str) -> list[str]:
    """pysbd's sentences; what it cuts inside quotation marks, brackets or abbreviations is put together again."""
    segments = [part for part in _segmenter(language).segment(paragraph) if part.strip()]
    parts = [piece.strip() for part in segments for piece in _AFTER_QUOTATION.split(part)]
    whole: list[str] = []
    for part in parts:
        if whole and (_is_open(whole[-1]) or not any(char.isalnum() for char in part) or _goes_on(whole[-1], part)):
            whole[-1] += part if part[0] in _CLOSERS and len(part) == 1 else f" {part}"
        else:
            whole.append(part)
    return whole


def _is_open(sentence: str) -> bool:
    """Whether a quotation or bracket is still open; a few sentences at most, lest one stray mark swallow all."""
    pairs = (("\u201c", "\u201d"), ("\u00ab", "\u00bb"), ("(", ")"))
    if "\u201e" in sentence:
        pairs = (("\u201e", "\u201c"), ("\u00bb", "\u00ab"), ("(", ")"))
    crooked = any(sentence.count(left) > sentence.count(right) for left, right in pairs)
    return (crooked or sentence.count('"') % 2 == 1) and count_words(sentence) <= _LONGEST_WORDS


def _goes_on(before: str, part: str) -> bool:
    """`"Go home!" she said.` is one sentence, though a mark stands in its middle; so is `Im 18. Jh. kam ...`."""
    if part[0].islower():
        return before[-1] in _CLOSERS or bool(_ABBREVIATED.search(before))
    return bool(_TITLED.search(before))


@lru_cache(maxsize=8)
def _segmenter(language: str) -> Any:
    import pysbd
    from pysbd.languages import LANGUAGE_CODES

    return pysbd.Segmenter(language=language if language in LANGUAGE_CODES else "en", clean=False)
