"""Which way text runs, and marks that make a whole line run that way, its full stop included."""

from __future__ import annotations

from unicodedata import bidirectional

_RTL_LANGUAGES_LIST = "ar arc ckb dv fa he ks nqo prs ps sd syr ug ur yi"
_RTL_LANGUAGES = frozenset(_RTL_LANGUAGES_LIST.split())
_RTL_SCRIPTS = frozenset({"arab", "hebr", "syrc", "thaa", "nkoo"})
_RTL_CLASSES = frozenset({"R", "AL"})
_EMBED_RTL, _END_EMBED = "\u202b", "\u202c"


def is_right_to_left(language: str) -> bool:
    """Whether a language is read from right to left: by the script that its code names, else by its usual one."""
    primary, *rest = language.lower().replace("_", "-").split("-")
    scripts = [part for part in rest if len(part) == 4 and part.isalpha()]
    return scripts[0] in _RTL_SCRIPTS if scripts else primary in _RTL_LANGUAGES


def has_right_to_left(text: str) -> bool:
    """Whether any character of `text` belongs to a script that runs from right to left."""
    return not text.isascii() and any(bidirectional(char) in _RTL_CLASSES for char in text)


def runs_right_to_left(text: str) -> bool:
    """Whether the first letter of `text` that has a direction runs from right to left."""
    if text.isascii():
        return False
    for char in text:
        direction = bidirectional(char)
        if direction in _RTL_CLASSES or direction == "L":
            return direction != "L"
    return False


def embedded(text: str) -> str:
    """`text` as one line that runs from right to left whatever it begins with."""
    return f"{_EMBED_RTL}{text}{_END_EMBED}"


def without_embedding(line: str) -> str:
    """`embedded`, taken back."""
    return line.removeprefix(_EMBED_RTL).removesuffix(_END_EMBED)
