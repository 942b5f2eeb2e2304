"""What steps may reuse: the record of each key, and when it was last used."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from checkpoints.records import Record
from checkpoints.statements import putting

if TYPE_CHECKING:
    from sqlite3 import Connection

    from checkpoints.ledger.ledger import Ledger

PUT_RESULT = putting("results", "key", "stage", "record", "used_at", key=("key",))

_FORGET_UNUSED = """
    DELETE FROM results
    WHERE key IN (SELECT value FROM json_each(?)) AND used_at <= ?
    AND NOT EXISTS (SELECT 1 FROM steps WHERE steps.key = results.key)
"""
_KNOWN = """
    SELECT key FROM results WHERE key IN (SELECT value FROM json_each(:keys))
    UNION SELECT key FROM steps WHERE key IN (SELECT value FROM json_each(:keys))
"""


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
        query = "SELECT record, used_at FROM results ORDER BY used_at, key"
        with self._ledger.reading() as connection:
            rows = [(_read(text), used_at) for text, used_at in connection.execute(query)]
        return [(record, used_at) for record, used_at in rows if record]

    def keys_by_job(self) -> dict[str, set[str]]:
        """The result keys that each job's steps name."""
        found: dict[str, set[str]] = {}
        with self._ledger.reading() as connection:
            for job_id, key in connection.execute("SELECT job_id, key FROM steps"):
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
                connection.execute("DELETE FROM results WHERE key = ?", (key,))

    def forget_unused(self, keys: Sequence[str], since: float) -> list[str]:
        """Remove those results that no job's step names and that were not used after `since`.

        Returns the keys that the ledger then does not know at all, in the order given.
        """
        with self._ledger.writing("forget_unused") as connection:
            named = json.dumps(list(keys))
            connection.execute(_FORGET_UNUSED, (named, since))
            known = {row[0] for row in connection.execute(_KNOWN, {"keys": named})}
        return [key for key in keys if key not in known]


def find(connection: Connection, key: str) -> Record | None:
    """The record of a key, or None."""
    row = connection.execute("SELECT record FROM results WHERE key = ?", (key,)).fetchone()
    return _read(row[0]) if row else None


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
