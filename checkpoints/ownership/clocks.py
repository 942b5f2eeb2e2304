"""Time that outlives a process: how long ago something was, whatever was done to the clock on the wall.

Monotonic time is the same for all processes of a machine and knows no steps, but begins anew when the machine does. The time
of day survives that, but may be set. So a moment is kept as both, with the name of the machine's start: within one start
monotonic time alone decides; across a restart the time of day does, and never to less than nothing.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Moment:
    """A moment on both clocks. `boot` is empty where the system does not name its starts."""

    boot: str
    monotonic_s: float
    wall_s: float

    def since(self, earlier: Moment) -> float:
        """Seconds from `earlier` until this moment; never negative."""
        if self.knows(earlier):
            return self.monotonic_s - earlier.monotonic_s
        return max(0.0, self.wall_s - earlier.wall_s)

    def knows(self, earlier: Moment) -> bool:
        """Whether `earlier` was on the same monotonic clock. One that lies ahead was not."""
        return self.boot == earlier.boot and self.monotonic_s >= earlier.monotonic_s


class Timeline:
    """Tells moments. Tests hand in their own clocks."""

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        boot: str | None = None,
    ) -> None:
        self._monotonic = monotonic
        self._wall = wall
        self._boot = boot_name() if boot is None else boot

    def now(self) -> Moment:
        return Moment(self._boot, self._monotonic(), self._wall())


@functools.cache
def boot_name() -> str:
    """The machine's start, and in it the monotonic clock: a container may have its own. Empty where it cannot be told."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
    try:
        return f"{boot}/{Path('/proc/self/ns/time').readlink()}"
    except OSError:
        return boot
