"""Rules for what is written in letters and signs: abbreviations, Roman numerals, codes, file names, symbols."""

from __future__ import annotations

import re

from stages.speech.normalise import numbers
from stages.speech.normalise.line import Line
from stages.speech.normalise.token import Item
from stages.text.sentences import ends_sentence

_SPELLED = re.compile(r"(?:[A-Za-zÀ-ÿ]\.)+[A-Za-zÀ-ÿ]?")
_MIXED = re.compile(r"(?=.*\d)(?=.*[A-Za-zÀ-ÿ])[A-Za-zÀ-ÿ\d.'-]+")
_ROMAN = re.compile(r"(?=[IVX]{2,})X{0,3}(?:IX|IV|V?I{0,3})")
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10}
_COUNTED_LIST = """war chapter part book volume act phase type section figure table stage level episode series tier
    class world appendix s sec vol siglo secolo siècle"""
_COUNTED = frozenset(_COUNTED_LIST.split())
_HEADS = frozenset(
    {
        "capítulo",
        "tomo",
        "parte",
        "libro",
        "capitolo",
        "volume",
        "atto",
        "acto",
        "volumen",
        "guerra",
        "mundial",
        "siglo",
    }
)
_REGNAL_LIST = """Adrian Adriano Albert Alejandro Alessandro Alexander Alfonso Amadeo Anne Beatrix Benedetto Benedict Benedicto
    Benedikt Boniface Bonifacio Canute Carlo Carlos Catalina Caterina Catherine Charles Christian Christina
    Clemens Clement Constantin Constantine Costantino Cristina Darius David Edmund Edoardo Eduard Eduardo Edward
    Elisabeth Elisabetta Elizabeth Emanuele Emmanuel Enrico Enrique Ethelred Federico Felipe Ferdinand Fernando
    Filippo Francesco Francisco Franz François Frederick Frederik Friedrich Frédéric Georg George Giacomo Giorgio
    Giovanni Gregor Gregorio Gregory Guglielmo Guillaume Guillermo Gustaf Gustav Gustavo Haakon Harald Heinrich
    Henri Henry Innocent Isabel Ivan Iván Jacob Jacques Jaime Jakob James Jean Johann John Jorge Joseph José Juan
    Juana Juliana Karl Katharina Konstantin Leo Leone Leopold Leopoldo León Louis Ludovico Ludwig Luigi Luis
    Manuel Margrethe Mary Massimiliano Maximilian Mehmed Michael Michele Miguel Murad Napoleon Napoleone Napoleón
    Napoléon Niccolò Nicholas Nicola Nicolas Nicolás Nikolaus Olav Oscar Otto Pablo Paolo Paul Paulus Pedro Peter
    Philip Philipp Philippe Pierre Pietro Pio Pius Ptolemy Pío Rama Ramesses Ramiro Ramses Richard Robert Rodolfo
    Rudolf Sancho Selim Sigismund Sisto Sixtus Stephen Suleiman Teodosio Theodosius Umberto Urban Victor Victoria
    Viktor Vittorio Wilhelm Wilhelmina William Xerxes Édouard"""
_RULERS_LIST = """king queen pope emperor empress tsar sultan pharaoh shah prince rey reina papa emperador zar faraón re regina
    imperatore imperatrice faraone"""
_RULERS = frozenset(_RULERS_LIST.split())
_REGNAL = frozenset(_REGNAL_LIST.split())
_ELIDED = re.compile(r"(?:l|d|un|dell|all|nell|sull|dall|quell)['’](?=\w)", re.IGNORECASE)
_EXPRESSION = re.compile(r"[\w.,]+(?:[+=×÷<>≤≥±≈^−][\w.,]+)+")
_PREFIXES = frozenset(["§§", *"§№≈~±≤≥<>+@−√"])
_ROMAN_ORDINAL_FR = re.compile(r"([IVX]+)(e|ème|er|re|ère)")


def said(line: Line, index: int) -> bool:
    item = line.items[index]
    found = line.lexicon.say.get(item.core)
    if found is None:
        return False
    item.spoken = found
    return True


