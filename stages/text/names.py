"""Names of files as people read them."""

from __future__ import annotations

import os
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def readable(name: str) -> str:
    """A file's name in characters. Bytes that are not UTF-8, as old archives hold them, are read as Windows writes them."""
    try:
        name.encode()
    except UnicodeEncodeError:
        data = name.encode("utf-8", "surrogateescape") if _is_of_bytes(name) else name.encode("utf-8", "replace")
        return data.decode("cp1252", "replace")
    return name


def as_spelled(path: Path) -> Path:
    """The path as the disk spells it: letters with accents come composed or in parts, and both name the same file."""
    # Unlike Path.exists, this fails for no name, however odd.
    if os.path.exists(path) or path == path.parent:  # noqa: PTH110
        return path
    folder, wanted = as_spelled(path.parent), unicodedata.normalize("NFC", path.name)
    try:
        names = [other.name for other in folder.iterdir() if unicodedata.normalize("NFC", other.name) == wanted]
    except (OSError, ValueError):
        return path
    return folder / names[0] if names else path


@contextmanager
def utf8_path(path: Path) -> Iterator[Path]:
    """The path, or a passing link to it where it is not UTF-8: not every library takes such a name."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        with tempfile.TemporaryDirectory(prefix="framekeep-") as folder:
            link = Path(folder) / "file"
            link.symlink_to(path)
            yield link
    else:
        yield path


def _is_of_bytes(name: str) -> bool:
    return not any("\ud800" <= char < "\udc80" or "\udcff" < char <= "\udfff" for char in name)
