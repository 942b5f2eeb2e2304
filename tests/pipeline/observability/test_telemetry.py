"""What a run with failures on purpose tells: each fault, attempt, fallback and degradation, and figures that add up."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config.errors import CancelledError, CircuitOpenError, RetryExhaustedError, TransientError
from config.settings import Settings
from pipeline import Event, Pipeline
from pipeline.observability.telemetry import metrics
from pipeline.resilience.attempt_events import CallEnded
from tests.guarding import Desk, Named, desk, settings_of


def shaken(tiny: Settings, **testing: Any) -> Settings:
    data = tiny.model_dump(mode="json")
    data["testing"] = {"simulate_failures": True, "failure_rate": 0.4, "kinds": ["error", "truncated"], **testing}
    data["resilience"]["retry"] |= {"max_retry_attempts": 3, "initial_delay_ms": 1, "jitter": False}
    data["resilience"]["circuit_breaker"]["enabled"] = False
    return Settings.model_validate(data)


def test_a_shaken_run_accounts_for_every_fault(
    make_pipeline: Callable[..., Pipeline],
    tiny_settings: Settings,
    tiny_brief: Path,
    tmp_path: Path,
    events: list[Event],
) -> None:
    pipeline = make_pipeline(shaken(tiny_settings, seed=3))
    result = pipeline.render(tiny_brief, output=tmp_path / "out")
    assert result.ok, result.error
    kept = pipeline.home.ledger.events(result.job_id)
    faults = [event.data for event in kept if event.kind == "fault_injected"]
    attempts = pipeline.home.ledger.attempts(result.job_id)
    failed = [attempt for attempt in attempts if attempt["outcome"] == "failed"]
    assert faults, "this seed injects nothing"
    # Nothing fails here but what was made to fail, and nothing that was made to fail goes unseen.
    by_step = Counter((fault["step"], fault["operation"], fault["provider"]) for fault in faults)
    assert by_step == Counter((a["step_id"], a["operation"], a["provider"]) for a in failed)
    assert all("simulated failure" in attempt["message"] for attempt in failed)
    figures = metrics(kept, [])
    calls = [event for event in kept if event.kind == "call"]
    retries = [event for event in kept if event.kind == "retry"]
    assert figures["retries"]["total"] == len(retries) == result.attempts.retries > 0
    assert figures["retries"]["failed"] == result.attempts.failed_retries
    assert figures["retries"]["successful"] == len(retries) - result.attempts.failed_retries
    assert sum(event.data["attempts"] for event in calls) == len(attempts)
    assert figures["retries"]["averageAttempts"] == round(len(attempts) / len(calls), 3)
    told = Counter(event.kind for event in events)
    assert told["fault_injected"] == len(faults)
    assert told["call"] == len(calls)


def test_a_fault_that_stays_is_a_degradation_in_the_report(
    make_pipeline: Callable[..., Pipeline], tiny_settings: Settings, tiny_brief: Path, tmp_path: Path
) -> None:
    settings = shaken(tiny_settings, failure_rate=1.0, stages=["images"])
    pipeline = make_pipeline(settings)
    result = pipeline.render(tiny_brief, output=tmp_path / "out")
    assert result.exit_code in (3, 75)
    degraded = {item.scene for item in result.degradations if item.stage == "images"}
    kept = pipeline.home.ledger.events(result.job_id)
    assert degraded <= {event.data["scene"] for event in kept if event.kind == "fault_injected"}


@pytest.mark.parametrize(
    ("off", "missing", "there"),
    [
        ({"enabled": False}, {"call", "fallback", "circuit_changed"}, set()),
        ({"track_retry_attempts": False}, {"call", "retry"}, set()),
        ({}, set(), {"call"}),
    ],
)
def test_monitoring_settings_say_what_is_noted(
    make_pipeline: Callable[..., Pipeline],
    tiny_settings: Settings,
    tiny_brief: Path,
    tmp_path: Path,
    off: dict[str, bool],
    missing: set[str],
    there: set[str],
) -> None:
    data = tiny_settings.model_dump(mode="json")
    data["monitoring"] = {"resilience": off}
    pipeline = make_pipeline(Settings.model_validate(data))
    result = pipeline.render(tiny_brief, output=tmp_path / "out")
    kinds = {event.kind for event in pipeline.home.ledger.events(result.job_id)}
    assert not kinds & missing
    assert there <= kinds
    assert bool(pipeline.home.ledger.attempts(result.job_id)) == (not missing)
    assert result.attempts.total > 0


def row(kind: str, **data: Any) -> Any:
    from checkpoints.ledger.rows import EventRow

    return EventRow(0.0, kind, {"step": "s", "operation": "speak"} | data)


def test_the_guides_figures_count_retries_attempts_and_fallbacks() -> None:
    told = [
        row("call", outcome="ok", attempts=1, retries=0, failed_retries=0),
        row("fallback"),
        row("fallback"),
        row("call", outcome="ok", attempts=6, retries=4, failed_retries=3),
        row("fallback"),
        row("call", outcome="failed", attempts=2, retries=1, failed_retries=1),
        row("call", outcome="failed", attempts=0, retries=0, failed_retries=0, code="CIRCUIT_OPEN"),
        row("fallback"),
        row("call", outcome="failed", attempts=1, retries=0, failed_retries=0, code="INTERRUPTED"),
    ]
    states = [{"state": "Closed"}, {"state": "Open"}, {"state": "Half-Open"}, {"state": "Closed"}]
    assert metrics(told, states) == {
        "circuitBreakers": {"total": 4, "closed": 2, "open": 1, "halfOpen": 1},
        "retries": {"total": 5, "successful": 1, "failed": 4, "averageAttempts": 3.0},
        "fallbacks": {"total": 2, "successful": 1, "failed": 1},
    }


def test_a_run_of_two_failed_retries_says_so() -> None:
    at = desk(settings_of(Resilience={"Retry": {"MaxRetryAttempts": 2}}))
    with pytest.raises(RetryExhaustedError):
        at.call("write", [Named("OpenAI")], at.work({"OpenAI": [TransientError("down")] * 3}))
    assert figures_of(at) == {"total": 2, "successful": 0, "failed": 2, "averageAttempts": 3.0}


def test_a_retry_that_helped_is_a_successful_one() -> None:
    at = desk(settings_of())
    at.call("write", [Named("OpenAI")], at.work({"OpenAI": [TransientError("down")]}))
    at.call("write", [Named("OpenAI")], at.work({}))
    assert figures_of(at) == {"total": 1, "successful": 1, "failed": 0, "averageAttempts": 1.5}


def test_asking_the_next_provider_is_a_fallback_and_no_retry() -> None:
    at = desk(settings_of(Resilience={"Retry": {"MaxRetryAttempts": 0}}))
    at.call("write", [Named("OpenAI"), Named("Anthropic")], at.work({"OpenAI": [TransientError("down")]}))
    assert figures_of(at) == {"total": 0, "successful": 0, "failed": 0, "averageAttempts": 2.0}


def test_a_retry_that_was_refused_or_stopped_is_none() -> None:
    at = desk(settings_of(Resilience={"CircuitBreaker": {"FailureThreshold": 3}}))
    with pytest.raises(CircuitOpenError):
        at.call("write", [Named("OpenAI")], at.work({"OpenAI": [TransientError("down")] * 3 + [CancelledError("x")]}))
    with pytest.raises(CancelledError):
        at.call("speak", [Named("OpenAI")], at.work({"OpenAI": [TransientError("down"), CancelledError("stopped")]}))
    assert figures_of(at)["total"] == 2


def figures_of(at: Desk) -> dict[str, Any]:
    """The guide's figures of what a guarded call has told."""
    told = [row("call", **dataclasses.asdict(event)) for event in at.of(CallEnded)]
    figures: dict[str, Any] = metrics(told, [])["retries"]
    return figures
