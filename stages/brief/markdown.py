"""Markdown briefs: front matter, then `##` scenes or prose for the writer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from stages.brief.media import CLIP_ENDINGS
from stages.brief.nodes import Node, from_yaml
from stages.brief.problems import Problems, shorten, unknown

_FENCE = re.compile(r"(---|\.\.\.)\s*")
_PICTURE = re.compile(r"\s*!\[(?P<alt>[^\]]*)\]\(\s*(?P<target>.+?)\s*\)\s*(?:\{(?P<attrs>[^}]*)\})?\s*")
_ATTRIBUTES_ALONE = re.compile(r"\s*\{(?P<attrs>[^{}]*=[^{}]*)\}\s*")
_ATTRIBUTE = re.compile(r"""([\w-]+)\s*=\s*("[^"]*"|'[^']*'|[^\s"']+)""")
_QUOTED_TITLE = re.compile(r"""\s+("[^"]*"|'[^']*')$""")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_TAG = re.compile(r"</?[a-zA-Z][^>]*>")
_ATTRIBUTE_NAMES = ("motion", "focus", "sound", "hold", "transition", "recording")
_UNSPEAKABLE = {"fence": "a block of code", "table_open": "a table"}
_ENDS_SENTENCE = (".", "!", "?", "…", ":", ";", "\u3002", "\uff01", "\uff1f")


def from_markdown(text: str, problems: Problems) -> Node:
    """The brief as the mapping that a YAML brief would have been, with the lines of this file."""
    front, body, body_line = _split(text, problems)
    entries = dict(front.value) if isinstance(front.value, dict) else {}
    if front.value is not None and not isinstance(front.value, dict):
        problems.add(front.line, "", f"the front matter is {front.kind}, not `key: value` lines")
    walk = _Walk(problems, body_line)
    walk.read(body)
    if walk.title and "title" not in entries:
        entries["title"] = walk.title
    for key, node in (("scenes", walk.scene_list()), ("text", walk.prose())):
        if node is None:
            continue
        if key in entries:
            problems.add(entries[key].line, key, "is given in the front matter and below it; keep one of them")
        entries[key] = node
    return Node(entries, 1)


def _split(text: str, problems: Problems) -> tuple[Node, str, int]:
    """Front matter, body, and the line at which the body starts."""
    lines = text.split("\n")
    start = next((index for index, line in enumerate(lines) if line.strip()), 0)
    if lines[start].rstrip() != "---":
        return Node(None, 1), text, 1
    for end in range(start + 1, len(lines)):
        if _FENCE.fullmatch(lines[end]):
            front = from_yaml("\n".join(lines[start + 1 : end]), problems, start + 2)
            return front, "\n".join(lines[end + 1 :]), end + 2
    problems.add(start + 1, "", "the front matter is never closed; end it with a line of ---")
    return Node(None, 1), "", len(lines)


@dataclass
class _Scene:
    line: int
    entries: dict[str, Node] = field(default_factory=dict)
    paragraphs: list[tuple[str, bool]] = field(default_factory=list)
    text_line: int = 0

    def node(self, *, spoken: bool = True) -> Node:
        """What a YAML scene would hold. When spoken, subheadings end like sentences."""
        entries = dict(self.entries)
        if self.paragraphs:
            text = "\n\n".join(_ended(part) if is_title and spoken else part for part, is_title in self.paragraphs)
            entries["narration"] = Node(text, self.text_line, text)
        return Node(entries, self.line)


