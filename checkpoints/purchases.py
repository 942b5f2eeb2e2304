"""Calls that cost money: each is noted, and on the disk, before it is made; its end is noted after its result is safe.

| state      | what is known                                                                    |
|------------|----------------------------------------------------------------------------------|
| `begun`    | the call is under way; or its run was killed, and nobody knows what became of it |
| `answered` | its result is among the results                                                  |
| `failed`   | the provider refused, or answered what nobody can use                            |
| `unheard`  | there was no connection, or it broke: charged only if the request came through       |
| `cut off`  | no answer came in time, or the run was stopped: possibly charged                 |
| `lost`     | a run was killed between the call and its result: possibly charged               |
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import Connection

from checkpoints.keys import text_digest
from checkpoints.records import Record
from checkpoints.schema import purchases

if TYPE_CHECKING:
    from checkpoints.ledger import Ledger

State = Literal["begun", "answered", "failed", "unheard", "cut off", "lost"]


@dataclass(frozen=True)
class Purchase:
    """One call that costs money. `request` is the id that the provider was told; times are Unix seconds."""

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

    @property
    def is_uncertain(self) -> bool:
        """Whether it may have been charged without an answer."""
        return self.state in ("cut off", "lost")


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
        mine = sa.and_(purchases.c.key == key, purchases.c.provider == provider, purchases.c.operation == operation)
        with self._ledger.writing("purchase_begin") as connection:
            known = [_row(row) for row in connection.execute(sa.select(purchases).where(mine))]
            lost = [one for one in known if one.state == "begun"]
            if lost:
                found = purchases.c.id.in_([one.id for one in lost])
                connection.execute(sa.update(purchases).where(found).values(state="lost", ended_at=now))
            serial = sum(one.state in ("answered", "failed") for one in known)
            row = {
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
            added = connection.execute(insert(purchases).values(row)).inserted_primary_key
            assert added is not None
        return Purchase(id=added[0], **row), lost  # type: ignore[arg-type]

    def end(self, purchase: Purchase, state: State, now: float) -> None:
        """Note how a call ended that gave no result."""
        with self._ledger.writing("purchase_end") as connection:
            mine = purchases.c.id == purchase.id
            connection.execute(sa.update(purchases).where(mine).values(state=state, ended_at=now))

    def of_job(self, job_id: str) -> list[Purchase]:
        """A job's paid calls, oldest first."""
        query = sa.select(purchases).where(purchases.c.job_id == job_id).order_by(purchases.c.id)
        with self._ledger.reading() as connection:
            return [_row(row) for row in connection.execute(query)]


_BEGUN = sa.select(purchases.c.id, purchases.c.key, purchases.c.provider).where(purchases.c.state == "begun")


def settle(connection: Connection, records: Iterable[Record], now: float) -> None:
    """Calls whose results are these records are answered. Within the transaction that puts them there."""
    open_ones = connection.execute(_BEGUN).all()
    if not open_ones:
        return
    there = {(record.key, record.provider) for record in records if not record.stand_in}
    answered = [row.id for row in open_ones if (row.key, row.provider) in there]
    if answered:
        found = purchases.c.id.in_(answered)
        connection.execute(sa.update(purchases).where(found).values(state="answered", ended_at=now))


def _row(row: sa.Row[tuple[object, ...]]) -> Purchase:
    return Purchase(**row._mapping)