def abbreviation(line: Line, index: int) -> bool:
    item, table = line.items[index], line.lexicon.abbreviations
    # `z. B.` is one abbreviation in two words.
    following = line.at(index + 1)
    if following and following.core and following.open and item.dotted + following.dotted in table:
        words = table[item.dotted + following.dotted].split()
        item.spoken, following.spoken = " ".join(words[:-1]), words[-1]
        stopped = f"{item.dotted} {following.dotted}"
        item.trail = ""
        after = line.at(index + 2)
        ends = after is None or ends_sentence(stopped, after.shown, line.language)
        following.trail = following.trail[1:] or ("." if ends else "")
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


def roman(line: Line, index: int) -> bool:
    """`Louis XIV` and `World War II`: only after a capitalised word."""
    item, before = line.items[index], line.at(index - 1)
    if line.language == "fr" and (match := _ROMAN_ORDINAL_FR.fullmatch(item.core)):
        gender = "feminine" if match[2] in ("re", "ère") else "masculine"
        item.spoken = numbers.spell(_roman_value(match[1]), "fr", f"spellout-ordinal-{gender}")
        return True
    if line.language in ("es", "it") and _ROMAN.fullmatch(item.core) and _roman_before_noun(line, index):
        return True
    regnal = before is not None and before.core in _REGNAL and _is_regnal(line, index)
    named = before is not None and (before.core[:1].isupper() or before.core in _COUNTED)
    if not (_ROMAN.fullmatch(item.core) or regnal) or before is None or not named or before.trail:
        return False
    number = _roman_value(item.core)
    if line.language == "de" and item.trail.startswith("."):
        item.spoken, item.trail = f"der {numbers.ordinal(number, 'de')}", after_stop(item, line, index)
    elif line.language == "en" and _rules(line, index - 1):
        item.spoken = f"the {numbers.ordinal(number, 'en')}"
    elif line.language in ("es", "it") and _rules(line, index - 1):
        item.spoken = _of_a_ruler(line, before.core, number)
    else:
        item.spoken = numbers.cardinal(number, line.language)
    return True


def _is_regnal(line: Line, index: int) -> bool:
    """`Charles V`, `Karl I.`: one letter counts after a ruler's name; an English `I` there only where no person could say it."""
    item, following = line.items[index], line.at(index + 1)
    if item.core not in ("I", "V", "X"):
        return False
    spoken_of = (
        following is None
        or bool(item.trail)
        or following.core in ("of", "was", "and", "had", "became", "ruled", "died")
    )
    return item.core != "I" or line.language != "en" or spoken_of


def _rules(line: Line, index: int) -> bool:
    """Whether a name is a ruler's: by itself, or by the title before it. Sequels and models are counted."""
    name, before = line.items[index].core, line.at(index - 1)
    return name in _REGNAL or (before is not None and before.core.lower() in _RULERS)


def _of_a_ruler(line: Line, name: str, number: int) -> str:
    """`Felipe segundo`, `Luis catorce`, `Luigi quattordicesimo`: Spanish counts from eleven on."""
    if line.language == "es" and number > 10:
        return numbers.cardinal(number, "es")
    gender = "feminine" if name.endswith("a") or name in ("Isabel", "Beatrice") else "masculine"
    return numbers.spell(number, line.language, f"spellout-ordinal-{gender}")


def _roman_before_noun(line: Line, index: int) -> bool:
    """`XXI secolo`, `II Guerra Mundial`: an ordinal that agrees with its noun."""
    item, before, after = line.items[index], line.at(index - 1), line.at(index + 1)
    if after is None or item.trail or not after.core.isalpha() or len(after.core) < 4:
        return False
    if (
        before is not None
        and not before.trail
        and ((before.core[:1].isupper() and len(before.core) > 2) or before.core in _COUNTED)
    ):
        return False
    if not (after.core[0].isupper() or after.core in ("secolo", "siglo", "guerra", "edizione", "edición")):
        return False
    gender = "feminine" if after.core.endswith(("a", "ción", "zione")) else "masculine"
    item.spoken = numbers.spell(_roman_value(item.core), line.language, f"spellout-ordinal-{gender}")
    return True


def _roman_value(text: str) -> int:
    values = [_ROMAN_VALUES[char] for char in text]
    return sum(-value if value < after else value for value, after in zip(values, [*values[1:], 0], strict=True))


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
