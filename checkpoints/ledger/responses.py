"""Answers by what was asked, whoever was asked: what is left to go by when nobody answers any more.

A row points to the record of the step that got the answer. It is written in the transaction that commits that step, so an answer
costs no commit of its own, and its age is that of the answer, however often it is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from checkpoints.records import Record
from checkpoints.statements import columns, putting

if TYPE_CHECKING:
    from sqlite3 import Connection

    from checkpoints.ledger.ledger import Ledger


@dataclass(frozen=True)
class Response:
    """An answer of `provider`: the record of `key` has it. `made_at` is a Unix time."""

    request: str
    key: str
    provider: str
    made_at: float


_FIND = f"SELECT {columns(Response)} FROM responses WHERE request = ?"  # noqa: S608 - names of our own fields
_PUT = putting("responses", "request", "key", "provider", "made_at", key=("request",))


class Responses:
    """The answers that one home's ledger knows."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def find(self, request: str) -> Response | None:
        """The latest answer to a request, or None."""
        with self._ledger.reading() as connection:
            row = connection.execute(_FIND, (request,)).fetchone()
        return Response(*row) if row else None

    def keys_since(self, made_at: float) -> set[str]:
        """The records of all answers made since then."""
        with self._ledger.reading() as connection:
            return {row[0] for row in connection.execute("SELECT key FROM responses WHERE made_at >= ?", (made_at,))}

    def forget_before(self, made_at: float) -> int:
        """Let go of all older answers; returns how many."""
        with self._ledger.writing("responses_forget") as connection:
            return connection.execute("DELETE FROM responses WHERE made_at < ?", (made_at,)).rowcount


def put(connection: Connection, record: Record, now: float) -> None:
    """Note a step's answer in place of an earlier one to the same request. Within a transaction of the ledger's."""
    if not record.request or record.stand_in:
        return
    row = {"request": record.request, "key": record.key, "provider": record.provider, "made_at": now}
    connection.execute(_PUT, row)
