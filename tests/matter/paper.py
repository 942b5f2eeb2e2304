"""A whole run on paper: the command's own job, plan, loop, ledger, store and delivery, and a line of text from every stage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from config.settings import Settings
from pipeline import Event, Pipeline, Result
from pipeline.planning.steps import Step, StepOutcome
from pipeline.planning.toolbox import Toolbox
from stages.base import CancelToken, Context
from stages.models import Narration, Picture, Word
from stages.render.specs import MediaFacts, MuxSpec
from stages.speech.speech_provider import SpeechRequest
from tests.matter.case import Lab

Trouble = Callable[[Step, CancelToken], object]

BRIEF = """---
title: Three lamps
seed: 3
captions: none
---

## One
A lamp is lit.

## Two
Ships see it.

## Three
They come home.
"""

_FILES = {"speech": "line", "images": "picture", "mix": "audio", "mux": "video"}


class Paper:
    """One home and one brief. `on` gives a stage trouble; `made` counts the executed steps of the last run by stage."""

    def __init__(self, settings: Settings, lab: Lab, exports: tuple[str, ...] = ("youtube",)) -> None:
        self.settings, self.exports = settings, exports
        self.folder = lab.folder
        self.events: list[Event] = []
        self._trouble: dict[str, Trouble] = {}
        self._brief = lab.folder / "three.md"
        self._brief.write_text(BRIEF)
        lab.monkeypatch.setattr("pipeline.engine.step_executor.perform", self._perform)

    def on(self, stage: str, trouble: Trouble | None) -> None:
        """Call this before each step of a stage; None is no more trouble."""
        self._trouble.pop(stage, None)
        if trouble:
            self._trouble[stage] = trouble

    def render(self) -> Result:
        """Render the brief, as often as one likes."""
        return self._run(lambda it: it.render(self._brief, exports=self.exports, output=self.folder / "out"))

    def resume(self) -> Result:
        """Go on with the job."""
        return self._run(lambda it: it.resume())

    def interrupted_at(self, stage: str) -> Result:
        """Render, and be told to stop when a stage's first step is made."""

        def stop(event: Event, it: Pipeline) -> None:
            if event.kind == "step_executed" and event.data["stage"] == stage:
                it.cancel()

        return self._run(
            lambda it: it.render(self._brief, exports=self.exports, output=self.folder / "out"), on_event=stop
        )

    @property
    def made(self) -> Counter[str]:
        return Counter(event.data["stage"] for event in self.events if event.kind == "step_executed")

    def ledger(self, look: Callable[[Any], Any]) -> Any:
        """What there is to see in the ledger."""
        with Pipeline(self.settings, home=self.folder / "home") as it:
            return look(it.home.ledger)

    def kept(self) -> Counter[str]:
        """The results in the store, by stage."""
        with Pipeline(self.settings, home=self.folder / "home") as it:
            return Counter(record.stage for record in it.home.store.records())

    def _run(
        self, work: Callable[[Pipeline], Result], on_event: Callable[[Event, Pipeline], None] = lambda event, it: None
    ) -> Result:
        self.events.clear()

        def note(event: Event) -> None:
            self.events.append(event)
            on_event(event, it)

        with Pipeline(self.settings, home=self.folder / "home", on_event=note) as it:
            return work(it)

    def _perform(self, step: Step, context: Context, _toolbox: Toolbox) -> StepOutcome:
        if trouble := self._trouble.get(step.stage):
            trouble(step, context.cancel)
        if step.stage == "script":
            from pipeline.engine.step_executor import perform_by
            from stages.script.offline.outline import OutlineWriter

            return perform_by(OutlineWriter(), step.work, context)
        name = _FILES.get(step.stage, step.stage)
        path = context.scratch / name
        path.write_text(f"{name} of {step.key}")
        return StepOutcome({name: path}, _facts(step), "paper")


def _facts(step: Step) -> dict[str, Any]:
    match step.work:
        case SpeechRequest() as told:
            texts = told.text.split()
            words = tuple(Word(text=text, start_s=0.3 * at, end_s=0.3 * at + 0.25) for at, text in enumerate(texts))
            return Narration(text=told.text, words=words, samples=14_400 * len(words)).model_dump(mode="json")
        case MuxSpec() as spec:
            size = {"width": spec.encoding.width, "height": spec.encoding.height}
            return MediaFacts(frames=sum(spec.segment_frames), samples=spec.samples, **size).model_dump(mode="json")
    if step.stage == "images":
        return Picture(kind="picture", digest="", width=640, height=360).model_dump(mode="json")
    return {}
