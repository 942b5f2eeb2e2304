"""How far a job's last run has come, for whoever looks from another process or after a kill."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from checkpoints.schema import progress

if TYPE_CHECKING:
    from checkpoints.ledger import Ledger


@dataclass(frozen=True)
class SavedProgress:
    """Steps and frames that are there of those that are planned, and what was being done. Times are Unix seconds."""

    stage: str
    scene: int
    steps_done: int
    steps_total: int
    frames_done: int
    frames_total: int
    started_at: float
    saved_at: float


def save_progress(ledger: Ledger, job_id: str, saved: SavedProgress) -> None:
    """Keep a job's progress in place of what was kept before."""
    row = asdict(saved)
    statement = insert(progress).values(job_id=job_id, **row)
    with ledger.writing("save_progress") as connection:
        connection.execute(statement.on_conflict_do_update(index_elements=[progress.c.job_id], set_=row))


def forget_progress(ledger: Ledger, job_id: str) -> None:
    """Remove what an earlier run has saved. Writes nothing where there is nothing."""
    if job_id in saved_progress(ledger, job_id):
        with ledger.writing("forget_progress") as connection:
            connection.execute(sa.delete(progress).where(progress.c.job_id == job_id))


def saved_progress(ledger: Ledger, job_id: str = "") -> dict[str, SavedProgress]:
    """What is saved, by job; of one job only if it is named."""
    query = sa.select(progress)
    if job_id:
        query = query.where(progress.c.job_id == job_id)
    with ledger.reading() as connection:
        rows = [dict(row._mapping) for row in connection.execute(query)]
    return {row.pop("job_id"): SavedProgress(**row) for row in rows}
