"""Data that remembers the lines it came from: YAML, JSON and dicts become one kind of tree."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

from stages.brief.problems import Problems, shorten
from stages.models import ListItem

Scalar = str | int | float | bool | None
_DEEPEST = 20


@dataclass(frozen=True)
class Node:
    """A value and its line (from 1; 0 for none). `raw` is a scalar's text as it was written.

    `text_line` is the line of a text's first line, where its lines are lines of the file; else 0. `items` are those of the
    lists that a narration was written with.
    """

    value: Scalar | dict[str, Node] | list[Node]
    line: int = 0
    raw: str = ""
    text_line: int = 0
    items: tuple[ListItem, ...] = ()

    @property
    def kind(self) -> str:
        """What the value is, in words for a message."""
        names = {dict: "a mapping", list: "a list", str: "text", bool: "true or false", type(None): "nothing"}
        return names.get(type(self.value), "a number")


def from_python(value: Any, problems: Problems, key: str = "", depth: int = 0) -> Node:
    """A dict as handed in by a program. Paths count as text; what has no place in a brief is a problem."""
    if depth > _DEEPEST:
        problems.add(0, key, "is nested too deeply")
    elif isinstance(value, Mapping):
        inner = {str(name): from_python(item, problems, f"{key}{name}", depth + 1) for name, item in value.items()}
        return Node(inner)
    elif isinstance(value, PurePath):
        return Node(str(value), raw=str(value))
    elif value is None or isinstance(value, str | int | float):
        return Node(value, raw="" if value is None else str(value))
    elif isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return Node([from_python(item, problems, key, depth + 1) for item in value])
    else:
        problems.add(0, key, f"a {type(value).__name__} has no place in a brief")
    return Node(None)


@dataclass
class _Open:
    """A mapping or list whose end has not been read yet."""

    value: dict[str, Node] | list[Node]
    line: int
    anchor: str | None = None
    key: Node | None = None
    lines: dict[str, int] = field(default_factory=dict)

    def put(self, node: Node, problems: Problems) -> None:
        if isinstance(self.value, list):
            self.value.append(node)
        elif self.key is None:
            if isinstance(node.value, dict | list):
                problems.add(node.line, "", f"{node.kind} cannot be a key")
            self.key = node
        else:
            name, line = self.key.raw, self.key.line
            if name in self.lines:
                problems.add(line, shorten(name), f"is given twice; first in line {self.lines[name]}")
            else:
                self.lines[name] = line
                self.value[name] = replace(node, line=line)
            self.key = None


def from_yaml(text: str, problems: Problems, first_line: int = 1) -> Node:
    """One YAML document. Plain scalars follow YAML 1.2: `no` is text, `1:15` is text, dates are text.

    Built from parser events with a stack of our own: neither deep nesting nor aliases can exhaust anything.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _from_events(yaml.parse(text, Loader=loader), problems, first_line)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + first_line if mark else first_line
        what = str(error.problem or error.context)
        if "nesting depth" in what:
            # The parser has a limit of its own, which a long line meets before ours is looked at.
            problems.add(line, "", "is nested too deeply")
            return Node(None, first_line)
        quote = "; put quotes around a value that holds `: `" if what.startswith("mapping values") else ""
        if "did not find expected" in what or "could not find expected" in what:
            quote = "; put quotes around a value that begins with a sign such as [ { * & ! % or @"
        at_fault = text.split("\n")[line - first_line : line - first_line + 1]
        if any(re.match(r" *\t", shown) for shown in at_fault):
            what, quote = "the line is indented with a tab", "; use spaces"
        problems.add(line, "", f"not valid YAML: {what}{quote}")
    except yaml.YAMLError as error:
        problems.add(first_line, "", f"not valid YAML: {shorten(str(error))}")
    return Node(None, first_line)


