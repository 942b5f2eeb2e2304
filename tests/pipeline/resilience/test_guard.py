"""The guarded call: retries, circuit, time limits, next provider, and a record of every attempt."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import Mock

import pytest

from config.errors import (
    CancelledError,
    CircuitOpenError,
    OutOfMemoryError,
    ProviderError,
    RateLimitedError,
    RejectedError,
    RetryExhaustedError,
    TimedOutError,
    TransientError,
    UnavailableError,
)
from config.settings import Settings
from pipeline.resilience.breakers.registry import Breakers
from pipeline.resilience.guard import Attempt, Guard, GuardedCall
from pipeline.resilience.policy import policy_for
from stages.base import CancelToken, Clock, Provider


@dataclass
class Time:
    """A clock that only sleeping moves."""

    now: float = 0.0
    naps: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds

    def clock(self) -> Clock:
        return Clock(monotonic=lambda: self.now, wall=lambda: self.now, sleep=self.sleep)


class Named(Provider):
    def __init__(self, name: str) -> None:
        self.name = name

    def identity(self) -> dict[str, str]:
        return {}


@dataclass
class Desk:
    """A guarded call on a fake clock, and what it noted."""

    call: GuardedCall
    time: Time
    notes: list[Attempt]
    cancel: CancelToken
    log: list[str]


def desk(*, retries: int = 3, jitter: bool = False, **timeouts: float) -> Desk:
    settings = Settings.model_validate(
        {"resilience": {"retry": {"max_retry_attempts": retries, "jitter": jitter}}, "timeouts": timeouts}
    )
    time, notes, cancel, log = Time(), [], CancelToken(), []
    guard = Guard(settings, Breakers(log.append), time.clock())
    return Desk(guard.bind(cancel, notes.append), time, notes, cancel, log)


def failing(*errors: Exception, answer: Any = "answer") -> Callable[[Provider, CancelToken], Any]:
    """Work that raises one error after the other, then answers."""
    left = list(errors)

    def work(_provider: Provider, _cancel: CancelToken) -> Any:
        if left:
            raise left.pop(0)
        return answer

    return work


A, B = Named("a"), Named("b")


def test_an_answer_comes_with_the_provider_that_gave_it_and_is_noted() -> None:
    at = desk()
    assert at.call("speak", [A, B], failing()) == ("answer", A)
    assert [(note.provider, note.outcome) for note in at.notes] == [("a", "ok")]
    assert at.call.fallbacks == []


def test_three_retries_are_four_calls_with_doubling_delays() -> None:
    at = desk()
    with pytest.raises(RetryExhaustedError) as caught:
        at.call("speak", [A], failing(*[TransientError("down")] * 9))
    assert at.time.naps == [1.0, 2.0, 4.0]
    assert len(at.notes) == len(caught.value.attempts) == 4
    assert caught.value.code == "RETRY_EXHAUSTED"
    assert "All retry attempts have been exhausted for this operation" in caught.value.message


def test_jitter_spreads_the_delays_around_the_backoff() -> None:
    at = desk(jitter=True)
    at.call("speak", [A], failing(*[TransientError("down")] * 3))
    assert all(0.75 * want <= nap <= 1.25 * want for nap, want in zip(at.time.naps, [1, 2, 4], strict=True))
    assert at.time.naps != [1.0, 2.0, 4.0]


def test_a_provider_that_says_when_to_come_back_is_not_asked_earlier() -> None:
    at = desk()
    assert at.call("speak", [A], failing(RateLimitedError("slow down", retry_after_s=7.5)))[0] == "answer"
    assert at.time.naps == [7.5]


def test_a_retry_after_beyond_the_operations_time_goes_to_the_next_provider_without_sleeping() -> None:
    at = desk(operation_ms=60_000)

    def work(provider: Provider, _cancel: CancelToken) -> str:
        if provider is A:
            raise RateLimitedError("slow down", retry_after_s=120)
        return "from b"

    assert at.call("speak", [A, B], work) == ("from b", B)
    assert at.time.naps == []
    assert len(at.notes) == 2


@pytest.mark.parametrize("error", [RejectedError("400"), UnavailableError("no key")])
def test_what_no_retry_can_mend_reaches_the_next_provider_after_one_call(error: ProviderError) -> None:
    at = desk()

    def work(provider: Provider, _cancel: CancelToken) -> str:
        if provider is A:
            raise error
        return "from b"

    assert at.call("speak", [A, B], work) == ("from b", B)
    assert [note.provider for note in at.notes] == ["a", "b"]
    (fallback,) = at.call.fallbacks
    assert (fallback.wanted, fallback.got, fallback.reason) == ("a", "b", str(error))


def test_when_all_providers_fail_the_error_tells_of_each() -> None:
    at = desk(retries=0)

    def work(provider: Provider, _cancel: CancelToken) -> str:
        raise RejectedError(f"{provider.name} says no")

    with pytest.raises(RejectedError, match="a says no; b says no"):
        at.call("speak", [A, B], work)


def test_a_job_waits_when_waiting_may_mend_one_of_its_providers() -> None:
    at = desk(retries=0)

    def work(provider: Provider, _cancel: CancelToken) -> str:
        raise TransientError("a is down") if provider is A else UnavailableError("b has no key")

    with pytest.raises(RetryExhaustedError, match=r"a is down.*; b has no key") as caught:
        at.call("write", [A, B], work)
    assert caught.value.exit_code == 75


def test_an_encoder_that_fails_every_time_is_nothing_to_wait_for() -> None:
    with pytest.raises(RetryExhaustedError) as caught:
        desk(retries=0).call("encode", [A], failing(TransientError("crashed")))
    assert (caught.value.code, caught.value.exit_code) == ("RETRY_EXHAUSTED", 1)


def test_a_resource_that_ran_short_is_neither_retried_nor_given_to_the_next_provider() -> None:
    at = desk()
    with pytest.raises(OutOfMemoryError):
        at.call("encode", [A, B], failing(OutOfMemoryError("no memory")))
    assert len(at.notes) == 1


def test_a_fault_of_ours_passes_through_unchanged() -> None:
    at = desk()
    with pytest.raises(ZeroDivisionError):
        at.call("speak", [A, B], failing(ZeroDivisionError()))


def test_no_provider_at_all_is_an_error_with_a_remedy() -> None:
    with pytest.raises(ProviderError, match="No provider is set up for 'speak'"):
        desk().call("speak", [], failing())


def test_five_failures_in_a_row_open_the_circuit_and_the_next_provider_answers() -> None:
    at = desk(retries=9)

    def work(provider: Provider, _cancel: CancelToken) -> str:
        if provider is A:
            raise TransientError("down")
        return "from b"

    assert at.call("speak", [A, B], work) == ("from b", B)
    assert [note.outcome for note in at.notes] == ["failed"] * 5 + ["refused", "ok"]
    assert at.log == [
        "[Circuit Breaker] a-TTS: State changed to Open",
        "[Circuit Breaker] a-TTS: Will attempt recovery in 30s",
    ]
    with pytest.raises(CircuitOpenError, match="Service temporarily unavailable due to repeated failures"):
        at.call("speak", [A], work)


def test_circuits_of_different_operations_do_not_trip_each_other() -> None:
    at = desk(retries=9)
    with pytest.raises(ProviderError):
        at.call("speak", [A], failing(*[TransientError("down")] * 9))
    assert at.call("draw", [A], failing())[0] == "answer"


def test_rejected_requests_do_not_open_the_circuit() -> None:
    at = desk()
    for _ in range(7):
        with pytest.raises(RejectedError):
            at.call("speak", [A], failing(RejectedError("bad request")))
    assert at.call("speak", [A], failing())[0] == "answer"


def test_a_disabled_circuit_lets_every_call_through() -> None:
    settings = Settings.model_validate(
        {"resilience": {"circuit_breaker": {"enabled": False}, "retry": {"max_retry_attempts": 0}}}
    )
    call = Guard(settings, Breakers(), Time().clock()).bind(CancelToken(), lambda note: None)
    for _ in range(9):
        with pytest.raises(RetryExhaustedError):
            call("speak", [A], failing(TransientError("down")))
    assert call("speak", [A], failing())[0] == "answer"


def hanging(_provider: Provider, cancel: CancelToken) -> str:
    """Work that never answers, but lets go when it is told to."""
    cancel.wait(60)
    cancel.check()
    return "too late"


@pytest.mark.parametrize(
    ("timeouts", "name"),
    [
        ({"request_ms": 20, "operation_ms": 60_000}, "request"),
        ({"request_ms": 60_000, "operation_ms": 20}, "operation"),
    ],
)
def test_the_limit_that_ran_out_is_named(timeouts: dict[str, float], name: str) -> None:
    at = desk(retries=0, **timeouts)
    with pytest.raises(RetryExhaustedError) as caught:
        at.call("speak", [A], hanging)
    assert isinstance(caught.value.__cause__, TimedOutError)
    assert f"the {name} timeout of 0.02 s ran out" in str(caught.value.__cause__)


def test_cancelling_during_a_call_ends_it_and_makes_no_other() -> None:
    at = desk()
    threading.Timer(0.02, at.cancel.cancel).start()
    with pytest.raises(CancelledError):
        at.call("speak", [A, B], hanging)
    assert len(at.notes) == 1


def test_cancelling_during_a_back_off_makes_no_further_call() -> None:
    settings, notes, cancel = Settings(), [], CancelToken()
    call = Guard(settings, Breakers()).bind(cancel, notes.append)

    def work(_provider: Provider, _cancel: CancelToken) -> str:
        threading.Timer(0.02, cancel.cancel).start()
        raise TransientError("down")

    with pytest.raises(CancelledError):
        call("speak", [A, B], work)
    assert len(notes) == 1


def test_encoding_has_no_request_limit_of_its_own() -> None:
    policy = policy_for(Settings(), "encode", "libx264")
    assert (policy.name, policy.request_timeout_s, policy.operation_timeout_s) == ("libx264-Render", 0.0, 0.0)
    speaking = policy_for(Settings(), "write", "OpenAI")
    assert (speaking.name, speaking.request_timeout_s, speaking.operation_timeout_s) == ("OpenAI-LLM", 30.0, 300.0)


def test_an_encoder_whose_neighbours_tripped_its_circuit_is_broken_here_too_and_nothing_to_wait_for() -> None:
    at = desk(retries=9)
    with pytest.raises(RetryExhaustedError) as caught:
        at.call("encode", [A], failing(*[TransientError("crashed")] * 9))
    assert [note.outcome for note in at.notes] == ["failed"] * 5 + ["refused"]
    assert (caught.value.code, caught.value.exit_code) == ("RETRY_EXHAUSTED", 1)
    assert len(caught.value.attempts) == 6


def test_circuits_can_be_sent_to_report_elsewhere() -> None:
    first: list[str] = []
    second: list[str] = []
    breakers = Breakers(first.append)
    settings = Settings.model_validate(
        {
            "resilience": {
                "circuit_breaker": {"failure_threshold": 1, "minimum_throughput": 1},
                "retry": {"max_retry_attempts": 0},
            }
        }
    )
    call = Guard(settings, breakers, Time().clock()).bind(CancelToken(), lambda note: None)
    breakers.tell(second.append)
    with pytest.raises(ProviderError):
        call("speak", [A], failing(TransientError("down")))
    assert (len(first), len(second)) == (0, 2)


# The token


def test_each_callback_runs_once_however_many_cancel_at_once() -> None:
    for _ in range(50):
        token, gate = CancelToken(), threading.Barrier(3)
        early, late = Mock(), Mock()
        token.on_cancel(early)

        def cancel(token: CancelToken = token, gate: threading.Barrier = gate) -> None:
            gate.wait()
            token.cancel()

        threads = [threading.Thread(target=cancel) for _ in range(2)]
        for thread in threads:
            thread.start()
        gate.wait()
        token.on_cancel(late)
        for thread in threads:
            thread.join()
        assert (early.call_count, late.call_count) == (1, 1)


def test_a_callback_that_was_taken_back_is_not_called_and_a_closed_child_is_forgotten() -> None:
    parent, callback = CancelToken(), Mock()
    parent.on_cancel(callback)()
    child = CancelToken(parent)
    child.close()
    parent.cancel("enough")
    assert (callback.call_count, child.cancelled) == (0, False)
    late = CancelToken(parent)
    assert late.cancelled
    with pytest.raises(CancelledError, match="enough"):
        late.check()
