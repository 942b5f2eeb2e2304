"""Trying the same provider again: how often, after which errors, and how long after. tenacity is the engine.

A pause is the backoff, capped, then varied by the jitter, and never shorter than what the provider itself asked for. One that
does not fit into what is left of the time is not begun.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

import tenacity

from config.errors import ProviderError
from pipeline.resilience.policy import Policy
from pipeline.resilience.retry_budget import Budgets

T = TypeVar("T")

Why = Literal["attempts", "time", "budget"]

_JITTER = 0.25


@dataclass(frozen=True)
class Pause:
    """Before call `number`. `asked_s` is what the provider asked for, if it asked."""

    number: int
    delay_s: float
    error: ProviderError
    asked_s: float | None


class SpentError(Exception):
    """No further call, though `error` would be worth one. `why`: what was used up; `pause_s` was not begun."""

    def __init__(self, error: ProviderError, why: Why, pause_s: float) -> None:
        super().__init__(str(error))
        self.error = error
        self.why = why
        self.pause_s = pause_s


@dataclass(frozen=True)
class Retrier:
    """The rules for one provider's operation. `left_s` is what is left of its time, None for no limit."""

    policy: Policy
    provider: str
    budgets: Budgets
    rng: random.Random
    now_s: Callable[[], float]
    left_s: Callable[[], float | None]
    sleep: Callable[[float], None]
    is_worth_another: Callable[[ProviderError], bool]
    on_pause: Callable[[Pause], None]

    def run(self, call: Callable[[], T]) -> T:
        """What a call returns at last. Raises an error that is worth no other call as it is, else SpentError."""
        spent: list[tuple[Why, float]] = []

        def stop(state: tenacity.RetryCallState) -> bool:
            if why := self._spent(state):
                spent.append((why, state.upcoming_sleep))
            return bool(spent)

        retrying = tenacity.Retrying(
            stop=stop,
            wait=self._pause_s,
            retry=lambda state: isinstance(error := _error(state), ProviderError) and self.is_worth_another(error),
            sleep=self.sleep,
            before_sleep=self._tell,
        )
        try:
            return retrying(call)
        except tenacity.RetryError as error:
            last = error.last_attempt.exception()
            if not (spent and isinstance(last, ProviderError)):
                raise
            raise SpentError(last, *spent[0]) from last

    def _spent(self, state: tenacity.RetryCallState) -> Why | None:
        if state.attempt_number > self.policy.retry.max_retry_attempts:
            return "attempts"
        left_s = self.left_s()
        if left_s is not None and state.upcoming_sleep >= left_s:
            return "time"
        # Last: what is taken here is spent.
        if not self.budgets.take(self.provider, self.policy.retry.budget, self.now_s()):
            return "budget"
        return None

    def _pause_s(self, state: tenacity.RetryCallState) -> float:
        retry = self.policy.retry
        backoff = tenacity.wait_exponential(
            multiplier=retry.initial_delay_ms / 1000, exp_base=retry.backoff_multiplier, max=retry.max_delay_ms / 1000
        )
        delay_s = backoff(state)
        if retry.jitter:
            # After the cap, so that many clients at the cap still spread out.
            delay_s *= self.rng.uniform(1 - _JITTER, 1 + _JITTER)
        error = _error(state)
        return max(delay_s, (error.retry_after_s or 0.0) if isinstance(error, ProviderError) else 0.0)

    def _tell(self, state: tenacity.RetryCallState) -> None:
        error = _error(state)
        if isinstance(error, ProviderError):
            self.on_pause(Pause(state.attempt_number + 1, state.upcoming_sleep, error, error.retry_after_s))


def _error(state: tenacity.RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
