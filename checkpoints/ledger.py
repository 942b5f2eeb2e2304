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
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import Connection

from checkpoints import leases, points, purchases, responses
from checkpoints.database import LedgerLockedError, mapping_database_errors, open_engine
from checkpoints.keys import canonical_json
from checkpoints.leases import Held, Lease
from checkpoints.owners import Owner
from checkpoints.records import PassingRecord, Record
from checkpoints.results import Results, find, put, row_of
from checkpoints.rows import EventRow, JobRow, StepRow, job_row
from checkpoints.schema import attempts, events, jobs, steps
from checkpoints.statements import ADD_EVENT, PUT_RESULT, PUT_REUSED
from config.errors import FramekeepError, StoreError

__all__ = ["OPEN_STATES", "EventRow", "JobRow", "Ledger", "StepRow"]

OPEN_STATES = ("queued", "running", "interrupted", "parked", "failed")


class Ledger:
    """Reads and writes of one home's ledger. Safe to share between threads; other processes may have it open too."""

    def __init__(self, path: Path, wall: Callable[[], float] = time.time) -> None:
        self.path = path
        self._wall = wall
        self._turn = threading.Lock()
        self._engine = open_engine(path)
        self.results = Results(self)

    def close(self) -> None:
        self._engine.dispose()

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
            "title": title,
            "state": "queued",
            "brief": canonical_json(brief),
            "options": canonical_json(options),
            "updated_at": now,
        }
        statement = insert(jobs).values(id=job_id, created_at=now, **row)
        with self._write("put_job") as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=[jobs.c.id], set_=row))
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
        values: dict[str, Any] = {
            "state": state,
            "updated_at": now,
            "error": canonical_json(error) if error else None,
        }
        if report is not None:
            values["report"] = canonical_json(report)
        with self._write("set_state") as connection:
            connection.execute(sa.update(jobs).where(jobs.c.id == job_id).values(values))
            _add_event(connection, job_id, now, f"job_{state}", error or {})

    def set_options(self, job_id: str, options: dict[str, Any]) -> None:
        """Keep a job's options for when it is resumed."""
        with self._write("set_options") as connection:
            connection.execute(sa.update(jobs).where(jobs.c.id == job_id).values(options=canonical_json(options)))

    def job(self, job_id: str) -> JobRow | None:
        """One job, or None."""
        with self._read() as connection:
            row = connection.execute(sa.select(jobs).where(jobs.c.id == job_id)).first()
        return job_row(row) if row else None

    def jobs(self, states: Sequence[str] = ()) -> list[JobRow]:
        """All jobs, the latest first; only those in `states` if any are named."""
        # By their events' numbers: the clock may have been set in between.
        last = sa.select(sa.func.max(events.c.id)).where(events.c.job_id == jobs.c.id).scalar_subquery()
        query = sa.select(jobs).order_by(last.desc(), jobs.c.id)
        if states:
            query = query.where(jobs.c.state.in_(states))
        with self._read() as connection:
            return [job_row(row) for row in connection.execute(query)]

    def forget_job(self, job_id: str) -> None:
        """Remove a job with its steps, attempts and events. Results stay: other jobs may share them."""
        with self._write("forget_job") as connection:
            connection.execute(sa.delete(jobs).where(jobs.c.id == job_id))

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
        row = {"stage": stage, "scene": scene, "key": key, "state": "running", "updated_at": now, "error": None}
        statement = insert(steps).values(job_id=job_id, id=step_id, runs=1, **row)
        statement = statement.on_conflict_do_update(
            index_elements=[steps.c.job_id, steps.c.id], set_={**row, "runs": steps.c.runs + 1}
        )
        with self._write("step_started") as connection:
            found = find(connection, key)
            if found and counts(found):
                return found
            lease = leases.take(connection, key, job_id, owner, now, over)
            if isinstance(lease, Held):
                return lease
            connection.execute(statement)
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
            connection.execute(
                sa.update(steps)
                .where(steps.c.job_id == job_id, steps.c.id == step_id)
                .values(state="executed", updated_at=now, error=None)
            )
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
                connection.execute(PUT_RESULT, [row_of(record, now) for record in kept])
            purchases.settle(connection, (record for *_, record in reused), now)
            connection.execute(PUT_REUSED, rows)
            _add_event(connection, job_id, now, "step_reused", *told)

    def step_failed(self, job_id: str, step_id: str, error: FramekeepError, lease: Lease | None = None) -> None:
        """Note that a step ended with an error; its lease, if it had one, ends too."""
        now = self._wall()
        with self._write("step_failed") as connection:
            if lease:
                leases.let_go(connection, lease)
            connection.execute(
                sa.update(steps)
                .where(steps.c.job_id == job_id, steps.c.id == step_id)
                .values(state="failed", updated_at=now, error=f"{error.code}: {error.message}")
            )
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
        query = sa.select(steps).where(steps.c.job_id == job_id).order_by(steps.c.updated_at, steps.c.id)
        with self._read() as connection:
            return [
                StepRow(row.id, row.stage, row.scene, row.key, row.state, row.runs, row.updated_at, row.error)
                for row in connection.execute(query)
            ]

    def keep_only_steps(self, job_id: str, step_ids: Sequence[str]) -> None:
        """Drop rows of steps that the job's present plan does not have (an edited scene, a superseded level)."""
        keep = set(step_ids)
        with self._write("keep_only_steps") as connection:
            known = connection.execute(sa.select(steps.c.id).where(steps.c.job_id == job_id)).scalars().all()
            for gone in set(known) - keep:
                connection.execute(sa.delete(steps).where(steps.c.job_id == job_id, steps.c.id == gone))

    # Attempts and events

    def attempt(self, job_id: str, step_id: str, **columns: Any) -> None:
        """Note one call of a provider: operation, provider, outcome, code, message, elapsed_s."""
        with self._write("attempt") as connection:
            connection.execute(insert(attempts).values(job_id=job_id, step_id=step_id, at=self._wall(), **columns))

    def attempts(self, job_id: str) -> list[dict[str, Any]]:
        """A job's provider calls, oldest first."""
        query = sa.select(attempts).where(attempts.c.job_id == job_id).order_by(attempts.c.id)
        with self._read() as connection:
            return [dict(row._mapping) for row in connection.execute(query)]

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
        query = sa.select(events).where(events.c.job_id == job_id).order_by(events.c.id)
        with self._read() as connection:
            return [EventRow(row.at, row.kind, json.loads(row.data)) for row in connection.execute(query)]

    def latest_events(self, kind: str, job_ids: Sequence[str]) -> dict[str, int]:
        """The number of the last event of a kind for each of these jobs that has one: later events have larger numbers."""
        wanted = sa.select(events.c.job_id, sa.func.max(events.c.id)).where(
            events.c.kind == kind, events.c.job_id.in_(job_ids)
        )
        with self._read() as connection:
            return {row[0]: row[1] for row in connection.execute(wanted.group_by(events.c.job_id))}

    def is_sound(self) -> bool:
        """SQLite's own integrity check, and whether what the rows hold can be read. Raises StoreError where that cannot be told."""
        try:
            with self._read() as connection:
                if connection.exec_driver_sql("PRAGMA integrity_check").scalar() != "ok":
                    return False
                if connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                    return False
                unread = sa.select(events.c.id).where(sa.func.json_valid(events.c.data) == 0).limit(1)
                if connection.execute(unread).first():
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

    @contextlib.contextmanager
    def _read(self) -> Iterator[Connection]:
        with mapping_database_errors(self.path), self._engine.connect() as connection:
            yield connection.execution_options(reading=True)

    @contextlib.contextmanager
    def _write(self, what: str = "write") -> Iterator[Connection]:
        # Threads of one process take turns here: SQLite's own waiting is by polling, and unfair.
        name = f"ledger.{what}"
        with mapping_database_errors(self.path), self._turn, points.around(name), self._engine.begin() as connection:
            yield connection
            points.reach(f"{name}:commit")


def _add_event(connection: Connection, job_id: str, now: float, kind: str, *data: dict[str, Any]) -> None:
    """One event of a kind for each `data`."""
    rows = [{"job_id": job_id, "at": now, "kind": kind, "data": canonical_json(item)} for item in data]
    connection.execute(ADD_EVENT, rows)
