"""Reading one settings file: TOML, YAML or JSON, by its ending.

What is wrong is said with its line and column, without quoting the text: it may hold keys.
"""

from __future__ import annotations

import codecs
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from config.texts import place_of, shown_name, without_keys

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_JSON5_ERROR = re.compile(r"^<string>:(\d+) (Unexpected end of input|Unexpected).* at column (\d+)$", re.DOTALL)
_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n\r\u2028\u2029]*|/\*.*?\*/)
      | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<mark>[{}\[\]:,])
      | (?P<word>[^\s{}\[\]:,"'/]+|.)""",
    re.VERBOSE | re.DOTALL,
)


def read_document(file: Path) -> dict[str, Any]:
    """The named blocks of a file; none for an empty one. Raises ValueError with the reason when it cannot be used."""
    parse = _PARSERS.get(file.suffix.lower())
    if parse is None:
        raise ValueError("its name must end in .toml, .yaml, .yml or .json")
    try:
        text = _decoded(file.read_bytes())
        data = parse(text) if text.strip() else {}
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror or error}") from None
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ValueError("must hold named blocks, such as Rendering")
    return data


def _decoded(content: bytes) -> str:
    """UTF-8 text, with or without the mark that Windows puts before it. Raises ValueError."""
    if content.startswith(_UTF_16):
        raise ValueError("is UTF-16 text; save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"is not UTF-8 text (byte {error.start}, line {line})") from None


def _parse_toml(text: str) -> Any:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"is not TOML: {without_keys(str(error))}") from None
    except ValueError:
        raise ValueError("is not TOML: a number that is too long") from None


def _parse_yaml(text: str) -> Any:
    # Imported for files in YAML alone: it would double the time that a command takes to read its settings.
    from config.yaml_documents import parse_yaml

    return parse_yaml(text)


def parse_json(text: str) -> Any:
    """JSON, which may have comments, trailing commas and what else JSON5 allows. Raises ValueError with line and column."""
    try:
        data = json.loads(text)
    except ValueError:
        data = _parse_json5(text)
    if twice := next(_repeated_names(text), None):
        name, start = twice
        raise ValueError(f"is not JSON: '{shown_name(name)}' is given twice in one block ({place_of(text, start)})")
    return data


def _parse_json5(text: str) -> Any:
    import json5

    if all(kind == "space" for kind, _, _ in _tokens(text)):
        return None
    try:
        return json5.loads(text)
    except ValueError as error:
        found = _JSON5_ERROR.match(str(error))
        if not found:
            raise ValueError("is not JSON: a value that cannot be read") from None
        line, what, column = found[1], found[2], found[3]
        if what == "Unexpected":
            raise ValueError(f"is not JSON: an unexpected character (line {line}, column {column})") from None
        raise ValueError(f"is not JSON: it ends too early ({place_of(text, len(text.rstrip()))})") from None


def _repeated_names(text: str) -> Iterator[tuple[str, int]]:
    """Names that a block of valid JSON5 gives a second time, with where they stand."""
    blocks: list[set[str] | None] = []
    before: tuple[str, int] | None = None
    for kind, piece, start in _tokens(text):
        if kind == "space":
            continue
        if piece == ":" and before and blocks and (names := blocks[-1]) is not None:
            name = _name(before[0])
            if name in names:
                yield name, before[1]
            names.add(name)
        if kind == "mark" and piece in "{[":
            blocks.append(set() if piece == "{" else None)
        elif kind == "mark" and piece in "}]" and blocks:
            blocks.pop()
        before = None if kind == "mark" else (piece, start)


def _name(piece: str) -> str:
    """A name as it was meant, without quotes and with its escapes read."""
    try:
        return str(json.loads(piece))
    except ValueError:
        return piece.strip("\"'")


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    for match in _TOKEN.finditer(text):
        yield match.lastgroup or "", match[0], match.start()


_PARSERS: dict[str, Callable[[str], Any]] = {
    ".toml": _parse_toml,
    ".json": parse_json,
    ".jsonc": parse_json,
    ".json5": parse_json,
    ".yaml": _parse_yaml,
    ".yml": _parse_yaml,
}
