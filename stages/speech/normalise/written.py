"""Rules for what is written in letters and signs: abbreviations, Roman numerals, codes, file names, symbols."""

from __future__ import annotations

import re

from stages.speech.normalise import numbers
from stages.speech.normalise.line import Line
from stages.speech.normalise.token import Item
from stages.text.sentences import ends_sentence

_SPELLED = re.compile(r"(?:[A-Za-zÀ-ÿ]\.)+[A-Za-zÀ-ÿ]?")
_MIXED = re.compile(r"(?=.*\d)(?=.*[A-Za-zÀ-ÿ])[A-Za-zÀ-ÿ\d.'-]+")
_ELIDED = re.compile(r"(?:l|d|un|dell|all|nell|sull|dall|quell)['’](?=\w)", re.IGNORECASE)
_EXPRESSION = re.compile(r"[\w.,]+(?:[+=×÷<>≤≥±≈^−][\w.,]+)+")
_PREFIXES = frozenset(["§§", *"§№≈~±≤≥<>+@−√"])


def said(line: Line, index: int) -> bool:
    item = line.items[index]
    found = line.lexicon.say.get(item.core)
    if found is None:
        return False
    item.spoken = found
    return True


def abbreviation(line: Line, index: int) -> bool:
    item, table = line.items[index], line.lexicon.abbreviations
    if _parted_abbreviation(line, index) or _street(line, index):
        return True
    if elided := _ELIDED.match(item.core):
        rest = item.dotted[elided.end() :]
        if "." in rest and (found := table.get(rest) or table.get(rest.lower())):
            item.spoken, item.trail = elided[0] + found, after_stop(item, line, index)
            return True
    for written in (item.dotted, item.core):
        found = table.get(written) or table.get(written.lower())
        if found is None or (written == item.core and "." not in written and item.trail.startswith(".")):
            continue
        if not _fits(line, index, written):
            return False
        if written == "St." and line.language == "en" and not _before_name(line, index):
            found = "Street"
        item.spoken = found
        if written == item.dotted and item.trail.startswith("."):
            item.trail = after_stop(item, line, index)
        return True
    return False


def _parted_abbreviation(line: Line, index: int) -> bool:
    """`z. B.`, `i. d. R.`: one abbreviation in two or three words."""
    for count in (3, 2):
        parts = line.items[index : index + count]
        found = line.lexicon.abbreviations.get("".join(part.dotted for part in parts))
        if len(parts) < count or found is None or not all(part.core and part.open for part in parts):
            continue
        stopped, words = " ".join(part.dotted for part in parts), found.split()
        for part in parts:
            part.spoken = ""
        parts[0].spoken, parts[-1].spoken = " ".join(words[:-1]), words[-1]
        for part in parts[:-1]:
            part.trail = ""
        after = line.at(index + count)
        ends = after is None or ends_sentence(stopped, after.shown, line.language)
        parts[-1].trail = parts[-1].trail[1:] or ("." if ends else "")
        return True
    return False


def _street(line: Line, index: int) -> bool:
    """`Hauptstr.`, `Berliner-Str.` in German."""
    item = line.items[index]
    if line.language != "de" or not item.trail.startswith(".") or not re.fullmatch(r"[A-ZÄÖÜ][\w-]+[sS]tr", item.core):
        return False
    following = line.at(index + 1)
    numbered = following is not None and following.core[:1].isdecimal()
    item.spoken, item.trail = f"{item.core}aße", item.trail[1:] if numbered else after_stop(item, line, index)
    return True


def _fits(line: Line, index: int, written: str) -> bool:
    """Short ones are abbreviations only where a number or a name follows."""
    following = line.at(index + 1)
    if written in (
        "No.",
        "no.",
        "Nos.",
        "Art.",
        "art.",
        "Abs.",
        "Sec.",
        "c.",
        "p.",
        "pp.",
        "v.",
        "n.",
        "N.",
        "S.",
        "Fr.",
        "Ch.",
        "D.",
        "M.",
        "Co.",
        "es.",
        "ed.",
        "al.",
    ):
        if following is None:
            return written in ("Co.", "al.", "ed.")
        if written == "M." and following.core == "et":
            return True
        if written in ("Fr.", "D.", "M.") or (written == "S." and line.language == "it"):
            return following.core[:1].isupper()
        if written in ("p.", "pp.", "n.", "N.", "S.", "Ch.", "c.", "Nos.", "Art.", "art.", "Abs.", "Sec."):
            return following.core[:1].isdecimal()
        return written != "es."
    if written in ("Min.", "min.", "max.", "Sun.", "Mon.", "Jan.", "Mar.", "est.", "Fig.", "fig.", "cap.", "av.", "bd"):
        return following is not None
    return not (written in ("am", "pm") and not (index and line.items[index - 1].core[:1].isdecimal()))


