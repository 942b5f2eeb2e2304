"""Dates."""

from __future__ import annotations

import re

from stages.speech.normalise import numbers
from stages.speech.normalise.line import Line
from stages.speech.normalise.token import Item
from stages.text.function_words import FUNCTION_WORDS

_ISO = re.compile(r"([12]\d{3})([-/.])(\d{2})\2(\d{2})")
_ISO_MONTH = re.compile(r"([12]\d{3})-(0[1-9]|1[0-2])")
_NUMERIC = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})")
_DAY_AND_MONTH = re.compile(r"(\d{1,2})\.(\d{1,2})")
_DATIVE_LIST = """am im vom zum beim dem den des ab bis seit nach vor zur einem einen eines jeden jedem"""
_DATIVE = frozenset(_DATIVE_LIST.split())
_WEAK_LIST = """der die das diese dieser jede jeder"""
_WEAK = frozenset(_WEAK_LIST.split())


_DAY_AND_MONTH_AFTER = re.compile(r"(\d{1,2})/(\d{1,2})")
_MONTH_AND_YEAR = re.compile(r"(0?[1-9]|1[0-2])/([12]\d{3})")
# After these a number, a slash and a number are a day and a month.
_CALLS_FOR_DAY = {
    "en": ("on",),
    "fr": ("le", "au", "du", "dès"),
    "es": ("el", "al", "del"),
    "it": ("il", "al", "dal", "del"),
}
_COMMON_PARTS = frozenset({(1, 2), (1, 3), (2, 3), (1, 4), (3, 4)})
_PART_OF = re.compile(r"(?:d['’].*|de|du|des|di|del|della|dei|delle|degli|of)")


def is_date(text: str) -> bool:
    """Whether digits and marks are a date rather than a telephone number."""
    return bool(_ISO.fullmatch(text) or _NUMERIC.fullmatch(text))


def date(line: Line, index: int) -> bool:
    """`2024-03-05`, `3/4/2024`, `03.05.2024`, `2024-05`."""
    item = line.items[index]
    if match := _MONTH_AND_YEAR.fullmatch(item.core):
        item.spoken = _say_month(line, int(match[1]), int(match[2]))
        return True
    if found := _day_and_month(line, index):
        item.spoken = _say_date(line, index, *found)
        return True
    if match := _ISO_MONTH.fullmatch(item.core):
        item.spoken = _say_month(line, int(match[2]), int(match[1]))
        return True
    if line.language == "de" and (match := _DAY_AND_MONTH.fullmatch(item.core)) and item.trail.startswith("."):
        return _german_date(line, index, int(match[1]), int(match[2]))
    if match := _ISO.fullmatch(item.core):
        year, month, day = int(match[1]), int(match[3]), int(match[4])
    elif match := _NUMERIC.fullmatch(item.core):
        if match[2] == "-" and len(match[4]) == 2:
            return False
        first, second, year = int(match[1]), int(match[3]), int(match[4])
        month_first = (line.month_first and match[2] != "." and first <= 12) or second > 12
        month, day = (first, second) if month_first else (second, first)
        year += (2000 if year < 70 else 1900) if len(match[4]) == 2 else 0
    else:
        return False
    if not (1 <= month <= 12 and 1 <= day <= 31 and 1000 <= year <= 2999):
        return False
    item.spoken = _say_date(line, index, day, month, year)
    return True


def _day_and_month(line: Line, index: int) -> tuple[int, int] | None:
    """`le 14/07`, `el 11/9`, `on 3/4`; `le 1/3 des gens` is a part."""
    item, before, after = line.items[index], line.at(index - 1), line.at(index + 1)
    match = _DAY_AND_MONTH_AFTER.fullmatch(item.core)
    if not match or before is None or before.core.lower() not in _CALLS_FOR_DAY.get(line.language, ()):
        return None
    first, second = int(match[1]), int(match[2])
    is_part = first < second <= 10 and not item.core.startswith("0") and not match[2].startswith("0")
    if is_part and after is not None and not item.trail:
        noun = after.core[:1].islower() and after.core not in FUNCTION_WORDS[line.language]
        measured = after.core in line.lexicon.units or (noun and (first, second) in _COMMON_PARTS)
        if measured or _PART_OF.fullmatch(after.core):
            return None
    month_first = (line.month_first and first <= 12) or second > 12
    month, day = (first, second) if month_first else (second, first)
    return (day, month) if 1 <= month <= 12 and 1 <= day <= 31 else None


def _german_date(line: Line, index: int, day: int, month: int) -> bool:
    """`am 5.5. um 8 Uhr`: not at a line's end, where the stop may be the sentence's, unless a word before calls for a date."""
    item, before, after = line.items[index], line.at(index - 1), line.at(index + 1)
    if not (1 <= month <= 12 and 1 <= day <= 31) or (after is None and not (before and before.core.lower() in _DATIVE)):
        return False
    item.spoken = f"{_german(line, index, day)} {line.lexicon.months[month - 1]}"
    item.trail = item.trail[1:] if after else item.trail
    return True


def _say_month(line: Line, month: int, year: int) -> str:
    name, said_year = line.lexicon.months[month - 1], numbers.year(year, line.language)
    return f"{name} de {said_year}" if line.language == "es" else f"{name} {said_year}"


