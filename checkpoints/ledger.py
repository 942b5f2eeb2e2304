"""The ledger: jobs, their steps, the results that steps may reuse, every attempt and event. One SQLite file.

A state change and its event are committed in one transaction, so that what the ledger says happened did.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import Connection, Row

from checkpoints.database import open_engine, unusable
from checkpoints.keys import canonical_json
from checkpoints.records import Record
from checkpoints.schema import attempts, events, jobs, results, steps
from config.errors import DiskFullError, FramekeepError

OPEN_STATES = ("queued", "running", "interrupted", "parked", "failed")


@dataclass(frozen=True)
class JobRow:
    """A job as the ledger knows it. `brief`, `options`, `report` and `error` are JSON values; times are Unix seconds."""

    id: str
    title: str
    state: str
    brief: dict[str, Any]
    options: dict[str, Any]
    created_at: float
    updated_at: float
    report: dict[str, Any] | None = None
    error: dict[str, str] | None = None


@dataclass(frozen=True)
class StepRow:
    """A step as the ledger knows it. `runs` counts how often it was executed for this job."""

    id: str
    stage: str
    scene: int
    key: str
    state: str
    runs: int
    updated_at: float
    error: str | None


@dataclass(frozen=True)
class EventRow:
    """Something that happened to a job at a Unix time."""

    at: float
    kind: str
    data: dict[str, Any]


class Ledger:
    """Reads and writes of one home's ledger. Safe to share between threads; other processes may have it open too."""

    def __init__(self, path: Path, wall: Callable[[], float] = time.time) -> None:
        self.path = path
        self._wall = wall
        self._engine = open_engine(path)

    def close(self) -> None:
        self._engine.dispose()

    # Jobs

    def put_job(self, job_id: str, title: str, brief: dict[str, Any], options: dict[str, Any]) -> None:
        """Note a job that is about to run; a known one keeps its history and its time of birth."""
        now = self._wall()
        row = {
            "title": title,
            "state": "queued",
            "brief": canonical_json(brief),
            "options": canonical_json(options),
            "updated_at": now,
        }
        statement = insert(jobs).values(id=job_id, created_at=now, **row)
        with self._write() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=[jobs.c.id], set_=row))
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
        with self._write() as connection:
            connection.execute(sa.update(jobs).where(jobs.c.id == job_id).values(values))
            _add_event(connection, job_id, now, f"job_{state}", error or {})

    def set_options(self, job_id: str, options: dict[str, Any]) -> None:
        """Keep a job's options for when it is resumed."""
        with self._write() as connection:
            connection.execute(
                sa.update(jobs).where(jobs.c.id == job_id).values(options=canonical_json(options))
            )

    def job(self, job_id: str) -> JobRow | None:
        """One job, or None."""
        with self._read() as connection:
            row = connection.execute(sa.select(jobs).where(jobs.c.id == job_id)).first()
        return _job(row) if row else None

    def jobs(self, states: Sequence[str] = ()) -> list[JobRow]:
        """All jobs, the latest first; only those in `states` if any are named."""
        query = sa.select(jobs).order_by(jobs.c.updated_at.desc(), jobs.c.id)
        if states:
            query = query.where(jobs.c.state.in_(states))
        with self._read() as connection:
            return [_job(row) for row in connection.execute(query)]

    def forget_job(self, job_id: str) -> None:
        """Remove a job with its steps, attempts and events. Results stay: other jobs may share them."""
        with self._write() as connection:
            connection.execute(sa.delete(jobs).where(jobs.c.id == job_id))

    # Steps and results

    def step_started(self, job_id: str, step_id: str, stage: str, scene: int, key: str) -> None:
        """Note that a step is being executed."""
        now = self._wall()
        row = {"stage": stage, "scene": scene, "key": key, "state": "running", "updated_at": now, "error": None}
        statement = insert(steps).values(job_id=job_id, id=step_id, runs=1, **row)
        statement = statement.on_conflict_do_update(
            index_elements=[steps.c.job_id, steps.c.id], set_={**row, "runs": steps.c.runs + 1}
        )
        with self._write() as connection:
            connection.execute(statement)
            _add_event(connection, job_id, now, "step_started", {"step": step_id, "key": key})

    def step_executed(self, job_id: str, step_id: str, record: Record) -> None:
        """Commit a step's result together with the step's new state."""
        now = self._wall()
        with self._write() as connection:
            _put_result(connection, record, now)
            connection.execute(
                sa.update(steps)
                .where(steps.c.job_id == job_id, steps.c.id == step_id)
                .values(state="executed", updated_at=now, error=None)
            )
            _add_event(connection, job_id, now, "step_executed", {"step": step_id, "key": record.key})

    def steps_reused(self, job_id: str, reused: Sequence[tuple[str, str, int, Record]]) -> None:
        """Note steps whose verified results were reused: (step id, stage, scene, record) each."""
        now = self._wall()
        with self._write() as connection:
            for step_id, stage, scene, record in reused:
                _put_result(connection, record, now)
                row = {"stage": stage, "scene": scene, "key": record.key, "updated_at": now, "error": None}
                statement = insert(steps).values(job_id=job_id, id=step_id, runs=0, state="reused", **row)
                connection.execute(
                    statement.on_conflict_do_update(
                        index_elements=[steps.c.job_id, steps.c.id], set_={**row, "state": "reused"}
                    )
                )
                _add_event(connection, job_id, now, "step_reused", {"step": step_id, "key": record.key})

    def step_failed(self, job_id: str, step_id: str, error: FramekeepError) -> None:
        """Note that a step ended with an error."""
        now = self._wall()
        with self._write() as connection:
            connection.execute(
                sa.update(steps)
                .where(steps.c.job_id == job_id, steps.c.id == step_id)
                .values(state="failed", updated_at=now, error=f"{error.code}: {error.message}")
            )
            _add_event(connection, job_id, now, "step_failed", {"step": step_id, **error.as_dict()})

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
        with self._write() as connection:
            known = connection.execute(sa.select(steps.c.id).where(steps.c.job_id == job_id)).scalars().all()
            for gone in set(known) - keep:
                connection.execute(sa.delete(steps).where(steps.c.job_id == job_id, steps.c.id == gone))

    def result(self, key: str) -> Record | None:
        """The record of a key, or None."""
        with self._read() as connection:
            text = connection.execute(sa.select(results.c.record).where(results.c.key == key)).scalar()
        return Record.model_validate_json(text) if text else None

    def results(self) -> list[tuple[Record, float]]:
        """Every result and when it was last used, the longest unused first."""
        query = sa.select(results.c.record, results.c.used_at).order_by(results.c.used_at, results.c.key)
        with self._read() as connection:
            return [(Record.model_validate_json(text), used_at) for text, used_at in connection.execute(query)]

    def adopt(self, record: Record) -> None:
        """Take over a record that stands in the store but not in the ledger."""
        with self._write() as connection:
            _put_result(connection, record, self._wall())

    def forget_result(self, key: str) -> None:
        """Remove a result that no longer holds."""
        with self._write() as connection:
            connection.execute(sa.delete(results).where(results.c.key == key))

    # Attempts and events

    def attempt(self, job_id: str, step_id: str, **columns: Any) -> None:
        """Note one call of a provider: operation, provider, outcome, code, message, elapsed_s."""
        with self._write() as connection:
            connection.execute(
                insert(attempts).values(job_id=job_id, step_id=step_id, at=self._wall(), **columns)
            )

    def attempts(self, job_id: str) -> list[dict[str, Any]]:
        """A job's provider calls, oldest first."""
        query = sa.select(attempts).where(attempts.c.job_id == job_id).order_by(attempts.c.id)
        with self._read() as connection:
            return [dict(row._mapping) for row in connection.execute(query)]

    def event(self, job_id: str, kind: str, data: dict[str, Any]) -> None:
        """Note something that happened."""
        with self._write() as connection:
            _add_event(connection, job_id, self._wall(), kind, data)

    def events(self, job_id: str) -> list[EventRow]:
        """A job's events, oldest first."""
        query = sa.select(events).where(events.c.job_id == job_id).order_by(events.c.id)
        with self._read() as connection:
            return [EventRow(row.at, row.kind, json.loads(row.data)) for row in connection.execute(query)]

    def is_sound(self) -> bool:
        """SQLite's own integrity check."""
        with self._read() as connection:
            return connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"

    @contextlib.contextmanager
    def _read(self) -> Iterator[Connection]:
        with self._mapping(), self._engine.connect().execution_options(reading=True) as connection:
            yield connection

    @contextlib.contextmanager
    def _write(self) -> Iterator[Connection]:
        with self._mapping(), self._engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def _mapping(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.DBAPIError as error:
            if "disk is full" in str(error.orig):
                raise DiskFullError(
                    f"No space left for the ledger {self.path}",
                    hint="free some space, then: framekeep resume --all",
                ) from error
            raise unusable(self.path, error) from error


def _put_result(connection: Connection, record: Record, now: float) -> None:
    row = {"stage": record.stage, "record": record.model_dump_json(), "used_at": now}
    statement = insert(results).values(key=record.key, **row)
    connection.execute(statement.on_conflict_do_update(index_elements=[results.c.key], set_=row))


def _add_event(connection: Connection, job_id: str, now: float, kind: str, data: dict[str, Any]) -> None:
    connection.execute(insert(events).values(job_id=job_id, at=now, kind=kind, data=canonical_json(data)))


def _job(row: Row[Any]) -> JobRow:
    return JobRow(
        id=row.id,
        title=row.title,
        state=row.state,
        brief=json.loads(row.brief),
        options=json.loads(row.options),
        created_at=row.created_at,
        updated_at=row.updated_at,
        report=json.loads(row.report) if row.report else None,
        error=json.loads(row.error) if row.error else None,
    )
