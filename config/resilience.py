"""The guard around every call: circuits, retries, fallbacks, limits of time, and what is kept of a run's progress."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from config.kinds import ErrorKind
from config.section import Section, squashed


class CircuitBreaker(Section):
    """When a provider is left alone for a while."""

    enabled: bool = True
    """Off: every request is sent, however often the provider has failed."""
    failure_threshold: Annotated[int, Field(ge=1)] = 5
    """Failures within `SamplingDuration` that open the circuit."""
    sampling_duration_s: Annotated[float, Field(gt=0)] = 60
    """How far back failures count."""
    minimum_throughput: Annotated[int, Field(ge=1)] = 3
    """Calls within `SamplingDuration` before the circuit may open at all."""
    break_duration_s: Annotated[float, Field(ge=0)] = 30
    """How long an open circuit refuses calls."""
    half_open_duration_s: Annotated[float, Field(gt=0)] = 10
    """How long one test of a half-open circuit may be out before the next call tests."""
    success_threshold: Annotated[int, Field(ge=1)] = 2
    """Successful tests that close a half-open circuit, however far apart; one that fails opens it again."""


class RetryBudget(Section):
    """How many retries a provider gets from all steps of all processes of a home together: one in trouble is not buried."""

    max_retries: Annotated[int, Field(ge=0)] = 100
    """Retries within `Window`; 0 is no limit."""
    window_s: Annotated[float, Field(gt=0)] = 60
    """How far back retries count."""


class Retry(Section):
    """How often, and how patiently, a call is tried again. `MaxRetryAttempts: 3` is four calls."""

    max_retry_attempts: Annotated[int, Field(ge=0, le=100)] = 3
    """Further calls after the first."""
    initial_delay_ms: Annotated[float, Field(ge=0)] = 1000
    """Pause before the first further call."""
    max_delay_ms: Annotated[float, Field(ge=0)] = 30_000
    """The longest pause, before jitter."""
    backoff_multiplier: Annotated[float, Field(ge=1)] = 2
    """How much longer each pause is than the one before."""
    jitter: bool = True
    """Vary each pause by a quarter, so that many clients do not return at once."""
    retryable_errors: tuple[ErrorKind, ...] = (
        "TransientNetworkFailure",
        "Timeout",
        "RateLimitExceeded",
        "ServiceUnavailable",
    )
    """Errors after which the same provider is asked again."""
    non_retryable_errors: tuple[ErrorKind, ...] = ("InvalidApiKey", "InvalidInput", "QuotaExceeded")
    """Errors after which it is not. What neither list names is not asked again either."""
    budget: RetryBudget = RetryBudget()
    """Retries of all steps together."""

    @classmethod
    def filled(cls, given: dict[str, Any]) -> dict[str, Any]:
        """One list alone says what is meant: what it names leaves the other list's default."""
        named = {squashed(str(key)): item for key, item in given.items()}
        for one, other in (("retryable_errors", "non_retryable_errors"), ("non_retryable_errors", "retryable_errors")):
            kinds = named.get(squashed(one))
            if isinstance(kinds, list | tuple) and squashed(other) not in named:
                left = tuple(kind for kind in cls.model_fields[other].default if kind not in kinds)
                return {**given, other: left}
        return given

    @model_validator(mode="after")
    def _lists_do_not_overlap(self) -> Retry:
        if both := set(self.retryable_errors) & set(self.non_retryable_errors):
            raise ValueError(f"{', '.join(sorted(both))} stands in RetryableErrors and in NonRetryableErrors")
        return self


class Fallback(Section):
    """Whether another provider may answer in place of the one that was wanted."""

    enabled: bool = True
    """Off: only the first provider of every chain is asked."""


class PartialSuccess(Section):
    """What happens to the others when some of many steps fail."""

    enabled: bool = True
    """The others are still made, and kept. Off: the first failure stops the run."""
    return_partial_results: bool = True
    """Exports that are finished are delivered though another one failed."""
    retry_failed_only: bool = True
    """A resumed job makes only what failed. Off: the failed steps' whole stage is made again."""


class StatePersistence(Section):
    """What is written down of a run's progress, for whoever looks at it and for after a crash."""

    enabled: bool = True
    """Off: only finished steps are noted, not how far a running one is."""
    save_interval_s: Annotated[float, Field(gt=0)] = 30
    """How stale the saved progress may be."""
    auto_resume: bool = True
    """`render` goes on with an interrupted job of the same brief. Off: it begins anew; `resume` goes on."""


class Resilience(Section):
    """The guard around every call."""

    circuit_breaker: CircuitBreaker = CircuitBreaker()
    """When a provider is left alone."""
    retry: Retry = Retry()
    """How calls are tried again."""
    fallback: Fallback = Fallback()
    """Whether others may answer."""
    partial_success: PartialSuccess = PartialSuccess()
    """When some of many fail."""
    state_persistence: StatePersistence = StatePersistence()
    """What is kept of a run's progress."""


class GracefulDegradation(Section):
    """What stands in when every provider of a stage has failed. The report names each of them, and the exit code is 3."""

    enabled: bool = True
    """Off: the job is parked instead."""
    fallback_to_basic: bool = True
    """A plain picture, a silent scene with its text on screen, a script cut from the brief. Off: other real providers only."""


class Features(Section):
    """What may be done in place of what was asked for."""

    graceful_degradation: GracefulDegradation = GracefulDegradation()
    """When every provider has failed."""


class Timeouts(Section):
    """A request within an operation within a job. 0 is no limit."""

    request_ms: Annotated[float, Field(ge=0)] = 30_000
    """One call of a provider."""
    operation_ms: Annotated[float, Field(ge=0)] = 300_000
    """One provider's work on one step, its retries included."""
    job_ms: Annotated[float, Field(ge=0)] = 3_600_000
    """One run of a job; it stays resumable."""
