"""Where a run stands, computed from its events; the bus that hands them out; the result that it ends with."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from config.errors import (
    BriefError,
    CancelledError,
    DiskFullError,
    FramekeepError,
    RejectedError,
    RetryExhaustedError,
    UsageError,
)
from pipeline.events import Bus, Event, EventKind
from pipeline.observability.progress import Progress
from pipeline.report import AttemptCounter, Result, error_report, result_of, status_of


class Run:
    """A progress on a clock that only `tell` moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.progress = Progress(clock=lambda: self.now)

    def tell(self, kind: EventKind, at: float | None = None, **data: Any) -> None:
        self.now = self.now if at is None else at
        self.progress.take(Event(kind, "job", data))

    def plan(self, frames: int, *, complete: bool = True) -> None:
        self.tell("planned", steps=9, scenes=3, frames=frames, complete=complete)

    def start(self, step: str, quality: str = "High") -> None:
        self.tell("step_started", step=step, stage="segment", scene=1, export="youtube", frames=100, quality=quality)

    def encode(self, step: str, done: int, at: float) -> None:
        self.tell("step_progress", at, step=step, done=done, total=100, unit="frames")

    def finish(self, step: str, at: float, frames: int = 100) -> None:
        self.tell("step_executed", at, step=step, stage="segment", export="youtube", frames=frames, provider="libx264")

    def reuse(self, step: str, frames: int = 100) -> None:
        self.tell("step_reused", step=step, stage="segment", export="youtube", frames=frames)


HIGH, MEDIUM = "segment/youtube/high/0001", "segment/youtube/medium/0001"


def test_the_time_left_is_that_of_the_frames_still_to_encode_at_the_rate_of_those_that_were() -> None:
    run = Run()
    run.plan(1000)
    run.encode(f"{HIGH}/01", 0, 0.0)
    run.encode(f"{HIGH}/01", 50, 5.0)
    run.finish(f"{HIGH}/01", 10.0)
    assert run.progress.fps == pytest.approx(10)
    assert run.progress.eta_s == pytest.approx(90)


def test_reused_segments_count_as_done_and_not_as_speed() -> None:
    run = Run()
    run.plan(1000)
    for part in range(1, 9):
        run.reuse(f"{HIGH}/{part:02}")
    run.encode(f"{HIGH}/09", 0, 0.0)
    run.encode(f"{HIGH}/09", 20, 2.0)
    assert run.progress.frames_encoded == 20
    assert run.progress.frames_done == 820
    assert run.progress.fps == pytest.approx(10)
    assert run.progress.eta_s == pytest.approx(18)
    assert run.progress.steps_reused == 8


def test_no_time_is_named_before_all_frames_are_known() -> None:
    run = Run()
    run.plan(100, complete=False)
    run.encode(f"{HIGH}/01", 0, 0.0)
    run.encode(f"{HIGH}/01", 50, 5.0)
    assert run.progress.fps is not None
    assert run.progress.eta_s is None


def test_the_rate_is_that_of_the_last_seconds() -> None:
    run = Run()
    run.plan(10_000)
    for second in range(60):
        run.encode(f"{HIGH}/01", second, float(second))
    for second in range(60, 90):
        run.encode(f"{HIGH}/01", 60 + (second - 60) * 10, float(second))
    assert run.progress.fps == pytest.approx(10)


def test_what_was_made_at_a_superseded_level_counts_no_longer() -> None:
    run = Run()
    run.plan(300)
    run.start(f"{HIGH}/01")
    run.reuse(f"{HIGH}/00", 50)
    run.finish(f"{HIGH}/01", 5.0)
    run.encode(f"{HIGH}/02", 70, 6.0)
    assert run.progress.frames_done == 220
    run.start(f"{MEDIUM}/01", "Medium")
    assert (run.progress.quality, run.progress.frames_done) == ("Medium", 0)
    run.finish(f"{MEDIUM}/01", 9.0)
    assert run.progress.frames_done == 100


def test_a_failed_try_takes_its_frames_back() -> None:
    run = Run()
    run.plan(100)
    run.encode(f"{HIGH}/01", 60, 1.0)
    run.tell("step_failed", step=f"{HIGH}/01", stage="segment")
    assert run.progress.frames_done == 0


def test_other_units_are_no_frames() -> None:
    run = Run()
    run.plan(100)
    run.tell("step_progress", 1.0, step="mix", done=5, total=10, unit="seconds")
    assert run.progress.frames_encoded == 0


# The bus


def test_a_listener_that_raises_is_not_called_again_and_costs_the_others_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    calls: list[str] = []

    def broken(event: Event) -> None:
        calls.append("broken")
        raise KeyError("stage")

    bus = Bus(broken, lambda event: calls.append(event.kind))
    with caplog.at_level(logging.ERROR, "framekeep"):
        bus.send("planned", "job")
        bus.send("output", "job")
    assert calls == ["broken", "planned", "output"]
    (entry,) = caplog.records
    assert "listener failed at 'planned'" in entry.message
    assert entry.exc_info


# The result


@pytest.mark.parametrize(
    ("error", "status", "exit_code"),
    [
        (CancelledError("stopped"), "interrupted", 130),
        (DiskFullError("full"), "parked", 75),
        (RetryExhaustedError("down"), "parked", 75),
        (RejectedError("no"), "failed", 1),
        (FramekeepError("some error"), "failed", 1),
        (BriefError("the clip breaks off"), "failed", 2),
        (UsageError("the picture is gone"), "failed", 2),
    ],
)
def test_an_error_decides_how_a_run_ended(error: FramekeepError, status: str, exit_code: int) -> None:
    result = Result(job_id="job", status=status_of(error), error=error_report(error))
    assert (result.status, result.exit_code, result.ok) == (status, exit_code, False)
    assert result == result_of(error, "job")
    assert result.as_json()["error"] == error.as_dict()


def test_a_fault_of_ours_is_a_failure_with_its_trace_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    result = result_of(ZeroDivisionError("division by zero"), "job")
    assert (result.status, result.exit_code) == ("failed", 1)
    assert result.error
    assert result.error.code == "INTERNAL"
    assert caplog.records[0].exc_info


def test_a_result_without_an_error_has_none_in_its_document() -> None:
    assert "error" not in Result(job_id="job", status="done").as_json()


def test_attempts_are_counted_by_operation_and_provider() -> None:
    counter = AttemptCounter()

    def note(operation: str, provider: str, number: int, outcome: str, code: str = "") -> None:
        counter.note({"operation": operation, "provider": provider, "number": number, "outcome": outcome, "code": code})

    note("speak", "hibari", 1, "failed", "TIMEOUT")
    note("speak", "hibari", 2, "refused", "CIRCUIT_OPEN")
    note("speak", "hibari", 1, "ok")
    note("encode", "libx264", 1, "ok")
    count = counter.count()
    assert (count.total, count.failed, count.retries) == (3, 1, 0), "a call that was refused before it was made is none"
    assert count.by_provider == {"encode:libx264": 1, "speak:hibari": 2}
    for number, outcome, code in ((1, "failed", "TIMEOUT"), (2, "failed", "TIMEOUT"), (3, "failed", "TIMEOUT")):
        note("write", "OpenAI", number, outcome, code)
    note("draw", "card", 1, "failed", "TIMEOUT")
    note("draw", "card", 2, "ok")
    note("draw", "card", 2, "failed", "INTERRUPTED")
    count = counter.count()
    assert (count.retries, count.failed_retries) == (3, 2), "one that was stopped has neither succeeded nor failed"
