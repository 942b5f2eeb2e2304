"""Circuit breakers by name: whether a provider may be asked now, and what became of asking it.

`admit` guards one call. Only what speaks against the provider's health counts as a failure (`verdicts`). The state is in the
ledger: shared by all processes, kept over restarts, and on monotonic time, so that a clock that is set neither ends a break nor
makes it last. Across a restart of the machine the time of day tells what is left; should it have been set back meanwhile, the
break begins anew once, and no more.
"""

from __future__ import annotations

import contextlib
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from checkpoints.ledger.circuits import CLOSED, HALF_OPEN, OPEN, CircuitRow, Circuits
from checkpoints.ownership.clocks import Moment, Timeline
from config.errors import CircuitOpenError, FramekeepError
from pipeline.resilience.breakers.circuit import Circuit, CircuitRefusal, Permit
from pipeline.resilience.breakers.verdicts import CallVerdict, verdict_on
from pipeline.resilience.cooldowns import clock_time
from pipeline.resilience.policy import Policy

OPEN_MESSAGE = "Service temporarily unavailable due to repeated failures. It will automatically recover."

STATE_NAMES = {CLOSED: "Closed", OPEN: "Open", HALF_OPEN: "Half-Open"}

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CircuitChange:
    """A change of state that this process made. `job_id` is the job whose call led to it, if that is known."""

    name: str
    old: str
    new: str
    reason: str
    job_id: str = ""


