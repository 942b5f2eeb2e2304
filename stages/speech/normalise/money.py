"""Money, percentages and measures: a number and what it counts, in one word or in two."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from stages.speech.normalise import numbers
from stages.speech.normalise.currencies import Currency, alternatives, currencies, currency_pattern
from stages.speech.normalise.lexicon import LEXICONS
from stages.speech.normalise.line import Line
from stages.speech.normalise.token import Item
from stages.speech.normalise.written import after_stop

NUMBER = r"[-−+~≈±]?\d[\d.,'’]*"
# Signs that count only when they touch their number: `3x`.
_ALONE_NEVER = frozenset({"x", "K"})
# After these a number and a letter are a name: `Part 2 A`.
_NAMED_LIST = """part chapter class group gate seat row section exhibit appendix block room platform type table figure teil kapitel
    klasse gruppe tor block abschnitt halle typ stufe tabelle partie chapitre classe groupe porte type parte capítulo clase grupo
    puerta capitolo gruppo tipo porta"""
_NAMED = frozenset(_NAMED_LIST.split())
# After a height or a distance `5m` is meters; before what is counted it is millions.
_COUNTED = re.compile(r"(?:people|men|women|children|[a-z]{3,}[^s]s)")
_PERCENT_ADJECTIVE = re.compile(r"(\d[\d.,]*)%-?ig((?:e[rsnm]?)?)")
_SCALED = re.compile(r"(\d[\d.,]*)([A-Za-z]{1,3})")
_THOUSANDS = frozenset({"thousand", "Tausend", "mille", "mil", "mila"})
_VOWEL = re.compile(r"[aeiouhéè]", re.IGNORECASE)


@dataclass(frozen=True)
class _Amount:
    """A sum as written, and the pieces that hold its scale (`million`) and its unit where they stand apart."""

    number: str
    currency: Currency
    scale: str = ""
    scale_item: Item | None = None
    unit_item: Item | None = None


def amount(line: Line, index: int) -> bool:
    """`$9.99`, `9,99 €`, `20€`, `€5m`, `$1.2 billion`, `5 EUR`, `5 M€`."""
    item = line.items[index]
    if found := _in_one_piece(line, index):
        _say(line, item, found)
        return True
    if found := _sign_first(line, index):
        following = line.items[index + 1]
        _say(line, following, found)
        item.spoken, item.trail = "", ""
        return True
    if found := _sign_last(line, index):
        _say(line, item, found)
        return True
    return False


@lru_cache(maxsize=8)
def _patterns(language: str) -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """A sign and its number, a number and its sign, a scale and its sign, each in one piece."""
    money = currency_pattern(language)
    return (
        re.compile(rf"([-−+~≈]?)({money})({NUMBER})\s?([A-Za-z]{{1,2}})?"),
        re.compile(rf"({NUMBER})([A-Za-z]{{1,3}}?)?({money})"),
        re.compile(rf"([A-Za-z]{{1,3}})({money})"),
    )


@lru_cache(maxsize=8)
def _measure_pattern(language: str) -> re.Pattern[str]:
    return re.compile(rf"({NUMBER})({alternatives(LEXICONS[language].units)})")


def _in_one_piece(line: Line, index: int) -> _Amount | None:
    item, (sign_first, sign_last, _) = line.items[index], _patterns(line.language)
    if not any(char.isdecimal() for char in item.core):
        return None
    match = sign_first.fullmatch(item.core)
    if match:
        number, code, scale = match[1] + match[3], match[2], match[4] or ""
    else:
        match = sign_last.fullmatch(item.core)
        if not match:
            return None
        number, code, scale = match[1], match[3], match[2] or ""
    if line.parse(number) is None or (scale and scale not in line.lexicon.scales):
        return None
    scale_item = None if scale or item.trail else _scale_at(line, index + 1, letters=match[0][:1].isdecimal() is False)
    return _Amount(number, currencies(line.language)[code], scale, scale_item)


def _sign_first(line: Line, index: int) -> _Amount | None:
    item, following = line.items[index], line.at(index + 1)
    currency = line.currency(item)
    if currency is None or following is None or not following.open or item.trail not in ("", "."):
        return None
    if (scaled := _SCALED.fullmatch(following.core)) and scaled[2] in line.lexicon.scales:
        return _Amount(scaled[1], currency, scaled[2]) if line.parse(scaled[1]) else None
    if line.parse(following.core) is None:
        return None
    return _Amount(following.core, currency, "", None if following.trail else _scale_at(line, index + 2))


def _sign_last(line: Line, index: int) -> _Amount | None:
    item = line.items[index]
    if line.parse(item.core) is None or item.trail:
        return None
    scale_item = _scale_at(line, index + 1)
    unit_item = line.at(index + 2 if scale_item else index + 1)
    if unit_item is None or not unit_item.open:
        return None
    if scale_item and scale_item.trail not in ("", "."):
        return None
    currency, scale = line.currency(unit_item), ""
    if currency is None and not scale_item:
        scale, currency = _scaled_unit(line, unit_item)
    return _Amount(item.core, currency, scale, scale_item, unit_item) if currency else None


def _scaled_unit(line: Line, item: Item) -> tuple[str, Currency | None]:
    """`M€` and `Md€`: scale and unit in one."""
    match = _patterns(line.language)[2].fullmatch(item.core)
    if not match or match[1] not in line.lexicon.scales or match[2].isalpha():
        return "", None
    return match[1], currencies(line.language)[match[2]]


def _scale_at(line: Line, index: int, letters: bool = False) -> Item | None:
    """`million` or `Mio.` at a place; single letters (`$5 m`) only where they are asked for."""
    item = line.at(index)
    known = item is not None and item.open and item.core in line.lexicon.scales and (letters or len(item.core) > 1)
    return item if known else None


def _say(line: Line, item: Item, found: _Amount) -> None:
    """Write the words into the pieces that they belong to."""
    forms = found.currency.forms
    scale = found.scale or (found.scale_item.core if found.scale_item else "")
    if scale:
        words = scaled_number(line, found.number, scale)
        unit = ("" if words[1] in _THOUSANDS else _of(line, forms[1])) + forms[1]
        item.spoken = words[0] if found.scale_item else " ".join(words)
        if found.scale_item:
            found.scale_item.spoken = words[1] if found.unit_item else f"{words[1]} {unit}"
            found.scale_item.trail = "" if found.unit_item else found.scale_item.trail
        elif not found.unit_item:
            item.spoken += f" {unit}"
        if found.unit_item:
            found.unit_item.spoken = unit
        return
    number, unit = _whole_and_parts(line, found)
    if found.unit_item:
        item.spoken, found.unit_item.spoken = number, unit
    else:
        item.spoken = f"{number} {unit}".strip()


def _whole_and_parts(line: Line, found: _Amount) -> tuple[str, str]:
    """The number before its unit, and the unit with the smaller one after it."""
    parsed, forms, minor = line.parse(found.number), found.currency.forms, found.currency.minor
    assert parsed
    sign, whole, decimals = parsed
    if len(decimals) == 2 and decimals != "00":
        cents = line.before_noun(str(int(decimals)), minor[0])
        named = minor[int(decimals) != 1]
        if int(whole) == 0:
            return line.sign(sign) + cents, named
        tail = f"{cents} {named}" if line.lexicon.cents else numbers.cardinal(int(decimals), line.language)
        one = forms[not line.is_one(sign + whole)]
        return line.before_noun(sign + whole, forms[0]), f"{one}{line.lexicon.money_join}{tail}"
    number = sign + whole if not decimals.strip("0") else found.number
    words = line.before_noun(number, forms[0])
    one = forms[not line.is_one(number)]
    is_round = not decimals.strip("0") and int(whole) and int(whole) % 1_000_000 == 0
    return words, (_of(line, one) if is_round else "") + one


def _of(line: Line, noun: str) -> str:
    """`d'` or `de` between a million and what there is a million of, where a language has it."""
    if line.language == "fr":
        return "d'" if _VOWEL.match(noun) else "de "
    return {"es": "de ", "it": "di "}.get(line.language, "")


def scaled_number(line: Line, number: str, scale: str) -> tuple[str, str]:
    """`1,2` and `Mio` in words, each."""
    forms, parsed = line.lexicon.scales[scale], line.parse(number)
    one = parsed is not None and int(parsed[1]) == 1 and not parsed[2].strip("0")
    if line.language == "fr":
        one = line.is_one(number)
    if one and line.language == "de" and forms[0] in ("Million", "Milliarde", "Billion"):
        return "eine", forms[0]
    if one and forms[0] in _THOUSANDS:
        return "", "mille" if line.language == "it" else forms[0]
    return (line.before_noun(number, "") if one else line.number(number)), forms[not one]


def scaled(line: Line, index: int) -> bool:
    """`5 Mio. Menschen`, `2bn people`, `5M users`, `150K followers`."""
    item, following = line.items[index], line.at(index + 1)
    scale_item = None if item.trail else _scale_at(line, index + 1)
    if line.parse(item.core) is not None and scale_item:
        item.spoken, scale_item.spoken = scaled_number(line, item.core, scale_item.core)
        if scale_item.trail.startswith("."):
            scale_item.trail = after_stop(scale_item, line, index + 1)
        return True
    match = re.fullmatch(r"(\d[\d.,]*)([A-Za-z]{1,3})", item.core)
    if not match or match[2] not in line.lexicon.scales or line.parse(match[1]) is None:
        return False
    number, letters = match[1], match[2]
    if letters in ("k", "K", "B", "m", "b") and line.language != "en":
        return False
    parsed = line.parse(number)
    assert parsed
    small = len(parsed[1]) < 3 and not parsed[2]
    if (letters == "K" and small and int(parsed[1]) < 20) or (letters in ("B", "b") and small):
        return False
    counted = following is not None and not item.trail and _COUNTED.fullmatch(following.core) is not None
    if letters == "m" and not counted:
        return False
    item.spoken = " ".join(scaled_number(line, number, letters)).strip()
    return True


def _percentage_adjective(line: Line, index: int) -> bool:
    """`100%ig`, `50 %iger` in German."""
    item, following = line.items[index], line.at(index + 1)
    if match := _PERCENT_ADJECTIVE.fullmatch(item.core):
        number = line.number(match[1])
        item.spoken = f"{'hundert' if match[1] == '100' else number}{' ' if ',' in match[1] else ''}prozentig{match[2]}"
        return True
    match = _PERCENT_ADJECTIVE.fullmatch(f"{item.core}{following.core}") if following and not item.trail else None
    if match is None or following is None or not following.core.startswith("%"):
        return False
    item.spoken, following.spoken = line.number(match[1]), f"prozentig{match[2]}"
    return True


def percent(line: Line, index: int) -> bool:
    """`12.5%`, `12,5 %`, `3‰`, `100%ig`."""
    item, following = line.items[index], line.at(index + 1)
    if line.language == "de" and _percentage_adjective(line, index):
        return True
    signs = {"%": line.lexicon.percent, "‰": line.lexicon.per_mille}
    number = item.core[:-1]
    if following and following.open and following.core.startswith("%-") and line.parse(item.core) is not None:
        item.spoken = _percentage(line, item.core)
        following.spoken = f"{signs['%']} {following.core[2:]}"
        return True
    if item.core[-1:] in signs and line.parse(number) is not None:
        item.spoken = f"{_percentage(line, number)} {signs[item.core[-1]]}"
        return True
    if (
        following
        and following.open
        and following.core in signs
        and line.parse(item.core) is not None
        and not item.trail
    ):
        item.spoken, following.spoken = _percentage(line, item.core), signs[following.core]
        return True
    return False


def measure(line: Line, index: int) -> bool:
    """`5kg`, `-5°C`, `3x`."""
    item = line.items[index]
    match = _measure_pattern(line.language).fullmatch(item.core)
    if not match or line.parse(match[1]) is None:
        return False
    if match[2] == "K" or (match[2] == "m" and len(match[1]) > 4):
        return False
    one, many = line.lexicon.units[match[2]]
    item.spoken = f"{line.before_noun(match[1], one)} {one if line.is_one(match[1]) else many}"
    return True


def name_unit(line: Line, index: int, one: bool) -> None:
    """Read the unit that follows a number as a word of its own."""
    item, following = line.items[index], line.at(index + 1)
    if following is None or not following.open or item.trail:
        return
    if following.core == "%":
        following.spoken = line.lexicon.percent
    if following.core not in line.lexicon.units:
        return
    if following.core in _ALONE_NEVER or (following.core == "°" and following.trail):
        return
    if following.core == "in" and not (_is_feet(line, index - 1) or following.trail.startswith(".")):
        return
    before = line.at(index - 1)
    if len(following.core) == 1 and following.core.isupper() and before and before.core.lower() in _NAMED:
        return
    forms = line.lexicon.units[following.core]
    following.spoken = forms[not one]
    if following.trail.startswith("."):
        following.trail = after_stop(following, line, index + 1)
    item.spoken = line.before_noun(item.core, forms[0]) if line.parse(item.core) is not None else item.spoken


def _is_feet(line: Line, index: int) -> bool:
    item = line.at(index)
    return item is not None and item.core in ("ft", "foot", "feet", "'")


def _percentage(line: Line, number: str) -> str:
    return line.before_noun(number, "") if line.language == "de" else line.number(number)
