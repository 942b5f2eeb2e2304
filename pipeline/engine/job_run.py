"""One run of one job that is owned: what is there already, preflight, the loop, delivery, and what is said at the end."""

from __future__ import annotations

import contextlib
import functools
import re
import time
from typing import TYPE_CHECKING, get_args

from checkpoints.digests import INSTALLED
from checkpoints.job_states import JobState
from checkpoints.keys import step_key
from checkpoints.ledger.purchases import Purchases
from checkpoints.records import Record
from checkpoints.store.store import Store
from config.errors import FramekeepError, SupersededError, UsageError
from pipeline.engine.delivery import deliver
from pipeline.engine.last_resort import is_allowed
from pipeline.engine.output_claims import give_way, refuse_foreign_files, supersede
from pipeline.engine.preflight import check_input, check_output, check_space, notices
from pipeline.engine.run_services import deadline, saving, tended, usable_cores, watched
from pipeline.engine.scheduler import Runner, Tally
from pipeline.engine.step_executor import Executor
from pipeline.engine.step_results import RENDER_STAGES, StepResults
from pipeline.events import Event
from pipeline.job.options import JobOptions
from pipeline.observability.telemetry import Telemetry
from pipeline.planning import step_keys
from pipeline.planning.plan import Plan
from pipeline.planning.steps import StageName, Step
from pipeline.planning.toolbox import Toolbox
from pipeline.report import (
    AttemptCounter,
    Output,
    PossibleCharge,
    Result,
    StepCount,
    error_report,
    possible_charges,
    status_of,
)
from pipeline.resilience.guard import Guard
from stages.brief import canonical
from stages.models import Brief, Degradation, Music, Visual
from stages.process_memory import uncollected

if TYPE_CHECKING:
    from pipeline.engine.job_session import Session

_ANEW = "This job was not finished and is begun anew, as Resilience.StatePersistence.AutoResume is off"
_BARE_RESUME = re.compile(r"framekeep resume\b(?! [\w-])")


