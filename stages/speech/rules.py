"""Rules that read what is written in digits and signs. Each reads one word, or one and its neighbours, or lets it be."""

from __future__ import annotations

import re
from collections.abc import Callable

from stages.speech import dates, money, numbers, written
from stages.speech.items import Item, take_apart
from stages.speech.lexicon import VULGAR, Lexicon
from stages.speech.line import Line

Rule = Callable[[Line, int], bool]

_ORDINAL_EN = re.compile(r"(\d+|\d{1,3}(?:,\d{3})+)(?:st|nd|rd|th)", re.IGNORECASE)
_ORDINAL_ROMANCE = re.compile(r"(\d+)(?:\.?[ºª°]|er|re|e|ème|ère|nd|nde)")
_RANGE = re.compile(r"([\d.,]*\d)\s?[-–—]\s?(\d[\d.,]*)")
_MONEY_RANGE = re.compile(r"([$€£¥]?)(\d[\d.,]*)([%€£]?)[-–—]([$€£¥]?)(\d[\d.,]*)([%€£]?)")
_RATIO = re.compile(r"(\d{1,3}):(\d{1,3})")
_FRACTION = re.compile(r"(\d{1,3})/(\d{1,3})")
_VERSION = re.compile(r"([vV]?)(\d+(?:\.\d+)+)")
_PHONE = re.compile(r"\+?\(?\d[\d()]*(?:[-/.]\d{2,})+|\+\d{2,}")
_DECADE = re.compile(r"['’]?(\d{2}|\d{4})['’]?s")
_SCALED = re.compile(r"(\d[\d.,]*)([kKMB])")
_FEET = re.compile(r"(\d)['′’](\d{1,2})")
_EN_PARTS = {
    2: "half",
    3: "third",
    4: "quarter",
    5: "fifth",
    6: "sixth",
    7: "seventh",
    8: "eighth",
    9: "ninth",
    10: "tenth",
}
_AND = {"en": "and a", "de": "und ein", "fr": "et", "es": "y", "it": "e"}


def apply_rules(items: list[Item], lexicon: Lexicon, language: str) -> None:
    """Read what can be read; the first rule that knows a word reads it."""
    line = Line(items, lexicon, language)
    for index in range(len(items)):
        if not items[index].open:
            continue
        for rule in _RULES:
            if rule(line, index):
                break


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
    match = pattern.fullmatch(item.core) or (pattern.fullmatch(item.dotted) if line.language in ("es", "it") else None)
    if not match:
        return False
    words = numbers.ordinal(int(match[1].replace(",", "")), line.language)
    feminine = "ª" in item.core or item.core.endswith(("re", "ère", "nde"))
    item.spoken = numbers.spell(int(match[1]), line.language, "spellout-ordinal-feminine") if feminine else words
    return True


def _phone(line: Line, index: int) -> bool:
    item = line.items[index]
    bare = re.sub(r"\D", "", item.core)
    if not _PHONE.fullmatch(item.core) or len(bare) < 7 or dates.is_date(item.core):
        return False
    if line.parse(item.core) is not None and "+" not in item.core:
        return False
    groups = [numbers.digits(group, line.language) for group in re.findall(r"\d+", item.core)]
    plus = f"{line.lexicon.symbols['+']} " if item.core.startswith("+") else ""
    item.spoken = plus + ", ".join(groups)
    return True


def _range(line: Line, index: int) -> bool:
    item = line.items[index]
    core, percent = item.core.removesuffix("%"), item.core.endswith("%")
    match = _RANGE.fullmatch(core)
    if not match or line.parse(match[1]) is None or line.parse(match[2]) is None:
        return False
    item.spoken = f"{line.part(match[1])} {line.lexicon.to} {line.part(match[2])}"
    if percent:
        item.spoken += f" {line.lexicon.percent}"
    else:
        money.name_unit(line, index, one=False)
    return True


