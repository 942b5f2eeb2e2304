"""The guarded call: provider after provider, each behind retries, a circuit and a time limit.

From the outside in: next provider → operation timeout → retry → circuit breaker → request timeout → the work itself. Retry stands
outside the breaker, so that a failing provider trips its circuit after five calls and not after five times four.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import tenacity

from config.errors import (
    CancelledError,
    CircuitOpenError,
    FramekeepError,
    ProviderError,
    RenderExhaustedError,
    RetryExhaustedError,
    TimedOutError,
    TransientError,
)
from config.settings import Settings
from pipeline.resilience.breakers import Breakers
from pipeline.resilience.policy import LOCAL_MEDIA, Policy, policy_for
from stages.base import CancelToken, Clock, Provider

T = TypeVar("T")
P = TypeVar("P", bound=Provider)

PARKED = 75
EXHAUSTED_MESSAGE = "All retry attempts have been exhausted for this operation"


@dataclass(frozen=True)
class Attempt:
    """One call that was made or refused. `outcome`: `ok`, `failed` or `refused` (circuit open)."""

    operation: str
    provider: str
    outcome: str
    code: str
    message: str
    elapsed_s: float


@dataclass(frozen=True)
class Fallback:
    """A provider that was wanted, the one that answered, and why."""

    operation: str
    wanted: str
    got: str
    reason: str


class Guard:
    """Makes guarded calls. One for a run; its circuits are shared by all its steps."""

    def __init__(
        self,
        settings: Settings,
        breakers: Breakers,
        clock: Clock | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self.settings = settings
        self.breakers = breakers
        self.clock = clock
        self.rng = rng or random.Random()  # noqa: S311 - spreads delays

    def bind(self, cancel: CancelToken, note: Callable[[Attempt], None]) -> GuardedCall:
        """The call that one step is handed."""
        return GuardedCall(self, cancel, note)


class GuardedCall:
    """`stages.base.Call`, guarded. `fallbacks` lists what was not answered by the provider asked first."""

    def __init__(self, guard: Guard, cancel: CancelToken, note: Callable[[Attempt], None]) -> None:
        self._guard = guard
        self._cancel = cancel
        self._note = note
        self._clock = guard.clock or Clock(sleep=self._nap)
        self.fallbacks: list[Fallback] = []

    def __call__(self, operation: str, providers: Sequence[P], work: Callable[[P, CancelToken], T]) -> tuple[T, P]:
        errors: list[ProviderError] = []
        for provider in providers:
            policy = policy_for(self._guard.settings, operation, provider.name)
            try:
                answer = self._operate(operation, provider, policy, work)
            except ProviderError as error:
                errors.append(error)
                continue
            if errors:
                reason = "; ".join(str(error) for error in errors)
                self.fallbacks.append(Fallback(operation, providers[0].name, provider.name, reason))
            return answer, provider
        if not errors:
            raise ProviderError(f"No provider is set up for '{operation}'", hint="framekeep doctor")
        # Where waiting may mend one of them, the job waits.
        final = next((error for error in errors if error.exit_code == PARKED), errors[-1])
        final.message = "; ".join(error.message for error in errors)
        raise final

    def _operate(self, operation: str, provider: P, policy: Policy, work: Callable[[P, CancelToken], T]) -> T:
        """One provider's operation: its attempts, within its time."""
        started = self._clock.monotonic()
        history: list[str] = []

        def left_s() -> float | None:
            if not policy.operation_timeout_s:
                return None
            return policy.operation_timeout_s - (self._clock.monotonic() - started)

        attempts_made = tenacity.stop_after_attempt(1 + policy.retry.max_retry_attempts)

        def stop(state: tenacity.RetryCallState) -> bool:
            left = left_s()
            return attempts_made(state) or (left is not None and state.upcoming_sleep >= left)

        retrying = tenacity.Retrying(
            stop=stop,
            wait=self._wait(policy),
            retry=tenacity.retry_if_exception(lambda error: isinstance(error, TransientError)),
            sleep=self._clock.sleep,
            before=lambda state: self._cancel.check(),
        )
        try:
            return retrying(lambda: self._attempt(operation, provider, policy, work, left_s(), history))
        except CircuitOpenError as error:
            if operation not in LOCAL_MEDIA:
                raise
            # Its neighbours tripped the circuit; the encoder fails here every time, and waiting mends none of them.
            raise RenderExhaustedError(
                f"{policy.name}: {error.message}", provider=provider.name, hint="framekeep doctor", attempts=history
            ) from error
        except tenacity.RetryError as error:
            last = error.last_attempt.exception()
            if not isinstance(last, TransientError):
                raise
            kind = RenderExhaustedError if operation in LOCAL_MEDIA else RetryExhaustedError
            raise kind(
                f"{policy.name}: {EXHAUSTED_MESSAGE} ({len(history)} calls; last: {last.message})",
                provider=provider.name,
                hint=last.hint or "wait a minute, then: framekeep resume",
                retry_after_s=last.retry_after_s,
                attempts=history,
            ) from last

    def _attempt(
        self,
        operation: str,
        provider: P,
        policy: Policy,
        work: Callable[[P, CancelToken], T],
        left_s: float | None,
        history: list[str],
    ) -> T:
        started = self._clock.monotonic()

        def note(outcome: str, error: FramekeepError | None = None) -> None:
            elapsed_s = self._clock.monotonic() - started
            code, message = (error.code, error.message) if error else ("", "")
            self._note(Attempt(operation, provider.name, outcome, code, message, elapsed_s))

        try:
            with self._guard.breakers.admit(policy, provider.name):
                answer = self._in_time(operation, provider, policy, work, left_s)
        except FramekeepError as error:
            history.append(f"{provider.name}: {error.code}: {error.message}")
            note("refused" if error.code == "CIRCUIT_OPEN" else "failed", error)
            raise
        note("ok")
        return answer

    def _in_time(
        self,
        operation: str,
        provider: P,
        policy: Policy,
        work: Callable[[P, CancelToken], T],
        left_s: float | None,
    ) -> T:
        """The work itself, cut off when the request's or the operation's time is up."""
        limits = {"request": policy.request_timeout_s or None, "operation": left_s}
        named_s = {"request": policy.request_timeout_s, "operation": policy.operation_timeout_s}
        running = {name: limit for name, limit in limits.items() if limit is not None}
        token = CancelToken(self._cancel)
        if not running:
            try:
                return work(provider, token)
            finally:
                token.close()
        name = min(running, key=lambda key: running[key])
        reason = f"the {name} timeout of {named_s[name]:g} s ran out"
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            token.cancel(reason)

        timer = threading.Timer(max(running[name], 0.0), expire)
        timer.daemon = True
        timer.start()
        try:
            return work(provider, token)
        except CancelledError as error:
            if not expired.is_set() or self._cancel.cancelled:
                raise
            raise TimedOutError(
                f"{policy.name}: {reason} during '{operation}'",
                provider=provider.name,
                hint=f"raise Timeouts.{name.capitalize()}, or try again: framekeep resume",
            ) from error
        finally:
            timer.cancel()
            token.close()

    def _wait(self, policy: Policy) -> Callable[[tenacity.RetryCallState], float]:
        retry = policy.retry
        backoff = tenacity.wait_exponential(
            multiplier=retry.initial_delay_ms / 1000,
            exp_base=retry.backoff_multiplier,
            max=retry.max_delay_ms / 1000,
        )

        def wait(state: tenacity.RetryCallState) -> float:
            delay_s = backoff(state)
            if retry.jitter:
                # After the cap, so that many clients at the cap still spread out.
                delay_s *= self._guard.rng.uniform(0.75, 1.25)
            error = state.outcome.exception() if state.outcome else None
            asked_s = error.retry_after_s if isinstance(error, ProviderError) else None
            return max(delay_s, asked_s or 0.0)

        return wait

    def _nap(self, seconds: float) -> None:
        self._cancel.wait(seconds)
        self._cancel.check()
