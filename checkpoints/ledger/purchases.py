"""Calls that cost money: each is noted, and on the disk, before it is made; its end is noted after its result is safe.

| state      | what is known                                                                    |
|------------|----------------------------------------------------------------------------------|
| `begun`    | the call is under way; or its run was killed, and nobody knows what became of it |
| `answered` | its result is among the results, or `note` holds it until the step's last call   |
| `failed`   | the provider refused, or answered what nobody can use                            |
| `unsent`   | it ended before a request left: not charged                                      |
| `unheard`  | there was no connection, or it broke: charged only if the request came through       |
| `cut off`  | no answer came in time, or the run was stopped: possibly charged                 |
| `lost`     | a run was killed between the call and its result: possibly charged               |
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from checkpoints.keys import text_digest
from checkpoints.records import Record
from checkpoints.statements import adding, columns

if TYPE_CHECKING:
    from sqlite3 import Connection

    from checkpoints.ledger.ledger import Ledger

State = Literal["begun", "answered", "failed", "unsent", "unheard", "cut off", "lost"]


@dataclass(frozen=True)
class Purchase:
    """One call that costs money. `request` is the id that the provider was told; times are Unix seconds.

    `note` is there where the call was not the last of its step: what it brought, as the stage's own JSON.
    """

    id: int
    request: str
    key: str
    job_id: str
    step_id: str
    scene: int
    operation: str
    provider: str
    state: State
    begun_at: float
    ended_at: float | None = None
    note: str | None = None

    @property
    def is_uncertain(self) -> bool:
        """Whether it may have been charged without an answer."""
        return self.state in ("cut off", "lost")


_ALL = f"SELECT {columns(Purchase)} FROM purchases"  # noqa: S608 - names of our own fields
_KNOWN = f"{_ALL} WHERE key = ? AND provider = ? AND operation = ?"
_OF_JOB = f"{_ALL} WHERE job_id = ? ORDER BY id"
_ADD = adding(
    "purchases", *("request", "key", "job_id", "step_id", "scene", "operation", "provider", "state", "begun_at")
)
_END = "UPDATE purchases SET state = ?, ended_at = ? WHERE id = ?"
_END_NOTED = "UPDATE purchases SET state = 'answered', ended_at = ?, note = ? WHERE id = ?"
_NOTED = "SELECT note FROM purchases WHERE key = ? AND provider = ? AND note IS NOT NULL ORDER BY id DESC LIMIT 1"
_FORGET_NOTES = "UPDATE purchases SET note = NULL WHERE key = ? AND note IS NOT NULL"


class Purchases:
    """The paid calls that one home's ledger knows. Every method is one transaction, on the disk when it returns."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def begin(
        self, *, key: str, job_id: str, step_id: str, scene: int, operation: str, provider: str, now: float
    ) -> tuple[Purchase, list[Purchase]]:
        """Note a call that is about to be made. Also returns the earlier ones that a killed run left without an end.

        The call has the id of the one before it for as long as nobody knows how that one ended: a provider that remembers
        ids gives its result, and is not paid again. Only the holder of the step's lease may call this.
        """
        with self._ledger.writing("purchase_begin") as connection:
            known = [Purchase(*row) for row in connection.execute(_KNOWN, (key, provider, operation))]
            lost = [one for one in known if one.state == "begun"]
            connection.executemany(_END, [("lost", now, one.id) for one in lost])
            serial = sum(one.state in ("answered", "failed") for one in known)
            row: dict[str, Any] = {
                "request": text_digest(f"{key}\n{operation}\n{provider}\n{serial}")[:40],
                "key": key,
                "job_id": job_id,
                "step_id": step_id,
                "scene": scene,
                "operation": operation,
                "provider": provider,
                "state": "begun",
                "begun_at": now,
            }
            added = connection.execute(_ADD, row).lastrowid
            assert added is not None
        return Purchase(id=added, **row), lost

    def end(self, purchase: Purchase, state: State, now: float) -> None:
        """Note how a call ended that gave no result."""
        with self._ledger.writing("purchase_end") as connection:
            connection.execute(_END, (state, now, purchase.id))

    def end_noted(self, purchase: Purchase, note: str, now: float) -> None:
        """Note what a call brought after which its step asks again."""
        with self._ledger.writing("purchase_noted") as connection:
            connection.execute(_END_NOTED, (now, note, purchase.id))

    def noted(self, key: str, provider: str) -> str:
        """What a step's latest call of a provider brought that was not its last; empty where there is none."""
        with self._ledger.reading() as connection:
            row = connection.execute(_NOTED, (key, provider)).fetchone()
        return row[0] if row else ""

    def of_job(self, job_id: str) -> list[Purchase]:
        """A job's paid calls, oldest first."""
        with self._ledger.reading() as connection:
            return [Purchase(*row) for row in connection.execute(_OF_JOB, (job_id,))]


def settle(connection: Connection, records: Iterable[Record], now: float) -> None:
    """Calls whose results are these records are answered, and what came before need not be kept.

    Within the transaction that puts the records there.
    """
    open_ones = connection.execute("SELECT id, key, provider FROM purchases WHERE state = 'begun'").fetchall()
    if not open_ones:
        return
    there = {(record.key, record.provider) for record in records if not record.stand_in}
    answered = [serial for serial, key, provider in open_ones if (key, provider) in there]
    connection.executemany(_END, [("answered", now, serial) for serial in answered])
    connection.executemany(_FORGET_NOTES, [(key,) for _, key, provider in open_ones if (key, provider) in there])
