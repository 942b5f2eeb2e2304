"""Fractions, scores and scales: what a slash or a colon between two numbers means."""

from __future__ import annotations

import re

from stages.speech.normalise import money, numbers
from stages.speech.normalise.lexicon import PARTS, VULGAR
from stages.speech.normalise.line import Line

SEASON = re.compile(r"(1\d{3}|20\d{2})/(\d{2}|\d{4})")
_NUMBER = r"\d[\d.,'’]*"
_RATIO = re.compile(rf"({_NUMBER}):({_NUMBER})")
_FRACTION = re.compile(r"(\d{1,3})/(\d{1,3})")
_FEET = re.compile(r"(\d)['′’](\d{1,2})")
# `1:43.5` and `12:30,5` are times.
_SECONDS = re.compile(r"\d\d(?:[.,]\d{1,2})?")
_SCALED_LIST = """scale ratio odds proportion maßstab massstab verhältnis mischverhältnis échelle rapport ratio escala proporción
    razón relación scala rapporto proporzione"""
_SCALED = re.compile(rf"(?:\w['’])?(?:{'|'.join(_SCALED_LIST.split())})s?", re.IGNORECASE)
_STARS_LIST = "star stars stern sterne sternen étoile étoiles estrella estrellas stella stelle"
_STARS = frozenset(_STARS_LIST.split())
_AND = {"en": "and a", "de": "und ein", "fr": "et", "es": "y", "it": "e"}
# What stands between a score and its best, and between two numbers of which the first is the greater.
_OUT_OF = {"en": "out of", "de": "von", "fr": "sur", "es": "sobre", "it": "su"}
_OVER = {"en": "over", "de": "zu", "fr": "sur", "es": "sobre", "it": "su"}
# From here on a part is named by its ordinal.
_SMALL_PART = 100
_HALF_FEMININE_DE = re.compile(
    r"Stunden?|Minuten?|Sekunden?|Tonnen?|Tasse|Packung|Dose|Flasche|Zwiebel|Zitrone|Meile|Seite|Million|Milliarde"
)
_HALF_NEUTER_DE = re.compile(
    r"Kilo|Kilogramm|Gramm|Pfund|Jahr|Jahrhundert|Glas|Bund|Päckchen|Dutzend|Prozent|Stück|Brot|Hähnchen"
)
_HALF_MASCULINE_DE = re.compile(
    r"(?:Zenti|Milli|Kilo|Deka|Dezi|Hekto)?(?:[Mm]eter|[Ll]iter)|Tag|Monat|Becher|Teelöffel|Esslöffel|Apfel|Würfel|Euro|Dollar"
)


def fraction(line: Line, index: int) -> bool:
    """`3/4`, `½`, `2½`, `2 1/2`, `2024/25`, `50/50`, `9.5/10`, `1/25 000`."""
    item = line.items[index]
    if match := SEASON.fullmatch(item.core):
        item.spoken = f"{line.year_or_count(match[1])} {line.year_or_count(match[2])}"
        return True
    if line.language == "en" and (feet := _FEET.fullmatch(item.core)):
        item.spoken = f"{line.number(feet[1])} foot {line.number(feet[2])}"
        return True
    if match := _FRACTION.fullmatch(item.core):
        item.spoken = _slashed(line, index, int(match[1]), int(match[2]))
        money.name_unit(line, index, one=int(match[1]) < int(match[2]))
        return True
    top, slash, bottom = item.core.partition("/")
    if slash and line.parse(top) is not None and line.parse(bottom) is not None:
        item.spoken = _small_part(line, top, bottom) or _quotient(line, index, top, bottom)
        return True
    whole, last = item.core[:-1], item.core[-1:]
    if last not in VULGAR or (whole and not whole.isdecimal()):
        return False
    joined = bool(whole) or _stands_after_number(line, index)
    part = _part(line, index, *VULGAR[last], after_number=joined)
    item.spoken = _mixed_number(line, whole, part, VULGAR[last][0]).strip() if joined else part
    money.name_unit(line, index, one=not joined)
    return True


def scale(line: Line, index: int) -> bool:
    """`1:12 scale`, `im Maßstab 1:87`, `1:50,000`: no time of day."""
    match = _RATIO.fullmatch(line.items[index].core)
    if not match or line.parse(match[1]) is None or (parsed := line.parse(match[2])) is None:
        return False
    near = [line.at(at) for at in (index - 1, index - 2, index - 3, index + 1)]
    named = any(item is not None and _SCALED.fullmatch(item.core) for item in near)
    if not named and len(parsed[1]) < 4:
        return False
    line.items[index].spoken = _small_part(line, match[1], match[2]) or _as_ratio(line, match[1], match[2])
    return True


