"""The circuits' state in the ledger's file, shared by all processes and kept over restarts.

It has connections of its own. Every guarded call looks here, so a look takes microseconds, and a commit is not waited for until
it is on the disk: in the write-ahead log it is written with `synchronous=NORMAL`, which no power cut can turn into damage. What a
power cut may lose is the last outcomes: a circuit is then asked to fail once more before it opens. Where the ledger has a
rollback journal instead, a commit without fsync could damage the file, so there it is as durable as every other.

Checkpoints of the log are left to the ledger's own connections: no call waits for one. A file that is locked is waited for
only briefly, and none is ever created here: whoever calls goes on in memory and comes back.
"""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checkpoints.ledger.database import driver
from checkpoints.ownership.clocks import Moment
from config.errors import StoreError

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half-open"

WAIT_S = 0.25


@dataclass(frozen=True)
class CircuitRow:
    """A circuit. Times but `since_wall` and `failed_wall` are monotonic, and belong to `boot`.

    `generation` counts the changes of state: an outcome counts only in the one in which its call was admitted. `since` is when
    the present state began. `failures` is what opened it, with the failed
    tests; `window_s` and `break_s` are what held when it was last written. `probe` is the running test's token, which holds until
    `probe_until`; `successes` are those of the tests of this half-open circuit so far.
    """

    name: str
    state: str = CLOSED
    generation: int = 0
    boot: str = ""
    since: float = 0.0
    since_wall: float = 0.0
    window_s: float = 0.0
    break_s: float = 0.0
    failures: int = 0
    successes: int = 0
    failed_at: float | None = None
    failed_wall: float | None = None
    probe: str = ""
    probe_until: float = 0.0
    probe_place: str = ""
    probe_pid: int = 0
    probe_started: str = ""

    def break_left_s(self, now: Moment) -> float:
        """What is left of an open circuit's break, for a row on the clock of `now`; 0 in the other states."""
        return max(0.0, self.since + self.break_s - now.monotonic_s) if self.state == OPEN else 0.0

    def anchored(self, now: Moment) -> CircuitRow:
        """This row on the monotonic clock of `now`. A test that ran when the machine went down runs no more."""
        if now.knows(Moment(self.boot, self.since, self.since_wall)):
            return self
        failed_at = self.failed_at
        if failed_at is not None:
            failed_at = now.monotonic_s - max(0.0, now.wall_s - (self.failed_wall or 0.0))
        since = now.monotonic_s - max(0.0, now.wall_s - self.since_wall)
        return dataclasses.replace(self, boot=now.boot, since=since, failed_at=failed_at, probe="", probe_until=0.0)


@dataclass(frozen=True)
class CallOutcomes:
    """Calls that ended at about the same time, while the circuit was closed."""

    at: float
    failures: int
    successes: int


@dataclass(frozen=True)
class Glimpse:
    """As much of a circuit as every call needs."""

    state: str
    generation: int
    boot: str
    since: float


_COLUMNS = tuple(field.name for field in dataclasses.fields(CircuitRow))
_GLIMPSE = "SELECT state, generation, boot, since FROM circuits WHERE name = ?"
_FIND = f"SELECT {', '.join(_COLUMNS)} FROM circuits WHERE name = ?"  # noqa: S608 - names of our own fields
_ALL = f"SELECT {', '.join(_COLUMNS)} FROM circuits ORDER BY name"  # noqa: S608
_PUT = f"INSERT OR REPLACE INTO circuits ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608
_COUNTING = "FROM outcomes WHERE circuit = ? AND generation = ? AND boot = ? AND at > ?"
_OUTCOMES = f"SELECT at, failures, successes {_COUNTING} ORDER BY at"
_COUNT = f"SELECT COALESCE(SUM(failures), 0) {_COUNTING}"
_ADD = "INSERT INTO outcomes (circuit, generation, boot, at, failures, successes) VALUES (?, ?, ?, ?, ?, ?)"
_FORGET = "DELETE FROM outcomes WHERE circuit = ? AND (generation <> ? OR boot <> ? OR at <= ?)"


