"""Reading YAML as YAML 1.2 has it, where PyYAML reads 1.1: `no` is a text, `16:9` is no number, no key counts twice."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import yaml

from config.texts import place_of, without_keys

_MOST_NODES = 20_000
#: Longer names of aliases, anchors and tags are not quoted: a key that begins with * & or ! is read as one.
_LONGEST_QUOTED = 7
_WRITTEN_OUT = "grows too large once its aliases are written out"
_TAG = "tag:yaml.org,2002:"
_SCALARS: tuple[tuple[str, str, str], ...] = (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),
    ("float", r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?:\.[0-9]*)?[eE][-+]?[0-9]+)$", "-+.0123456789"),
)


class _Loader(yaml.SafeLoader):
    """A SafeLoader with fewer kinds of scalars, and no key twice in one block."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError, TypeError, ArithmeticError):
            # `!!int "text"`: what the constructors of tags raise quotes the value, which may be a key.
            problem = "a value that cannot be what its tag or its form says"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            name = str(key.value)
            if name in seen and name != "<<":
                problem = f"'{name}' is given twice in one block"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag in (f"{_TAG}null", f"{_TAG}merge")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _kind, _pattern, _first in _SCALARS:
    _Loader.add_implicit_resolver(f"{_TAG}{_kind}", re.compile(_pattern), list(_first))


def parse_yaml(text: str) -> Any:
    """What a YAML document holds; None for an empty one. Raises ValueError with line and column."""
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _measure(node, {}, set())
        return loader.construct_document(node)
    except yaml.YAMLError as error:
        raise ValueError(f"is not YAML: {_reason(error, text)}") from None
    finally:
        if loader is not None:
            loader.dispose()


def _reason(error: yaml.YAMLError, text: str) -> str:
    if isinstance(error, yaml.reader.ReaderError):
        return f"a character that YAML does not allow ({place_of(text, error.position)})"
    mark = getattr(error, "problem_mark", None)
    place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
    problem = getattr(error, "problem", None) or "unreadable"
    longest = {"longest": _LONGEST_QUOTED} if re.search(r"\b(?:alias|anchor|tag)\b", problem) else {}
    return f"{without_keys(problem, **longest)}{place}"


def _measure(node: yaml.Node, sizes: dict[int, int], open_nodes: set[int]) -> int:
    """How many nodes there are once every alias is written out. Raises ConstructorError for too many, and for a loop."""
    if id(node) in sizes:
        return sizes[id(node)]
    if id(node) in open_nodes:
        raise yaml.constructor.ConstructorError(None, None, "an alias stands inside what it names", node.start_mark)
    open_nodes.add(id(node))
    inner: list[yaml.Node] = []
    if isinstance(node, yaml.MappingNode):
        inner = [part for pair in node.value for part in pair]
    elif isinstance(node, yaml.SequenceNode):
        inner = node.value
    size = 1 + sum(_measure(part, sizes, open_nodes) for part in inner)
    if size > _MOST_NODES:
        raise yaml.constructor.ConstructorError(None, None, _WRITTEN_OUT, node.start_mark)
    open_nodes.discard(id(node))
    sizes[id(node)] = size
    return size
