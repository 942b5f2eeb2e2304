"""Keys of steps: SHA-256 over everything that can change a step's result, and nothing else.

No path, time or job id enters a key, so two jobs that need the same thing share it.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

KEY_SCHEMA = 1
_SURROGATE = re.compile("[\ud800-\udfff]")
_CHUNK_BYTES = 1 << 20
# Requests are dumped models and plain values: nothing in them holds itself.
_encode = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
).encode


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no white space: equal values give equal text. Raises ValueError for NaN."""
    return escaped_bytes(_encode(value))


def escaped_bytes(document: str) -> str:
    """A JSON document with odd bytes of file names, which Python holds as surrogates, as escapes: it can be UTF-8 then."""
    if document.isascii():
        return document
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", document)


def step_key(stage: str, request: Mapping[str, Any]) -> str:
    """Hex SHA-256 (64 characters) of a stage's name and its whole request."""
    text = canonical_json({"schema": KEY_SCHEMA, "stage": stage, "request": request})
    return hashlib.sha256(text.encode()).hexdigest()


def text_digest(text: str) -> str:
    """Hex SHA-256 of a text's UTF-8 bytes."""
    return hashlib.sha256(text.encode()).hexdigest()


@functools.cache
def code_digest(*names: str) -> str:
    """Hex SHA-256 of our own source: of whole packages, folders inside included, and of single modules.

    Another version of the code may make other bytes. Not for providers that are paid: an upgrade is no reason to buy a
    result again.
    """
    digest = hashlib.sha256()
    for name in names:
        for path, place in code_files(name):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{name}/{place} {content}\n".encode())
    return digest.hexdigest()


def code_files(name: str) -> list[tuple[Path, str]]:
    """The source files of a package (at any depth) or module, each with its place below it, in a fixed order."""
    spec = importlib.util.find_spec(name)
    folders = (spec and spec.submodule_search_locations) or ()
    if not folders:
        return [(Path(spec.origin), Path(spec.origin).name)] if spec and spec.origin else []
    found = {path.relative_to(folder).as_posix(): path for folder in folders for path in Path(folder).rglob("*.py")}
    return [(path, place) for place, path in sorted(found.items())]


def file_digest(path: Path) -> tuple[str, int]:
    """Hex SHA-256 and size in bytes of a file, read in blocks. Raises OSError."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_CHUNK_BYTES):
            digest.update(block)
            size += len(block)
    return digest.hexdigest(), size
