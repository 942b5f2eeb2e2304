"""How cost grows with length: memory stays as it is, work grows in proportion, and planning is no work at all."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from measure import Cost, Failed
from storyboard import make_storyboard

from checkpoints.records import Artifact, Record
from config.settings import Settings
from pipeline.job.options import JobOptions
from pipeline.planning.plan import Plan
from pipeline.planning.steps import Step
from pipeline.planning.toolbox import Toolbox
from stages.models import Brief, Narration, Picture, SceneBrief, Visual, Word
from stages.process_memory import uncollected
from stages.render.specs import MediaFacts
from stages.speech.speech_provider import SpeechRequest

_NOTHING = Cost(0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Growth:
    """One length: what rendering it cost, or why it failed."""

    scenes: int
    frames: int = 0
    cost: Cost = _NOTHING
    failure: str = ""

    @property
    def ms_per_frame(self) -> float:
        return 1000 * self.cost.cpu_s / max(self.frames, 1)

    def as_dict(self) -> dict[str, Any]:
        if self.failure:
            return {"scenes": self.scenes, "failure": self.failure}
        return {
            "scenes": self.scenes,
            "frames": self.frames,
            **asdict(self.cost),
            "cpu_ms_per_frame": self.ms_per_frame,
        }

    def line(self) -> str:
        """Its line in a table."""
        if self.failure:
            return f"{self.scenes:8}  failed: {self.failure}"
        cost = self.cost
        memory = f"{cost.peak_mb:9.0f}{cost.peak_pss_mb:9.0f}"
        return f"{self.scenes:8}{self.frames:8}{cost.cpu_s:9.1f}{self.ms_per_frame:10.2f}{cost.wall_s:9.1f}{memory}"


def grow(folder: Path, size: tuple[int, int], lengths: Sequence[int]) -> list[Growth]:
    """Render the storyboard's scenes again and again, as often as each length asks for."""
    found = []
    for scenes in lengths:
        project = make_storyboard(folder / f"{scenes}-scenes", size, scenes, scene_s=None)
        try:
            cost, report = project.render()
        except Failed as error:
            said = [line for line in str(error).splitlines() if line.startswith("✗")] or [str(error)]
            found.append(Growth(scenes, failure=said[-1].removeprefix("✗ ")))
        else:
            found.append(Growth(scenes, report["outputs"][0]["frames"], cost))
    return found


def planning_s(scenes: int, folder: Path) -> float:
    """Seconds to plan a whole film to its last step, everything that it waits for being there at once.

    Pretending that steps were done is not counted: it is no planning.
    """
    picture = folder / "picture.jpg"
    picture.write_bytes(b"not looked at")
    brief = Brief(
        title="Long",
        scenes=tuple(
            SceneBrief(narration=f"This is scene number {n}.", visual=Visual(path=picture, kind="picture"))
            for n in range(scenes)
        ),
        base=folder,
    )
    settings = Settings()
    toolbox = Toolbox(brief, settings)
    # Reading a program of a hundred megabytes for its identity is no planning.
    _ = toolbox.encoder_identity, toolbox.speaker_identities, toolbox.font_identity
    started = time.perf_counter()
    plan = Plan(brief, JobOptions(exports=("youtube",), output=folder, stem="long"), settings, toolbox)
    todo = plan.start()
    planned_s = time.perf_counter() - started
    # As the runner does where it finds steps done.
    with uncollected():
        while todo:
            step = todo.pop()
            record = _imagined(step)
            started = time.perf_counter()
            todo.extend(plan.done(step, record))
            planned_s += time.perf_counter() - started
    assert plan.finished
    return planned_s


def _imagined(step: Step) -> Record:
    """A record such as the step's stage would leave."""
    artifact = Artifact(digest=step.key, size=1)
    if isinstance(step.work, SpeechRequest):
        text = step.work.text
        words = tuple(Word(text=word, start_s=0.3 * n, end_s=0.3 * n + 0.25) for n, word in enumerate(text.split()))
        spoken = Narration(text=text, words=words, samples=96_000).model_dump(mode="json")
        return Record(key=step.key, stage=step.stage, artifacts={"line": artifact}, facts=spoken)
    if step.stage == "images":
        picture = Picture(kind="picture", digest=step.key, width=3000, height=2000).model_dump(mode="json")
        return Record(key=step.key, stage=step.stage, artifacts={"picture": artifact}, facts=picture)
    name = {"segment": "segment", "mix": "audio", "mux": "video"}[step.stage]
    return Record(
        key=step.key, stage=step.stage, artifacts={name: artifact}, facts=MediaFacts().model_dump(mode="json")
    )
