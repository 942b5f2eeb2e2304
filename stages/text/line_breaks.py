"""Where a line of captions or of a card may end, in any language: one set of rules for both.

A text is cut into pieces. Each knows how well a line ends before it, so that whoever sets lines can weigh that against
their length. What is wider than a whole line is parted by `cut_to_fit`: an address after its slashes, a word at its
syllables with a hyphen, and never within what a reader sees as one character.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from enum import IntEnum
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from stages.text.binding import DASHES, MARKS, binds
from stages.text.clusters import clusters
from stages.text.phrases import breakable, has_spaceless, phrases

Width = Callable[[str], float]

_ZERO_SPACE, _SOFT_HYPHEN = "\u200b", "\u00ad"
_WITHIN_LETTERS = f"'\u2019{_SOFT_HYPHEN}"
# The least letters that a hyphen leaves on either side.
_LEAST_LETTERS = 3
# Parts of a cut word cannot all be exactly even: as even as syllables allow.
_EASES = (1.0, 1.06, 1.12, 1.2, 1.3)


class Seam(IntEnum):
    """How well a line ends before a piece, the best first."""

    SPACE = 0
    PHRASE = 1
    WITHIN = 2
    BOUND = 3


class Piece(NamedTuple):
    """What no line breaks unless it is too wide for one. `spaced` says whether a space goes before it on a line."""

    text: str
    seam: Seam
    spaced: bool


@lru_cache(maxsize=1024)
def pieces(text: str, language: str = "") -> tuple[Piece, ...]:
    """All of a text, white space aside, in pieces. Of the first one, seam and space mean nothing."""
    found: list[Piece] = []
    before = ""
    for word in text.split():
        seam = Seam.BOUND if before and binds(before, word) else Seam.SPACE
        for part in parts_of(word, language):
            found.append(Piece(part, seam, seam in (Seam.SPACE, Seam.BOUND)))
            seam = Seam.PHRASE if has_spaceless(word) else Seam.WITHIN
        before = word
    return tuple(found)


@lru_cache(maxsize=16384)
def parts_of(word: str, language: str = "") -> tuple[str, ...]:
    """A word's parts that stand on different lines without a hyphen of ours: phrases, or what a hyphen or slash joins."""
    if word.isalnum() and word.isascii():
        return (word,)
    found = [""]
    for stretch in re.split(f"(?<={_ZERO_SPACE})", word):
        parts = phrases(stretch, language) if has_spaceless(stretch) else _joined_parts(stretch)
        found += filter(None, parts)
    return tuple(found[1:])


def _joined_parts(word: str) -> tuple[str, ...]:
    """`well-known` and `and/or` in two, but no number, no address, and nothing of two letters."""
    if is_address(word) or not any(mark in word for mark in f"{DASHES}/"):
        return (word,)
    parts = [""]
    for char in word:
        letters = sum(map(str.isalpha, parts[-1]))
        if parts[-1] and parts[-1][-1] in f"{DASHES}/" and letters >= 2 and char.isalpha():
            parts.append("")
        parts[-1] += char
    return tuple(parts)


_ADDRESS = re.compile(
    r"""[\w.+-]+@[\w-]+(?:\.[\w-]+)+ | (?:[a-z][a-z0-9+.-]*://|www\.)\S+
      | (?:[\w-]+\.)+[a-z]{2,}(?:[:/?\#]\S*)? | (?:~|\.{1,2})?(?:/[\w.~-]+){2,}/? | [A-Za-z]:\\\S+""",
    re.VERBOSE | re.IGNORECASE,
)


def is_address(word: str) -> bool:
    """Whether a word is a web or mail address, a domain or a path, quotation marks and stops around it aside."""
    bare = word.strip(MARKS)
    return not bare.isalnum() and bool(_ADDRESS.fullmatch(bare))


# What is wider than a line


