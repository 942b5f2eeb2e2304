"""Where scenes begin: dynamic programming over lengths, paragraphs and what sentences have in common."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from stages.script.offline.sentences import Sentence
from stages.script.words import speaking_s, stems

_SHORT_S, _LONG_S = 6.0, 14.0
_MOST_SENTENCES = 8
_USUAL_SENTENCES = 4
_NEVER = 1e6


def cut(sentences: Sequence[Sentence], skipped: Sequence[bool], language: str) -> list[range]:
    """Scenes as ranges of sentences. `skipped[i]` says that something was left out right before sentence `i`."""
    seconds = [speaking_s(sentence.text, language) for sentence in sentences]
    bags = [Counter(stems(sentence.text, language)) for sentence in sentences]
    breaks = [_break_cost(index, sentences, skipped, bags) for index in range(len(sentences))]
    best = [0.0] + [math.inf] * len(sentences)
    came_from = [0] * (len(sentences) + 1)
    for end in range(1, len(sentences) + 1):
        for start in range(max(0, end - _MOST_SENTENCES), end):
            inside = sum(_NEVER for index in range(start + 1, end) if sentences[index].heading)
            cost = best[start] + breaks[start] + _length_cost(sum(seconds[start:end]), end - start) + inside
            if cost < best[end]:
                best[end], came_from[end] = cost, start
    scenes: list[range] = []
    end = len(sentences)
    while end:
        scenes.append(range(came_from[end], end))
        end = came_from[end]
    return scenes[::-1]


def _length_cost(seconds: float, count: int) -> float:
    """Nothing for 6 to 14 seconds and 2 to 4 sentences; the further out, the dearer."""
    short = max(0.0, _SHORT_S - seconds) / 2.5
    long = max(0.0, seconds - _LONG_S) / 3.0
    many = max(0, count - _USUAL_SENTENCES) * 0.4
    alone = 0.35 if count == 1 and seconds < 9.0 else 0.0
    return short**2 + long**2 + many + alone


def _break_cost(
    index: int, sentences: Sequence[Sentence], skipped: Sequence[bool], bags: Sequence[Counter[str]]
) -> float:
    """What it costs to begin a scene here: much where the talk goes on, little at a paragraph."""
    if index == 0:
        return 0.0
    before: Counter[str] = sum((bags[place] for place in range(max(0, index - 2), index)), Counter())
    after: Counter[str] = sum((bags[place] for place in range(index, min(len(bags), index + 2))), Counter())
    cost = 0.6 + 1.5 * _cosine(before, after)
    if sentences[index].leans and not skipped[index]:
        cost += 0.5
    if sentences[index - 1].announces and not skipped[index]:
        cost += 1.2
    if sentences[index].opens_paragraph:
        cost -= 0.8
    elif skipped[index]:
        cost -= 0.3
    return cost


def _cosine(left: Counter[str], right: Counter[str]) -> float:
    shared = sum(times * right[word] for word, times in left.items())
    size = math.sqrt(sum(n * n for n in left.values()) * sum(n * n for n in right.values()))
    return shared / size if size else 0.0
