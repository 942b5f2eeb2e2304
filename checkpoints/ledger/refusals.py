"""Briefs of batches that were refused before they could become jobs, so that these too can be tried again."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from checkpoints.keys import canonical_json
from checkpoints.statements import columns, putting
from config.errors import FramekeepError

if TYPE_CHECKING:
    from checkpoints.ledger.ledger import Ledger


@dataclass(frozen=True)
class Refusal:
    """One brief. `source` says where it stands; `options` is what was asked for, as JSON; `at` a Unix time."""

    source: str
    options: dict[str, Any]
    code: str
    message: str
    at: float


_ALL = f"SELECT {columns(Refusal)} FROM refusals ORDER BY source"  # noqa: S608 - names of our own fields
_PUT = putting("refusals", "source", "options", "code", "message", "at", key=("source",))


class Refusals:
    """The refused briefs that one home's ledger knows."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def note(self, source: str, options: dict[str, Any], error: FramekeepError, now: float) -> None:
        """Note that a brief was refused, in place of an earlier refusal."""
        row: dict[str, Any] = {"source": _column(source), "options": canonical_json(options)}
        message = error.message.encode("utf-8", "backslashreplace").decode()
        row |= {"code": error.code, "message": message, "at": now}
        with self._ledger.writing("note_refusal") as connection:
            connection.execute(_PUT, row)

    def forget(self, source: str) -> None:
        """Let go of a brief that became a job, or is no more. Writes nothing where nothing is noted."""
        if any(refusal.source == source for refusal in self.all()):
            with self._ledger.writing("forget_refusal") as connection:
                connection.execute("DELETE FROM refusals WHERE source = ?", (_column(source),))

    def all(self) -> list[Refusal]:
        """All of them, by where they stand."""
        with self._ledger.reading() as connection:
            rows = connection.execute(_ALL).fetchall()
        return [Refusal(os.fsdecode(source), json.loads(options), *rest) for source, options, *rest in rows]


def _column(source: str) -> str | bytes:
    """A path as SQLite takes it: text, or bytes where it is not UTF-8."""
    try:
        source.encode()
    except UnicodeEncodeError:
        return os.fsencode(source)
    return source
