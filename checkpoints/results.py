"""What steps may reuse: the record of each key, and when it was last used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.engine import Connection

from checkpoints.records import Record
from checkpoints.schema import results, steps
from checkpoints.statements import FIND_RESULT, PUT_RESULT

if TYPE_CHECKING:
    from checkpoints.ledger import Ledger


class Results:
    """The results that one home's ledger knows. Every method is one transaction."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def get(self, key: str) -> Record | None:
        """The record of a key, or None."""
        with self._ledger.reading() as connection:
            return find(connection, key)

    def all(self) -> list[tuple[Record, float]]:
        """Every readable result and when it was last used, the longest unused first."""
        query = sa.select(results.c.record, results.c.used_at).order_by(results.c.used_at, results.c.key)
        with self._ledger.reading() as connection:
            rows = [(_read(text), used_at) for text, used_at in connection.execute(query)]
        return [(record, used_at) for record, used_at in rows if record]

    def keys_by_job(self) -> dict[str, set[str]]:
        """The result keys that each job's steps name."""
        found: dict[str, set[str]] = {}
        with self._ledger.reading() as connection:
            for job_id, key in connection.execute(sa.select(steps.c.job_id, steps.c.key)):
                found.setdefault(job_id, set()).add(key)
        return found

    def adopt(self, *records: Record) -> None:
        """Take over records that stand in the store but not in the ledger."""
        now = self._ledger.now()
        with self._ledger.writing("adopt") as connection:
            for record in records:
                put(connection, record, now)

    def forget(self, key: str, only: Record | None = None) -> None:
        """Remove a result that no longer holds; with `only`, unless it is another by now."""
        with self._ledger.writing("forget_result") as connection:
            if only is None or find(connection, key) == only:
                connection.execute(sa.delete(results).where(results.c.key == key))

    def forget_unused(self, keys: Sequence[str], since: float) -> list[str]:
        """Remove those results that no job's step names and that were not used after `since`.

        Returns the keys that the ledger then does not know at all, in the order given.
        """
        with self._ledger.writing("forget_unused") as connection:
            connection.execute(
                sa.delete(results).where(
                    results.c.key.in_(keys),
                    results.c.used_at <= since,
                    ~sa.exists().where(steps.c.key == results.c.key),
                )
            )
            kept = sa.union(
                sa.select(results.c.key).where(results.c.key.in_(keys)),
                sa.select(steps.c.key).where(steps.c.key.in_(keys)),
            )
            known = set(connection.execute(kept).scalars())
        return [key for key in keys if key not in known]


def find(connection: Connection, key: str) -> Record | None:
    """The record of a key, or None."""
    text = connection.execute(FIND_RESULT, {"wanted": key}).scalar()
    return _read(text) if text else None


def put(connection: Connection, record: Record, now: float) -> None:
    """Keep a record as its key's, used now."""
    connection.execute(PUT_RESULT, row_of(record, now))


def row_of(record: Record, now: float) -> dict[str, Any]:
    """What `PUT_RESULT` takes."""
    return {"key": record.key, "stage": record.stage, "record": record.model_dump_json(), "used_at": now}


def _read(text: str) -> Record | None:
    """None for what another version wrote: the step is then looked for in the store, or made again."""
    try:
        return Record.model_validate_json(text)
    except ValidationError:
        return None
