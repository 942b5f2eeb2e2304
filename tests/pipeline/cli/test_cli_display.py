"""What a run looks like while it goes on: on a terminal, and in a log."""

from __future__ import annotations

import io
from typing import Any

import pytest

from pipeline.cli.terminal.console import bytes_text, clock_text
from pipeline.cli.terminal.display import LiveDisplay, PlainDisplay, QuietDisplay, make_display
from pipeline.cli.terminal.event_text import Watcher
from pipeline.events import Event, EventKind


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def event(kind: EventKind, job: str = "tides-1", **data: Any) -> Event:
    return Event(kind, job, data)


STARTED = event("job_started", title="Tides", exports=["youtube", "shorts"], output="/v")
PLANNED = event("planned", steps=10, scenes=4, frames=1000, complete=True)


def segment(kind: EventKind, number: int = 1, **data: Any) -> Event:
    about: dict[str, Any] = {
        "step": f"segment-{number}",
        "stage": "segment",
        "scene": number,
        "export": "shorts",
        "frames": 100,
    }
    return event(kind, **about, **data)


def asked(step: str, operation: str, provider: str, number: int = 1) -> Event:
    return event("attempt_started", step=step, scene=1, operation=operation, provider=provider, number=number, of=4)


def watch(watcher: Watcher | PlainDisplay | QuietDisplay | LiveDisplay, clock: Clock) -> None:
    """A reused step, then a segment at 25 frames a second."""
    watcher.take(STARTED)
    watcher.take(event("step_reused", step="speech-1", stage="speech", scene=1, export="", frames=200))
    watcher.take(PLANNED)
    watcher.take(segment("step_started", quality="High"))
    watcher.take(asked("segment-1", "encode", "libx264"))
    for done in range(0, 51, 10):
        clock.now = done / 25
        watcher.take(event("step_progress", step="segment-1", done=done, total=100, unit="frames"))


def test_the_view_tells_stage_scene_frames_speed_time_left_quality_and_provider() -> None:
    clock = Clock()
    watcher = Watcher(clock=clock)
    watch(watcher, clock)
    watcher.take(segment("step_executed", provider="libx264"))
    watcher.take(segment("step_started", 2, quality="High"))
    view = watcher.view()
    assert view.place == "encoding shorts"
    assert (view.frames_done, view.frames_total, view.fraction) == (300, 1000, 0.3)
    assert view.figures == "300 of 1,000 frames of 2 videos · 50.0 fps · 0:14 left · High · libx264 · 2 of 10 steps"


def test_a_new_job_starts_from_nothing() -> None:
    clock = Clock()
    watcher = Watcher(clock=clock)
    watch(watcher, clock)
    watcher.take(event("job_started", "moon-2", title="Moon", exports=["square"], output="/v"))
    view = watcher.view()
    assert (view.job_id, view.title, view.frames_done, view.steps_done) == ("moon-2", "Moon", 0, 0)
    assert view.place == "starting"


def test_a_sentence_is_told_once_for_each_job() -> None:
    watcher = Watcher()
    warning = event("warning", step="speech-1", scene=2, message="an emoji was left out")
    watcher.take(STARTED)
    assert watcher.take(warning) == ("warning: scene 2: an emoji was left out", "warn")
    assert watcher.take(warning) is None
    watcher.take(STARTED)
    assert watcher.take(warning) is not None


@pytest.mark.parametrize(
    ("outcome", "code", "told"),
    [
        ("failed", "TIMEOUT", True),
        ("ok", "", False),
        ("refused", "CIRCUIT_OPEN", False),
        ("failed", "INTERRUPTED", False),
    ],
)
def test_calls_that_failed_are_told_and_refused_or_stopped_ones_are_not(outcome: str, code: str, told: bool) -> None:
    data = {"operation": "speak", "provider": "hibari", "outcome": outcome, "code": code, "message": "no answer"}
    sentence = Watcher().take(event("attempt", scene=2, step="speech-2", elapsed_s=1.0, **data))
    assert (sentence is not None) == told
    if sentence:
        assert sentence[0] == "speak, scene 2: hibari failed (TIMEOUT): no answer"


