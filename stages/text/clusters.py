"""Characters as a reader sees them, and how much of a line they take."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from itertools import pairwise

# What goes on after these is written below or beside them: Khmer and Myanmar stack consonants.
_STACKING = "\u17d2\u1039"
_JOINER = "\u200d"
_ASAT = "\u103a"
# Vowels that Thai and Lao write before their consonant, and those that they write after it as letters of their own.
_LEADING_VOWELS = frozenset("\u0e40\u0e41\u0e42\u0e43\u0e44\u0ec0\u0ec1\u0ec2\u0ec3\u0ec4")
_TRAILING_VOWELS = frozenset("\u0e30\u0e32\u0e33\u0e45\u0eb0\u0eb2\u0eb3\u0ebd")


@lru_cache(maxsize=16384)
def clusters(text: str) -> tuple[str, ...]:
    """Grapheme clusters, and such as no reader would see parted: stacked consonants, a vowel and its consonant."""
    if text.isascii():
        return tuple(text)
    from uniseg.graphemecluster import grapheme_clusters

    found: list[str] = []
    for cluster in grapheme_clusters(text):
        if found and _belongs_to(found[-1], cluster):
            found[-1] += cluster
        else:
            found.append(cluster)
    # A Myanmar consonant that is silenced closes the syllable before it.
    whole: list[str] = []
    for cluster in found:
        if whole and len(cluster) > 1 and cluster[1] == _ASAT:
            whole[-1] += cluster
        else:
            whole.append(cluster)
    return tuple(whole)


def _belongs_to(before: str, cluster: str) -> bool:
    if before[-1] in _STACKING or before[-1] in _LEADING_VOWELS or before[-1] == _JOINER:
        return True
    return cluster[0] in _TRAILING_VOWELS or unicodedata.category(cluster[0]).startswith("M")


@lru_cache(maxsize=65536)
def columns(text: str, wide: float = 2.0) -> float:
    """How much of a line `text` takes: a letter 1, a full-width character `wide`, a combining mark nothing."""
    if text.isascii():
        return float(len(text))
    total = 0.0
    for before, char in pairwise("\0" + text):
        if (
            before == _JOINER
            or unicodedata.category(char) in ("Mn", "Me", "Cf")
            or "\U0001f3fb" <= char <= "\U0001f3ff"
        ):
            continue
        total += wide if is_wide(char) else 1.0
    return total


def is_wide(char: str) -> bool:
    """Whether a character is as wide as a Chinese one."""
    return unicodedata.east_asian_width(char) in ("W", "F")