def ratio(line: Line, index: int) -> bool:
    """`3:2`, `2.35:1`, `1:1,5`."""
    match = _RATIO.fullmatch(line.items[index].core)
    if not match or line.parse(match[1]) is None or line.parse(match[2]) is None:
        return False
    if not match[2].isdecimal() and _SECONDS.fullmatch(match[2]):
        return False
    line.items[index].spoken = _as_ratio(line, match[1], match[2])
    return True


def _as_ratio(line: Line, left: str, right: str) -> str:
    joined = "zu" if line.language == "de" else line.lexicon.to
    return f"{line.number(left)} {joined} {line.number(right)}"


def _slashed(line: Line, index: int, top: int, bottom: int) -> str:
    after = line.at(index + 1)
    if after is not None and after.core.lower() in _STARS:
        return _quotient(line, index, str(top), str(bottom))
    if 0 < top < bottom and bottom in PARTS[line.language]:
        joined = _stands_after_number(line, index)
        part = _part(line, index, top, bottom, after_number=joined)
        return _mixed_number(line, "", part, top).strip() if joined else part
    if top == bottom and top > 1:
        return " ".join([numbers.cardinal(top, line.language)] * 2)
    return _small_part(line, str(top), str(bottom)) or _quotient(line, index, str(top), str(bottom))


def _quotient(line: Line, index: int, top: str, bottom: str) -> str:
    """A score and its best; `120/80`; and two that follow each other or are measured, which a slash only keeps apart."""
    left, right = (float(".".join(parsed[1:])) for parsed in (line.parse(top), line.parse(bottom)) if parsed)
    after = line.at(index + 1)
    listed = right == left + 1 and left >= 10
    measured = after is not None and not line.items[index].trail and after.core in line.lexicon.units
    if listed or measured:
        joined = line.lexicon.slash
    else:
        joined = (_OUT_OF if left <= right else _OVER)[line.language]
    return f"{line.number(top)} {joined} {line.number(bottom)}"


def _small_part(line: Line, top: str, bottom: str) -> str:
    """`1/500` and, in French, `1:25 000`: one part of many; empty where a language says it otherwise."""
    parsed = line.parse(bottom)
    if top != "1" or parsed is None or parsed[2] or not _SMALL_PART <= int(parsed[1]) < 10**9:
        return ""
    many = int(parsed[1])
    return f"un {numbers.ordinal(many, 'fr')}" if line.language == "fr" else ""


def _stands_after_number(line: Line, index: int) -> bool:
    before = line.at(index - 1)
    return before is not None and before.core.isdecimal() and not before.trail


def _part(line: Line, index: int, top: int, bottom: int, after_number: bool) -> str:
    one, many = PARTS[line.language][bottom]
    if line.language == "de" and (top, bottom) == (1, 2) and not after_number:
        return _german_half(line, index)
    return f"{line.lexicon.one} {one}" if top == 1 else f"{numbers.cardinal(top, line.language)} {many}"


def _german_half(line: Line, index: int) -> str:
    """`eine halbe Stunde`, `ein halber Liter`; `einhalb` before a noun whose gender is not known."""
    item, after = line.items[index], line.at(index + 1)
    if item.trail or after is None or not (after.core[:1].isupper() or after.core in line.lexicon.units):
        return "ein halb"
    noun = line.lexicon.units[after.core][0] if after.core in line.lexicon.units else after.core
    if _HALF_FEMININE_DE.fullmatch(noun):
        return "eine halbe"
    if _HALF_NEUTER_DE.fullmatch(noun):
        return "ein halbes"
    return "ein halber" if _HALF_MASCULINE_DE.fullmatch(noun) else "einhalb"


def _mixed_number(line: Line, whole: str, part: str, top: int) -> str:
    """`two and a half`, `due e mezzo`."""
    joined = _AND[line.language].split()[0]
    if top == 1:
        noun = part.split(" ", 1)[-1]
        part = noun if line.language in ("es", "it", "fr") else f"{'a' if line.language == 'en' else 'ein'} {noun}"
    return f"{line.number(whole) if whole else ''} {joined} {part}"
