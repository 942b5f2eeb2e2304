"""Limits of time without a thread for each: one thread watches them all, and starts another only for one that runs out.

A thread for each call would cost more than everything else that guards it.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable


class Alarm:
    """A limit that was set. `cancel` takes it back; one that runs out at the same moment may still ring."""

    __slots__ = ("_ring",)

    def __init__(self, ring: Callable[[], object]) -> None:
        self._ring: Callable[[], object] | None = ring

    @property
    def is_set(self) -> bool:
        return self._ring is not None

    def cancel(self) -> None:
        self._ring = None

    def ring(self) -> None:
        ring, self._ring = self._ring, None
        if ring:
            # It may kill a child or close a socket: the other alarms do not wait for that.
            threading.Thread(target=ring, name="framekeep-alarm", daemon=True).start()


class Alarms:
    """All limits of a process. The thread is started with the first one, and never ends: it is a daemon."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, Alarm]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition(threading.Lock())
        self._thread: threading.Thread | None = None
        self._compact_at = 64

    def after(self, seconds: float, ring: Callable[[], object]) -> Alarm:
        """Call `ring` on a thread of its own when the time is up, unless the alarm is cancelled before."""
        alarm, at = Alarm(ring), time.monotonic() + max(0.0, seconds)
        with self._changed:
            is_next = not self._waiting or at < self._waiting[0][0]
            heapq.heappush(self._waiting, (at, next(self._numbers), alarm))
            if len(self._waiting) > self._compact_at:
                self._compact()
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._watch, name="framekeep-alarms", daemon=True)
                self._thread.start()
            elif is_next:
                self._changed.notify()
        return alarm

    def _compact(self) -> None:
        """Cancelled alarms stay until their time or until there are too many: taking one out at once would cost each call."""
        self._waiting = [entry for entry in self._waiting if entry[2].is_set]
        heapq.heapify(self._waiting)
        self._compact_at = 64 + 2 * len(self._waiting)

    def _watch(self) -> None:
        with self._changed:
            while True:
                left_s = self._waiting[0][0] - time.monotonic() if self._waiting else None
                if left_s is None or left_s > 0:
                    # Python cannot wait longer than this at once.
                    self._changed.wait(None if left_s is None else min(left_s, threading.TIMEOUT_MAX))
                else:
                    heapq.heappop(self._waiting)[2].ring()


ALARMS = Alarms()
