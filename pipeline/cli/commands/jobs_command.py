"""`framekeep jobs`: what this home knows of."""

from __future__ import annotations

import datetime
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from checkpoints.job_states import OPEN_STATES, JobState
from checkpoints.ledger.job_progress import saved_progress
from config.errors import UsageError
from config.exit_codes import ExitCode
from pipeline.cli.command_options import Common
from pipeline.cli.terminal import console
from pipeline.cli.terminal.summary import TONES

if TYPE_CHECKING:
    from checkpoints.ledger.job_progress import SavedProgress
    from checkpoints.ledger.ledger import JobRow
    from pipeline.home import Home


def show_jobs(common: Common, states: Sequence[str]) -> int:
    """List jobs, those in `states` if any are named."""
    unknown = [state for state in states if state not in TONES]
    if unknown:
        raise UsageError(f"There is no state '{unknown[0]}'", hint=f"one of: {', '.join(TONES)}")
    home = open_home(common)
    try:
        rows = home.ledger.jobs() if has_ledger(home) else []
        shown = [(row, state_of(home, row)) for row in rows]
        saved = saved_progress(home.ledger) if rows else {}
        tell_lost(home)
    finally:
        home.close()
    shown = [(row, state) for row, state in shown if not states or state in states]
    if common.json:
        console.out_json({"jobs": [describe(row, state, saved.get(row.id)) for row, state in shown]})
    elif not shown:
        console.say(f"No jobs in {home.root}" if not states else f"No jobs that are {' or '.join(states)}")
    else:
        table = [
            (
                state,
                row.id,
                local_time(row.updated_at),
                share_text(saved.get(row.id), state),
                ", ".join(row.options.get("exports", ())),
                row.title,
            )
            for row, state in shown
        ]
        console.out_table(
            ("STATE", "JOB", "CHANGED", "THERE", "EXPORTS", "TITLE"), table, [TONES[state] for _, state in shown]
        )
    return ExitCode.DONE


def open_home(common: Common) -> Home:
    """The home that is meant."""
    from pipeline.home import Home

    return Home(common.home)


def tell_lost(home: Home) -> None:
    """Warn of jobs that only the store knows."""
    from pipeline.maintenance.lost_jobs import lost_jobs, sentence

    if lost := lost_jobs(home):
        console.say(f"{console.symbol('warn')} {sentence(lost)}", "warn")
        console.say(f"{console.symbol('next')} framekeep doctor --rebuild")


def has_ledger(home: Home) -> bool:
    """Whether anything was ever rendered there; looking must not make a ledger."""
    return (home.root / "ledger.db").exists()


def state_of(home: Home, row: JobRow) -> str:
    """A job's state; one that was killed is still `running` in the ledger, but nobody owns it."""
    from checkpoints.ownership.locks import is_locked

    if row.state in (JobState.RUNNING, JobState.QUEUED) and not is_locked(home.locks, row.id):
        return JobState.INTERRUPTED
    return row.state


def share_text(saved: SavedProgress | None, state: str) -> str:
    """How much of an unfinished job is there, as far as that was saved."""
    if saved is None or state not in OPEN_STATES:
        return ""
    if saved.frames_total and saved.steps_total:
        # While the plan still grows all known frames may be there, but then not all known steps are.
        shares = 100 * saved.frames_done // saved.frames_total, 100 * saved.steps_done // saved.steps_total
        return f"{min(shares)} %"
    return f"{saved.steps_done} of {saved.steps_total}"


def describe_progress(saved: SavedProgress | None) -> dict[str, Any] | None:
    """Saved progress as `--json` shows it."""
    if saved is None:
        return None
    times = {"started_at": iso_time(saved.started_at), "saved_at": iso_time(saved.saved_at)}
    return vars(saved) | times


def describe(row: JobRow, state: str, saved: SavedProgress | None) -> dict[str, Any]:
    """A job as `--json` shows it; times are UTC."""
    return {
        "job_id": row.id,
        "title": row.title,
        "state": state,
        "exports": row.options.get("exports", []),
        "output": row.options.get("output", ""),
        "created_at": iso_time(row.created_at),
        "updated_at": iso_time(row.updated_at),
        "progress": describe_progress(saved),
        "error": error_now(row, time.time()),
    }


def error_now(row: JobRow, now: float) -> dict[str, Any] | None:
    """Why a job stopped, as it is to be read at `now`: a time to wait for that has passed is not waited for any more."""
    until = ((row.report or {}).get("error") or {}).get("resume_after") if row.error else None
    if not row.error or not until or datetime.datetime.fromisoformat(until).timestamp() > now:
        return row.error
    return {**row.error, "hint": f"framekeep resume {row.id}"}


def iso_time(unix_s: float) -> str:
    """A moment as programs read it."""
    return datetime.datetime.fromtimestamp(unix_s, datetime.UTC).isoformat(timespec="milliseconds")


def local_time(unix_s: float) -> str:
    """A moment as people here read it."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(unix_s))
