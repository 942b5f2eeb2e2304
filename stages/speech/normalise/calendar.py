"""Names of days and months: `Mon–Fri`, `Feb.–Mar.`, `1 Jan–3 Feb`, `5 Jan 2024`."""

from __future__ import annotations

import re

from stages.speech.normalise.line import Line
from stages.speech.normalise.token import Item
from stages.speech.normalise.written import after_stop

# Each name with its short forms; days first, which a pair is tried for first (`mar` is both in three languages).
_DAYS = {
    "en": "Monday/Mon Tuesday/Tues/Tue Wednesday/Wed Thursday/Thurs/Thur/Thu Friday/Fri Saturday/Sat Sunday/Sun",
    "de": "Montag/Mo Dienstag/Di Mittwoch/Mi Donnerstag/Do Freitag/Fr Samstag/Sa Sonntag/So",
    "fr": "lundi/lun mardi/mar mercredi/mer jeudi/jeu vendredi/ven samedi/sam dimanche/dim",
    "es": "lunes/lun martes/mar miércoles/mié/mie jueves/jue viernes/vie sábado/sáb/sab domingo/dom",
    "it": "lunedì/lun martedì/mar mercoledì/mer giovedì/gio venerdì/ven sabato/sab domenica/dom",
}
_MONTHS = {
    "en": """January/Jan February/Feb March/Mar April/Apr May June/Jun July/Jul August/Aug September/Sept/Sep October/Oct
        November/Nov December/Dec""",
    "de": """Januar/Jan Februar/Feb März/Mär/Mrz April/Apr Mai Juni/Jun Juli/Jul August/Aug September/Sept/Sep Oktober/Okt
        November/Nov Dezember/Dez""",
    "fr": """janvier/janv février/févr/fév mars avril/avr mai juin juillet/juil août septembre/sept octobre/oct novembre/nov
        décembre/déc""",
    "es": """enero/ene febrero/feb marzo/mar abril/abr mayo/may junio/jun julio/jul agosto/ago septiembre/sept/sep octubre/oct
        noviembre/nov diciembre/dic""",
    "it": """gennaio/genn/gen febbraio/febbr/feb marzo/mar aprile/apr maggio/mag giugno/giu luglio/lug agosto/ago
        settembre/sett/set ottobre/ott novembre/nov dicembre/dic""",
}
_DAY_NUMBER = re.compile(r"[1-9]|[12]\d|3[01]")
_YEAR = re.compile(r"[12]\d{3}")


def _table(text: str) -> dict[str, str]:
    return {form.lower(): forms.split("/")[0] for forms in text.split() for form in forms.split("/")}


_KINDS = {language: (_table(_DAYS[language]), _table(_MONTHS[language])) for language in _DAYS}


def pair(left: str, right: str, language: str) -> tuple[str, str] | None:
    """The full names of two days or two months; a day's number beside a month is given back as it is."""
    if language in ("en", "de") and not all(side[:1].isupper() or side[:1].isdecimal() for side in (left, right)):
        return None
    days, months = _KINDS[language]
    sides = [side.rstrip(".").lower() for side in (left, right)]
    for names in (days, months):
        if sides[0] in names and sides[1] in names:
            return names[sides[0]], names[sides[1]]
    first, second = (months.get(side) or (side if _DAY_NUMBER.fullmatch(side) else None) for side in sides)
    return (first, second) if first and second and not (first.isdecimal() and second.isdecimal()) else None


def named_range(line: Line, index: int) -> bool:
    """A name beside a dash with another name, or a month, beside a dash with a day's number."""
    for step in (1, -1):
        middle, other = line.at(index + step), line.at(index + 2 * step)
        if middle is None or other is None or "," in middle.lead + middle.trail:
            continue
        first, second = (line.items[index], other) if step == 1 else (other, line.items[index])
        if not (middle.is_dash or middle.spoken == line.lexicon.to) or first.trail.strip("."):
            continue
        if found := pair(first.core, second.core, line.language):
            _say(line, index, found[0 if step == 1 else 1])
            if middle.open:
                middle.spoken, middle.lead, middle.core, middle.trail = line.lexicon.to, "", "–", ""
            return line.items[index].spoken is not None
    return False


def month_after_day(line: Line, index: int) -> bool:
    """`5 Jan 2024`, `5. Dez 2024`: short forms without a stop only where a year follows, in English anywhere."""
    item, before, after = line.items[index], line.at(index - 1), line.at(index + 1)
    name = _KINDS[line.language][1].get(item.core.lower())
    if name is None or name == item.core or before is None or before.trail or not _DAY_NUMBER.fullmatch(before.core):
        return False
    dated = after is not None and not item.trail.strip(".") and _YEAR.fullmatch(after.core) is not None
    if not (dated or (line.language == "en" and item.core[:1].isupper())):
        return False
    _say(line, index, name)
    return True


def day_before_date(line: Line, index: int) -> bool:
    """`Mo. 5. Mai`, `lun., 3 de mayo`: the short name of a day before the date."""
    item, after, further = line.items[index], line.at(index + 1), line.at(index + 2)
    days, months = _KINDS[line.language]
    name = days.get(item.core.lower())
    if name is None or name == item.core or after is None or further is None or not _DAY_NUMBER.fullmatch(after.core):
        return False
    if further.core == "de":
        further = line.at(index + 3)
    if (
        further is None
        or further.core.lower() not in months
        or (line.language in ("en", "de") and item.core[:1].islower())
    ):
        return False
    item.spoken, item.trail = name, item.trail.removeprefix(".")
    return True


def _say(line: Line, index: int, name: str) -> None:
    item: Item = line.items[index]
    if name.isdecimal():
        return
    item.spoken = name
    if item.trail.startswith("."):
        after = line.at(index + 1)
        item.trail = (
            item.trail[1:] if after is not None and (after.is_dash or after.spoken) else after_stop(item, line, index)
        )
