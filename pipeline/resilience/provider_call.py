"""One provider asked within one guarded call: its attempts, its limits, its circuit, and the error that is left at last."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from config.errors import (
    CancelledError,
    CircuitOpenError,
    FramekeepError,
    ProviderError,
    RenderExhaustedError,
    RetryExhaustedError,
    TransientError,
)
from pipeline.resilience.attempt_events import (
    AttemptBegun,
    AttemptEnded,
    Limit,
    LimitWaited,
    Observer,
    RestBegun,
    RetriesExhausted,
    RetryPause,
    WaitBegun,
)
from pipeline.resilience.breakers.registry import Breakers
from pipeline.resilience.call_limits import Restraints
from pipeline.resilience.exhausted import exhausted
from pipeline.resilience.policy import LOCAL_MEDIA, Policy, stands_alone
from pipeline.resilience.rate_limits import Patience
from pipeline.resilience.retry import Pause, Retrier, SpentError
from pipeline.resilience.timeouts import in_time
from stages.base import CancelToken, Clock, Provider

T = TypeVar("T")
P = TypeVar("P", bound=Provider)

# A rest this short is over before anybody else could have been asked.
_SHORT_REST_S = 0.05
# How often it is looked whether a circuit that is waited for is still open, or a test has ended; and a shortest pause.
_LOOK_S, _TEST_LOOK_S, _LEAST_LOOK_S = 1.0, 0.2, 0.01


@dataclass(frozen=True)
class Surroundings:
    """What all providers of one guarded call share. `job_left_s` is what is left of the run's time, None for no limit."""

    breakers: Breakers
    restraints: Restraints
    clock: Clock
    rng: random.Random
    cancel: CancelToken
    account: Callable[[str], str]
    job_left_s: Callable[[], float | None]
    observe: Observer
    job_id: str = ""


