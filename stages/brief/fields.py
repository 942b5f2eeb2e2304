"""Readers of single values: each gives the value, or None for nothing written or a problem noted."""

from __future__ import annotations

import math
import os
import re
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args
from urllib.parse import unquote

from stages.brief.media import not_taken
from stages.brief.nodes import Node
from stages.brief.problems import Problems, nearest, shorten, unknown
from stages.text.names import as_spelled, readable

_NAME = re.compile(r"[A-Za-z0-9][\w.:+-]*")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_LENGTH = re.compile(
    r"(?:(?P<h>\d+)\s*h)?\s*(?:(?P<m>\d+(?:\.\d+)?)\s*m(?:in)?)?\s*(?:(?P<s>\d+(?:\.\d+)?)\s*s(?:ec)?)?"
)
_CLOCK = re.compile(r"(?:(?P<h>\d+):)?(?P<m>\d{1,2}):(?P<s>\d{2})")
_FILE_ADDRESS = re.compile(r"^file:(?://(?:localhost)?(?=/)|(?=/))", re.IGNORECASE)
_LONGEST_S = 6 * 3600.0
_NOT_TEXT = {ord(char): None for char in "\ufeff\u200b\u2060\u00ad"} | {
    code: None for code in range(32) if chr(code) not in "\t\n"
}


