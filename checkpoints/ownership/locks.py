"""One owner for one job: a kernel lock, which the system lets go when its holder dies."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from checkpoints.crash_points import around
from checkpoints.files import mapping_errors
from config.errors import BusyError


@contextlib.contextmanager
def job_lock(folder: Path, job_id: str) -> Iterator[None]:
    """Own a job for as long as the block runs. Raises BusyError, saying who has it since when, where another does."""
    with mapping_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f"{job_id}.lock")
        note = folder / f"{job_id}.owner.json"
        try:
            # Long enough to outlast somebody who only looks whether the job is owned.
            with around("job.lock"):
                lock.acquire(timeout=0.3)
        except Timeout:
            busy = BusyError(
                f"Job {job_id} is being worked on by {_owner(note)}",
                hint=f"wait for it, or look at it with: framekeep show {job_id}",
            )
            busy.job_id = job_id
            raise busy from None
        try:
            with around("job.note"):
                note.write_text(json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": time.time()}))
        except BaseException:
            with contextlib.suppress(OSError):
                note.unlink(missing_ok=True)
            lock.release()
            raise
    try:
        yield
    finally:
        with contextlib.suppress(OSError), around("job.forget_note"):
            note.unlink(missing_ok=True)
        with around("job.unlock"):
            lock.release()


def is_locked(folder: Path, job_id: str) -> bool:
    """Whether somebody, perhaps this process, owns the job now."""
    path = folder / f"{job_id}.lock"
    if not path.exists():
        return False
    if not os.access(path, os.W_OK):
        return _is_locked_by_its_owner(path)
    with mapping_errors(path):
        try:
            with FileLock(path).acquire(timeout=0):
                return False
        except Timeout:
            return True


def _is_locked_by_its_owner(path: Path) -> bool:
    """As `is_locked`, for one who may only read the lock's file."""
    try:
        import fcntl
    except ImportError:
        # Windows: the owner's note goes when he lets go, or when the next one comes.
        return path.with_name(f"{path.stem}.owner.json").exists()
    with mapping_errors(path), path.open("rb") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def remove_lock(folder: Path, job_id: str) -> None:
    """Remove the lock file of a job that is no more. Only its owner may; whoever waits for it notices."""
    with contextlib.suppress(OSError):
        (folder / f"{job_id}.lock").unlink(missing_ok=True)


def _owner(note: Path) -> str:
    try:
        owner = json.loads(note.read_text())
        since = datetime.datetime.fromtimestamp(owner["since"]).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
        return f"process {owner['pid']} on {owner['host']} since {since}"
    except (OSError, OverflowError, ValueError, KeyError, TypeError):
        return "another process"
