"""What the doctor finds in a home: its clock, its ledger, its store, and whom it leaves alone for a while."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from config.errors import FramekeepError, StoreError
from pipeline.health.doctor import Finding, Findings
from pipeline.home import Home

if TYPE_CHECKING:
    from config.settings import Settings

_GB = 1_000_000_000
# No clock of a machine that runs this can stand before.
_YEAR_2025 = 1_735_689_600
_UNREADABLE = "not checked: the ledger cannot be read"


def check_clock(home: Home, now: float) -> Findings:
    """Whether the clock can be right: ages and provider rests are counted by it."""
    newest = 0.0
    if (home.root / "ledger.db").exists():
        # A ledger that cannot be read is no fault of the clock; it has a check of its own.
        with contextlib.suppress(FramekeepError):
            newest = max((row.updated_at for row in home.ledger.jobs()), default=0.0)
    when = time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(now))
    if now < _YEAR_2025:
        yield Finding("clock", "fail", f"it says {when}: encrypted connections will fail", "set the machine's clock")
    elif now < newest - 60:
        last = time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(newest))
        yield Finding("clock", "warn", f"it says {when}, but a job ran at {last}", "set the machine's clock")
    else:
        yield Finding("clock", "ok", when)


def check_ledger(home: Home) -> Findings:
    """Whether the ledger opens, is whole, and what waits in it."""
    from checkpoints.job_states import OPEN_STATES
    from checkpoints.ledger.database import driver, wal_is_sound
    from checkpoints.ownership.locks import is_locked
    from pipeline.maintenance.lost_jobs import lost_jobs, sentence

    version = driver().sqlite_version_info
    journal = (
        "write-ahead log" if wal_is_sound(version) else "rollback journal: this version's write-ahead log is unsafe"
    )
    name = f"SQLite {'.'.join(map(str, version))} ({journal})"
    if not (home.root / "ledger.db").exists():
        if lost := lost_jobs(home):
            yield Finding(
                "ledger",
                "fail",
                f"{home.ledger_file} is gone, and with it {len(lost)} jobs",
                "framekeep doctor --rebuild",
            )
        else:
            yield Finding("ledger", "ok", f"none yet; {name}")
        return
    if not home.ledger.is_sound():
        yield Finding("ledger", "fail", f"{home.ledger.path} is damaged", "framekeep doctor --rebuild")
        return
    rows = home.ledger.jobs()
    if lost := lost_jobs(home):
        yield Finding("ledger", "warn", sentence(lost), "framekeep doctor --rebuild")
    waiting = [row for row in rows if row.state in OPEN_STATES and not is_locked(home.locks, row.id)]
    yield Finding("ledger", "ok", f"{len(rows)} jobs, {len(waiting)} to be resumed; {name}")


def check_store(home: Home, *, deep: bool) -> Findings:
    """Whether every artifact that a result names is there in its size, or, deep, with its hash."""
    from checkpoints.keys import file_digest

    if not (home.root / "store").exists() or not (home.root / "ledger.db").exists():
        yield Finding("store", "ok", "none yet")
        return
    named = {item.digest: item.size for record, _ in home.ledger.results.all() for item in record.artifacts.values()}
    bad, total = 0, 0
    for digest, size in named.items():
        path = home.store.path(digest)
        try:
            total += path.stat().st_size
            bad += path.stat().st_size != size or (deep and file_digest(path)[0] != digest)
        except OSError:
            bad += 1
    checked = "hashes read" if deep else "sizes checked"
    if bad:
        yield Finding(
            "store",
            "warn",
            f"{bad} of {len(named)} artifacts are missing or damaged ({checked})",
            "nothing to do: what a job needs is made again when it runs",
        )
    else:
        yield Finding("store", "ok", f"{len(named)} artifacts, {total / _GB:.2f} GB, {checked}")


def check_circuits(home: Home) -> Findings:
    """Which circuits are not closed, and what comes next."""
    from checkpoints.ledger.circuits import CLOSED, Circuits
    from checkpoints.ownership.clocks import Timeline
    from pipeline.resilience.breakers.registry import state_name
    from pipeline.resilience.cooldowns import clock_time

    if not home.ledger_file.exists():
        yield Finding("circuits", "ok", "all are closed")
        return
    circuits, now = Circuits(home.ledger_file), Timeline().now()
    try:
        # Brings an older ledger to this version's tables.
        _ = home.ledger
        rows = [row for row in circuits.all(now) if row.state != CLOSED]
    except StoreError:
        yield Finding("circuits", "skip", _UNREADABLE)
        return
    finally:
        circuits.close()
    for row in rows:
        left_s = row.break_left_s(now)
        at = clock_time(now.wall_s + left_s + 0.999)
        when = f"not asked before {at} (in {left_s:.0f} s)" if left_s > 0 else "tested by the next call"
        hint = f"framekeep breakers --reset {row.name}; then: framekeep resume --all"
        yield Finding(
            "circuits",
            "warn",
            f"{row.name} is {state_name(row, now)} after {row.failures} failures: {when}",
            f"wait until {at}, or: {hint}" if left_s > 0 else hint,
            row.name.rpartition("-")[0],
            "Degraded",
        )
    if not rows:
        yield Finding("circuits", "ok", "all are closed")


def check_rests(home: Home, settings: Settings) -> Findings:
    """Which providers rest, until when and why; a rest of an account that is no longer in the settings is none."""
    from checkpoints.ledger.cooldowns import RestRows
    from checkpoints.ownership.clocks import Timeline
    from pipeline.health.findings import health_at_rest
    from pipeline.resilience.cooldowns import Rests, account_in_use, is_of, until

    if not home.ledger_file.exists():
        yield Finding("rests", "ok", "nobody rests")
        return
    rests, now = Rests(RestRows(home.ledger_file)), Timeline().now()
    try:
        _ = home.ledger
        rows = [row for row in rests.all() if is_of(row, account_in_use(settings, row.provider))]
    except StoreError:
        yield Finding("rests", "skip", _UNREADABLE)
        return
    finally:
        rests.close()
    for row in rows:
        message = f"{row.provider} rests {until(row, now)}: {row.message}"
        yield Finding("rests", "warn", message, rests.refused(row).hint, row.provider, health_at_rest(row.kind))
    if not rows:
        yield Finding("rests", "ok", "nobody rests")
