"""Briefs of batches that were refused before they could become jobs, so that these too can be tried again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from checkpoints.keys import canonical_json
from checkpoints.schema import refusals
from config.errors import FramekeepError

if TYPE_CHECKING:
    from checkpoints.ledger import Ledger


@dataclass(frozen=True)
class Refusal:
    """One brief. `source` says where it stands; `options` is what was asked for, as JSON; `at` a Unix time."""

    source: str
    options: dict[str, Any]
    code: str
    message: str
    at: float


class Refusals:
    """The refused briefs that one home's ledger knows."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def note(self, source: str, options: dict[str, Any], error: FramekeepError, now: float) -> None:
        """Note that a brief was refused, in place of an earlier refusal."""
        row = {"options": canonical_json(options), "code": error.code, "message": error.message, "at": now}
        statement = insert(refusals).values(source=source, **row)
        with self._ledger.writing("note_refusal") as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=[refusals.c.source], set_=row))

    def forget(self, source: str) -> None:
        """Let go of a brief that became a job, or is no more. Writes nothing where nothing is noted."""
        if any(refusal.source == source for refusal in self.all()):
            with self._ledger.writing("forget_refusal") as connection:
                connection.execute(sa.delete(refusals).where(refusals.c.source == source))

    def all(self) -> list[Refusal]:
        """All of them, by where they stand."""
        with self._ledger.reading() as connection:
            rows = connection.execute(sa.select(refusals).order_by(refusals.c.source)).all()
        return [Refusal(row.source, json.loads(row.options), row.code, row.message, row.at) for row in rows]
