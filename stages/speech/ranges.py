"""Ranges, sums and rates: what a dash, a sign or a slash between two numbers means."""

from __future__ import annotations

import re

from stages.speech.currencies import currency_pattern
from stages.speech.items import Item
from stages.speech.line import Line

_NUMERIC = re.compile(r"\D{0,4}\d")
_UNITS_MERIDIEM = re.compile(r"[ap]\.?m", re.IGNORECASE)


def dash(line: Line, index: int) -> bool:
    """`–` between two numbers is `to`, `minus` in a sum."""
    item, before, after = line.items[index], line.at(index - 1), line.at(index + 1)
    if not item.is_dash or before is None or after is None or before.trail.strip(".)"):
        return False
    if not (_is_numeric(after) and (_is_numeric(before) or _is_unit(line, index - 1))):
        return False
    further = line.at(index + 2)
    is_sum = item.shown in ("-", "−") and (
        (further is not None and further.core == "=") or _core(line, index - 2) == "="
    )
    if item.shown == "—" and item.place not in (before.place, after.place):
        return False
    item.spoken = line.lexicon.minus if is_sum else line.lexicon.to
    item.lead, item.core, item.trail = "", "–", ""
    return True


def share(line: Line, index: int) -> bool:
    """In `$5–10` and `5–10%` one sign stands for both numbers. Reads nothing itself."""
    item, middle, after = line.items[index], line.at(index + 1), line.at(index + 2)
    if middle is None or after is None or not middle.is_dash or item.trail or not after.open:
        return False
    if not dash(line, index + 1) or middle.spoken != line.lexicon.to:
        return False
    money = currency_pattern(line.language)
    left = re.fullmatch(rf"({money})?([-−+~≈]?\d[\d.,'’:]*)(\D{{0,4}})", item.core)
    right = re.fullmatch(rf"({money})?([-−+~≈]?\d[\d.,'’:]*)(\D{{0,4}})", after.core)
    if not left or not right:
        return False
    sign = right[1] or left[1] or ""
    if (left[1] or "") in ("", sign) and left[3] in ("", right[3]) and left[3] != "s":
        item.core, after.core = left[2], f"{sign}{right[2]}{right[3]}"
    return False


def per(line: Line, index: int) -> bool:
    """`/` after a unit or a price: `5 €/month`."""
    item, after = line.items[index], line.at(index + 1)
    if item.core != "/" or after is None or item.place != after.place:
        return False
    item.spoken = line.lexicon.per
    if after.core in line.lexicon.units:
        after.spoken = line.lexicon.units[after.core][0]
    return True


def slash_in_a_sum(line: Line, index: int) -> bool:
    """`8/2=4`."""
    item, further = line.items[index], line.at(index + 2)
    if item.core not in ("/", "*") or further is None or further.core not in ("=", "≠", "<", ">"):
        return False
    item.spoken = line.lexicon.symbols["÷" if item.core == "/" else "×"]
    return True


def _is_numeric(item: Item) -> bool:
    return _NUMERIC.match(item.core) is not None


def _is_unit(line: Line, index: int) -> bool:
    """Whether it is what a number right before it counts."""
    item, before = line.items[index], line.at(index - 1)
    known = item.core in line.lexicon.units or line.currency(item) is not None or item.core in ("%", "‰", "h", "Uhr")
    return before is not None and before.core[-1:].isdecimal() and (known or bool(_UNITS_MERIDIEM.fullmatch(item.core)))


def _core(line: Line, index: int) -> str:
    item = line.at(index)
    return item.core if item else ""
