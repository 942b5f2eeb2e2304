"""What the ledger hands out: one frozen value for each row. JSON columns are parsed; times are Unix seconds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Row

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


def job_row(row: Row[Any]) -> JobRow:
    """A row of the jobs table. Raises StoreError for one whose JSON is damaged."""
    try:
        return _job_row(row)
    except (ValueError, TypeError) as error:
        raise StoreError(
            f"The ledger's row of the job {row.id} is damaged", hint="framekeep doctor --rebuild"
        ) from error


def _job_row(row: Row[Any]) -> JobRow:
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
