"""The one loop: take each ready step, load its verified checkpoint or execute it under guard, publish, commit, tell, go on.

Resuming, repairing, editing one scene and rendering again are all this loop, finding more or less of its work done.
"""

from __future__ import annotations

import concurrent.futures
import heapq
import itertools
import queue
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from checkpoints.ledger.ledger import Ledger
from checkpoints.ownership.leases import Held, Lease
from checkpoints.records import Record
from config.errors import (
    CancelledError,
    FramekeepError,
    RenderExhaustedError,
    ResourceError,
    StoreError,
)
from pipeline.engine.failed_steps import Failures
from pipeline.engine.recovery import Remedies, Remedy
from pipeline.engine.shared_steps import Sharing
from pipeline.engine.step_executor import Executor
from pipeline.engine.step_results import StepResults
from pipeline.events import Bus
from pipeline.planning.plan import Plan
from pipeline.planning.steps import Step
from stages.base import CancelToken
from stages.models import Degradation
from stages.process_memory import uncollected
from stages.render.specs import MuxSpec, SegmentSpec

# Earlier stages first: they make later ones possible. Media steps have workers of their own.
_RANKS = {"script": 0, "speech": 1, "images": 1, "music": 1, "mix": 2, "mux": 2, "segment": 3}
_MEDIA = frozenset({"segment", "mix", "mux"})
_CALL_WORKERS = 2
# An encoder that fails at so many scenes, and makes nothing in between, does not work at all. One scene's picture is in two.
_BROKEN = 3
_POLL_S = 0.1


@dataclass
class Tally:
    """What a run did. `reused` counts steps whose verified result was found."""

    executed: int = 0
    reused: int = 0
    degradations: dict[str, list[Degradation]] = field(default_factory=dict)


@dataclass
class _Running:
    step: Step
    cancel: CancelToken
    lease: Lease | None = None


# What became of a step that was to be executed: its record; or who makes it in another run; or nothing, as it was made there.
_Outcome = Record | Held | None


