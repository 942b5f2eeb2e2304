"""What a run with failures on purpose tells: each fault, attempt, fallback and degradation, and figures that add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings
from pipeline import Event, Pipeline
from pipeline.telemetry import metrics


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
    assert figures["retries"]["total"] == len(calls)
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
    from checkpoints.rows import EventRow

    return EventRow(0.0, kind, {"step": "s", "operation": "speak", **data})


def test_the_guides_figures_count_calls_attempts_and_fallbacks() -> None:
    told = [
        row("call", outcome="ok", attempts=1),
        row("fallback"),
        row("fallback"),
        row("call", outcome="ok", attempts=6),
        row("fallback"),
        row("call", outcome="failed", attempts=2),
        row("fallback"),
        row("call", outcome="failed", attempts=1, code="INTERRUPTED"),
    ]
    states = [{"state": "Closed"}, {"state": "Open"}, {"state": "Half-Open"}, {"state": "Closed"}]
    assert metrics(told, states) == {
        "circuitBreakers": {"total": 4, "closed": 2, "open": 1, "halfOpen": 1},
        "retries": {"total": 3, "successful": 2, "failed": 1, "averageAttempts": 3.0},
        "fallbacks": {"total": 2, "successful": 1, "failed": 1},
    }
