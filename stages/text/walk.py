"""From the parser's tokens to blocks of plain words."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from markdown_it.token import Token

from stages.text.html_blocks import HEADINGS, Tag, ended_elements, pieces
from stages.text.inline import InlineReader, Line
from stages.text.markup import Block, Kind, LeftOut, Markup, Plain
from stages.text.parser import counts_on, parser, prepared

_CALLOUT = re.compile(r"\[!(?P<kind>[\w-]+)(?:\|[^\]\n]*)?\][+-]?[ \t]*(?P<title>[^\n]*)\n?")
_TASK = re.compile(r"\[[^\]\d]\]\s+")
_TAG = r"#(?:\[\[[^\[\]\n]+\]\]|[\w/-]*[^\W\d_][\w/-]*)"
_TAGS_ALONE = re.compile(rf"{_TAG}(?:[\s,]+{_TAG})*")
#: A task of an outliner, which is done or not.
_OUTLINED_TASK = re.compile(
    r"(?P<state>TODO|LATER|DOING|DONE|WAITING|CANCELED|CANCELLED)[ \t]+(?:\[#[ABC]\][ \t]+)?(?!(?:is|are|was|means)\b)"
)
#: A paragraph whose line ends are kept by a bar before each line.
_LINE_BLOCK = re.compile(r"\|(?:[ \t][^|\n]*)?(?:\n\|?(?:[ \t][^|\n]*)?)*")
#: A backslash that breaks a line where no line follows.
_LONE_BREAK = re.compile(r"^[ \t]*\\[ \t]*$|(?<=[.!?…])\\[ \t]*\Z", re.MULTILINE)
_CONTENTS_ALONE = re.compile(r"\[?\[_?toc_?\]\]?|[^\n]*\n?\{:\s*toc\s*\}", re.IGNORECASE)
#: Lines that are data or code of a page, and no text: (what they are, how each looks).
_DATA_LINES = (
    ("a property", re.compile(r"[A-Za-z][\w-]*::(?:[ \t]+.*)?")),
    ("an abbreviation's meaning", re.compile(r"\*\[[^\[\]]+\]:.*")),
    ("a page's code", re.compile(r"import\b.*['\"];?|export (?:const|let|default|function)\b.*|[)}\]]+;?")),
)
_ENDS_LIKE_PROSE = re.compile(r"[.!?…。！？][\"'”’»)]*$")
BULLET = "•"
#: Above this, a number before a paragraph is a year or the like.
_HIGHEST_NUMBER = 999
#: A fence of MyST and R Markdown that holds text: ```{note} Title
_BOX = re.compile(
    r"\{(?:note|tip|hint|warning|caution|attention|important|danger|error|admonition|seealso|epigraph|topic|sidebar|dropdown|card|figure|image)\}"
    r"[ \t]*(?P<title>.*)"
)
_MOST_BOXES = 5
_WHOLE_BLOCKS = {"fence": "a block of code", "formula_block": "a formula"}


class Walk:
    """Walks one source's tokens once."""

    def __init__(self, source: str, first_line: int, depth: int = _MOST_BOXES) -> None:
        """`depth` is how many boxes of text may be nested in each other, as a fence holds them."""
        self._depth = depth
        self._source, unclosed = prepared(source)
        self._first_line = first_line
        self._env: dict[str, Any] = {}
        self._blocks: list[Block] = []
        self._left_out: list[LeftOut] = []
        self._inline = InlineReader(ended_elements(self._source), self._left_out)
        if unclosed:
            line = unclosed + first_line - 1
            self._left_out.append(LeftOut("a comment that is never closed", "<!--", line))

    def read(self) -> Markup:
        tokens = parser().parse(self._source, self._env)
        numbers = _numbers_that_are_words(tokens)
        number, lists, marker = "", 0, ""
        at = 0
        while at < len(tokens):
            token = tokens[at]
            lists += (token.type == "list_item_open") - (token.type == "list_item_close")
            number = numbers.get(at, number)
            if token.type == "list_item_open":
                marker = "" if at in numbers else token.info or BULLET
            if token.type in ("table_open", "footnote_reference_open"):
                at = self._skip(tokens, at)
            elif token.type == "fence" and self._depth and (box := _BOX.fullmatch(token.info.strip())):
                self._box(token, box["title"])
            elif token.type in _WHOLE_BLOCKS:
                self._left_out.append(
                    LeftOut(_WHOLE_BLOCKS[token.type], f"{token.info} {token.content}".strip(), self._line(token))
                )
            elif token.type == "html_block":
                self._html(token)
            elif token.type == "container":
                self._paragraph(self._parsed(token.content), self._line(token), "heading", level=6)
            elif token.type == "inline":
                item = (marker, max(lists - 1, 0))
                self._text(token, tokens[at - 1], number, item, is_item=lists > 0, is_quoted=_opens_quote(tokens, at))
                number, marker = "", ""
            at += 1
        return Markup(tuple(self._blocks), tuple(self._left_out))

    def read_line(self) -> Plain:
        lines = self._inline.lines(self._parsed(self._source), self._first_line)
        self._inline.close(lines[-1])
        return Plain(" ".join(line.text for line in lines).strip(), tuple(self._left_out))

    def _line(self, token: Token) -> int:
        return (token.map[0] if token.map else 0) + self._first_line

    def _parsed(self, text: str) -> list[Token]:
        return parser().parseInline(text, self._env)[0].children or []

    def _skip(self, tokens: Sequence[Token], at: int) -> int:
        """Leave out a table or a footnote; where it ends."""
        opening = tokens[at]
        closing, what = opening.type.replace("open", "close"), "a table"
        if opening.type == "footnote_reference_open":
            what = f"the footnote [^{opening.meta['label']}]"
        words, line = [], 0
        while tokens[at].type != closing:
            if tokens[at].type == "inline":
                line = line or self._line(tokens[at])
                words.append(" ".join(tokens[at].content.split()))
            at += 1
        line = self._line(opening) if opening.map else line
        if not self._inline.hides and (words or what == "a table"):
            self._left_out.append(LeftOut(what, " ".join(words), line))
        return at

    def _box(self, token: Token, title: str) -> None:
        """A fence that holds no code but a box of text: its title and its text without options."""
        line = self._line(token)
        if token.info.startswith(("{figure}", "{image}")):
            title = f"![]({title})"
        self._paragraph(self._parsed(title), line, "heading", level=6)
        text = re.sub(
            r"\A(?:[ \t]*:[\w-]+:[^\n]*(?:\n|\Z))+", lambda options: "\n" * options[0].count("\n"), token.content
        )
        inner = Walk(text, line + 1, self._depth - 1).read()
        self._blocks += inner.blocks
        self._left_out += inner.left_out

    def _text(
        self, token: Token, above: Token, number: str, item: tuple[str, int], *, is_item: bool, is_quoted: bool
    ) -> None:
        children, line = token.children or [], self._line(token)
        if above.type == "heading_open":
            is_setext = above.markup in ("-", "=")
            if not (is_setext and ("\n" in token.content or _ENDS_LIKE_PROSE.search(token.content))):
                self._paragraph(children, line, "heading", level=int(above.tag[1:]))
                return
        content = f"{number}{token.content}"
        if is_quoted and (callout := _CALLOUT.match(content)):
            self._paragraph(self._parsed(callout["title"]), line, "heading", level=6)
            content = content[callout.end() :]
            line += callout[0].count("\n")
        elif is_item and (task := _TASK.match(content)):
            content = content[task.end() :]
            item = ("☑" if task[0][1] in "xX" else "☐", item[1])
        elif is_item and (task := _OUTLINED_TASK.match(content)):
            content = content[task.end() :]
            item = ("☑" if task["state"] == "DONE" else "☐", item[1])
        elif _LINE_BLOCK.fullmatch(content):
            content = re.sub(r"^\|[ \t]?", "", content, flags=re.MULTILINE)
        content = _LONE_BREAK.sub("", content)
        if "\\\n" in content:
            content = content.removesuffix("\\")
        if _CONTENTS_ALONE.fullmatch(content.strip()):
            return
        if _TAGS_ALONE.fullmatch(content.strip()):
            self._left_out.append(LeftOut("tags", content.strip(), line))
            return
        content, line = self._without_data(content, line)
        if content != token.content:
            children = self._parsed(content)
        if is_item:
            self._paragraph(children, line, "item", level=item[1], marker=item[0])
        else:
            self._paragraph(children, line, "item" if above.type in ("dt_open", "dd_open") else "prose")

    def _without_data(self, content: str, line: int) -> tuple[str, int]:
        """A paragraph without lines of data at its beginning, and the line at which it then begins."""
        what, looks = next(
            ((what, looks) for what, looks in _DATA_LINES if looks.fullmatch(content.split("\n", 1)[0])), ("", None)
        )
        while looks and content and looks.fullmatch(content.split("\n", 1)[0]):
            first, _, content = content.partition("\n")
            self._left_out.append(LeftOut(what, first, line))
            line += 1
        return content, line

    def _paragraph(self, children: Sequence[Token], number: int, kind: Kind, level: int = 0, marker: str = "") -> None:
        lines = self._inline.lines(children, number)
        self._inline.close(lines[-1])
        said = [line for line in lines if line.text]
        if said or (1 <= level <= 2 and kind == "heading"):
            # Such a heading begins a scene, also without words.
            text = " ".join(line.text for line in said)
            self._blocks.append(Block(kind, text, (said or lines)[0].number, level, marker))
        for line in lines:
            self._media(line)

    def _media(self, line: Line) -> None:
        for place, (path, undefined) in enumerate(line.pictures):
            note = "undefined" if undefined else "second" if place else "inside" if line.text else ""
            self._blocks.append(Block("picture", undefined or path, line.number, note=note))  # type: ignore[arg-type]
        for attributes in line.attributes:
            self._blocks.append(Block("attributes", attributes, line.number))

    def _html(self, token: Token) -> None:
        """A block of HTML: it is cut at the tags that break a text, and what is between them is read as Markdown."""
        first, kind, level = self._line(token), "prose", 0
        buffer, start, marker = "", first, ""
        for lines_above, text, is_tag in pieces(token.content):
            tag = Tag(text, self._inline.ended) if is_tag else None
            if not (self._inline.hides or (tag and tag.is_tag and (tag.breaks or tag.hides))):
                start = start if buffer.strip() else first + lines_above
                buffer += text
                continue
            self._between(buffer, start, kind, level, marker)
            buffer, marker = "", ""
            if tag is None or tag.hides or self._inline.hides:
                outside = Line(first + lines_above)
                self._inline.tag(text, outside) if is_tag else self._inline.hide(text)
            elif not tag.is_end:
                level = HEADINGS.get(tag.name, 0)
                kind = "heading" if level else "item" if tag.name in ("li", "dt", "dd") else "prose"
                marker = BULLET if tag.name == "li" else ""
            else:
                kind, level = "prose", 0
        self._between(buffer, start, kind, level, marker)

    def _between(self, text: str, line: int, kind: str, level: int, marker: str) -> None:
        stripped = text.lstrip()
        if stripped:
            line += text[: len(text) - len(stripped)].count("\n")
            self._paragraph(self._parsed(stripped.rstrip()), line, kind, level, marker)  # type: ignore[arg-type]


