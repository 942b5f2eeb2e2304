"""What a command and all its children cost: CPU, time, and memory at the highest."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_POLL_S = 0.05


@dataclass(frozen=True)
class Cost:
    """Of a whole process tree. `peak_mb` is the highest sum of resident memory at one time: pages that are shared count twice.

    In `peak_pss_mb` each of those counts in parts, one for every process that has it, of this tree or not; 0 where the system
    does not tell.
    """

    cpu_s: float
    wall_s: float
    peak_mb: float
    peak_pss_mb: float = 0.0

    def ratio(self, limit: Cost) -> float:
        return self.cpu_s / limit.cpu_s if limit.cpu_s else 0.0


class Failed(RuntimeError):
    """A measured command ended with an error; the message is the end of what it said."""


def measured(
    command: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> tuple[Cost, str]:
    """Run a command to its end: what it cost, and what it printed. Raises Failed. Nothing else may end a child meanwhile."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    environ = dict(os.environ) | dict(env or {})
    child = subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ,
        cwd=cwd,
    )
    watch = _PeakWatch(child.pid)
    watch.start()
    out, errors = child.communicate()
    wall_s = time.monotonic() - started
    watch.stop()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if child.returncode:
        raise Failed(f"{Path(command[0]).name} ended with {child.returncode}: {(errors or out)[-2000:]}")
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(cpu_s, wall_s, watch.peak_bytes / 1e6, watch.peak_pss_bytes / 1e6), out


class _PeakWatch(threading.Thread):
    """Sums a process tree's resident memory twenty times a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(name="peak-watch", daemon=True)
        self._root = psutil.Process(pid)
        self._over = threading.Event()
        self.peak_bytes = self.peak_pss_bytes = 0

    def run(self) -> None:
        # What ends before the second look has had its first.
        while True:
            resident, shared_out = self._sums()
            self.peak_bytes = max(self.peak_bytes, resident)
            self.peak_pss_bytes = max(self.peak_pss_bytes, shared_out)
            if self._over.wait(_POLL_S):
                return

    def stop(self) -> None:
        self._over.set()
        self.join()

    def _sums(self) -> tuple[int, int]:
        resident = shared_out = 0
        with contextlib.suppress(psutil.Error):
            for process in [self._root, *self._root.children(recursive=True)]:
                with contextlib.suppress(psutil.Error):
                    resident += process.memory_info().rss
                    shared_out += _pss(process.pid)
        return resident, shared_out


def _pss(pid: int) -> int:
    """A process's proportional share of memory; 0 where Linux's file of it is missing, or the process has ended."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
