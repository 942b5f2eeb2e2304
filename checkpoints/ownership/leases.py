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
from typing import TYPE_CHECKING, Any

from checkpoints.ownership.processes import Owner, is_gone
from checkpoints.statements import adding, columns

if TYPE_CHECKING:
    from sqlite3 import Connection

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

_ALL = f"SELECT {columns(Lease)} FROM leases"  # noqa: S608 - names of our own fields
_FIND = f"{_ALL} WHERE key = ?"
_ADD = adding("leases", "key", "owner", "host", "place", "pid", "started", "job_id", "since", "beats")
_LET_GO = "DELETE FROM leases WHERE fence = ? AND owner = ?"


def take(
    connection: Connection, key: str, job_id: str, owner: Owner, now: float, over: Lease | None = None
) -> Lease | Held:
    """The lease of a key for `owner`. `over` is another's that may be taken over, if it still stands as it was seen."""
    found = connection.execute(_FIND, (key,)).fetchone()
    if found:
        held = Lease(*found)
        as_seen = over is not None and (over.fence, over.beats) == (held.fence, held.beats)
        if held.owner != owner.token and not as_seen:
            return Held(held)
        connection.execute(_LET_GO, (held.fence, held.owner))
    row: dict[str, Any] = {
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
    fence = connection.execute(_ADD, row).lastrowid
    assert fence is not None
    return Lease(fence=fence, **row)


def let_go(connection: Connection, lease: Lease) -> bool:
    """Give a lease back; False when it was lost before."""
    return connection.execute(_LET_GO, (lease.fence, lease.owner)).rowcount == 1


def renew(connection: Connection, token: str) -> set[int]:
    """Show life for all leases of an owner; returns the fences of those that he still has."""
    connection.execute("UPDATE leases SET beats = beats + 1 WHERE owner = ?", (token,))
    return {row[0] for row in connection.execute("SELECT fence FROM leases WHERE owner = ?", (token,))}


def let_go_all(connection: Connection, *, owner: str = "", job_id: str = "") -> None:
    """Give back all leases of an owner, or all that stand for a job."""
    connection.execute("DELETE FROM leases WHERE owner = ? OR job_id = ?", (owner, job_id))


def standing(connection: Connection) -> dict[str, Lease]:
    """All leases by key. There are as many as steps at work now."""
    return {lease.key: lease for lease in (Lease(*row) for row in connection.execute(_ALL))}
