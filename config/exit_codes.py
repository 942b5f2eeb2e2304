"""What `framekeep` returns to whoever called it."""

from __future__ import annotations

import enum


class ExitCode(enum.IntEnum):
    """A script may rely on these. 75 and 130 leave a job that `framekeep resume` finishes."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    DEGRADED = 3
    SOME_FAILED = 4
    PARKED = 75
    INTERRUPTED = 130


MEANINGS = {
    ExitCode.DONE: "done",
    ExitCode.FAILED: "failed",
    ExitCode.USAGE: "wrong use or bad input",
    ExitCode.DEGRADED: "done, but degraded: a fallback, a placeholder or a lower quality is in the result",
    ExitCode.SOME_FAILED: "some of a batch failed",
    ExitCode.PARKED: "parked: resumable, waiting for a provider or a resource; of a batch: nothing failed, some are parked",
    ExitCode.INTERRUPTED: "interrupted, resumable",
}