def _opens_quote(tokens: Sequence[Token], at: int) -> bool:
    return at > 1 and tokens[at - 1].type == "paragraph_open" and tokens[at - 2].type == "blockquote_open"


def _numbers_that_are_words(tokens: Sequence[Token]) -> dict[int, str]:
    """Numbers before items of a list that number nothing, by the item's place: a year, or a date that begins a sentence."""
    by_level: dict[int, list[list[tuple[int, int]]]] = defaultdict(list)
    for at, token in enumerate(tokens):
        if token.type == "heading_open" and token.tag in ("h1", "h2"):
            for runs in by_level.values():
                runs.append([])
        elif token.type == "list_item_open" and token.info:
            runs, number = by_level[token.level], int(token.info)
            if not (
                runs
                and runs[-1]
                and counts_on(runs[-1][-1][1], number, in_one_list=tokens[at - 1].type == "list_item_close")
            ):
                runs.append([])
            runs[-1].append((at, number))
    return {
        at: f"{number}{tokens[at].markup} "
        for runs in by_level.values()
        for run in runs
        for at, number in run
        if (len(run) == 1 and not _begins_below_an_item(tokens, at, number)) or number > _HIGHEST_NUMBER
    }


def _begins_below_an_item(tokens: Sequence[Token], at: int, number: int) -> bool:
    """Whether a list of its own begins with 1 below the words of a numbered item; below a bullet it may be a date, `1. Mai`."""
    level = tokens[at].level - 2
    if number != 1 or level < 0 or tokens[at - 2].type != "paragraph_close":
        return False
    around = next(
        (token for token in reversed(tokens[:at]) if token.level == level and token.type == "list_item_open"), None
    )
    return bool(around and around.info)
