"""What a stage is handed, and what every provider of a stage looks like.

A stage is plain code: it asks `context.call` to reach a provider and gets an answer. Whether that call was retried, timed
out, or answered by the next provider is the pipeline's business.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Self, TypeVar

from config.errors import CancelledError

T = TypeVar("T")
P = TypeVar("P", bound="Provider", contravariant=False)


class Provider(ABC):
    """Somebody who can do a stage's work. `name` is what briefs, settings, logs and the ledger call it."""

    name: str

    #: Whether a call costs money. It is then noted before it is made, and its answer is kept before anything else is done.
    paid: bool = False

    #: Whether asking again under the same id gives the first answer, and is not charged again.
    remembers: bool = False

    #: Whether it is a service over the network; else it works on this machine.
    is_remote: bool = False

    @abstractmethod
    def identity(self) -> dict[str, str]:
        """Everything about this provider that can change its result (versions, model, voice files): part of step keys."""

    def asking(self, request_id: str) -> Self:
        """This provider for one call, which it makes under that id: where its service takes ids, a job's or an idempotency
        key, a call that was made under the same id before is looked up there, and not paid again.
        """
        return self

    def may_have_asked(self) -> bool:
        """Whether the request of the call that `asking` gave this for may have left this machine; True where nobody knows."""
        return True

    def prepare(self, cancel: CancelToken) -> None:
        """Load what a call needs, a client's library say, before the call's time begins to run. Raises ProviderError or
        CancelledError.
        """
        return

    def connect(self, cancel: CancelToken, timeout_s: float) -> None:
        """See whether it is there: of a service, by one request that costs nothing, within `timeout_s`; what works on this
        machine loads what it works with. Raises ProviderError or CancelledError.
        """
        return


class CancelToken:
    """Set once, polled everywhere: the run is to stop. Callbacks free what a blocked call holds (a child process, a socket)."""

    def __init__(self, parent: CancelToken | None = None) -> None:
        self._event = threading.Event()
        self._reason = ""
        self._callbacks: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._parent = parent
        if parent is not None:
            self._forget = parent.on_cancel(self._follow)

    @property
    def cancelled(self) -> bool:
        return self._event.is_set()

    def wait(self, timeout_s: float) -> bool:
        """Sleep until cancelled or until the time is up; whether it was cancelled."""
        return self._event.wait(timeout_s)

    def cancel(self, reason: str = "stopped on request") -> None:
        """Set the token; each registered callback runs once. Not for signal handlers: they may hold the locks it needs."""
        with self._lock:
            if self._event.is_set():
                return
            self._reason = reason
            self._event.set()
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback()

    def on_cancel(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Register a callback; returns a function that takes it back. Runs at once if already cancelled."""
        with self._lock:
            is_late = self._event.is_set()
            if not is_late:
                self._callbacks.append(callback)
        if is_late:
            callback()

        def forget() -> None:
            with self._lock:
                if callback in self._callbacks:
                    self._callbacks.remove(callback)

        return forget

    def close(self) -> None:
        """Let go of the parent's callback list."""
        if self._parent is not None:
            self._forget()

    def _follow(self) -> None:
        self.cancel(self._parent._reason if self._parent else "")

    def check(self) -> None:
        """Raise `CancelledError` when the run is to stop."""
        if self._event.is_set():
            raise CancelledError(self._reason, hint="framekeep resume")


@dataclass(frozen=True)
class Interim:
    """What a provider gave that is not a step's last word: it is asked again. `note` is what the step goes on from, as JSON.

    `is_charged` is off for a request that was refused for its form alone.
    """

    note: str
    is_charged: bool


class Call(Protocol):
    """The guarded call that a stage is handed: tries `work` on each provider in turn until one answers."""

    def __call__(self, operation: str, providers: Sequence[P], work: Callable[[P, CancelToken], T]) -> tuple[T, P]:
        """Answer and who gave it. Raises the last `ProviderError`, `ResourceError` or `CancelledError`."""
        ...


def plain_call(operation: str, providers: Sequence[P], work: Callable[[P, CancelToken], T]) -> tuple[T, P]:
    """The call without any guard: the first provider or its error. For stage code used on its own, and for tests."""
    return work(providers[0], CancelToken()), providers[0]


@dataclass(frozen=True)
class Clock:
    """Injected time: tests hand in their own."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Context:
    """What a step may use while it runs.

    `scratch` is a folder of its own on the store's filesystem, removed afterwards. `artifact(digest)` gives the path of a
    verified artifact. `progress(done, total, unit)` feeds the live display. `warn(message)` puts a warning into the report.
    `noted(provider)` is the note of the step's latest `Interim` answer, if there was one. `request_style_of(server)` and
    `learn_request_style(server, style)` keep how a server wants to be asked, as JSON, for all steps of all jobs.
    """

    scratch: Path
    artifact: Callable[[str], Path]
    call: Call = plain_call
    cancel: CancelToken = field(default_factory=CancelToken)
    progress: Callable[[int, int, str], None] = lambda done, total, unit: None
    warn: Callable[[str], None] = lambda message: None
    noted: Callable[[str], str] = lambda provider: ""
    request_style_of: Callable[[str], str] = lambda server: ""
    learn_request_style: Callable[[str, str], None] = lambda server, style: None
