"""The public face: `Pipeline(settings).render(brief)`. The command line calls nothing else."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from checkpoints.job_states import OPEN_STATES, JobState
from checkpoints.ledger.circuits import Circuits
from checkpoints.ledger.ledger import JobRow
from checkpoints.ledger.refusals import Refusals
from checkpoints.ownership.locks import is_locked
from config.errors import FramekeepError, UsageError
from config.loader import load_settings
from config.paths import expanded
from config.redaction import SECRETS
from config.settings import Settings
from pipeline.batch import BatchItem, BatchResult, run_batch, run_each
from pipeline.engine.asked_work import Wish, asked_for
from pipeline.engine.job_session import Session
from pipeline.events import Bus, Event, Listener
from pipeline.home import Home
from pipeline.job.only_failed import Again, Filter, choose, source_of
from pipeline.job.options import DEFAULT_OUTPUT, check_exports, kept_options
from pipeline.maintenance.lost_jobs import TAKEN_UP, lost_error, lost_jobs, take_up
from pipeline.observability.logs import log_event, set_levels
from pipeline.report import Result, result_of
from pipeline.resilience.breakers.registry import Breakers
from pipeline.resilience.call_limits import Restraints
from stages.base import CancelToken
from stages.brief import brief_from_canonical, canonical, load_brief
from stages.models import Brief


class Pipeline:
    """Renders briefs, and goes on with what was interrupted.

    `home` is the folder of all state (default: `FRAMEKEEP_HOME`, else the platform's user data folder). `on_event` hears of
    everything as it happens, on the thread on which it happens; one that raises is not called again. One pipeline may be
    used again and again, by one thread at a time; `cancel` may be called from any thread, and is for good.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        home: Path | str | None = None,
        on_event: Listener | None = None,
    ) -> None:
        self.settings = settings or load_settings(folder=Path.cwd()).settings
        SECRETS.learn_environment(os.environ)
        self.home = Home(Path(home) if home else None)
        self._listener = on_event
        set_levels(self.settings.logging)
        self._cancel = CancelToken()
        shaken = self.settings.testing.is_on
        self._breakers = Breakers(circuits=None if shaken else Circuits(self.home.ledger_file))
        self._restraints = Restraints.of_home(self.home.ledger_file, self.home.limits, shaken=shaken)

    def __enter__(self) -> Pipeline:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the ledger."""
        self._breakers.close()
        self._restraints.close()
        self.home.close()

    def cancel(self, reason: str = "stopped on request") -> None:
        """Stop what is running: children are killed, finished work is kept, the job stays resumable.

        A pipeline that was cancelled starts nothing more: to go on, make another.
        """
        self._cancel.cancel(reason)

    def render(
        self,
        brief: Brief | Path | str,
        *,
        exports: Sequence[str] | None = None,
        output: Path | str | None = None,
        quality: str = "",
        restore_quality: bool = False,
        stem: str = "",
    ) -> Result:
        """Make a brief's videos, as far as they are not there already.

        `brief` is a `Brief` or the path of one. `exports` default to the brief's, else `youtube`; `output` is a folder, by
        default `videos` in the working directory; `quality` is the level to start at; `restore_quality` makes again, as it was
        asked for, what a shortage or a fallback made worse; `stem` begins the files' names (default: the brief's name).

        Raises BriefError, UsageError or BusyError for what cannot be started; every other end is in the Result.
        """
        loaded, options = asked_for(self.settings, brief, Wish(exports, output, quality, stem))
        result = self._session().run(loaded, options, restore_quality=restore_quality)
        if not isinstance(brief, Brief):
            # It is a job now, whatever became of it.
            Refusals(self.home.ledger).forget(source_of(Path(brief)))
        return result

    def resume(self, job_id: str | None = None) -> Result:
        """Go on with a job: the named one, else the latest that is not finished. Raises UsageError when there is none."""
        self._take_up_lost()
        row = self.job(job_id) if job_id else self._latest_open()
        return self._resume(row)

    def resume_all(self) -> list[Result]:
        """Go on with every job that is not finished and that nobody works on, oldest first.

        One that cannot go on does not stop the others.
        """
        self._take_up_lost()
        results = []
        for row in reversed(self._open_jobs()):
            if self._cancel.cancelled:
                break
            results.append(self._resume_or_report(row))
        return results

    def batch(
        self,
        briefs: Iterable[Brief | Path | str],
        *,
        exports: Sequence[str] | None = None,
        output: Path | str | None = None,
        quality: str = "",
        on_item: Callable[[BatchItem], None] = lambda item: None,
    ) -> BatchResult:
        """Render several briefs, one after the other; one that fails does not stop the others.

        `on_item` is called as each has ended.
        """

        def render(brief: Brief | Path | str, stem: str) -> Result:
            try:
                return self.render(brief, exports=exports, output=output, quality=quality, stem=stem)
            except UsageError as error:
                if not isinstance(brief, Brief):
                    self._note_refusal(Path(brief), exports, output, quality, stem, error)
                raise

        return run_batch(list(briefs), render, lambda: self._cancel.cancelled, on_item)

    def retry_failed(
        self,
        briefs: Iterable[Path | str] | None = None,
        *,
        exports: Sequence[str] | None = None,
        output: Path | str | None = None,
        on_item: Callable[[BatchItem], None] = lambda item: None,
    ) -> BatchResult:
        """Run again what failed, is parked or degraded, and the briefs that a batch could not even start; nothing else.

        Of all jobs of this home, or of those whose briefs are named, that make one of `exports`, that write into `output`. A
        named brief is read again and may have been corrected; the rest is as it was asked for.
        """
        named = None if briefs is None else tuple(Path(brief) for brief in briefs)
        folder = None if output is None else expanded(Path(output)).absolute()
        wanted = Filter(named, frozenset(exports or ()), folder)
        again = choose(self.jobs(), Refusals(self.home.ledger).all(), wanted)
        result = run_each(
            [(item.name, functools.partial(self._run_again, item)) for item in again],
            lambda: self._cancel.cancelled,
            on_item,
        )
        untouched = {source_of(path) for path in named or ()} - {
            source_of(item.path) for item in again if item.path is not None
        }
        return result.model_copy(update={"untouched": len(untouched)})

    def stream(self, brief: Brief | Path | str, **options: Any) -> Iterator[Event]:
        """Render, handing out events as they come; takes what `render` takes. The last event carries the whole result.

        Leaving the loop early stops the run; it stays resumable. Raises what `render` raises.
        """
        events: queue.SimpleQueue[Event | BaseException | None] = queue.SimpleQueue()
        worker = Pipeline(self.settings, home=self.home.root, on_event=events.put)
        worker._cancel = CancelToken(self._cancel)
        worker._breakers = self._breakers
        worker._restraints = self._restraints

        def work() -> None:
            try:
                with worker:
                    worker.render(brief, **options)
                events.put(None)
            except BaseException as error:  # noqa: BLE001 - handed over to the thread that reads the events
                events.put(error)

        thread = threading.Thread(target=work, name="framekeep-stream")
        thread.start()
        try:
            while (item := events.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            worker.cancel("its events are no longer read")
            thread.join()
            worker._cancel.close()

    def jobs(self) -> list[JobRow]:
        """All jobs of this home, the latest first."""
        return [self._as_it_is(row) for row in self.home.ledger.jobs()]

    def job(self, job_id: str) -> JobRow:
        """One job; a beginning of its id will do where only one fits. Raises UsageError."""
        if exact := self.home.ledger.job(job_id):
            return self._as_it_is(exact)
        fitting = [row for row in self.home.ledger.jobs() if row.id.startswith(job_id)]
        if len(fitting) == 1:
            return self._as_it_is(fitting[0])
        if not fitting and (lost := [note for note in lost_jobs(self.home) if note.id.startswith(job_id)]):
            raise lost_error(lost)
        problem = "fits several jobs" if fitting else "is not the id of a job"
        raise UsageError(f"'{job_id}' {problem}", hint="framekeep jobs")

    def _session(self) -> Session:
        bus = Bus(log_event, *([self._listener] if self._listener else []))
        return Session(self.home, self.settings, bus, self._breakers, self._cancel, self._restraints)

    def _latest_open(self) -> JobRow:
        rows = self._open_jobs()
        if not rows:
            raise UsageError("No job waits to be resumed", hint="framekeep jobs")
        return rows[0]

    def _take_up_lost(self) -> None:
        """Whatever became of the ledger, and however early a run was killed: a job that the store knows is gone on with."""
        bus = Bus(log_event, *([self._listener] if self._listener else []))
        for job_id in take_up(self.home):
            bus.send("warning", job_id, step="", scene=0, message=TAKEN_UP)

    def _open_jobs(self) -> list[JobRow]:
        return [row for row in self.home.ledger.jobs(OPEN_STATES) if not is_locked(self.home.locks, row.id)]

    def _as_it_is(self, row: JobRow) -> JobRow:
        """A job whose process was killed still says `running` in the ledger; its lock tells that nobody runs it."""
        if row.state in (JobState.QUEUED, JobState.RUNNING) and not is_locked(self.home.locks, row.id):
            return dataclasses.replace(row, state=JobState.INTERRUPTED)
        return row

    def _resume(self, row: JobRow, *, restore_quality: bool = False) -> Result:
        brief = brief_from_canonical(row.brief)
        options = kept_options(row.options)
        check_exports(self.settings, options.exports)
        if restore_quality:
            options = options.as_asked()
        try:
            return self._session().run(brief, options, restore_quality=restore_quality, resuming=True)
        except FramekeepError as error:
            error.job_id = row.id
            raise

    def _run_again(self, item: Again) -> Result:
        if item.refusal:
            asked = item.refusal.options
            given = {name: asked[name] for name in ("exports", "output", "quality", "stem")}
            return self.render(Path(asked["path"]), **given)
        assert item.row
        assert item.options
        restore_quality = item.row.state == JobState.DEGRADED
        if item.path is None:
            return self._resume(item.row, restore_quality=restore_quality)
        options = item.options
        # Read again: whoever names the brief may have corrected it.
        brief = load_brief(item.path)
        check_exports(self.settings, options.exports)
        if restore_quality or canonical(brief) != item.row.brief:
            options = options.as_asked()
        return self._session().run(brief, options, restore_quality=restore_quality, resuming=True)

    def _note_refusal(
        self,
        brief: Path,
        exports: Sequence[str] | None,
        output: Path | str | None,
        quality: str,
        stem: str,
        error: UsageError,
    ) -> None:
        """A batch's brief that is no job: `retry_failed` finds it by this."""
        folder = expanded(Path(output) if output else Path.cwd() / DEFAULT_OUTPUT).absolute()
        asked = {
            "path": str(brief.absolute()),
            "exports": [exports] if isinstance(exports, str) else list(exports or ()),
            "output": str(folder),
            "quality": quality,
            "stem": stem,
        }
        with contextlib.suppress(FramekeepError):
            Refusals(self.home.ledger).note(source_of(brief), asked, error, time.time())

    def _resume_or_report(self, row: JobRow) -> Result:
        try:
            return self._resume(row)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other jobs go on
            return result_of(error, row.id)
