"""The ledger: jobs, their steps, the results that steps may reuse, every attempt and event. One SQLite file.

A state change and its event are committed in one transaction, so that what the ledger says happened did.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checkpoints import crash_points
from checkpoints.keys import canonical_json
from checkpoints.ledger import purchases, responses
from checkpoints.ledger.database import LedgerLockedError, open_database
from checkpoints.ledger.results import PUT_RESULT, Results, find, put, row_of
from checkpoints.ledger.rows import EventRow, JobRow, StepRow, job_row
from checkpoints.ownership import leases
from checkpoints.ownership.leases import Held, Lease
from checkpoints.ownership.processes import Owner
from checkpoints.records import PassingRecord, Record
from checkpoints.statements import ADD_EVENT, adding, columns, putting
from config.errors import FramekeepError, StoreError
from config.redaction import redact_in

if TYPE_CHECKING:
    from sqlite3 import Connection

__all__ = ["EventRow", "JobRow", "Ledger", "StepRow"]

_STEP = ("job_id", "id", "stage", "scene", "key", "state", "runs", "updated_at", "error")
_ATTEMPT = ("job_id", "step_id", "operation", "provider", "outcome", "code", "message", "elapsed_s", "at")
# S608: names of our own fields.
_JOBS = f"SELECT {columns(JobRow)} FROM jobs"  # noqa: S608
_STEPS = f"SELECT {columns(StepRow)} FROM steps"  # noqa: S608
_PUT_JOB = putting(
    "jobs",
    *("id", "title", "state", "brief", "options", "created_at", "updated_at"),
    key=("id",),
    keep=("created_at",),
)
_PUT_STARTED = f"{putting('steps', *_STEP, key=('job_id', 'id'), keep=('runs',))}, runs = steps.runs + 1"
_PUT_REUSED = putting("steps", *_STEP, key=("job_id", "id"), keep=("runs",))
_END_STEP = "UPDATE steps SET state = ?, updated_at = ?, error = ? WHERE job_id = ? AND id = ?"
_ADD_ATTEMPT = adding("attempts", *_ATTEMPT)
_ATTEMPTS = f"SELECT id, {', '.join(_ATTEMPT)} FROM attempts WHERE job_id = ? ORDER BY id"  # noqa: S608
_LATEST = "SELECT MAX(id) FROM events WHERE job_id = jobs.id"


class Ledger:
    """Reads and writes of one home's ledger. Safe to share between threads; other processes may have it open too."""

    def __init__(self, path: Path, wall: Callable[[], float] = time.time) -> None:
        self.path = path
        self._wall = wall
        self._turn = threading.Lock()
        self._database = open_database(path)
        self.results = Results(self)

    def close(self) -> None:
        self._database.close()

    def now(self) -> float:
        """The time of day by which this ledger notes things, in Unix seconds."""
        return self._wall()

    # Jobs

    def put_job(self, job_id: str, title: str, brief: dict[str, Any], options: dict[str, Any]) -> None:
        """Note a job that is about to run; a known one keeps its history and its time of birth.

        Only for the owner of the job's lock: leases that still stand for the job are of a run that is no more, and go.
        """
        now = self._wall()
        row = {
            "id": job_id,
            "title": title,
            "state": "queued",
            "brief": canonical_json(brief),
            "options": canonical_json(options),
            "created_at": now,
            "updated_at": now,
        }
        with self._write("put_job") as connection:
            connection.execute(_PUT_JOB, row)
            leases.let_go_all(connection, job_id=job_id)
            _add_event(connection, job_id, now, "job_queued", {})

    def set_state(
        self,
        job_id: str,
        state: str,
        *,
        report: dict[str, Any] | None = None,
        error: dict[str, str] | None = None,
    ) -> None:
        """Move a job to another state, with its report or its error."""
        now = self._wall()
        report, error = redact_in(report), redact_in(error)
        with self._write("set_state") as connection:
            connection.execute(
                "UPDATE jobs SET state = ?, updated_at = ?, error = ? WHERE id = ?",
                (state, now, canonical_json(error) if error else None, job_id),
            )
            if report is not None:
                connection.execute("UPDATE jobs SET report = ? WHERE id = ?", (canonical_json(report), job_id))
            _add_event(connection, job_id, now, f"job_{state}", error or {})

    def set_options(self, job_id: str, options: dict[str, Any]) -> None:
        """Keep a job's options for when it is resumed."""
        with self._write("set_options") as connection:
            connection.execute("UPDATE jobs SET options = ? WHERE id = ?", (canonical_json(options), job_id))

    def job(self, job_id: str) -> JobRow | None:
        """One job, or None."""
        with self._read() as connection:
            row = connection.execute(f"{_JOBS} WHERE id = ?", (job_id,)).fetchone()
        return job_row(row) if row else None

    def jobs(self, states: Sequence[str] = ()) -> list[JobRow]:
        """All jobs, the latest first; only those in `states` if any are named."""
        # By their events' numbers: the clock may have been set in between.
        wanted = "WHERE state IN (SELECT value FROM json_each(?))" if states else ""
        query = f"{_JOBS} {wanted} ORDER BY ({_LATEST}) DESC, id"
        with self._read() as connection:
            return [job_row(row) for row in connection.execute(query, [json.dumps(list(states))] if states else [])]

    def forget_job(self, job_id: str) -> None:
        """Remove a job with its steps, attempts and events. Results stay: other jobs may share them."""
        with self._write("forget_job") as connection:
            connection.execute("DELETE FROM jobs WHERE id = ?", (job_id,))

    # Steps

    def step_started(
        self,
        job_id: str,
        step_id: str,
        stage: str,
        scene: int,
        key: str,
        owner: Owner,
        *,
        over: Lease | None = None,
        counts: Callable[[Record], bool] = lambda record: False,
    ) -> Lease | Held | Record:
        """Note that a step is being executed, and give `owner` the lease of its key. `over` is taken if it stands as it was seen.

        Nothing is noted, and the answer says why, when another run has the lease, or when there is a result that `counts`.
        """
        now = self._wall()
        row = {"job_id": job_id, "id": step_id, "stage": stage, "scene": scene, "key": key}
        row |= {"state": "running", "runs": 1, "updated_at": now, "error": None}
        with self._write("step_started") as connection:
            found = find(connection, key)
            if found and counts(found):
                return found
            lease = leases.take(connection, key, job_id, owner, now, over)
            if isinstance(lease, Held):
                return lease
            connection.execute(_PUT_STARTED, row)
            _add_event(connection, job_id, now, "step_started", {"step": step_id, "key": key})
        return lease

    def step_executed(self, job_id: str, step_id: str, record: Record, lease: Lease) -> bool:
        """Commit a step's result together with the step's new state and the end of its lease.

        False, and nothing is committed, when the lease was lost: the result is another run's to make.
        """
        now = self._wall()
        with self._write("step_executed") as connection:
            if not leases.let_go(connection, lease):
                return False
            if not isinstance(record, PassingRecord):
                put(connection, record, now)
            responses.put(connection, record, now)
            purchases.settle(connection, [record], now)
            connection.execute(_END_STEP, ("executed", now, None, job_id, step_id))
            _add_event(connection, job_id, now, "step_executed", {"step": step_id, "key": record.key})
        return True

    def steps_reused(self, job_id: str, reused: Sequence[tuple[str, str, int, Record]]) -> None:
        """Note steps whose verified results were reused: (step id, stage, scene, record) each."""
        if not reused:
            return
        now = self._wall()
        rows = [
            {"job_id": job_id, "id": step_id, "stage": stage, "scene": scene, "key": record.key, "updated_at": now}
            | {"state": "reused", "runs": 0, "error": None}
            for step_id, stage, scene, record in reused
        ]
        told = [{"step": row["id"], "key": row["key"]} for row in rows]
        with self._write("steps_reused") as connection:
            if kept := [record for *_, record in reused if not isinstance(record, PassingRecord)]:
                connection.executemany(PUT_RESULT, [row_of(record, now) for record in kept])
            purchases.settle(connection, (record for *_, record in reused), now)
            connection.executemany(_PUT_REUSED, rows)
            _add_event(connection, job_id, now, "step_reused", *told)

    def step_failed(self, job_id: str, step_id: str, error: FramekeepError, lease: Lease | None = None) -> None:
        """Note that a step ended with an error; its lease, if it had one, ends too."""
        now = self._wall()
        with self._write("step_failed") as connection:
            if lease:
                leases.let_go(connection, lease)
            connection.execute(_END_STEP, ("failed", now, f"{error.code}: {error.message}", job_id, step_id))
            _add_event(connection, job_id, now, "step_failed", {"step": step_id, **error.as_dict()})

    def leases(self) -> dict[str, Lease]:
        """All leases on steps in the making, by key."""
        with self._read() as connection:
            return leases.standing(connection)

    def renew_leases(self, owner: Owner) -> set[int]:
        """Show that an owner lives; returns the fences of the leases that he still has."""
        with self._write("renew_leases") as connection:
            return leases.renew(connection, owner.token)

    def let_go(self, lease: Lease) -> None:
        """End the lease of a step that was stopped."""
        with self._write("let_go") as connection:
            leases.let_go(connection, lease)

    def let_go_all(self, owner: Owner) -> None:
        """End all leases of an owner."""
        with self._write("let_go_all") as connection:
            leases.let_go_all(connection, owner=owner.token)

    def steps(self, job_id: str) -> list[StepRow]:
        """A job's steps in the order in which they last changed."""
        query = f"{_STEPS} WHERE job_id = ? ORDER BY updated_at, id"
        with self._read() as connection:
            return [StepRow(*row) for row in connection.execute(query, (job_id,))]

    def keep_only_steps(self, job_id: str, step_ids: Sequence[str]) -> None:
        """Drop rows of steps that the job's present plan does not have (an edited scene, a superseded level)."""
        keep = set(step_ids)
        with self._write("keep_only_steps") as connection:
            known = {row[0] for row in connection.execute("SELECT id FROM steps WHERE job_id = ?", (job_id,))}
            gone = [(job_id, step_id) for step_id in known - keep]
            connection.executemany("DELETE FROM steps WHERE job_id = ? AND id = ?", gone)

    # Attempts and events

    def attempt(self, job_id: str, step_id: str, **told: Any) -> None:
        """Note one call of a provider: operation, provider, outcome, code, message, elapsed_s."""
        with self._write("attempt") as connection:
            row = {"job_id": job_id, "step_id": step_id, "at": self._wall(), **redact_in(told)}
            connection.execute(_ADD_ATTEMPT, row)

    def attempts(self, job_id: str) -> list[dict[str, Any]]:
        """A job's provider calls, oldest first."""
        with self._read() as connection:
            rows = connection.execute(_ATTEMPTS, (job_id,)).fetchall()
        return [dict(zip(("id", *_ATTEMPT), row, strict=True)) for row in rows]

    def event(self, job_id: str, kind: str, data: dict[str, Any]) -> None:
        """Note something that happened."""
        with self._write("event") as connection:
            _add_event(connection, job_id, self._wall(), kind, data)

    def events_add(self, job_id: str, told: Sequence[tuple[str, dict[str, Any]]]) -> None:
        """Note several things at once: (kind, data) each."""
        if not told:
            return
        now = self._wall()
        with self._write("events") as connection:
            for kind, data in told:
                _add_event(connection, job_id, now, kind, data)

    def events(self, job_id: str) -> list[EventRow]:
        """A job's events, oldest first."""
        query = "SELECT at, kind, data FROM events WHERE job_id = ? ORDER BY id"
        with self._read() as connection:
            rows = connection.execute(query, (job_id,)).fetchall()
        return [EventRow(at, kind, json.loads(data)) for at, kind, data in rows]

    def latest_events(self, kind: str, job_ids: Sequence[str]) -> dict[str, int]:
        """The number of the last event of a kind for each of these jobs that has one: later events have larger numbers."""
        query = (
            "SELECT job_id, MAX(id) FROM events "
            "WHERE kind = ? AND job_id IN (SELECT value FROM json_each(?)) GROUP BY job_id"
        )
        with self._read() as connection:
            return dict(connection.execute(query, (kind, json.dumps(list(job_ids)))).fetchall())

    def is_sound(self) -> bool:
        """SQLite's own integrity check, and whether what the rows hold can be read. Raises StoreError where that cannot be told."""
        try:
            with self._read() as connection:
                if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                    return False
                if connection.execute("PRAGMA foreign_key_check").fetchone():
                    return False
                if connection.execute("SELECT id FROM events WHERE json_valid(data) = 0 LIMIT 1").fetchone():
                    return False
            self.jobs()
        except LedgerLockedError:
            raise
        except StoreError:
            return False
        return True

    # Transactions, for what keeps other tables in the same file

    def reading(self) -> contextlib.AbstractContextManager[Connection]:
        """A transaction that takes no lock."""
        return self._read()

    def writing(self, what: str) -> contextlib.AbstractContextManager[Connection]:
        """A transaction that is on the disk when the block has ended, or never was. `what` names it at crash points."""
        return self._write(what)

    def _read(self) -> contextlib.AbstractContextManager[Connection]:
        return self._database.reading()

    @contextlib.contextmanager
    def _write(self, what: str = "write") -> Iterator[Connection]:
        # Threads of one process take turns here: SQLite's own waiting is by polling, and unfair.
        name = f"ledger.{what}"
        with self._turn, crash_points.around(name), self._database.writing() as connection:
            yield connection
            crash_points.reach(f"{name}:commit")


def _add_event(connection: Connection, job_id: str, now: float, kind: str, *data: dict[str, Any]) -> None:
    """One event of a kind for each `data`."""
    rows = [{"job_id": job_id, "at": now, "kind": kind, "data": canonical_json(redact_in(item))} for item in data]
    connection.executemany(ADD_EVENT, rows)
