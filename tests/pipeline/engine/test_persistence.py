"""What the settings of persistence and checkpoints change: each makes a difference that can be seen from outside."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from checkpoints.ledger.job_progress import SavedProgress, forget_progress, save_progress, saved_progress
from checkpoints.ledger.ledger import Ledger
from config.settings import Settings
from pipeline import Event, Pipeline, Result
from pipeline.cli.app import main
from pipeline.engine import progress_saver
from pipeline.engine.progress_saver import Saver
from tests.conftest import TINY

BRIEF = """---
title: Two lamps
seed: 3
---

## One
![](one.png)
A lamp is lit.

## Two
![](two.png)
Ships see it.
"""

Make = Callable[..., Pipeline]


def settings(**changes: dict[str, Any]) -> Settings:
    """The tiny world's, with `persistence` and `checkpoints` on top."""
    resilience = TINY["resilience"] | {"state_persistence": changes.get("persistence", {})}
    rendering = TINY["rendering"] | {"jobs": 1, "checkpoints": changes.get("checkpoints", {})}
    return Settings.model_validate(TINY | {"resilience": resilience, "rendering": rendering})


@pytest.fixture
def brief(tmp_path: Path) -> Path:
    from PIL import Image

    for name, colour in (("one", "navy"), ("two", "teal")):
        Image.new("RGB", (320, 180), colour).save(tmp_path / f"{name}.png")
    path = tmp_path / "two.md"
    path.write_text(BRIEF)
    return path


@pytest.fixture
def render(tmp_path: Path, brief: Path) -> Callable[..., tuple[Result, Counter[str], list[Event]]]:
    """Render or resume on one home; with `stop_at` a number of segments, cancel when so many are done.

    Returns the result, the executed steps by stage, and all events.
    """

    def call(with_settings: Settings, stop_at: int = 0, home: str = "home", resume: bool = False) -> Any:
        events: list[Event] = []

        def note(event: Event) -> None:
            events.append(event)
            if stop_at and executed(events)["segment"] == stop_at:
                pipeline.cancel()

        with Pipeline(with_settings, home=tmp_path / home, on_event=note) as pipeline:
            result = pipeline.resume() if resume else pipeline.render(brief, output=tmp_path / f"{home}-out")
        return result, executed(events), events

    return call


def executed(events: list[Event]) -> Counter[str]:
    return Counter(event.data["stage"] for event in events if event.kind == "step_executed")


# StatePersistence.SaveInterval and Enabled


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path / "ledger.db")
    made.put_job("two-1", "Two lamps", {}, {})
    yield made
    made.close()


def step(kind: Any, stage: str = "segment", **data: Any) -> Event:
    facts = {"step": f"{stage}/1", "stage": stage, "scene": 1, "export": "youtube", "frames": 100, "quality": "High"}
    return Event(kind, "two-1", facts | {"provider": ""} | data)


PLANNED = Event("planned", "two-1", {"steps": 9, "scenes": 2, "frames": 200, "complete": True})


def frames(done: int) -> Event:
    return step("step_progress", done=done, total=100, unit="frames")


def test_a_step_that_ends_is_saved_at_once(ledger: Ledger) -> None:
    saver = Saver(ledger, "two-1", 1000, wall=lambda: 50.0)
    for event in (PLANNED, step("step_started"), frames(40), step("step_executed")):
        saver.take(event)
    assert saved_progress(ledger) == {"two-1": SavedProgress("segment", 1, 1, 9, 100, 200, 50.0, 50.0)}