class Turn:
    """One process's turn at one circuit: what it reads stays true until its turn is over."""

    def __init__(self, connection: Any, name: str) -> None:
        self._connection = connection
        self._name = name

    def row(self) -> CircuitRow | None:
        found = self._connection.execute(_FIND, (self._name,)).fetchone()
        return CircuitRow(*found) if found else None

    def outcomes(self, row: CircuitRow, after: float) -> list[CallOutcomes]:
        """Those of the row's generation, from `after` on; what was before a restart of the machine counts no more."""
        wanted = (self._name, row.generation, row.boot, after)
        return [CallOutcomes(*found) for found in self._connection.execute(_OUTCOMES, wanted)]

    def put(self, row: CircuitRow, added: Sequence[CallOutcomes], keep_after: float) -> None:
        """Write the row, and the outcomes that are new; those that cannot count any more are removed."""
        self._connection.execute(_PUT, tuple(getattr(row, name) for name in _COLUMNS))
        self._connection.execute(_FORGET, (self._name, row.generation, row.boot, keep_after))
        for item in added:
            self._connection.execute(
                _ADD, (self._name, row.generation, row.boot, item.at, item.failures, item.successes)
            )


class Circuits:
    """The circuits of one ledger. Safe to share between threads. Raises StoreError when it cannot be used now."""

    def __init__(self, path: Path, wait_s: float = WAIT_S) -> None:
        self.path = path
        self._wait_s = wait_s
        self._module = driver()
        self._reading = threading.Lock()
        self._writing = threading.Lock()
        self._reader: Any = None
        self._writer: Any = None

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        with self._writing, self._reading:
            for connection in (self._reader, self._writer):
                if connection is not None:
                    with contextlib.suppress(self._module.Error):
                        connection.close()
            self._reader = self._writer = None

    def glimpse(self, name: str) -> Glimpse | None:
        """What every call looks at."""
        with self._mapping_errors(), self._reading:
            if self._reader is None:
                self._reader = self._open()
            found = self._reader.execute(_GLIMPSE, (name,)).fetchone()
        return Glimpse(*found) if found else None

    @contextlib.contextmanager
    def turn(self, name: str) -> Iterator[Turn]:
        """Alone with a circuit, among all processes; committed at the end, unless the block raises."""
        with self._mapping_errors(), self._writing:
            if self._writer is None:
                self._writer = self._open()
            connection = self._writer
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield Turn(connection, name)
                connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(self._module.Error):
                    connection.execute("ROLLBACK")
                raise

    def all(self, now: Moment) -> list[CircuitRow]:
        """Every circuit, on the clock of `now`; the failures of a closed one are those within its window."""
        with self._mapping_errors(), self._reading:
            if self._reader is None:
                self._reader = self._open()
            rows = [CircuitRow(*found).anchored(now) for found in self._reader.execute(_ALL).fetchall()]
            return [self._counted(row, now) if row.state == CLOSED else row for row in rows]

    def reset(self, name: str, now: Moment) -> CircuitRow | None:
        """Close a circuit, whatever it was; the row as it was before, or None when there is no such circuit."""
        with self.turn(name) as turn:
            row = turn.row()
            if row is None:
                return None
            turn.put(
                CircuitRow(
                    name=name,
                    generation=row.generation + 1,
                    boot=now.boot,
                    since=now.monotonic_s,
                    since_wall=now.wall_s,
                    window_s=row.window_s,
                    break_s=row.break_s,
                    failed_at=row.anchored(now).failed_at,
                    failed_wall=row.failed_wall,
                ),
                (),
                keep_after=now.monotonic_s,
            )
        return row

    def _counted(self, row: CircuitRow, now: Moment) -> CircuitRow:
        wanted = (row.name, row.generation, row.boot, now.monotonic_s - row.window_s)
        count = self._reader.execute(_COUNT, wanted).fetchone()[0]
        return dataclasses.replace(row, failures=count)

    def _open(self) -> Any:
        address = f"{self.path.absolute().as_uri()}?mode=rw"
        connection = self._module.connect(
            address, uri=True, timeout=self._wait_s, isolation_level=None, check_same_thread=False
        )
        try:
            journal = connection.execute("PRAGMA journal_mode").fetchone()[0]
            is_wal = str(journal).lower() == "wal"
            connection.execute(f"PRAGMA synchronous={'NORMAL' if is_wal else 'FULL'}")
            if is_wal:
                connection.execute("PRAGMA wal_autocheckpoint=0")
        except BaseException:
            connection.close()
            raise
        return connection

    @contextlib.contextmanager
    def _mapping_errors(self) -> Iterator[None]:
        try:
            yield
        except (self._module.Error, OSError) as error:
            if "locked" not in str(error):
                # A file that was damaged or moved away may have been replaced since.
                self.close()
            raise StoreError(
                f"The circuits in the ledger {self.path} cannot be used: {error}", hint="framekeep doctor"
            ) from error
