"""When each word sounds, for voices that do not tell: by the length of what is said, held to the pauses that are heard.

A word's share is its spoken form's length. Pauses found in the sound are matched, in order, with the marks that make a
voice pause; between two matches the words share the time that is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from stages.models import Word
from stages.speech.reading import Reading
from stages.speech.sound import speech_bounds, voiced

if TYPE_CHECKING:
    from stages.speech.sound import Samples

_FRAME_S = 0.01
# A closed consonant is silent for less than this.
_SHORTEST_PAUSE_S = 0.09
_MARKS = ".!?…,;:—–)。，、；：！？"
# What a mark weighs beside letters, and how much worse than a near pause it is to match none.
_MARK_WEIGHT, _UNMATCHED_S = 3.0, 0.45


def estimate_words(reading: Reading, samples: Samples, rate_hz: int) -> tuple[Word, ...]:
    """Times of all shown words within the sound, rising. A word that is not read out takes no time."""
    start, end = _heard(samples, rate_hz)
    spoken = [token.spoken for token in reading.tokens]
    weights = [_weight(text) for text in spoken]
    marks = [index for index, text in enumerate(spoken[:-1]) if text.rstrip("\"'”’»").endswith(tuple(_MARKS))]
    pauses = _pauses(samples, rate_hz, start, end)
    ends = _proportional(weights, start, end)
    anchors = _match([ends[index] for index in marks], pauses)
    pinned = {marks[mark]: pauses[pause] for mark, pause in anchors}
    spans = _between(weights, pinned, start, end)
    return tuple(
        Word(text=token.shown, start_s=round(first, 4), end_s=round(last, 4))
        for token, (first, last) in zip(reading.tokens, spans, strict=True)
    )


def spread_words(reading: Reading, start_s: float, end_s: float) -> tuple[Word, ...]:
    """Times by length alone."""
    weights = [_weight(token.spoken) for token in reading.tokens]
    ends = [start_s, *_proportional(weights, start_s, end_s)]
    return tuple(
        Word(text=token.shown, start_s=round(first, 4), end_s=round(last, 4))
        for token, (first, last) in zip(reading.tokens, pairwise(ends), strict=True)
    )


def _weight(spoken: str) -> float:
    if not spoken:
        return 0.0
    return sum(char.isalnum() for char in spoken) + 1.0 + _MARK_WEIGHT * spoken.endswith(tuple(_MARKS))


def _heard(samples: Samples, rate_hz: int) -> tuple[float, float]:
    start, end = speech_bounds(samples, rate_hz)
    frames = np.flatnonzero(voiced(samples, rate_hz))
    if not len(frames):
        return start / rate_hz, end / rate_hz
    return float(frames[0]) * _FRAME_S, min(float(frames[-1] + 1) * _FRAME_S, len(samples) / rate_hz)


def _pauses(samples: Samples, rate_hz: int, start: float, end: float) -> list[tuple[float, float]]:
    """Silences within the speech."""
    speaking = voiced(samples, rate_hz)
    edges = np.flatnonzero(np.diff(np.concatenate(([True], speaking, [True])).astype(int)))
    runs = [(float(a) * _FRAME_S, float(b) * _FRAME_S) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    return [(a, b) for a, b in runs if b - a >= _SHORTEST_PAUSE_S and a > start and b < end]


def _proportional(weights: Sequence[float], start: float, end: float) -> list[float]:
    """Each word's end."""
    total = sum(weights) or 1.0
    return [start + float(before) / total * (end - start) for before in np.cumsum(weights)]


def _match(expected: Sequence[float], pauses: Sequence[tuple[float, float]]) -> list[tuple[int, int]]:
    """Pairs (mark, pause), both rising, that lie nearest to each other; long pauses count for more."""
    rows, columns = len(expected), len(pauses)
    cost = np.zeros((rows + 1, columns + 1))
    for row in range(rows - 1, -1, -1):
        for column in range(columns - 1, -1, -1):
            cost[row, column] = min(
                cost[row + 1, column],
                cost[row, column + 1],
                cost[row + 1, column + 1] + _price(expected[row], pauses[column]),
            )
    pairs, row, column = [], 0, 0
    while row < rows and column < columns:
        if cost[row, column] == cost[row + 1, column]:
            row += 1
        elif cost[row, column] == cost[row, column + 1]:
            column += 1
        else:
            pairs.append((row, column))
            row, column = row + 1, column + 1
    return pairs


def _price(expected: float, pause: tuple[float, float]) -> float:
    """Below zero when the match is better than none."""
    start, end = pause
    return max(start - expected, expected - end, 0.0) - _UNMATCHED_S - 2 * (end - start)


def _between(
    weights: Sequence[float], pinned: dict[int, tuple[float, float]], start: float, end: float
) -> list[tuple[float, float]]:
    """Words between two matched pauses share the time between them."""
    spans: list[tuple[float, float]] = []
    first = 0
    for last in [*pinned, len(weights) - 1]:
        stop, resume = pinned.get(last, (end, end))
        group = list(weights[first : last + 1])
        # The mark's own pause is known here, and is no part of the word.
        if group and last in pinned:
            group[-1] = max(group[-1] - _MARK_WEIGHT, 0.0)
        ends = [start, *_proportional(group, start, stop)]
        spans += pairwise(ends)
        start, first = resume, last + 1
    return spans