@dataclass
class Asking(Generic[P, T]):
    """Ask one provider. `is_last`: nobody is asked after it, so a short rest is better waited for.

    `calls` were made, `retries` are those of them after the first that ended by themselves, `failed_retries` those that failed.
    """

    around: Surroundings
    operation: str
    provider: P
    policy: Policy
    work: Callable[[P, CancelToken], T]
    is_last: bool
    calls: int = 0
    retries: int = 0
    failed_retries: int = 0
    _number: int = 0
    _history: list[str] = field(default_factory=list)
    _failure: ProviderError | None = None
    _refusal: ProviderError | None = None
    _started_s: float = 0.0

    def run(self) -> T:
        """Its answer. Raises RetryExhaustedError, CircuitOpenError, RestingError, or what no other try can mend."""
        around = self.around
        self._started_s = around.clock.monotonic()
        retrier = Retrier(
            policy=self.policy,
            provider=self.provider.name,
            budgets=around.restraints.budgets,
            rng=around.rng,
            now_s=around.clock.monotonic,
            left_s=self._left_s,
            sleep=self._sleep,
            is_worth_another=self._is_worth_another,
            on_pause=self._tell_pause,
        )
        try:
            return retrier.run(self._attempt)
        except SpentError as spent:
            raise self._exhausted(spent) from spent.error
        except CircuitOpenError as error:
            if self.operation not in LOCAL_MEDIA:
                raise
            # Its neighbours tripped the circuit; the encoder fails here every time, and waiting mends none of them.
            raise RenderExhaustedError(
                f"{self.policy.name}: {error.message}",
                provider=self.provider.name,
                hint="framekeep doctor",
                attempts=self._history,
                kind=error.kind,
            ) from error

    def _attempt(self) -> T:
        around, policy, name = self.around, self.policy, self.provider.name
        around.cancel.check()
        self._number += 1
        made_before, began_s = self.calls, around.clock.monotonic()
        try:
            self._heed_rest()
            with self._limited(), self._admitted():
                self._prepare()
                self.calls += 1
                began_s = around.clock.monotonic()
                most = 1 + policy.retry.max_retry_attempts
                around.observe(AttemptBegun(self.operation, name, self._number, most))
                answer = in_time(
                    policy, name, around.cancel, self._operation_left_s(), lambda token: self.work(self.provider, token)
                )
        except FramekeepError as error:
            self._history.append(f"{name}: {error.code}: {error.message}")
            was_made = self.calls > made_before
            if was_made and not isinstance(error, CancelledError):
                self._count_retry(failed=True)
            if isinstance(error, ProviderError):
                if was_made:
                    self._failure = error
                    self._begin_rest(error)
                else:
                    self._refusal = error
                    if self._failure:
                        # What the provider itself said would be lost otherwise.
                        error.message += f" (Before that: {self._failure.message})"
            self._tell("failed" if was_made else "refused", began_s, error)
            raise
        self._count_retry(failed=False)
        self._tell("ok", began_s)
        return answer

    def _count_retry(self, *, failed: bool) -> None:
        if self.calls > 1:
            self.retries += 1
            self.failed_retries += failed

    def _prepare(self) -> None:
        """Let the provider load what it needs: that is no call, and takes nothing from the time of one or of all its calls."""
        began_s = self.around.clock.monotonic()
        self.provider.prepare(self.around.cancel)
        self._started_s += self.around.clock.monotonic() - began_s

    def _heed_rest(self) -> None:
        """Raise while the provider rests. Where nobody else could be asked, a rest that fits is waited for."""
        rests = self.around.restraints.rests
        waited_s = 0.0
        while row := rests.standing(self.provider.name, self._account):
            left_s = rests.left_s(row)
            may_wait = row.kind == "RateLimitExceeded" and left_s is not None
            if not may_wait or not self._fits(left_s or 0.0) or not (self.is_last or (left_s or 0.0) <= _SHORT_REST_S):
                raise rests.refused(row)
            self._tell_waiting("rest", left_s)
            self._sleep(left_s or 0.0)
            waited_s += left_s or 0.0
        if waited_s:
            self._tell_wait("rest", waited_s)

    def _begin_rest(self, error: ProviderError) -> None:
        if error.kind != "RateLimitExceeded" and self.policy.retries(error.kind):
            # Settings say that it passes.
            return
        row = self.around.restraints.rests.begin(self.provider.name, error, self._account)
        if row:
            self.around.observe(RestBegun(self.provider.name, error.kind, row.length_s))
            if error.retry_after_s is None:
                error.retry_after_s = row.length_s

    @contextlib.contextmanager
    def _limited(self) -> Iterator[None]:
        limit = self.policy.rate_limit
        if not (limit.requests or limit.concurrency):
            yield
            return
        patience = Patience(self._sleep, self._left_s)
        limits = self.around.restraints.limits
        with limits.turn(self.provider.name, limit, patience, self._tell_waiting, self._tell_wait):
            yield

    @contextlib.contextmanager
    def _admitted(self) -> Iterator[None]:
        """Through the circuit, after waiting for it where that is better than to be refused, and there is time."""
        around, name, waited_s = self.around, self.provider.name, 0.0
        with contextlib.ExitStack() as stack:
            while True:
                try:
                    stack.enter_context(around.breakers.admit(self.policy, name, around.job_id))
                    break
                except CircuitOpenError as error:
                    left_s = error.retry_after_s or 0.0
                    if not self._waits_for_circuit(error, waited_s) or not self._fits(left_s):
                        raise
                    if not waited_s:
                        self._tell_waiting("circuit", left_s)
                    # Somebody else's test may be over before that.
                    pause_s = min(max(left_s, _LEAST_LOOK_S), _TEST_LOOK_S if error.is_tested else _LOOK_S)
                    self._sleep(pause_s)
                    waited_s += pause_s
            if waited_s:
                self._tell_wait("circuit", waited_s)
            yield

    def _waits_for_circuit(self, error: CircuitOpenError, waited_s: float) -> bool:
        """Whether to wait rather than to be refused.

        A test that runs now tells within the half-open period how the provider is: a call that did not wait for it would go to
        somebody else, or park its job, though the provider may be well. A break is waited for only where nobody could do it in
        the provider's place.
        """
        if stands_alone(self.operation, self.provider.name):
            return True
        return error.is_tested and waited_s < self.policy.breaker.half_open_duration_s

    def _is_worth_another(self, error: ProviderError) -> bool:
        """A call that was refused before it was made is not made again: the next provider is asked, or the job waits."""
        if error is self._refusal:
            return False
        if self.operation in LOCAL_MEDIA:
            return isinstance(error, TransientError)
        return self.policy.retries(error.kind)

    def _exhausted(self, spent: SpentError) -> RetryExhaustedError:
        name, kind = self.provider.name, spent.error.kind
        self.around.observe(RetriesExhausted(self.operation, name, self.calls, kind, spent.why))
        return exhausted(self.policy, self.operation, name, self.calls, spent, self._history, self.around.clock.wall())

    # Time

    def _operation_left_s(self) -> float | None:
        limit_s = self.policy.operation_timeout_s
        return limit_s - (self.around.clock.monotonic() - self._started_s) if limit_s else None

    def _left_s(self) -> float | None:
        """For waiting: what ends first, the operation or the job."""
        lefts = [left for left in (self._operation_left_s(), self.around.job_left_s()) if left is not None]
        return min(lefts) if lefts else None

    def _fits(self, seconds: float) -> bool:
        left_s = self._left_s()
        return left_s is None or seconds < left_s

    def _sleep(self, seconds: float) -> None:
        self.around.clock.sleep(seconds)
        self.around.cancel.check()

    def _account(self) -> str:
        return self.around.account(self.provider.name)

    # Telling

    def _tell(
        self, outcome: Literal["ok", "failed", "refused"], began_s: float, error: FramekeepError | None = None
    ) -> None:
        kind = error.kind if isinstance(error, ProviderError) else None
        code, message = (error.code, error.message) if error else ("", "")
        elapsed_s = self.around.clock.monotonic() - began_s
        self.around.observe(
            AttemptEnded(self.operation, self.provider.name, self._number, outcome, kind, code, message, elapsed_s)
        )

    def _tell_pause(self, pause: Pause) -> None:
        self.around.observe(
            RetryPause(
                self.operation,
                self.provider.name,
                pause.number,
                pause.number - 1,
                self.policy.retry.max_retry_attempts,
                pause.delay_s,
                pause.error.kind,
                pause.asked_s,
            )
        )

    def _tell_waiting(self, limit: Limit, expected_s: float | None) -> None:
        self.around.observe(WaitBegun(self.operation, self.provider.name, limit, expected_s))

    def _tell_wait(self, limit: Limit, waited_s: float) -> None:
        self.around.observe(LimitWaited(self.operation, self.provider.name, limit, waited_s))
