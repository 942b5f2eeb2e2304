"""Where captions may break: words become atoms, and dynamic programming cuts the row of atoms into cues.

Breaks fall at ends of sentences and clauses and in pauses, so that each cue can be read in its time.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import NamedTuple

from stages.models import Word
from stages.render.specs import PlacedLine
from stages.text.binding import binds
from stages.text.clusters import columns, is_wide
from stages.text.line_breaks import Seam, cut_to_fit, parts_of
from stages.text.phrases import has_spaceless, is_spaceless
from stages.text.sentences import ends_sentence

SAMPLE_RATE_HZ = 48_000
CHARACTERS_PER_SECOND = 20
SHORTEST_S = 5 / 6
LONGEST_S = 7.0
# Full-width characters in a line, and read in a second.
_WIDE_PER_LINE, _WIDE_PER_SECOND = 16, 9

# What it costs to end a cue (or a line) at a place.
_SENTENCE, _CLAUSE, _CONJUNCTION, _PLAIN, _PHRASE = 0.0, 0.3, 0.5, 1.8, 2.1
_HANGING, _WITHIN_WORD, _TORN = 2.8, 3.5, 8.0
# What it costs to go on within a cue after a sentence, and then not to the next one's end.
_TWO_SENTENCES, _AND_NOT_WHOLE = 2.6, 1.5
_COMFORTABLE_S = 1.5

_QUOTES = "\"')]}\u201d\u2019\u00bb\u203a\u300d\u300f\uff09"
_CLAUSE_ENDS = tuple(",;:\u2013\u2014\u3001\uff0c\uff1b\uff1a\u060c\u061b")
_BEFORE = """and but or nor so yet because although though while when where which who that if unless until since than
    und aber oder denn sondern weil dass wenn als ob während obwohl et mais ou donc car que qui dont lorsque quand
    y e pero sino porque cuando donde aunque o ma perché che quando dove anche"""
_AFTER = """a an the of to in on at by for from with into as is are was were be my your his her its our their this these
    der die das den dem des ein eine einen einem einer von zu im am auf mit für le la les un une de du des au aux
    en à el los las del al lo gli il i di da con per su nel della dei"""
_CONJUNCTIONS, _LEANING = frozenset(_BEFORE.split()), frozenset(_AFTER.split())


class Atom(NamedTuple):
    """What is never broken further. `word` numbers the word it is (a part of); `glued` means no space before it.

    `seam` tells how well a line ends before it.
    """

    text: str
    start_s: float
    end_s: float
    word: int
    line: int
    glued: bool
    silent: bool
    seam: Seam = Seam.SPACE


def atoms_of(lines: Sequence[PlacedLine], max_chars: int, language: str = "") -> Iterator[Atom]:
    """A scene's words; those of scripts without spaces in phrases, and what is wider than a line cut to fit."""
    number, before = 0, " "
    for position, line in enumerate(lines):
        # Only Chinese and Japanese put no space between sentences either.
        before = before if is_wide(before) else " "
        start_s = line.start_sample / SAMPLE_RATE_HZ
        found: list[Atom] = []
        for run in _runs(line.words):
            for part in _parts(run, max_chars, language):
                text, glued, seam = part.text, part.glued, part.seam
                if not glued and is_spaceless(before) and is_spaceless(text[0]):
                    glued, seam = True, Seam.PHRASE
                elif found and not glued and binds(found[-1].text, text):
                    seam = Seam.BOUND
                from_s, to_s = start_s + part.start_s, start_s + part.end_s
                found.append(Atom(text, from_s, to_s, number + part.word, position, glued, line.silent, seam))
                before = text[-1]
            number += len(run)
            before = " " if run[-1].text[-1:].isspace() else before
        if line.silent and found:
            found[0] = found[0]._replace(start_s=start_s)
            found[-1] = found[-1]._replace(end_s=start_s + line.samples / SAMPLE_RATE_HZ)
        yield from found


def line_width(text: str, max_chars: int) -> float:
    """How much of a line of `max_chars` a text takes: a full-width character a sixteenth, or two letters if that is more."""
    return columns(text, max(2.0, max_chars / _WIDE_PER_LINE))


def reading_width(text: str) -> float:
    """How long a text takes to read, in letters."""
    return columns(text, CHARACTERS_PER_SECOND / _WIDE_PER_SECOND)


def text_of(atoms: Sequence[Atom]) -> str:
    """One line of text."""
    return atoms[0].text + "".join(atom.text if atom.glued else " " + atom.text for atom in atoms[1:])


class _Part(NamedTuple):
    """A part of a run of words: its word's place in the run, its seam, whether it is glued, and its time."""

    text: str
    word: int
    seam: Seam
    glued: bool
    start_s: float
    end_s: float


def _runs(words: Sequence[Word]) -> Iterator[list[Word]]:
    """Words that stand side by side without a space: what a voice makes words of in a script that writes none."""
    run: list[Word] = []
    for word in words:
        if run and not (is_spaceless(run[-1].text[-1]) and is_spaceless(word.text[0])):
            yield run
            run = []
        run.append(word)
    if run:
        yield run


