"""What is being done, by whom, and what is waited for: in the order of what matters, and in words."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.cli.terminal.activity_text import activity_lines, span_text
from pipeline.events import Event, EventKind
from pipeline.observability.activity import Activities
from pipeline.observability.progress import Progress


class Scene:
    """Eight scenes on a clock that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.activities = Activities(lambda: self.now)

    def tell(self, kind: EventKind, step: str = "", **data: Any) -> None:
        self.activities.take(Event(kind, "job", {"step": step, **data}))

    def start(self, step: str, provider: str = "", export: str = "") -> None:
        stage, _, scene = step.partition("/")
        self.tell("step_started", step, stage=stage, scene=int(scene or 0), export=export, frames=0, quality="")
        if provider:
            self.tell("attempt_started", step, operation="any", provider=provider, number=1, of=4)

    def wait(self, step: str, limit: str, expected_s: float | None, provider: str = "OpenAI") -> None:
        self.tell("waiting", step, operation="any", provider=provider, limit=limit, expected_s=expected_s)

    @property
    def lines(self) -> list[str]:
        return activity_lines(self.activities.all(), 8, self.now)


@pytest.fixture
def at() -> Scene:
    return Scene()


def test_a_card_that_was_begun_later_does_not_hide_that_frames_are_encoded(at: Scene) -> None:
    at.start("segment/1", "libx264", "youtube")
    at.start("images/3", "card")
    assert at.lines == ["encoding youtube", "drawing scene 3 of 8 (card)"]


def test_equal_work_side_by_side_is_one_line(at: Scene) -> None:
    for scene, export in ((1, "youtube"), (2, "youtube"), (3, "shorts")):
        at.start(f"segment/{scene}", "libx264", export)
    at.start("speech/5", "hibari")
    at.start("speech/4", "hibari")
    at.start("speech/6", "Piper")
    assert at.lines == [
        "encoding youtube and shorts",
        "speaking scenes 4 and 5 of 8 (hibari)",
        "speaking scene 6 of 8 (Piper)",
    ]


def test_what_nobody_is_asked_for_is_prepared(at: Scene) -> None:
    at.start("images/2")
    at.start("speech/1")
    at.start("music")
    assert at.lines == [
        "preparing the voice of scene 1 of 8",
        "preparing the picture of scene 2 of 8",
        "preparing the music",
    ]


def test_sound_and_joining_tell_how_far_they_are(at: Scene) -> None:
    at.start("mix", "ffmpeg")
    at.tell("step_progress", "mix", done=12, total=34, unit="seconds")
    at.start("mux", "ffmpeg", "youtube")
    at.tell("step_progress", "mux", done=1200, total=2100, unit="checked")
    assert at.lines == ["joining youtube · 1,200 of 2,100 frames checked", "mixing the sound · 12 of 34 s"]


@pytest.mark.parametrize(
    ("limit", "expected_s", "line"),
    [
        ("rest", 84.2, "OpenAI: asked again in 85 s (OpenAI said so)"),
        ("circuit", 10.0, "OpenAI: waiting for its circuit breaker, for 10 s at most"),
        ("rate", 3.0, "OpenAI: waiting for its rate limit, asked in 3 s"),
        ("concurrency", None, "OpenAI: waiting for one of its other calls to end"),
    ],
)
def test_each_wait_says_for_what_and_ends_with_the_call(
    at: Scene, limit: str, expected_s: float | None, line: str
) -> None:
    at.start("speech/2")
    at.wait("speech/2", limit, expected_s)
    assert at.lines == [f"speaking scene 2 of 8: {line}"]
    at.tell("limit_wait", "speech/2", limit=limit, waited_s=1.0)
    at.tell("attempt_started", "speech/2", operation="speak", provider="OpenAI", number=1, of=4)
    assert at.lines == ["speaking scene 2 of 8 (OpenAI)"]


@pytest.mark.parametrize("end", ["limit_wait", "step_failed", "step_stopped", "step_executed"])
def test_a_wait_ends_with_its_step_or_when_that_is_told(at: Scene, end: EventKind) -> None:
    at.start("speech/2", "OpenAI")
    at.wait("speech/2", "concurrency", None)
    at.tell(end, "speech/2", stage="speech")
    assert at.lines == (["speaking scene 2 of 8 (OpenAI)"] if end == "limit_wait" else [])


def test_what_is_worked_at_comes_before_what_waits(at: Scene) -> None:
    at.start("segment/1", "libx264", "youtube")
    at.wait("segment/1", "circuit", 30, "libx264")
    at.start("images/3", "card")
    assert at.lines == [
        "drawing scene 3 of 8 (card)",
        "encoding youtube: libx264: waiting for its circuit breaker, for 30 s at most",
    ]


def test_another_run_that_makes_the_same_is_waited_for_by_name_until_the_step_is_there(at: Scene) -> None:
    about = {"stage": "speech", "scene": 3, "export": "", "job": "tides-9", "pid": 77, "host": "studio"}
    at.tell("step_waiting", "speech/3", **about, since=0.0, message="m")
    assert at.lines == ["speaking scene 3 of 8: waiting for job tides-9 (process 77 on studio), which makes the same"]
    at.tell("step_reused", "speech/3", stage="speech")
    assert at.lines == []


def test_a_long_call_shows_how_long_it_takes(at: Scene) -> None:
    at.start("script", "OpenAI")
    at.now += 9
    assert at.lines == ["writing the script (OpenAI)"]
    at.now += 25
    assert at.lines == ["writing the script (OpenAI, for 34 s)"]


def test_the_next_provider_takes_the_place_of_the_one_before(at: Scene) -> None:
    at.start("script", "OpenAI")
    at.tell("attempt_started", "script", operation="write", provider="Anthropic", number=1, of=4)
    assert at.lines == ["writing the script (Anthropic)"]


def test_nothing_is_left_of_a_job_that_has_ended(at: Scene) -> None:
    at.start("script", "OpenAI")
    at.tell("job_parked")
    assert at.lines == []


def test_saved_progress_names_the_stage_at_which_the_run_is_and_not_the_one_begun_last() -> None:
    progress = Progress()
    for step, stage in (("segment/1", "segment"), ("images/3", "images")):
        about = {"step": step, "stage": stage, "scene": int(step[-1]), "export": "youtube", "frames": 9, "quality": ""}
        progress.take(Event("step_started", "job", about))
    assert (progress.stage, progress.scene) == ("segment", 1)
    progress.take(Event("step_executed", "job", {"step": "segment/1", "frames": 9, "provider": "libx264"}))
    assert (progress.stage, progress.scene) == ("images", 3)
    progress.take(Event("step_failed", "job", {"step": "images/3"}))
    assert (progress.stage, progress.scene) == ("images", 3), "what it was at last"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0.1 s"),
        (0.34, "0.4 s"),
        (1.0, "1 s"),
        (13.2, "14 s"),
        (119.5, "2 min 0 s"),
        (200, "3 min 20 s"),
        (3599.5, "1 h 0 min"),
        (7500, "2 h 5 min"),
    ],
)
def test_spans_are_read_at_a_glance(seconds: float, text: str) -> None:
    assert span_text(seconds) == text
