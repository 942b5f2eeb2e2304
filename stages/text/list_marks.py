"""Marks of lists that Markdown does not know, and that are told from prose by several lines that go together."""

from __future__ import annotations

import re
from itertools import pairwise

_LETTERED = re.compile(r"^([ \t]*)\(?([A-Za-z]|[ivxIVX]{1,5})[.)][ \t]+(?=\S)")
#: Dashes of word processors, and the signs that their bullets turn into.
_DASHED = re.compile(r"^([ \t]*)([–§])[ \t]+(?=[^\d\s])")
_ENDS_LIKE_SPEECH = re.compile(r"[.!?…,;:][\"'”’»)]*\s*$")
_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii", "xiv", "xv")


def with_list_marks(text: str) -> str:
    """The text with a bullet in place of `a)` and `b)`, `i.` and `ii.`, and of dashes before words that are no dialogue."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        end = _run_end(lines, at)
        for number in range(at, end):
            mark = _LETTERED if _LETTERED.match(lines[number]) else _DASHED
            lines[number] = mark.sub(r"\1- ", lines[number])
        at = max(end, at + 1)
    return "\n".join(lines)


def _run_end(lines: list[str], start: int) -> int:
    """Where the list ends that begins in the line `start`; `start` itself where none begins."""
    for mark in (_LETTERED, _DASHED):
        end = start
        while end < len(lines) and mark.match(lines[end]):
            end += 1
        if end - start > 1 and _go_together(
            [(mark.match(line) or [""])[2] for line in lines[start:end]], lines[start:end]
        ):
            return end
    return start


def _go_together(labels: list[str], lines: list[str]) -> bool:
    if labels[0] in "–§":
        # Dialogues in several languages begin each line with a dash.
        return len(set(labels)) == 1 and not any(_ENDS_LIKE_SPEECH.search(line) for line in lines)
    if labels[0] in ("a", "A"):
        return all(ord(after) == ord(before) + 1 for before, after in pairwise(labels) if len(after) == 1) and all(
            len(label) == 1 for label in labels
        )
    numbers = [_ROMAN.index(label.lower()) if label.lower() in _ROMAN else -1 for label in labels]
    return numbers == list(range(len(labels)))
