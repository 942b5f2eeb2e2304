"""Strings of YAML, JSON and dicts in plain words: the same text means the same in every format."""

from __future__ import annotations

import re
from dataclasses import replace

from stages.brief.body import Source, read_body, read_narration, tell_left_out, tell_second_title
from stages.brief.nodes import Node
from stages.brief.problems import Problems
from stages.text.markup import Plain, plain_line, plain_text

_LINES = ("title", "author", "heading")
_EMBED = re.compile(r"!?\[\[([^\[\]|]+)(?:\|[^\[\]]*)?\]\]|!\[[^\]]*\]\(([^()]+)\)")
_FILES = ("picture", "clip", "recording", "music", "pictures", "recordings")


def in_plain_words(entries: dict[str, Node], problems: Problems) -> dict[str, Node]:
    """A brief's entries with every text that is shown or spoken in plain words; a `text` may hold a title and scenes."""
    found: dict[str, Node] = {}
    for key, node in entries.items():
        if key == "text" and isinstance(node.value, str):
            body = read_body(_source(node), problems)
            for name, inner in body.items():
                if name == "scenes" and "scenes" in entries:
                    problems.add(node.line, "text", "give either `text` or `scenes`, not both")
                elif name == "title" and "title" in entries:
                    tell_second_title(entries["title"], inner, problems)
                else:
                    found[name] = inner
        elif key == "scenes" and isinstance(node.value, list):
            found[key] = replace(node, value=[_scene(item, problems) for item in node.value])
        else:
            found[key] = _entry(key, node, problems)
    return found


def _entry(key: str, node: Node, problems: Problems) -> Node:
    if key in _FILES and isinstance(node.value, str) and (embed := _EMBED.fullmatch(node.value.strip())):
        path = (embed[1] or embed[2]).strip()
        return replace(node, value=path, raw=path)
    if key == "author" and isinstance(node.value, dict):
        node = replace(node, value=_name_of(node), raw=_name_of(node))
    if key == "author" and isinstance(node.value, list):
        names = ", ".join(name for name in map(_name_of, node.value) if name)
        node = replace(node, value=names, raw=names)
    if not isinstance(node.value, str) or key not in (*_LINES, "description"):
        return node
    plain: Plain = plain_text(node.value) if key == "description" else plain_line(node.value)
    tell_left_out(plain.left_out, _source(node), problems)
    return replace(node, value=plain.text, raw=plain.text)


def _name_of(author: Node) -> str:
    """An author's name, also where an entry holds more about them."""
    entries = author.value
    return entries["name"].raw if isinstance(entries, dict) and "name" in entries else author.raw


def _scene(node: Node, problems: Problems) -> Node:
    if isinstance(node.value, str):
        return Node(read_narration(_source(node), problems), node.line)
    if not isinstance(node.value, dict):
        return node
    entries = {key: _entry(key, item, problems) for key, item in node.value.items()}
    narration = entries.get("narration")
    if narration is not None and isinstance(narration.value, str):
        del entries["narration"]
        read = read_narration(_source(narration), problems)
        for key, item in read.items():
            if key in entries and entries[key].value is not None:
                problems.add(item.line, key, "is given in the narration and beside it; keep one of them")
            entries[key] = item
    return replace(node, value=entries)


def _source(node: Node) -> Source:
    return Source(str(node.value), node.text_line or node.line, is_exact=bool(node.text_line))