def _before_name(line: Line, index: int) -> bool:
    """`St. Paul` is a saint, `Main St.` a street."""
    following = line.at(index + 1)
    if following is None or not following.core[:1].isupper() or "," in line.items[index].trail:
        return False
    before = line.at(index - 1)
    return not (before and before.core[:1].isupper() and index > 1 and before.core not in ("The", "In", "At", "From"))


def after_stop(item: Item, line: Line, index: int) -> str:
    """The marks after an abbreviation, whose own stop may end the sentence too."""
    following = line.at(index + 1)
    ends = following is None or ends_sentence(item.dotted, following.shown, line.language)
    return item.trail[1:] or ("." if ends else "")


def number_word(line: Line, index: int) -> bool:
    """`No. 5` and `#3`."""
    item, following = line.items[index], line.at(index + 1)
    counted = following is not None and following.core[:1].isdecimal()
    if line.language == "en" and item.core in ("No", "no", "Nos") and item.trail == "." and counted:
        item.spoken, item.trail = "number", ""
        return True
    if item.core.startswith("#") and len(item.core) > 1:
        if item.core[1:].isdecimal():
            item.spoken = f"{line.lexicon.symbols['№']} {numbers.whole(item.core[1:], line.language)}"
        else:
            item.spoken = " ".join(re.findall(r"[A-Z]?[a-zà-ÿ]+|[A-ZÀ-Þ]+(?![a-z])|\d+", item.core[1:]))
        return True
    return False


def spelled(line: Line, index: int) -> bool:
    """`U.S.`: letters, with the stops that make voices spell them."""
    item = line.items[index]
    if not _SPELLED.fullmatch(item.dotted) or len(item.dotted) < 4:
        return False
    item.spoken = " ".join(re.findall(r"[^\W\d]", item.dotted)).upper()
    if item.trail.startswith("."):
        item.trail = after_stop(item, line, index)
    return True


def mixed(line: Line, index: int) -> bool:
    """`HTML5`, `1080p`, `H.264`: letters and digits in turn."""
    item = line.items[index]
    if not _MIXED.fullmatch(item.core):
        return False
    parts = re.findall(r"\d+(?:\.\d+)?|[^\W\d_]+(?:'[^\W\d_]+)*", item.core)
    item.spoken = " ".join(
        line.code(part, first=number == 0) if part[0].isdecimal() else part for number, part in enumerate(parts)
    )
    return True


def compound(line: Line, index: int) -> bool:
    """`Node.js`, `file_name`, `C/D`, `A&B`, `camelCase`: their parts."""
    item, lexicon = line.items[index], line.lexicon
    if re.fullmatch(r"\.[A-Za-z]{2,}", item.lead + item.core) or re.search(r"\w\.\w", item.core):
        item.spoken = " ".join(re.sub(r"[_-]", " ", item.core).replace(".", f" {lexicon.dot} ").split())
        return True
    if _EXPRESSION.fullmatch(item.core) and any(char.isdecimal() for char in item.core):
        parts = re.findall(r"[\w.,]+|[^\w.,]", item.core)
        item.spoken = " ".join(lexicon.symbols.get(part) or line.part(part) for part in parts)
        return True
    if re.search(r"\w[/_]\w", item.core):
        item.spoken = " ".join(line.part(part) for part in re.split(r"[/_]", item.core) if part)
        return True
    return False


def symbol(line: Line, index: int) -> bool:
    """A sign on its own; those that compare or calculate only between numbers."""
    item = line.items[index]
    found = line.lexicon.symbols.get(item.core)
    currency = line.currency(item)
    if currency is not None and not item.core[:1].isalpha():
        item.spoken = currency.forms[1]
        return True
    if found is None:
        return False
    near = [line.at(index + 1)] if item.core in _PREFIXES else [line.at(index - 1), line.at(index + 1)]
    between = all(word is not None and any(char.isalnum() for char in word.shown) for word in near)
    item.spoken = found if between or item.core.isalpha() else ""
    return True
