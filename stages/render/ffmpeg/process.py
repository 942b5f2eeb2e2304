"""Running ffmpeg: found once, started in a group of its own, watched, and never left behind.

A zero exit code proves little (a graceful stop leaves a short, valid file), so whoever runs it also checks the result.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from checkpoints.digests import INSTALLED
from checkpoints.files import mapping_errors
from config.errors import (
    OutOfMemoryError,
    TimedOutError,
    UnavailableError,
)
from stages.base import CancelToken
from stages.render.ffmpeg.child import start
from stages.render.ffmpeg.ffmpeg_errors import error_for
from stages.render.ffmpeg.kernel_kills import oom_kills

_PROGRESS = re.compile(rb"^(frame|out_time_us|total_size)=\s*(\d+)")
_GRACE_S = 5.0
_LOG_BYTES = 1 << 16
_WATCH_S = 0.25


@dataclass(frozen=True)
class FfmpegRun:
    """How one ffmpeg run is supervised. `stall_timeout_s` is the longest time without any progress; 0 is no limit."""

    what: str
    scratch: Path
    cancel: CancelToken
    stall_timeout_s: float = 60.0
    on_frame: Callable[[int], None] = lambda frame: None


@functools.cache
def ffmpeg_path() -> Path:
    """`FRAMEKEEP_FFMPEG`, else the binary that the imageio-ffmpeg wheel carries. Raises UnavailableError."""
    if named := os.environ.get("FRAMEKEEP_FFMPEG"):
        if not os.access(named, os.X_OK):
            raise UnavailableError(
                f"FRAMEKEEP_FFMPEG names {named}, which is no program that can be run",
                provider="ffmpeg",
                hint="correct it, or unset it to use the packaged ffmpeg",
            )
        return Path(named).absolute()
    import imageio_ffmpeg

    # Its own search tries the file first, and takes another ffmpeg of this machine when that trial is killed or runs out of
    # memory: another binary in the middle of a job, with other bytes.
    packaged = sorted((Path(imageio_ffmpeg.__file__).parent / "binaries").glob("ffmpeg-*"))
    if packaged and "IMAGEIO_FFMPEG_EXE" not in os.environ:
        return packaged[-1]
    try:
        return Path(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise UnavailableError(
            f"No ffmpeg was found: {error}", provider="ffmpeg", hint="pip install imageio-ffmpeg"
        ) from error


@functools.cache
def ffmpeg_identity() -> str:
    """SHA-256 of the binary: another build may make other bytes."""
    return INSTALLED.of(ffmpeg_path())


def run_ffmpeg(arguments: Sequence[str], run: FfmpegRun, feed: Callable[[IO[bytes]], None] | None = None) -> str:
    """Run ffmpeg with `arguments` (without the program's name) and return what it wrote to stderr.

    `feed` writes the input to its stdin, on the calling thread. Raises CancelledError, TimedOutError (stalled),
    DiskFullError, OutOfMemoryError, RejectedError (arguments or data it will never take) or TransientError.
    """
    run.cancel.check()
    log = run.scratch / f"ffmpeg-{threading.get_ident()}-{time.monotonic_ns()}.log"
    command = [str(ffmpeg_path()), "-nostdin", "-hide_banner", "-nostats", "-progress", "pipe:1", "-y", *arguments]
    kills_before = oom_kills()
    with mapping_errors(log):
        stderr = _with_room(log)
    try:
        with stderr, _Supervisor(start(command, stderr, run.what, feed is not None), run) as supervisor:
            broken = supervisor.feed(feed) if feed else False
            code = supervisor.wait()
        text = log.read_text(errors="replace").rstrip("\0")
    finally:
        log.unlink(missing_ok=True)
    run.cancel.check()
    if supervisor.stalled:
        raise TimedOutError(
            f"ffmpeg made no progress for {run.stall_timeout_s:g} s at {run.what} and was stopped",
            provider="ffmpeg",
            hint="framekeep resume; a longer limit: Rendering.StallTimeout",
        )
    if code != 0 or broken:
        killed = code == -signal.SIGKILL if os.name == "posix" else False
        raise error_for(code, text, run.what, killed and oom_kills() > kills_before)
    return text


class _Supervisor:
    """Follows a child's progress and ends it when it stalls or the run is cancelled."""

    def __init__(self, child: subprocess.Popen[bytes], run: FfmpegRun) -> None:
        self._child = child
        self._run = run
        self._last = time.monotonic()
        self._ended = threading.Event()
        self._reader = threading.Thread(target=self._read, name="ffmpeg-progress", daemon=True)
        self._watch = threading.Thread(target=self._watch_stall, name="ffmpeg-watch", daemon=True)
        self.stalled = False

    def __enter__(self) -> _Supervisor:
        self._forget = self._run.cancel.on_cancel(self._kill)
        try:
            self._reader.start()
            if self._run.stall_timeout_s:
                self._watch.start()
        except RuntimeError as error:
            # A child without its threads would be watched by nobody, and left behind.
            self._forget()
            self._kill()
            self._child.communicate()
            raise OutOfMemoryError(
                f"No thread could be started for {self._run.what}: {error}",
                hint="close other programs, then: framekeep resume",
            ) from error
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._forget()
        self._kill()
        self._child.wait()
        if self._child.stdin:
            with contextlib.suppress(OSError):
                self._child.stdin.close()
        # Its last lines are still to be read; closing the pipe under the reader would break it.
        self._reader.join(_GRACE_S)
        if self._child.stdout and not self._reader.is_alive():
            self._child.stdout.close()

    def feed(self, write: Callable[[IO[bytes]], None]) -> bool:
        """Let `write` fill the child's stdin; whether the child closed it early."""
        assert self._child.stdin
        try:
            write(self._child.stdin)
            self._child.stdin.close()
        except OSError as error:
            # Windows calls a pipe without a reader an invalid argument.
            if error.errno not in (errno.EPIPE, errno.EINVAL):
                raise
            return True
        return False

    def wait(self) -> int:
        """The child's exit code, once it has one."""
        return self._child.wait()

    def _read(self) -> None:
        assert self._child.stdout
        reached: dict[bytes, int] = {}
        for line in self._child.stdout:
            match = _PROGRESS.match(line)
            # An ffmpeg that is stuck goes on to report, always the same.
            if match and int(match[2]) > reached.get(match[1], -1):
                reached[match[1]] = int(match[2])
                self._last = time.monotonic()
                if match[1] == b"frame":
                    self._run.on_frame(int(match[2]))

    def _watch_stall(self) -> None:
        while not self._ended.wait(_WATCH_S):
            if time.monotonic() - self._last > self._run.stall_timeout_s:
                self.stalled = True
                self._kill()
                return

    def _kill(self) -> None:
        if self._child.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.name == "posix":
                os.killpg(self._child.pid, signal.SIGKILL)
            else:
                self._child.kill()


def _with_room(log: Path) -> IO[bytes]:
    """A file for what ffmpeg says, with its space taken already: on a disk that fills up, a result said there would be lost."""
    file = log.open("wb", buffering=0)
    try:
        if file.write(bytes(_LOG_BYTES)) != _LOG_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(log))
        file.seek(0)
    except BaseException:
        file.close()
        log.unlink(missing_ok=True)
        raise
    return file
