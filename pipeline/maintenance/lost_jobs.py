"""Jobs that the store knows and the ledger does not: it was lost or emptied since, or the job was killed as it began."""

from __future__ import annotations

from collections.abc import Sequence

from checkpoints.job_states import FINAL_STATES
from checkpoints.ownership.locks import is_locked
from checkpoints.store.job_manifests import JobNote
from config.errors import StoreError
from pipeline.home import Home

# A note in any other state is that of a job that can be resumed.
TAKEN_UP = (
    "The ledger did not have this job: it goes on from what the store holds; what became of its paid calls is not known"
)
_NAMED = 3


def lost_jobs(home: Home) -> list[JobNote]:
    """Those that nobody works on, the one that changed last at the end. Makes no ledger where there is none."""
    # The rows last: a job that begins meanwhile has its row by then, or its owner.
    notes = list(home.notes.all())
    known = {row.id for row in home.ledger.jobs()} if notes and home.ledger_file.exists() else set()
    return [note for note in notes if note.id not in known and not is_locked(home.locks, note.id)]


def take_up(home: Home) -> list[str]:
    """Bring those that can be resumed back into the ledger, without their history; returns their ids."""
    taken = [note.id for note in lost_jobs(home) if note.state not in FINAL_STATES and home.ledger.restore(note)]
    for job_id in taken:
        home.ledger.event(job_id, "warning", {"step": "", "scene": 0, "message": TAKEN_UP})
    return taken


def lost_error(notes: Sequence[JobNote]) -> StoreError:
    """The error that names the jobs which only the store knows, with the command that restores them."""
    return StoreError(sentence(notes), hint="framekeep doctor --rebuild")


def sentence(notes: Sequence[JobNote]) -> str:
    """How many there are, and some by name."""
    names = ", ".join(note.id for note in notes[-_NAMED:]) + (", …" if len(notes) > _NAMED else "")
    return f"the store knows {len(notes)} job{'s'[: len(notes) != 1]} that the ledger does not: {names}"
