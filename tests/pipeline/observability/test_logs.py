"""The log: areas, their levels, and what an event becomes in it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.watching import Logging
from pipeline.events import Event
from pipeline.observability.logs import area_logger, log_event, open_log, set_levels

OPENED = Event("circuit", "j1", {"message": "[Circuit Breaker] OpenAI-LLM: State changed to Open"})
FAILED = Event("attempt", "j1", {"provider": "OpenAI", "outcome": "failed", "code": "TIMEOUT"})
ANSWERED = Event("attempt", "j1", {"provider": "OpenAI", "outcome": "ok", "code": ""})
STARTED = Event("step_started", "j1", {"step": "speech-1-1"})


@pytest.fixture(autouse=True)
def quiet_afterwards() -> Iterator[None]:
    names = ("framekeep", "framekeep.resilience", "framekeep.pipeline")
    before = {name: logging.getLogger(name).level for name in names}
    yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def written(tmp_path: Path, levels: dict[str, Any], *events: Event) -> str:
    close = open_log(tmp_path, Logging.model_validate({"LogLevel": levels}))
    try:
        for event in events:
            log_event(event)
    finally:
        close()
    path = tmp_path / "framekeep.log"
    return path.read_text() if path.exists() else ""


@pytest.mark.parametrize(
    ("name", "logger"),
    [
        ("Aura.Core.Resilience", "framekeep.resilience"),
        ("Framekeep.Resilience", "framekeep.resilience"),
        ("resilience", "framekeep.resilience"),
        ("Framekeep.Pipeline", "framekeep.pipeline"),
        ("Default", "framekeep"),
        ("Aura", "framekeep"),
    ],
)
def test_the_guides_names_and_ours_mean_the_same_area(name: str, logger: str) -> None:
    assert area_logger(name).name == logger


def test_the_usual_log_holds_what_went_wrong_and_not_what_went_well(tmp_path: Path) -> None:
    text = written(tmp_path, {}, OPENED, FAILED, ANSWERED, STARTED)
    assert "framekeep.resilience: [Circuit Breaker] OpenAI-LLM: State changed to Open\n" in text
    assert "code='TIMEOUT'" in text or "code=TIMEOUT" in text
    assert "outcome=ok" not in text
    assert "step_started" not in text


def test_debug_for_one_area_shows_all_of_it_and_nothing_of_the_others(tmp_path: Path) -> None:
    text = written(tmp_path, {"Aura.Core.Resilience": "Debug"}, ANSWERED, STARTED)
    assert "outcome=ok" in text
    assert "step_started" not in text


def test_none_for_one_area_silences_it(tmp_path: Path) -> None:
    text = written(tmp_path, {"Framekeep.Resilience": "None", "Default": "Debug"}, OPENED, FAILED, STARTED)
    assert "resilience" not in text
    assert "step_started" in text


def test_a_large_log_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.observability.logs._MOST_BYTES", 10)
    (tmp_path / "framekeep.log").write_text("an old, long log\n")
    assert "old" not in written(tmp_path, {}, OPENED)
    assert (tmp_path / "framekeep.log.1").read_text() == "an old, long log\n"


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    close = open_log(blocked / "logs", Logging())
    log_event(OPENED)
    close()
    (tmp_path / "framekeep.log").mkdir()
    close = open_log(tmp_path, Logging())
    log_event(OPENED)
    close()
    assert capsys.readouterr().err == ""


def test_a_script_without_logging_is_told_nothing_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    set_levels(Logging())
    log_event(OPENED)
    assert capsys.readouterr().err == ""


def test_long_values_are_cut(tmp_path: Path) -> None:
    text = written(tmp_path, {}, Event("warning", "j1", {"message": "x" * 5000}))
    assert len(text) < 400
