"""Words into the pieces that rules read one by one: `$5–10` in three, `10 000` in one.

A piece knows the place of the word that it belongs to, so whatever is said of it keeps that word's time.
"""

from __future__ import annotations

import re
from functools import lru_cache

from stages.speech.normalise.calendar import pair
from stages.speech.normalise.currencies import alternatives, currency_pattern
from stages.speech.normalise.lexicon import LEXICONS, Lexicon
from stages.speech.normalise.token import Item, take_apart

DASHES = "-–—−‐‑"
_HAS_DASH = re.compile(rf"[{DASHES}]\S*\d")
_GROUP_FIRST = re.compile(r"(?:[^\w\s.,]|[A-Z]{3})?[-−+]?(?:1[:/])?[1-9]\d{0,2}")
_GROUP = re.compile(r"\d{3}(?:[.,]\d+)?\D{0,4}")
_DIGITS = re.compile(r"\d+")
_OPERATORS = "=×÷<>≤≥≈±+≠^·"
_OPERAND = r"[-−]?[\w.,%°⁰¹²³⁴⁵⁶⁷⁸⁹⁻√π'’]+"
_EXPRESSION = re.compile(rf"{_OPERAND}(?:[{_OPERATORS}]{_OPERAND})+")
_WITH_EQUALS = re.compile(rf"[\w.,²³]+(?:[{_OPERATORS}/*−–-][\w.,²³]+)*[=≠<>≤≥≈]{_OPERAND}")
_COMPARED = re.compile(rf"([<>≤≥≈~±√])({_OPERAND})")
_SIDES = re.compile(r"(\d[\d.,]*)[xX](\d[\d.,]*)")
_DATE_AND_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})T(\d{1,2}:\d{2}(?::\d{2})?)")
_POWER = re.compile(r"(\d+(?:[.,]\d+)?)([⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻]+)")
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_PHONE_PART = re.compile(r"\(?\d+\)?\d*(?:[-/.]\d+)*|[-–/]")
_CALLED_LIST = "tel telefon telefono teléfono téléphone phone fax call mobil móvil handy cell portable cellulare"
_CALLED = frozenset(_CALLED_LIST.split())
_ISO_MONTH = re.compile(r"[12]\d{3}-(?:0[1-9]|1[0-2])")
_NAMES = re.compile(rf"([^\W_]+\.?)[{DASHES}]([^\W_]+)")
_MIXED_NUMBER = re.compile(r"(\d{1,3})-(\d{1,2}/\d{1,2})")
# A power and what it counts: `10⁶/ml`, `10⁻³s`, `10⁶-fold`.
_POWER_AND_REST = re.compile(r"(\d+[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻]+)(?:(/)|-)?([^\W\d_]\S*)")
MAKERS = frozenset({"Boeing", "Airbus", "Embraer", "Bombardier", "Douglas", "Fokker", "MD", "DC"})
AIRLINER = re.compile(r"7[0-8]7(?!\d)")
_MERIDIEM = r"[ap]\.?m\.?"


def arrange(items: list[Item], lexicon: Lexicon, language: str) -> list[Item]:
    """The pieces in order: grouped digits and telephone numbers put together, ranges and sums taken apart."""
    pieces: list[Item] = []
    at = 0
    while at < len(items):
        taken = _telephone(items, at) or _grouped(items, at, language)
        if taken:
            pieces.append(_together(items[at : at + taken[0]], taken[1]))
            at += taken[0]
            continue
        parts = _apart(items[at], items[at - 1] if at else None, lexicon, language) if items[at].open else None
        pieces += _split(items[at], parts) if parts else [items[at]]
        at += 1
    return pieces


def _together(words: list[Item], core: str) -> Item:
    return Item(" ".join(word.shown for word in words), words[0].lead, core, words[-1].trail, None, words[0].place)


def _split(item: Item, parts: list[str]) -> list[Item]:
    found = [take_apart(part) for part in parts]
    for part in found:
        part.place = item.place
    found[0].lead = item.lead + found[0].lead
    found[-1].trail += item.trail
    return found


def _run(items: list[Item], at: int, pattern: re.Pattern[str]) -> int:
    """How many words from `at` on are open, match and follow each other without a mark in between."""
    count = 0
    while at + count < len(items):
        item = items[at + count]
        if not item.open or (count and item.lead not in ("", "(")) or not pattern.fullmatch(item.core):
            break
        count += 1
        if item.trail:
            break
    return count


def _grouped(items: list[Item], at: int, language: str) -> tuple[int, str] | None:
    """`10 000`, `1 234,50 €`: thousands that stand apart."""
    if not items[at].open or items[at].trail or not _GROUP_FIRST.fullmatch(items[at].core):
        return None
    count = _run(items, at + 1, _GROUP)
    groups = [item.core for item in items[at + 1 : at + 1 + count]]
    # What has decimals or a sign of its own is the last.
    ends = next((number for number, group in enumerate(groups, 1) if not group.isdecimal()), count)
    groups = groups[:ends]
    if not groups or (language == "en" and len(groups) == 1 and groups[0][:3] != "000"):
        return None
    return 1 + len(groups), items[at].core + "".join(groups)


