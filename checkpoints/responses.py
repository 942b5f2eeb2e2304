"""Answers by what was asked, whoever was asked: what is left to go by when nobody answers any more.

A row points to the record of the step that got the answer. It is written in the transaction that commits that step, so an answer
costs no commit of its own, and its age is that of the answer, however often it is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import Connection

from checkpoints.records import Record
from checkpoints.schema import responses

if TYPE_CHECKING:
    from checkpoints.ledger import Ledger


@dataclass(frozen=True)
class Response:
    """An answer of `provider`: the record of `key` has it. `made_at` is a Unix time."""

    request: str
    key: str
    provider: str
    made_at: float


class Responses:
    """The answers that one home's ledger knows."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def find(self, request: str) -> Response | None:
        """The latest answer to a request, or None."""
        with self._ledger.reading() as connection:
            row = connection.execute(sa.select(responses).where(responses.c.request == request)).first()
        return Response(**row._mapping) if row else None

    def keys_since(self, made_at: float) -> set[str]:
        """The records of all answers made since then."""
        with self._ledger.reading() as connection:
            return set(connection.execute(sa.select(responses.c.key).where(responses.c.made_at >= made_at)).scalars())

    def forget_before(self, made_at: float) -> int:
        """Let go of all older answers; returns how many."""
        with self._ledger.writing("responses_forget") as connection:
            return connection.execute(sa.delete(responses).where(responses.c.made_at < made_at)).rowcount


def put(connection: Connection, record: Record, now: float) -> None:
    """Note a step's answer in place of an earlier one to the same request. Within a transaction of the ledger's."""
    if not record.request or record.stand_in:
        return
    row = {"key": record.key, "provider": record.provider, "made_at": now}
    statement = insert(responses).values(request=record.request, **row)
    connection.execute(statement.on_conflict_do_update(index_elements=[responses.c.request], set_=row))
