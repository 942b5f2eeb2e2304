"""Providers that are left alone for a while, in the ledger's file: shared by all processes and kept over restarts.

Every guarded call looks here, so a look takes microseconds: on a connection of its own. A file that is locked is waited for only
briefly, and none is ever created here: whoever calls goes on with what it knows.
"""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checkpoints.ledger.database import driver
from checkpoints.ownership.clocks import Moment
from config.errors import StoreError

WAIT_S = 0.25


@dataclass(frozen=True)
class RestRow:
    """One provider's rest: it began at `at` on the monotonic clock of `boot`, `at_wall` by the time of day.

    `length_s` is None for one that lasts until the provider's account changes. `account` tells accounts apart without saying
    anything of them; `kind` and `message` are those of the answer after which it rests.
    """

    provider: str
    kind: str
    message: str
    account: str
    boot: str
    at: float
    at_wall: float
    length_s: float | None

    def left_s(self, now: Moment) -> float | None:
        """How much of it is left, 0 when it is over; None when no time ends it. It never lasts longer than it was told to."""
        if self.length_s is None:
            return None
        return max(0.0, self.length_s - now.since(Moment(self.boot, self.at, self.at_wall)))


_COLUMNS = tuple(field.name for field in dataclasses.fields(RestRow))
_ALL = f"SELECT {', '.join(_COLUMNS)} FROM rests ORDER BY provider"  # noqa: S608 - names of our own fields
_FIND = f"SELECT {', '.join(_COLUMNS)} FROM rests WHERE provider = ?"  # noqa: S608
_PUT = f"INSERT OR REPLACE INTO rests ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608
_END = "DELETE FROM rests WHERE provider = ? AND at = ? AND boot = ?"
_FORGET = "DELETE FROM rests WHERE provider = ?"


class RestRows:
    """The rests in one ledger. Safe to share between threads. Raises StoreError when it cannot be used now."""

    def __init__(self, path: Path, wait_s: float = WAIT_S) -> None:
        self.path = path
        self._wait_s = wait_s
        self._module = driver()
        self._turn = threading.Lock()
        self._connection: Any = None

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        with self._turn:
            self._drop()

    def find(self, provider: str) -> RestRow | None:
        with self._using() as connection:
            found = connection.execute(_FIND, (provider,)).fetchone()
        return RestRow(*found) if found else None

    def all(self) -> list[RestRow]:
        with self._using() as connection:
            return [RestRow(*found) for found in connection.execute(_ALL).fetchall()]

    def put(self, row: RestRow, now: Moment) -> None:
        """Note a rest, unless the provider has one that lasts longer."""
        with self._writing() as connection:
            found = connection.execute(_FIND, (row.provider,)).fetchone()
            if not found or not _lasts_longer(RestRow(*found), row, now):
                connection.execute(_PUT, tuple(getattr(row, name) for name in _COLUMNS))

    def end(self, row: RestRow) -> None:
        """Remove a rest that is over, if it is still the one that was seen."""
        with self._writing() as connection:
            connection.execute(_END, (row.provider, row.at, row.boot))

    def forget(self, provider: str) -> bool:
        """Remove a provider's rest, whatever it is; whether there was one."""
        with self._writing() as connection:
            return bool(connection.execute(_FORGET, (provider,)).rowcount)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Any]:
        with self._using() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(self._module.Error):
                    connection.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def _using(self) -> Iterator[Any]:
        with self._turn:
            try:
                if self._connection is None:
                    self._connection = self._open()
                yield self._connection
            except (self._module.Error, OSError) as error:
                if "locked" not in str(error):
                    # A file that was damaged or moved away may have been replaced since.
                    self._drop()
                raise StoreError(
                    f"The rests in the ledger {self.path} cannot be used: {error}", hint="framekeep doctor"
                ) from error

    def _open(self) -> Any:
        address = f"{self.path.absolute().as_uri()}?mode=rw"
        return self._module.connect(
            address, uri=True, timeout=self._wait_s, isolation_level=None, check_same_thread=False
        )

    def _drop(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(self._module.Error):
                self._connection.close()
        self._connection = None


def _lasts_longer(old: RestRow, new: RestRow, now: Moment) -> bool:
    """Whoever is told to wait by two answers at the same time heeds both. A rest of the account is the longest of all."""
    old_s, new_s = old.left_s(now), new.left_s(now)
    if new_s is None:
        return False
    return old_s is None or old_s > new_s
