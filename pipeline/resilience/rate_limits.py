"""How much of a provider may be used at a time, by all processes of one home together.

Calls that begin within a period are counted by pyrate-limiter, in a file of SQLite for each provider. They are counted on
monotonic time, which all processes of a machine share and which no setting of the clock disturbs. Calls at the same time hold one
of as many lock files, which the system lets go when their holder dies.

What is in these files is worth little: they are written without waiting for the disk, and made anew when they are damaged.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from checkpoints.files import make_folder, mapping_errors
from checkpoints.ownership.clocks import Timeline
from config.errors import RestingError
from config.providers import RateLimit

if TYPE_CHECKING:
    from pyrate_limiter import SQLiteBucket

# How often a busy provider is looked at for a free place.
_LOOK_EVERY_S = 0.05


@dataclass(frozen=True)
class Patience:
    """How a call waits: `sleep` raises when the run is to stop, `left_s` is what is left of its time, None for no limit."""

    sleep: Callable[[float], None]
    left_s: Callable[[], float | None]

    def has(self, seconds: float) -> bool:
        """Whether there is that much time, and some to make the call in."""
        left = self.left_s()
        return left is None or seconds < left


Waited = Callable[[Literal["rate", "concurrency"], float], None]
# Told when a wait begins, with how long it will take; None where nobody knows.
Waiting = Callable[[Literal["rate", "concurrency"], float | None], None]


class Limits:
    """The limits of one home, kept in `folder`; without one they hold in this process. Safe to share between threads."""

    def __init__(self, folder: Path | None = None, timeline: Timeline | None = None) -> None:
        self._folder = folder
        self._timeline = timeline or Timeline()
        self._counts: dict[tuple[str, int, float], Count] = {}
        self._slots: dict[tuple[str, int], threading.BoundedSemaphore] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let go of the files; the next call opens them again."""
        with self._lock:
            for count in self._counts.values():
                count.close()
            if self._folder:
                self._counts.clear()

    @contextlib.contextmanager
    def turn(
        self, provider: str, limit: RateLimit, patience: Patience, waiting: Waiting, waited: Waited
    ) -> Iterator[None]:
        """Run the block as one call within the limits. Raises RestingError, at once, where its turn would come too late.

        `waiting` is told when a wait begins, `waited` when it has ended. Raises what `patience.sleep` raises.
        """
        with contextlib.ExitStack() as held:
            if limit.concurrency:
                self._take_place(held, provider, limit, patience, waiting, waited)
            if limit.requests:
                self._be_counted(provider, limit, patience, waiting, waited)
            yield

    def _take_place(
        self,
        held: contextlib.ExitStack,
        provider: str,
        limit: RateLimit,
        patience: Patience,
        waiting: Waiting,
        waited: Waited,
    ) -> None:
        began, is_told = self._timeline.now(), False
        while (free := self._free_place(provider, limit.concurrency)) is None:
            if not patience.has(_LOOK_EVERY_S):
                raise RestingError(
                    f"{provider}: no place was free among the {limit.concurrency} calls that RateLimit.Concurrency allows",
                    provider=provider,
                    hint=f"raise Providers.{provider}.RateLimit.Concurrency, or later: framekeep resume",
                )
            if not is_told:
                waiting("concurrency", None)
                is_told = True
            patience.sleep(_LOOK_EVERY_S)
        held.callback(free)
        if (took_s := self._timeline.now().since(began)) >= _LOOK_EVERY_S:
            waited("concurrency", took_s)

    def _free_place(self, provider: str, places: int) -> Callable[[], None] | None:
        """A place, as what gives it back; None when all are taken."""
        if self._folder is None:
            with self._lock:
                place = self._slots.setdefault((provider, places), threading.BoundedSemaphore(places))
            return place.release if place.acquire(blocking=False) else None
        from filelock import FileLock, Timeout

        with mapping_errors(self._folder):
            make_folder(self._folder)
            for number in range(1, places + 1):
                lock = FileLock(self._folder / f"{file_name(provider)}.{number}.lock", thread_local=False)
                with contextlib.suppress(Timeout):
                    lock.acquire(timeout=0)
                    return lock.release
        return None

    def _be_counted(
        self, provider: str, limit: RateLimit, patience: Patience, waiting: Waiting, waited: Waited
    ) -> None:
        count, took_s = self._count(provider, limit), 0.0
        while (wait_s := count.add()) > 0:
            if not patience.has(wait_s):
                raise RestingError(
                    f"{provider}: the {limit.requests} calls in {limit.period_s:g} s that RateLimit.Requests allows are made, "
                    f"and the next one may begin in {wait_s:.1f} s",
                    provider=provider,
                    hint=f"raise Providers.{provider}.RateLimit, or in {wait_s:.0f} s: framekeep resume",
                    retry_after_s=wait_s,
                )
            waiting("rate", wait_s)
            patience.sleep(wait_s)
            took_s += wait_s
        if took_s:
            waited("rate", took_s)

    def _count(self, provider: str, limit: RateLimit) -> Count:
        key = (provider, limit.requests, limit.period_s)
        with self._lock:
            if key not in self._counts:
                file = self._folder / f"{file_name(provider)}.db" if self._folder else None
                self._counts[key] = Count(file, limit, self._timeline)
            return self._counts[key]


