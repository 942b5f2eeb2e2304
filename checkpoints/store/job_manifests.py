"""What a job was asked for, kept beside the results: a ledger that is lost can be made again with jobs that go on.

store/jobs/<job>.json   one job, with a checksum of its own; written before the ledger's row, so no row is without one
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from checkpoints.files import mapping_errors, write_atomically
from checkpoints.keys import canonical_json
from checkpoints.store.store import Store
from config.redaction import redact_in


class JobNote(BaseModel):
    """A job as it was noted last. A state that is none of `job_states.NOTED_STATES` says only that it was not finished."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    title: str
    state: str
    brief: dict[str, Any]
    options: dict[str, Any]
    created_at: float
    updated_at: float
    report: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


class JobNotes:
    """The notes in one store. Only a job's owner writes or removes its note."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._folder = store.root / "jobs"

    def put(self, note: JobNote) -> None:
        """Write a job's note, whole or not at all. Raises DiskFullError or StoreError."""
        body = note.model_dump(mode="json")
        # What was asked for stays as it was asked: the brief is made from it again.
        body |= {name: redact_in(body[name]) for name in ("report", "error")}
        document = canonical_json({"job": body, "sha256": _checksum(body)})
        with self._store.scratch() as folder:
            write_atomically(self._path(note.id), document.encode(), folder, "note")

    def change(self, job_id: str, **changes: Any) -> None:
        """Note what has changed about a job; of one that has no note there is nothing to change."""
        if note := self.get(job_id):
            self.put(note.model_copy(update=changes))

    def get(self, job_id: str) -> JobNote | None:
        """A job's note; None when there is none, or when it is torn, altered or another job's."""
        return _read(self._path(job_id))

    def all(self) -> Iterator[JobNote]:
        """Every readable note, the job that changed last at the end."""
        notes = [note for path in self._paths() if (note := _read(path))]
        yield from sorted(notes, key=lambda note: (note.updated_at, note.id))

    def unreadable(self) -> list[str]:
        """The jobs whose notes cannot be read."""
        return [path.stem for path in self._paths() if _read(path) is None]

    def forget(self, job_id: str) -> None:
        """Remove a job's note. Raises StoreError."""
        path = self._path(job_id)
        with mapping_errors(path):
            path.unlink(missing_ok=True)

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob("*.json"))

    def _path(self, job_id: str) -> Path:
        return self._folder / f"{job_id}.json"


def _checksum(body: dict[str, Any]) -> str:
    return hashlib.sha256(canonical_json(body).encode()).hexdigest()


def _read(path: Path) -> JobNote | None:
    try:
        document = json.loads(path.read_bytes())
        body = document["job"]
        if _checksum(body) != document["sha256"]:
            return None
        note = JobNote.model_validate(body)
    except (OSError, ValueError, KeyError, TypeError, ValidationError):
        return None
    return note if note.id == path.stem else None
