"""The number that a card is worth: a share, a sum, a quantity, each a run of whole words of the text.

A text is read word by word. A figure that a word is only a part of, such as a date, a version or a ratio, is none; and what
stands beside a figure ends where a reader would pause, never within a number, an abbreviation or a pair that belongs together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from stages.images.cards.figure_words import (
    CHANGE_PAIRS,
    CHANGES,
    JOINTS,
    LEADS,
    MORES,
    OPERATORS,
    PARTS,
    PARTS_OF,
    PER_CENT,
    PER_CENT_PAIRS,
    SCALES,
    UNITS,
    between,
    is_known,
)
from stages.text.abbreviations import abbreviations
from stages.text.binding import MARKS, QUOTES, binds
from stages.text.sentences import ends_sentence

# A phrase of so many words is a label as it is; of a longer one so many are, if that many make sense.
_LABEL_WORDS, _CUT_LABEL_WORDS = 10, 7
# What stands before a figure in a language that is not known here.
_MOST_LEAD_WORDS = 3
# A label that was cut off does not end in words as short as these.
_SHORT_WORD = 3

_CURRENCY = r"(?:[A-Z]{1,3}\$|[$\u20ac\u00a3\u00a5\u20b9\u20a9\u20bd\u20ba\u20aa\u0e3f\u20ab\u20b1\u20a6])"
# Grouped by threes, or as in India; with or without decimals. No version, no date.
_AMOUNT = (
    r"(?:\d{1,3}(?:(?:,\d{3})+|(?:\.\d{3})+|(?:['\u2019\u00a0\u202f]\d{3})+)|\d{1,2}(?:,\d{2})+,\d{3}|\d+)(?:[.,]\d+)?"
)
_RANGE = rf"{_AMOUNT}(?:[\u2013-]{_AMOUNT})?"
_SUFFIX = r"(?:[KkMBT]|bn|mn|mln|tn|m)"
_SYMBOLS = (
    r"\u00b0[CFK]?|km/h|mph|m/s|[kcm]?m[\u00b2\u00b3]?|k?g|m?l|[GMk]?Wh?|[kKGMT]i?B|[GMk]?Hz|ms|kV|hPa|mAh|fps|px|x|\u00d7"
    r"|ha|min|h"
)
_SIGN = r"[~\u2248<>\u2264\u2265\u00b1+\u2212-]?"
_PERCENT = re.compile(rf"(?P<amount>{_SIGN}{_RANGE})(?:%|\u202f%|\u00a0%)")
_MONEY = re.compile(
    rf"{_SIGN}{_CURRENCY}{_RANGE}{_SUFFIX}?|{_SIGN}{_RANGE}{_SUFFIX}?{_CURRENCY}|(?:USD|EUR|GBP|CHF|JPY){_RANGE}"
)
_MEASURE = re.compile(rf"{_SIGN}{_RANGE}(?:{_SYMBOLS})|{_SIGN}{_RANGE}(?:K|M|B|bn|mn)")
_BARE = re.compile(rf"{_SIGN}{_RANGE}")
_CURRENCY_ALONE = re.compile(rf"{_CURRENCY}|USD|EUR|GBP|CHF|JPY|kr")
_SYMBOL_ALONE = re.compile(rf"(?:{_SYMBOLS}|s|t)")

_PAUSES = (",", ";", ":")
_SMALL_LETTER = re.compile(r"(?![A-Z])[^\W\d_]\.")

_Kind = Literal["percent", "sum", "quantity", "money"]
_ORDER: tuple[_Kind, ...] = ("percent", "sum", "quantity", "money")


@dataclass(frozen=True)
class Figure:
    """A number worth a card: `value` as shown, `label` what it counts, `share` 0..1 when it is a part of a whole.

    `lead` is a qualification that stood before it ("less than"), without which the number would be false.
    """

    value: str
    label: str
    share: float | None
    lead: str = ""


class _Found(NamedTuple):
    """A figure's words `[first, end)` of a line, of which those up to `shown` are its value."""

    kind: _Kind
    first: int
    shown: int
    end: int


