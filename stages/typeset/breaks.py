"""Where a word may be broken: after hyphens, around ideographs, and with a hyphen of ours where nothing else helps."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise

# Escaped because most look like ASCII: the punctuation of Chinese and Japanese, and of English quotations.
_CLOSING = (
    "\u3001\u3002\uff0c\uff0e\uff01\uff1f\uff1a\uff1b\u300d\u300f\uff09\u3011\u300b\u3009\u201d\u2019\u2026\u30fc"
)
_OPENING = "\u300c\u300e\uff08\u3010\u300a\u3008\u201c\u2018"
DASHES = "-\u2013\u2014"
_CLUSTER = re.compile(r".[\u0300-\u036f\u200d\ufe00-\ufe0f]*", re.DOTALL)


@lru_cache(maxsize=4096)
def break_points(word: str) -> tuple[str, ...]:
    """Parts between which a line may break without a space: after hyphens, and around ideographs."""
    parts: list[str] = [""]
    for before, char in pairwise("\0" + word):
        wide = _is_wide(char) or _is_wide(before)
        glued = char in _CLOSING or before in _OPENING or unicodedata.combining(char)
        hyphen = before in DASHES + "/" and char.isalpha() and len(parts[-1]) > 2
        if before != "\0" and ((wide and not glued) or hyphen):
            parts.append("")
        parts[-1] += char
    return tuple(parts)


def _is_wide(char: str) -> bool:
    return unicodedata.east_asian_width(char) in ("W", "F")


@lru_cache(maxsize=1024)
def hyphen_of(word: str) -> str:
    """A hyphen for a word in Latin, Greek or Cyrillic letters; nothing for addresses, numbers and other scripts."""
    letters = word.strip("\"'()[],.;:!?\u201c\u201d\u201e\u00ab\u00bb\u2026")
    return "-" if letters.isalpha() and max(letters) < "\u0590" else ""


def clusters(word: str) -> list[str]:
    """Characters, each with the marks that combine with it."""
    return _CLUSTER.findall(word)
