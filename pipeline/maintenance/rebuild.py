"""Making a ledger again from the store: `framekeep doctor --rebuild`.

The store holds each job's note and each result's record, with checksums; what they prove is restored, after every artifact has been
read. The ledger alone held the history (calls, warnings, events), the circuits, and which paid calls had no answer yet: these are
lost with it. A ledger that is whole is completed, not replaced. One that is not is kept beside the new one.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from checkpoints.files import mapping_errors, replace_durably, sync_folder
from checkpoints.job_states import OPEN_STATES
from checkpoints.ledger.database import LedgerLockedError, version_of
from checkpoints.ledger.mirrored import NotedLedger
from checkpoints.ledger.schema import VERSION
from checkpoints.ownership.locks import job_lock
from checkpoints.records import Record
from config.errors import BusyError, FramekeepError, StoreError, UsageError
from config.settings import Settings
from pipeline.home import Home
from pipeline.job.options import kept_options
from pipeline.planning.plan import Plan
from pipeline.planning.toolbox import Toolbox
from stages.brief import brief_from_canonical
from stages.models import Model

State = Literal["missing", "damaged", "sound"]

# Files that SQLite keeps beside a database; the first is the database.
_PARTS = ("", "-wal", "-shm", "-journal")
_BATCH = 200
_LOST = (
    "the history of calls, warnings and events",
    "the state of the circuits",
    "which paid calls were still without an answer",
)
# Where the ledger is whole and lacked jobs: another may have been begun in the place of one that was lost.
_LOST_OF_JOBS = (
    "the history of these jobs' calls, warnings and events",
    "which paid calls of theirs were still without an answer",
)


class RebuildReport(Model):
    """What was restored and what could not be. `ledger` says how the old one was found, `kept_aside` where it is now.

    `jobs` were restored, `resumable` of them are not finished. `damaged` are results with an artifact that is missing or altered:
    they are made again when a job needs them. `unreadable` are notes and records that fail their checksum.
    """

    ledger: State
    kept_aside: tuple[Path, ...] = ()
    jobs: tuple[str, ...] = ()
    resumable: tuple[str, ...] = ()
    results: int = 0
    damaged: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    not_restored: tuple[str, ...] = ()


def rebuild(home: Home, settings: Settings, *, now: float) -> RebuildReport:
    """Restore a home's ledger. `settings` tell which results belong to which job, as far as they are those of its run.

    Raises UsageError where there is nothing to restore from, BusyError while a run is going, StoreError for the ledger of a newer
    Framekeep.
    """
    if not (home.root / "store").is_dir():
        raise UsageError(f"There is no store in {home.root} to make a ledger from", hint="choose another --home")
    with _alone(home):
        home.close()
        state = state_of_ledger(home)
        if state == "sound":
            try:
                report = _fill(home, home.ledger, settings, state)
            finally:
                home.close()
            return report.model_copy(update={"not_restored": _LOST_OF_JOBS if report.jobs else ()})
        fresh = home.ledger_file.with_name(f"{home.ledger_file.name}.rebuilt")
        _remove(fresh)
        try:
            ledger = NotedLedger(fresh, home.notes)
            try:
                report = _fill(home, ledger, settings, state)
            finally:
                ledger.close()
            with _sole_preparer(home.ledger_file):
                aside = _set_aside(home.ledger_file, now)
                with mapping_errors(fresh):
                    replace_durably(fresh, home.ledger_file, "rebuild")
        finally:
            _remove(fresh)
    return report.model_copy(update={"kept_aside": aside, "not_restored": _LOST})


def state_of_ledger(home: Home) -> State:
    """How a home's ledger is. Raises StoreError for one of a newer Framekeep."""
    path = home.ledger_file
    if not path.exists():
        return "missing"
    version = version_of(path)
    if version > VERSION:
        raise StoreError(
            f"The ledger {path} was written by a newer Framekeep (schema {version}; this one knows {VERSION})",
            hint="upgrade Framekeep, or use another --home",
        )
    if not os.access(path, os.R_OK | os.W_OK):
        raise StoreError(
            f"The ledger {path} is not yours to read and write", hint="run as its owner, or use another --home"
        )
    if not version and path.stat().st_size:
        return "damaged"
    try:
        return "sound" if home.ledger.is_sound() else "damaged"
    except LedgerLockedError:
        raise
    except StoreError:
        return "damaged"
    finally:
        home.close()


