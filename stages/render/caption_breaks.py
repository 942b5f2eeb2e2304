"""Where captions may break: words become atoms, and dynamic programming cuts the row of atoms into cues.

Breaks fall at ends of sentences and clauses and in pauses, so that each cue can be read in its time.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import NamedTuple

from stages.models import Word
from stages.render.models import PlacedLine

SAMPLE_RATE_HZ = 48_000
CHARACTERS_PER_SECOND = 20
SHORTEST_S = 5 / 6
LONGEST_S = 7.0

# What it costs to end a cue (or a line) at a place.
_SENTENCE, _CLAUSE, _CONJUNCTION, _PLAIN, _HANGING, _WITHIN_WORD = 0.0, 0.3, 0.5, 1.8, 2.8, 3.5
# What it costs to go on within a cue after a sentence, and then not to the next one's end.
_TWO_SENTENCES, _AND_NOT_WHOLE = 2.6, 1.5
_COMFORTABLE_S = 1.5

_SPACELESS = (
    "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3001-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff01-\uff9f\U00020000-\U0003ffff"
)
# Never the last of a line: opening brackets and the vowels that Thai and Lao write before their consonant.
_OPENING = r"(\[{\u201c\u2018\u300c\u300e\uff08\u300a\u3008\u3010\u0e40-\u0e44\u0ec0-\u0ec4"
# Never the first of a line: closing marks, small kana, combining marks.
_CLOSING = (
    r")\]}!?,.:;%\u201d\u2019\u2026\u3001\u3002\uff0c\uff0e\uff01\uff1f\uff1a\uff1b\u300d\u300f\uff09\u300b\u3009"
    r"\u3011\u30fb\u30fc\u3005\u3041\u3043\u3045\u3047\u3049\u3063\u3083\u3085\u3087\u30a1\u30a3\u30a5\u30a7\u30a9"
    r"\u30c3\u30e3\u30e5\u30e7\u0300-\u036f\u3099\u309a\u0e30-\u0e3a\u0e45-\u0e4e\u0eb0-\u0ebc\u0ec6-\u0ecd"
    r"\u102b-\u103e\u17b4-\u17d3\ufe00-\ufe0f\u200d"
)
_SPACELESS_CHAR = re.compile(f"[{_SPACELESS}]")
_CLUSTER = re.compile(
    f"[{_OPENING}]*(?:[0-9]*[{_SPACELESS}]|[^{_SPACELESS}{_OPENING}]+)(?:[\u17d2\u1039].|[{_CLOSING}])*|[{_OPENING}]+"
)
_QUOTES = "\"')]}\u201d\u2019\u00bb\u203a\u300d\u300f\uff09"
_SENTENCE_ENDS = tuple(".!?\u2026\u3002\uff01\uff1f\uff0e\u061f\u06d4\u0964")
_CLAUSE_ENDS = tuple(",;:\u2013\u2014\u3001\uff0c\uff1b\uff1a\u060c\u061b")
_ABBREVIATION = re.compile(r"^\W*(?:[A-Z]|Mrs?|Ms|Dr|St|Prof|vs|e\.g|i\.e|approx|ca|bzw|z\.B|d\.h|Nr)\.$")
_BEFORE = """and but or nor so yet because although though while when where which who that if unless until since than
    und aber oder denn sondern weil dass wenn als ob während obwohl et mais ou donc car que qui dont lorsque quand
    y e pero sino porque cuando donde aunque o ma perché che quando dove anche"""
_AFTER = """a an the of to in on at by for from with into as is are was were be my your his her its our their this these
    der die das den dem des ein eine einen einem einer von zu im am auf mit für le la les un une de du des au aux
    en à el los las del al lo gli il i di da con per su nel della dei"""
_CONJUNCTIONS, _LEANING = frozenset(_BEFORE.split()), frozenset(_AFTER.split())


class Atom(NamedTuple):
    """What is never broken further. `word` numbers the word it is (a part of); `glued` means no space before it."""

    text: str
    start_s: float
    end_s: float
    word: int
    line: int
    glued: bool
    silent: bool


def is_spaceless(char: str) -> bool:
    """Whether `char` is of a script that is written without spaces between words, or of its punctuation."""
    return bool(_SPACELESS_CHAR.match(char))


def has_spaceless(text: str) -> bool:
    """Whether there is one such character in `text`."""
    return bool(_SPACELESS_CHAR.search(text))


def atoms_of(lines: Sequence[PlacedLine], max_chars: int) -> Iterator[Atom]:
    number, before = 0, " "
    for position, line in enumerate(lines):
        start_s = line.start_sample / SAMPLE_RATE_HZ
        found: list[Atom] = []
        for word in line.words:
            number += 1
            for text, glued, from_s, to_s in _timed_pieces(word, max_chars):
                joined = glued or (is_spaceless(before) and is_spaceless(text[0]))
                found.append(Atom(text, start_s + from_s, start_s + to_s, number, position, joined, line.silent))
                before = text[-1]
            before = " " if word.text[-1:].isspace() else before
        if line.silent and found:
            found[0] = found[0]._replace(start_s=start_s)
            found[-1] = found[-1]._replace(end_s=start_s + line.samples / SAMPLE_RATE_HZ)
        yield from found


def text_of(atoms: Sequence[Atom]) -> str:
    """One line of text."""
    return atoms[0].text + "".join(atom.text if atom.glued else " " + atom.text for atom in atoms[1:])


def _timed_pieces(word: Word, max_chars: int) -> Iterator[tuple[str, bool, float, float]]:
    pieces = list(_pieces(word.text, max_chars))
    if len(pieces) == 1:
        yield *pieces[0], word.start_s, word.end_s
        return
    ends = list(accumulate((width_of(text) for text, _ in pieces), initial=0))
    scale = (word.end_s - word.start_s) / max(ends[-1], 1)
    for (text, glued), (left, right) in zip(pieces, pairwise(ends), strict=True):
        yield text, glued, word.start_s + left * scale, word.start_s + right * scale


def _pieces(text: str, max_chars: int) -> Iterator[tuple[str, bool]]:
    """Parts of a word as (text, whether it is glued to the part before)."""
    for token in text.split():
        clusters = _CLUSTER.findall(token) if _SPACELESS_CHAR.search(token) else [token]
        glued = False
        for cluster in clusters:
            for part in _chopped(cluster, max_chars):
                yield part, glued
                glued = True


def _chopped(text: str, max_chars: int) -> Iterator[str]:
    """`text` in parts of at most `max_chars`, cut after the marks of an address where there are any."""
    while width_of(text) > max_chars:
        end = max(bisect_right(range(len(text)), max_chars, key=lambda count: width_of(text[:count])) - 1, 1)
        mark = max(text.rfind(mark, end // 2, end) for mark in "/?&=#._-") + 1
        end = mark or end
        while end > 1 and unicodedata.combining(text[end]):
            end -= 1
        yield text[:end]
        text = text[end:]
    yield text


@lru_cache(maxsize=65536)
def width_of(text: str) -> int:
    """Columns that a text takes: a wide character counts twice."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(char) in ("W", "F") else 1 for char in text)


