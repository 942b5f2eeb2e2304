"""What stands under a brief's front matter, in whatever format: title, `##` scenes with their pictures, or prose for the writer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from stages.brief.media import CLIP_ENDINGS
from stages.brief.nodes import Node
from stages.brief.problems import Problems, shorten, unknown
from stages.models import ListItem
from stages.text.markup import REFUSED, Block, LeftOut, ended, read_markup

ATTRIBUTE_NAMES = ("motion", "focus", "sound", "hold", "transition", "recording")
#: Attributes that other tools write for a page's layout, and that mean nothing in a film.
_LAYOUT = """
    alt align border caption class decoding dir fetchpriority fig-align fig-alt fig-cap height id loading out-width referrerpolicy
    rel scale sizes srcset style target title width
"""
_LAYOUT_NAMES = frozenset(_LAYOUT.split())
_ATTRIBUTE = re.compile(r"""([\w-]+)\s*=\s*("[^"]*"|'[^']*'|“[^”]*”|[^\s"'“]+)""")
_LAYOUT_MARK = re.compile(r"(?<!\S)[#.][\w:-]+")
_MOST_WORDS_TOLD = 160


@dataclass(frozen=True)
class Source:
    """Text that may hold markup, and where it stands. With `is_exact`, its lines are lines of the file from `line` on."""

    text: str
    line: int
    is_exact: bool = True

    def where(self, line: int) -> int:
        """The file's line for a line of the text."""
        return self.line + line - 1 if self.is_exact and self.line else self.line


@dataclass
class _Scene:
    line: int
    entries: dict[str, Node] = field(default_factory=dict)
    paragraphs: list[tuple[str, bool]] = field(default_factory=list)
    items: list[ListItem] = field(default_factory=list)
    text_line: int = 0

    def node(self, *, spoken: bool = True) -> Node:
        """What a YAML scene would hold. When spoken, subheadings end like sentences."""
        entries = dict(self.entries)
        if self.paragraphs:
            text = "\n\n".join(ended(part) if is_title and spoken else part for part, is_title in self.paragraphs)
            entries["narration"] = Node(text, self.text_line, text, items=tuple(self.items))
        return Node(entries, self.line)


def read_body(source: Source, problems: Problems) -> dict[str, Node]:
    """`title`, and either `scenes` or `text`, as far as they are there."""
    body = _Body(source, problems)
    for block in body.blocks:
        body.take(block)
    found = {"title": body.title, "scenes": body.scene_list(), "text": body.prose()}
    return {key: node for key, node in found.items() if node is not None}


def read_narration(source: Source, problems: Problems) -> dict[str, Node]:
    """The entries of the scene that a narration comes to: `narration`, and a heading, picture or attributes written in it."""
    body = _Body(source, problems)
    blocks = list(body.blocks)
    entries: dict[str, Node] = {}
    if blocks and blocks[0].kind == "heading" and blocks[0].level <= 2:
        first = blocks.pop(0)
        if first.text:
            entries["heading"] = Node(first.text, source.where(first.line), first.text)
    for block in blocks:
        body.take(block, in_scene=True)
    scene = body.scene.node().value
    return {**entries, **(scene if isinstance(scene, dict) else {})}


def tell_left_out(left_out: Sequence[LeftOut], source: Source, problems: Problems) -> None:
    """Refuse what would be missed, and name the rest: nothing is dropped without a word."""
    for item in left_out:
        line = source.where(item.line)
        if item.what not in REFUSED:
            words = f": {shorten(item.words, _MOST_WORDS_TOLD)}" if item.words else ""
            problems.warn(line, f"not spoken: {item.what}{words}")
        elif item.words == "<!--":
            problems.add(line, "", "a comment begins here with <!-- and is never closed; close it with -->")
        else:
            problems.refuse(line, item.what)


def tell_second_title(title: Node, heading: Node, problems: Problems) -> None:
    """A `# ` heading is not shown where a title is given as well."""
    if heading.raw.casefold() != title.raw.casefold():
        problems.warn(
            heading.line, f"not shown: the heading {shorten(heading.raw)!r}, as the brief gives a title as well"
        )


class _Body:
    """Gathers title, scenes and paragraphs from blocks."""

    def __init__(self, source: Source, problems: Problems) -> None:
        self._source = source
        self._problems = problems
        markup = read_markup(source.text)
        tell_left_out(markup.left_out, source, problems)
        self.blocks = markup.blocks
        self._scenes: list[_Scene] = []
        self._opening = _Scene(source.line)
        self.title: Node | None = None

    def take(self, block: Block, *, in_scene: bool = False) -> None:
        line = self._source.where(block.line)
        if block.kind == "picture":
            self._picture(block, line)
        elif block.kind == "attributes":
            self._attributes(block.text, line)
        elif block.kind == "heading" and block.level <= 2 and not in_scene:
            self._heading(block, line)
        elif block.text:
            text = ended(block.text) if block.kind == "item" else block.text
            self.scene.text_line = self.scene.text_line or line
            self.scene.paragraphs.append((text, block.kind == "heading"))
            if block.marker:
                self.scene.items.append(ListItem(block.text, block.marker, block.level))

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
    def scene(self) -> _Scene:
        return self._scenes[-1] if self._scenes else self._opening

    def _heading(self, block: Block, line: int) -> None:
        if block.level == 2:
            self._scenes.append(_Scene(line, {"heading": Node(block.text, line, block.text)} if block.text else {}))
        elif not block.text:
            return
        elif self.title or self._scenes:
            self._problems.add(line, "", "a second `# ` heading; scenes start with `## `")
        else:
            self.title = Node(block.text, line, block.text)

    def _picture(self, block: Block, line: int) -> None:
        entries, path = self.scene.entries, block.text.strip()
        faults = {
            "inside": "a picture stands on a line of its own",
            "second": "one picture a line, and one picture a scene",
            "undefined": f"[{path}] stands nowhere in the brief; name the file itself, as in ![](photo.jpg)",
        }
        if block.note:
            self._problems.add(line, "picture", faults[block.note])
        elif path.lower().startswith("data:"):
            what = "is kept inside the text (data:…); save it as a file beside the brief, and name that"
            self._problems.add(line, "picture", what)
        elif "picture" in entries or "clip" in entries:
            self._problems.add(line, "picture", "this scene has one already; start another scene with `## `")
        else:
            entries["clip" if path.lower().endswith(CLIP_ENDINGS) else "picture"] = Node(path, line, path)

    def _attributes(self, text: str, line: int) -> None:
        for match in _ATTRIBUTE.finditer(text):
            name, value = match[1], match[2].strip("\"'“”")
            if name in ATTRIBUTE_NAMES:
                self.scene.entries[name] = Node(value, line, value)
            elif name.lower() not in _LAYOUT_NAMES and not name.startswith("data-"):
                self._problems.add(line, "", unknown("attribute", name, ATTRIBUTE_NAMES))
        left = _LAYOUT_MARK.sub("", _ATTRIBUTE.sub("", text)).replace(",", "").strip()
        if left:
            self._problems.add(line, "", f'cannot read {shorten(left)!r}; attributes look like motion="zoom-in"')
