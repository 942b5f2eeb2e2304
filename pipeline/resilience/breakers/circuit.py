"""One circuit: who may call, and what the outcomes do to it. pybreaker is the engine; the ledger keeps the state.

Each step of the engine is taken within one turn at the ledger, so that processes act one after the other. While the ledger is
locked, full or broken, the circuit works on in memory; what it did is written when the ledger is back, unless another process
changed the circuit meanwhile.

- Closed: a call is let through after one look at the ledger. Failures are written; successes only where they can matter, which is
  where the minimum of calls is above the threshold of failures, and then at most once a second.
- Open: refused, until the break is over.
- Half-open: one test at a time among all processes. Its permit ends with the test, with its process, or with the half-open period:
  then the next call tests. Successes are kept, however far apart they are, until a test fails. Only a failure opens a circuit.

An outcome counts only in the state in which its call was admitted: a failure that comes late does not prolong the break, and the
answer of a test that outlasted its permit still counts while the circuit is half-open.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import pybreaker

from checkpoints.ledger.circuits import CLOSED, HALF_OPEN, OPEN, CircuitRow, Circuits
from checkpoints.ownership.clocks import Timeline
from checkpoints.ownership.processes import Owner, is_gone
from pipeline.resilience.breakers.sync import Keeper
from pipeline.resilience.breakers.verdicts import CallVerdict
from pipeline.resilience.breakers.window import CircuitSheet, StateChange
from pipeline.resilience.policy import Policy

T = TypeVar("T")


@dataclass(frozen=True)
class Permit:
    """A call that was let through. `probe` is set for a test of a half-open circuit."""

    generation: int
    probe: str = ""


@dataclass(frozen=True)
class CircuitRefusal:
    """`left_s` is how long it makes no sense to ask again: the rest of a break, or of the permit of a test that runs now."""

    left_s: float
    is_tested: bool = False


class _FailedError(Exception):
    """Tells the engine of a failure; nobody else sees it."""


class Circuit:
    """Raises nothing that the ledger causes. `policy` may be replaced by a newer one at any time."""

    def __init__(self, policy: Policy, timeline: Timeline, circuits: Circuits | None = None) -> None:
        self.policy = policy
        self._timeline = timeline
        self._sheet = CircuitSheet(policy.name, policy.breaker, timeline.now)
        self._keeper = Keeper(self._sheet, timeline, circuits)
        self._engine = pybreaker.CircuitBreaker(
            # The sheet answers for the break.
            reset_timeout=0,
            state_storage=self._sheet,
            name=policy.name,
            throw_new_error_on_trip=False,
        )

    @property
    def row(self) -> CircuitRow:
        """The state as this process knows it."""
        with self._keeper.lock:
            row = self._sheet.row
            return replace(row, failures=self._sheet.failures) if row.state == CLOSED else row

    def enter(self) -> Permit | CircuitRefusal:
        """Ask to make a call. Each permit must be given back with `leave`."""
        if (generation := self._keeper.closed_generation()) is not None:
            return Permit(generation)
        return self._in_turn(self._enter)

    def leave(self, permit: Permit, verdict: CallVerdict, what: str = "") -> None:
        """Tell how a call ended; `what` says what went wrong."""
        if permit.probe:
            self._in_turn(lambda: self._end_test(permit, verdict, what))
        elif verdict is CallVerdict.FAILURE:
            self._in_turn(lambda: self._count_failure(permit, what))
        elif verdict is not CallVerdict.NEUTRAL and self._successes_matter:
            self._count_success(permit)

    def end_break(self) -> bool:
        """Let the next call test an open circuit, as if its break were over; whether it was open."""
        return self._in_turn(self._end_break)

    def take_transitions(self) -> list[StateChange]:
        """The changes of state since this was last asked, in order."""
        if not self._sheet.transitions:
            return []
        with self._keeper.lock:
            taken, self._sheet.transitions = self._sheet.transitions, []
        return taken

    @property
    def is_unsaved(self) -> bool:
        """Whether the ledger lacks what happened here."""
        return self._keeper.is_unsaved

    def _in_turn(self, step: Callable[[], T]) -> T:
        def ready() -> T:
            rules = self._sheet.rules = self.policy.breaker
            self._sheet.row = replace(self._sheet.row, window_s=rules.sampling_duration_s)
            self._engine.fail_max, self._engine.success_threshold = rules.failure_threshold, rules.success_threshold
            # Another process may have changed the state: the engine catches up when it is asked for its own.
            _ = self._engine.state
            return step()

        return self._keeper.in_turn(ready)

    @property
    def _successes_matter(self) -> bool:
        rules = self.policy.breaker
        return rules.minimum_throughput > rules.failure_threshold

    # Steps, each alone with the circuit

    def _enter(self) -> Permit | CircuitRefusal:
        sheet, now = self._sheet, self._timeline.now()
        row = sheet.row
        is_over = now.monotonic_s >= row.probe_until
        if row.probe and (is_over or is_gone(row.probe_place, row.probe_pid, row.probe_started)):
            sheet.row = replace(row, probe="")
        if sheet.row.state == CLOSED:
            return Permit(sheet.row.generation)
        if sheet.row.state == OPEN:
            left_s = sheet.row.break_left_s(now)
            if left_s > 0:
                return CircuitRefusal(left_s)
            sheet.reason = f"its break of {sheet.row.break_s:g} s is over"
            self._engine.half_open()
        elif sheet.row.probe:
            return CircuitRefusal(sheet.row.probe_until - now.monotonic_s, is_tested=True)
        return self._begin_test()

    def _end_break(self) -> bool:
        row, now = self._sheet.row, self._timeline.now()
        if row.state != OPEN:
            return False
        self._sheet.row = replace(row, since=now.monotonic_s - row.break_s, since_wall=now.wall_s - row.break_s)
        return True

    def _begin_test(self) -> Permit:
        owner = Owner.here()
        self._sheet.row = replace(
            self._sheet.row,
            probe=uuid.uuid4().hex,
            probe_until=self._timeline.now().monotonic_s + self.policy.breaker.half_open_duration_s,
            probe_place=owner.place,
            probe_pid=owner.pid,
            probe_started=owner.started,
        )
        return Permit(self._sheet.row.generation, self._sheet.row.probe)

    def _end_test(self, permit: Permit, verdict: CallVerdict, what: str) -> None:
        sheet = self._sheet
        has_permit = sheet.row.probe == permit.probe
        if sheet.row.state != HALF_OPEN or not (has_permit or sheet.row.generation == permit.generation):
            return
        if has_permit:
            sheet.row = replace(sheet.row, probe="")
        if verdict is CallVerdict.FAILURE:
            sheet.reason = f"its test failed: {what}"
            self._tell_engine(failed=True)
        elif verdict is CallVerdict.SUCCESS:
            sheet.reason = f"tests succeeded: {self.policy.breaker.success_threshold}"
            self._tell_engine(failed=False)

    def _count_failure(self, permit: Permit, what: str) -> None:
        sheet = self._sheet
        if sheet.row.state != CLOSED or sheet.row.generation != permit.generation:
            return
        rules = self.policy.breaker
        sheet.reason = f"{sheet.failures + 1} failures within {rules.sampling_duration_s:g} s; last: {what}"
        self._tell_engine(failed=True)

    def _count_success(self, permit: Permit) -> None:
        with self._keeper.lock:
            waited_s = self._timeline.now().monotonic_s - self._keeper.written_at
            if not self._add_success(permit):
                self._in_turn(lambda: self._add_success(permit))
            elif waited_s >= min(1.0, self.policy.breaker.sampling_duration_s / 20):
                self._in_turn(lambda: None)

    def _add_success(self, permit: Permit) -> bool:
        """False when the call was admitted in another state than this process knows."""
        if (self._sheet.row.state, self._sheet.row.generation) != (CLOSED, permit.generation):
            return False
        self._sheet.add_success()
        return True

    def _tell_engine(self, *, failed: bool) -> None:
        def end() -> None:
            if failed:
                raise _FailedError

        with contextlib.suppress(_FailedError):
            self._engine.call(end)
