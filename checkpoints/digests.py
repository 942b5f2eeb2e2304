"""Digests of what is installed beside us, remembered from one process to the next: a program of 100 MB is not read at every start.

Only for what an installation puts in place and nobody edits. A user's files are read anew by every process.
"""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path

from checkpoints.keys import canonical_json, file_digest, text_digest

# The coarsest clock of a filesystem: what was changed this lately could change again and look the same.
_SETTLED_NS = 2_000_000_000

_Stamp = tuple[int, int, int, int]


class Digests:
    """Digests by path, each with the stamp that the file had: it holds while size, inode and both times are the same."""

    def __init__(self) -> None:
        self._file: Path | None = None
        self._known: dict[str, tuple[_Stamp, str]] = {}

    def keep_in(self, file: Path) -> None:
        """Go by what this file remembers as well, and write there what is found out from now on."""
        if file != self._file:
            self._file = file
            self._known |= _read(file)

    def of(self, path: Path) -> str:
        """Hex SHA-256 of a file. Raises OSError."""
        stamp = _stamp(path)
        known = self._known.get(str(path))
        if known and known[0] == stamp:
            return known[1]
        digest, _ = file_digest(path)
        if _stamp(path) == stamp and max(stamp[1:3]) < time.time_ns() - _SETTLED_NS:
            self._known[str(path)] = stamp, digest
            self._write()
        return digest

    def _write(self) -> None:
        if self._file is None:
            return
        known = {path: [*stamp, digest] for path, (stamp, digest) in self._known.items() if Path(path).exists()}
        document = {"files": known, "sha256": text_digest(canonical_json(known))}
        # In one go and not durably: a file that is torn is one that remembers nothing.
        with contextlib.suppress(OSError):
            self._file.write_text(canonical_json(document), "utf-8")


def _read(file: Path) -> dict[str, tuple[_Stamp, str]]:
    """Nothing when there is none, or when it is torn or altered."""
    try:
        document = json.loads(file.read_bytes())
        if text_digest(canonical_json(document["files"])) != document["sha256"]:
            return {}
        return {
            path: ((size, mtime, ctime, inode), digest)
            for path, (size, mtime, ctime, inode, digest) in document["files"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _stamp(path: Path) -> _Stamp:
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


INSTALLED = Digests()
