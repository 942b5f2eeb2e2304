"""Narration in lines: one line is one artifact, spoken in one go. A line is a sentence, or a clause of a long one.

What a line holds is what captions show, so it stays as typed; only white space and list marks go.
"""

from __future__ import annotations

import re

from stages.text.sentences import BULLET, CLOSERS, ENDS, sentences

# About 16 seconds of speech; the voices lose their melody, and one its words, in longer ones.
LONGEST = 240
# A Chinese or Japanese character takes as long as three letters.
_WIDE = 3
_BULLET_MARK = re.compile(r"^\s*[-*+•–]\s+")
_WIDE_CHARS = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff01-\uff60\uac00-\ud7af]")
# Where a long sentence may part, the best first: (after these, what it costs against an even cut).
_STRONG, _CLAUSE = ";:；：", ",—–，、"
_CONJUNCTIONS_LIST = """and but or so because although while when where which that if unless until since than then
    und aber oder denn weil dass wenn als ob während obwohl et mais ou donc car que qui dont quand y pero o porque cuando
    donde aunque e ma perché che quando dove"""
_CONJUNCTIONS = frozenset(_CONJUNCTIONS_LIST.split())


def split_lines(narration: str, language: str) -> list[str]:
    """The narration's lines in order. Nothing is lost but white space, list marks, and parts without a letter or digit."""
    lines: list[str] = []
    for block in _blocks(narration):
        for sentence in sentences(block, language):
            lines += _parts(sentence)
    return _speakable(lines)


def _blocks(text: str) -> list[str]:
    """Paragraphs and list items, each on one line of text."""
    blocks: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text):
        fresh = True
        for line in paragraph.splitlines():
            if not line.strip():
                continue
            if fresh or BULLET.match(line):
                blocks.append(_BULLET_MARK.sub("", line))
            else:
                blocks[-1] += f" {line}"
            fresh = False
    return [" ".join(block.split()) for block in blocks]


def _length(text: str) -> int:
    return len(text) + (_WIDE - 1) * len(_WIDE_CHARS.findall(text))


def _parts(sentence: str) -> list[str]:
    """A sentence in parts that are short enough, cut where it breathes and as evenly as that allows."""
    if _length(sentence) <= LONGEST:
        return [sentence]
    middle = _length(sentence) / 2
    best, cheapest = 0, float("inf")
    for cut, price in _cuts(sentence):
        before = _length(sentence[:cut])
        cost = abs(before - middle) / middle + price
        if cost < cheapest:
            best, cheapest = cut, cost
    if not best:
        return [sentence]
    return [*_parts(sentence[:best].rstrip()), *_parts(sentence[best:].lstrip())]


def _cuts(sentence: str) -> list[tuple[int, float]]:
    """Places to part, each with its price. A part of less than a few words is none."""
    found: list[tuple[int, float]] = []
    for match in re.finditer(r"\s+", sentence):
        before = sentence[: match.start()].rstrip(CLOSERS)[-1:]
        after = re.match(r"\w+", sentence[match.end() :])
        price = 1.2
        if before in _STRONG or before in ENDS:
            price = 0.0
        elif before in _CLAUSE:
            price = 0.2
        elif after and after[0].lower() in _CONJUNCTIONS:
            price = 0.6
        found.append((match.end(), price))
    found += [(match.end(), 0.2) for match in re.finditer(f"[；：，、](?![{re.escape(CLOSERS)}])", sentence)]
    if not found:
        found = [(match.end(), 1.2) for match in _WIDE_CHARS.finditer(sentence)]
    return [(cut, price) for cut, price in found if 12 < cut < len(sentence) - 12] or [
        (cut, price) for cut, price in found if 0 < cut < len(sentence)
    ]


def _speakable(lines: list[str]) -> list[str]:
    """A line without a letter or digit belongs to the one before it, or the one after."""
    kept: list[str] = []
    waiting = ""
    for line in lines:
        if any(char.isalnum() for char in line):
            kept.append(f"{waiting} {line}".strip())
            waiting = ""
        elif kept:
            kept[-1] += f" {line}"
        else:
            waiting = f"{waiting} {line}".strip()
    return kept
