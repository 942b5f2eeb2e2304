"""Which sentences to keep when a text is longer than the film: LexRank, with what leans on what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from stages.script.sentences import Sentence
from stages.script.words import count_words, stems

_DAMPING = 0.85
_ROUNDS = 40
_OVERRUN = 1.06
_LONGEST_CHAIN = 3

Floats = npt.NDArray[np.float64]


def choose(sentences: Sequence[Sentence], language: str, most_words: int) -> list[int]:
    """Indices of the sentences to keep, in order, of about `most_words` words together.

    The opening is always kept. A sentence that points back comes with those that it points to, or not at all.
    """
    lengths = [max(1, count_words(sentence.text)) for sentence in sentences]
    if sum(lengths) <= most_words * _OVERRUN:
        return list(range(len(sentences)))
    scores = _with_places(sentences, centrality([stems(sentence.text, language) for sentence in sentences]))
    room = most_words * _OVERRUN
    kept = {0}
    used = lengths[0]
    chains = [_chain(sentences, index) for index in range(len(sentences))]
    order = sorted(range(len(sentences)), key=lambda index: (-_worth(chains[index], scores, lengths), index))
    for index in order:
        chain = [] if index in kept else chains[index]
        fresh = [link for link in chain if link not in kept]
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
    rank: Floats = np.full(count, 1.0 / count)
    if not columns:
        return rank
    rows, cols = np.array(rows_of), np.array(cols_of)
    idf = np.log((1.0 + count) / (1.0 + np.bincount(cols, minlength=len(columns)))) + 1.0
    values = np.array(tf_of) * idf[cols]
    norms = np.sqrt(np.bincount(rows, values**2, minlength=count))
    values /= norms[rows]

    def similar_to(weights: Floats) -> Floats:
        by_word = np.bincount(cols, values * weights[rows], minlength=len(columns))
        total: Floats = np.bincount(rows, values * by_word[cols], minlength=count)
        return total

    degree = np.maximum(similar_to(np.ones(count)), 1e-12)
    for _ in range(_ROUNDS):
        rank = (1 - _DAMPING) / count + _DAMPING * similar_to(rank / degree)
        rank /= rank.sum()
    return rank


def _with_places(sentences: Sequence[Sentence], rank: Floats) -> Floats:
    """What opens a paragraph says what it is about, and the last sentence says why it was told."""
    weights = np.array([1.25 if sentence.opens_paragraph else 1.0 for sentence in sentences])
    weights[-1] *= 1.4
    placed: Floats = rank * weights
    return placed


def _chain(sentences: Sequence[Sentence], index: int) -> list[int]:
    """The sentence and those before it that it leans on; nothing when that goes back too far."""
    start = index
    while start > 0 and sentences[start].leans:
        start -= 1
        if index - start >= _LONGEST_CHAIN:
            return []
    return list(range(start, index + 1))


def _worth(chain: Sequence[int], scores: Floats, lengths: Sequence[int]) -> float:
    """Score for each word's time; short sentences are not favoured beyond eight words."""
    if not chain:
        return 0.0
    return float(sum(scores[link] for link in chain)) / sum(max(8, lengths[link]) for link in chain) ** 0.6
