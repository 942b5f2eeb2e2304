"""A text's paragraphs, sentences and headings, in order."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from stages.script.offline.pointing import leans
from stages.script.words import count_words
from stages.text.languages import primary
from stages.text.sentences import BULLET, CLOSERS, ENDS, sentences

_HEADING_MOST_WORDS = 9
_ANNOUNCING_MOST_WORDS = 7
_FEW_WORDS, _FEW_CHARS = 5, 50
_CONTRAST = re.compile(
    r"(?:but|however|yet|still|aber|doch|jedoch|mais|cependant|pourtant|pero|sin embargo|ma|però)\b", re.I
)
#: A sentence longer than this is cut at a pause into parts of about half of it.
_LONGEST_WORDS = 60
_PAUSE = re.compile(r"(?<=[;:,\u2013\u2014\u2026\uff0c\u3001\uff1b])\s*")


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
    for sentence in sentences(paragraph, language):
        for number, part in enumerate(_parts(sentence)):
            opens = not found
            # Parts of one sentence belong together; where there is no punctuation at all, nobody can tell.
            goes_on = number > 0 and any(mark in sentence for mark in ENDS)
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
            if BULLET.match(line):
                items.add(len(lines))
                lines.append(BULLET.sub("", line).strip())
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
        line[:1].isupper() and not BULLET.match(line) and not line.rstrip(CLOSERS).endswith((*ENDS, ","))
        for line in lines
    )


def _ended(text: str) -> str:
    text = text.rstrip(" ;,")
    return text if text.rstrip(CLOSERS).endswith((*ENDS, ":")) else f"{text}."


def _is_heading(paragraph: str) -> bool:
    return not paragraph.rstrip(CLOSERS).endswith(ENDS) and count_words(paragraph) <= _HEADING_MOST_WORDS
