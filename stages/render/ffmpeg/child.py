"""Starting ffmpeg: in a group of its own, bound to end with this process, and the first to go where memory runs out.

The process that starts it is large, and a copy of all its page tables for a child that wants none of them would cost more than
ffmpeg's own start; so nothing of ours runs in the child before it becomes ffmpeg.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from config.errors import OutOfMemoryError, TransientError

if sys.platform == "linux":
    import fcntl

_PIPE_BYTES = 1 << 20
# Of 1000: more than any difference in size between the run and its encoder.
_FIRST_TO_GO = "800"
# Linux's prctl.h.
_PR_SET_PDEATHSIG, _PR_SET_THP_DISABLE, _PR_GET_THP_DISABLE = 1, 41, 42
_ONE_AT_A_TIME = threading.Lock()


def start(command: Sequence[str], stderr: IO[bytes], what: str, piped: bool) -> subprocess.Popen[bytes]:
    """Start a program. `piped` gives it a pipe to read from.

    A group of its own keeps a terminal's Ctrl-C away from it: the run decides how it ends. Raises OutOfMemoryError or
    TransientError, which name `what`.
    """
    bound = _bound() if _is_program(command[0]) else ()
    try:
        with _small_pages():
            child = subprocess.Popen(  # type: ignore[call-overload]
                [*bound, *command],
                stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                **_options(is_bound=bool(bound)),
            )
    except OSError as error:
        if error.errno == errno.ENOMEM:
            raise OutOfMemoryError(
                f"No memory to start ffmpeg for {what}", hint="close other programs, then: framekeep resume"
            ) from error
        raise TransientError(
            f"ffmpeg could not be started for {what}: {error.strerror or error}",
            provider="ffmpeg",
            hint="framekeep doctor",
            kind="ServiceUnavailable",
        ) from error
    if sys.platform == "linux":
        # The run that is left makes the picture smaller.
        with contextlib.suppress(OSError):
            Path(f"/proc/{child.pid}/oom_score_adj").write_text(_FIRST_TO_GO)
        if child.stdin:
            # Raw frames are far larger than the usual 64 KB, and every refill is a switch of tasks. It may be forbidden.
            with contextlib.suppress(OSError):
                fcntl.fcntl(child.stdin, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    return child  # type: ignore[no-any-return]


def _options(*, is_bound: bool) -> dict[str, object]:
    options: dict[str, object] = {"process_group": 0} if os.name == "posix" else {}
    if sys.platform == "linux" and not is_bound:
        options["preexec_fn"] = _die_with_parent(os.getpid())
    return options


@functools.cache
def _bound() -> tuple[str, ...]:
    """A command before the command, that has the kernel kill it when its parent dies, however that dies; () where there is none.

    If the parent dies before that is said, an encoder still ends: there is nobody to feed it.
    """
    found = shutil.which("setpriv") if sys.platform == "linux" else None
    if not found:
        return ()
    prefix = (found, "--pdeathsig", "KILL", "--")
    try:
        tried = subprocess.run([*prefix, found, "--version"], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.SubprocessError):
        return ()
    return () if tried.returncode else prefix


def _is_program(name: str) -> bool:
    """Whether a file looks like what the system can run. Anything else a command before it would hand to a shell."""
    try:
        with Path(name).open("rb") as file:
            return file.read(4).startswith((b"\x7fELF", b"#!"))
    except OSError:
        return False


@contextlib.contextmanager
def _small_pages() -> Iterator[None]:
    """Children started in here take their memory by small pages: large ones round each of an encoder's frames up, and save no
    time.
    """
    if sys.platform != "linux":
        yield
        return
    prctl = _prctl()
    with _ONE_AT_A_TIME:
        before = prctl(_PR_GET_THP_DISABLE, 0, 0, 0, 0)
        prctl(_PR_SET_THP_DISABLE, 1, 0, 0, 0)
        try:
            yield
        finally:
            prctl(_PR_SET_THP_DISABLE, before == 1, 0, 0, 0)


@functools.cache
def _prctl() -> Callable[..., int]:
    return ctypes.CDLL(None, use_errno=True).prctl


def _die_with_parent(parent: int) -> Callable[[], None]:
    """What `_bound` does, for the child before it becomes ffmpeg."""
    prctl = _prctl()

    def prepare() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return prepare
