"""The states of a job, as the ledger, notes and reports name them, and which of them belong together."""

from __future__ import annotations

from enum import StrEnum


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    DEGRADED = "degraded"
    FAILED = "failed"
    PARKED = "parked"
    INTERRUPTED = "interrupted"
    #: A newer edition of the same brief took the job's place.
    SUPERSEDED = "superseded"


#: There is something left that `resume` could do.
OPEN_STATES = (JobState.QUEUED, JobState.RUNNING, JobState.INTERRUPTED, JobState.PARKED, JobState.FAILED)
#: Nothing is left to do.
FINAL_STATES = frozenset({JobState.DONE, JobState.DEGRADED, JobState.SUPERSEDED})
#: What `--only-failed` makes again.
UNSATISFIED_STATES = frozenset({JobState.FAILED, JobState.PARKED, JobState.DEGRADED})
#: In which a job stays until somebody asks for it: worth a write of its note each. A job at work changes too often.
NOTED_STATES = FINAL_STATES | {JobState.FAILED, JobState.PARKED}