class Breakers:
    """All circuits that this process uses. Safe to share between threads.

    `log` gets a line for each change of state, `on_change` the change; what they raise is logged and goes no further. Without
    `circuits` the state is in this process alone.
    """

    def __init__(
        self,
        log: Callable[[str], None] = lambda line: None,
        *,
        circuits: Circuits | None = None,
        timeline: Timeline | None = None,
        on_change: Callable[[CircuitChange], None] = lambda change: None,
    ) -> None:
        self._log = log
        self._on_change = on_change
        self._ledger = circuits
        self._timeline = timeline or Timeline()
        self._circuits: dict[str, Circuit] = {}
        self._lock = threading.Lock()

    def tell(self, log: Callable[[str], None], on_change: Callable[[CircuitChange], None] | None = None) -> None:
        """Send what is told from now on elsewhere: the circuits outlive the run that they report to."""
        self._log = log
        if on_change:
            self._on_change = on_change

    @contextlib.contextmanager
    def admit(self, policy: Policy, provider: str, job_id: str = "") -> Iterator[None]:
        """Run the block as one call through the circuit. Raises CircuitOpenError without running it when it is open."""
        if not policy.breaker.enabled:
            yield
            return
        circuit = self._circuit(policy)
        permit = circuit.enter()
        self._report(circuit, job_id)
        if isinstance(permit, CircuitRefusal):
            raise self._refused(circuit.row, provider, permit)
        try:
            yield
        except BaseException as error:
            verdict = verdict_on(error, has_request_limit=policy.request_timeout_s > 0)
            self._leave(circuit, permit, verdict, job_id, _told(error))
            raise
        self._leave(circuit, permit, CallVerdict.SUCCESS, job_id)

    def end_breaks(self, provider: str) -> None:
        """Let the next call test each open circuit of a provider that this process has used."""
        with self._lock:
            circuits = [circuit for name, circuit in self._circuits.items() if name.rpartition("-")[0] == provider]
        for circuit in circuits:
            circuit.end_break()

    def states(self) -> dict[str, str]:
        """The state of each circuit that this process has used: `closed`, `open` or `half-open`."""
        with self._lock:
            used = list(self._circuits)
        rows = {row.name: row for row in self._rows()}
        return {name: rows[name].state for name in used if name in rows}

    def snapshot(self) -> list[dict[str, Any]]:
        """All circuits of the ledger, and those of this process, as the guide's diagnostics show them."""
        now = self._timeline.now()
        return [described(row, now) for row in self._rows()]

    def close(self) -> None:
        """Let go of the ledger; the next call opens it again."""
        if self._ledger:
            self._ledger.close()

    def _rows(self) -> list[CircuitRow]:
        with self._lock:
            rows = {name: circuit.row for name, circuit in self._circuits.items()}
        if self._ledger:
            with contextlib.suppress(FramekeepError):
                stored = {row.name: row for row in self._ledger.all(self._timeline.now())}
                ahead = {name: row for name, row in rows.items() if self._circuits[name].is_unsaved}
                rows = {**rows, **stored, **ahead}
        return [rows[name] for name in sorted(rows)]

    def _circuit(self, policy: Policy) -> Circuit:
        circuit = self._circuits.get(policy.name)
        if circuit is None:
            with self._lock:
                circuit = self._circuits.setdefault(policy.name, Circuit(policy, self._timeline, self._ledger))
        if circuit.policy is not policy:
            circuit.policy = policy
        return circuit

    def _leave(self, circuit: Circuit, permit: Permit, verdict: CallVerdict, job_id: str, what: str = "") -> None:
        """Must not raise: an answer that was paid for would be lost, or an error covered by another."""
        try:
            circuit.leave(permit, verdict, what)
        except Exception:  # noqa: BLE001 - see above
            _log.exception("%s: the outcome of a call could not be counted", circuit.policy.name)
        self._report(circuit, job_id)

    def _report(self, circuit: Circuit, job_id: str) -> None:
        for change in circuit.take_transitions():
            name = circuit.policy.name
            told = CircuitChange(name, change.old, change.new, change.reason, job_id)
            for tell in (self._log_lines, self._on_change):
                try:
                    tell(told)
                except Exception:  # noqa: BLE001 - who listens cannot keep a circuit from opening
                    _log.exception("%s: a change of state could not be told", name)

    def _log_lines(self, change: CircuitChange) -> None:
        prefix = f"[Circuit Breaker] {change.name}: "
        if change.new == HALF_OPEN:
            self._log(f"{prefix}Entering Half-Open state")
        elif change.new == CLOSED:
            self._log(f"{prefix}State changed to Closed (recovered)")
        else:
            self._log(f"{prefix}State changed to Open")
            self._log(f"{prefix}Will attempt recovery in {self._circuits[change.name].row.break_s:g}s")

    def _refused(self, row: CircuitRow, provider: str, refusal: CircuitRefusal) -> CircuitOpenError:
        """The message is kept in reports: it tells what was, and only the hint what comes."""
        now = self._timeline.now()
        # The clock shows whole seconds: a moment too late rather than too early.
        at = clock_time(now.wall_s + refusal.left_s + 0.999)
        why = f"Open since {clock_time(now.wall_s - (now.monotonic_s - row.since))}."
        if refusal.is_tested:
            why = "It was being tested by another call."
        error = CircuitOpenError(
            f"{row.name}: {OPEN_MESSAGE} {why}",
            provider=provider,
            hint=f"wait until {at} ({math.ceil(refusal.left_s)} s), then: framekeep resume",
            retry_after_s=refusal.left_s,
        )
        error.is_tested = refusal.is_tested
        return error


def described(row: CircuitRow, now: Moment) -> dict[str, Any]:
    """A circuit as the guide's diagnostics show it: times in UTC, None where there is none."""

    def wall(monotonic_s: float | None) -> str | None:
        if monotonic_s is None:
            return None
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now.wall_s - (now.monotonic_s - monotonic_s)))

    left_s = row.break_left_s(now)
    return {
        "name": row.name,
        "state": state_name(row, now),
        "failureCount": row.failures,
        "lastFailure": wall(row.failed_at),
        "nextAttempt": wall(now.monotonic_s + left_s) if left_s else None,
    }


def state_name(row: CircuitRow, now: Moment) -> str:
    """A state in the guide's words. An open circuit whose break is over waits for a test, as a half-open one does."""
    is_over = row.state == OPEN and not row.break_left_s(now)
    return STATE_NAMES[HALF_OPEN] if is_over else STATE_NAMES.get(row.state, row.state)


def _told(error: BaseException) -> str:
    return f"{error.code}: {error.message}" if isinstance(error, FramekeepError) else type(error).__name__