def test_plain_lines_come_with_each_stage_and_then_only_every_few_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    display = PlainDisplay(clock)
    display.set_position("2 of 3")
    watch(display, clock)
    for step in range(100):
        clock.now = 2 + step * 0.1
        display.take(event("step_progress", step="segment-1", done=50 + step // 2, total=100, unit="frames"))
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert captured.out == ""
    assert lines[0] == "[0:00] 2 of 3: job tides-1: Tides: youtube, shorts into /v"
    assert lines[1] == "[0:00] 1 step already done, going on from there"
    assert lines[2] == "[0:00] encoding shorts · 200 of 1,000 frames of 2 videos · High · libx264 · 1 of 10 steps"
    assert [line[:6] for line in lines[3:]] == ["[0:05]", "[0:10]"]
    assert display.fault is None


def test_a_retry_is_told_in_a_plain_line_as_it_begins_and_again_while_nothing_else_happens(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = Clock()
    display = PlainDisplay(clock)
    start_writing(display)
    display.take(paused(delay_s=14.0, asked_s=14.0))
    display.break_silence()
    clock.now = 14.5
    display.break_silence()
    assert capsys.readouterr().err.splitlines()[1:] == [
        "[0:00] writing the script (OpenAI) · 0 of 1 steps",
        "[0:00] write: OpenAI: retry 2 of 4 in 14 s (OpenAI said so)",
    ]
    display.take(asked("script", "write", "OpenAI", 3))
    display.take(paused(delay_s=200.0, asked_s=None, retry=3))
    for clock.now in (34.0, 50.0, 51.0):
        display.break_silence()
    assert capsys.readouterr().err.splitlines() == [
        "[0:14] writing the script (OpenAI) · 0 of 1 steps",
        "[0:14] write: OpenAI: retry 3 of 4 in 3 min 20 s",
        "[0:34] writing the script: OpenAI: retry 3 of 4 in 3 min 1 s · 0 of 1 steps",
        "[0:50] writing the script: OpenAI: retry 3 of 4 in 2 min 45 s · 0 of 1 steps",
    ]


def test_one_long_call_is_no_silence(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    display = PlainDisplay(clock)
    start_writing(display)
    for clock.now in (14.0, 16.0, 30.0, 62.0):
        display.break_silence()
    assert capsys.readouterr().err.splitlines()[2:] == [
        "[0:16] writing the script (OpenAI, for 16 s) · 0 of 1 steps",
        "[1:02] writing the script (OpenAI, for 62 s) · 0 of 1 steps",
    ]


def test_a_short_pause_is_shown_and_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    display = PlainDisplay(Clock())
    start_writing(display)
    display.take(paused(delay_s=0.4, asked_s=None, retry=1))
    assert display.watcher.view().place == "writing the script: OpenAI: retry 1 of 4 in 0.4 s"
    assert "retry" not in capsys.readouterr().err


def test_the_live_block_counts_down_to_the_retry() -> None:
    clock = Clock()
    watcher = Watcher(clock=clock)
    start_writing(watcher)
    watcher.take(paused(delay_s=14.0, asked_s=14.0))
    places = []
    for clock.now in (0.0, 9.5, 13.5, 14.0):
        places.append(watcher.view().place)
    assert places == [
        "writing the script: OpenAI: retry 2 of 4 in 14 s (OpenAI said so)",
        "writing the script: OpenAI: retry 2 of 4 in 5 s (OpenAI said so)",
        "writing the script: OpenAI: retry 2 of 4 in 0.5 s (OpenAI said so)",
        "writing the script (OpenAI, for 14 s)",
    ]


def start_writing(watcher: Watcher | PlainDisplay) -> None:
    watcher.take(event("job_started", title="Tides", exports=["youtube"], output="/v"))
    watcher.take(event("planned", steps=1, scenes=0, frames=0, complete=False))
    watcher.take(event("step_started", step="script", stage="script", scene=0, export="", frames=0, quality=""))
    watcher.take(asked("script", "write", "OpenAI"))


def paused(delay_s: float, asked_s: float | None, retry: int = 2) -> Event:
    about = {"step": "script", "scene": 0, "operation": "write", "provider": "OpenAI"}
    counted = {"number": retry + 1, "retry": retry, "of": 4}
    told = {"delay_s": delay_s, "kind": "RateLimitExceeded", "asked_s": asked_s}
    return Event("retry", "tides-1", about | counted | told)


def test_the_live_block_shows_where_the_run_stands_and_news_stay_above_it() -> None:
    from rich.console import Console

    clock = Clock()
    screen = io.StringIO()
    terminal = Console(file=screen, force_terminal=True, width=100, markup=False, highlight=False, emoji=False)
    display = LiveDisplay(clock, terminal=terminal)
    with display:
        watch(display, clock)
        display.take(event("degraded", stage="render", scene=0, wanted="High", got="Low", reason="[bold]memory[/bold]"))
        with display.paused():
            screen.write("PAST\n")
    shown = screen.getvalue()
    assert display.fault is None
    for text in (
        "Tides · tides-1",
        "encoding shorts",
        "250 of 1,000 frames",
        "25.0 fps",
        "0:30 left",
        " 25%",
    ):
        assert text in shown
    assert "degraded: render: High → Low: [bold]memory[/bold]" in shown
    # What was written past the display is not erased by the next frame: no cursor movement upwards before a new frame.
    after = shown.split("PAST\n", 1)[1]
    assert "\x1b[1A" not in after.split("Tides", 1)[0]
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 2


def test_an_abandoned_live_display_shows_the_cursor_and_draws_no_more(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.console import Console

    screen = io.StringIO()
    display = LiveDisplay(Clock(), terminal=Console(file=screen, force_terminal=True, width=100))
    with display:
        display.abandon()
        before = screen.getvalue()
        display.message("too late")
        assert screen.getvalue() == before
    assert "\x1b[?25h" in capsys.readouterr().err


def test_a_fault_of_the_display_is_kept_and_silences_it() -> None:
    display = QuietDisplay()
    display.take(event("planned", nonsense=True))
    assert isinstance(display.fault, KeyError)
    display.take(STARTED)


def test_a_terminal_that_was_closed_is_no_fault() -> None:
    class Gone(QuietDisplay):
        def message(self, text: str, tone: Any = "plain") -> None:
            raise OSError(5, "Input/output error")

    display = Gone()
    display.take(event("circuit", message="open"))
    assert (display.is_gone, display.fault) == (True, None)
    display.take(event("circuit", message="closed"))


@pytest.mark.parametrize(("term", "live"), [("xterm-256color", True), ("dumb", False), ("unknown", False)])
def test_only_a_real_terminal_gets_the_live_display(monkeypatch: pytest.MonkeyPatch, term: str, live: bool) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stderr", Terminal())
    monkeypatch.setenv("TERM", term)
    assert isinstance(make_display(), LiveDisplay if live else PlainDisplay)
    assert isinstance(make_display(quiet=True), QuietDisplay)


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.cli.terminal.console import say

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("sys.stderr", coloured := Terminal())
    say("careful", "warn")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr("sys.stderr", plain := Terminal())
    say("careful", "warn")
    assert coloured.getvalue() == "\x1b[33mcareful\x1b[0m\n"
    assert plain.getvalue() == "careful\n"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (75, "1:15"), (3600, "1:00:00"), (3725.2, "1:02:05")]
)
def test_durations_read_like_a_clock(seconds: float, text: str) -> None:
    assert clock_text(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (23_400_000, "23.4 MB"), (5e12, "5.0 TB")]
)
def test_sizes_are_decimal(count: float, text: str) -> None:
    assert bytes_text(count) == text
