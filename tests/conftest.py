"""A tiny world for tests of the whole way: every stage is real, frames are small, pauses are short."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from checkpoints.keys import text_digest
from checkpoints.records import Artifact, Record
from config.settings import Settings
from pipeline import Event, Pipeline
from pipeline.steps import Step
from stages.models import Narration, Picture, Word
from stages.render.encoder_choice import Choice

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
