"""A text's paragraphs, sentences and headings, in order."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from stages.script.words import count_words, primary

_BULLET = re.compile(r"^\s*(?:[-*\u2022\u2013]|\d{1,2}[.)])\s+")
_ENDS = (".", "!", "?", "\u2026", "\u3002", "\uff01", "\uff1f")
_CLOSERS = "\"')]\u201d\u2019\u00bb\u203a\u201c"
_HEADING_MOST_WORDS = 9

#: Words that point back: a sentence that starts with one needs the sentence before it.
_POINTING = {
    "en": """but and or so yet also it its they their them he she his her this these those that such then thus there
        therefore however instead moreover furthermore still nor both neither otherwise meanwhile similarly even""",
    "de": """aber und oder er sie es ihr ihre dies diese dieser dieses das dann daher darum deshalb dennoch doch jedoch
        trotzdem dort damit dabei auch so sein seine denn dadurch außerdem""",
    "fr": """mais et ou il elle ils elles ce cela ceci cette ces ainsi donc alors cependant pourtant aussi puis son sa
        ses leur leurs car ceux celui celle enfin""",
    "es": """pero y o él ella ellos ellas este esta esto estos estas eso así entonces sin embargo también luego su sus
        además por tanto pues""",
    "it": """ma e o egli lui lei essi loro questo questa questi queste ciò così quindi dunque però tuttavia anche poi suo
        sua suoi infatti inoltre""",
}
_POINTING_SETS = {language: frozenset(text.split()) for language, text in _POINTING.items()}


@dataclass(frozen=True)
class Sentence:
    """One sentence. `heading` is the text's own heading right above it; `leans` means it needs the one before."""

    text: str
    opens_paragraph: bool = False
    heading: str = ""
    leans: bool = False


def split(text: str, language: str, check: Callable[[], None] = lambda: None) -> list[Sentence]:
    """All sentences in order. `check` is called between paragraphs and may raise to stop."""
    found: list[Sentence] = []
    heading = ""
    for paragraph in _paragraphs(text):
        check()
        if _is_heading(paragraph):
            heading = paragraph.rstrip(":")
            continue
        for number, sentence in enumerate(_sentences(paragraph, primary(language))):
            opens = number == 0
            found.append(Sentence(sentence, opens, heading if opens else "", _leans(sentence, primary(language))))
            heading = "" if opens else heading
    return found


def _paragraphs(text: str) -> list[str]:
    """Paragraphs with their lines joined; each item of a list is one, and ends like a sentence."""
    paragraphs: list[str] = []
    for block in re.split(r"\n\s*\n", text.strip()):
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
        paragraphs += [_ended(line) if index in items else line for index, line in enumerate(lines) if line.strip()]
    return [" ".join(paragraph.split()) for paragraph in paragraphs]


def _ended(text: str) -> str:
    text = text.rstrip(" ;,")
    return text if text.rstrip(_CLOSERS).endswith((*_ENDS, ":")) else f"{text}."


def _is_heading(paragraph: str) -> bool:
    return count_words(paragraph) <= _HEADING_MOST_WORDS and not paragraph.rstrip(_CLOSERS).endswith(_ENDS)


def _sentences(paragraph: str, language: str) -> list[str]:
    """pysbd's sentences; what it cuts inside quotation marks or brackets is put together again."""
    parts = [part.strip() for part in _segmenter(language).segment(paragraph) if part.strip()]
    whole: list[str] = []
    for part in parts:
        if whole and (_is_open(whole[-1]) or not any(char.isalnum() for char in part) or _goes_on(whole[-1], part)):
            whole[-1] += part if part[0] in _CLOSERS and len(part) == 1 else f" {part}"
        else:
            whole.append(part)
    return whole


def _is_open(sentence: str) -> bool:
    """Whether a quotation or bracket is still open; a few sentences at most, lest one stray mark swallow all."""
    if count_words(sentence) > 60:
        return False
    pairs = (("\u201c", "\u201d"), ("\u00ab", "\u00bb"), ("(", ")"))
    if "\u201e" in sentence:
        pairs = (("\u201e", "\u201c"), ("\u00bb", "\u00ab"), ("(", ")"))
    crooked = any(sentence.count(left) > sentence.count(right) for left, right in pairs)
    return crooked or sentence.count('"') % 2 == 1


def _goes_on(before: str, part: str) -> bool:
    """`"Go home!" she said.` is one sentence, though a mark stands in its middle."""
    return part[0].islower() and before[-1] in _CLOSERS


def _leans(sentence: str, language: str) -> bool:
    first = re.match(r"[^\w]*([^\W\d_]+)", sentence)
    return bool(first) and first[1].casefold() in _POINTING_SETS.get(language, frozenset())


@lru_cache(maxsize=8)
def _segmenter(language: str) -> Any:
    import pysbd
    from pysbd.languages import LANGUAGE_CODES

    return pysbd.Segmenter(language=language if language in LANGUAGE_CODES else "en", clean=False)
