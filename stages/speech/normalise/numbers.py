"""Numbers in words, in every language that the CLDR's spell-out rules cover."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

_LONGEST_DIGITS = 15
# Which of a language's rule sets is the plain form; where none is named, the first that answers.
_CARDINAL = {
    "de": "spellout-numbering",
    "es": "spellout-numbering",
    "it": "spellout-numbering",
    "fr": "spellout-numbering",
}
_ORDINAL = {
    "en": "spellout-ordinal",
    "de": "spellout-ordinal",
    "fr": "spellout-ordinal-masculine",
    "es": "spellout-ordinal-masculine",
    "it": "spellout-ordinal-masculine",
}


@lru_cache(maxsize=16)
def _engine(language: str) -> Any:
    from unicode_rbnf import RbnfEngine

    return RbnfEngine.for_language(language)


def spell(number: int, language: str, ruleset: str | None = None) -> str:
    """The number in words; soft hyphens, which rule sets put in, are taken out."""
    names = [ruleset] if ruleset else None
    found = _engine(language).format_number(number, ruleset_names=names)
    return str(found.text).replace("\u00ad", "")


def cardinal(number: int, language: str) -> str:
    """How one counts."""
    return spell(number, language, _CARDINAL.get(language))


def ordinal(number: int, language: str) -> str:
    """`third`; German comes without its ending: `dritte`."""
    return spell(number, language, _ORDINAL[language])


def year(number: int, language: str) -> str:
    """As a year is said: `nineteen ninety-nine`, `neunzehnhundertneunundneunzig`."""
    return spell(number, language, "spellout-numbering-year")


def digits(text: str, language: str) -> str:
    """One digit after the other."""
    return " ".join(cardinal(int(char), language) for char in text if char.isdecimal())


def whole(text: str, language: str) -> str:
    """A row of digits: counted, or one by one when it starts with a zero or is too long to be counted."""
    if (len(text) > 1 and text.startswith("0")) or len(text) > _LONGEST_DIGITS:
        return digits(text, language)
    return cardinal(int(text), language)


@lru_cache(maxsize=16)
def _pattern(group: str, decimal: str) -> re.Pattern[str]:
    return re.compile(
        rf"([-−+~≈±]?)(\d{{1,3}}(?:{re.escape(group)}\d{{3}})+|\d{{1,2}}(?:,\d{{2}})+,\d{{3}}|\d{{1,3}}(?:['’_]\d{{3}})+|\d+)?"
        rf"(?:{re.escape(decimal)}(\d+))?"
    )


def parse(text: str, group: str, decimal: str) -> tuple[str, str, str] | None:
    """Sign, whole digits and decimals of a written number; None when it is not one. `1,00,000` groups as Indian languages do."""
    match = _pattern(group, decimal).fullmatch(text)
    if not match or not (match[2] or match[3]):
        return None
    return match[1], re.sub(r"\D", "", match[2] or "0"), match[3] or ""