def test_within_a_step_what_is_saved_is_as_stale_as_the_interval_allows(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = threading.Event()

    def save(book: Ledger, job: str, saved: SavedProgress) -> None:
        save_progress(book, job, saved)
        if saved.frames_done == 60:
            seen.set()

    monkeypatch.setattr(progress_saver, "save_progress", save)
    patient = Saver(ledger, "two-1", 1000)
    patient.start()
    for event in (PLANNED, step("step_started"), frames(60)):
        patient.take(event)
    assert saved_progress(ledger)["two-1"].frames_done == 0
    assert not seen.is_set()
    patient.stop()
    assert saved_progress(ledger)["two-1"].frames_done == 60
    seen.clear()
    eager = Saver(ledger, "two-1", 0.01)
    eager.start()
    for event in (PLANNED, step("step_started"), frames(60)):
        eager.take(event)
    assert seen.wait(10)
    eager.stop()


def test_what_has_not_changed_is_not_written_again_and_other_jobs_do_not_count(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes: list[SavedProgress] = []
    monkeypatch.setattr(progress_saver, "save_progress", lambda _book, _job, saved: writes.append(saved))
    saver = Saver(ledger, "two-1", 1000)
    saver.take(PLANNED)
    saver.save()
    saver.take(Event("planned", "other-2", {"steps": 1, "scenes": 1, "frames": 1, "complete": True}))
    saver.take(PLANNED)
    assert [saved.steps_total for saved in writes] == [9]


def test_a_ledger_that_cannot_be_written_costs_the_run_nothing(ledger: Ledger) -> None:
    saver = Saver(ledger, "gone-1", 1000)
    saver.take(Event("planned", "gone-1", PLANNED.data))
    assert saved_progress(ledger) == {}


def test_progress_goes_with_its_job(ledger: Ledger) -> None:
    save_progress(ledger, "two-1", SavedProgress("mix", 0, 1, 2, 3, 4, 5.0, 6.0))
    forget_progress(ledger, "two-1")
    assert saved_progress(ledger) == {}
    save_progress(ledger, "two-1", SavedProgress("mix", 0, 1, 2, 3, 4, 5.0, 6.0))
    ledger.forget_job("two-1")
    assert saved_progress(ledger) == {}


def test_saved_progress_is_shown_after_an_interruption_and_not_when_saving_is_off(
    render: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    home = ("--home", str(tmp_path / "home"))
    result, _, events = render(settings(), stop_at=1)
    planned = [event.data for event in events if event.kind == "planned"][-1]
    done = sum(event.data["frames"] for event in events if event.kind == "step_executed")
    assert main(["jobs", "--json", *home]) == 0
    (job,) = json.loads(capsys.readouterr().out)["jobs"]
    assert (job["progress"]["frames_done"], job["progress"]["frames_total"]) == (done, planned["frames"])
    steps = sum(event.kind in ("step_executed", "step_reused") for event in events)
    assert (job["progress"]["steps_done"], job["progress"]["steps_total"]) == (steps, planned["steps"])
    assert main(["show", result.job_id, *home]) == 0
    # Which step began last is a matter of threads.
    assert f"{done} of {planned['frames']} frames, {steps} of {planned['steps']} steps; at " in capsys.readouterr().out
    assert main(["jobs", *home]) == 0
    assert f"{100 * done // planned['frames']} %" in capsys.readouterr().out
    render(settings(persistence={"enabled": False}), stop_at=1)
    assert main(["show", result.job_id, "--json", *home]) == 0
    assert json.loads(capsys.readouterr().out)["progress"] is None


# StatePersistence.AutoResume


def test_render_goes_on_with_an_unfinished_job_or_begins_it_anew_as_settings_say(render: Any, tmp_path: Path) -> None:
    anew = settings(persistence={"auto_resume": False})
    whole = render(anew, home="undisturbed")
    assert whole[0].status == "done"
    assert render(anew, home="undisturbed")[1] == Counter()
    assert render(settings(), stop_at=1)[0].status == "interrupted"
    result, made, events = render(anew, stop_at=2)
    assert result.status == "interrupted"
    assert made - Counter(mix=1) == {"speech": 2, "images": 2, "segment": 2}
    assert any("begun anew" in event.data.get("message", "") for event in events if event.kind == "warning")
    result, made, events = render(anew, resume=True)
    assert made.keys() <= {"segment", "mix", "mux"}
    assert made["segment"] == whole[1]["segment"] - 2
    assert not any("begun anew" in event.data.get("message", "") for event in events)
    assert result.outputs[0].sha256 == whole[0].outputs[0].sha256


# Checkpoints.Enabled, Interval and ResumeFromCheckpoint


def stages_kept(home: Path) -> Counter[str]:
    from pipeline.home import Home

    opened = Home(home)
    kept = Counter(record.stage for record, _ in opened.ledger.results.all())
    assert kept == Counter(record.stage for record in opened.store.records())
    opened.close()
    return kept


def test_without_checkpoints_nothing_of_the_render_stage_outlives_a_run_that_was_stopped(
    render: Any, tmp_path: Path
) -> None:
    off = settings(checkpoints={"enabled": False, "interval_s": 1})
    result, made, _ = render(off, stop_at=1)
    assert (result.status, made["segment"]) == ("interrupted", 1)
    kept = stages_kept(tmp_path / "home")
    assert kept == {"speech": 2, "images": 2}
    assert list((tmp_path / "home" / "store" / "tmp").iterdir()) == []
    result, made, events = render(off)
    assert (result.status, made["speech"], made["images"]) == ("done", 0, 0)
    assert made["segment"] == 3
    assert [event for event in events if event.kind == "repaired"] == []
    # The finished video's parts serve the next edit.
    assert stages_kept(tmp_path / "home")["segment"] == 3
    assert render(off)[1] == Counter()
    with_them, cut, _ = render(settings(checkpoints={"interval_s": 1}), home="cut")
    assert cut["segment"] > 3
    assert render(settings(), home="uncut")[0].outputs[0].sha256 == result.outputs[0].sha256
    assert with_them.outputs[0].frames == result.outputs[0].frames


def test_two_exports_without_checkpoints_share_what_both_need(tmp_path: Path, brief: Path) -> None:
    events: list[Event] = []
    off = settings(checkpoints={"enabled": False})
    with Pipeline(off, home=tmp_path / "home", on_event=events.append) as pipeline:
        result = pipeline.render(brief, output=tmp_path / "out", exports=["youtube", "shorts"])
    assert result.status == "done", result.error
    assert executed(events) == {"speech": 2, "images": 2, "segment": 6, "mix": 1, "mux": 2}
    assert stages_kept(tmp_path / "home") == executed(events)


def test_what_rendering_left_is_used_or_made_again_as_settings_say(render: Any) -> None:
    again = settings(checkpoints={"resume_from_checkpoint": False})
    assert render(settings(), stop_at=2)[0].status == "interrupted"
    result, made, _ = render(again, resume=True)
    assert result.status == "done"
    assert made == {"segment": 3, "mix": 1, "mux": 1}
    # A finished video is no checkpoint: it is not made again.
    assert render(again)[1] == Counter()
    assert render(settings(), stop_at=2, home="other")[0].status == "interrupted"
    other, made, _ = render(settings(), resume=True, home="other")
    assert made["segment"] == 1
    assert other.outputs[0].sha256 == result.outputs[0].sha256