class Count:
    """One provider's calls, or its retries. One process at a time looks at them, and one of its threads."""

    def __init__(self, file: Path | None, limit: RateLimit, timeline: Timeline) -> None:
        self._file = file
        self._limit = limit
        self._timeline = timeline
        self._bucket: SQLiteBucket | None = None
        self._turn = threading.Lock()

    def close(self) -> None:
        with self._turn:
            if self._file:
                self._drop()

    def _drop(self) -> None:
        if self._bucket:
            self._bucket.conn.close()
        self._bucket = None

    def add(self) -> float:
        """0 when the call is within the limit, and counted; else how many seconds it must wait."""
        import sqlite3

        from filelock import FileLock

        with self._turn:
            if self._file is None:
                return self._add()
            with mapping_errors(self._file):
                make_folder(self._file.parent)
                with FileLock(self._file.with_suffix(".lock"), thread_local=False):
                    try:
                        return self._add()
                    except sqlite3.DatabaseError:
                        self._drop()
                        self._file.unlink(missing_ok=True)
                        return self._add()

    def _add(self) -> float:
        from pyrate_limiter import RateItem

        # Here, alone: a moment taken before others had their turn would lie before theirs.
        now_ms = round(self._timeline.now().monotonic_s * 1000)

        if self._bucket is None:
            self._bucket = self._open()
        newest = self._bucket.peek(0)
        if newest and newest.timestamp > now_ms:
            # Counted before the machine started, on a clock that has begun anew since.
            self._bucket.flush()
        item = RateItem("call", now_ms)
        if self._bucket.put(item):
            self._bucket.leak(now_ms)
            return 0.0
        wait_ms = self._bucket.waiting(item)
        return max(1, wait_ms if isinstance(wait_ms, int) else 0) / 1000

    def _open(self) -> SQLiteBucket:
        import sqlite3

        from pyrate_limiter import Rate, SQLiteBucket

        connection = sqlite3.connect(str(self._file or ":memory:"), check_same_thread=False)
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("CREATE TABLE IF NOT EXISTS calls (name VARCHAR, item_timestamp INTEGER)")
        connection.execute("CREATE INDEX IF NOT EXISTS calls_by_time ON calls (item_timestamp)")
        connection.commit()
        rate = Rate(self._limit.requests, max(1, round(self._limit.period_s * 1000)))
        return SQLiteBucket([rate], connection, "calls")


def file_name(provider: str) -> str:
    """What is fit for a path, and a digest that tells apart what then looks the same."""
    bare = re.sub(r"[^a-z0-9]+", "-", provider.lower()).strip("-")[:40]
    return f"{bare}-{hashlib.sha256(provider.encode()).hexdigest()[:8]}"
