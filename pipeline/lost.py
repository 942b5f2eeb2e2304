"""Jobs that the store knows and the ledger does not: it was lost or emptied since, or the job was killed as it began."""

from __future__ import annotations

from collections.abc import Sequence

from checkpoints.locks import is_locked
from checkpoints.notes import JobNote
from config.errors import StoreError
from pipeline.home import Home

# A note in any other state is that of a job that can be resumed.
FINAL_STATES = frozenset({"done", "degraded", "superseded"})
_NAMED = 3


def lost_jobs(home: Home) -> list[JobNote]:
    """Those that nobody works on, the one that changed last at the end. Makes no ledger where there is none."""
    # The notes first: a job that is forgotten meanwhile loses its note before its row.
    notes = list(home.notes.all())
    known = {row.id for row in home.ledger.jobs()} if notes and home.ledger_file.exists() else set()
    return [note for note in notes if note.id not in known and not is_locked(home.locks, note.id)]


def unfinished(notes: Sequence[JobNote]) -> list[JobNote]:
    """Those that can be resumed once the ledger has them again."""
    return [note for note in notes if note.state not in FINAL_STATES]


def lost_error(notes: Sequence[JobNote], before: str = "") -> StoreError:
    """What to tell who asks for such jobs. `before` begins the message."""
    return StoreError(f"{before}{sentence(notes)}", hint="framekeep doctor --rebuild, then: framekeep resume --all")


def sentence(notes: Sequence[JobNote]) -> str:
    """How many there are, and some by name."""
    names = ", ".join(note.id for note in notes[-_NAMED:]) + (", …" if len(notes) > _NAMED else "")
    return f"the store knows {len(notes)} job{'s'[: len(notes) != 1]} that the ledger does not: {names}"
