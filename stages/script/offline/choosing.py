"""Which sentences to keep when a text is longer than the film: LexRank, with what leans on what."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from stages.script.offline.sentences import Sentence
from stages.script.words import speaking_s, stems
from stages.text.languages import primary

_DAMPING = 0.85
_ROUNDS = 40
_OVERRUN = 1.06
_LONGEST_CHAIN = 4
_SHORT_S = 3.0
_ENDING_SHARE = 0.25
_NEXT_BEST = 0.85
_TIME_WEIGHT = 0.85

Floats = npt.NDArray[np.float64]


def choose(sentences: Sequence[Sentence], language: str, most_s: float) -> list[int]:
    """Indices of the sentences to keep, in order, that take about `most_s` seconds to say.

    The opening is always kept, and the ending where it takes no more than its share. A sentence that points back
    comes with those that it points to, or not at all.
    """
    lengths = [speaking_s(sentence.text, language) for sentence in sentences]
    room = most_s * _OVERRUN
    if not sentences or sum(lengths) <= room:
        return list(range(len(sentences)))
    scores = _with_places(sentences, centrality([stems(sentence.text, primary(language)) for sentence in sentences]))
    chains = [_chain(sentences, index) for index in range(len(sentences))]
    kept = {0}
    used = lengths[0]
    worths = _spread(sentences, [_worth(chain, scores, lengths) for chain in chains])
    order = sorted(range(len(sentences)), key=lambda index: (-worths[index], index))
    ending = chains[-1]
    if sum(lengths[link] for link in ending) <= room * _ENDING_SHARE:
        order.insert(0, len(sentences) - 1)
    for index in order:
        fresh = [link for link in chains[index] if link not in kept]
        cost = sum(lengths[link] for link in fresh)
        if fresh and used + cost <= room:
            kept.update(fresh)
            used += cost
    return sorted(kept)


def centrality(bags: Sequence[Sequence[str]]) -> Floats:
    """LexRank of each bag of stems, summing to 1: how much each one says what the others say.

    Similarity is cosine over TF-IDF. It is never written out as a matrix, so time and memory grow with the text.
    """
    count = len(bags)
    columns: dict[str, int] = {}
    rows_of, cols_of, tf_of = [], [], []
    for row, bag in enumerate(bags):
        for word, times in sorted(Counter(bag).items()):
            rows_of.append(row)
            cols_of.append(columns.setdefault(word, len(columns)))
            tf_of.append(float(times))
    rank: Floats = np.full(count, 1.0 / max(1, count))
    if not columns:
        return rank
    rows, cols = np.array(rows_of), np.array(cols_of)
    idf = np.log((1.0 + count) / (1.0 + np.bincount(cols, minlength=len(columns)))) + 1.0
    values: Floats = np.array(tf_of) * idf[cols]
    norms = np.sqrt(np.bincount(rows, values**2, minlength=count))
    values /= norms[rows]

    def similar_to(weights: Floats) -> Floats:
        by_word = np.bincount(cols, values * weights[rows], minlength=len(columns))
        total = np.bincount(rows, values * by_word[cols], minlength=count)
        # Less what each has in common with itself, or one that shares nothing with the others would keep its rank.
        return np.maximum(total - weights * selves, 0.0)

    selves: Floats = np.bincount(rows, values**2, minlength=count).astype(np.float64)
    degree = similar_to(np.ones(count))
    degree = np.where(degree < 1e-9, 1.0, degree)
    for _ in range(_ROUNDS):
        spread: Floats = (1 - _DAMPING) / count + _DAMPING * similar_to(rank / degree)
        rank = spread / spread.sum()
    return rank


def _with_places(sentences: Sequence[Sentence], rank: Floats) -> Floats:
    """What opens a paragraph says what it is about, and the last sentence says why it was told."""
    weights = np.array([1.25 if sentence.opens_paragraph else 1.0 for sentence in sentences])
    weights[-1] *= 1.4
    placed: Floats = rank * weights
    return placed


def _spread(sentences: Sequence[Sentence], worths: Sequence[float]) -> list[float]:
    """Each paragraph's second best counts less than its best, and so on: a film tells of the whole text."""
    paragraph, members = 0, defaultdict[int, list[int]](list)
    for index, sentence in enumerate(sentences):
        paragraph += sentence.opens_paragraph
        members[paragraph].append(index)
    spread = list(worths)
    for indices in members.values():
        for place, index in enumerate(sorted(indices, key=lambda index: -worths[index])):
            spread[index] *= _NEXT_BEST**place
    return spread


def _chain(sentences: Sequence[Sentence], index: int) -> list[int]:
    """The sentence with those before it that it leans on, and what it announces; nothing when that reaches too far."""
    start = end = index
    while start > 0 and sentences[start].leans:
        start -= 1
    while end + 1 < len(sentences) and sentences[end].announces and not sentences[end + 1].opens_paragraph:
        end += 1
    return list(range(start, end + 1)) if end - start < _LONGEST_CHAIN else []


def _worth(chain: Sequence[int], scores: Floats, lengths: Sequence[float]) -> float:
    """Score for the time it takes; short sentences are not favoured below `_SHORT_S`."""
    if not chain:
        return 0.0
    score = sum(float(scores[link]) for link in chain)
    seconds: float = sum(max(_SHORT_S, lengths[link]) for link in chain)
    return score / math.pow(seconds, _TIME_WEIGHT)
