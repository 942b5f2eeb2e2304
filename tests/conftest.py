"""A tiny world for tests of the whole way: every stage is real, frames are small, pauses are short."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from checkpoints.keys import text_digest
from checkpoints.ledger.ledger import Ledger
from checkpoints.ownership.leases import Lease
from checkpoints.ownership.processes import Owner
from checkpoints.records import Artifact, Record
from checkpoints.store.store import Store
from config.redaction import SECRETS
from config.settings import Settings
from pipeline import Event, Pipeline
from pipeline.engine.step_executor import Executor
from pipeline.engine.step_results import StepResults
from pipeline.events import Bus
from pipeline.planning.steps import Step
from pipeline.planning.toolbox import Toolbox
from pipeline.resilience.breakers.registry import Breakers
from pipeline.resilience.guard import Guard
from stages.base import CancelToken, Clock, Provider
from stages.models import Brief, Narration, Picture, Word
from stages.render.encoders.encoder_choice import Choice

TINY: dict[str, Any] = {
    "resilience": {"retry": {"max_retry_attempts": 1, "initial_delay_ms": 1}},
    "rendering": {
        "fps": 24,
        "preset": "superfast",
        "jobs": 2,
        "pacing": {
            "lead_s": 0.1,
            "line_gap_s": 0.1,
            "tail_s": 0.1,
            "intro_s": 0.1,
            "outro_s": 0.1,
            "transition_s": 0.25,
            "empty_scene_s": 0.5,
        },
    },
    "quality": {
        "levels": [
            {"name": "High", "resolution": "320x180", "bitrate_bps": "500k", "priority": 1},
            {"name": "Medium", "resolution": "192x108", "bitrate_bps": "300k", "priority": 2},
            {"name": "Low", "resolution": "128x72", "bitrate_bps": "100k", "priority": 3},
        ]
    },
}

TINY_BRIEF = """---
title: A small light
seed: 3
---

## One
A lamp is lit.

## Two
Ships see it.

## Three
They come home.
"""

_ARTIFACTS = {"speech": "line", "images": "picture", "mix": "audio", "mux": "video"}


@pytest.fixture(autouse=True)
def _forgotten_secrets() -> Iterator[None]:
    """What one test keeps secret is ordinary text in the next."""
    before = dict(vars(SECRETS))
    before |= {name: set(before[name]) for name in ("_secrets", "_words")}
    yield
    vars(SECRETS).update(before)


class StubToolbox:
    """Nobody works here: what a plan asks of a toolbox is who would."""

    writer_identities: list[dict[str, str]] = [{"name": "writer"}]
    speaker_identities: list[dict[str, str]] = [{"name": "speaker"}]
    painter_identities: list[dict[str, str]] = [{"name": "painter"}]
    encoder_identity: dict[str, str] = {"encoder": "stub"}
    encoder_choice = Choice("libx264", "libx264")
    font_identity = "fonts"


def _stub_facts(step: Step) -> dict[str, Any]:
    if step.stage == "speech":
        told: Any = step.work
        words = tuple(
            Word(text=text, start_s=0.3 * at, end_s=0.3 * at + 0.25) for at, text in enumerate(told.text.split())
        )
        return Narration(text=told.text, words=words, samples=14_400 * len(words)).model_dump(mode="json")
    if step.stage == "images":
        return Picture(kind="picture", digest="", width=640, height=360).model_dump(mode="json")
    return {}


@pytest.fixture
def stub_toolbox() -> StubToolbox:
    """What a plan needs to make keys, without any provider."""
    return StubToolbox()


@pytest.fixture
def stub_record() -> Callable[[Step], Record]:
    """A step's record as its stage would make it: 0.3 s for each word, a picture for each scene."""

    def record(step: Step) -> Record:
        name = _ARTIFACTS.get(step.stage, step.stage)
        artifacts = {name: Artifact(digest=text_digest(step.key), size=1)}
        return Record(key=step.key, stage=step.stage, artifacts=artifacts, facts=_stub_facts(step))

    return record


