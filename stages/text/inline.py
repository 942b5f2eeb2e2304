"""Inline tokens as lines of plain words, pictures and attributes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from markdown_it.token import Token

from stages.text.dialects import is_inline_code_to_run
from stages.text.html_blocks import HIDING, Tag
from stages.text.marks import raised
from stages.text.markup import LeftOut

_CLOSES_UP = re.compile(r"[.,;:!?)\]…]")


@dataclass
class Line:
    """One line of a paragraph. Pictures are (path, name of an undefined reference)."""

    number: int
    words: list[str] = field(default_factory=list)
    pictures: list[tuple[str, str]] = field(default_factory=list)
    attributes: list[str] = field(default_factory=list)
    #: Something was left out at the end of `words`.
    is_torn: bool = False

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())

    def say(self, words: str) -> None:
        if self.is_torn and words:
            before = "".join(self.words)
            if words.startswith(")") and before.endswith("("):
                before, words = before[:-1], words[1:]
            if words.startswith(".") and before.rstrip().endswith((".", "!", "?")):
                words = words[1:]
            if _CLOSES_UP.match(words):
                before = before.rstrip()
            self.words = [before]
            self.is_torn = False
        self.words.append(words)


@dataclass
class _Hiding:
    """An element whose words are not read, until it ends."""

    name: str
    what: str
    line: int
    depth: int = 1
    words: list[str] = field(default_factory=list)


class InlineReader:
    """Reads inline tokens. What an element hides may go on over many blocks, so one reader reads a whole document."""

    def __init__(self, ended: frozenset[str], left_out: list[LeftOut]) -> None:
        self.ended = ended
        self._left_out = left_out
        self._hiding: _Hiding | None = None
        self._raised: list[str] | None = None
        self._struck: list[str] | None = None

    @property
    def hides(self) -> bool:
        return self._hiding is not None

    def lines(self, tokens: Sequence[Token], number: int) -> list[Line]:
        """The lines of a paragraph that begins in line `number`."""
        found = [Line(number)]
        for token in tokens:
            line = found[-1]
            if token.type in ("softbreak", "hardbreak"):
                self._say(line, " ")
                number += 1
                found.append(Line(number))
            elif token.type == "html_inline":
                self.tag(token.content, line)
                number += token.content.count("\n")
            elif token.type == "left_out":
                self._leave_out(token, line)
                number += token.meta["lines"]
            else:
                self._token(token, line)
        return found

    def _token(self, token: Token, line: Line) -> None:
        if token.type == "code_inline" and is_inline_code_to_run(token.content) and not self._hiding:
            self._note("a template's code", token.content, line)
        elif token.type in ("text", "text_special", "code_inline"):
            self._say(line, token.content)
        elif token.type == "image" and not self._hiding:
            line.pictures.append((str(token.attrs.get("src", "")), str(token.meta.get("undefined", ""))))
            if token.meta.get("caption"):
                self._note("a picture's caption", str(token.meta["caption"]), line)
        elif token.type == "attributes" and token.meta["is_ours"]:
            line.attributes.append(token.content)
        elif token.type == "s_open":
            self._struck = []
        elif token.type == "s_close" and self._struck is not None:
            self._note("struck-out text", "".join(self._struck), line)
            self._struck = None

    def _say(self, line: Line, words: str) -> None:
        if self._hiding:
            self._hiding.words.append(words)
        elif self._struck is not None:
            self._struck.append(words)
        elif self._raised is not None:
            self._raised.append(words)
        else:
            line.say(words)

    def _leave_out(self, token: Token, line: Line) -> None:
        if self._hiding:
            self._hiding.words.append(token.content)
            return
        if token.info:
            self._note(token.info, token.content, line)
        line.is_torn = True

    def _note(self, what: str, words: str, line: Line) -> None:
        self._left_out.append(LeftOut(what, " ".join(words.split()), line.number))
        line.is_torn = True

    def tag(self, source: str, line: Line) -> None:
        """Take one tag in, wherever it stands."""
        tag = Tag(source, self.ended)
        if self._hiding:
            self._within(tag, source, line)
        elif not tag.is_tag:
            self._say(line, source)
        elif tag.hides:
            what = HIDING.get(tag.name, "")
            words = [tag.attributes.get("src", "")] if tag.name in ("iframe", "audio") else []
            self._hiding = _Hiding(tag.name, what, line.number, words=words)
        elif tag.name in ("img", "video", "source") and tag.attributes.get("src"):
            line.pictures.append((tag.attributes["src"], ""))
        elif tag.name in ("iframe", "embed") and not tag.is_end:
            self._note("embedded content", tag.attributes.get("src", ""), line)
        elif tag.name == "sup":
            self._raise(tag, line)
        elif tag.component_words:
            self._note("the words of a component", tag.component_words, line)
        elif tag.breaks:
            self._say(line, " ")

    def hide(self, words: str) -> None:
        """Words inside an element that hides them."""
        if self._hiding:
            self._hiding.words.append(words)

    def _raise(self, tag: Tag, line: Line) -> None:
        words, self._raised = "".join(self._raised or []), None if tag.is_end else []
        if words:
            self._say(line, raised(words) if words.strip() else "")

    def _within(self, tag: Tag, source: str, line: Line) -> None:
        hiding = self._hiding
        assert hiding is not None
        if tag.name != hiding.name:
            hiding.words.append(f" {tag.attributes.get('src', '')} " if tag.is_tag else source)
            return
        hiding.depth += -1 if tag.is_end else 1
        if not hiding.depth:
            self._hiding = None
            if hiding.what:
                self._left_out.append(LeftOut(hiding.what, " ".join("".join(hiding.words).split()), hiding.line))
            line.is_torn = True

    def close(self, line: Line) -> None:
        """The end of a paragraph: what was raised or struck in it and never closed is read."""
        rest = [*(self._struck or []), *(self._raised or [])]
        self._struck = self._raised = None
        if rest:
            line.say("".join(rest))
