"""Captions from spoken words: which words share a caption, where its two lines break, and how long it stays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from math import ceil

from stages.models import Word
from stages.render.captions.breaks import (
    CHARACTERS_PER_SECOND,
    LONGEST_S,
    SHORTEST_S,
    Atom,
    AtomRow,
    atoms_of,
    text_of,
)
from stages.render.specs import Cue, SceneCut

_LINGER_S = 0.5
# A gap up to this long is closed: a caption that blinks is worse than one that stays.
_CLOSED_GAP_S = 0.6
_LEAST_GAP_FRAMES = 2


def max_chars_for(width: int, height: int) -> int:
    """Characters in a caption's line: 42 for a wide frame, 28 for a square one, 22 for a tall one."""
    if width >= 1.2 * height:
        return 42
    return 22 if height >= 1.2 * width else 28


def build_cues(cut: SceneCut, *, max_chars: int, language: str = "", timed_words: bool = True) -> tuple[Cue, ...]:
    """A scene's captions, in frames of the scene, all within the frames that are its own.

    At most two lines of `max_chars` (of full-width characters 16, or half as many as that if it is less), 5/6 to 7 s, 20
    characters a second (9 full-width ones) unless speech is faster and leaves no pause. Where speech leaves less than
    5/6 s, the next caption waits. A silent line is shown for its whole time. Cues hold their words only where those are
    wanted one by one: what does not show is no reason to make frames again.
    """
    atoms = list(atoms_of(cut.lines, max_chars, language))
    if not atoms:
        return ()
    row = AtomRow(atoms, max_chars, (cut.frames - cut.tail) / cut.fps, language)
    spans = row.cut()
    cues = []
    for (first, last), (start, end) in zip(spans, _times(cut, row, spans), strict=True):
        parts = [atoms[a:b] for a, b in row.lines(first, last)]
        texts = tuple(text_of(part) for part in parts)
        words = tuple(word for part in parts for word in _words(part)) if timed_words else ()
        cues.append(Cue(start=start, end=end, lines=texts, words=words))
    return tuple(cues)


def slice_cues(cues: Sequence[Cue], start: int, end: int, fps: int) -> tuple[Cue, ...]:
    """The cues seen in frames `[start, end)`, clipped to them and counted from `start`; words move along, in seconds.

    Words of a clipped cue may lie before 0 or after the slice's end.
    """
    if not start and all(cue.end <= end for cue in cues):
        return tuple(cues)
    shift_s = start / fps
    return tuple(
        Cue(
            start=max(cue.start, start) - start,
            end=min(cue.end, end) - start,
            lines=cue.lines,
            words=tuple(
                Word(text=word.text, start_s=word.start_s - shift_s, end_s=word.end_s - shift_s) for word in cue.words
            ),
        )
        for cue in cues
        if cue.start < end and cue.end > start
    )


def _words(atoms: Sequence[Atom]) -> Iterator[Word]:
    for _, group in groupby(atoms, key=lambda atom: atom.word):
        parts = list(group)
        yield Word(text=text_of(parts), start_s=parts[0].start_s, end_s=parts[-1].end_s)


def _times(cut: SceneCut, row: AtomRow, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """First frame of each cue and the frame after its last.

    A cue begins with its first word, unless the one before has not been seen long enough, or too little time is left
    for those that follow.
    """
    limit = cut.frames - cut.tail
    least = min(ceil(SHORTEST_S * cut.fps - 1e-6), max((limit - cut.head) // len(spans), 1))
    starts: list[int] = []
    for first, _ in spans:
        spoken = int(row.atoms[first].start_s * cut.fps + 1e-6)
        starts.append(max(spoken, starts[-1] + least if starts else cut.head))
    latest = limit
    for position in reversed(range(len(starts))):
        latest = starts[position] = max(min(starts[position], latest - least), cut.head)
    edges = pairwise([*starts, limit])
    return [(start, _end(cut.fps, row, span, start, after)) for span, (start, after) in zip(spans, edges, strict=True)]


def _end(fps: int, row: AtomRow, span: tuple[int, int], start: int, following: int) -> int:
    """Where a cue ends: a little after its last word, later if that is too short to read, and never in the next."""
    final = row.atoms[span[1] - 1]
    needed_s = max(SHORTEST_S, row.reading(*span) / CHARACTERS_PER_SECOND)
    end_s = max(final.end_s + _LINGER_S, start / fps + needed_s)
    longest = following if final.silent else start + round(LONGEST_S * fps)
    frame = min(ceil(end_s * fps - 1e-6), longest, following)
    if span[1] < len(row.atoms) and frame < following:
        near = following / fps - final.end_s <= _CLOSED_GAP_S or following - frame < _LEAST_GAP_FRAMES
        unspoken = final.silent and row.atoms[span[1]].line == final.line
        if unspoken or (near and following <= longest):
            return following
        frame = min(frame, following - _LEAST_GAP_FRAMES)
    return max(frame, start + 1)
