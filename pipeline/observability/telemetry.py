"""What the guard tells, on the event bus, in the ledger and to people; and the figures that are made of it.

A call's events are written together when it has ended: one commit, whatever happened in it.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections import Counter
from collections.abc import Iterable
from typing import Any

from checkpoints.ledger.ledger import Ledger
from checkpoints.ledger.rows import EventRow
from config.errors import CancelledError, FramekeepError
from config.watching import Monitoring, ResilienceMonitoring
from pipeline.events import Bus, EventKind
from pipeline.observability.alerts import AlertKind, Alerts
from pipeline.resilience.attempt_events import (
    AttemptBegun,
    AttemptEnded,
    CallEnded,
    FellBack,
    GuardEvent,
    LimitWaited,
    RestBegun,
    RetriesExhausted,
    RetryPause,
    WaitBegun,
)
from pipeline.resilience.breakers.registry import CircuitChange

_LOG = logging.getLogger("framekeep.resilience")
_KINDS: dict[type, EventKind] = {
    AttemptBegun: "attempt_started",
    CallEnded: "call",
    RetryPause: "retry",
    RetriesExhausted: "exhausted",
    FellBack: "fallback",
    RestBegun: "rest",
    WaitBegun: "waiting",
    LimitWaited: "limit_wait",
}
# What is of use only while it goes on: told, and not kept.
_PASSING = (AttemptBegun, WaitBegun)


class Telemetry:
    """Takes what the guard tells of one job. Safe to share between threads; never raises."""

    def __init__(
        self, job_id: str, settings: ResilienceMonitoring, ledger: Ledger, bus: Bus, alerts: Alerts | None = None
    ) -> None:
        self._job_id, self._settings = job_id, settings
        self._ledger, self._bus, self._alerts = ledger, bus, alerts or Alerts(Monitoring())
        self._waiting: list[tuple[str, dict[str, Any]]] = []
        self._lock = threading.Lock()

    def take(self, step: str, event: GuardEvent, scene: int = 0) -> None:
        """One thing that happened in a call of a step. Whoever watches is told all; settings say what is kept and counted."""
        if isinstance(event, AttemptEnded):
            # Has a table of its own, and was told.
            return
        kind = _KINDS[type(event)]
        data = {"step": step, "scene": scene, **dataclasses.asdict(event)}
        self._bus.send(kind, self._job_id, **data)
        if not self._settings.enabled or isinstance(event, _PASSING):
            return
        if isinstance(event, RetriesExhausted):
            calls = "1 call" if event.calls == 1 else f"{event.calls} calls"
            reason = f"{calls} of '{event.operation}' failed ({event.kind}); job {self._job_id}"
            self._alerts.retries_exhausted(event.provider, reason)
        tracked = self._settings.track_fallbacks if isinstance(event, FellBack) else self._settings.track_retry_attempts
        if not tracked:
            return
        with self._lock:
            self._waiting.append((kind, data))
        if isinstance(event, CallEnded):
            self.flush()

    def circuit_changed(self, change: CircuitChange) -> None:
        """A circuit that this process has opened, tested or closed."""
        if not self._settings.enabled:
            return
        if change.new == "open":
            self._alerts.circuit_opened(change.name, f"{change.reason or 'repeated failures'}; job {self._job_id}")
        if self._settings.track_circuit_breaker_state:
            data = {"name": change.name, "old": change.old, "new": change.new, "reason": change.reason}
            with self._lock:
                self._waiting.append(("circuit_changed", data))
            self.flush()

    def alert(self, title: str, body: str, kind: AlertKind) -> None:
        """Tell people something, if they are to be told."""
        self._alerts.send(title, f"{body}; job {self._job_id}", kind)

    def note(self, kind: EventKind, data: dict[str, Any]) -> None:
        """Something else that belongs to the account of a run: an injected fault, a cached answer."""
        self._bus.send(kind, self._job_id, **data)
        with self._lock:
            self._waiting.append((kind, data))
        self.flush()

    def flush(self) -> None:
        """Write what waits; what cannot be written now waits for the next time."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
            try:
                self._ledger.events_add(self._job_id, waiting)
            except FramekeepError as error:
                self._waiting = waiting + self._waiting
                _LOG.warning("%d events wait for the ledger: %s", len(self._waiting), error)


def metrics(events: Iterable[EventRow], circuits: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The guide's figures.

    A retry is a further call of the same provider; one that was stopped, as its result was no longer wanted, is none.
    `averageAttempts` is how many calls a provider's answer, or the want of one, took: calls by guarded calls in which anybody was
    asked. A fallback is successful when its call was answered.

    `circuits` are those of `Breakers.snapshot()`.
    """
    states = Counter(str(circuit["state"]) for circuit in circuits)
    calls = attempts = retries = failed_retries = fallen = fallen_well = 0
    passed_on: set[tuple[str, str]] = set()
    for event in events:
        if event.kind not in ("call", "fallback"):
            continue
        # The calls of one step follow each other.
        place = (event.data["step"], event.data["operation"])
        if event.kind == "fallback":
            passed_on.add(place)
            continue
        # An older version's ledger does not tell them.
        retries += event.data.get("retries", 0)
        failed_retries += event.data.get("failed_retries", 0)
        if event.data.get("code") == CancelledError.code:
            passed_on.discard(place)
            continue
        is_answered = event.data["outcome"] == "ok"
        calls += event.data["attempts"] > 0
        attempts += event.data["attempts"]
        if place in passed_on:
            passed_on.discard(place)
            fallen += 1
            fallen_well += is_answered
    return {
        "circuitBreakers": {
            "total": states.total(),
            "closed": states["Closed"],
            "open": states["Open"],
            "halfOpen": states["Half-Open"],
        },
        "retries": {
            "total": retries,
            "successful": retries - failed_retries,
            "failed": failed_retries,
            "averageAttempts": round(attempts / calls, 3) if calls else 0.0,
        },
        "fallbacks": {
            "total": fallen,
            "successful": fallen_well,
            "failed": fallen - fallen_well,
        },
    }
