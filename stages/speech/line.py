"""The words of one line while rules read them, and how its language says a number at a place."""

from __future__ import annotations

from stages.speech import numbers
from stages.speech.items import Item
from stages.speech.lexicon import Lexicon

_YEARS = range(1100, 2100)
_APPROXIMATE = "~≈±"


class Line:
    """All words of a line, and its language."""

    def __init__(self, items: list[Item], lexicon: Lexicon, language: str) -> None:
        self.items = items
        self.lexicon = lexicon
        self.language = language

    def at(self, index: int) -> Item | None:
        """The word at a place; None beside the line."""
        return self.items[index] if 0 <= index < len(self.items) else None

    def parse(self, text: str) -> tuple[str, str, str] | None:
        """Sign, whole digits and decimals; None when it is no number. A lone point is a decimal point everywhere."""
        found = numbers.parse(text, self.lexicon.group, self.lexicon.decimal)
        if found is None and self.lexicon.decimal == ",":
            found = numbers.parse(text, " ", ".")
        return found

    def number(self, text: str) -> str:
        """A written number, counted."""
        parsed = self.parse(text)
        if parsed is None:
            return text
        sign, whole, decimals = parsed
        words = self._sign(sign) + numbers.whole(whole, self.language)
        if decimals:
            point = "point" if self.language == "en" else self.lexicon.point
            words += f" {point} {self._decimals(decimals)}"
        return words

    def year_or_number(self, index: int) -> str:
        """A number at its place: four bare digits are a year."""
        text = self.items[index].core
        parsed = self.parse(text)
        if parsed and self._is_year(text):
            return self.year_or_count(text)
        return self.number(text)

    def part(self, text: str) -> str:
        """A part of something written in one: a number, or what it is."""
        if self.parse(text) is None:
            return text
        return self.year_or_count(text) if text.isdecimal() else self.number(text)

    def year_or_count(self, text: str) -> str:
        """Four digits as a year, others counted."""
        if self._is_year(text):
            return numbers.year(int(text), self.language)
        return numbers.whole(text, self.language)

    def is_one(self, text: str) -> bool:
        """Whether what follows stands in the singular. French has it for anything below two."""
        parsed = self.parse(text)
        if parsed is None:
            return False
        if self.language == "fr":
            return int(parsed[1]) < 2
        return int(parsed[1]) == 1 and not parsed[2]

    def before_noun(self, text: str) -> str:
        """A number right before what it counts: `ein Euro`, `veintiún euros`."""
        parsed = self.parse(text)
        if parsed is None or parsed[2]:
            return self.number(text)
        whole = int(parsed[1])
        if whole == 1:
            return self._sign(parsed[0]) + self.lexicon.one
        if self.language == "es":
            return self._sign(parsed[0]) + numbers.spell(whole, "es", "spellout-cardinal-masculine")
        return self.number(text)

    def counts(self, index: int) -> bool:
        """Whether a number stands right before what it counts, in languages where its form depends on that."""
        item, after = self.items[index], self.at(index + 1)
        if after is None or item.trail or not after.core.isalpha():
            return False
        if self.language == "de":
            return item.core == "1" and after.core[0].isupper()
        return (
            self.language == "es" and after.core[0].islower() and len(after.core) > 3 and not self._is_year(item.core)
        )

    def _is_year(self, text: str) -> bool:
        return text.isdecimal() and len(text) == 4 and int(text) in _YEARS

    def code(self, text: str, first: bool) -> str:
        """Digits among letters: `1080` of `1080p` in pairs, `264` of `x264` one by one."""
        if "." in text:
            return self.number(text)
        if self.language == "en" and first and len(text) in (3, 4) and not text.startswith("0"):
            return self._pairs(text)
        return numbers.digits(text, self.language) if len(text) > 2 else numbers.whole(text, self.language)

    def _pairs(self, text: str) -> str:
        head, tail = text[:-2], text[-2:]
        if tail == "00":
            return numbers.cardinal(int(text), "en")
        ending = f"oh {numbers.cardinal(int(tail), 'en')}" if tail[0] == "0" else numbers.cardinal(int(tail), "en")
        return f"{numbers.cardinal(int(head), 'en')} {ending}"

    def _sign(self, sign: str) -> str:
        if sign in _APPROXIMATE or sign == "+":
            return f"{self.lexicon.symbols[sign]} " if sign else ""
        return f"{self.lexicon.minus} "

    def _decimals(self, decimals: str) -> str:
        """One by one in English and German; elsewhere counted, as people do for up to three digits."""
        if self.language in ("en", "de") or decimals.startswith("0") or len(decimals) > 3:
            return numbers.digits(decimals, self.language)
        return numbers.cardinal(int(decimals), self.language)
