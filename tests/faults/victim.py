"""The real command with an ear at its crash points: `python victim.py PLAN ARGUMENT...`.

PLAN is a JSON object:

    folder   where the notes go: `begun` (made at the first point), `fired` (the kill's time), `points` (each point reached)
    deeds    what to do, each an object with `at` and `nth`, a point and which of its passes, and `how`:
             process | group | encoder (SIGKILL), SIGTERM, SIGINT, or `fill FOLDER BYTES`: nothing is killed, but the folder's
             filesystem has BYTES left from then on

Run from another place than a test, it does what the command does.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil

from checkpoints import crash_points


def kill(how: str) -> None:
    """Kill this process, its encoders, or both. A mere signal returns, and the run ends by itself."""
    if how in ("group", "encoder"):
        for child in psutil.Process().children(recursive=True):
            child.kill()
    if how in ("process", "group"):
        os.kill(os.getpid(), signal.SIGKILL)
    if how in ("SIGTERM", "SIGINT"):
        os.kill(os.getpid(), signal.Signals[how])


def fill(folder: Path, leave: int) -> None:
    """Somebody else's file takes all the space but `leave` bytes."""
    # Unbuffered: what does not fit would be written once more when the file is closed.
    with (folder / "ballast").open("wb", buffering=0) as file:
        block = b"\1" * 65_536
        with contextlib.suppress(OSError):
            while True:
                file.write(block)
        file.truncate(max(0, file.tell() - leave))


class Ear:
    """Counts passes, notes them, and kills at the one that the plan names."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._deeds = {(deed["at"], deed["nth"]): deed["how"] for deed in plan["deeds"]}
        self._folder = Path(plan["folder"])
        self._turn = threading.Lock()
        self._passes: Counter[str] = Counter()
        self._log = (self._folder / "points").open("a", encoding="utf-8")
        self._begun = False

    def hear(self, name: str) -> None:
        with self._turn:
            self._log.write(f"{name}\n")
            self._log.flush()
            if not self._begun:
                self._begun = True
                (self._folder / "begun").write_text(str(time.monotonic()))
            self._passes[name] += 1
            if deed := self._deeds.get((name, self._passes[name])):
                (self._folder / "fired").write_text(str(time.monotonic()))
                how, *more = deed.split()
                if how == "fill":
                    fill(Path(more[0]), int(more[1]))
                else:
                    kill(how)


if __name__ == "__main__":
    crash_points.listen(Ear(json.loads(sys.argv[1])).hear)
    from pipeline.cli.app import main

    sys.exit(main(sys.argv[2:]))
