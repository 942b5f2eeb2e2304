"""Leases on steps in the making: of all runs on one home, one at a time makes the result of a key.

A lease is taken in the transaction that notes a step's start, and let go in the one that notes its end, so it costs no commit
of its own. Its `fence` is larger than that of every lease before it: who lost a lease while he worked (his machine slept, his
process was stopped) finds another fence in the row, and cannot commit what he made.

No time of day decides. A run renews its leases by counting `beats` up; whoever waits for one measures on his own monotonic
clock how long the count has stood still.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import Connection, Row

from checkpoints.owners import Owner, is_gone
from checkpoints.schema import leases

LEASE_S = 30.0
BEAT_S = 5.0


@dataclass(frozen=True)
class Lease:
    """A row of the table. `key` is the step's; `since` a Unix time, for people."""

    key: str
    fence: int
    owner: str
    host: str
    place: str
    pid: int
    started: str
    job_id: str
    since: float
    beats: int


@dataclass(frozen=True)
class Held:
    """The answer to who asked for a lease that another run has."""

    lease: Lease


class Watch:
    """One waiter's view of another run's lease: may it be taken over?"""

    def __init__(self, lease: Lease, now: float) -> None:
        self.lease = lease
        self._still_since = now

    def may_take_over(self, lease: Lease, now: float) -> bool:
        """At once when its owner's process is provably gone, else when it has shown no life for `LEASE_S`. `now` is monotonic."""
        if (lease.fence, lease.beats) != (self.lease.fence, self.lease.beats):
            self.lease, self._still_since = lease, now
        return is_gone(lease.place, lease.pid, lease.started) or now - self._still_since >= LEASE_S


class Heart:
    """Calls `beat` every few seconds on a thread of its own, until stopped. `beat` must not raise."""

    def __init__(self, beat: Callable[[], None], interval_s: float = BEAT_S) -> None:
        self._beat = beat
        self._interval_s = interval_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="framekeep-leases", daemon=True)

    def start(self) -> None:
        """Begin; the first beat comes after one interval."""
        self._thread.start()

    def stop(self) -> None:
        """No beat comes after this has returned."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._interval_s):
            self._beat()


# Within a transaction of the ledger's

_FIND = sa.select(leases).where(leases.c.key == sa.bindparam("wanted"))
_ADD = insert(leases)
_RENEW = sa.update(leases).where(leases.c.owner == sa.bindparam("whose")).values(beats=leases.c.beats + 1)
_FENCES = sa.select(leases.c.fence).where(leases.c.owner == sa.bindparam("whose"))
_LET_GO = sa.delete(leases).where(leases.c.fence == sa.bindparam("which"), leases.c.owner == sa.bindparam("whose"))


def take(
    connection: Connection, key: str, job_id: str, owner: Owner, now: float, over: Lease | None = None
) -> Lease | Held:
    """The lease of a key for `owner`. `over` is another's that may be taken over, if it still stands as it was seen."""
    found = connection.execute(_FIND, {"wanted": key}).first()
    if found:
        held = lease_row(found)
        as_seen = over is not None and (over.fence, over.beats) == (held.fence, held.beats)
        if held.owner != owner.token and not as_seen:
            return Held(held)
        connection.execute(_LET_GO, {"which": held.fence, "whose": held.owner})
    row = {
        "key": key,
        "owner": owner.token,
        "host": owner.host,
        "place": owner.place,
        "pid": owner.pid,
        "started": owner.started,
        "job_id": job_id,
        "since": now,
        "beats": 0,
    }
    fence = connection.execute(_ADD, row).inserted_primary_key
    assert fence is not None
    return Lease(fence=fence[0], **row)  # type: ignore[arg-type]


def let_go(connection: Connection, lease: Lease) -> bool:
    """Give a lease back; False when it was lost before."""
    return connection.execute(_LET_GO, {"which": lease.fence, "whose": lease.owner}).rowcount == 1


def renew(connection: Connection, token: str) -> set[int]:
    """Show life for all leases of an owner; returns the fences of those that he still has."""
    connection.execute(_RENEW, {"whose": token})
    return set(connection.execute(_FENCES, {"whose": token}).scalars())


def let_go_all(connection: Connection, *, owner: str = "", job_id: str = "") -> None:
    """Give back all leases of an owner, or all that stand for a job."""
    connection.execute(sa.delete(leases).where(sa.or_(leases.c.owner == owner, leases.c.job_id == job_id)))


def standing(connection: Connection) -> dict[str, Lease]:
    """All leases by key. There are as many as steps at work now."""
    return {row.key: lease_row(row) for row in connection.execute(sa.select(leases))}


def lease_row(row: Row[tuple[object, ...]]) -> Lease:
    """A row of the table as a value."""
    return Lease(**row._mapping)
