"""Failures on purpose leave nothing behind that a real run would heed: no rest, no open circuit, at no moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from checkpoints.ledger.circuits import Circuits
from checkpoints.ledger.cooldowns import RestRows
from checkpoints.ownership.clocks import Timeline
from config.errors import QuotaError
from config.settings import Settings
from pipeline import Event, Pipeline
from pipeline.resilience.cooldowns import Rests
from tests.services import Service, served

TEXT = "---\ntitle: A lamp\n---\nA lamp is lit at dusk. Ships see it and turn away from the rocks.\n"


@pytest.fixture
def service() -> Iterator[Service]:
    with served() as service:
        service.answer = (503, {}, {})
        yield service


def settings_of(tiny: Settings, service: Service, **testing: Any) -> Settings:
    data = tiny.model_dump()
    account = {"base_url": f"{service.url}/v1", "model": "small"}
    data["providers"] = {"llm": ["LocalLLM"], "local_llm": account}
    if testing:
        data["testing"] = {"simulate_failures": True, "failure_rate": 1.0, "stages": ["script"], **testing}
    # Nobody stands in: there is nothing to wait for but the answer.
    data["features"] = {"graceful_degradation": {"enabled": False}}
    data["resilience"]["retry"] = {"max_retry_attempts": 9, "initial_delay_ms": 0}
    return Settings.model_validate(data)


def left_in(home: Path) -> tuple[list[str], list[str]]:
    """Who rests, and which circuits have failures, by the ledger."""
    rests, circuits = RestRows(home / "ledger.db"), Circuits(home / "ledger.db")
    try:
        failing = [row.name for row in circuits.all(Timeline().now()) if row.failures or row.state != "closed"]
        return [row.provider for row in rests.all()], failing
    finally:
        rests.close()
        circuits.close()


@pytest.mark.parametrize(
    ("kind", "told", "code"), [("quota", "rest", "QUOTA_EXCEEDED"), ("error", "circuit_changed", "CIRCUIT_OPEN")]
)
def test_a_simulated_failure_is_heeded_by_its_own_run_only(
    make_pipeline: Callable[..., Pipeline],
    tiny_settings: Settings,
    tmp_path: Path,
    events: list[Event],
    service: Service,
    kind: str,
    told: str,
    code: str,
) -> None:
    brief, home = tmp_path / "brief.md", tmp_path / "home"
    brief.write_text(TEXT)
    shaken = make_pipeline(settings_of(tiny_settings, service, kinds=[kind]))
    meanwhile: list[tuple[list[str], list[str]]] = []

    def look(event: Event) -> None:
        events.append(event)
        if event.kind in ("rest", "attempt", "step_executed"):
            # What a process that is killed now leaves behind.
            meanwhile.append(left_in(home))

    shaken._listener = look
    result = shaken.render(brief, output=tmp_path / "out")
    assert result.status == "parked"
    assert told in {event.kind for event in events} | {row.kind for row in shaken.home.ledger.events(result.job_id)}
    again = shaken.render(brief, output=tmp_path / "again")
    codes = [
        attempt["code"] for attempt in shaken.home.ledger.attempts(again.job_id) if attempt["outcome"] == "refused"
    ]
    assert codes[0] == code, "its own later calls heed it"
    assert service.asked == []
    assert all(seen == ([], []) for seen in meanwhile)
    assert meanwhile
    assert left_in(home) == ([], [])
    make_pipeline(settings_of(tiny_settings, service)).render(brief, output=tmp_path / "real")
    assert service.asked, "a real run asks"


def test_a_shaken_run_heeds_and_keeps_what_is_real(
    make_pipeline: Callable[..., Pipeline], tiny_settings: Settings, tmp_path: Path, service: Service
) -> None:
    brief = tmp_path / "brief.md"
    brief.write_text(TEXT)
    service.answer = (429, {"error": {"code": "insufficient_quota"}}, {})
    # A seed and a rate by which nothing fails on purpose.
    shaken = make_pipeline(settings_of(tiny_settings, service, failure_rate=1e-9))
    shaken.render(brief, output=tmp_path / "out")
    assert left_in(tmp_path / "home")[0] == ["LocalLLM"]
    before = len(service.asked)
    shaken.render(brief, output=tmp_path / "again")
    assert len(service.asked) == before


def test_a_rest_after_a_failure_on_purpose_is_never_written(tmp_path: Path) -> None:
    from checkpoints.ledger.ledger import Ledger

    Ledger(tmp_path / "ledger.db").close()
    error = QuotaError("simulated")
    error.is_simulated = True
    rests = Rests(RestRows(tmp_path / "ledger.db"))
    assert rests.begin("OpenAI", error, lambda: "account")
    assert rests.standing("OpenAI", lambda: "account")
    rests.close()
    assert Rests(RestRows(tmp_path / "ledger.db")).standing("OpenAI", lambda: "account") is None
