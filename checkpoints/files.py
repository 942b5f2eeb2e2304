"""Writing files so that a crash leaves the old one or the new one, never half of either."""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import os
import shutil
import socket
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from checkpoints.crash_points import around
from config.errors import DiskFullError, FramekeepError, StoreError, UsageError

# No write of one file takes longer, so a temporary file of this age has no owner.
STALE_S = 3600

# Tells this machine's temporary files in a shared folder from another's.
_OWNER = hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]

# Names of temporary files that threads of this process write now.
_being_written: set[str] = set()

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def sync_file(path: Path) -> None:
    """Flush a file's bytes to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(path: Path) -> None:
    """Flush a folder's entries to the disk; without it a rename may be lost. Windows has no such call."""
    if os.name == "nt":
        return
    try:
        sync_file(path)
    except OSError as error:
        # Some network and FUSE filesystems refuse to sync a folder; their renames are as durable as they get.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise


def make_folder(path: Path) -> None:
    """Make a folder that survives a power cut: the entry of each new one is synced in its parent."""
    if path.is_dir():
        return
    make_folder(path.parent)
    with around("folder.make"):
        path.mkdir(exist_ok=True)
    with around("folder.sync"):
        sync_folder(path.parent)


def mapped(error: OSError, path: Path) -> FramekeepError:
    """The error of ours for an operating system's error on `path`."""
    if error.errno in _FULL:
        return DiskFullError(
            f"No space left while writing {path}", hint="free some space, then: framekeep resume --all"
        )
    hint = "framekeep doctor"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        hint += "; or choose a place that this user may write to (--home, --out)"
    return StoreError(f"Cannot use {path}: {error.strerror or error}", hint=hint)


@contextlib.contextmanager
def mapping_errors(path: Path) -> Iterator[None]:
    """Turn OSErrors inside into ours."""
    try:
        yield
    except OSError as error:
        raise mapped(error, path) from error


def replace_durably(source: Path, target: Path, what: str) -> None:
    """Move a finished file into place: synced before it appears, its folder synced after. Same filesystem only.

    `what` names the crash points around each of the three.
    """
    with around(f"{what}.sync"):
        sync_file(source)
    with around(f"{what}.replace"):
        source.replace(target)
    with around(f"{what}.sync_folder"):
        sync_folder(target.parent)


def remove_stale_parts(folder: Path, pattern: str, now: float) -> int:
    """Remove temporary files that a killed process left; returns how many. Young ones are somebody's work."""
    removed = 0
    for part in folder.glob(f"{pattern}.part"):
        with contextlib.suppress(OSError):
            known = _is_orphan(part)
            if known if known is not None else part.stat().st_mtime < now - STALE_S:
                part.unlink()
                removed += 1
    return removed


def _is_orphan(part: Path) -> bool | None:
    """Whether the process of this machine that was writing it is gone; None for another machine's. The clock has no say."""
    owner, _, rest = part.name.removesuffix(".part").rpartition(".")[2].partition("-")
    pid = rest.partition("-")[0]
    if owner != _OWNER or not pid.isdigit():
        return None
    if int(pid) == os.getpid():
        # Ours, or that of a process which had our number before us: in a container all have the same.
        return part.name not in _being_written
    import psutil

    return not psutil.pid_exists(int(pid))


def write_atomically(target: Path, data: bytes, scratch: Path, what: str = "file") -> None:
    """Write a whole small file, or leave what was there. `scratch` is a folder on the same filesystem, whose owner clears it.

    Raises DiskFullError or StoreError.
    """
    with mapping_errors(target):
        make_folder(target.parent)
        temporary = scratch / f"{uuid.uuid4().hex}.part"
        with around(f"{what}.write"):
            temporary.write_bytes(data)
        replace_durably(temporary, target, what)


def copy_atomically(source: Path, target: Path, what: str = "copy") -> None:
    """Copy a file to where it is wanted, complete or not at all. Raises DiskFullError or StoreError."""
    with mapping_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        remove_stale_parts(target.parent, f".{glob.escape(target.name)}.*", time.time())
        temporary = target.with_name(f".{target.name}.{_OWNER}-{os.getpid()}-{uuid.uuid4().hex}.part")
        _being_written.add(temporary.name)
        try:
            with around(f"{what}.copy"):
                shutil.copyfile(source, temporary)
            replace_durably(temporary, target, what)
        finally:
            temporary.unlink(missing_ok=True)
            _being_written.discard(temporary.name)


def copy_into(source: Path, folder: Path) -> Path:
    """Copy a user's file into a scratch folder, under its own name, by which errors call it.

    Raises UsageError when it cannot be read, DiskFullError or StoreError.
    """
    target = folder / "copied" / source.name
    try:
        reader = source.open("rb")
    except OSError as error:
        raise UsageError(
            f"Cannot read {source}: {error.strerror or error}", hint="put the file back, then: framekeep resume"
        ) from error
    with reader, mapping_errors(target):
        target.parent.mkdir(exist_ok=True)
        with target.open("wb") as writer:
            shutil.copyfileobj(reader, writer, 1 << 20)
    return target