class Row:
    """All atoms of a scene side by side, and what it costs to break between them."""

    def __init__(self, atoms: Sequence[Atom], max_chars: int, limit_s: float) -> None:
        self.atoms = atoms
        self.max_chars = max_chars
        # When each atom is spoken, and the end of the scene's own frames.
        self.starts_s = [*(atom.start_s for atom in atoms), limit_s]
        self.begin: list[int] = []
        self.stop: list[int] = []
        for atom in atoms:
            self.begin.append((self.stop[-1] if self.stop else 0) + (not atom.glued))
            self.stop.append(self.begin[-1] + width_of(atom.text))
        self.breaks = [0.0, *(_break_cost(*pair) for pair in pairwise(atoms)), 0.0]
        self.inner = [0.0, *accumulate(_inner_cost(*pair) for pair in pairwise(atoms))]

    def cut(self) -> list[tuple[int, int]]:
        """The cheapest cues, each as its first atom and the one after its last."""
        cost, came_from, lowest = [0.0], [0], 0
        for last in range(1, len(self.atoms) + 1):
            while not self._may_share(lowest, last):
                lowest += 1
            best, first = self._cheapest(cost, lowest, last)
            cost.append(best)
            came_from.append(first)
        edges = [len(self.atoms)]
        while edges[-1]:
            edges.append(came_from[edges[-1]])
        return list(pairwise(reversed(edges)))

    def lines(self, first: int, last: int) -> list[tuple[int, int]]:
        """A cue's one or two lines: of even length, broken where the sense breaks, no short word alone."""
        if self.width(first, last) <= self.max_chars:
            return [(first, last)]
        _, middle = min((self._split_cost(first, at, last), at) for at in range(first + 1, last))
        return [(first, middle), (middle, last)]

    def width(self, first: int, last: int) -> int:
        """Characters from the first atom to the one before `last`, as if on one line."""
        return self.stop[last - 1] - self.begin[first]

    def _may_share(self, first: int, last: int) -> bool:
        """Whether atoms `[first, last)` can be one cue at all. If they cannot, no longer row can."""
        if first == last - 1:
            return True
        start, end = self.atoms[first], self.atoms[last - 1]
        if end.end_s - start.start_s > LONGEST_S or start.silent != end.silent:
            return False
        return (start.line == end.line or not start.silent) and self._fits(first, last)

    def _fits(self, first: int, last: int) -> bool:
        start, end = self.begin[first], self.stop[last - 1]
        if end - start <= self.max_chars:
            return True
        middle = bisect_right(self.stop, start + self.max_chars, lo=first)
        return end - self.begin[middle] <= self.max_chars

    def _cheapest(self, cost: Sequence[float], lowest: int, last: int) -> tuple[float, int]:
        """The least cost of all cues up to `last`, and where the last of them starts. Runs for every pair of breaks."""
        following_s = self.starts_s[last]
        ended, passed, stop = 1 + self.breaks[last], self.inner[last - 1], self.stop[last - 1]
        best, chosen = float("inf"), last - 1
        for first in range(last - 1, lowest - 1, -1):
            inner = passed - self.inner[first]
            total = cost[first] + ended + inner
            if total >= best:
                continue
            width, shown_s = stop - self.begin[first], following_s - self.starts_s[first]
            room = 1 - width / (2 * self.max_chars)
            total += 1.5 * room * room
            if inner >= _TWO_SENTENCES and ended > 1 + _CLAUSE:
                total += _AND_NOT_WHOLE
            if shown_s < _COMFORTABLE_S:
                total += 0.4 if shown_s >= SHORTEST_S else 1.9 + 6 * (1 - shown_s / SHORTEST_S)
            if width > shown_s * CHARACTERS_PER_SECOND:
                total += 1 + 6 * min(width / max(shown_s * CHARACTERS_PER_SECOND, 1e-3) - 1, 2.0)
            if total < best:
                best, chosen = total, first
        return best, chosen

    def _split_cost(self, first: int, at: int, last: int) -> float:
        upper, lower = self.width(first, at), self.width(at, last)
        cost = abs(upper - lower) / self.max_chars + 0.4 * self.breaks[at] + (0.05 if upper > lower else 0.0)
        if max(upper, lower) > self.max_chars:
            cost += 100.0
        if min(upper, lower) <= max(5, self.max_chars // 5):
            cost += 2.0
        return cost


def _break_cost(before: Atom, after: Atom) -> float:
    if before.line != after.line:
        return _SENTENCE
    pause_s = after.start_s - before.end_s
    relief = min(pause_s, 0.6) if pause_s >= 0.2 else 0.0
    return max(_sense(before.text, after.text, before.word == after.word and after.glued) - relief, 0.0)


def _inner_cost(before: Atom, after: Atom) -> float:
    """What it costs not to break here."""
    pause_s = max(after.start_s - before.end_s, 0.0)
    ended = before.line != after.line or _ends_sentence(before.text)
    return (_TWO_SENTENCES if ended else 0.0) + (min(pause_s, 1.0) if pause_s >= 0.3 else 0.0)


@lru_cache(maxsize=65536)
def _sense(before: str, after: str, within_word: bool) -> float:
    bare = before.rstrip(_QUOTES)
    if _ends_sentence(before):
        return _SENTENCE
    if bare.endswith(_CLAUSE_ENDS):
        return _CLAUSE
    if within_word:
        return _PLAIN if is_spaceless(before[-1]) or is_spaceless(after[0]) else _WITHIN_WORD
    if bare.lower() in _LEANING or _ABBREVIATION.search(bare):
        return _HANGING
    return _CONJUNCTION if after.lower() in _CONJUNCTIONS else _PLAIN


@lru_cache(maxsize=65536)
def _ends_sentence(text: str) -> bool:
    bare = text.rstrip(_QUOTES)
    return bare.endswith(_SENTENCE_ENDS) and not _ABBREVIATION.search(bare)
