"""What the guard tells of itself while it works. Whoever listens is told on the thread of the call, and cannot disturb it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from config.kinds import ErrorKind


@dataclass(frozen=True)
class CallEnded:
    """A whole guarded call: `provider` is who answered, or empty. `attempts` counts calls that were really made."""

    operation: str
    provider: str
    outcome: Literal["ok", "failed"]
    code: str
    attempts: int
    elapsed_s: float


@dataclass(frozen=True)
class AttemptEnded:
    """One call of a provider, or one that was refused before it was made. `number` counts from 1 for each provider."""

    operation: str
    provider: str
    number: int
    outcome: Literal["ok", "failed", "refused"]
    kind: ErrorKind | None
    code: str
    message: str
    elapsed_s: float


@dataclass(frozen=True)
class RetryPause:
    """A pause before attempt `number` of the same provider. `asked_s` is what the provider itself asked for."""

    operation: str
    provider: str
    number: int
    delay_s: float
    kind: ErrorKind
    asked_s: float | None


@dataclass(frozen=True)
class RetriesExhausted:
    """A provider that is not asked again by this call. `why`: its attempts, the time or the budget were used up."""

    operation: str
    provider: str
    calls: int
    kind: ErrorKind
    why: Literal["attempts", "time", "budget"]


@dataclass(frozen=True)
class FellBack:
    """The next provider is asked."""

    operation: str
    provider: str
    next_provider: str
    kind: ErrorKind
    reason: str


@dataclass(frozen=True)
class RestBegun:
    """Nobody asks the provider for `length_s`; None is until its account changes."""

    provider: str
    kind: ErrorKind
    length_s: float | None


@dataclass(frozen=True)
class LimitWaited:
    """A call waited before it was made: for its rest's end, its circuit, the rate, or a place among those at the same time."""

    operation: str
    provider: str
    limit: Literal["rest", "circuit", "rate", "concurrency"]
    waited_s: float


GuardEvent = CallEnded | AttemptEnded | RetryPause | RetriesExhausted | FellBack | RestBegun | LimitWaited

Observer = Callable[[GuardEvent], None]


def nobody(event: GuardEvent) -> None:
    """Listens to nothing."""
