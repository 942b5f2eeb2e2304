"""Who is at work: one run in one process, as other processes see it, and the proof that its process is gone."""

from __future__ import annotations

import functools
import os
import socket
import uuid
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Owner:
    """One run. `place` is where `pid` means what it means; `started` tells a process from a later one of the same number."""

    token: str
    host: str
    place: str
    pid: int
    started: str

    @classmethod
    def here(cls) -> Owner:
        """A new owner in this process."""
        pid = os.getpid()
        return cls(uuid.uuid4().hex, socket.gethostname(), place(), pid, started(pid))


def is_gone(where: str, pid: int, since: str) -> bool:
    """Whether a process is provably gone. False where that cannot be told: another machine's, or another container's."""
    return where == place() and (not since or started(pid) != since)


@functools.cache
def place() -> str:
    """The machine since it was switched on, and in it the space of process numbers: containers have their own."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        space = Path("/proc/self/ns/pid").readlink()
    except OSError:
        # Not Linux: one space of process numbers for the whole machine.
        return socket.gethostname()
    return f"{socket.gethostname()}/{boot}/{space}"


def started(pid: int) -> str:
    """When a process began, in whatever unit the system keeps; empty when there is none, or only the shell of a dead one."""
    try:
        # Clock ticks since the machine was switched on. As a time of day it would change whenever the clock is set.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else fields[19]
    except (FileNotFoundError, ProcessLookupError):
        return _started_elsewhere(pid) if not Path("/proc/self/stat").exists() else ""


def _started_elsewhere(pid: int) -> str:
    import psutil

    try:
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else str(process.create_time())
    except psutil.NoSuchProcess:
        return ""
    except psutil.Error:
        # Somebody else's, whom we may not ask.
        return "?"
