"""Killed with SIGKILL in every stage, then resumed: nothing verified is made twice, and the video is the same, byte for byte."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from checkpoints.ledger import Ledger
from pipeline import Pipeline, Settings

pytestmark = pytest.mark.skipif(os.name != "posix", reason="process groups and SIGKILL are POSIX")

# Renders, and kills its own process group when the n-th event of a kind and stage comes.
VICTIM = """
import json, os, signal, sys
from pathlib import Path
from pipeline import Pipeline, Settings

settings, brief, home, out, kind, stage, nth = json.loads(sys.argv[1])
seen = 0

def watch(event):
    global seen
    if event.kind == kind and event.data["step"].startswith(stage):
        seen += 1
        if seen == nth:
            os.killpg(0, signal.SIGKILL)

Pipeline(Settings.model_validate(settings), home=home, on_event=watch).render(brief, output=out)
print("survived")
"""

ARTICLE = """---
title: A small light
seed: 3
---
A lamp was lit on the cliff. Ships far out at sea could see it on a clear night.

The keeper climbed the stairs each evening. He trimmed the wick and wound the clockwork that turned the lens.

Fog was the enemy of every lamp. On such nights a bell was rung by hand until the morning came.
"""


@pytest.fixture
def article(tmp_path: Path) -> Path:
    path = tmp_path / "small.md"
    path.write_text(ARTICLE)
    return path


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Settings], Any]:
    """The result of a run that nobody disturbs; made once."""
    made: list[Any] = []

    def render(settings: Settings) -> Any:
        if not made:
            folder = tmp_path_factory.mktemp("undisturbed")
            brief = folder / "small.md"
            brief.write_text(ARTICLE)
            with Pipeline(settings, home=folder / "home") as pipeline:
                made.append(pipeline.render(brief, output=folder / "out"))
        return made[0]

    return render


def run_until_killed(settings: Settings, brief: Path, home: Path, out: Path, kind: str, stage: str, nth: int) -> None:
    wanted = [settings.model_dump(mode="json"), str(brief), str(home), str(out), kind, stage, nth]
    run = subprocess.run(
        [sys.executable, "-c", VICTIM, json.dumps(wanted)],
        start_new_session=True,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert run.returncode == -signal.SIGKILL, run.stdout + run.stderr


def processes_of(home: Path) -> list[psutil.Process]:
    """Processes, the encoder's above all, that still work below a home."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(str(home) in argument for argument in process.info["cmdline"] or ())
    ]


@pytest.mark.parametrize(
    ("kind", "stage", "nth"),
    [
        ("step_started", "script", 1),
        ("step_started", "speech", 2),
        ("step_started", "images", 1),
        ("step_progress", "segment", 2),
        ("step_executed", "segment", 2),
        ("step_started", "mix", 1),
        ("step_started", "mux", 1),
    ],
)
def test_a_run_that_is_killed_resumes_to_the_same_bytes(
    article: Path,
    tmp_path: Path,
    tiny_settings: Settings,
    undisturbed: Callable[[Settings], Any],
    kind: str,
    stage: str,
    nth: int,
) -> None:
    wanted = undisturbed(tiny_settings)
    home = tmp_path / "home"
    run_until_killed(tiny_settings, article, home, tmp_path / "out", kind, stage, nth)
    _gone, alive = psutil.wait_procs(processes_of(home), timeout=5)
    assert alive == [], f"left behind after the kill: {alive}"

    with Pipeline(tiny_settings, home=home) as pipeline:
        (row,) = pipeline.jobs()
        assert row.state == "interrupted"
        before = {step.id for step in pipeline.home.ledger.steps(row.id) if step.state == "executed"}
        result = pipeline.resume()

    assert result.status == "done"
    assert result.outputs[0].sha256 == wanted.outputs[0].sha256
    assert result.steps.executed + result.steps.reused == wanted.steps.executed
    assert result.steps.reused >= len(before)
    ledger = Ledger(home / "ledger.db")
    executed = [event.data["step"] for event in ledger.events(row.id) if event.kind == "step_executed"]
    assert len(executed) == len(set(executed)), "a verified step was executed twice"
    assert ledger.is_sound()
    ledger.close()
    assert list((home / "store" / "tmp").iterdir()) == []
    assert list(home.rglob("*.part")) == []


def test_the_encoder_dies_with_its_parent(article: Path, tmp_path: Path, tiny_settings: Settings) -> None:
    home = tmp_path / "home"
    wanted = [tiny_settings.model_dump(mode="json"), str(article), str(home), str(tmp_path / "out"), "never", "", 1]
    parent = subprocess.Popen([sys.executable, "-c", VICTIM, json.dumps(wanted)], start_new_session=True)
    encoders: list[psutil.Process] = []
    deadline = time.monotonic() + 60
    while not encoders and parent.poll() is None and time.monotonic() < deadline:
        encoders = [child for child in psutil.Process(parent.pid).children() if "ffmpeg" in child.name()]
    parent.kill()
    parent.wait()
    assert encoders, "no encoder was seen"
    _gone, alive = psutil.wait_procs(encoders, timeout=5)
    assert alive == []


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(40))
def test_a_run_that_is_killed_again_and_again_at_any_instant_resumes_to_the_same_bytes(
    seed: int, article: Path, tmp_path: Path, tiny_settings: Settings, undisturbed: Callable[[Settings], Any]
) -> None:
    wanted = undisturbed(tiny_settings)
    home = tmp_path / "home"
    chance = random.Random(seed)
    never = [tiny_settings.model_dump(mode="json"), str(article), str(home), str(tmp_path / "out"), "never", "", 1]
    instants = [chance.uniform(0.2, 1.2 * wanted.elapsed_s + 1.0) for _ in range(chance.randint(1, 3))]
    print(f"seed {seed}: killed after {', '.join(f'{instant:.2f} s' for instant in instants)}")
    for instant in instants:
        run = subprocess.Popen([sys.executable, "-c", VICTIM, json.dumps(never)], start_new_session=True)
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.wait(instant)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        _gone, alive = psutil.wait_procs(processes_of(home), timeout=5)
        assert alive == [], f"left behind after the kill: {alive}"
    with Pipeline(tiny_settings, home=home) as pipeline:
        # Killed before it was noted, a job is begun anew; finished before it was killed, it is found finished.
        result = pipeline.render(article, output=tmp_path / "out")
    assert result.status == "done"
    assert result.outputs[0].sha256 == wanted.outputs[0].sha256
    assert result.steps.executed + result.steps.reused == wanted.steps.executed
    ledger = Ledger(home / "ledger.db")
    executed = [event.data["step"] for event in ledger.events(result.job_id) if event.kind == "step_executed"]
    assert len(executed) == len(set(executed)), "a verified step was executed twice"
    assert ledger.is_sound()
    ledger.close()
    assert list((home / "store" / "tmp").iterdir()) == []
    assert list(home.rglob("*.part")) == []
    assert list((tmp_path / "out").glob(".*")) == []
