"""The artifact store: files named by their SHA-256, published whole or not at all, verified before they are used again.

    store/objects/ab/ab12…      an artifact's bytes, read-only
    store/records/cd/cd34….json the record of the step with key cd34…, with a checksum of its own
    store/tmp/<pid>-…/          scratch folders of running steps
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
from pydantic import ValidationError

from checkpoints.files import mapping_errors, replace_durably, sync_folder, write_atomically
from checkpoints.keys import canonical_json, file_digest
from checkpoints.records import Artifact, Record


class Store:
    """Artifacts and records below one folder. Every method is safe to call from several threads and processes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._objects = root / "objects"
        self._records = root / "records"
        self._tmp = root / "tmp"
        self._verified: dict[str, tuple[int, int, int]] = {}

    # Artifacts

    def path(self, digest: str) -> Path:
        """Where the artifact stands if it is there."""
        return self._objects / digest[:2] / digest

    def publish(self, source: Path) -> Artifact:
        """Move a finished file into the store and return its name. `source` must be on the store's filesystem.

        Raises DiskFullError or StoreError.
        """
        with mapping_errors(source):
            digest, size = file_digest(source)
        target = self.path(digest)
        with mapping_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            if not self.verify(Artifact(digest=digest, size=size)):
                source.chmod(0o444)
                replace_durably(source, target)
            self._verified[digest] = _stamp(target)
        return Artifact(digest=digest, size=size)

    def verify(self, artifact: Artifact) -> bool:
        """Whether the artifact is there with exactly its size and hash. Hashes once per unchanged file and process."""
        path = self.path(artifact.digest)
        try:
            stamp = _stamp(path)
            if stamp[0] != artifact.size:
                return False
            if self._verified.get(artifact.digest) == stamp:
                return True
            if file_digest(path)[0] != artifact.digest:
                return False
        except OSError:
            return False
        self._verified[artifact.digest] = stamp
        return True

    def discard(self, digest: str) -> None:
        """Remove an artifact that is damaged or no longer needed."""
        self._verified.pop(digest, None)
        with mapping_errors(self.path(digest)):
            self.path(digest).unlink(missing_ok=True)

    # Records

    def put_record(self, record: Record) -> None:
        """Write a step's record beside its artifacts, so that the ledger can be rebuilt from the store."""
        body = record.model_dump(mode="json")
        checksum = hashlib.sha256(canonical_json(body).encode()).hexdigest()
        write_atomically(
            self._record_path(record.key), canonical_json({"record": body, "sha256": checksum}).encode()
        )

    def get_record(self, key: str) -> Record | None:
        """The record of a key; None when there is none, or when it is torn or altered."""
        return _read_record(self._record_path(key))

    def records(self) -> Iterator[Record]:
        """Every readable record, in the order of the keys."""
        for path in sorted(self._records.glob("*/*.json")):
            if record := _read_record(path):
                yield record

    def forget(self, key: str) -> None:
        """Remove a record."""
        self._record_path(key).unlink(missing_ok=True)

    def _record_path(self, key: str) -> Path:
        return self._records / key[:2] / f"{key}.json"

    # Space

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder of one step's own on the store's filesystem, removed at the end."""
        folder = self._tmp / f"{os.getpid()}-{uuid.uuid4().hex}"
        with mapping_errors(folder):
            folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def sweep(self) -> int:
        """Remove scratch folders whose process is gone; returns how many."""
        removed = 0
        for folder in self._tmp.glob("*-*"):
            pid = folder.name.split("-", 1)[0]
            if pid.isdigit() and int(pid) != os.getpid() and not psutil.pid_exists(int(pid)):
                shutil.rmtree(folder, ignore_errors=True)
                removed += 1
        for part in self.root.glob("records/*/.*.part"):
            part.unlink(missing_ok=True)
        return removed

    def artifacts(self) -> Iterator[tuple[str, int]]:
        """Digest and size in bytes of every artifact that stands in the store."""
        for path in self._objects.glob("*/*"):
            with contextlib.suppress(FileNotFoundError):
                yield path.name, path.stat().st_size

    def free_bytes(self) -> int:
        """Space left on the store's filesystem."""
        self.root.mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(self.root).free

    def prepare(self) -> None:
        """Make the folders. Raises StoreError where that is impossible."""
        with mapping_errors(self.root):
            for folder in (self._objects, self._records, self._tmp):
                folder.mkdir(parents=True, exist_ok=True)
            sync_folder(self.root)


def _stamp(path: Path) -> tuple[int, int, int]:
    """Size, modification time and inode: what must be unchanged for a hash of this process to still hold."""
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns, stat.st_ino


def _read_record(path: Path) -> Record | None:
    try:
        document = json.loads(path.read_bytes())
        body = document["record"]
        if hashlib.sha256(canonical_json(body).encode()).hexdigest() != document["sha256"]:
            return None
        return Record.model_validate(body)
    except (OSError, ValueError, KeyError, TypeError, ValidationError):
        return None
