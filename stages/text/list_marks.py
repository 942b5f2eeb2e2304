"""Marks of lists that Markdown does not know, and that are told from prose by several lines that go together."""

from __future__ import annotations

import re
from string import ascii_lowercase

_LETTERED = re.compile(r"^([ \t]*)\(?([A-Za-z]|[ivxIVX]{1,5}|(?<=\()\d{1,2})[.)][ \t]+(?=\S)")
#: Dashes of word processors, and the signs that their bullets turn into.
_DASHED = re.compile(r"^([ \t]*)([–§])[ \t]+(?=[^\d\s])")
#: Dialogues in several languages begin each line with a dash.
_ENDS_LIKE_SPEECH = re.compile(r"[.!?…,;:][\"'”’»)]*\s*$")
_LETTERS = tuple(ascii_lowercase)
_NUMBERS = tuple(map(str, range(1, 100)))
_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii", "xiv", "xv")


def with_list_marks(text: str) -> str:
    """The text with marks that Markdown knows: a bullet for `a)`, `b)` or `i.`, `ii.`, `1.` for `(1)`, a bullet for dashes.

    Dashes before the lines of a dialogue stay.
    """
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        end = max(_lettered_end(lines, at), _dashed_end(lines, at))
        if end - at > 1 and not (_DASHED.match(lines[at]) and any(map(_ENDS_LIKE_SPEECH.search, lines[at:end]))):
            mark = _LETTERED if _LETTERED.match(lines[at]) else _DASHED
            lines[at:end] = [mark.sub(_known_mark, line) for line in lines[at:end]]
        at = max(end, at + 1)
    return "\n".join(lines)


def _known_mark(found: re.Match[str]) -> str:
    return f"{found[1]}{found[2]}. " if found[2].isdigit() else f"{found[1]}- "


def _lettered_end(lines: list[str], start: int) -> int:
    """Where lines end that count on from `a` or `i` in the line `start`; `start` itself where it does not begin to count."""
    first = _LETTERED.match(lines[start])
    labels = {"a": _LETTERS, "i": _ROMAN, "1": _NUMBERS}.get(first[2].lower(), ()) if first else ()
    end = start
    for label in labels:
        found = _LETTERED.match(lines[end]) if end < len(lines) else None
        if not found or found[2].lower() != label:
            break
        end += 1
    return end


def _dashed_end(lines: list[str], start: int) -> int:
    """Where lines end that begin with the same dash or sign as the line `start`."""
    first = _DASHED.match(lines[start])
    end = start
    while first and end < len(lines) and (found := _DASHED.match(lines[end])) and found[2] == first[2]:
        end += 1
    return end
