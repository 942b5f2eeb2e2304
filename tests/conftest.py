"""A tiny world for tests of the whole way: every stage is real, frames are small, pauses are short."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings
from pipeline import Event, Pipeline

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