class JobRun:
    """The state of one run."""

    def __init__(
        self,
        session: Session,
        job: str,
        brief: Brief,
        options: JobOptions,
        *,
        insist: bool,
        begin_anew: bool = False,
        shelf: Store | None = None,
    ) -> None:
        self._job = job
        self._brief = brief
        self._options = options
        self._home = session.home
        self._settings = session.settings
        self._bus = session.bus
        self._breakers = session.breakers
        self._restraints = session.restraints
        self._cancel = session.cancel
        INSTALLED.keep_in(self._home.digests)
        self._toolbox = Toolbox(brief, self._settings)
        self._begin_anew = begin_anew
        self._started = time.monotonic()
        self._attempts = AttemptCounter()
        self._warnings: dict[str, None] = {}
        self._bus.subscribe(self._count)
        self._checkpoints = StepResults(
            self._home.ledger,
            self._home.store,
            self._repaired,
            insist=insist,
            accepts=self._may_use,
            anew=self._stages_to_redo(),
            shelf=shelf,
        )

    def _count(self, event: Event) -> None:
        if event.job_id != self._job:
            return
        if event.kind == "attempt":
            self._attempts.note(event.data)
        elif event.kind == "warning":
            scene = f"scene {event.data['scene']}: " if event.data["scene"] else ""
            self._warnings[f"{scene}{event.data['message']}"] = None

    def _may_use(self, record: Record) -> bool:
        """What stood in for a provider that failed serves the job that it was made for, while settings allow it."""
        return not record.stand_in or (record.key in self._own_keys and is_allowed(record, self._settings))

    @functools.cached_property
    def _own_keys(self) -> set[str]:
        """What this job's earlier runs came to."""
        return {step.key for step in self._home.ledger.steps(self._job)}

    def _stages_to_redo(self) -> set[str]:
        """Stages that settings want anew: all, those that render, or those of which a step failed in this job's last run."""
        if self._begin_anew:
            return set(get_args(StageName))
        stages = set() if self._settings.rendering.checkpoints.resume_from_checkpoint else set(RENDER_STAGES)
        if not self._settings.resilience.partial_success.retry_failed_only:
            stages.update(step.stage for step in self._home.ledger.steps(self._job) if step.state == "failed")
        return stages

    def _repaired(self, step: Step, what: str) -> None:
        data = {"step": step.id, "stage": step.stage, "scene": step.scene, "artifact": what}
        self._home.ledger.event(self._job, "repaired", data)
        self._bus.send("repaired", self._job, **data)

    def go(self) -> Result:
        """Nothing where all is there; else preflight, the loop, delivery."""
        refuse_foreign_files(self._home, self._job, self._options)
        try:
            finished = None if self._begin_anew else self._finished_plan()
        except UsageError:
            # An unknown name, say: preflight tells it together with all else that is wrong.
            check_input(self._brief, self._options, self._toolbox, self._is_taken)
            raise
        if finished:
            return self._already_done(finished)
        check_input(self._brief, self._options, self._toolbox, self._is_taken)
        ledger = self._home.ledger
        ledger.put_job(self._job, self._brief.title, canonical(self._brief), self._options.canonical())
        ledger.set_state(self._job, JobState.RUNNING)
        supersede(self._home, self._job, self._options)
        self._home.store.sweep()
        self._bus.send(
            "job_started",
            self._job,
            title=self._brief.title,
            exports=list(self._options.exports),
            output=str(self._options.output),
        )
        for message in self._of_the_brief():
            self._warn(message, source="brief")
        for message in [*([_ANEW] if self._begin_anew else []), *notices(self._brief, is_taken=self._is_taken)]:
            self._warn(message)
        return self._work()

    def _warn(self, message: str, **more: str) -> None:
        told = {"step": "", "scene": 0, "message": message, **more}
        self._home.ledger.event(self._job, "warning", told)
        self._bus.send("warning", self._job, **told)

    def _of_the_brief(self) -> list[str]:
        """What the brief holds and the film does not. A job that is resumed has this from the run that read the brief."""
        if self._brief.warnings:
            return list(self._brief.warnings)
        told = [event.data for event in self._home.ledger.events(self._job) if event.kind == "warning"]
        return list(dict.fromkeys(str(data["message"]) for data in told if data.get("source") == "brief"))

    def _is_taken(self, item: Visual | Music) -> bool:
        """Whether an earlier run took a file of these very bytes."""
        if isinstance(item, Music):
            step = Step("music", "music", 0, step_key("music", step_keys.music(item)), item)
        else:
            step = Step("images", "images", 0, step_key("images", step_keys.visual(item)), item)
        return self._checkpoints.recall(step) is not None

    @uncollected()
    def _finished_plan(self) -> tuple[Plan, Tally] | None:
        """The plan walked by its records alone, if that leads to finished files that verify."""
        plan = self._plan()
        tally, todo = Tally(), plan.start()
        while todo:
            step = todo.pop()
            record = self._checkpoints.recall(step, finished=True)
            if record is None:
                return None
            tally.reused += 1
            if record.degradations:
                tally.degradations[step.id] = [
                    Degradation.model_validate(item).model_copy(update={"scene": step.scene})
                    for item in record.degradations
                ]
            todo.extend(plan.done(step, record))
        finals = [export.final for export in plan.exports.values() if export.final]
        sound = all(self._home.store.verify(artifact) for final in finals for artifact in final.artifacts.values())
        return (plan, tally) if plan.finished and sound else None

    def _plan(self) -> Plan:
        return Plan(self._brief, self._options, self._settings, self._toolbox)

    def _already_done(self, finished: tuple[Plan, Tally]) -> Result:
        plan, tally = finished
        check_output(self._options.output)
        for message in self._of_the_brief():
            self._bus.send("warning", self._job, step="", scene=0, message=message)
        # It may have been killed in the act of noting that it was done.
        self._home.store.sweep()
        ledger = self._home.ledger
        known = ledger.job(self._job)
        is_noted = known is not None and known.options == self._options.canonical()
        if not is_noted:
            ledger.put_job(self._job, self._brief.title, canonical(self._brief), self._options.canonical())
        supersede(self._home, self._job, self._options)
        try:
            result = self._success(plan, tally)
        except FramekeepError as error:
            return self._stopped(error, plan, tally)
        if known is None or not is_noted or known.state != result.status:
            ledger.set_state(self._job, result.status, report=result.as_json())
        self._bus.send("job_done", self._job, **result.as_json())
        return result

    def _work(self) -> Result:
        with watched(self._job, self._home.ledger, self._settings, self._bus, self._breakers) as telemetry:
            return self._work_watched(telemetry)

    def _work_watched(self, telemetry: Telemetry) -> Result:
        plan = self._plan()
        guard = Guard(self._settings, self._breakers, restraints=self._restraints, job_left_s=self._left_s)
        executor = Executor(
            self._job,
            self._home.store,
            self._home.ledger,
            self._checkpoints,
            guard,
            self._toolbox,
            self._bus,
            self._home.evidence,
            telemetry=telemetry,
        )
        tally = Tally()
        try:
            check_space(self._brief, self._options, self._settings, self._home.store)
            with (
                deadline(self._job, self._settings, self._cancel) as cancel,
                saving(self._job, self._home.ledger, self._settings, self._bus),
                tended(guard, self._toolbox, telemetry),
            ):
                runner = Runner(
                    self._job,
                    plan,
                    self._home.ledger,
                    self._checkpoints,
                    executor,
                    self._bus,
                    cancel,
                    self._settings.rendering.jobs or usable_cores(),
                    go_on=self._settings.resilience.partial_success.enabled,
                )
                tally = runner.tally
                runner.run()
                give_way(self._home, self._job, self._options)
                result = self._success(plan, tally)
            self._remember_levels(plan)
            self._home.ledger.keep_only_steps(self._job, list(plan.steps))
            self._home.ledger.set_state(self._job, result.status, report=result.as_json())
        except FramekeepError as error:
            return self._stopped(error, plan, tally)
        except BaseException as error:
            self._note_fault(error)
            raise
        self._bus.send("job_done", self._job, **result.as_json())
        return result

    def _note_fault(self, error: BaseException) -> None:
        """A fault of ours, or Ctrl-C in a script: the job must not look as if it were still running."""
        state = "failed" if isinstance(error, Exception) else "interrupted"
        with contextlib.suppress(FramekeepError):
            self._home.ledger.set_state(self._job, state, error={"code": "INTERNAL", "message": repr(error)})

    def _left_s(self) -> float | None:
        """What is left of the job's time; None for no limit."""
        limit_s = self._settings.job_timeout_s
        return limit_s - (time.monotonic() - self._started) if limit_s else None

    def _success(self, plan: Plan, tally: Tally) -> Result:
        outputs = deliver(plan, self._options, self._home.store)
        for output in outputs:
            self._bus.send("output", self._job, **output.model_dump(mode="json"))
        degradations = self._degradations(plan, tally)
        return Result(
            job_id=self._job,
            status="degraded" if degradations else "done",
            outputs=outputs,
            possibly_charged=self._possibly_charged(),
            degradations=degradations,
            warnings=tuple(self._warnings),
            steps=StepCount(executed=tally.executed, reused=tally.reused),
            attempts=self._attempts.count(),
            elapsed_s=round(time.monotonic() - self._started, 3),
        )

    def _stopped(self, error: FramekeepError, plan: Plan, tally: Tally) -> Result:
        is_superseded = isinstance(error, SupersededError)
        if not is_superseded:
            error.hint = _then_resume(error.hint, self._job)
        status = status_of(error)
        result = Result(
            job_id=self._job,
            status=status,
            outputs=self._finished_outputs(plan) if status != "interrupted" else (),
            possibly_charged=self._possibly_charged(),
            degradations=self._degradations(plan, tally),
            warnings=tuple(self._warnings),
            steps=StepCount(executed=tally.executed, reused=tally.reused),
            attempts=self._attempts.count(),
            elapsed_s=round(time.monotonic() - self._started, 3),
            error=error_report(error),
        )
        with contextlib.suppress(FramekeepError):
            # The disk may be full: what stopped the run is still reported, and the job is resumable either way.
            self._remember_levels(plan)
            state = "superseded" if is_superseded else status
            self._home.ledger.set_state(self._job, state, report=result.as_json(), error=error.as_dict())
        kinds = {"parked": "job_parked", "interrupted": "job_interrupted"}
        self._bus.send(kinds.get(status, "job_failed"), self._job, **result.as_json())  # type: ignore[arg-type]
        return result

    def _finished_outputs(self, plan: Plan) -> tuple[Output, ...]:
        """The exports that are finished though another is not."""
        if not self._settings.resilience.partial_success.return_partial_results:
            return ()
        try:
            give_way(self._home, self._job, self._options)
            outputs = deliver(plan, self._options, self._home.store)
        except FramekeepError:
            # What stopped the run is what is reported; the next one delivers them.
            return ()
        for output in outputs:
            self._bus.send("output", self._job, **output.model_dump(mode="json"))
        return outputs

    def _possibly_charged(self) -> tuple[PossibleCharge, ...]:
        """Paid calls of this job of which nobody knows how they ended; nothing is under way any more."""
        with contextlib.suppress(FramekeepError):
            return possible_charges(Purchases(self._home.ledger).of_job(self._job), running=False)
        return ()

    def _remember_levels(self, plan: Plan) -> None:
        if (plan.step_downs, plan.encoder_changes) != (self._options.levels, self._options.encoders):
            forced = {"levels": dict(plan.step_downs), "encoders": dict(plan.encoder_changes)}
            self._options = self._options.model_copy(update=forced)
            self._home.ledger.set_options(self._job, self._options.canonical())

    def _degradations(self, plan: Plan, tally: Tally) -> tuple[Degradation, ...]:
        of_steps = [item for step_id in sorted(tally.degradations) for item in tally.degradations[step_id]]
        return (*dict.fromkeys(of_steps), *plan.step_downs.values(), *plan.encoder_changes.values())


def _then_resume(hint: str, job: str) -> str:
    resume = f"framekeep resume {job}"
    if "framekeep resume" in hint:
        return _BARE_RESUME.sub(resume, hint)
    return f"{hint.rstrip('.')}, then: {resume}" if hint else resume