def clean(text: str) -> str:
    """Text in composed form (NFC) without control characters, and with one kind of line end."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").translate(_NOT_TEXT))


@dataclass(frozen=True)
class Reader:
    """Reads fields of one brief; `base` is the folder that its paths start from.

    `files` are those that were found, each with where it is named, as (node, key, path).
    """

    problems: Problems
    base: Path
    files: list[tuple[Node, str, Path]] = field(default_factory=list)

    def wrong(self, node: Node, key: str, what: str) -> None:
        self.problems.add(node.line, key, what)

    def mapping(self, node: Node, key: str, known: Sequence[str], hints: dict[str, str]) -> dict[str, Node]:
        """Entries of a mapping that are known and not empty; each unknown key is a problem."""
        if node.value is None:
            return {}
        if not isinstance(node.value, dict):
            self.wrong(node, key, f"expected `name: value` pairs ({', '.join(known)}), found {node.kind}")
            return {}
        for name, entry in node.value.items():
            if name not in known:
                hint = hints.get(name)
                what = f"unknown key {name!r}; write {hint}" if hint else unknown("key", name, known)
                self.wrong(entry, key, what)
        return {name: node.value[name] for name in known if name in node.value and node.value[name].value is not None}

    def items(self, node: Node, key: str) -> list[Node]:
        if isinstance(node.value, list):
            return node.value
        self.wrong(node, key, f"expected a list, found {node.kind}")
        return []

    def prose(self, node: Node, key: str) -> str | None:
        """Text of any length; a number counts as the text it was written as."""
        if isinstance(node.value, dict | list | bool):
            self.wrong(node, key, f"expected text, found {node.kind}")
            return None
        if any("\ud800" <= char <= "\udfff" for char in node.raw):
            self.wrong(node, key, "holds half of a surrogate pair, which is no character")
            return None
        return clean(node.raw).strip() or None

    def line_of_text(self, node: Node, key: str) -> str | None:
        text = self.prose(node, key)
        return None if text is None else " ".join(text.split())

    def identifier(self, node: Node, key: str) -> str | None:
        text = self.line_of_text(node, key)
        if text is not None and not _NAME.fullmatch(text):
            self.wrong(node, key, f"{shorten(text)!r} is not a name (letters, digits, - _ . : +)")
            return None
        return text

    def identifiers(self, node: Node, key: str) -> tuple[str, ...] | None:
        """A list of names; one text is split at commas. Repeated names count once."""
        if isinstance(node.value, list):
            parts = node.value
        else:
            text = self.line_of_text(node, key)
            parts = [Node(part, node.line, part) for part in re.split(r"[,\s]+", text or "") if part]
        names = [self.identifier(part, key) for part in parts]
        return tuple(dict.fromkeys(name for name in names if name))

    def language(self, node: Node, key: str) -> str | None:
        text = self.line_of_text(node, key)
        if text is None:
            return None
        if not _LANGUAGE.fullmatch(text):
            self.wrong(node, key, f"{shorten(text)!r} is not a language code; write it like en, de or pt-BR")
            return None
        primary, *rest = re.split("[-_]", text)
        return "-".join([primary.lower(), *(part.upper() if len(part) == 2 else part.title() for part in rest)])

    def choice(self, node: Node, key: str, literal: object) -> str | None:
        """One of a Literal's names; case does not count."""
        names: tuple[str, ...] = get_args(literal)
        text = self.line_of_text(node, key)
        if text is None:
            return None
        if text.lower() not in names:
            close = nearest(text, names)
            rest = f"; did you mean {close!r}?" if close else ""
            self.wrong(node, key, f"{shorten(text)!r} is not one of {', '.join(names)}{rest}")
            return None
        return text.lower()

    def number(self, node: Node, key: str, low: float, high: float, unit: str = "") -> float | None:
        value: object = node.value
        if isinstance(value, str):
            with suppress(ValueError):
                value = float(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            found = repr(shorten(node.raw)) if node.raw else node.kind
            self.wrong(node, key, f"expected a number, found {found}")
            return None
        if not (math.isfinite(value) and low <= value <= high):
            self.wrong(node, key, f"{node.raw} is not between {low:g} and {high:g}{unit}")
            return None
        return float(value)

    def whole(self, node: Node, key: str) -> int | None:
        value = int(node.raw) if re.fullmatch(r"[0-9]{1,18}", node.raw) else None
        if isinstance(node.value, bool) or value is None:
            self.wrong(node, key, f"expected a whole number from 0 on, found {shorten(node.raw) or node.kind}")
            return None
        return value

    def length(self, node: Node, key: str) -> float | None:
        """Seconds from `75`, `75s`, `1m15s`, `1h`, `1.5min` or `1:15`."""
        text = self.line_of_text(node, key)
        if text is None:
            return None
        compact = text.lower()
        match = _CLOCK.fullmatch(compact) or _LENGTH.fullmatch(compact)
        if re.fullmatch(r"\d+(\.\d+)?", compact):
            seconds = float(compact)
        elif match and any(match.groupdict().values()):
            hours, minutes, rest = (float(match[part] or 0) for part in "hms")
            seconds = hours * 3600 + minutes * 60 + rest
        else:
            self.wrong(node, key, f"{shorten(text)!r} is not a length; write seconds, or like 75s or 1m15s")
            return None
        if not 0 < seconds <= _LONGEST_S:
            self.wrong(node, key, f"{shorten(text)} is not a length above 0 and up to 6 hours")
            return None
        return seconds

    def focus(self, node: Node, key: str) -> tuple[float, float] | None:
        """Two fractions, as a list or as `0.3,0.5`."""
        if isinstance(node.value, list):
            parts = node.value
        else:
            text = self.line_of_text(node, key) or ""
            parts = [Node(part, node.line, part) for part in re.split(r"[,\s]+", text) if part]
        if len(parts) != 2:
            self.wrong(node, key, "expected two fractions from the top left, like 0.3,0.5")
            return None
        across, down = (self.number(part, key, 0.0, 1.0) for part in parts)
        return None if across is None or down is None else (across, down)

    def file(self, node: Node, key: str, endings: Sequence[str]) -> Path | None:
        """An existing, readable file with one of the endings, or of such content, made absolute."""
        path = self._path(node, key)
        if path is None:
            return None
        if reason := not_taken(path, endings):
            self.wrong(node, key, reason)
            return None
        fault = _file_fault(path)
        if fault:
            self.wrong(node, key, fault)
            return None
        self.files.append((node, key, path))
        return path

    def folder(self, node: Node, key: str, files_in: Callable[[Path], Sequence[Path]]) -> Path | None:
        """An existing folder with at least one of the files that `files_in` finds."""
        path = self._path(node, key)
        if path is None:
            return None
        if not path.is_dir():
            self.wrong(node, key, f"{path} is not a folder" if path.exists() else _missing(path, "folder"))
        elif not os.access(path, os.R_OK | os.X_OK):
            self.wrong(node, key, f"the folder {path} may not be read")
        elif not (files := files_in(path)):
            self.wrong(node, key, f"the folder {path} has no {key} in it")
        else:
            self.files.extend((node, key, file) for file in files)
            return path
        return None

    def _path(self, node: Node, key: str) -> Path | None:
        text = node.raw.strip()
        if isinstance(node.value, dict | list | bool) or not text:
            self.wrong(node, key, f"expected a path, found {node.kind}")
            return None
        text = _FILE_ADDRESS.sub("", text)
        if re.match(r"[a-z][a-z0-9+.-]+://", text, re.IGNORECASE):
            self.wrong(node, key, f"{shorten(text)} is an address; download it and name the file")
            return None
        try:
            path = self._found(text, node.raw)
        except (OSError, ValueError, RuntimeError) as error:
            self.wrong(node, key, f"{shorten(text)!r} cannot be a path: {shorten(str(error))}")
            return None
        return path

    def _found(self, text: str, raw: str) -> Path:
        """The path that a brief writes, also as an address is written (`%20`, `?raw=true`), or in another Unicode form."""
        bare = re.sub(r"(?<=\.\w\w)(\w{0,3})[?#].*$", r"\1", text)
        written = list(dict.fromkeys((raw, text, unquote(text), bare, unquote(bare))))
        paths = [(self.base / Path(one).expanduser()).absolute() for one in written]
        spelled = [as_spelled(path) for path in paths]
        return next((path for path in spelled if path.exists()), spelled[-1])


def _file_fault(path: Path) -> str:
    try:
        if not path.exists():
            return _missing(path, "file")
        if not path.is_file():
            return f"{path} is not a file"
        if not os.access(path, os.R_OK):
            return f"{path} may not be read"
        return "" if path.stat().st_size else f"{path} is empty"
    except OSError as error:
        return f"{path}: {error.strerror}"


def _literal(name: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", name)


def _missing(path: Path, what: str) -> str:
    close = _meant(path)
    name = readable(close)
    suggestion = f"; did you mean {name!r}?" if close else ""
    rename = " Its name is not UTF-8: rename the file, and write the new name" if name != close else ""
    return f"there is no {what} {path}{suggestion}{rename}"


def _meant(path: Path) -> str:
    """A file of this name in a folder below, as note apps keep them, else one of nearly this name; empty for none."""
    try:
        below = next(path.parent.glob(f"*/{_literal(path.name)}"), None)
        if below:
            return f"{below.parent.name}/{below.name}"
        names = {unicodedata.normalize("NFC", other.name): other.name for other in sorted(path.parent.iterdir())}
        return names.get(nearest(unicodedata.normalize("NFC", path.name), names), "")
    except (OSError, ValueError):
        return ""