def _from_events(events: Any, problems: Problems, first_line: int) -> Node:
    import yaml

    stack = [_Open([], first_line)]
    anchors: dict[str, Node] = {}
    for event in events:
        line = event.start_mark.line + first_line
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            if len(stack) > _DEEPEST:
                problems.add(line, "", "is nested too deeply")
                return Node(None, line)
            is_mapping = isinstance(event, yaml.MappingStartEvent)
            stack.append(_Open({} if is_mapping else [], line, event.anchor))
            continue
        if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            done = stack.pop()
            node, anchor = Node(done.value, done.line), done.anchor
        elif isinstance(event, yaml.ScalarEvent):
            value = _plain(event.value) if event.implicit[0] else event.value
            text_line = line + 1 if event.style == "|" else 0
            node, anchor = Node(value, line, event.value, text_line), event.anchor
        elif isinstance(event, yaml.AliasEvent):
            node, anchor = anchors.get(event.anchor or "", Node(None, line)), None
            if event.anchor not in anchors:
                problems.add(line, "", f"*{event.anchor} has no anchor before it")
        elif isinstance(event, yaml.DocumentStartEvent) and stack[0].value:
            problems.add(line, "", "a second document begins; a brief is one")
            break
        else:
            continue
        if anchor:
            anchors[anchor] = node
        stack[-1].put(node, problems)
    top = stack[0].value
    return top[0] if isinstance(top, list) and top else Node(None, first_line)


_CONSTANTS: dict[str, Scalar] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


def _plain(text: str) -> Scalar:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if re.fullmatch(r"[-+]?[0-9]{1,18}", text):
        return int(text)
    if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", text):
        return float(text)
    return text


_JSON_TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[{}\[\]:,]|[^\s{}\[\]:,"'/]+""", re.DOTALL
)
_JSON5_LINE = re.compile(r"<string>:(\d+) ")


def from_json(text: str, problems: Problems) -> Node:
    """One JSON document, also with comments, trailing commas and what else JSON5 allows; NaN is no number."""
    try:
        json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        wrong_line = _json5_fault(text)
        if not wrong_line:
            return _from_tokens(text, problems)
        # Above the line where JSON5 ends there may be comments, of which plain JSON complains.
        what = error.msg if wrong_line <= error.lineno else "an unexpected character"
        problems.add(max(error.lineno, wrong_line), "", f"not valid JSON: {what}")
    except (ValueError, RecursionError) as error:
        what = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        problems.add(1, "", f"not valid JSON: {shorten(what)}")
    else:
        return _from_tokens(text, problems)
    return Node(None, 1)


def _json5_fault(text: str) -> int:
    """The line at which a text is no JSON5; 0 where it is."""
    import json5

    try:
        json5.loads(text)
    except ValueError as error:
        found = _JSON5_LINE.match(str(error))
        return int(found[1]) if found else 1
    except RecursionError:
        return 1
    return 0


def _json5_value(piece: str) -> Any:
    """A string or number as JSON5 writes it; the name itself where it is a key without quotes."""
    import json5

    try:
        return json5.loads(piece)
    except ValueError:
        return piece


def _from_tokens(text: str, problems: Problems) -> Node:
    """The tree of a text already known to be valid JSON or JSON5: only structure and lines are looked for here."""
    stack = [_Open([], 1)]
    line, seen = 1, 0
    for token in _JSON_TOKEN.finditer(text):
        line += text.count("\n", seen, token.start())
        seen = token.start()
        piece = token.group()
        if piece in ":," or piece.startswith(("//", "/*")):
            continue
        if piece in "{[":
            if len(stack) > _DEEPEST:
                problems.add(line, "", "is nested too deeply")
                return Node(None, line)
            stack.append(_Open({} if piece == "{" else [], line))
            continue
        if piece in "}]":
            done = stack.pop()
            node = Node(done.value, done.line)
        else:
            try:
                value = json.loads(piece)
            except ValueError:
                value = _json5_value(piece)
            node = Node(value, line, value if isinstance(value, str) else piece)
        stack[-1].put(node, problems)
    top = stack[0].value
    return top[0] if isinstance(top, list) and top else Node(None, 1)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")
