"""How far a job's last run has come, for whoever looks from another process or after a kill."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

from checkpoints.statements import columns, putting

if TYPE_CHECKING:
    from checkpoints.ledger.ledger import Ledger


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


_NAMES = tuple(field.name for field in fields(SavedProgress))
_ALL = f"SELECT job_id, {columns(SavedProgress)} FROM progress"  # noqa: S608 - names of our own fields
_PUT = putting("progress", "job_id", *_NAMES, key=("job_id",))


def save_progress(ledger: Ledger, job_id: str, saved: SavedProgress) -> None:
    """Keep a job's progress in place of what was kept before."""
    with ledger.writing("save_progress") as connection:
        connection.execute(_PUT, {"job_id": job_id, **asdict(saved)})


def forget_progress(ledger: Ledger, job_id: str) -> None:
    """Remove what an earlier run has saved. Writes nothing where there is nothing."""
    if job_id in saved_progress(ledger, job_id):
        with ledger.writing("forget_progress") as connection:
            connection.execute("DELETE FROM progress WHERE job_id = ?", (job_id,))


def saved_progress(ledger: Ledger, job_id: str = "") -> dict[str, SavedProgress]:
    """What is saved, by job; of one job only if it is named."""
    query, wanted = (f"{_ALL} WHERE job_id = ?", [job_id]) if job_id else (_ALL, [])
    with ledger.reading() as connection:
        return {job: SavedProgress(*row) for job, *row in connection.execute(query, wanted)}
