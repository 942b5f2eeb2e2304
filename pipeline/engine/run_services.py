"""What stands around a run while it works: its limit of time, its saved progress, and whoever hears of the guard's doings."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

from checkpoints.ledger.job_progress import forget_progress
from checkpoints.ledger.ledger import Ledger
from config.errors import CancelledError, OutOfTimeError
from config.settings import Settings
from pipeline.engine.progress_saver import Saver
from pipeline.events import Bus
from pipeline.health.monitor import HealthWatch
from pipeline.observability.alerts import Alerts
from pipeline.observability.telemetry import Telemetry
from pipeline.planning.toolbox import Toolbox
from pipeline.resilience.breakers.registry import Breakers
from pipeline.resilience.guard import Guard
from stages.base import CancelToken


@contextlib.contextmanager
def watched(job: str, ledger: Ledger, settings: Settings, bus: Bus, breakers: Breakers) -> Iterator[Telemetry]:
    """What hears of the guard's doings, circuits included; alerts that wait are sent at the end."""
    alerts = Alerts(settings.monitoring)
    telemetry = Telemetry(job, settings.monitoring.resilience, ledger, bus, alerts)
    breakers.tell(lambda line: bus.send("circuit", job, message=line), on_change=telemetry.circuit_changed)
    try:
        yield telemetry
    finally:
        telemetry.flush()
        alerts.close()


@contextlib.contextmanager
def tended(guard: Guard, toolbox: Toolbox, telemetry: Telemetry) -> Iterator[None]:
    """Look after the services and ffmpeg meanwhile, if that is wanted."""
    watch = HealthWatch(guard, toolbox, telemetry)
    watch.start()
    try:
        yield
    finally:
        watch.stop()


@contextlib.contextmanager
def saving(job: str, ledger: Ledger, settings: Settings, bus: Bus) -> Iterator[None]:
    """Keep what the ledger says of this run's progress fresh, if that is wanted."""
    wanted = settings.resilience.state_persistence
    if not wanted.enabled:
        # What an earlier run saved is not how far this one is.
        forget_progress(ledger, job)
        yield
        return
    saver = Saver(ledger, job, wanted.save_interval_s)
    bus.subscribe(saver.take)
    saver.start()
    try:
        yield
    finally:
        saver.stop()


@contextlib.contextmanager
def deadline(job: str, settings: Settings, cancel: CancelToken) -> Iterator[CancelToken]:
    """A token that is set when the job's time is up. Raises OutOfTimeError where that is what stopped the block."""
    limit_s = settings.job_timeout_s
    token = CancelToken(cancel)
    timer = threading.Timer(limit_s, token.cancel, ["the job's time is up"]) if limit_s else None
    if timer:
        timer.daemon = True
        timer.start()
    try:
        yield token
    except CancelledError as error:
        if cancel.cancelled:
            raise
        raise OutOfTimeError(
            f"Job {job}: the job timeout of {limit_s:g} s ran out",
            hint=f"framekeep resume {job}; a longer limit: {settings.job_timeout_setting} (milliseconds, 0 for none)",
        ) from error
    finally:
        if timer:
            timer.cancel()
        token.close()


def usable_cores() -> int:
    """Cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