def _say_date(line: Line, index: int, day: int, month: int, year: int | None = None) -> str:
    name = line.lexicon.months[month - 1]
    if year is None:
        return f"{name} {numbers.ordinal(day, 'en')}" if line.language == "en" else _day_of(line, day, name)
    said_year = numbers.year(year, line.language)
    match line.language:
        case "en":
            return f"{name} {numbers.ordinal(day, 'en')}, {said_year}"
        case "de":
            return f"{_german(line, index, day)} {name} {said_year}"
        case "es":
            return f"{_day(line, day)} de {name} de {said_year}"
        case _:
            return f"{_day(line, day)} {name} {said_year}"


def _day_of(line: Line, day: int, name: str) -> str:
    return f"{_day(line, day)} de {name}" if line.language == "es" else f"{_day(line, day)} {name}"


def day(line: Line, index: int) -> bool:
    """The day beside a month's name: `March 3`, `3 March`, `May 3–5`, `1er mai`."""
    item, after = line.items[index], line.at(index + 1)
    if not item.core.isdecimal() or not 1 <= int(item.core) <= 31:
        return False
    if line.language == "en":
        return _english_day(line, index)
    if line.language in ("fr", "it") and item.core == "1" and after and _is_month(after, line):
        item.spoken = _day(line, 1)
        return True
    return False


def _english_day(line: Line, index: int) -> bool:
    item, before, after = line.items[index], line.at(index - 1), line.at(index + 1)
    ordinal = numbers.ordinal(int(item.core), "en")
    opening = line.at(index - 2) if before and before.is_dash else before
    first = line.at(index - 3) if before and before.is_dash else opening
    if first and first.core and not first.trail.replace(".", "") and _is_month(first, line):
        if first.open and len(first.core) in (3, 4):
            first.spoken = next((name for name in line.lexicon.months if name.startswith(first.core)), None)
        item.spoken = ordinal
        return True
    if item.trail or after is None:
        return False
    the = "" if (before and before.core.lower() == "the") or (before and before.is_dash) else "the "
    last = line.at(index + 3)
    if after.is_dash and last and _is_month(last, line) and after.shown != "—":
        item.spoken = f"{the}{ordinal}"
        return True
    if _is_month(after, line):
        item.spoken = f"{the}{ordinal} of"
        return True
    return False


def german_ordinal(line: Line, index: int) -> bool:
    """`am 3. Mai`, `der 21. Tag`, `vom 3. bis 5. Mai`: a number with a stop, before a noun or another such number."""
    item, after = line.items[index], line.at(index + 1)
    if not re.fullmatch(r"\d{1,3}", item.core) or item.trail not in (".", ".,"):
        return False
    if _is_day_alone(line, index):
        # `am 3. wieder`; at the line's end the stop is the sentence's too.
        item.spoken, item.trail = _german(line, index, int(item.core)), "" if after else "."
        return True
    if after is None:
        return False
    if item.trail == ".,":
        # `am 3., 5. und 7. Mai`
        if not (re.fullmatch(r"\d{1,3}", after.core) and after.trail in (".", ".,") and line.at(index + 2)):
            return False
        item.spoken, item.trail = _german(line, index, int(item.core)), ","
        return True
    before = line.at(index - 1)
    if (
        before
        and not before.trail
        and _is_german_ordinal(before)
        and 1 <= int(item.core) <= 12
        and not after.core[:1].isupper()
    ):
        # `3. 5. 2024`
        item.spoken, item.trail = line.lexicon.months[int(item.core) - 1], ""
        return True
    joined = after.is_dash or after.core in ("bis", "und", "oder")
    further = line.at(index + 2) if joined else None
    if joined and not (further and further.trail == "." and further.core.isdecimal()):
        return False
    if not (joined or after.core[:1].isupper() or re.fullmatch(r"\d{1,2}", after.core)):
        return False
    item.spoken = _german(line, index, int(item.core))
    item.trail = ""
    return True


def _is_day_alone(line: Line, index: int) -> bool:
    """Whether a German day stands without its month: `am 3. wieder`, `bis zum 15.`"""
    item, before, after = line.items[index], line.at(index - 1), line.at(index + 1)
    called = before is not None and not before.trail and before.core.lower() in ("am", "vom", "zum")
    goes_on = after is None or (after.core[:1].islower() and after.core not in ("bis", "und", "oder"))
    return called and item.trail == "." and 1 <= int(item.core) <= 31 and goes_on


def _is_month(item: Item, line: Line) -> bool:
    core = item.core.rstrip(".")
    names = line.lexicon.months
    if line.language == "en":
        return core in names or (len(core) in (3, 4) and core != "May" and any(name.startswith(core) for name in names))
    return core.lower() in (name.lower() for name in names)


def _day(line: Line, number: int) -> str:
    first = {"fr": "premier", "es": "primero", "it": "primo"}
    return first.get(line.language, "") if number == 1 else numbers.cardinal(number, line.language)


def _german(line: Line, index: int, number: int) -> str:
    before = line.at(index - 1)
    if before and (before.is_dash or before.core in ("bis", "und", "oder")):
        # `vom dritten bis fünften`: both have one ending.
        first = line.at(index - 2)
        if first and _is_german_ordinal(first):
            return numbers.ordinal(number, "de") + (first.spoken or "")[-1].removesuffix("e")
    word = before.core.lower() if before else ""
    if before and _is_german_ordinal(before):
        return numbers.ordinal(number, "de") + (before.spoken or "")[-1].removesuffix("e")
    ending = "n" if word in _DATIVE else "" if word in _WEAK else "r"
    return numbers.ordinal(number, "de") + ending


def _is_german_ordinal(item: Item) -> bool:
    """Whether it has been read as `dritte`, `dritten` or `dritter`."""
    return item.core.isdecimal() and item.spoken is not None and re.search("te[nr]?$", item.spoken) is not None
