"""Money, percentages and measures: a number and what it counts, in one word or in two."""

from __future__ import annotations

import re

from stages.speech import numbers
from stages.speech.line import Line

_NUMBER = r"[-−+~≈±]?\d[\d.,'’]*"
_SCALE_LETTERS = {
    "en": {"k": "thousand", "m": "million", "M": "million", "b": "billion", "B": "billion", "bn": "billion"},
    "de": {"k": "Tausend", "M": "Millionen"},
    "fr": {"k": "mille", "M": "millions"},
    "es": {"k": "mil", "M": "millones"},
    "it": {"k": "mila", "M": "milioni"},
}
_CENTS = {"en": ("cent", "cents"), "de": ("Cent", "Cent"), "fr": ("centime", "centimes"), "es": ("céntimo", "céntimos"),
          "it": ("centesimo", "centesimi")}  # fmt: skip
# Letters that count only when they touch their number: `5 A` is a name, `5A` is not ours either.
_ALONE_NEVER = frozenset({"x", "K", "V"})


def amount(line: Line, index: int) -> bool:
    """`$9.99`, `9,99 €`, `20€`, `€5m`, `$1.2 billion`, `5 EUR`."""
    item = line.items[index]
    codes = "|".join(re.escape(code) for code in sorted(line.lexicon.currencies, key=len, reverse=True))
    match = re.fullmatch(rf"([-−+~≈]?)({codes})({_NUMBER})([A-Za-z]{{1,2}})?", item.core)
    if match:
        return _say_amount(line, index, match[2], match[1] + match[3], match[4] or "")
    match = re.fullmatch(rf"({_NUMBER})([kKmMbB]|bn)?({codes})", item.core)
    if match:
        return _say_amount(line, index, match[3], match[1], match[2] or "")
    following = line.at(index + 1)
    if following is None or not following.open or item.trail:
        return False
    if item.core in line.lexicon.currencies and line.parse(following.core) is not None:
        if not _say_amount(line, index, item.core, following.core, ""):
            return False
        following.spoken, item.spoken = item.spoken, ""
        return True
    if line.parse(item.core) is not None and following.core in line.lexicon.currencies:
        forms = line.lexicon.currencies[following.core]
        item.spoken, following.spoken = _before_unit(line, item.core), forms[not line.is_one(item.core)]
        if parsed := _with_cents(line, item.core):
            whole, cents = parsed
            item.spoken = line.before_noun(whole)
            following.spoken = f"{forms[whole != '1']}{line.lexicon.money_join}{_cents(line, cents)}"
        return True
    scale = line.at(index + 2)
    if line.parse(item.core) is None or following.core not in line.lexicon.scales or scale is None:
        return False
    if not scale.open or scale.core not in line.lexicon.currencies:
        return False
    item.spoken, following.spoken = _before_unit(line, item.core), _long_scale(following.core)
    following.trail = ""
    scale.spoken = f"{line.lexicon.of_money.lstrip()}{line.lexicon.currencies[scale.core][1]}"
    return True


def percent(line: Line, index: int) -> bool:
    """`12.5%` and `12,5 %`."""
    item, following = line.items[index], line.at(index + 1)
    number = item.core.removesuffix("%")
    if number != item.core and line.parse(number) is not None:
        item.spoken = f"{_percentage(line, number)} {line.lexicon.percent}"
        return True
    if following and following.open and following.core == "%" and line.parse(item.core) is not None:
        item.spoken, following.spoken = _percentage(line, item.core), line.lexicon.percent
        return True
    return False


def measure(line: Line, index: int) -> bool:
    """`5kg`, `-5°C`, `3x`."""
    item = line.items[index]
    units = "|".join(re.escape(unit) for unit in sorted(line.lexicon.units, key=len, reverse=True))
    match = re.fullmatch(rf"({_NUMBER})({units})", item.core)
    if not match or line.parse(match[1]) is None:
        return False
    if match[2] == "K" or (match[2] == "m" and len(match[1]) > 4):
        return False
    item.spoken = f"{_before_unit(line, match[1])} {_unit(line, match[2], line.is_one(match[1]))}"
    return True


