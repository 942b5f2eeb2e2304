"""Work that several runs on one home share: each step is made by one of them, under a lease; the others wait, and reuse it."""

from __future__ import annotations

import contextlib
import datetime
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from checkpoints.ledger.ledger import Ledger
from checkpoints.ownership.leases import Heart, Held, Lease, Watch
from checkpoints.ownership.processes import Owner
from checkpoints.records import Record
from config.errors import FramekeepError
from pipeline.engine.step_results import StepResults
from pipeline.events import Bus
from pipeline.planning.steps import Step
from stages.base import CancelToken

LOOK_S = 0.2


@dataclass
class _Wait:
    """Steps of one key that wait for another run."""

    watch: Watch
    steps: list[Step]


class Sharing:
    """A run's leases, and its steps that wait for the leases of others.

    `start`, `finish` and `is_lost` may be called from any thread, the rest only from the runner's own.
    """

    def __init__(
        self,
        job_id: str,
        ledger: Ledger,
        checkpoints: StepResults,
        bus: Bus,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.owner = Owner.here()
        self._job_id = job_id
        self._ledger = ledger
        self._checkpoints = checkpoints
        self._bus = bus
        self._monotonic = monotonic
        self._heart = Heart(self.beat)
        self._waits: dict[str, _Wait] = {}
        self._look_at = 0.0
        self._told: set[str] = set()
        # Leases of others that may be taken over when their step is next started.
        self._dead: dict[str, Lease] = {}
        self._turn = threading.Lock()
        self._held: dict[int, CancelToken] = {}
        self._lost: set[int] = set()

    # Having leases

    def open(self) -> None:
        """Keep leases alive from now on."""
        self._heart.start()

    def close(self) -> None:
        """Give all leases back. Where the ledger cannot even be told, others find out that this run is no more."""
        self._heart.stop()
        with contextlib.suppress(FramekeepError):
            self._ledger.let_go_all(self.owner)

    def start(self, step: Step, cancel: CancelToken) -> Lease | Held | Record:
        """Begin a step under its lease; `cancel` is set should that be lost. Or who has it, or the result that is there by now."""
        with self._turn:
            over = self._dead.pop(step.key, None)
        started = self._ledger.step_started(
            self._job_id,
            step.id,
            step.stage,
            step.scene,
            step.key,
            self.owner,
            over=over,
            counts=lambda record: self._checkpoints.counts(step, record),
        )
        if isinstance(started, Lease):
            with self._turn:
                self._held[started.fence] = cancel
        return started

    def finish(self, step: Step, lease: Lease, record: Record) -> bool:
        """Commit what a step made; False when the lease was lost on the way, and with it the right to."""
        with self._turn:
            self._held.pop(lease.fence, None)
        if self._ledger.step_executed(self._job_id, step.id, record, lease):
            return True
        # Whose record stands in the store must not differ from whose stands in the ledger.
        if winner := self._ledger.results.get(step.key):
            self._checkpoints.store.put_record(winner)
        return False

    def fail(self, step: Step, error: FramekeepError, lease: Lease | None) -> None:
        """Note a step's error, and let its lease go."""
        self._forget(lease)
        self._ledger.step_failed(self._job_id, step.id, error, lease)

    def stop(self, lease: Lease | None) -> None:
        """Let the lease of a step go that was stopped, as others may need its result."""
        self._forget(lease)
        if lease:
            with contextlib.suppress(FramekeepError):
                self._ledger.let_go(lease)

    def is_lost(self, lease: Lease | None) -> bool:
        """Whether another run was found to have taken a lease over."""
        with self._turn:
            return lease is not None and lease.fence in self._lost

    def beat(self) -> None:
        """Show life for all leases, and stop the steps whose leases were lost."""
        with self._turn:
            held = dict(self._held)
        if not held:
            return
        try:
            fences = self._ledger.renew_leases(self.owner)
        except FramekeepError:
            # A full disk, say. If it lasts, others take over, and what is made here is not committed.
            return
        for fence in held.keys() - fences:
            with self._turn:
                # One that has ended meanwhile was let go, and not lost.
                token = self._held.pop(fence, None)
                if token:
                    self._lost.add(fence)
            if token:
                token.cancel("another run has taken this step over")

    def _forget(self, lease: Lease | None) -> None:
        if lease:
            with self._turn:
                self._held.pop(lease.fence, None)

    # Waiting for the leases of others

    @property
    def waiting(self) -> bool:
        """Whether steps wait for other runs."""
        return bool(self._waits)

    def wait(self, lease: Lease, steps: Sequence[Step]) -> None:
        """Keep steps of one key until another run has made their result, or has let it go, or is dead."""
        self._waits[lease.key] = _Wait(Watch(lease, self._monotonic()), list(steps))
        self._look_at = 0.0
        self._tell(steps[0], lease)

    def join(self, step: Step) -> bool:
        """Let a step wait with those of its key, if there are any."""
        found = self._waits.get(step.key)
        if found:
            found.steps.append(step)
        return found is not None

    def ready(self) -> list[Step]:
        """Steps that need not wait any more: to be loaded, or else started. Looks every `LOOK_S` at most."""
        now = self._monotonic()
        if not self._waits or now < self._look_at:
            return []
        self._look_at = now + LOOK_S
        leases = self._ledger.leases()
        ready: list[Step] = []
        for key, wait in list(self._waits.items()):
            lease, fence = leases.get(key), wait.watch.lease.fence
            if lease is None:
                # It was made for this run too, even if not as well as was wished for.
                self._checkpoints.accept(key)
            elif not wait.watch.may_take_over(lease, now):
                if lease.fence != fence:
                    self._tell(wait.steps[0], lease)
                continue
            else:
                with self._turn:
                    self._dead[key] = lease
            del self._waits[key]
            ready += wait.steps
        return ready

    def _tell(self, step: Step, lease: Lease) -> None:
        """Whoever watches each time; the ledger once for each other run, as two that share their work wait again and again."""
        since = datetime.datetime.fromtimestamp(lease.since).astimezone().strftime("%H:%M:%S")
        who = f"job {lease.job_id} (process {lease.pid} on {lease.host} since {since})"
        data = {
            "step": step.id,
            "stage": step.stage,
            "scene": step.scene,
            "export": step.export,
            "job": lease.job_id,
            "pid": lease.pid,
            "host": lease.host,
            "since": lease.since,
            "message": f"[Checkpoint] {step.id}: Waiting for {who}, which makes the same",
        }
        if lease.owner not in self._told:
            self._told.add(lease.owner)
            self._ledger.event(self._job_id, "step_waiting", data)
        self._bus.send("step_waiting", self._job_id, **data)
