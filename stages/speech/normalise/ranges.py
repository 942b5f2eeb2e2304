"""Ranges, sums and rates: what a dash, a sign or a slash between two numbers means."""

from __future__ import annotations

import re
from functools import lru_cache

from stages.speech.normalise.calendar import pair
from stages.speech.normalise.currencies import currency_pattern
from stages.speech.normalise.line import Line
from stages.speech.normalise.token import Item

_NUMERIC = re.compile(r"\D{0,4}\d")
# Endings that belong to each number.
_ENDINGS = frozenset({"s", "st", "nd", "rd", "th", "º", "ª", "er", "e"})
_YEAR = re.compile(r"1\d{3}|20\d{2}")
_SIGNS = frozenset("+×·*/÷=±")
# A zone of time and its hours, or a sign and one letter.
_SIGNED = re.compile(r"(UTC|GMT|UT|MEZ|CET|TUC)([-−–+±])(\d{1,2}(?::\d\d)?)|([-−])([a-z])")
_UNITS_MERIDIEM = re.compile(r"[ap]\.?m", re.IGNORECASE)


def dash(line: Line, index: int) -> bool:
    """`–` between two numbers is `to`, `minus` in a sum."""
    item, before, after = line.items[index], line.at(index - 1), line.at(index + 1)
    if not item.is_dash or before is None or after is None or before.trail.strip(".)"):
        return False
    named = pair(before.core, after.core, line.language) is not None
    if not named and not (_is_numeric(after) and (_is_numeric(before) or _is_unit(line, index - 1))):
        return False
    is_sum = _is_sum(line, index)
    if item.shown == "—" and item.place not in (before.place, after.place):
        return False
    same = before.core == after.core and before.core.isdecimal() and after.place == item.place
    item.spoken = line.lexicon.minus if is_sum else "" if same and len(item.shown) == 1 else line.lexicon.to
    item.lead, item.core, item.trail = "", "–", ""
    return True


def _is_sum(line: Line, index: int) -> bool:
    """Whether a dash takes away: a true minus does but between years, any other where an equals sign belongs to it."""
    item, before, after = line.items[index], line.items[index - 1], line.items[index + 1]
    if item.shown == "−":
        return not (_YEAR.fullmatch(before.core) and _YEAR.fullmatch(after.core) and item.place == before.place)
    if item.shown == "—":
        return False
    # `10 – 3 = 7`, `10–3=7`; in `1914–18 = 5` the dash is no part of the sum.
    for step in (1, -1):
        at = index + 2 * step
        while (sign := line.at(at)) is not None and (sign.is_dash or sign.core in _SIGNS):
            if sign.core == "=":
                return item.place != before.place or sign.place == item.place
            at += 2 * step
    return False


def share(line: Line, index: int) -> bool:
    """In `$5–10`, `EUR 5–10` and `5–10%` one sign stands for both numbers. Reads nothing but a sign that stands apart."""
    item, middle, after = line.items[index], line.at(index + 1), line.at(index + 2)
    further = line.at(index + 3)
    if middle and after and further and after.is_dash and line.currency(item):
        bare = middle.core.isdecimal() and not middle.trail and further.core.isdecimal()
        if bare and dash(line, index + 2):
            further.core, item.spoken, item.trail = f"{item.core}{further.core}", "", ""
            return True
    if middle is None or after is None or not middle.is_dash or item.trail or not after.open:
        return False
    if not dash(line, index + 1) or middle.spoken != line.lexicon.to:
        return False
    side = _side_pattern(line.language)
    left, right = side.fullmatch(item.core), side.fullmatch(after.core)
    if not left or not right:
        return False
    sign = right[1] or left[1] or ""
    has_cents = bool(sign) and re.search(r"[.,]\d\d$", left[2]) is not None
    if not has_cents and (left[1] or "") in ("", sign) and left[3] in ("", right[3]) and left[3] not in _ENDINGS:
        item.core, after.core = left[2], f"{sign}{right[2]}{right[3]}"
    return False


@lru_cache(maxsize=8)
def _side_pattern(language: str) -> re.Pattern[str]:
    return re.compile(rf"({currency_pattern(language)})?([-−+~≈]?\d[\d.,'’:]*)(\D{{0,4}})")


def signed(line: Line, index: int) -> bool:
    """`UTC-5`, `GMT+2`, `-x`: what a sign before a number or a letter means where the rest is no number."""
    item = line.items[index]
    match = _SIGNED.fullmatch(item.core)
    if not match:
        return False
    zone, sign, rest = match.group(1, 2, 3) if match[1] else ("", match[4], match[5])
    hour, _, minutes = rest.partition(":")
    words = [zone, line.lexicon.symbols.get(sign, line.lexicon.minus), line.part(hour)]
    item.spoken = " ".join([*words, line.number(minutes) if minutes.strip("0") else ""]).strip()
    return True


def by(line: Line, index: int) -> bool:
    """`x` between the sides of something: `2 x 4`."""
    item, before, after = line.items[index], line.at(index - 1), line.at(index + 1)
    if item.core not in ("x", "×", "·", "*") or before is None or after is None or before.trail or item.trail:
        return False
    sides = _is_unit(line, index - 1)
    if not (after.core[:1].isdecimal() and (sides or before.core[-1:].isdecimal())) or (item.core == "×" and not sides):
        return False
    item.spoken = line.lexicon.by if item.core in "x×" else line.lexicon.symbols["×"]
    return True


def per(line: Line, index: int) -> bool:
    """`/` after a unit or a price: `5 €/month`."""
    item, after = line.items[index], line.at(index + 1)
    if item.core != "/" or after is None or item.place != after.place:
        return False
    before = line.at(index - 2)
    # `24 h/24` in French.
    all_of_it = line.language == "fr" and before is not None and before.core == after.core
    item.spoken = "sur" if all_of_it else line.lexicon.per
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
