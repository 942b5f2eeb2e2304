"""What the guard tells of itself while it works. Whoever listens is told on the thread of the call, and cannot disturb it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from config.kinds import ErrorKind


@dataclass(frozen=True)
class CallEnded:
    """A whole guarded call: `provider` is who answered, or empty. `attempts` counts calls that were really made.

    `retries` are those of them that asked a provider again and were not stopped, `failed_retries` those that failed.
    """

    operation: str
    provider: str
    outcome: Literal["ok", "failed"]
    code: str
    attempts: int
    retries: int
    failed_retries: int
    elapsed_s: float


@dataclass(frozen=True)
class AttemptBegun:
    """A provider is asked now, after all waiting: call `number`, counted from 1 for each provider, of `of` that it may get."""

    operation: str
    provider: str
    number: int
    of: int


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
    """A pause begins, before attempt `number` of the same provider, which is retry `retry` of `of` that it may get.

    `asked_s` is what the provider itself asked for.
    """

    operation: str
    provider: str
    number: int
    retry: int
    of: int
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


# What a call waits for before it is made: its provider's rest or circuit, the rate, a place among those at the same time.
Limit = Literal["rest", "circuit", "rate", "concurrency"]


@dataclass(frozen=True)
class WaitBegun:
    """A call begins to wait before it is made, for about `expected_s`; None where nobody knows."""

    operation: str
    provider: str
    limit: Limit
    expected_s: float | None


@dataclass(frozen=True)
class LimitWaited:
    """A call has waited before it was made."""

    operation: str
    provider: str
    limit: Limit
    waited_s: float


GuardEvent = (
    CallEnded
    | AttemptBegun
    | AttemptEnded
    | RetryPause
    | RetriesExhausted
    | FellBack
    | RestBegun
    | WaitBegun
    | LimitWaited
)

Observer = Callable[[GuardEvent], None]


def nobody(event: GuardEvent) -> None:
    """Listens to nothing."""
