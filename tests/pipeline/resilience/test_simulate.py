"""Failures on purpose: which calls fail follows from the seed, and each kind is the error that it stands for."""

from __future__ import annotations

from typing import Any

import pytest

from config.errors import (
    CancelledError,
    DiskFullError,
    FramekeepError,
    ProviderError,
    QuotaError,
    RateLimitedError,
    TimedOutError,
    TransientError,
)
from config.watching import Testing
from pipeline.resilience.fault_injection import Simulator
from stages.base import CancelToken, Provider


class Named(Provider):
    name = "somebody"

    def identity(self) -> dict[str, str]:
        return {}


def outcomes(testing: Testing, operation: str = "speak", steps: int = 400, calls: int = 1) -> list[str]:
    simulator, found = Simulator(testing), []
    for step in range(steps):
        work: Any = simulator.around(f"step-{step}", operation, lambda _p, _c: "answer", lambda *_: None)
        for _ in range(calls):
            token = CancelToken()
            token.cancel()
            try:
                found.append(work(Named(), token))
            except FramekeepError as error:
                found.append(type(error).__name__)
    return found


def on(**more: Any) -> Testing:
    return Testing.model_validate({"SimulateFailures": True, "FailureRate": 0.3, **more})


def test_off_is_off() -> None:
    assert set(outcomes(Testing(failure_rate=1.0))) == {"answer"}
    assert set(outcomes(on(FailureRate=0))) == {"answer"}


def test_the_share_of_failures_is_the_rate() -> None:
    failed = sum(outcome != "answer" for outcome in outcomes(on(), steps=2000))
    assert 0.26 < failed / 2000 < 0.34
    assert "answer" not in outcomes(on(FailureRate=1))


def test_the_same_seed_fails_the_same_calls_and_another_one_others() -> None:
    assert outcomes(on(Seed=5)) == outcomes(on(Seed=5))
    assert outcomes(on(Seed=5)) != outcomes(on(Seed=6))


def test_a_call_that_is_made_again_is_another_call() -> None:
    pairs = outcomes(on(), calls=2)
    assert any(first != "answer" and second == "answer" for first, second in zip(pairs[::2], pairs[1::2], strict=True))


@pytest.mark.parametrize(
    ("kind", "operation", "error", "says"),
    [
        ("error", "speak", TransientError, "ServiceUnavailable"),
        ("timeout", "draw", TimedOutError, "Timeout"),
        ("truncated", "write", TransientError, "TransientNetworkFailure"),
        ("rate_limit", "speak", RateLimitedError, "RateLimitExceeded"),
        ("quota", "speak", QuotaError, "QuotaExceeded"),
        ("disk_full", "encode", DiskFullError, ""),
        ("killed_encoder", "mux", TransientError, "TransientNetworkFailure"),
    ],
)
def test_each_kind_is_the_error_that_it_stands_for(kind: str, operation: str, error: Any, says: str) -> None:
    told: list[Any] = []
    work: Any = Simulator(on(FailureRate=1, Kinds=[kind])).around(
        "s", operation, lambda _p, _c: "answer", lambda *what: told.append(what)
    )
    with pytest.raises(error) as caught:
        work(Named(), CancelToken())
    if isinstance(caught.value, ProviderError):
        assert caught.value.kind == says
    assert told == [(kind, operation, "somebody")]


def test_a_slow_call_still_answers_and_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.resilience.fault_injection._SLOW_S", 0.0)
    work: Any = Simulator(on(FailureRate=1, Kinds=["slow"])).around(
        "s", "speak", lambda _p, _c: "answer", lambda *_: None
    )
    assert work(Named(), CancelToken()) == "answer"
    stopped = CancelToken()
    stopped.cancel()
    with pytest.raises(CancelledError):
        work(Named(), stopped)


def test_only_the_named_stages_and_fitting_kinds_fail() -> None:
    only = on(FailureRate=1, Stages=["images"])
    assert set(outcomes(only, "speak")) == {"answer"}
    assert "answer" not in outcomes(only, "draw")
    assert set(outcomes(on(FailureRate=1, Kinds=["disk_full"]), "speak")) == {"answer"}


def calls(testing: Testing, operation: str, tries: int | None, number: int = 60) -> list[str]:
    """The same step called so many times."""
    work: Any = Simulator(testing).around("s", operation, lambda _p, _c: "answer", lambda *_: None, tries)
    found = []
    for _ in range(number):
        try:
            found.append(work(Named(), CancelToken()))
        except FramekeepError as error:
            found.append(type(error).__name__)
    return found


def test_the_last_try_of_what_nothing_comes_after_is_left_alone() -> None:
    found = calls(on(FailureRate=1, Kinds=["killed_encoder"]), "encode", tries=3)
    assert found == ["TransientError", "TransientError", "answer"] * 20
    assert set(calls(on(FailureRate=1), "draw", tries=1)) == {"answer"}
    assert "answer" not in calls(on(FailureRate=1, Kinds=["error"]), "encode", tries=None)


def test_where_nothing_comes_after_no_call_fails_in_a_way_that_no_other_try_mends() -> None:
    assert set(calls(on(FailureRate=1, Kinds=["disk_full"]), "encode", tries=3)) == {"answer"}
    assert set(calls(on(FailureRate=1, Kinds=["quota", "error"]), "speak", tries=9)) == {"answer", "TransientError"}


def test_even_the_last_resort_fails_where_settings_say_so() -> None:
    unsparing = on(FailureRate=1, Kinds=["error"], SpareLastResort=False)
    assert "answer" not in calls(unsparing, "draw", tries=1)
    assert set(calls(on(FailureRate=1, Kinds=["disk_full"], SpareLastResort=False), "mix", tries=2)) == {
        "DiskFullError"
    }


def test_no_failure_on_purpose_makes_a_provider_rest_for_long() -> None:
    for kind in ("rate_limit", "quota"):
        work: Any = Simulator(on(FailureRate=1, Kinds=[kind])).around("s", "write", lambda *_: None, lambda *_: None)
        with pytest.raises(FramekeepError) as caught:
            work(Named(), CancelToken())
        assert isinstance(caught.value, ProviderError)
        assert 0 < (caught.value.retry_after_s or 0) < 1
