"""The words of one line while rules read them, and how its language says a number at a place."""

from __future__ import annotations

import re

from stages.speech.normalise import numbers
from stages.speech.normalise.currencies import FEMININE, Currency, currencies
from stages.speech.normalise.genders import is_feminine, is_noun
from stages.speech.normalise.lexicon import Lexicon
from stages.speech.normalise.token import Item
from stages.text.function_words import FUNCTION_WORDS

_YEARS = range(1100, 2100)
_BEFORE_YEARS_LIST = "in since until till by around circa from year before after during of"
_BEFORE_YEARS = frozenset(_BEFORE_YEARS_LIST.split())
_APPROXIMATE = "~≈±"
_SHORT_DECIMALS = re.compile(r"(?<!\d)\d{1,3},\d{1,2}$")
# Italian has `uno` before these.
_IMPURE = re.compile(r"s[^aeiou]|z|gn|ps|x|y")


class Line:
    """All pieces of a line, and its language. `month_first` is how it writes 3/4/2024."""

    def __init__(self, items: list[Item], lexicon: Lexicon, language: str, month_first: bool = False) -> None:
        self.items = items
        self.lexicon = lexicon
        self.language = language
        self.month_first = month_first

    def at(self, index: int) -> Item | None:
        """The word at a place; None beside the line."""
        return self.items[index] if 0 <= index < len(self.items) else None

    def currency(self, item: Item) -> Currency | None:
        """The currency that a piece names by its sign or code."""
        known = currencies(self.language)
        return known.get(item.core) or known.get(item.dotted)

    def parse(self, text: str) -> tuple[str, str, str] | None:
        """Sign, whole digits and decimals; None when it is no number. A lone point is a decimal point everywhere."""
        group, decimal = self.lexicon.group, self.lexicon.decimal
        found = numbers.parse(text, group, decimal)
        if found is None and decimal == ",":
            found = numbers.parse(text, " ", ".")
        # The other style of marks, where it cannot be mistaken for this one.
        if found is None and (
            text.count(decimal) > 1 or (group in text and decimal in text) or _SHORT_DECIMALS.search(text)
        ):
            found = numbers.parse(text, decimal, group)
        return found

    def number(self, text: str) -> str:
        """A written number, counted."""
        parsed = self.parse(text)
        if parsed is None:
            return text
        sign, whole, decimals = parsed
        words = self.sign(sign) + numbers.whole(whole, self.language)
        if decimals:
            point = "point" if self.language == "en" else self.lexicon.point
            words += f" {point} {self._decimals(decimals)}"
        return words

    def year_or_number(self, index: int) -> str:
        """A number at its place: four bare digits are a year."""
        text = self.items[index].core
        parsed = self.parse(text)
        if self._is_early_year(index):
            return numbers.year(int(text), self.language)
        if parsed and self._is_year(text):
            return self.year_or_count(text)
        return self.number(text)

    def _is_early_year(self, index: int) -> bool:
        """`in 1066`, `1066–1087`: in English the years before 1100, which are said in pairs, where the words around say so."""
        item, before, after = self.items[index], self.at(index - 1), self.at(index + 1)
        if self.language != "en" or not re.fullmatch(r"10(?!00)\d\d", item.core):
            return False
        if (
            after
            and not item.trail
            and (after.core in self.lexicon.units or self.currency(after) or after.core in "%°")
        ):
            return False
        if after and not item.trail and after.core[:1].islower() and after.core not in FUNCTION_WORDS["en"]:
            return False
        sides = [
            self.at(index + 2) if after and after.is_dash else None,
            self.at(index - 2) if before and before.is_dash else None,
        ]
        if any(side is not None and re.fullmatch(r"1\d{3}|20\d\d", side.core) for side in sides):
            return True
        return before is not None and not before.trail and before.core.lower() in _BEFORE_YEARS

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

    def before_noun(self, text: str, noun: str) -> str:
        """A number right before what it counts: `ein Euro`, `eine Stunde`, `veintiún euros`, `vingt-et-une heures`."""
        parsed = self.parse(text)
        if parsed is None or parsed[2].strip("0"):
            return self.number(text)
        whole, sign = int(parsed[1]), self.sign(parsed[0])
        feminine = noun.split(" ")[0] in FEMININE.get(self.language, ()) or noun.split(" ")[0] + "s" == "pence"
        if whole == 1:
            return sign + self._one(noun, feminine)
        if len(parsed[1]) > 15:
            return self.number(text)
        if self.language in ("es", "fr"):
            return sign + numbers.spell(
                whole, self.language, f"spellout-cardinal-{'feminine' if feminine else 'masculine'}"
            )
        return sign + numbers.whole(parsed[1], self.language)

    def _one(self, noun: str, feminine: bool) -> str:
        if self.language == "it":
            if feminine:
                return "un'" if noun[:1] in "aeiou" else "una"
            return "uno" if _IMPURE.match(noun) else "un"
        return (
            {"de": "eine", "fr": "une", "es": "una"}.get(self.language, self.lexicon.one)
            if feminine
            else self.lexicon.one
        )

    def counts(self, index: int) -> str:
        """The noun that a number stands right before, in languages where the number's form depends on that; else empty."""
        item, after = self.items[index], self.at(index + 1)
        if after is None or not after.open or item.trail or not after.core.isalpha() or self._is_year(item.core):
            return ""
        if self.language == "de":
            return after.core if item.core == "1" and after.core[0].isupper() else ""
        if self.language not in ("es", "it", "fr") or not after.core[0].islower() or len(after.core) < 3:
            return ""
        if self.language == "fr":
            return after.core if item.core.endswith("1") and not item.core.endswith("11") else ""
        if self.language == "es":
            return after.core if is_noun(after.core, "es") else ""
        return after.core if item.core == "1" and is_noun(after.core, "it") else ""

    def agrees(self, text: str, noun: str) -> str:
        """A number before any noun of the language, by how the noun ends."""
        feminine = is_feminine(noun, self.language)
        if self.language in ("it", "de"):
            return self._one(noun, feminine)
        if self.language in ("es", "fr") and feminine:
            return numbers.spell(int(text), self.language, "spellout-cardinal-feminine")
        return self.before_noun(text, noun)

    def _is_year(self, text: str) -> bool:
        return text.isdecimal() and len(text) == 4 and int(text) in _YEARS

    def code(self, text: str, first: bool) -> str:
        """Digits among letters: `1080` of `1080p` in pairs, `264` of `x264` one by one."""
        if "." in text:
            return self.number(text)
        if self._is_year(text) and not first:
            return numbers.year(int(text), self.language)
        if self.language == "en" and first and len(text) in (3, 4) and not text.startswith("0"):
            return self._pairs(text)
        return numbers.digits(text, self.language) if len(text) > 2 else numbers.whole(text, self.language)

    def _pairs(self, text: str) -> str:
        head, tail = text[:-2], text[-2:]
        if tail == "00":
            return numbers.cardinal(int(text), "en")
        ending = f"oh {numbers.cardinal(int(tail), 'en')}" if tail[0] == "0" else numbers.cardinal(int(tail), "en")
        return f"{numbers.cardinal(int(head), 'en')} {ending}"

    def sign(self, sign: str) -> str:
        if sign in _APPROXIMATE or sign == "+":
            return f"{self.lexicon.symbols[sign]} " if sign else ""
        return f"{self.lexicon.minus} "

    def _decimals(self, decimals: str) -> str:
        """One by one in English and German; elsewhere counted, as people do for up to three digits."""
        if self.language in ("en", "de") or decimals.startswith("0") or len(decimals) > 3:
            return numbers.digits(decimals, self.language)
        return numbers.cardinal(int(decimals), self.language)
