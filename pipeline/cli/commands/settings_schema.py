"""The JSON Schema of a settings file: pydantic's, with the short forms that the loader also takes, and the descriptions."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from typing import Any

from config.section import Section
from config.settings import Settings

_SHORT_FORMS: dict[str, list[dict[str, Any]]] = {
    "Bitrate": [
        {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*[kKmM]?(bps|bit/s)?\s*$", "examples": ["5M", "900k"]}
    ],
    "Resolution": [{"type": "string", "pattern": r"^\s*\d+\s*[x×]\s*\d+\s*$", "examples": ["1920x1080"]}],
}


def schema() -> dict[str, Any]:
    """The document that `framekeep config schema` prints."""
    document = Settings.model_json_schema(by_alias=True, mode="validation")
    blocks = document["$defs"]
    for model in _models(Settings):
        block = document if model is Settings else blocks[model.__name__]
        _describe(block, model)
    blocks["Chain"] = {"description": blocks["Chain"]["description"], "anyOf": [blocks["Chain"], *_short_chains()]}
    for short in ("CircuitBreaker", "Retry", "Fallback"):
        document["properties"][short] = {"$ref": f"#/$defs/{short}"}
    document["title"] = "Framekeep settings"
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **document}


def _describe(block: dict[str, Any], model: type[Section]) -> None:
    block.pop("title", None)
    said = descriptions(model)
    for name, info in model.model_fields.items():
        public = info.alias or name
        entry = block["properties"][public]
        entry.pop("title", None)
        for ours, theirs in (("ge", "minimum"), ("le", "maximum")):
            # Behind a validator that reads text, pydantic leaves its own words in the schema.
            if ours in entry:
                entry[theirs] = entry.pop(ours)
        if public in _SHORT_FORMS:
            entry = {"anyOf": [entry, *_SHORT_FORMS[public]]}
            block["properties"][public] = entry
        if text := said.get(name):
            entry["description"] = text


def _short_chains() -> list[dict[str, Any]]:
    entry: dict[str, Any] = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/ChainEntry"}]}
    several = {"type": "array", "items": entry}
    rest = {"FallbackEnabled": {"type": "boolean"}}
    primary = {"Primary": entry, "Fallback": {"anyOf": [entry, several]}, **rest}
    return [
        {"type": "string"},
        several,
        {"type": "object", "properties": primary, "required": ["Primary"], "additionalProperties": False},
    ]


def _models(model: type[Section]) -> list[type[Section]]:
    """A block and all blocks inside it, each once."""
    from config.names import section_in

    found = [model]
    for one in found:
        for info in one.model_fields.values():
            inner = section_in(info.annotation)
            if inner and inner not in found:
                found.append(inner)
    return found


@functools.cache
def descriptions(model: type[Section]) -> dict[str, str]:
    """What stands below each attribute of a block as its docstring; inherited ones included.

    Read from the source only here, so that no other command pays for it.
    """
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if not (issubclass(base, Section) and base is not Section):
            continue
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        assert isinstance(tree, ast.ClassDef)
        for before, node in zip(tree.body, tree.body[1:], strict=False):
            if isinstance(before, ast.AnnAssign) and isinstance(before.target, ast.Name) and _is_text(node):
                found[before.target.id] = inspect.cleandoc(node.value.value)  # type: ignore[attr-defined]
    return found


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
