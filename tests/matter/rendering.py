"""`Quality`: at which level an export is made, what is encoded for it, and whether it may be a lower one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from config.errors import OutOfMemoryError, UsageError
from config.settings import Settings
from pipeline import Result
from pipeline.job.options import level_named
from pipeline.planning.steps import Step
from stages.base import CancelToken
from stages.render.encoders.encoder import Libx264
from stages.render.ffmpeg.process import FfmpegRun, run_ffmpeg
from stages.render.sources.probe import probe_video
from stages.render.specs import Encoding, SegmentSpec
from tests.matter.case import Case, Lab
from tests.matter.paper import Paper

LEVELS = [
    {"Name": "High", "Resolution": "192x108", "Bitrate": "5M", "Priority": 1},
    {"Name": "Low", "Resolution": "128x72", "Bitrate": "100k", "Priority": 3},
]
AROUND: dict[str, Any] = {"Quality": {"Levels": LEVELS}}
_NOISY_FRAMES = 24


def _outcome(result: Result) -> str:
    return result.outputs[0].quality if result.outputs else f"exit {result.exit_code}"


def when_memory_is_short(settings: Settings, lab: Lab) -> str:
    """What comes of an export whose best level does not fit into memory."""

    def short(step: Step, _cancel: CancelToken) -> None:
        if "/high/" in step.id:
            raise OutOfMemoryError("no memory")

    paper = Paper(settings, lab)
    paper.on("segment", short)
    return _outcome(paper.render())


def begins_at(settings: Settings, lab: Lab) -> str:
    """The level of an export that nobody asked a level for."""
    return _outcome(Paper(settings, lab).render())


def knows_high(settings: Settings, _lab: Lab) -> str:
    """What `--quality high` means."""
    try:
        return level_named(settings.quality, "high").name
    except UsageError as error:
        return error.hint


def _encoded(settings: Settings, lab: Lab) -> Path:
    """A second of noise, encoded as the plan has its first segment encoded."""
    told: list[Encoding] = []

    def look(step: Step, _cancel: CancelToken) -> None:
        if isinstance(step.work, SegmentSpec):
            told.append(step.work.encoding)

    paper = Paper(settings, lab)
    paper.on("segment", look)
    assert paper.render().exit_code == 0
    encoding, out = told[0], lab.folder / "noise.mp4"
    noise = np.random.default_rng(3).integers(0, 256, encoding.width * encoding.height * 3 // 2, np.uint8)
    run = FfmpegRun(what="noise", scratch=lab.folder, cancel=CancelToken(), stall_timeout_s=60)

    def feed(stdin: Any) -> None:
        for number in range(_NOISY_FRAMES):
            stdin.write(np.roll(noise, 17 * number).tobytes())

    run_ffmpeg(Libx264().arguments(encoding, out), run, feed)
    return out


def frame_size(settings: Settings, lab: Lab) -> tuple[int, int]:
    """The size of the frames that are encoded."""
    found = probe_video(_encoded(settings, lab))
    return found.width, found.height


def is_held_down(settings: Settings, lab: Lab) -> bool:
    """Whether a ceiling of bits holds down what is hard to encode."""
    return _encoded(settings, lab).stat().st_size < 100_000


CASES: dict[str, Case] = {
    "Quality.FallbackEnabled": Case((True, False), ("Low", "exit 75"), when_memory_is_short, AROUND),
    "Quality.Levels[].Name": Case(("High", "Best"), ("High", "one of: Best, Low"), knows_high, AROUND),
    "Quality.Levels[].Priority": Case((1, 9), ("High", "Low"), begins_at, AROUND),
    "Quality.Levels[].Resolution": Case(("192x108", "256x144"), ((192, 108), (256, 144)), frame_size, AROUND),
    "Quality.Levels[].Bitrate": Case(("5M", "100k"), (False, True), is_held_down, AROUND),
}
