"""Whether the kernel killed something for want of memory: the cgroup's counter tells that from any other SIGKILL."""

from __future__ import annotations

import contextlib
from pathlib import Path

_OWN = Path("/proc/self/cgroup")
_ROOT = Path("/sys/fs/cgroup")


def oom_kills() -> int:
    """Out-of-memory kills so far in this process's control group; 0 where that cannot be told."""
    with contextlib.suppress(OSError, ValueError):
        for line in _OWN.read_text().splitlines():
            number, controllers, path = line.split(":", 2)
            if number == "0":
                folder, name = _ROOT / path.lstrip("/"), "memory.events"
            elif "memory" in controllers.split(","):
                folder, name = _ROOT / "memory" / path.lstrip("/"), "memory.oom_control"
            else:
                continue
            if found := _counter(folder / name) or _counter(_ROOT / name):
                return found
    return 0


def _counter(path: Path) -> int:
    with contextlib.suppress(OSError, ValueError):
        for line in path.read_text().splitlines():
            key, _, value = line.partition(" ")
            if key == "oom_kill":
                return int(value)
    return 0
