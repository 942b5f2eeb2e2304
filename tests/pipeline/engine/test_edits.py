"""Edit one thing, render again: what depends on it is made again, and nothing else. Counted by stage."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from checkpoints.records import Record
from config.settings import Settings
from pipeline import Event, Pipeline
from pipeline.job.options import JobOptions
from pipeline.planning.plan import Plan
from pipeline.planning.steps import Step
from stages.models import Brief, Music, SceneBrief, Visual
from tests.conftest import TINY

Change = Callable[[list[SceneBrief]], None]
SETTINGS = Settings.model_validate(TINY)


# The plan: four scenes of two lines each in two shapes, the second with a picture of the user's, the rest with cards.


def scenes() -> list[SceneBrief]:
    made = [SceneBrief(narration=f"One {n} two. Three four {n} five.", heading=f"No. {n}") for n in range(1, 5)]
    made[1] = made[1].model_copy(update={"visual": Visual(path=Path("two.png"), kind="picture")})
    return made


def scene(number: int, **fields: Any) -> Change:
    def change(made: list[SceneBrief]) -> None:
        made[number - 1] = made[number - 1].model_copy(update=fields)

    return change


def nothing(_: list[SceneBrief]) -> None:
    pass


def drop_the_last(made: list[SceneBrief]) -> None:
    del made[-1]


def keys(brief: Brief, stub_toolbox: Any, answer: Callable[[Step], Record], settings: Settings) -> dict[str, str]:
    """Key and stage of every step of a brief's plan."""
    plan = Plan(brief, JobOptions(exports=("youtube", "shorts"), output=Path("/v"), stem="x"), settings, stub_toolbox)
    found: dict[str, str] = {}
    todo = plan.start()
    while todo:
        step = todo.pop()
        found[step.key] = step.stage
        todo.extend(plan.done(step, answer(step)))
    assert plan.finished
    return found


WHOLE = {"speech": 8, "images": 7, "music": 1, "mix": 1, "segment": 14, "mux": 2}


@pytest.mark.parametrize(
    ("change", "fields", "made"),
    [
        (nothing, {}, {}),
        # One line of two; the card shows the text; the scene and the transitions at its two ends.
        (
            scene(3, narration="One 3 two. Another."),
            {},
            {"speech": 1, "images": 2, "segment": 6, "mix": 1, "mux": 2},
        ),
        # No card: the picture is the user's.
        (scene(2, narration="One 2 two. Another."), {}, {"speech": 1, "segment": 6, "mix": 1, "mux": 2}),
        # The last scene has one transition only.
        (scene(4, narration="One 4 two. Another."), {}, {"speech": 1, "images": 2, "segment": 4, "mix": 1, "mux": 2}),
        (scene(2, visual=Visual(path=Path("other.png"), kind="picture")), {}, {"images": 1, "segment": 6, "mux": 2}),
        (scene(2, visual=None), {}, {"images": 2, "segment": 6, "mux": 2}),
        (scene(3, visual=Visual(path=Path("two.png"), kind="picture")), {}, {"segment": 6, "mux": 2}),
        (scene(3, heading="Another"), {}, {"images": 2, "segment": 6, "mux": 2}),
        # Of a card's scene nothing else shows the heading; of a picture's only the chapters do.
        (scene(2, heading="Another"), {}, {"mux": 2}),
        (scene(3, motion="zoom-out"), {}, {"segment": 6, "mux": 2}),
        (scene(3, transition="slide"), {}, {"segment": 2, "mux": 2}),
        # Captions stand in the scenes' own frames; transitions have none.
        (nothing, {"captions": "words"}, {"segment": 8, "mux": 2}),
        (nothing, {"music": Music(path=Path("other.wav"))}, {"music": 1, "mix": 1, "mux": 2}),
        (nothing, {"music": Music(path=Path("hum.wav"), gain_db=-9)}, {"mix": 1, "mux": 2}),
        (nothing, {"author": "Somebody"}, {"mux": 2}),
        # Cards count the scenes, and the last scene ends otherwise. The second has neither.
        (drop_the_last, {}, {"images": 4, "segment": 8, "mix": 1, "mux": 2}),
    ],
)
def test_only_what_depends_on_an_edit_is_planned_anew(
    stub_toolbox: Any,
    stub_record: Callable[[Step], Record],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Change,
    fields: dict[str, Any],
    made: dict[str, int],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("two.png", "other.png", "hum.wav", "other.wav"):
        Path(name).write_text(name)
    before: dict[str, Any] = {"title": "A title", "music": Music(path=Path("hum.wav"))}
    old = keys(Brief(**before, scenes=tuple(scenes())), stub_toolbox, stub_record, SETTINGS)
    assert Counter(old.values()) == WHOLE
    edited = scenes()
    change(edited)
    new = keys(Brief(**(before | fields), scenes=tuple(edited)), stub_toolbox, stub_record, SETTINGS)
    assert Counter(stage for key, stage in new.items() if key not in old) == made


# The real thing, counted by what is executed


BRIEF = """---
title: Three lamps
captions: burned
music: hum.wav
---

## One
![](one.png)
A lamp is lit.

## Two
![](two.png)
Ships see it.

## Three
![](three.png)
They come home.
"""


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a brief, its files, and a home in which it was rendered."""
    import wave

    root = tmp_path_factory.mktemp("edits")
    for number, name in enumerate(("one", "two", "three", "other")):
        Image.new("RGB", (320, 180), (40 * number, 60, 90)).save(root / f"{name}.png")
    with wave.open(str(root / "hum.wav"), "wb") as hum:
        hum.setparams((1, 2, 48_000, 0, "NONE", ""))
        hum.writeframes(b"\x00\x01" * 24_000)
    (root / "three.md").write_text(BRIEF)
    with Pipeline(SETTINGS, home=root / "home") as first:
        assert first.render(root / "three.md", output=root / "out").steps.executed == 14
    return root


@pytest.mark.parametrize(
    ("old", "new", "made"),
    [
        ("Ships see it.", "Boats see it.", {"speech": 1, "segment": 3, "mix": 1, "mux": 1}),
        ("two.png", "other.png", {"images": 1, "segment": 3, "mux": 1}),
        ("captions: burned", "captions: words", {"segment": 3, "mux": 1}),
        ("Three lamps", "Four lamps", {"mux": 1}),
        ("\n", "\n\n", {}),
    ],
    ids=["text", "picture", "caption style", "title", "white space"],
)
def test_only_what_depends_on_an_edit_is_executed_and_undoing_it_executes_nothing(
    rendered: Path, tmp_path: Path, old: str, new: str, made: dict[str, int]
) -> None:
    shutil.copytree(rendered / "home", tmp_path / "home")
    executed: Counter[str] = Counter()

    def note(event: Event) -> None:
        if event.kind == "step_executed":
            executed[event.data["stage"]] += 1

    brief = rendered / "three.md"
    with Pipeline(SETTINGS, home=tmp_path / "home", on_event=note) as pipeline:
        brief.write_text(BRIEF.replace(old, new))
        try:
            result = pipeline.render(brief, output=tmp_path / "out")
        finally:
            brief.write_text(BRIEF)
        assert (result.status, executed) == ("done", made)
        executed.clear()
        undone = pipeline.render(brief, output=tmp_path / "out")
        assert (undone.status, executed) == ("done", {})
        assert undone.outputs[0].path.read_bytes() == (rendered / "out" / "three-youtube.mp4").read_bytes()
