"""Words that belong together on a line."""

from __future__ import annotations

import re
from functools import lru_cache

from stages.text.abbreviations import abbreviations
from stages.text.phrases import ends_stopped, is_stopped

QUOTES = "\"'()[]{}\u201c\u201d\u201e\u2018\u2019\u201a\u00ab\u00bb\u2039\u203a"
MARKS = QUOTES + ".,;:!?\u2026\u00bf\u00a1"
DASHES = "-\u2010\u2013\u2014"

_NUMBER = r"[$\u20ac\u00a3\u00a5\u20b9~\u2248<>\u2264\u2265\u00b1+\u2212-]*\d[\d.,:/\u2013-]*"
_NUMBER_WORD = re.compile(_NUMBER)
_GROUP = re.compile(r"\d{3}(?:[.,]\d+)?(?!\d)")
_SHORT_NUMBER = re.compile(r"\D*\d{1,3}")
_SIGNS = "$\u20ac\u00a3\u00a5\u20b9%\u2030\u00b0\u00d7\u00a7#"
_UNIT = re.compile(
    r"""[%\u2030\u20ac$\u00a3\u00a5\u20b9] | \u00b0\s?[CFK]? | [kcmd\u00b5]?m[\u00b2\u00b3]? | km/h | mph | m/s
      | [km\u00b5]?g | [kcmd]?l | ha | t | h | min | s | ms | [kMGT]?W(?:h)? | [kMGT]i?B | [kMG]?Hz | [kmM]?V
      | mAh | hPa | bar | dpi | px | fps | EUR | USD | GBP | CHF | JPY | Mio | Mrd | Tsd | thousand
      | (?:m|b|tr)illion(?:s|en)? | Milliarden? | milliards? | mill(?:\u00f3n|ones) | milion[ei] | miliard[oi] | bn | mn
      | Uhr | a\.?m | p\.?m | AM | PM | \u00d7 | x""",
    re.VERBOSE | re.IGNORECASE,
)
# Written without a stop before a number.
_BEFORE_NUMBER_LIST = """no nr n\u00ba n\u00b0 num art pp fig abb tab vol bd kap cap pag p\u00e1g str ca approx \u00a7 \u00a7\u00a7
    # chf usd eur gbp us$ r$ kr"""
_BEFORE_NUMBER = frozenset(_BEFORE_NUMBER_LIST.split())
_CIRCA = frozenset({"ca", "circa", "approx", "c"})
# Full words, or written without a stop, before a name.
_BARE_TITLES = frozenset({"mr", "mrs", "ms", "dr", "prof", "herr", "frau", "mme", "mlle"})
_KNOWN = abbreviations("")
_ALL = _KNOWN.all
_INITIAL = re.compile(r"(?:[^\W\d_]\.(?:-)?)+")
_OPENS = frozenset("([{\u00ab\u2039\u201e\u201a\u201c\u2018\u00bf\u00a1")
_CLOSES = frozenset(")]}\u00bb\u203a\u201d\u2019!?:;,.\u2026%\u2030\u2013\u2014-")


@lru_cache(maxsize=65536)
def binds(before: str, after: str) -> bool:
    """Whether a reader would miss what follows: a figure and its unit, a title and a name, `No. 5`, a lone mark."""
    if not (set(after) - _CLOSES) or not (set(before) - _OPENS):
        return True
    front = before.lstrip(QUOTES)
    back = after.strip(QUOTES).rstrip(".,;:!?\u2026")
    if _NUMBER_WORD.fullmatch(front):
        if _UNIT.fullmatch(back) or (_SHORT_NUMBER.fullmatch(front) and _GROUP.match(back)):
            return True
        if is_stopped(after):
            return True
        # An ordinal, as in `5. Mai`.
        return re.fullmatch(r"\d{1,2}\.", front) is not None and after[:1].isalpha()
    if front and not (set(front) - set(_SIGNS)):
        return after[:1].isdecimal()
    if ends_stopped(front) and (after[:1].isdecimal() or is_stopped(after)):
        return True
    stem = front.rstrip(".").lower()
    if after[:1].isdecimal():
        return stem in _BEFORE_NUMBER or (front.endswith(".") and stem in _KNOWN.counted | _CIRCA)
    # The halves of `d. h.`, `EE. UU.`
    if front.endswith(".") and f"{front}{after.rstrip(MARKS)}".lower() in _ALL:
        return True
    return (front.endswith(".") or "." in stem or stem in _BARE_TITLES) and (
        stem in _KNOWN.title | _BARE_TITLES or (bool(_INITIAL.fullmatch(front)) and after[:1].isupper())
    )
