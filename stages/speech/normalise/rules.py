"""Rules that read what is written in digits and signs. Each reads one word, or one and its neighbours, or lets it be."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from stages.speech.normalise import calendar, clocks, dates, money, numbers, proportions, ranges, romans, written
from stages.speech.normalise.lexicon import Lexicon
from stages.speech.normalise.line import Line
from stages.speech.normalise.pieces import AIRLINER, MAKERS
from stages.speech.normalise.token import Item, take_apart

Rule = Callable[[Line, int], bool]

_ORDINAL_EN = re.compile(r"(\d+|\d{1,3}(?:,\d{3})+)(?:st|nd|rd|th)", re.IGNORECASE)
_ORDINAL_ROMANCE = re.compile(r"(\d+)(?:\.?[ºª°]|er|re|e|ème|ère|nd|nde|o|a)")
_VERSION = re.compile(r"([vV]?)(\d+(?:\.\d+)+)")
_PHONE = re.compile(r"\+\d+(?:[-/.()]*\d+)*|\d+(?:-\d+){3,}|\+?\(?\d[\d()]*(?:[-/.]\d{2,})+")
_DATIVE_LIST = "in von mit nach bei zu aus seit vor ab binnen"
_DATIVE_PREPOSITIONS = frozenset(_DATIVE_LIST.split())
_MODEL = re.compile(r"(\d{3})(?:[-‑](\d{1,3}))?(s)?")
_DECADE = re.compile(r"['’]?(\d{2}|\d{4})['’]?s")
_SCIENTIFIC = re.compile(r"([-−+]?\d[\d.,]*)[eE]([-−+]?\d{1,3})")


def apply_rules(items: list[Item], lexicon: Lexicon, language: str, month_first: bool = False) -> None:
    """Read what can be read; the first rule that knows a word reads it."""
    line = Line(items, lexicon, language, month_first)
    for index in range(len(items)):
        if not items[index].open:
            continue
        for rule in _RULES:
            if rule(line, index):
                break
    if language == "de":
        _inflect_one(line)


def _inflect_one(line: Line) -> None:
    """`in einer Stunde`, `mit einem Euro`: what a German preposition makes of `eine` and `ein`."""
    for before, item in pairwise(line.items):
        first, _, rest = (item.spoken or "").partition(" ")
        after_ordinary = before.core.lower() in _DATIVE_PREPOSITIONS and not before.trail and item.core[:1] == "1"
        if after_ordinary and first in ("ein", "eine") and not rest.startswith(("Uhr", "halb")):
            following = line.at(line.items.index(item) + 1)
            if not rest and following is not None and (following.spoken or following.core).startswith("Uhr"):
                continue
            item.spoken = f"{first.removesuffix('e')}{'er' if first == 'eine' else 'em'} {rest}".strip()


def _model(line: Line, index: int) -> bool:
    """`Boeing 737-800`, `Airbus 380`, `747s`: numbers of aircraft, in pairs in English."""
    item, before = line.items[index], line.at(index - 1)
    made = before is not None and before.core in MAKERS
    match = _MODEL.fullmatch(item.core)
    if not match or not (made or (AIRLINER.match(item.core) and (match[2] or match[3]))):
        return False
    if match[3] and line.language != "en":
        return False
    words = [
        line.code(part, first=True) if line.language == "en" else numbers.whole(part, line.language)
        for part in match.group(1, 2)
        if part
    ]
    item.spoken = " ".join(words) + ("s" if match[3] else "")
    return True


def _decade(line: Line, index: int) -> bool:
    item = line.items[index]
    if line.language == "de" and (match := re.fullmatch(r"(\d{2}|\d{4})er", item.core)):
        item.spoken = line.year_or_count(match[1]) + "er"
        return True
    match = _DECADE.fullmatch(item.core)
    if line.language != "en" or not match:
        return False
    words = line.year_or_count(match[1])
    item.spoken = words[:-1] + "ies" if words.endswith("y") else words + "s"
    return True


def _ordinal(line: Line, index: int) -> bool:
    item = line.items[index]
    pattern = _ORDINAL_EN if line.language == "en" else _ORDINAL_ROMANCE
    if line.language == "de":
        return dates.german_ordinal(line, index)
    if line.language == "es" and re.fullmatch(r"[13]\.?er", item.core):
        item.spoken = numbers.spell(int(item.core[0]), "es", "spellout-ordinal-masculine-adjective")
        return True
    if line.language == "fr" and (match := re.fullmatch(r"2n?d(e?)", item.core)):
        item.spoken = f"second{match[1]}"
        return True
    match = pattern.fullmatch(item.core) or (pattern.fullmatch(item.dotted) if line.language in ("es", "it") else None)
    if not match:
        return False
    words = numbers.ordinal(int(match[1].replace(",", "")), line.language)
    feminine = "ª" in item.core or item.core.endswith(("re", "ère", "nde", "a"))
    item.spoken = numbers.spell(int(match[1]), line.language, "spellout-ordinal-feminine") if feminine else words
    return True


def _phone(line: Line, index: int) -> bool:
    item = line.items[index]
    bare = re.sub(r"\D", "", item.core)
    if (
        not _PHONE.fullmatch(item.core)
        or len(bare) < 7
        or dates.is_date(item.core)
        or proportions.SEASON.fullmatch(item.core)
    ):
        return False
    if line.parse(item.core) is not None and "+" not in item.core:
        return False
    if re.fullmatch(r"\d{1,3}(?:\.\d{1,3}){3}", item.core):
        return False
    groups = [numbers.digits(group, line.language) for group in re.findall(r"\d+", item.core)]
    plus = f"{line.lexicon.symbols['+']} " if item.core.startswith("+") else ""
    item.spoken = plus + ", ".join(groups)
    return True


def _hyphenated(line: Line, index: int) -> bool:
    """`mid-1990s`, `10-minute`, `COVID-19`: each part as if it stood alone."""
    core = line.items[index].core
    parts = core.split("-")
    if (
        len(parts) < 2
        or not all(parts)
        or not any(char.isdecimal() for char in core)
        or not any(map(str.isalpha, core))
    ):
        return False
    line.items[index].spoken = _read_apart(parts, line)
    return True


def _read_apart(parts: list[str], line: Line) -> str:
    items = [take_apart(part) for part in parts]
    apply_rules(items, line.lexicon, line.language)
    return " ".join(item.core if item.spoken is None else item.spoken for item in items)


def _version(line: Line, index: int) -> bool:
    item = line.items[index]
    match = _VERSION.fullmatch(item.core)
    if not match or (line.parse(item.core) is not None and not match[1]):
        return False
    point = "point" if line.language in ("en", "fr") else line.lexicon.dot
    parts = [numbers.whole(part, line.language) for part in match[2].split(".")]
    item.spoken = ("version " if match[1] else "") + f" {point} ".join(parts)
    return True


def _scientific(line: Line, index: int) -> bool:
    """`1.2e6`."""
    item = line.items[index]
    match = _SCIENTIFIC.fullmatch(item.core)
    if not match or line.parse(match[1]) is None:
        return False
    symbols = line.lexicon.symbols
    factor = "" if match[1] == "1" else f"{line.number(match[1])} {symbols['×']} "
    item.spoken = f"{factor}{line.number('10')} {symbols['^']} {line.number(match[2].lstrip('+'))}"
    money.name_unit(line, index, one=False)
    return True


def _number(line: Line, index: int) -> bool:
    item = line.items[index]
    if line.parse(item.core) is None:
        return False
    noun = line.counts(index)
    whole = item.core.isdecimal() and len(item.core) < 16 and not item.core.startswith("0")
    item.spoken = line.agrees(item.core, noun) if noun and whole else line.year_or_number(index)
    money.name_unit(line, index, one=line.is_one(item.core))
    return True


# The more special first: dates before ranges, ranges before numbers.
_RULES: tuple[Rule, ...] = (
    calendar.named_range,
    calendar.month_after_day,
    calendar.day_before_date,
    ranges.share,
    ranges.dash,
    ranges.signed,
    ranges.by,
    ranges.per,
    ranges.slash_in_a_sum,
    written.said,
    written.abbreviation,
    written.number_word,
    proportions.scale,
    clocks.clock,
    dates.date,
    money.amount,
    money.percent,
    _model,
    _decade,
    _ordinal,
    dates.day,
    _phone,
    proportions.fraction,
    proportions.ratio,
    money.scaled,
    _scientific,
    money.measure,
    _version,
    _number,
    romans.roman,
    written.spelled,
    _hyphenated,
    written.mixed,
    written.compound,
    written.symbol,
)
