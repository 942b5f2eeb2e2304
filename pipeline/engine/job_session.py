"""Owning a job while it runs, and where its segments stand meanwhile."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from checkpoints.job_states import OPEN_STATES
from checkpoints.ownership.locks import job_lock
from checkpoints.store.store import Store
from config.errors import ResourceError
from config.settings import Settings
from pipeline.engine.job_run import JobRun
from pipeline.events import Bus
from pipeline.home import Home
from pipeline.job.naming import job_id
from pipeline.job.options import JobOptions, kept_options
from pipeline.report import Result
from pipeline.resilience.breakers.registry import Breakers
from pipeline.resilience.call_limits import Restraints
from stages.base import CancelToken
from stages.models import Brief


class Session:
    """Runs a job once. `bus` hears of everything; `cancel` stops it."""

    def __init__(
        self,
        home: Home,
        settings: Settings,
        bus: Bus,
        breakers: Breakers,
        cancel: CancelToken,
        restraints: Restraints | None = None,
    ) -> None:
        self.home = home
        self.settings = settings
        self.bus = bus
        self.breakers = breakers
        self.restraints = restraints
        self.cancel = cancel

    def run(
        self, brief: Brief, options: JobOptions, *, restore_quality: bool = False, resuming: bool = False
    ) -> Result:
        """Make what the brief asks for, as far as it is not there already.

        An unfinished job is gone on with, unless settings say that only one who is `resuming` wants that.

        Raises UsageError and BusyError, which leave no trace; every other end is a Result.
        """
        job = job_id(brief, options)
        try:
            with job_lock(self.home.locks, job):
                known = self.home.ledger.job(job)
                is_open = known is not None and known.state in OPEN_STATES
                begin_anew = is_open and not resuming and not self.settings.resilience.state_persistence.auto_resume
                if known and not restore_quality and not begin_anew:
                    options = kept_options(known.options)
                with self._shelf() as shelf:
                    run = JobRun(self, job, brief, options, insist=restore_quality, begin_anew=begin_anew, shelf=shelf)
                    return run.go()
        except ResourceError as error:
            # It ended before there was anything to resume.
            error.hint = error.hint.replace("framekeep resume --all", "run the same command again")
            raise

    @contextlib.contextmanager
    def _shelf(self) -> Iterator[Store | None]:
        """Where segments stand until their video is finished, if they are not to outlive the run before."""
        if self.settings.rendering.checkpoints.enabled:
            yield None
            return
        with self.home.store.scratch() as folder:
            yield Store(folder)
