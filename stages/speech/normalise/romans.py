"""Roman numerals: rulers, centuries, volumes."""

from __future__ import annotations

import re

from stages.speech.normalise import dates, numbers
from stages.speech.normalise.line import Line
from stages.speech.normalise.written import after_stop

_ROMAN = re.compile(r"(?=[IVX]{2,})X{0,3}(?:IX|IV|V?I{0,3})")
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10}
_COUNTED_LIST = """war chapter part book volume act phase type section figure table stage level episode series tier
    class world appendix s sec vol siglo secolo siècle"""
_COUNTED = frozenset(_COUNTED_LIST.split())
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
# In German these are counted, though a stop follows: `Teil III.`
_PARTS_LIST = "Teil Kapitel Band Akt Klasse Typ Stufe Phase Abschnitt Buch Abbildung Tabelle Szene Folge Staffel Mark"
_PARTS_DE = frozenset(_PARTS_LIST.split())
_CENTURY_DE = re.compile(r"Jahrhunderts?|Jh|Jhd|Jhdt|Jhs|Jahrestag|Kongress|Olympische[nr]?|Parteitag")
_ROMAN_ORDINAL_FR = re.compile(r"([IVX]+)(e|ème|er|re|ère)")


def roman(line: Line, index: int) -> bool:
    """`Louis XIV` and `World War II`: only after a capitalised word."""
    item, before = line.items[index], line.at(index - 1)
    if line.language == "fr" and (match := _ROMAN_ORDINAL_FR.fullmatch(item.core)):
        gender = "feminine" if match[2] in ("re", "ère") else "masculine"
        item.spoken = numbers.spell(_roman_value(match[1]), "fr", f"spellout-ordinal-{gender}")
        _name_century(line, index + 1)
        return True
    if line.language == "de" and _german_century(line, index):
        return True
    if line.language in ("es", "it") and _ROMAN.fullmatch(item.core) and _roman_before_noun(line, index):
        return True
    regnal = before is not None and before.core in _REGNAL and _is_regnal(line, index)
    named = before is not None and (before.core[:1].isupper() or before.core in _COUNTED)
    if not (_ROMAN.fullmatch(item.core) or regnal) or before is None or not named or before.trail:
        return False
    number = _roman_value(item.core)
    if line.language == "de" and item.trail.startswith(".") and before.core not in _PARTS_DE:
        item.spoken, item.trail = f"der {numbers.ordinal(number, 'de')}", after_stop(item, line, index)
    elif line.language == "en" and _rules(line, index - 1):
        item.spoken = f"the {numbers.ordinal(number, 'en')}"
    elif line.language in ("es", "it") and _rules(line, index - 1):
        item.spoken = _of_a_ruler(line, before.core, number)
    else:
        item.spoken = numbers.cardinal(number, line.language)
    return True


def _name_century(line: Line, index: int) -> None:
    """`XVIIIe s.` in French."""
    item = line.at(index)
    if item is not None and item.open and item.core == "s" and item.trail.startswith("."):
        item.spoken, item.trail = "siècle", after_stop(item, line, index)


def _german_century(line: Line, index: int) -> bool:
    """`im XIX. Jh.`: an ordinal, as `im 19. Jh.` is."""
    item, after = line.items[index], line.at(index + 1)
    if (
        item.trail != "."
        or after is None
        or not re.fullmatch(r"[IVX]+", item.core)
        or not _CENTURY_DE.fullmatch(after.core)
    ):
        return False
    item.core = str(_roman_value(item.core))
    return dates.german_ordinal(line, index)


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
    if after is None or item.trail or not after.core.isalpha() or (len(after.core) < 4 and after.dotted != "sec."):
        return False
    if (
        before is not None
        and not before.trail
        and ((before.core[:1].isupper() and len(before.core) > 2) or before.core in _COUNTED)
    ):
        return False
    if not (after.core[0].isupper() or after.core in ("secolo", "sec", "siglo", "guerra", "edizione", "edición")):
        return False
    gender = "feminine" if after.core.endswith(("a", "ción", "zione")) else "masculine"
    item.spoken = numbers.spell(_roman_value(item.core), line.language, f"spellout-ordinal-{gender}")
    return True


def _roman_value(text: str) -> int:
    values = [_ROMAN_VALUES[char] for char in text]
    return sum(-value if value < after else value for value, after in zip(values, [*values[1:], 0], strict=True))
