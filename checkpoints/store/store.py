"""The artifact store: files named by their SHA-256, published whole or not at all, verified before they are used again.

store/objects/ab/ab12…      an artifact's bytes, read-only; its modification time says when it was last used, to half an hour
store/records/cd/cd34….json the record of the step with key cd34…, with a checksum of its own
store/tmp/<pid>-…/          scratch folders of running steps, each beside the lock of its owner
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import stat
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import ValidationError

from checkpoints.crash_points import around
from checkpoints.files import (
    make_folder,
    mapping_errors,
    replace_durably,
    write_atomically,
)
from checkpoints.keys import canonical_json, file_digest
from checkpoints.records import Artifact, Record

# An artifact's modification time may say that it was last used this much earlier than it was. The clean-up allows for it.
TOUCH_EVERY_S = 1800

_Stamp = tuple[int, int, int]


class Store:
    """Artifacts and records below one folder. Every method is safe to call from several threads and processes."""

    def __init__(self, root: Path, wall: Callable[[], float] = time.time) -> None:
        self.root = root
        self._wall = wall
        self._objects = root / "objects"
        self._records = root / "records"
        self._tmp = root / "tmp"
        self._verified: dict[str, _Stamp] = {}

    # Artifacts

    def path(self, digest: str) -> Path:
        """Where the artifact stands if it is there."""
        return self._objects / digest[:2] / digest

    def publish(self, source: Path) -> Artifact:
        """Move a finished file into the store and return its name. `source` must be on the store's filesystem.

        Raises DiskFullError or StoreError, and leaves `source` where it was.
        """
        with mapping_errors(source):
            digest, size = file_digest(source)
        artifact = Artifact(digest=digest, size=size)
        target = self.path(digest)
        with mapping_errors(target):
            if self.verify(artifact):
                with around("artifact.drop_equal"):
                    source.unlink()
                return artifact
            make_folder(target.parent)
            # Nobody may write an artifact; who may read it is for the user's umask to say.
            source.chmod(stat.S_IMODE(source.stat().st_mode) & ~0o222)
            replace_durably(source, target, "artifact")
            self._verified[digest] = _stamp(target)
        return artifact

    def verify(self, artifact: Artifact) -> bool:
        """Whether the artifact is there with exactly its size and hash. Hashes once per unchanged file and process.

        To verify is to use: the clean-up leaves what was verified within half an hour.
        """
        path = self.path(artifact.digest)
        try:
            stamp = _stamp(path)
            if stamp[0] != artifact.size:
                return False
            if self._verified.get(artifact.digest) != stamp and file_digest(path)[0] != artifact.digest:
                return False
            self._verified[artifact.digest] = self._touch(path, stamp)
        except OSError:
            return False
        return True

    def _touch(self, path: Path, stamp: _Stamp) -> _Stamp:
        now = self._wall()
        if now - stamp[1] / 1e9 < TOUCH_EVERY_S:
            return stamp
        try:
            os.utime(path, (now, now))
        except FileNotFoundError:
            raise
        except OSError:
            # Another user's store, or a read-only one: good to read from, and not ours to clean up.
            return stamp
        return _stamp(path)

    def discard(self, digest: str) -> None:
        """Remove an artifact that is damaged or no longer needed."""
        self._verified.pop(digest, None)
        with mapping_errors(self.path(digest)):
            self.path(digest).unlink(missing_ok=True)

    def discard_damaged(self, artifact: Artifact) -> None:
        """Remove what stands in an artifact's place, unless that is sound by now: another run may have made it again."""
        path = self.path(artifact.digest)
        with mapping_errors(path), contextlib.suppress(FileNotFoundError):
            seen = _stamp(path)
            if not self.verify(artifact) and _stamp(path) == seen:
                self._verified.pop(artifact.digest, None)
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()

    def discard_unused(self, digest: str, since: float) -> int:
        """Remove an artifact unless it was used after the Unix time `since`; returns the bytes that it held."""
        path = self.path(digest)
        with mapping_errors(path):
            try:
                found = path.stat()
                if found.st_mtime > since:
                    return 0
                path.unlink()
            except FileNotFoundError:
                return 0
        self._verified.pop(digest, None)
        return found.st_size

    # Records

    def put_record(self, record: Record) -> None:
        """Write a step's record beside its artifacts, so that the ledger can be rebuilt from the store."""
        body = record.model_dump(mode="json")
        checksum = hashlib.sha256(canonical_json(body).encode()).hexdigest()
        document = canonical_json({"record": body, "sha256": checksum})
        with self.scratch() as folder:
            write_atomically(self._record_path(record.key), document.encode(), folder, "record")

    def get_record(self, key: str) -> Record | None:
        """The record of a key; None when there is none, or when it is torn, altered or another key's."""
        return _read_record(self._record_path(key))

    def records(self) -> Iterator[Record]:
        """Every readable record, in the order of the keys."""
        for path in sorted(self._records.glob("*/*.json")):
            if record := _read_record(path):
                yield record

    def unreadable_records(self) -> list[str]:
        """Keys of records that are torn or altered."""
        return [path.stem for path in sorted(self._records.glob("*/*.json")) if _read_record(path) is None]

    def written_at(self, key: str) -> float:
        """The Unix time at which a record was written; now when there is none."""
        try:
            return self._record_path(key).stat().st_mtime
        except OSError:
            return self._wall()

    def forget(self, key: str, only: Record | None = None) -> None:
        """Remove a record; with `only`, unless it is another by now. Raises StoreError."""
        path = self._record_path(key)
        if only and _read_record(path) not in (None, only):
            return
        with mapping_errors(path):
            path.unlink(missing_ok=True)

    def _record_path(self, key: str) -> Path:
        return self._records / key[:2] / f"{key}.json"

    # Space

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder of one step's own on the store's filesystem, removed at the end."""
        folder = self._tmp / f"{os.getpid()}-{uuid.uuid4().hex}"
        # A kernel lock says that the owner lives. A process number does not: containers that share a home share numbers.
        lock = FileLock(_lock_of(folder))
        with mapping_errors(folder):
            self._tmp.mkdir(parents=True, exist_ok=True)
            with around("scratch.lock"):
                lock.acquire(timeout=0)
        try:
            with mapping_errors(folder), around("scratch.make"):
                folder.mkdir()
            yield folder
        finally:
            with around("scratch.remove"):
                shutil.rmtree(folder, ignore_errors=True)
            with contextlib.suppress(OSError), around("scratch.unlock"):
                _lock_of(folder).unlink(missing_ok=True)
            lock.release()

    def sweep(self) -> int:
        """Remove scratch folders whose owner is gone, and with them all its temporary files; returns how many."""
        removed = sum(_remove_if_dead(folder) for folder in self._tmp.glob("*-*") if folder.is_dir())
        for lock in self._tmp.glob("*.lock"):
            # Its owner was killed before it had a folder, or in the act of leaving.
            if not lock.with_suffix("").exists() and not _runs(lock.name.partition("-")[0]):
                _remove_if_dead(lock.with_suffix(""))
        return removed

    def artifacts(self) -> Iterator[tuple[str, int, float]]:
        """Digest, size in bytes and Unix time of the last use (to half an hour) of every artifact that stands in the store."""
        for path in self._objects.glob("*/*"):
            with contextlib.suppress(FileNotFoundError):
                found = path.stat()
                yield path.name, found.st_size, found.st_mtime

    def free_bytes(self) -> int:
        """Space left on the store's filesystem. Raises StoreError."""
        with mapping_errors(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            return shutil.disk_usage(self.root).free

    def prepare(self) -> None:
        """Make the folders. Raises StoreError where that is impossible."""
        for folder in (self._objects, self._records, self._tmp):
            with mapping_errors(folder):
                make_folder(folder)


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def _remove_if_dead(folder: Path) -> bool:
    lock = FileLock(_lock_of(folder))
    try:
        lock.acquire(timeout=0)
    except (Timeout, OSError):
        return False
    try:
        dead = folder.exists()
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            _lock_of(folder).unlink(missing_ok=True)
    finally:
        lock.release()
    return dead


def _runs(number: str) -> bool:
    """Whether a process of that number runs here; of what has no number, that is assumed."""
    import psutil

    return not number.isdigit() or psutil.pid_exists(int(number))


def _stamp(path: Path) -> _Stamp:
    """Size, modification time and inode: what must be unchanged for a hash of this process to still hold."""
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ino


def _read_record(path: Path) -> Record | None:
    try:
        document = json.loads(path.read_bytes())
        body = document["record"]
        if hashlib.sha256(canonical_json(body).encode()).hexdigest() != document["sha256"]:
            return None
        record = Record.model_validate(body)
    except (OSError, ValueError, KeyError, TypeError, ValidationError):
        return None
    return record if record.key == path.stem else None
