"""The ledger of a home: what it says of jobs also stands beside the results, where a lost ledger is made again from."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from checkpoints.job_states import NOTED_STATES, JobState
from checkpoints.keys import canonical_json
from checkpoints.ledger import responses
from checkpoints.ledger.ledger import Ledger
from checkpoints.ledger.rows import JobRow
from checkpoints.records import Record
from checkpoints.statements import ADD_EVENT, adding
from checkpoints.store.job_manifests import JobNote, JobNotes
from config.errors import FramekeepError

RESTORED = "job_restored"

_RESTORE = f"{adding('jobs', *(field.name for field in fields(JobRow)))} ON CONFLICT DO NOTHING"
_LOG = logging.getLogger("framekeep")


class NotedLedger(Ledger):
    """A ledger that writes each job's note first: a crash in between leaves a note without a row, which a rebuild finds."""

    def __init__(self, path: Path, notes: JobNotes, wall: Callable[[], float] = time.time) -> None:
        super().__init__(path, wall)
        self.notes = notes

    def put_job(self, job_id: str, title: str, brief: dict[str, Any], options: dict[str, Any]) -> None:
        now = self._wall()
        row, noted = self.job(job_id), self.notes.get(job_id)
        if noted and not row:
            # Its ledger was lost: which results it needs is not known here, and the clean-up must be told so.
            self.restore(noted)
        known = row or noted
        note = JobNote(
            id=job_id,
            title=title,
            state="queued",
            brief=brief,
            options=options,
            created_at=known.created_at if known else now,
            updated_at=now,
            report=known.report if known else None,
        )
        self.notes.put(note)
        super().put_job(job_id, title, brief, options)

    def set_state(
        self,
        job_id: str,
        state: str,
        *,
        report: dict[str, Any] | None = None,
        error: dict[str, str] | None = None,
    ) -> None:
        if state in NOTED_STATES:
            changes = {} if report is None else {"report": report}
            self._change_note(job_id, state=state, error=error, updated_at=self._wall(), **changes)
        super().set_state(job_id, state, report=report, error=error)

    def set_options(self, job_id: str, options: dict[str, Any]) -> None:
        self._change_note(job_id, options=options)
        super().set_options(job_id, options)

    def _change_note(self, job_id: str, **changes: Any) -> None:
        """Bring a job's note up to date. A full store keeps nothing out of the ledger: an older note serves a rebuild too."""
        try:
            self.notes.change(job_id, **changes)
        except FramekeepError as error:
            _LOG.warning("the note of job %s is not up to date: %s", job_id, error)

    def forget_job(self, job_id: str) -> None:
        # First too: a note that outlived its row would bring the job back.
        self.notes.forget(job_id)
        super().forget_job(job_id)

    def restore(self, note: JobNote) -> bool:
        """Take over a job that is noted and that the ledger does not have; False when it has it.

        What was at work when it was noted is interrupted. The event `job_restored` says that the job's steps are not all known
        here: as long as it is not finished, the clean-up must leave what no job names.
        """
        state = note.state if note.state in NOTED_STATES else JobState.INTERRUPTED
        row = note.model_dump() | {"state": state, "brief": canonical_json(note.brief)}
        row |= {"options": canonical_json(note.options)}
        row |= {name: canonical_json(row[name]) if row[name] else None for name in ("report", "error")}
        event = {"job_id": note.id, "at": self._wall(), "kind": RESTORED, "data": "{}"}
        with self.writing("restore_job") as connection:
            if not connection.execute(_RESTORE, row).rowcount:
                return False
            connection.execute(ADD_EVENT, event)
        return True

    def restore_results(self, found: Sequence[tuple[Record, float]]) -> None:
        """Take over results that verify, each with the Unix time at which it was made."""
        if not found:
            return
        self.results.adopt(*(record for record, _ in found))
        with self.writing("restore_results") as connection:
            for record, made_at in sorted(found, key=lambda one: one[1]):
                responses.put(connection, record, made_at)

    def restored(self) -> set[str]:
        """The jobs that were taken over."""
        with self.reading() as connection:
            found = connection.execute("SELECT DISTINCT job_id FROM events WHERE kind = ?", (RESTORED,))
            return {row[0] for row in found}