@pytest.fixture
def tiny_settings() -> Settings:
    """Real stages, frames of 320 × 180 and below."""
    return Settings.model_validate(TINY)


@pytest.fixture
def tiny_brief(tmp_path: Path) -> Path:
    """A brief of three short spoken scenes over cards."""
    path = tmp_path / "small.md"
    path.write_text(TINY_BRIEF)
    return path


@pytest.fixture
def events() -> list[Event]:
    """What the pipelines of `make_pipeline` tell."""
    return []


@pytest.fixture
def make_pipeline(tmp_path: Path, tiny_settings: Settings, events: list[Event]) -> Iterator[Callable[..., Pipeline]]:
    """Pipelines on one home; each is closed at the end."""
    opened: list[Pipeline] = []

    def make(settings: Settings | None = None) -> Pipeline:
        opened.append(Pipeline(settings or tiny_settings, home=tmp_path / "home", on_event=events.append))
        return opened[-1]

    yield make
    for pipeline in opened:
        pipeline.close()


class Workbench:
    """One home with one job, and steps executed on it as the runner does, by providers of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.ledger, self.store = Ledger(folder / "ledger.db"), Store(folder / "store")
        self.store.prepare()
        self.ledger.put_job("job", "T", {}, {})
        self.told: list[Event] = []
        self.owner = Owner.here()
        self.now = time.time()

    def toolbox(self, settings: Settings, brief: Brief | None = None, **providers: Sequence[Provider]) -> Toolbox:
        """A toolbox whose `writers`, `speakers` or `painters` are the test's."""
        toolbox: Any = Toolbox(brief or Brief(title="T", text="x"), settings)
        for kind, given in providers.items():
            toolbox.__dict__[f"_{kind}"] = tuple(given)
            toolbox.__dict__[f"{kind[:-1]}_names"] = tuple(one.name for one in given)
        return toolbox  # type: ignore[no-any-return]

    def checkpoints(self, **options: Any) -> StepResults:
        return StepResults(self.ledger, self.store, lambda step, what: None, **options)

    def executor(self, settings: Settings, toolbox: Toolbox, checkpoints: StepResults | None = None) -> Executor:
        guard = Guard(settings, Breakers(), Clock(sleep=lambda seconds: None))
        checkpoints = checkpoints or self.checkpoints()
        return Executor(
            "job", self.store, self.ledger, checkpoints, guard, toolbox, Bus(self.told.append), wall=lambda: self.now
        )

    def run(self, step: Step, settings: Settings, toolbox: Toolbox) -> Record:
        """Execute a step, and commit its result."""
        lease = self.ledger.step_started("job", step.id, step.stage, step.scene, step.key, self.owner)
        assert isinstance(lease, Lease)
        record = self.executor(settings, toolbox).execute(step, CancelToken())
        assert self.ledger.step_executed("job", step.id, record, lease)
        return record


@pytest.fixture
def workbench(tmp_path: Path) -> Iterator[Workbench]:
    """A home to execute single steps on."""
    bench = Workbench(tmp_path / "bench")
    yield bench
    bench.ledger.close()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What fault runs recorded, summed up over all tests, those of other workers included."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    shaken = [value for report in reports for name, value in report.user_properties if name == "shaken"]
    if shaken:
        codes = ", ".join(f"{count} × {code}" for code, count in sorted(Counter(item[0] for item in shaken).items()))
        faults, degradations = sum(item[1] for item in shaken), sum(item[2] for item in shaken)
        terminalreporter.write_line(
            f"{len(shaken)} shaken runs: exits {codes}; {faults} failures on purpose, {degradations} degradations"
        )
    # They are counted when a test's worlds are done with, which the report of its end alone tells.
    ends = [report for report in terminalreporter.stats.get("", []) if report.when == "teardown"]
    kills = sum(value for report in ends for name, value in report.user_properties if name == "kills")
    if kills:
        terminalreporter.write_line(f"{kills} kills delivered")
