"""Markup as people have it (Markdown, HTML, what note apps and exports write) as plain words.

Marks go only where they are marks: `-40 degrees`, `2*3=6` and `file_name` stay. Links keep their words and lose their address,
entities become characters, tags vanish. Whatever a reader would have seen and is not among the words is in `left_out`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["heading", "prose", "item", "picture", "attributes"]

#: What cannot be put into words and would be missed: a brief that holds it is refused.
REFUSED = frozenset({"a table", "a block of code", "a formula", "a comment that is never closed"})
_ENDS_SENTENCE = (
    ".",
    "!",
    "?",
    "…",
    ":",
    ";",
    "\u3002",
    "\uff01",
    "\uff1f",
    "\uff1a",
    "\u061f",
    "\u06d4",
    "\u0964",
    "\u17d4",
    "\u104b",
    "\u1362",
    "\u0589",
)
# Scripts with a stop of their own, or with none.
_STOPS = (
    (re.compile("[\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"), "\u3002"),
    (re.compile("[\u0900-\u09ff\u0b00-\u0b7f]"), "\u0964"),
    (re.compile("[\u0e00-\u0fff]"), ""),
    (re.compile("[\u1000-\u109f]"), "\u104b"),
    (re.compile("[\u1780-\u17ff]"), "\u17d4"),
    (re.compile("[\u1200-\u137f]"), "\u1362"),
    (re.compile("[\u0530-\u058f]"), "\u0589"),
)
_CLOSERS = "\"')]}\u201d\u2019\u00bb\u203a\u300d\u300f"


@dataclass(frozen=True)
class Block:
    """A paragraph, list item or heading in plain words; or a picture's path, or attributes between braces, in a line of its own.

    `line` counts from 1. `level` is a heading's, or how deep an item's list stands in others. `marker` is what stands before an
    item of a list: its number, `•`, or a task's `☐` or `☑`; its second paragraph has none. `note` says what is wrong with a
    picture: `inside` a line of text, `second` in one line, or `undefined`, whose `text` is the name of a reference that stands
    nowhere.
    """

    kind: Kind
    text: str
    line: int
    level: int = 0
    marker: str = ""
    note: Literal["", "inside", "second", "undefined"] = ""


@dataclass(frozen=True)
class LeftOut:
    """Something that a reader of the source sees and that is not among the plain words."""

    what: str
    words: str
    line: int


@dataclass(frozen=True)
class Markup:
    """A source taken apart, in its order."""

    blocks: tuple[Block, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True)
class Plain:
    """Plain words: paragraphs with an empty line between them."""

    text: str
    left_out: tuple[LeftOut, ...]


def read_markup(source: str, first_line: int = 1) -> Markup:
    """The blocks of a source whose first line has the number `first_line`. Never fails."""
    from stages.text.walk import Walk

    return Walk(source, first_line).read()


def plain_text(source: str) -> Plain:
    """All words of a source. Headings and list items end like sentences; pictures are left out."""
    markup = read_markup(source)
    texts = [
        ended(block.text) if block.kind in ("heading", "item") else block.text
        for block in markup.blocks
        if block.kind in ("heading", "item", "prose") and block.text
    ]
    pictures = [LeftOut("a picture", block.text, block.line) for block in markup.blocks if block.kind == "picture"]
    return Plain("\n\n".join(texts), (*markup.left_out, *pictures))


def plain_line(source: str) -> Plain:
    """The words of a text in one line, such as a title: what begins a block elsewhere (`1984.`, `- `) is text here."""
    from stages.text.walk import Walk

    return Walk(re.sub(r"^\s*#{1,6}\s+", "", " ".join(source.split())), 1).read_line()


def ended(text: str) -> str:
    """A heading or an item of a list as a sentence, with the stop of the script that it is written in."""
    bare = text.rstrip(_CLOSERS)
    if not text or bare.endswith(_ENDS_SENTENCE):
        return text
    return text + next((stop for script, stop in _STOPS if script.match(bare[-1:])), ".")