@contextlib.contextmanager
def _alone(home: Home) -> Iterator[None]:
    """Own every job of the home. Raises BusyError."""
    with contextlib.ExitStack() as stack:
        names = {path.stem for path in home.locks.glob("*.lock")} | {note.id for note in home.notes.all()}
        for job in sorted(names):
            try:
                stack.enter_context(job_lock(home.locks, job))
            except BusyError as error:
                raise BusyError(
                    f"The ledger cannot be made again while a run is going: {error.message}",
                    hint="wait for it or stop it, then: framekeep doctor --rebuild",
                ) from error
        yield


@contextlib.contextmanager
def _sole_preparer(path: Path) -> Iterator[None]:
    """Whoever wants to make a new ledger waits meanwhile. Raises BusyError."""
    lock = FileLock(path.with_name(f"{path.name}.lock"))
    with contextlib.ExitStack() as stack:
        with mapping_errors(path):
            try:
                stack.enter_context(lock.acquire(timeout=1))
            except Timeout:
                raise BusyError(
                    f"Another process is preparing the ledger {path}", hint="framekeep doctor --rebuild"
                ) from None
        yield


def _fill(home: Home, ledger: NotedLedger, settings: Settings, state: State) -> RebuildReport:
    notes = list(home.notes.all())
    restored = [note for note in notes if ledger.restore(note)]
    sound, damaged = _results(home, ledger)
    rows = {row.id: row for row in ledger.jobs()}
    for note in restored:
        # A job whose files or settings have changed is walked as far as that goes; the rest is kept for it by the clean-up.
        with contextlib.suppress(FramekeepError):
            _assign_steps(ledger, settings, note.id)
    return RebuildReport(
        ledger=state,
        jobs=tuple(note.id for note in restored),
        resumable=tuple(note.id for note in restored if rows[note.id].state in OPEN_STATES),
        results=sound,
        damaged=tuple(damaged),
        unreadable=(*home.notes.unreadable(), *home.store.unreadable_records()),
    )


def _results(home: Home, ledger: NotedLedger) -> tuple[int, list[str]]:
    """Take over the records whose artifacts all verify and that the ledger does not have; how many, and which do not verify."""
    known = {record.key for record, _ in ledger.results.all()}
    taken, damaged, batch = 0, [], []
    for record in home.store.records():
        if record.key in known:
            continue
        if not all(home.store.verify(artifact) for artifact in record.artifacts.values()):
            damaged.append(f"{record.stage} {record.key[:12]}")
            continue
        batch.append((record, home.store.written_at(record.key)))
        if len(batch) == _BATCH:
            taken += _adopt(ledger, batch)
    return taken + _adopt(ledger, batch), damaged


def _adopt(ledger: NotedLedger, batch: list[tuple[Record, float]]) -> int:
    ledger.restore_results(batch)
    count = len(batch)
    batch.clear()
    return count


def _assign_steps(ledger: NotedLedger, settings: Settings, job: str) -> None:
    """Note which results are a job's, walking its plan as far as they lead."""
    row = ledger.job(job)
    assert row
    brief = brief_from_canonical(row.brief)
    plan = Plan(brief, kept_options(row.options), settings, Toolbox(brief, settings))
    found: list[tuple[str, str, int, Record]] = []
    try:
        todo = plan.start()
        while todo:
            step = todo.pop()
            if record := ledger.results.get(step.key):
                found.append((step.id, step.stage, step.scene, record))
                todo.extend(plan.done(step, record))
    finally:
        ledger.steps_reused(job, found)


def _set_aside(path: Path, now: float) -> tuple[Path, ...]:
    """Rename a ledger's files so that the date stands in their names."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(now))
    kept: list[Path] = []
    with mapping_errors(path):
        number = 0
        while True:
            name = f"{path.name}.damaged-{stamp}" + (f"-{number}" if number else "")
            if not any(path.with_name(f"{name}{part}").exists() for part in _PARTS):
                break
            number += 1
        # The write-ahead log first: a ledger without its log is torn, a log without its ledger is nothing.
        for part in reversed(_PARTS):
            source = path.with_name(f"{path.name}{part}")
            if source.exists():
                kept.insert(0, source.rename(path.with_name(f"{name}{part}")))
        sync_folder(path.parent)
    return tuple(kept)


def _remove(fresh: Path) -> None:
    with mapping_errors(fresh):
        for part in (*_PARTS, ".lock"):
            fresh.with_name(f"{fresh.name}{part}").unlink(missing_ok=True)