def cut_to_fit(word: str, language: str, width: Width, most: float) -> list[str]:
    """A word in parts at most `most` wide as `width` measures them, a hyphen where one is written included.

    Words of letters are cut into as few and as even parts as there can be; everything else where it parts best, and
    more often than it needs to be, for the caller to put together. Only a single character may be wider than `most`.
    """
    if width(word) <= most:
        return [word]
    if has_spaceless(word):
        return _fine(breakable(word), width, most)
    if is_address(word):
        return _address_parts(word, width, most)
    if _is_plain(word):
        return _hyphenated(word, language, width, most)
    parts = [part for part in _AFTER_MARKS.split(word) if part]
    if len(parts) > 1:
        return [smaller for part in parts for smaller in cut_to_fit(part, language, width, most)]
    return _packed(clusters(word), width, most, "")


def _is_plain(word: str) -> bool:
    """Whether it is a word of letters, such as take a hyphen: Latin, Greek, Cyrillic or Armenian ones."""
    letters = word.strip(MARKS)
    return bool(letters) and all(
        (char.isalpha() and char < "\u0590") or char in _WITHIN_LETTERS or unicodedata.category(char) == "Mn"
        for char in letters
    )


def _fine(parts: Sequence[str], width: Width, most: float) -> list[str]:
    found: list[str] = []
    for part in parts:
        found += [part] if width(part) <= most else _packed(clusters(part), width, most, "")
    return found


_AFTER_MARKS = re.compile(f"(?<=[{DASHES}/_|=,;&])")
# Where an address parts: the best places first, but after none that could be taken for a hyphen.
_ADDRESS_TIERS = (
    re.compile(r"(?<=[^/:]/)|(?<=@)"),
    re.compile(r"(?<=//)"),
    re.compile(r"(?<=[?&=#,;|\\])|(?=\.)"),
    re.compile(r"(?=[_~%+-])"),
)


def _address_parts(
    word: str, width: Width, most: float, tiers: Sequence[re.Pattern[str]] = _ADDRESS_TIERS
) -> list[str]:
    """After slashes; a part that is still too wide at its other marks; and one without any between characters."""
    if width(word) <= most:
        return [word]
    if not tiers:
        return _packed(clusters(word), width, most, "")
    parts = filter(None, tiers[0].split(word))
    return [smaller for part in parts for smaller in _address_parts(part, width, most, tiers[1:])]


def _hyphenated(word: str, language: str, width: Width, most: float) -> list[str]:
    syllables = _syllables(word, language)
    parts = _packed(syllables, width, most, "-")
    if any(width(part) > most for part in parts) or len(syllables) == 1:
        syllables = tuple(clusters(word))
        parts = _packed(syllables, width, most, "-")
    even = sum(map(width, parts)) / len(parts)
    for ease in _EASES:
        if even * ease < most and len(evened := _packed(syllables, width, even * ease, "-")) == len(parts):
            return evened
    return parts


def _packed(atoms: Sequence[str], width: Width, most: float, hyphen: str) -> list[str]:
    """As many of the atoms as a part holds, one part after the other. A soft hyphen in the text gives way to ours."""
    found = [""]
    for at, atom in enumerate(atoms):
        last = at == len(atoms) - 1
        if found[-1] and width(found[-1] + atom + ("" if last else hyphen)) > most:
            found[-1] = found[-1].removesuffix(_SOFT_HYPHEN) + hyphen
            found.append("")
        found[-1] += atom
    return found


@lru_cache(maxsize=4096)
def _syllables(word: str, language: str) -> tuple[str, ...]:
    """Where a hyphen may go: at the text's own soft hyphens, else by the language's patterns; whole without any."""
    if _SOFT_HYPHEN in word:
        return tuple(re.split(f"(?<={_SOFT_HYPHEN})", word))
    start = len(word) - len(word.lstrip(MARKS))
    bare = word.strip(MARKS)
    patterns = _patterns(language)
    points = patterns.positions(bare) if patterns else []
    edges = [start + int(point) for point in points]
    return tuple(word[one:other] for one, other in pairwise([0, *edges, len(word)]))


@lru_cache(maxsize=8)
def _patterns(language: str) -> Any:
    """The hyphenation patterns of a language, or None where nobody has collected them."""
    import pyphen

    code = pyphen.language_fallback(language.replace("-", "_")) if language else None
    return pyphen.Pyphen(lang=code, left=_LEAST_LETTERS, right=_LEAST_LETTERS) if code else None
