"""What an ffmpeg that failed has to say, as one of our errors."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator

from config.errors import DiskFullError, FramekeepError, OutOfMemoryError, RejectedError, TransientError

# ffmpeg's own exit codes are the low byte of the negated errno or of its error tag.
_EXIT_NO_SPACE, _EXIT_INVALID, _EXIT_NO_FILE, _EXIT_BAD_DATA = 228, 234, 254, 183
_TAIL_LINES = 6
# What follows an error and says nothing of it.
_NOISE = re.compile(
    r"^(frame=|size=|Conversion failed|Stream mapping|Stream #|Press \[q\]|\[.*(Terminating thread|Task finished with error"
    r"|Error sending frames to consumers|Could not open encoder before EOF|Nothing was written into output))"
)


def error_for(code: int, log: str, what: str, out_of_memory: bool) -> FramekeepError:
    """The error of ours for an ffmpeg that failed. Older builds exit with 1 for everything, so the log counts too."""
    tail = "\n".join(_meaningful(log))
    if code == _EXIT_NO_SPACE or "No space left on device" in log or "Disk quota exceeded" in log:
        return DiskFullError(f"No space left while making {what}", hint="free some space, then: framekeep resume --all")
    if out_of_memory or "Cannot allocate memory" in log or "malloc of size" in log:
        return OutOfMemoryError(
            f"Memory ran out while making {what}", hint="close other programs, then: framekeep resume"
        )
    if code < 0:
        name = signal.Signals(-code).name if -code in signal.valid_signals() else str(-code)
        return TransientError(
            f"ffmpeg was ended by {name} at {what}",
            provider="ffmpeg",
            hint="framekeep resume",
            kind="ServiceUnavailable",
        )
    reason = tail or f"exit code {code}"
    if code in (_EXIT_INVALID, _EXIT_NO_FILE, _EXIT_BAD_DATA):
        return RejectedError(f"ffmpeg refused {what}: {reason}", provider="ffmpeg", hint="framekeep doctor")
    return TransientError(
        f"ffmpeg failed at {what}: {reason}", provider="ffmpeg", hint="framekeep doctor", kind="ServiceUnavailable"
    )


def _meaningful(log: str) -> Iterator[str]:
    lines = [line.strip() for line in log.splitlines() if line.strip() and not _NOISE.match(line.strip())]
    yield from lines[-_TAIL_LINES:]
