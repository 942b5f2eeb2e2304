"""What the ledger hands out: one frozen value for each row. JSON columns are parsed; times are Unix seconds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from config.errors import StoreError


@dataclass(frozen=True)
class JobRow:
    """A job as the ledger knows it. `brief`, `options`, `report` and `error` are JSON values."""

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
    """Something that happened to a job."""

    at: float
    kind: str
    data: dict[str, Any]


def job_row(row: Sequence[Any]) -> JobRow:
    """A row of the jobs table, in the order of `JobRow`. Raises StoreError for one whose JSON is damaged."""
    job_id, title, state, brief, options, created_at, updated_at, report, error = row
    try:
        return JobRow(
            id=job_id,
            title=title,
            state=state,
            brief=json.loads(brief),
            options=json.loads(options),
            created_at=created_at,
            updated_at=updated_at,
            report=json.loads(report) if report else None,
            error=json.loads(error) if error else None,
        )
    except (ValueError, TypeError) as damage:
        raise StoreError(
            f"The ledger's row of the job {job_id} is damaged", hint="framekeep doctor --rebuild"
        ) from damage
