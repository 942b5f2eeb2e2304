"""Which errors are tried again, which go to the next provider, and what is said when nobody is left."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from config.errors import (
    CircuitOpenError,
    ProviderError,
    QuotaError,
    RateLimitedError,
    RejectedError,
    RetryExhaustedError,
    TimedOutError,
    TransientError,
    UnavailableError,
)
from pipeline.report import Result, error_report, status_of
from pipeline.resilience.attempt_events import AttemptEnded, CallEnded, FellBack, RetriesExhausted, RetryPause
from tests.guarding import Desk, Named, desk, settings_of

A, B, C = Named("a"), Named("b"), Named("c")
OPENAI = Named("OpenAI")
DOWN = TransientError("down", kind="ServiceUnavailable")


def exhausted(at: Desk, *providers: Named, script: dict[str, Any], operation: str = "write") -> RetryExhaustedError:
    with pytest.raises(RetryExhaustedError) as caught:
        at.call(operation, providers, at.work(script))
    return caught.value


# Which errors are tried again


def test_a_quota_error_reaches_the_next_provider_after_exactly_one_call() -> None:
    at = desk()
    answer, provider = at.call("write", [A, B], at.work({"a": [QuotaError("spent")]}))
    assert (answer, provider, at.asked, at.time.naps) == ("from b", B, ["a", "b"], [])


def test_a_400_is_never_retried() -> None:
    at = desk()
    with pytest.raises(RejectedError):
        at.call("write", [A], at.work({"a": [RejectedError("400")] * 5}))
    assert (at.asked, at.time.naps) == (["a"], [])


@pytest.mark.parametrize(
    ("lists", "error", "calls"),
    [
        ({}, TransientError("x"), 4),
        ({}, TimedOutError("x"), 4),
        ({}, TransientError("x", kind="ServiceUnavailable"), 4),
        ({}, UnavailableError("x", kind="InvalidApiKey"), 1),
        ({}, RejectedError("x", kind="ContentRefused"), 1),
        ({"RetryableErrors": ["Timeout"]}, TransientError("x"), 1),
        ({"RetryableErrors": ["Timeout"]}, TimedOutError("x"), 4),
        ({"NonRetryableErrors": ["Timeout"]}, TimedOutError("x"), 1),
        ({"RetryableErrors": ["InvalidInput"]}, RejectedError("x"), 4),
    ],
)
def test_the_lists_of_errors_decide_by_the_errors_kind(lists: dict[str, Any], error: ProviderError, calls: int) -> None:
    at = desk(settings_of(Resilience={"Retry": lists}))
    with pytest.raises(ProviderError):
        at.call("write", [A], at.work({"a": [error] * 9}))
    assert len(at.asked) == calls


def test_a_provider_may_have_rules_of_its_own() -> None:
    settings = settings_of(
        Providers={"OpenAI": {"Retry": {"MaxRetryAttempts": 5, "InitialDelay": 2000, "BackoffMultiplier": 1}}},
        Resilience={"CircuitBreaker": {"Enabled": False}},
    )
    at = desk(settings)
    exhausted(at, OPENAI, A, script={"OpenAI": [DOWN] * 9, "a": [DOWN] * 9})
    assert at.asked == ["OpenAI"] * 6 + ["a"] * 4
    assert at.time.naps == [2.0] * 5 + [1.0, 2.0, 4.0]


def test_pauses_grow_to_the_cap_and_jitter_comes_after_it() -> None:
    rules = {"MaxRetryAttempts": 6, "InitialDelay": 1000, "MaxDelay": 5000, "BackoffMultiplier": 3, "Jitter": True}
    at = desk(settings_of(Resilience={"Retry": rules, "CircuitBreaker": {"Enabled": False}}))
    exhausted(at, A, script={"a": [DOWN] * 9})
    for nap, want in zip(at.time.naps, [1, 3, 5, 5, 5, 5], strict=True):
        assert 0.75 * want <= nap <= 1.25 * want
    assert max(at.time.naps) > 5 or min(at.time.naps[2:]) < 5, "the cap cuts before the jitter"
    assert len(set(at.time.naps)) == 6


def test_a_providers_own_time_wins_over_a_shorter_backoff_and_not_over_a_longer_one() -> None:
    at = desk(settings_of(Resilience={"Retry": {"InitialDelay": 4000}}))
    script = {"a": [TransientError("x", retry_after_s=9.0), TransientError("x", retry_after_s=3.0)]}
    at.call("write", [A], at.work(script))
    assert at.time.naps == [9.0, 8.0]
    assert [(pause.number, pause.delay_s, pause.asked_s) for pause in at.of(RetryPause)] == [
        (2, 9.0, 9.0),
        (3, 8.0, 3.0),
    ]


def test_all_steps_share_a_providers_retry_budget_until_it_refills() -> None:
    budget = {"MaxRetryAttempts": 3, "InitialDelay": 1000, "Budget": {"MaxRetries": 4, "Window": 60}}
    at = desk(settings_of(Resilience={"Retry": budget, "CircuitBreaker": {"Enabled": False}}))
    exhausted(at, A, script={"a": [DOWN] * 9})
    error = exhausted(at, A, script={"a": [DOWN] * 9})
    assert len(at.asked) == 4 + 2
    assert "the 4 retries that it has in 60 s are used up" in error.message
    assert [told.why for told in at.of(RetriesExhausted)] == ["attempts", "budget"]
    at.call("write", [B], at.work({"b": [DOWN]}))
    at.time.now += 60
    before = len(at.asked)
    exhausted(at, A, script={"a": [DOWN] * 9})
    assert len(at.asked) == before + 4


def test_a_budget_of_0_is_no_limit() -> None:
    rules = {"MaxRetryAttempts": 50, "InitialDelay": 0, "Budget": {"MaxRetries": 0}}
    at = desk(settings_of(Resilience={"Retry": rules, "CircuitBreaker": {"Enabled": False}}))
    exhausted(at, A, script={"a": [DOWN] * 99})
    assert len(at.asked) == 51


def test_an_exhausted_provider_is_told_with_its_history_and_the_last_errors_kind() -> None:
    at = desk()
    script = {"a": [TransientError("no connection"), TimedOutError("slow"), DOWN, TransientError("cut")]}
    error = exhausted(at, A, script=script)
    assert error.attempts == (
        "a: PROVIDER_TRANSIENT: no connection",
        "a: TIMEOUT: slow",
        "a: PROVIDER_TRANSIENT: down",
        "a: PROVIDER_TRANSIENT: cut",
    )
    assert error.kind == "TransientNetworkFailure"
    assert "(4 calls; last: cut)" in error.message
    assert at.of(RetriesExhausted) == [RetriesExhausted("write", "a", 4, "TransientNetworkFailure", "attempts")]


# Who is asked next


GUIDES_TRIGGERS = ["ServiceUnavailable", "RateLimitExceeded", "CircuitOpen"]


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (DOWN, True),
        (RateLimitedError("slow down"), True),
        (UnavailableError("does not speak Welsh"), True),
        (TimedOutError("late"), False),
        (QuotaError("spent"), False),
        (RejectedError("400"), False),
        (RejectedError("no", kind="ContentRefused"), False),
    ],
)
def test_only_triggers_pass_a_call_on_and_what_one_cannot_do_at_all(error: ProviderError, passes: bool) -> None:
    settings = settings_of(
        Providers={"LLM": {"Providers": [{"Name": "OpenAI"}], "FallbackTriggers": GUIDES_TRIGGERS}},
        Resilience={"Retry": {"MaxRetryAttempts": 0}},
    )
    at = desk(settings)
    work = at.work({"a": [error]})
    if passes:
        assert at.call("write", [A, B], work)[1] is B
    else:
        with pytest.raises(ProviderError) as caught:
            at.call("write", [A, B], work)
        assert caught.value.kind == error.kind
        assert at.asked == ["a"]


def test_an_open_circuit_is_a_trigger_like_others() -> None:
    for triggers, passes in (["CircuitOpen"], True), (["ServiceUnavailable"], False):
        rules = {"FailureThreshold": 1, "MinimumThroughput": 1}
        settings = settings_of(
            Providers={"LLM": {"Providers": [{"Name": "OpenAI"}], "FallbackTriggers": triggers}},
            Resilience={"Retry": {"MaxRetryAttempts": 0}, "CircuitBreaker": rules},
        )
        at = desk(settings)
        exhausted(at, A, script={"a": [DOWN]})
        if passes:
            assert at.call("write", [A, B], at.work({}))[1] is B
        else:
            with pytest.raises(CircuitOpenError):
                at.call("write", [A, B], at.work({}))
        assert at.asked[:1] == ["a"]


@pytest.mark.parametrize(
    "off", [{"Resilience": {"Fallback": {"Enabled": False}}}, {"Providers": {"TTS": {"FallbackEnabled": False}}}]
)
def test_without_fallback_only_the_first_provider_is_asked(off: dict[str, Any]) -> None:
    at = desk(settings_of(**off))
    with pytest.raises(RejectedError):
        at.call("speak", [A, B], at.work({"a": [RejectedError("no")]}))
    assert (at.asked, at.of(FellBack)) == (["a"], [])


def test_a_switch_of_one_stage_leaves_the_others() -> None:
    at = desk(settings_of(Providers={"TTS": {"FallbackEnabled": False}}))
    assert at.call("draw", [A, B], at.work({"a": [RejectedError("no")]}))[1] is B


# When nobody is left


def test_the_job_waits_for_the_provider_that_can_be_asked_first() -> None:
    settings = settings_of(
        Resilience={
            "Retry": {"MaxRetryAttempts": 0},
            "CircuitBreaker": {"FailureThreshold": 1, "MinimumThroughput": 1, "BreakDuration": 30},
        },
        Timeouts={"Operation": 10_000},
    )
    at = desk(settings)
    exhausted(at, A, B, script={"a": [DOWN], "b": [DOWN]})
    at.time.now += 12
    limited = RateLimitedError("slow down", retry_after_s=45)
    with pytest.raises(ProviderError) as caught:
        at.call("write", [A, C, B], at.work({"c": [limited]}))
    error = caught.value
    assert (error.code, error.exit_code, error.retry_after_s) == ("CIRCUIT_OPEN", 75, 18)
    assert at.asked == ["a", "b", "c"], "no attempt is burned on an open circuit"
    report = error_report(error)
    assert report.retry_after_s == 18
    assert report.resume_after
    at_s = datetime.datetime.fromisoformat(report.resume_after).timestamp()
    assert at_s - datetime.datetime.now(datetime.UTC).timestamp() == pytest.approx(18, abs=2)
    assert "framekeep resume" in report.hint
    result = Result(job_id="j", status=status_of(error), error=report)
    assert (result.exit_code, result.as_json()["error"]["retry_after_s"]) == (75, 18)


def test_an_exhausted_provider_that_named_no_time_is_asked_again_a_minute_later() -> None:
    at = desk()
    error = exhausted(at, A, script={"a": [DOWN] * 4})
    assert (error.exit_code, error.retry_after_s) == (75, 60)
    assert "(60 s), then: framekeep resume" in error.hint


def test_what_no_waiting_mends_does_not_park_a_job() -> None:
    at = desk()
    with pytest.raises(ProviderError) as caught:
        at.call("write", [A, B], at.work({"a": [RejectedError("400")], "b": [UnavailableError("no key")]}))
    assert (caught.value.exit_code, caught.value.message) == (1, "400; no key")
    assert error_report(caught.value).resume_after is None
    assert (
        "resume_after" not in Result(job_id="j", status="failed", error=error_report(caught.value)).as_json()["error"]
    )


def test_a_pause_that_outlasts_the_job_is_not_begun() -> None:
    left = [100.0]
    at = desk(job_left_s=lambda: left[0])
    script = {"a": [RateLimitedError("slow down", retry_after_s=120)]}
    assert at.call("write", [A, B], at.work(script))[1] is B
    assert at.time.naps == []
    assert [told.why for told in at.of(RetriesExhausted)] == ["time"]


# What is told


def test_each_call_attempt_pause_and_fallback_is_told_in_order() -> None:
    at = desk(settings_of(Resilience={"Retry": {"MaxRetryAttempts": 1}}))
    at.call("write", [A, B], at.work({"a": [DOWN, DOWN]}))
    assert [type(event).__name__ for event in at.events] == [
        "AttemptBegun",
        "AttemptEnded",
        "RetryPause",
        "AttemptBegun",
        "AttemptEnded",
        "RetriesExhausted",
        "FellBack",
        "AttemptBegun",
        "AttemptEnded",
        "CallEnded",
    ]
    assert [(e.provider, e.number, e.outcome, e.kind) for e in at.of(AttemptEnded)] == [
        ("a", 1, "failed", "ServiceUnavailable"),
        ("a", 2, "failed", "ServiceUnavailable"),
        ("b", 1, "ok", None),
    ]
    (call,) = at.of(CallEnded)
    assert (call.provider, call.outcome, call.attempts, call.elapsed_s) == ("b", "ok", 3, 1.0)
    (fell,) = at.of(FellBack)
    assert (fell.provider, fell.next_provider, fell.kind) == ("a", "b", "ServiceUnavailable")


def test_who_listens_cannot_cost_an_answer() -> None:
    at = desk()

    def broken(_event: object) -> None:
        raise RuntimeError("the ledger is full")

    call = at.guard.bind(at.cancel, broken, observe=broken)
    assert call("write", [A], at.work({})) == ("from a", A)


def test_what_is_injected_stands_in_the_place_of_the_work() -> None:
    def inject(operation: str, work: Any) -> Any:
        def injected(provider: Named, cancel: Any) -> Any:
            if provider is A:
                raise TransientError(f"simulated at {operation}")
            return work(provider, cancel)

        return injected

    at = desk(inject=inject)
    assert at.call("draw", [A, B], at.work({}))[1] is B
    assert at.asked == ["b"]
    assert [note.outcome for note in at.notes] == ["failed"] * 4 + ["ok"]
    assert "simulated at draw" in at.call.fallbacks[0].reason