def name_unit(line: Line, index: int, one: bool) -> None:
    """Read the unit that follows a number as a word of its own."""
    item, following = line.items[index], line.at(index + 1)
    if following is None or not following.open or item.trail or following.core not in line.lexicon.units:
        return
    if following.core in _ALONE_NEVER or (following.core == "°" and following.trail):
        return
    following.spoken = _unit(line, following.core, one)
    item.spoken = _before_unit(line, item.core) if line.parse(item.core) is not None else item.spoken


def join_groups(line: Line, index: int) -> bool:
    """`10 000`: a number whose thousands stand apart, as French and others write them."""
    item = line.items[index]
    if not re.fullmatch(r"[-−+]?\d{1,3}", item.core) or item.trail:
        return False
    last = index
    while (word := line.at(last + 1)) and re.fullmatch(r"\d{3}(?:,\d+)?", word.core) and word.open:
        if line.language == "en" and word.core != "000":
            break
        last += 1
        if word.trail:
            break
    if last == index:
        return False
    item.core = "".join(line.items[place].core for place in range(index, last + 1))
    item.spoken = line.number(item.core)
    for place in range(index + 1, last + 1):
        line.items[place].spoken = ""
    following, end = line.at(last + 1), line.items[last]
    if following and following.open and not end.trail:
        unit = _unit(line, following.core, one=False) if following.core in line.lexicon.units else ""
        unit = unit or line.lexicon.currencies.get(following.core, ("", ""))[1]
        unit = unit or (line.lexicon.percent if following.core == "%" else "")
        if unit and following.core not in _ALONE_NEVER:
            following.spoken = unit
    return True


def _say_amount(line: Line, index: int, code: str, number: str, scale: str) -> bool:
    item, following = line.items[index], line.at(index + 1)
    forms = line.lexicon.currencies[code]
    if line.parse(number) is None:
        return False
    if scale:
        word = _SCALE_LETTERS[line.language].get(scale)
        if word is None:
            return False
        item.spoken = f"{line.number(number)} {word} {forms[1]}"
        return True
    if following and following.open and following.core.rstrip(".") in line.lexicon.scales and not item.trail:
        item.spoken = _before_unit(line, number)
        following.spoken = f"{_long_scale(following.core)}{line.lexicon.of_money}{forms[1]}"
        return True
    if split := _with_cents(line, number):
        whole, cents = split
        large = "" if whole == "0" else f"{line.before_noun(whole)} {forms[whole != '1']}{line.lexicon.money_join}"
        item.spoken = large + (_cents(line, cents, alone=not large))
        return True
    item.spoken = f"{_before_unit(line, number)} {forms[not line.is_one(number)]}"
    return True


def _with_cents(line: Line, number: str) -> tuple[str, str] | None:
    """Whole part and hundredths, when there are exactly two decimals and they are not zero."""
    parsed = line.parse(number)
    if parsed is None or parsed[0] or len(parsed[2]) != 2:
        return None
    return (parsed[1], parsed[2]) if parsed[2] != "00" else None


def _cents(line: Line, cents: str, alone: bool = False) -> str:
    words = numbers.cardinal(int(cents), line.language)
    if line.lexicon.cents or alone:
        return f"{words} {_CENTS[line.language][int(cents) != 1]}"
    return words


def _before_unit(line: Line, number: str) -> str:
    parsed = line.parse(number)
    if parsed and set(parsed[2]) == {"0"}:
        number = parsed[0] + parsed[1]
    return line.before_noun(number)


def _percentage(line: Line, number: str) -> str:
    return line.before_noun(number) if line.language == "de" else line.number(number)


def _unit(line: Line, unit: str, one: bool) -> str:
    return line.lexicon.units[unit][not one]


def _long_scale(word: str) -> str:
    return {"Mio": "Millionen", "Mrd": "Milliarden"}.get(word.rstrip("."), word)
