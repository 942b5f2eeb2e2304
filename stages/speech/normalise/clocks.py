"""Times of day."""

from __future__ import annotations

import re

from stages.speech.normalise import numbers
from stages.speech.normalise.line import Line
from stages.speech.normalise.token import Item

_CLOCK = re.compile(r"(\d{1,2})[:h](\d{2})(?::(\d{2}))?\s?([ap]\.?m)?(?:Uhr|h|min|mn)?", re.IGNORECASE)
_DOTTED_CLOCK = re.compile(r"(\d{1,2})\.(\d{2})([ap]\.?m)?", re.IGNORECASE)
_HOUR = re.compile(r"(\d{1,2})\s?([ap])\.?m", re.IGNORECASE)
_AT_LIST = "alle dalle ore le h las la"
_AT = frozenset(_AT_LIST.split())
_MERIDIEMS = {"am": "A.M.", "pm": "P.M."}
_AROUND_THE_CLOCK = re.compile(r"(\d{1,2})([hj])/(\d{1,2})")
_ELIDED_CLOCK = re.compile(r"((?:d?all|l)['’])(1[:.]\d\d)")


def clock(line: Line, index: int) -> bool:
    """`7:30 p.m.`, `17:45 Uhr`, `17.45 Uhr`, `17h45`, `5pm`."""
    item, after = line.items[index], line.at(index + 1)
    if line.language == "en" and (hour := _HOUR.fullmatch(item.core)):
        item.spoken = f"{line.number(hour[1])} {_MERIDIEMS[hour[2].lower() + 'm']}"
        return _close(item, line, index)
    if line.language == "fr" and (_around_the_clock(item) or _parted_clock(line, index)):
        return True
    if line.language == "it" and (elided := _ELIDED_CLOCK.fullmatch(item.core)):
        time = _CLOCK.fullmatch(elided[2].replace(".", ":"))
        item.spoken = elided[1] + (_say_clock(line, time)[0] if time else "")
        return True
    match = _CLOCK.fullmatch(item.core) or _dotted_clock(line, index)
    if not match or int(match[1]) > 24 or int(match[2]) > 59 or ("h" in item.core and line.language != "fr"):
        return False
    if line.language == "en":
        return _english_clock(line, index, match)
    words, rest = _say_clock(line, match)
    if line.language == "de" and after and after.open and after.core in ("Uhr", "h") and not item.trail:
        item.spoken = line.before_noun(match[1], "Uhr")
        after.spoken = f"Uhr{rest}"
        return True
    item.spoken = words
    if line.language in ("fr", "es", "it") and after and after.open and after.core == "h" and not item.trail:
        after.spoken = ""
    return True


def _around_the_clock(item: Item) -> bool:
    """`24h/24`, `7j/7` in French."""
    match = _AROUND_THE_CLOCK.fullmatch(item.core)
    if match:
        noun = {"h": "heure", "j": "jour"}[match[2]] + ("s" if int(match[1]) > 1 else "")
        item.spoken = f"{numbers.cardinal(int(match[1]), 'fr')} {noun} sur {numbers.cardinal(int(match[3]), 'fr')}"
    return match is not None


def _parted_clock(line: Line, index: int) -> bool:
    """`8 h 05` in French."""
    hour, unit, minute = line.items[index], line.at(index + 1), line.at(index + 2)
    if unit is None or minute is None or unit.core != "h" or hour.trail or unit.trail or not unit.open:
        return False
    if not re.fullmatch(r"1?\d|2[0-4]", hour.core) or not re.fullmatch(r"[0-5]\d", minute.core):
        return False
    hour.spoken = line.before_noun(hour.core, "heure")
    unit.spoken = "heure" if int(hour.core) < 2 else "heures"
    minute.spoken = numbers.cardinal(int(minute.core), "fr") if int(minute.core) else ""
    return True


def _dotted_clock(line: Line, index: int) -> re.Match[str] | None:
    """`17.30` as a time where the words around it say so; rewritten with a colon."""
    item, before, after = line.items[index], line.at(index - 1), line.at(index + 1)
    match = _DOTTED_CLOCK.fullmatch(item.core)
    if not match:
        return None
    timed = (
        after is not None
        and not item.trail
        and (after.core == "Uhr" or re.fullmatch(r"[ap]\.?m", after.core) is not None)
    )
    called = line.language in ("it", "es") and before is not None and before.core.lower() in _AT
    return _CLOCK.fullmatch(item.core.replace(".", ":", 1)) if timed or called or match[3] else None


def _english_clock(line: Line, index: int, match: re.Match[str]) -> bool:
    item, after = line.items[index], line.at(index + 1)
    words, _ = _say_clock(line, match)
    if match[4]:
        item.spoken = f"{words} {_MERIDIEMS[match[4].lower().replace('.', '')]}"
        return _close(item, line, index)
    named = after is not None and re.fullmatch(r"[ap]\.?m\.?", after.dotted.lower()) is not None
    in_range = any(word is not None and word.is_dash for word in (after, line.at(index - 1)))
    bare = match[2] == "00" and not match[3] and not named and not in_range
    item.spoken = words + (" o'clock" if bare and 0 < int(match[1]) <= 12 else " hundred" if bare else "")
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
            return f"{line.before_noun(str(hour), 'Uhr')} Uhr{rest}", rest
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