class _Walk:
    """Walks a body's blocks once, and gathers title, scenes and paragraphs."""

    def __init__(self, problems: Problems, first_line: int) -> None:
        self._problems = problems
        self._first_line = first_line
        self._parser = MarkdownIt("commonmark").enable(["table", "strikethrough"]).disable("code")
        self._env: dict[str, Any] = {}
        self._scenes: list[_Scene] = []
        self._opening = _Scene(first_line)
        self.title: Node | None = None

    def read(self, body: str) -> None:
        tokens = self._parser.parse(body, self._env)
        lists, in_table = 0, False
        for index, token in enumerate(tokens):
            lists += (token.type == "list_item_open") - (token.type == "list_item_close")
            in_table = token.type == "table_open" or (in_table and token.type != "table_close")
            if token.type in _UNSPEAKABLE:
                self._problems.add(
                    self._line(token),
                    "",
                    f"{_UNSPEAKABLE[token.type]} cannot be spoken; say it in a sentence",
                )
            elif token.type == "html_block":
                self._paragraph(_TAG.sub(" ", _COMMENT.sub(" ", token.content)), self._line(token))
            elif token.type == "inline" and not in_table:
                above = tokens[index - 1]
                if above.type == "heading_open":
                    self._heading(above.tag, self._plain(token.children or [], token), self._line(token))
                else:
                    self._block(token, sentence=lists > 0)

    def scene_list(self) -> Node | None:
        """The scenes; what stands above the first `##` is a scene without a heading. None for prose."""
        if not self._scenes:
            return None
        opening = [self._opening] if self._opening.paragraphs or self._opening.entries else []
        return Node([scene.node() for scene in opening + self._scenes], self._scenes[0].line)

    def prose(self) -> Node | None:
        if self._scenes:
            return None
        for key, node in self._opening.entries.items():
            self._problems.add(node.line, key, "needs `## ` scenes; for prose, name a folder with `pictures:`")
        narration = self._opening.node(spoken=False).value
        return narration.get("narration") if isinstance(narration, dict) else None

    @property
    def _scene(self) -> _Scene:
        return self._scenes[-1] if self._scenes else self._opening

    def _line(self, token: Token, offset: int = 0) -> int:
        return (token.map[0] if token.map else 0) + self._first_line + offset

    def _heading(self, tag: str, text: str, line: int) -> None:
        if tag == "h1":
            if self.title or self._scenes:
                self._problems.add(line, "", "a second `# ` heading; scenes start with `## `")
            elif text:
                self.title = Node(text, line, text)
        elif tag == "h2":
            entries = {"heading": Node(text, line, text)} if text else {}
            self._scenes.append(_Scene(line, entries))
        else:
            self._paragraph(text, line, is_title=True)

    def _block(self, token: Token, *, sentence: bool) -> None:
        """A paragraph: its lines of pictures and attributes are taken out, the rest is spoken."""
        rest, first = [], -1
        for offset, line in enumerate(token.content.split("\n")):
            where = self._line(token, offset)
            if picture := _PICTURE.fullmatch(line):
                self._picture(picture["target"], where)
                self._attributes(picture["attrs"] or "", where)
            elif alone := _ATTRIBUTES_ALONE.fullmatch(line):
                self._attributes(alone["attrs"], where)
            else:
                first = offset if first < 0 else first
                rest.append(line)
        if rest:
            inline = self._parser.parseInline("\n".join(rest), self._env)[0]
            text = self._plain(inline.children or [], token)
            self._paragraph(_ended(text) if sentence else text, self._line(token, first))

    def _paragraph(self, text: str, line: int, *, is_title: bool = False) -> None:
        text = " ".join(text.split())
        if not text:
            return
        scene = self._scene
        scene.text_line = scene.text_line or line
        scene.paragraphs.append((text, is_title))

    def _picture(self, target: str, line: int) -> None:
        if "](" in target:
            self._problems.add(line, "picture", "one picture a line, and one picture a scene")
            return
        path = _QUOTED_TITLE.sub("", target).removeprefix("<").removesuffix(">").strip()
        entries = self._scene.entries
        if "picture" in entries or "clip" in entries:
            self._problems.add(line, "picture", "this scene has one already; start another scene with `## `")
            return
        key = "clip" if path.lower().endswith(CLIP_ENDINGS) else "picture"
        entries[key] = Node(path, line, path)

    def _attributes(self, text: str, line: int) -> None:
        for match in _ATTRIBUTE.finditer(text):
            name, value = match[1], match[2].strip("\"'")
            if name in _ATTRIBUTE_NAMES:
                self._scene.entries[name] = Node(value, line, value)
            else:
                self._problems.add(line, "", unknown("attribute", name, _ATTRIBUTE_NAMES))
        left = _ATTRIBUTE.sub("", text).replace(",", "").strip()
        if left:
            self._problems.add(line, "", f'cannot read {shorten(left)!r}; attributes look like motion="zoom-in"')

    def _plain(self, children: Sequence[Token], at: Token) -> str:
        """Inline markup as plain text: links and emphasis keep their words, comments and tags vanish."""
        parts = []
        for child in children:
            if child.type in ("text", "code_inline"):
                parts.append(child.content)
            elif child.type in ("softbreak", "hardbreak"):
                parts.append(" ")
            elif child.type == "html_inline":
                parts.append(" " if child.content.startswith("<br") else "")
            elif child.type == "image":
                self._problems.add(self._line(at), "picture", "a picture stands on a line of its own")
        return " ".join("".join(parts).split())


def _ended(text: str) -> str:
    """A line of a list, or a subheading, as a sentence."""
    return text if not text or text.endswith(_ENDS_SENTENCE) else f"{text}."
