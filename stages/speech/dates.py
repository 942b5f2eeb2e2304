"""Dates and times of day."""

from __future__ import annotations

import re

from stages.speech import numbers
from stages.speech.items import Item
from stages.speech.line import Line

_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_NUMERIC = re.compile(r"(\d{1,2})([/.])(\d{1,2})\2(\d{4}|\d{2})")
_CLOCK = re.compile(r"(\d{1,2})[:h](\d{2})(?::(\d{2}))?\s?([ap]\.?m)?(?:Uhr|h)?", re.IGNORECASE)
_HOUR = re.compile(r"(\d{1,2})\s?([ap])\.?m", re.IGNORECASE)
_CLOCK_RANGE = re.compile(r"(\d{1,2}:\d{2})[-–—](\d{1,2}:\d{2})")
_DATIVE_LIST = """am im vom zum beim dem den des ab bis seit nach vor zur einem einen eines jeden jedem"""
_DATIVE = frozenset(_DATIVE_LIST.split())
_WEAK_LIST = """der die das diese dieser jede jeder"""
_WEAK = frozenset(_WEAK_LIST.split())
_MERIDIEMS = {"am": "A.M.", "pm": "P.M."}


def is_date(text: str) -> bool:
    """Whether digits and marks are a date rather than a telephone number."""
    return bool(_ISO.fullmatch(text) or _NUMERIC.fullmatch(text))


def date(line: Line, index: int) -> bool:
    """`2024-03-05`, `3/4/2024`, `03.05.2024`."""
    item = line.items[index]
    if match := _ISO.fullmatch(item.core):
        year, month, day = (int(part) for part in match.groups())
    elif match := _NUMERIC.fullmatch(item.core):
        first, second, year = int(match[1]), int(match[3]), int(match[4])
        american = line.language == "en" and match[2] == "/" and first <= 12
        month, day = (first, second) if american else (second, first)
        year += (2000 if year < 70 else 1900) if len(match[4]) == 2 else 0
    else:
        return False
    if not (1 <= month <= 12 and 1 <= day <= 31 and 1000 <= year <= 2999):
        return False
    item.spoken = _say_date(line, index, day, month, year)
    return True


def _say_date(line: Line, index: int, day: int, month: int, year: int) -> str:
    name, said_year = line.lexicon.months[month - 1], numbers.year(year, line.language)
    match line.language:
        case "en":
            return f"{name} {numbers.ordinal(day, 'en')}, {said_year}"
        case "de":
            return f"{_german(line, index, day)} {name} {said_year}"
        case "es":
            return f"{_day(line, day)} de {name} de {said_year}"
        case _:
            return f"{_day(line, day)} {name} {said_year}"


def day(line: Line, index: int) -> bool:
    """The day beside a month's name: `March 3`, `3 March`, `1er mai`."""
    item, before, after = line.items[index], line.at(index - 1), line.at(index + 1)
    if not item.core.isdecimal() or not 1 <= int(item.core) <= 31:
        return False
    if line.language == "en":
        if before and not before.trail.replace(".", "") and _is_month(before, line):
            item.spoken = numbers.ordinal(int(item.core), "en")
            return True
        if after and not item.trail and _is_month(after, line):
            the = "" if before and before.core.lower() == "the" else "the "
            item.spoken = f"{the}{numbers.ordinal(int(item.core), 'en')} of"
            return True
        return False
    if line.language in ("fr", "it") and item.core == "1" and after and _is_month(after, line):
        item.spoken = _day(line, 1)
        return True
    return False


def german_ordinal(line: Line, index: int) -> bool:
    """`am 3. Mai`, `der 21. Tag`: a number with a stop, before a noun."""
    item, after = line.items[index], line.at(index + 1)
    if not re.fullmatch(r"\d{1,3}", item.core) or item.trail != "." or after is None:
        return False
    if not (after.core[:1].isupper() or re.fullmatch(r"\d{1,2}", after.core)):
        return False
    item.spoken = _german(line, index, int(item.core))
    item.trail = ""
    return True


def clock(line: Line, index: int) -> bool:
    """`7:30 p.m.`, `17:45 Uhr`, `17h45`, `5pm`, `10:30–11:45`."""
    item = line.items[index]
    if both := _CLOCK_RANGE.fullmatch(item.core):
        sides = [_CLOCK.fullmatch(side) for side in both.groups()]
        item.spoken = f" {line.lexicon.to} ".join(_say_clock(line, side)[0] for side in sides if side)
        return True
    if line.language == "en" and (hour := _HOUR.fullmatch(item.core)):
        item.spoken = f"{line.number(hour[1])} {_MERIDIEMS[hour[2].lower() + 'm']}"
        return _close(item, line, index)
    match = _CLOCK.fullmatch(item.core)
    if not match or int(match[1]) > 24 or int(match[2]) > 59 or ("h" in item.core and line.language != "fr"):
        return False
    after = line.at(index + 1)
    first, rest = _say_clock(line, match)
    if line.language == "en":
        if match[4]:
            item.spoken = f"{first} {_MERIDIEMS[match[4].lower().replace('.', '')]}"
            return _close(item, line, index)
        meridiem = bool(after and re.fullmatch(r"[ap]\.?m\.?", after.dotted.lower()))
        bare = match[2] == "00" and not match[3] and not meridiem
        item.spoken = first + (" o'clock" if bare and 0 < int(match[1]) <= 12 else " hundred" if bare else "")
        return True
    if line.language == "de" and after and after.open and after.core in ("Uhr", "h") and not item.trail:
        item.spoken = line.before_noun(match[1])
        after.spoken = f"Uhr{rest}"
        return True
    item.spoken = first
    return True


def _say_clock(line: Line, match: re.Match[str]) -> tuple[str, str]:
    """The whole time, and what follows the hour."""
    hour, minute = int(match[1]), int(match[2])
    count = numbers.cardinal(minute, line.language)
    seconds = int(match[3] or 0)
    match line.language:
        case "en":
            rest = f" oh {count}" if 0 < minute < 10 else f" {count}" if minute else ""
            rest += f" and {numbers.cardinal(seconds, 'en')} seconds" if seconds else ""
            return numbers.cardinal(hour, "en") + rest, rest
        case "de":
            rest = f" {count}" if minute else ""
            return f"{line.before_noun(str(hour))} Uhr{rest}", rest
        case "fr":
            feminine = "une" if hour == 1 else numbers.spell(hour, "fr", "spellout-cardinal-feminine")
            rest = f" {count}" if minute else ""
            return f"{feminine} heure{'s' if hour > 1 else ''}{rest}", rest
        case "es":
            hours = "una" if hour == 1 else numbers.cardinal(hour, "es")
            rest = f" y {count}" if minute else " en punto"
            return hours + rest, rest
        case _:
            hours = "una" if hour == 1 else numbers.cardinal(hour, line.language)
            rest = f" e {count}" if minute else " in punto"
            return hours + rest, rest


def _close(item: Item, line: Line, index: int) -> bool:
    """The stop of `p.m.` is its own; at the line's end it ends the sentence too."""
    if item.trail.startswith(".") and index < len(line.items) - 1:
        item.trail = item.trail[1:]
    return True


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
    word = before.core.lower() if before else ""
    if before and before.spoken and before.core.isdecimal():
        return numbers.ordinal(number, "de") + before.spoken[-1].removesuffix("e")
    ending = "n" if word in _DATIVE else "" if word in _WEAK else "r"
    return numbers.ordinal(number, "de") + ending
