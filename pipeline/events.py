"""What a run tells while it goes on: to a callback, to an iterator, to the ledger."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from config.redaction import redact_in

EventKind = Literal[
    "job_started",
    "planned",
    "step_started",
    "step_progress",
    "step_executed",
    "step_reused",
    "step_waiting",
    "step_failed",
    "step_stopped",
    "attempt_started",
    "attempt",
    "call",
    "retry",
    "exhausted",
    "fallback",
    "rest",
    "waiting",
    "limit_wait",
    "fault_injected",
    "circuit",
    "circuit_changed",
    "health",
    "degraded",
    "repaired",
    "warning",
    "output",
    "job_done",
    "job_failed",
    "job_parked",
    "job_interrupted",
]


_LOG = logging.getLogger("framekeep")


@dataclass(frozen=True)
class Event:
    """Something that happened. `data` is JSON: what it holds depends on `kind` and is listed in docs/scripting.md."""

    kind: EventKind
    job_id: str
    data: dict[str, Any] = field(default_factory=dict)


Listener = Callable[[Event], None]


class Bus:
    """Hands each event to every listener, one event at a time, in the order in which they were sent.

    A listener never costs a render: one that raises is told nothing more, and its error goes to the log.
    """

    def __init__(self, *listeners: Listener) -> None:
        self._listeners = list(listeners)
        self._lock = threading.RLock()

    def subscribe(self, listener: Listener) -> None:
        """Add a listener; it sees what comes from now on."""
        with self._lock:
            self._listeners.append(listener)

    def send(self, kind: EventKind, job_id: str, /, **data: Any) -> None:
        """Send one event."""
        event = Event(kind, job_id, redact_in(data))
        with self._lock:
            for listener in list(self._listeners):
                try:
                    listener(event)
                except Exception:  # noqa: BLE001 - it is the caller's code, and anything may go wrong in it
                    self._listeners.remove(listener)
                    _LOG.exception("a listener failed at '%s' and is not called again", kind)
