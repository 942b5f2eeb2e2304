"""`framekeep jobs`, `show` and `gc` on a real ledger."""

from __future__ import annotations

import json
import os
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from checkpoints.ownership.locks import job_lock
from checkpoints.ownership.processes import Owner
from config.errors import DiskFullError
from pipeline.cli.app import main
from pipeline.cli.commands.jobs_command import iso_time
from pipeline.home import Home

Run = Callable[..., tuple[int, str, str]]
OPTIONS = {"exports": ["youtube"], "output": "/videos", "stem": "tides", "quality": "", "levels": {}}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home with nothing in it."""
    home = Home(tmp_path / "home")
    yield home
    home.close()


@pytest.fixture
def run(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command line on that home."""
    for name in list(os.environ):
        if name.startswith("FRAMEKEEP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("FRAMEKEEP_HOME", str(home.root))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(list(arguments))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def put(home: Home, job: str, state: str, **more: Any) -> None:
    home.ledger.put_job(job, "The [red]tides[/red]", {"name": "tides", "title": "x"}, OPTIONS)
    home.ledger.set_state(job, state, **more)


def output(folder: Path) -> dict[str, Any]:
    video = folder / "tides-youtube.mp4"
    video.write_bytes(b"x" * 2000)
    return {
        "export": "youtube",
        "path": str(video),
        "width": 1920,
        "height": 1080,
        "fps": 30,
        "frames": 300,
        "duration_s": 10.0,
        "quality": "High",
        "sha256": "ab" * 32,
        "sidecars": {"srt": str(folder / "tides-youtube.srt")},
    }


def test_looking_at_an_empty_home_makes_nothing(run: Run, home: Home) -> None:
    assert run("jobs")[0] == 0
    assert json.loads(run("jobs", "--json")[1]) == {"jobs": []}
    assert run("gc")[0] == 0
    assert json.loads(run("gc", "--json")[1])["bytes_freed"] == 0
    assert run("show", "tides")[0] == 2
    assert not home.root.exists()


def test_jobs_are_listed_with_their_state_the_latest_first(run: Run, home: Home) -> None:
    put(home, "old-1", "done")
    put(home, "new-2", "parked")
    code, out, err = run("jobs")
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[0].split() == ["STATE", "JOB", "CHANGED", "THERE", "EXPORTS", "TITLE"]
    assert [line.split()[:2] for line in lines[1:]] == [["parked", "new-2"], ["done", "old-1"]]
    assert lines[1].endswith("The [red]tides[/red]")
    assert [job["job_id"] for job in json.loads(run("jobs", "--state", "done", "--json")[1])["jobs"]] == ["old-1"]


def test_a_killed_job_is_interrupted_and_a_running_one_is_running(run: Run, home: Home) -> None:
    put(home, "killed-1", "running")
    put(home, "alive-2", "running")
    with job_lock(home.locks, "alive-2"):
        found = {job["job_id"]: job["state"] for job in json.loads(run("jobs", "--json")[1])["jobs"]}
        assert found == {"killed-1": "interrupted", "alive-2": "running"}
        assert json.loads(run("show", "alive-2", "--json")[1])["next"] == ""
    assert json.loads(run("show", "killed-1", "--json")[1])["next"] == "framekeep resume killed-1"


def test_a_job_is_shown_with_steps_calls_news_error_and_what_to_type(run: Run, home: Home) -> None:
    put(home, "tides-1", "running")
    home.ledger.step_started("tides-1", "speech-1", "speech", 1, "k1", Owner.here())
    home.ledger.step_failed("tides-1", "speech-1", DiskFullError("No space left for line 1"))
    home.ledger.attempt(
        "tides-1",
        "speech-1",
        operation="speak",
        provider="hibari",
        outcome="failed",
        code="TIMEOUT",
        message="too slow",
        elapsed_s=2.5,
    )
    home.ledger.event("tides-1", "warning", {"step": "speech-1", "scene": 1, "message": "an emoji was left out"})
    down = {"stage": "render", "scene": 0, "wanted": "High", "got": "Low", "reason": "memory ran out"}
    home.ledger.event("tides-1", "step_down", down)
    error = {"code": "DISK_FULL", "message": "No space left for line 1", "hint": "framekeep resume tides-1"}
    home.ledger.set_state("tides-1", "parked", report={"degradations": [down]}, error=error)
    code, out, _ = run("show", "tides")
    assert code == 0
    for text in (
        "tides-1  parked",
        "speech    1 failed",
        "speak by hibari: 1 call, 2.5 s, 1 failed; last: TIMEOUT: too slow",
        "render: High → Low: memory ran out",
        "warning: scene 1: an emoji was left out",
        "DISK_FULL: No space left for line 1",
        "→ framekeep resume tides-1",
    ):
        assert text in out
    document = json.loads(run("show", "tides", "--json")[1])
    assert document["state"] == "parked"
    assert document["steps"][0]["error"].startswith("DISK_FULL")
    assert document["attempts"][0]["code"] == "TIMEOUT"
    assert document["next"] == "framekeep resume tides-1"


@pytest.mark.parametrize(("ahead_s", "is_waited_for"), [(600, True), (-1, False), (-86_400, False)])
def test_a_time_to_wait_for_that_has_passed_is_no_longer_waited_for(
    run: Run, home: Home, ahead_s: float, is_waited_for: bool
) -> None:
    put(home, "tides-1", "running")
    hint = "wait until 14:03:20 (30 s), then: framekeep resume tides-1"
    error = {"code": "CIRCUIT_OPEN", "message": "OpenAI-LLM: Service temporarily unavailable", "hint": hint}
    at = iso_time(time.time() + ahead_s)
    home.ledger.set_state("tides-1", "parked", report={"error": error | {"resume_after": at}}, error=error)
    document = json.loads(run("show", "tides-1", "--json")[1])
    wanted = hint if is_waited_for else "framekeep resume tides-1"
    assert (document["next"], document["error"]["hint"]) == (wanted, wanted)
    assert json.loads(run("jobs", "--json")[1])["jobs"][0]["error"]["hint"] == wanted
    assert ("14:03:20" in run("show", "tides-1")[1]) == is_waited_for


def test_a_finished_job_shows_its_videos_and_no_next_command(run: Run, home: Home, tmp_path: Path) -> None:
    put(home, "tides-1", "done", report={"outputs": [output(tmp_path)]})
    _, out, _ = run("show", "tides-1")
    assert "youtube: High, 1920×1080, 30 fps, 0:10, 2.0 kB" in out
    assert f"    {tmp_path / 'tides-youtube.mp4'}\n" in out
    assert "→ framekeep" not in out
    (tmp_path / "tides-youtube.mp4").unlink()
    assert "file not there any more" in run("show", "tides-1")[1]


def test_a_beginning_that_fits_two_jobs_is_refused(run: Run, home: Home) -> None:
    put(home, "tides-1", "done")
    put(home, "tides-2", "done")
    code, out, err = run("show", "tides", "--json")
    assert code == 2
    assert json.loads(out)["error"]["code"] == "BAD_INPUT"
    assert "fits several jobs" in err


def test_garbage_is_collected_by_age_and_a_dry_run_removes_nothing(
    run: Run, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(home, "tides-1", "done")
    put(home, "moon-2", "parked")
    later = time.time() + 40 * 86_400
    monkeypatch.setattr("pipeline.cli.commands.gc_command.time", types.SimpleNamespace(time=lambda: later))
    assert json.loads(run("gc", "--json", "--older-than", "50d")[1])["jobs"] == []
    code, out, _ = run("gc", "--dry-run")
    assert code == 0
    assert "would go: job tides-1" in out
    assert len(home.ledger.jobs()) == 2
    assert json.loads(run("gc", "--keep-last", "1", "--json")[1])["jobs"] == []
    assert "removed: 1 job" in run("gc")[1]
    assert [job.id for job in home.ledger.jobs()] == ["moon-2"]