def _parts(run: Sequence[Word], max_chars: int, language: str) -> Iterator[_Part]:
    """Phrases are those of the whole run, whatever its words are; within one, its words are bound to each other."""
    whole = "".join(word.text for word in run)
    starts = list(accumulate((len(word.text) for word in run), initial=0))
    for text, start, end, seam, glued in _placed(whole, max_chars, language):
        first, last = bisect_right(starts, start) - 1, bisect_left(starts, end)
        for word in range(first, last):
            left, right = max(start, starts[word]), min(end, starts[word + 1])
            inner = word > first
            yield _Part(
                text if last == first + 1 else whole[left:right],
                word,
                Seam.BOUND if inner else seam,
                inner or glued,
                _at(run[word], left - starts[word]),
                _at(run[word], right - starts[word]),
            )


def _placed(whole: str, max_chars: int, language: str) -> Iterator[tuple[str, int, int, Seam, bool]]:
    """Parts of a text as (text with its hyphen, first character, the one after its last, seam, whether it is glued)."""
    for token in re.finditer(r"\S+", whole):
        seam, glued, start = Seam.SPACE, False, token.start()
        for part in parts_of(token[0], language):
            for text in cut_to_fit(part, language, lambda text: line_width(text, max_chars), max_chars):
                end = start + len(text) - (not whole.startswith(text, start))
                yield text, start, end, seam, glued
                seam, glued, start = Seam.WITHIN, True, end
            seam = Seam.PHRASE if has_spaceless(token[0]) else Seam.WITHIN


def _at(word: Word, characters: int) -> float:
    """When so much of a word has been said."""
    share = columns(word.text[:characters]) / max(columns(word.text), 1.0)
    return word.start_s + (word.end_s - word.start_s) * share


class AtomRow:
    """All atoms of a scene side by side, and what it costs to break between them."""

    def __init__(self, atoms: Sequence[Atom], max_chars: int, limit_s: float, language: str = "") -> None:
        self.atoms = atoms
        self.max_chars = max_chars
        # When each atom is spoken, and the end of the scene's own frames.
        self.starts_s = [*(atom.start_s for atom in atoms), limit_s]
        self.begin: list[float] = []
        self.stop: list[float] = []
        self._read_begin: list[float] = []
        self._read_stop: list[float] = []
        for atom in atoms:
            self.begin.append((self.stop[-1] if self.stop else 0) + (not atom.glued))
            self.stop.append(self.begin[-1] + line_width(atom.text, max_chars))
            self._read_begin.append((self._read_stop[-1] if self._read_stop else 0) + (not atom.glued))
            self._read_stop.append(self._read_begin[-1] + reading_width(atom.text))
        self.breaks = [0.0, *(_break_cost(*pair, language) for pair in pairwise(atoms)), 0.0]
        self.inner = [0.0, *accumulate(_inner_cost(*pair, language) for pair in pairwise(atoms))]

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

    def width(self, first: int, last: int) -> float:
        """Letters from the first atom to the one before `last`, as if on one line."""
        return self.stop[last - 1] - self.begin[first]

    def reading(self, first: int, last: int) -> float:
        """Letters from the first atom to the one before `last`, as a reader takes them in."""
        return self._read_stop[last - 1] - self._read_begin[first]

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
        ended, passed = 1 + self.breaks[last], self.inner[last - 1]
        stop, read = self.stop[last - 1], self._read_stop[last - 1]
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
            reading, readable = read - self._read_begin[first], shown_s * CHARACTERS_PER_SECOND
            if reading > readable:
                total += 1 + 6 * min(reading / max(readable, 1e-3) - 1, 2.0)
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


def _break_cost(before: Atom, after: Atom, language: str) -> float:
    if before.line != after.line:
        return _SENTENCE
    pause_s = after.start_s - before.end_s
    relief = min(pause_s, 0.6) if pause_s >= 0.2 else 0.0
    return max(_sense(before.text, after.text, after.seam, language) - relief, 0.0)


def _inner_cost(before: Atom, after: Atom, language: str) -> float:
    """What it costs not to break here."""
    pause_s = max(after.start_s - before.end_s, 0.0)
    ended = before.line != after.line or ends_sentence(before.text, after.text, language)
    return (_TWO_SENTENCES if ended else 0.0) + (min(pause_s, 1.0) if pause_s >= 0.3 else 0.0)


@lru_cache(maxsize=65536)
def _sense(before: str, after: str, seam: Seam, language: str) -> float:
    if seam is Seam.BOUND:
        return _TORN
    if ends_sentence(before, after, language):
        return _SENTENCE
    bare = before.rstrip(_QUOTES)
    if bare.endswith(_CLAUSE_ENDS):
        return _CLAUSE
    if seam is Seam.WITHIN:
        return _WITHIN_WORD
    if seam is Seam.PHRASE:
        return _PHRASE
    if bare.lower() in _LEANING:
        return _HANGING
    return _CONJUNCTION if after.lower() in _CONJUNCTIONS else _PLAIN
