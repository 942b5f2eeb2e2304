"""Whose videos the files in an output folder are: jobs that would write the same ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from checkpoints.job_states import OPEN_STATES
from checkpoints.ledger.ledger import JobRow
from checkpoints.ownership.locks import is_locked
from config.errors import SupersededError, UsageError
from pipeline.home import Home
from pipeline.job.options import JobOptions, kept_options


def supersede(home: Home, job: str, options: JobOptions) -> None:
    """Close unfinished jobs that would write the same videos: their brief has been edited since, and this one is newer."""
    for row, _ in _with_same_files(home, job, options, OPEN_STATES):
        if not is_locked(home.locks, row.id):
            home.ledger.set_state(row.id, "superseded")


def give_way(home: Home, job: str, options: JobOptions) -> None:
    """Raise SupersededError when a job that was begun later writes the same videos: its brief is the newer edition.

    Looked at before videos are delivered, so that of two editions at work at the same time the newer one's stay.
    """
    others = [row.id for row, _ in _with_same_files(home, job, options)]
    begun = home.ledger.latest_events("job_queued", [job, *others])
    latest = max(begun, key=lambda one: begun[one], default=job)
    if latest != job:
        raise SupersededError(
            f"Job {job} gave way to {latest}, which was begun later and makes the same videos",
            hint=f"framekeep show {latest}",
        )


def refuse_foreign_files(home: Home, job: str, options: JobOptions) -> None:
    """Raise UsageError when the videos to be written are those of another brief that has the same name."""
    for _, other in _with_same_files(home, job, options):
        if options.source and other.source != options.source and _is_there(other.source):
            raise UsageError(
                f"The videos '{options.stem}-…' in {options.output} are those of another brief: {other.source}",
                hint="choose another folder with --out, or give one of the two briefs another name",
            )


def _is_there(source: str) -> bool:
    """Whether a brief still stands where it was: one that was moved is the same brief."""
    path = Path(source)
    return bool(source) and any(found.stem == path.name for found in path.parent.glob("*.*"))


def _with_same_files(
    home: Home, job: str, options: JobOptions, states: Sequence[str] = ()
) -> Iterator[tuple[JobRow, JobOptions]]:
    """Other jobs that write a file which this one writes too."""
    for row in home.ledger.jobs(states):
        try:
            other = kept_options(row.options)
        except UsageError:
            # Another version's job: what it would write is not known.
            continue
        same = (other.output, other.stem) == (options.output, options.stem)
        if row.id != job and row.state != "superseded" and same and set(other.exports) & set(options.exports):
            yield row, other