def _money_range(line: Line, index: int) -> bool:
    """`$20–30`, `$5–$10`, `5 %–10 %` written in one: the first loses a sign that the second has as well."""
    item = line.items[index]
    match = _MONEY_RANGE.fullmatch(item.core)
    if not match or not (match[1] or match[3] or match[4] or match[6]):
        return False
    before, after = match[4] or match[1], match[6] or match[3]
    low = match[2] if match[1] in ("", before) and match[3] in ("", after) else f"{match[1]}{match[2]}{match[3]}"
    item.spoken = f"{_read_apart([low], line)} {line.lexicon.to} {_read_apart([f'{before}{match[5]}{after}'], line)}"
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


def _fraction(line: Line, index: int) -> bool:
    item = line.items[index]
    match = _FRACTION.fullmatch(item.core)
    if match:
        top, bottom = int(match[1]), int(match[2])
        if line.language == "en" and 0 < top < bottom and bottom in _EN_PARTS:
            part = _EN_PARTS[bottom]
            item.spoken = (
                f"one {part}" if top == 1 else f"{numbers.cardinal(top, 'en')} {'halve' if bottom == 2 else part}s"
            )
        else:
            item.spoken = f"{line.number(match[1])} {line.lexicon.slash} {line.number(match[2])}"
        return True
    vulgar = VULGAR[line.language].get(item.core[-1:])
    if line.language == "en" and (feet := _FEET.fullmatch(item.core)):
        item.spoken = f"{line.number(feet[1])} foot {line.number(feet[2])}"
        return True
    if vulgar and (item.core[:-1].isdecimal() or not item.core[:-1]):
        article = "" if " " in vulgar or not item.core[:-1] else f"{_AND[line.language]} "
        joined = article or (f"{_AND[line.language].split()[0]} " if item.core[:-1] else "")
        alone = f"{line.lexicon.one} {vulgar}" if " " not in vulgar else vulgar
        item.spoken = f"{line.number(item.core[:-1])} {joined}{vulgar}" if item.core[:-1] else alone
        return True
    return False


def _ratio(line: Line, index: int) -> bool:
    match = _RATIO.fullmatch(line.items[index].core)
    if not match:
        return False
    joined = "zu" if line.language == "de" else line.lexicon.to
    line.items[index].spoken = f"{line.number(match[1])} {joined} {line.number(match[2])}"
    return True


def _version(line: Line, index: int) -> bool:
    item = line.items[index]
    match = _VERSION.fullmatch(item.core)
    if not match or (line.parse(item.core) is not None and not match[1]):
        return False
    point = "point" if line.language in ("en", "fr") else line.lexicon.dot
    parts = [numbers.whole(part, line.language) for part in match[2].split(".")]
    item.spoken = ("version " if match[1] else "") + f" {point} ".join(parts)
    return True


def _scaled(line: Line, index: int) -> bool:
    """`10k runners`, `5M users`."""
    item = line.items[index]
    match = _SCALED.fullmatch(item.core)
    if line.language != "en" or not match or line.parse(match[1]) is None or match[2] in "KB":
        return False
    item.spoken = f"{line.number(match[1])} {'thousand' if match[2] == 'k' else 'million'}"
    return True


def _number(line: Line, index: int) -> bool:
    item = line.items[index]
    if line.parse(item.core) is None:
        return False
    if money.join_groups(line, index):
        return True
    if "(" in item.lead and item.trail.startswith(")") and item.core.isdecimal():
        after = line.at(index + 1)
        if after and _PHONE.fullmatch(after.core):
            item.spoken = numbers.digits(item.core, line.language)
            return True
    item.spoken = line.before_noun(item.core) if line.counts(index) else line.year_or_number(index)
    money.name_unit(line, index, one=line.is_one(item.core))
    return True


# The more special first: dates before ranges, ranges before numbers.
_RULES: tuple[Rule, ...] = (
    written.said,
    written.abbreviation,
    written.number_word,
    dates.clock,
    dates.date,
    money.amount,
    money.percent,
    _decade,
    _ordinal,
    dates.day,
    _phone,
    _range,
    _money_range,
    _fraction,
    _ratio,
    _scaled,
    money.measure,
    _version,
    _number,
    written.roman,
    written.spelled,
    _hyphenated,
    written.mixed,
    written.compound,
    written.symbol,
)
