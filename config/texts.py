"""Reading a text that was typed for a setting: on the command line, in the environment, or in place of a list in a file."""

from __future__ import annotations

import json
import re
from typing import Any

#: Names of settings are long words; a key has figures in it.
_LONGEST_NAME, _LIKE_A_KEY = 40, 8
#: Where a list of addresses goes on: a comma or a space belongs to an address unless a new scheme follows.
_NEXT_ADDRESS = re.compile(r"(?:\s*,\s*|\s+)(?=[A-Za-z][\w.+-]*://)")
_ADDRESS = re.compile(r"^[A-Za-z][\w.+-]*://")


def plain_value(text: str) -> Any:
    """A number, a truth value, a block or nothing where the text is one in JSON; else the text."""
    if text.strip()[:1] == "{":
        return _in_json(text)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def items_of(text: str) -> list[Any] | None:
    """The items of a list as people type it: `A,B`, `["A", "B"]`, `[A,B]`, one a line; an empty text is an empty list.

    Commas inside an address (`mailto://…?to=a,b`) belong to it. None for `null`. Raises ValueError.
    """
    bare = text.strip()
    if bare == "null":
        return None
    if bare[:1] == "[" and bare[-1:] != "]":
        raise ValueError("is a list that begins with [ and does not end with ]")
    if bare[:1] in ("[", "{", '"', "'"):
        try:
            found = _in_json(bare if bare[0] == "[" else f"[{bare}]")
        except ValueError:
            # A shell takes the quotes out of ["A","B"].
            if bare[0] != "[" or "{" in bare:
                raise
            found = _split(bare[1:-1])
        return list(found)
    return _split(bare)


def printable(text: str) -> str:
    """A text with what cannot be printed written as escapes."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def shown_name(name: str, longest: int = _LONGEST_NAME) -> str:
    """A name that no setting has, as a message may show it: printable, and nothing that might be a key gone astray."""
    if len(name) > longest or (len(name) >= _LIKE_A_KEY and any(character.isdigit() for character in name)):
        return f"(a name of {len(name)} characters)"
    return printable(name)


def without_keys(message: str, longest: int = _LONGEST_NAME) -> str:
    """A parser's message, its quotations as `shown_name` has them."""
    return re.sub(r"'([^']*)'", lambda found: f"'{shown_name(found[1], longest)}'", message)


def place_of(text: str, start: int) -> str:
    """A place in a text as people count."""
    before = text[:start].replace("\r\n", "\n").replace("\r", "\n")
    return f"line {before.count(chr(10)) + 1}, column {len(before) - before.rfind(chr(10))}"


def _split(text: str) -> list[Any]:
    pattern = _NEXT_ADDRESS if _ADDRESS.match(text.strip()) else re.compile(r"[,\n]")
    parts = (part.strip().rstrip(",").strip() for part in pattern.split(text))
    return [part.strip("\"'") for part in parts if part]


def _in_json(text: str) -> Any:
    from config.documents import parse_json

    try:
        return parse_json(text)
    except RecursionError:
        raise ValueError("is nested too deeply") from None