class Runner:
    """Runs one plan to its end. Events are sent on the caller's thread, which is never blocked for more than a tenth of a second.

    With `go_on` a failed step stops only what depends on it: all else is made first. Without, or when the machine itself runs
    short, nothing more is started.
    """

    def __init__(
        self,
        job_id: str,
        plan: Plan,
        ledger: Ledger,
        checkpoints: StepResults,
        executor: Executor,
        bus: Bus,
        cancel: CancelToken,
        media_workers: int,
        *,
        go_on: bool = True,
    ) -> None:
        self.tally = Tally()
        self._job_id = job_id
        self._plan = plan
        self._ledger = ledger
        self._checkpoints = checkpoints
        self._executor = executor
        self._bus = bus
        # Its own: an error here stops what it started, and nothing else.
        self._cancel = CancelToken(cancel)
        self._capacity = {True: media_workers, False: _CALL_WORKERS}
        self._ready: dict[bool, list[tuple[int, int, int, Step]]] = {True: [], False: []}
        self._order = itertools.count()
        self._sharing = Sharing(job_id, ledger, checkpoints, bus)
        self._running: dict[concurrent.futures.Future[_Outcome], _Running] = {}
        self._finished: queue.SimpleQueue[concurrent.futures.Future[_Outcome]] = queue.SimpleQueue()
        self._waiting: dict[str, list[Step]] = {}
        self._made: set[str] = set()
        self._remedies = Remedies(plan, checkpoints.discard)
        self._is_spoken = False
        self._go_on = go_on
        # The steps that failed for good, and of each key that did, why: an equal step fails with it.
        self._failed = Failures()
        self._hopeless: dict[str, FramekeepError] = {}
        self._given_up: set[int] = set()

    def run(self) -> None:
        """Until the plan is finished. Raises what stopped it; what was running has ended by then and its results are kept."""
        self._sharing.open()
        try:
            with concurrent.futures.ThreadPoolExecutor(sum(self._capacity.values())) as pool:
                try:
                    self._enqueue(self._plan.start())
                    self._loop(pool)
                except BaseException:
                    self._cancel.cancel("stopping after an error")
                    raise
                finally:
                    self._cancel.close()
        finally:
            self._sharing.close()
        self._cancel.check()
        if self._failed:
            raise self._failed.error_of_run(names_others=not self._must_stop())

    def _loop(self, pool: concurrent.futures.ThreadPoolExecutor) -> None:
        while True:
            goes_on = not self._must_stop() and not self._cancel.cancelled
            if goes_on:
                if ready := self._sharing.ready():
                    self._enqueue(ready)
                self._submit(pool)
            if not self._running and not (goes_on and self._sharing.waiting):
                return
            try:
                future = self._finished.get(timeout=_POLL_S)
            except queue.Empty:
                continue
            self._settle(self._running.pop(future), future)

    @uncollected()
    def _enqueue(self, steps: Iterable[Step]) -> None:
        """Reuse what is already there, at once and as far as it leads; queue the rest."""
        todo = deque(steps)
        reused: list[tuple[Step, Record]] = []
        while todo:
            step = todo.popleft()
            if not self._is_wanted(step):
                self._bus.send("step_stopped", self._job_id, **_about(step))
                continue
            if record := self._checkpoints.load(step):
                reused.append((step, record))
                self._take(step, record)
                todo.extend(self._plan.done(step, record))
            else:
                rank = (_RANKS[step.stage], step.scene, next(self._order), step)
                heapq.heappush(self._ready[step.stage in _MEDIA], rank)
        if reused:
            rows = [(step.id, step.stage, step.scene, record) for step, record in reused]
            self._ledger.steps_reused(self._job_id, rows)
            self.tally.reused += len(reused)
            for step, _record in reused:
                self._bus.send("step_reused", self._job_id, **_about(step))
        if self._plan.is_cut and not self._is_spoken:
            self._is_spoken = True
            self._executor.lines_are_spoken()
        self._tell_plan()

    def _tell_plan(self) -> None:
        self._bus.send(
            "planned",
            self._job_id,
            steps=len(self._plan.steps),
            scenes=len(self._plan.scenes),
            frames=self._plan.frames,
            complete=self._plan.is_cut,
        )

    def _submit(self, pool: concurrent.futures.ThreadPoolExecutor) -> None:
        for media, ready in self._ready.items():
            while ready and self._busy(media) < self._capacity[media]:
                step = heapq.heappop(ready)[-1]
                if not self._is_wanted(step) or self._has_a_twin(step):
                    continue
                token = CancelToken(self._cancel)
                running = _Running(step, token)
                future = pool.submit(self._execute, running)
                self._running[future] = running
                future.add_done_callback(self._finished.put)

    def _is_wanted(self, step: Step) -> bool:
        """Whether the plan still has it: a lower level supersedes an export's steps."""
        return self._plan.steps.get(step.id) == step

    def _has_a_twin(self, step: Step) -> bool:
        """Whether an equal step has made, or is making, this one's result: it is never made, or paid for, twice."""
        if step.key in self._made:
            self._enqueue([step])
            return True
        if step.key in self._hopeless:
            self._fail(step, self._hopeless[step.key])
            return True
        if any(running.step.key == step.key for running in self._running.values()):
            self._waiting.setdefault(step.key, []).append(step)
            return True
        return self._sharing.join(step)

    def _busy(self, media: bool) -> int:
        return sum(1 for running in self._running.values() if (running.step.stage in _MEDIA) == media)

    def _execute(self, running: _Running) -> _Outcome:
        step, cancel = running.step, running.cancel
        cancel.check()
        started = self._sharing.start(step, cancel)
        if not isinstance(started, Lease):
            return started if isinstance(started, Held) else None
        running.lease = started
        self._bus.send(
            "step_started",
            self._job_id,
            **_about(step),
            quality=step.work.encoding.level if isinstance(step.work, SegmentSpec | MuxSpec) else "",
        )
        record = self._executor.execute(step, cancel)
        return record if self._sharing.finish(step, started, record) else None

    def _settle(self, running: _Running, future: concurrent.futures.Future[_Outcome]) -> None:
        step = running.step
        running.cancel.close()
        twins = self._waiting.pop(step.key, [])
        try:
            record = future.result()
        except FramekeepError as error:
            self._ended(running, error)
            self._enqueue(twins)
            return
        if isinstance(record, Held):
            self._sharing.wait(record.lease, [step, *twins])
            return
        if record is None:
            self._enqueue([step, *twins])
            return
        self.tally.executed += 1
        if step.stage in _MEDIA:
            self._given_up.clear()
        self._made.add(step.key)
        self._take(step, record)
        self._bus.send("step_executed", self._job_id, **_about(step), provider=record.provider)
        self._enqueue([*self._plan.done(step, record), *twins])

    def _take(self, step: Step, record: Record) -> None:
        found = [
            Degradation.model_validate(item).model_copy(update={"scene": step.scene}) for item in record.degradations
        ]
        if found:
            self.tally.degradations[step.id] = found
            for item in found:
                self._bus.send("degraded", self._job_id, **item.model_dump(mode="json"))

    def _ended(self, running: _Running, error: FramekeepError) -> None:
        """After a step that was executed and gave no result."""
        if self._sharing.is_lost(running.lease):
            # Whatever it died of, another run makes it now.
            self._bus.send("step_stopped", self._job_id, **_about(running.step))
            self._enqueue([running.step])
        elif isinstance(error, CancelledError) and running.cancel.cancelled:
            self._bus.send("step_stopped", self._job_id, **_about(running.step))
            self._sharing.stop(running.lease)
        else:
            # Of a cancellation that nobody asked for, this too: dropped without a word, the step would be missing at the end.
            self._fail(running.step, error, running.lease)

    def _fail(self, step: Step, error: FramekeepError, lease: Lease | None = None) -> None:
        self._sharing.fail(step, error, lease)
        self._bus.send("step_failed", self._job_id, **_about(step), **error.as_dict())
        if not self._is_wanted(step):
            return
        if remedy := self._remedies.find(step, error):
            self._apply(remedy)
            return
        self._failed.note(step.id, error)
        self._hopeless[step.key] = error
        if isinstance(error, RenderExhaustedError):
            self._given_up.add(step.scene)

    def _must_stop(self) -> bool:
        """Whether nothing more is started. Without a disk, memory, a ledger or an encoder the others cannot do better."""
        short = self._failed.has(ResourceError, StoreError) or len(self._given_up) >= _BROKEN
        return short or (bool(self._failed) and not self._go_on)

    def _apply(self, remedy: Remedy) -> None:
        """Begin what is made in place of a failed step: first stop what it supersedes, and say what is worse."""
        self._made.difference_update(remedy.again)
        if worse := remedy.worse:
            for running in self._running.values():
                if running.step.export == remedy.export:
                    running.cancel.cancel(f"superseded: {worse.got} in place of {worse.wanted}")
            self._ledger.event(self._job_id, remedy.kind, worse.model_dump(mode="json"))
            self._bus.send("degraded", self._job_id, **worse.model_dump(mode="json"))
        self._enqueue(remedy.steps)


def _about(step: Step) -> dict[str, Any]:
    """What events say of a step."""
    return {
        "step": step.id,
        "stage": step.stage,
        "scene": step.scene,
        "export": step.export,
        "frames": step.frames,
    }
