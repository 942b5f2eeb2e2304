"""How a mark in a line becomes a rule of the parser."""

from __future__ import annotations

import re
from collections.abc import Callable

from markdown_it.rules_inline import StateInline

#: What stands between braces: anything, and a list of ids, classes and `name=value`.
_ATTRIBUTE = r"""(?:-|[#.][\w:-]+|[\w:-]+\s*=\s*(?:"[^"]*"|'[^']*'|“[^”]*”|[^\s"'{}]+))"""
ATTRIBUTES = re.compile(r"\{:?\s*([^{}\n]*?)\s*\}")
ATTRIBUTE_LIST = re.compile(rf"{_ATTRIBUTE}(?:[\s,]+{_ATTRIBUTE})*")
#: Where a mark ends, and what writes its tokens; None where there is no mark.
Found = tuple[int, Callable[[], None]] | None


def as_rule(find: Callable[[StateInline], Found]) -> Callable[[StateInline, bool], bool]:
    def rule(state: StateInline, silent: bool) -> bool:
        found = find(state)
        if found is None:
            return False
        end, write = found
        if not silent:
            write()
        state.pos = end
        return True

    return rule


def left_out(state: StateInline, end: int, what: str = "", words: str = "") -> Found:
    def write() -> None:
        token = state.push("left_out", "", 0)
        token.content = words or state.src[state.pos : end]
        token.info = what
        token.meta = {"lines": state.src.count("\n", state.pos, end)}

    return end, write


def said(state: StateInline, end: int, words: str) -> Found:
    def write() -> None:
        state.push("text", "", 0).content = words

    return end, write


def read(state: StateInline, start: int, stop: int, end: int, unknown: str = "") -> Found:
    """Inline text of its own from `start` to `stop`, in a mark that ends at `end`.

    `unknown` is a reference in the mark that is defined nowhere.
    """

    def write() -> None:
        most = state.posMax
        state.pos, state.posMax = start, stop
        # Counted, so that the parser's limit on nesting holds for these marks as well.
        state.level += 1
        state.md.inline.tokenize(state)
        state.level -= 1
        state.posMax = most
        if unknown:
            token = state.push("left_out", "", 0)
            token.content, token.info, token.meta = unknown, "a reference that is defined nowhere", {"lines": 0}

    return end, write


def shown(state: StateInline, end: int, source: str, **meta: object) -> Found:
    def write() -> None:
        token = state.push("image", "img", 0)
        token.attrs = {"src": source}
        token.meta = meta

    return end, write


def before(state: StateInline) -> str:
    """The character before the mark; a space at the start."""
    return state.src[state.pos - 1] if state.pos else " "