def find_figure(text: str, language: str = "en") -> Figure | None:
    """The most telling number: a percentage before a sum with its scale, before a quantity with its unit, before a sum."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    found = [
        (place.kind, figure)
        for words in lines
        for place in _figures(words)
        if (figure := _figure(words, place, language))
    ]
    # A change of nothing, as in brackets, tells least.
    ranked = sorted(found, key=lambda item: (item[1].share is None and not item[1].label, _ORDER.index(item[0])))
    return ranked[0][1] if ranked else None


def _figures(words: Sequence[str]) -> Iterator[_Found]:
    at = 0
    while at < len(words):
        found = _at(words, at)
        if found:
            yield found
        at = found.end if found else at + 1


def _at(words: Sequence[str], at: int) -> _Found | None:
    """The figure that begins with a word, if one does."""
    word = _core(words[at])
    if _PERCENT.fullmatch(word):
        return _Found("percent", at, at + 1, at + 1)
    # With a mark at its end it goes with nothing that follows.
    closed = words[at].lstrip(QUOTES) != word
    if _CURRENCY_ALONE.fullmatch(word) and not closed and at + 1 < len(words) and _BARE.fullmatch(_core(words[at + 1])):
        return _with_scale(words, at, at + 2, "money")
    if _MONEY.fullmatch(word):
        return _with_scale(words, at, at + 1, "money")
    if _MEASURE.fullmatch(word):
        return _Found("quantity", at, at + 1, at + 1)
    if not _BARE.fullmatch(word) or closed:
        return None
    end = at + 1
    while (
        end < len(words) and re.fullmatch(r"\d{3}(?:[.,]\d+)?", _core(words[end])) and binds(words[end - 1], words[end])
    ):
        end += 1
    return _with_unit(words, at, end)


def _with_unit(words: Sequence[str], at: int, end: int) -> _Found | None:
    if end >= len(words) or words[end - 1].lstrip(QUOTES) != _core(words[end - 1]):
        return None
    word, lower = _core(words[end]), _core(words[end]).lower()
    following = _core(words[end + 1]).lower() if end + 1 < len(words) else ""
    if lower in PER_CENT:
        return _Found("percent", at, end + 1, end + 1)
    if (lower, following) in PER_CENT_PAIRS:
        return _Found("percent", at, end + 2, end + 2)
    if _CURRENCY_ALONE.fullmatch(word):
        return _Found("money", at, end + 1, end + 1)
    if lower in SCALES or words[end].lower() in SCALES:
        return _with_scale(words, at, end, "money")
    if _SYMBOL_ALONE.fullmatch(word):
        return _Found("quantity", at, end + 1, end + 1)
    return _Found("quantity", at, end, end) if lower in UNITS else None


def _with_scale(words: Sequence[str], at: int, end: int, kind: _Kind) -> _Found:
    """The figure with the scale after it and a currency after that."""
    if _closes(words, end - 1) or end >= len(words):
        return _Found(kind, at, end, end)
    lower = words[end].lower()
    if lower in SCALES or _core(lower) in SCALES:
        kind, end = "sum", end + 1
        if end < len(words) and not _closes(words, end - 1) and _CURRENCY_ALONE.fullmatch(_core(words[end])):
            end += 1
    return _Found(kind, at, end, end)


def _figure(words: Sequence[str], found: _Found, language: str) -> Figure | None:
    first = found.first
    if _is_end_of_range(words, found, language) or _is_operand(words, found) or _is_scale_cut(words, found):
        return None
    lead_at = _lead(words, first, language)
    if lead_at is None or _is_whole_of_part(words, lead_at, language):
        return None
    label = "" if _closes(words, found.end - 1, language) else _label(words, found.end, language)
    last = words[found.shown - 1]
    last = last if last.lower() in SCALES else last.rstrip(MARKS)
    value = " ".join([*words[first : found.shown - 1], last]).lstrip(QUOTES)
    share = None
    if found.kind == "percent":
        amount = _PERCENT.fullmatch(_core(words[first])) or _BARE.fullmatch(_core(words[first]))
        number = amount[0].rstrip("%\u00a0\u202f") if amount else ""
        value = value if found.shown == first + 1 or words[first + 1].startswith("%") else f"{number}%"
        share = None if _is_change(words, found) else _share(number)
    return Figure(value, label, share, " ".join(words[lead_at:first]))


def _is_end_of_range(words: Sequence[str], found: _Found, language: str) -> bool:
    """Whether it is one end of `20 to 30 percent`, or a part of `3 in 4 people`, which would be false alone."""
    first, end = found.first, found.end
    if first > 1 and any(map(str.isdigit, words[first - 2])):
        joint = _core(words[first - 1]).lower()
        if joint in between(language) or (joint in PARTS_OF and found.kind in ("percent", "quantity")):
            return True
    if end + 1 >= len(words) or _closes(words, end - 1) or words[end].lower() not in between(language):
        return False
    other = _at(words, end + 1)
    return other is not None and other.kind == found.kind


def _is_operand(words: Sequence[str], found: _Found) -> bool:
    """Whether it is reckoned with: `1.5 × 10^6`, `3 x 4 m`."""
    first, end = found.first, found.end
    before, after = words[max(first - 2, 0) : first], words[end : end + 2]
    if len(before) == 2 and before[1] in OPERATORS and any(map(str.isdigit, before[0])):
        return True
    # The sign may have been taken for a unit: `3 x`.
    after = [words[end - 1], *after[:1]] if words[end - 1] in OPERATORS else after
    return len(after) == 2 and after[0] in OPERATORS and after[1].lstrip("(~\u2248+\u2212-")[:1].isdigit()


def _is_scale_cut(words: Sequence[str], found: _Found) -> bool:
    """Whether its scale is joined to something else: `$5 million–$7 million`, `$5 million-dollar`."""
    if found.end >= len(words) or _closes(words, found.end - 1):
        return False
    scale, mark, _ = re.sub("[\u2010-\u2014/]", "-", words[found.end].lower()).partition("-")
    return bool(mark) and scale in SCALES


_FRACTION = re.compile(r"\d+[/\u2044]\d+|\d*[\u00bc-\u00be\u2150-\u215e]")


def _is_whole_of_part(words: Sequence[str], first: int, language: str) -> bool:
    """Whether what is told is a part of the figure at `first`: `two thirds of 9.7 million votes`."""
    at, is_joined, is_counted = first - 1, False, False
    while at >= 0 and not _closes(words, at, language):
        word = _core(words[at]).lower()
        if _FRACTION.fullmatch(word) or (is_counted and _BARE.fullmatch(word)):
            return is_joined
        if is_joined and word in PARTS:
            return True
        if word not in JOINTS and not word.endswith(("'s", "\u2019s")):
            return False
        is_joined, is_counted, at = True, is_counted or word in PARTS_OF, at - 1
    return False


def _share(number: str) -> float | None:
    """A percentage as a part of a whole: without a sign, no range, and no more than all."""
    if not number[:1].isdigit() or re.search(r"\d[\u2013-]\d", number):
        return None
    whole, mark, fraction = number.replace(",", ".").rpartition(".")
    digits = re.sub(r"\D", "", whole)
    value = float(f"{digits}.{fraction}" if mark else fraction)
    return value / 100 if value <= 100 else None


def _is_change(words: Sequence[str], found: _Found) -> bool:
    before = [_core(word).lower() for word in words[max(found.first - 3, 0) : found.first]]
    after = [_core(word).lower() for word in words[found.end : found.end + 2]]
    return bool(CHANGES & set(before) or MORES & set(after[:1]) or tuple(after) in CHANGE_PAIRS)


def _lead(words: Sequence[str], first: int, language: str) -> int | None:
    """Where the qualification before a figure begins; None where nobody here can tell what belongs to it.

    In a language whose qualifications are not known, the few words before a figure are all taken for one.
    """
    if is_known(language):
        starts = (first - len(lead) for lead in LEADS if _stands_before(words, first, lead))
        return next(starts, first)
    start = first
    while start and not _closes(words, start - 1, language):
        start -= 1
    return start if first - start <= _MOST_LEAD_WORDS else None


def _stands_before(words: Sequence[str], first: int, lead: Sequence[str]) -> bool:
    start = first - len(lead)
    return start >= 0 and [word.lstrip(QUOTES).lower() for word in words[start:first]] == lead


def _label(words: Sequence[str], start: int, language: str) -> str:
    """The words after a figure, up to where a reader would pause. None that begins within a pair."""
    taken: list[str] = []
    for at in range(start, len(words)):
        word = words[at]
        if word[0] in "([{\u2013\u2014" or word == "-":
            break
        taken.append(word)
        if _closes(words, at, language):
            break
        if len(taken) > _LABEL_WORDS:
            taken = _shortened(taken[: _CUT_LABEL_WORDS + 1])
            break
    if taken:
        last = taken[-1]
        bare = last.rstrip(QUOTES)
        closes = bare.endswith(_PAUSES) or (ends_sentence(bare, "", language) and not _is_abbreviation(taken, language))
        taken[-1] = bare.rstrip(".,;:!?\u2026") if closes else last
    return " ".join(taken)


def _is_abbreviation(words: Sequence[str], language: str) -> bool:
    """Whether the stop of the last word is its own: `U.S.`, `etc.`, the second half of `EE. UU.`"""
    stem = words[-1].rstrip(QUOTES)[:-1].lower()
    pair = f"{words[-2]}{words[-1]}".rstrip(QUOTES)[:-1].lower() if len(words) > 1 else ""
    return "." in stem or bool({stem, pair} & (abbreviations(language).closing | abbreviations(language).open))


def _shortened(words: list[str]) -> list[str]:
    """One word too many taken off, and what would dangle without it."""
    kept = words[:-1]
    following = words[-1]
    while kept and (len(kept[-1]) <= _SHORT_WORD or following[0].isdigit() or binds(kept[-1], following)):
        following = kept.pop()
    return kept


def _closes(words: Sequence[str], at: int, language: str = "") -> bool:
    """Whether a reader pauses after a word: at a comma, a bracket, or a sentence's end."""
    word = words[at].rstrip("\"'\u201d\u2019\u00bb")
    following = words[at + 1] if at + 1 < len(words) else ""
    if word.endswith((*_PAUSES, ")", "]")):
        return True
    # A single small letter is an abbreviation, known or not.
    return not (following and _SMALL_LETTER.fullmatch(word)) and ends_sentence(word, following, language)


def _core(word: str) -> str:
    """A word without the marks around it."""
    return word.strip(QUOTES).rstrip(".,;:!?\u2026)")