def _telephone(items: list[Item], at: int) -> tuple[int, str] | None:
    """`+49 30 123456`, `01 23 45 67 89`, `(555) 123-4567`."""
    first = items[at]
    if not first.open or not re.fullmatch(r"\+?\d{1,5}", first.core):
        return None
    bracketed = "(" in first.lead and first.trail == ")"
    called = at > 0 and items[at - 1].core.lower() in _CALLED
    if not bracketed and (first.trail or (first.core[0] not in "+0" and not called)):
        return None
    count = _run(items, at + 1, _PHONE_PART)
    rest = [item.core for item in items[at + 1 : at + 1 + count]]
    digits = sum(char.isdecimal() for core in [first.core, *rest] for char in core)
    if not rest or digits < 8 or digits > 16 or (not bracketed and first.core[0] == "0" and len(first.core) < 2):
        return None
    return 1 + count, "-".join(re.findall(r"\+?\d+", " ".join([first.core, *rest])))


def _apart(item: Item, before: Item | None, lexicon: Lexicon, language: str) -> list[str] | None:
    core = _in_one_sign(item.core)
    if core in _OPERATORS and core != item.core:
        return [core]
    if (names := _NAMES.fullmatch(core)) and pair(names[1], names[2], language):
        return [names[1], "–", names[2]]
    if not any(char.isdecimal() for char in core):
        return _rate(core, lexicon, language)
    if match := _DATE_AND_TIME.fullmatch(core):
        return [match[1], match[2]]
    if _WITH_EQUALS.fullmatch(core):
        return _powers(re.findall(rf"[\w.,²³]+|[{_OPERATORS}/*−–-]", core))
    if _EXPRESSION.fullmatch(core):
        return _powers(re.findall(rf"{_OPERAND}|[{_OPERATORS}]", core))
    if match := _COMPARED.fullmatch(core):
        return _powers([match[1], match[2]])
    if match := _POWER_AND_REST.fullmatch(core):
        return [*_powers([match[1]]), *([match[2]] if match[2] else []), match[3]]
    if match := _MIXED_NUMBER.fullmatch(core):
        return [match[1], match[2]]
    if match := _SIDES.fullmatch(core):
        return [match[1], "x", match[2]]
    if _POWER.fullmatch(core):
        found = _powers([core])
        return found if len(found) > 1 else None
    return _range(item, before, language) or _rate(core, lexicon, language)


def _in_one_sign(core: str) -> str:
    """`>=` as `≥`."""
    for written, sign in ((">=", "≥"), ("<=", "≤"), ("!=", "≠"), ("==", "=")):
        core = core.replace(written, sign)
    return core


def _powers(parts: list[str]) -> list[str]:
    """`10²³` in three; `10²` stays, for it has a word of its own."""
    found: list[str] = []
    for part in parts:
        match = _POWER.fullmatch(part)
        power = match[2].translate(_SUPERSCRIPTS) if match else "2"
        found += [match[1], "^", power] if match and power not in ("2", "3") else [part]
    return found


def _range(item: Item, before: Item | None, language: str) -> list[str] | None:
    """`1914-18`, `$5–$10`, `9am-5pm`, `3.–5.`, and `a.m.–5` after a number."""
    if not _HAS_DASH.search(item.core):
        return None
    match = _range_pattern(language).fullmatch(item.core)
    if not match or match[1] == ".":
        return None
    if not match[1][-1:].isdecimal() and not any(char.isdecimal() for char in match[1]):
        if before is None or not before.core[-1:].isdecimal():
            return None
    elif match[2] == "-" and (_ISO_MONTH.fullmatch(item.core) and not _is_later(item.core)):
        return None
    if match[2] == "-" and (AIRLINER.match(item.core) or (before is not None and before.core in MAKERS)):
        return None
    if re.fullmatch(r"\d{3}-\d{4}|0\d+[-–]\d+", item.core):
        return None
    return [match[1], "–", match[3]]


def _measured(text: str, lexicon: Lexicon) -> bool:
    """Whether it is a number with its unit: each side of `40°C/104°F`."""
    number = re.match(r"[-−]?\d[\d.,]*", text)
    return number is not None and text[number.end() :] in lexicon.units


@lru_cache(maxsize=8)
def _range_pattern(language: str) -> re.Pattern[str]:
    lexicon, money = LEXICONS[language], currency_pattern(language)
    unit = alternatives(lexicon.units)
    after_number = rf"(?:{_MERIDIEM}|h\d\d|s|st|nd|rd|th|er|[ºª]|{alternatives(lexicon.scales)}|{unit}|{money}|%|‰|\.)"
    number = rf"(?:{money})?[-−+~≈]?\d[\d.,:'’]*"
    return re.compile(rf"({number}{after_number}?|{after_number})([{DASHES}])({number}{after_number}?)", re.IGNORECASE)


@lru_cache(maxsize=8)
def _price_pattern(language: str) -> re.Pattern[str]:
    money = currency_pattern(language)
    return re.compile(rf"(?:{money})?[\d.,'’]*(?:{money})?")


def _is_later(core: str) -> bool:
    """Whether `2004-05` names a year and the next."""
    return int(core[-2:]) > int(core[2:4])


def _rate(core: str, lexicon: Lexicon, language: str) -> list[str] | None:
    """`$5/month`, `mg/l`: what is counted, and per what."""
    left, slash, right = core.partition("/")
    if not slash or core in lexicon.units:
        return None
    if _measured(left, lexicon) and _measured(right, lexicon):
        return [left, right]
    if right.isdecimal() and left in lexicon.units:
        return [left, "/", right]
    if not right.rstrip("²³").isalpha():
        return None
    unit = re.sub(r"^[\d.,'’]+", "", left)
    if re.sub(r"^[\d.,'’]+", "", core) in lexicon.units:
        return None
    money = _price_pattern(language).fullmatch(left)
    known = unit in lexicon.units or (money and not left.replace(".", "").isdecimal())
    return [left, "/", right] if left and known else None
