"""The script stage: who writes, what of an answer is let through, and whose pictures go where."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest

from config.errors import BriefError, CancelledError, ProviderError, TransientError, UnavailableError
from pipeline.engine.stage_dispatch import perform_by
from stages.base import CancelToken, Context, Provider
from stages.models import Brief, SceneBrief, Script, ScriptScene, Visual
from stages.script.script_stage import from_scenes, pictures_of, with_pictures, write_script
from stages.script.script_writer import FIRST_ASK, Ask, ScriptWriter

T = TypeVar("T")
P = TypeVar("P", bound=Provider)
BRIEF = Brief(title="T", text="One sentence. Another sentence.")


class FakeWriter(ScriptWriter):
    def __init__(self, name: str, *scenes: ScriptScene, missing: str = "") -> None:
        self.name = name
        self.scenes = scenes
        self.missing = missing
        self.calls = 0

    def identity(self) -> dict[str, str]:
        return {}

    def check(self, brief: Brief) -> None:
        if self.missing:
            raise UnavailableError(self.missing, provider=self.name)

    def write(self, brief: Brief, cancel: CancelToken, timeout_s: float, ask: Ask = FIRST_ASK) -> Script:
        self.calls += 1
        return Script(title=brief.title, scenes=self.scenes, writer=self.name)


def next_on_error(operation: str, providers: Sequence[P], work: Any) -> tuple[Any, P]:
    """A guard that only knows the next provider."""
    assert operation == "write"
    for provider in providers[:-1]:
        try:
            return work(provider, CancelToken()), provider
        except ProviderError:
            continue
    return work(providers[-1], CancelToken()), providers[-1]


def context(tmp_path: Path) -> Context:
    return Context(scratch=tmp_path, artifact=lambda digest: tmp_path / digest, call=next_on_error)


def scene(narration: str = "Some words.", **fields: Any) -> ScriptScene:
    return ScriptScene(narration=narration, **fields)


def test_the_first_writer_that_can_writes(tmp_path: Path) -> None:
    keyless, able = FakeWriter("keyless", scene(), missing="no key"), FakeWriter("able", scene())
    script = write_script(BRIEF, context(tmp_path), [keyless, able])
    assert script.writer == "able"
    assert keyless.calls == 0, "a writer that says it cannot must not be called"


def test_characters_that_a_writer_brings_in_and_no_font_has_are_named_with_the_way_out(tmp_path: Path) -> None:
    plain = perform_by(FakeWriter("w", scene("A rune.")), BRIEF, context(tmp_path))
    odd = perform_by(FakeWriter("w", scene("A rune: \u16a0.")), BRIEF, context(tmp_path))
    assert plain.notes == ()
    assert "\u16a0 (Runic letters): pictures show empty boxes" in odd.notes[0]


@pytest.mark.parametrize(
    ("scenes", "flaw"),
    [
        ((), "no scenes"),
        ((scene(), scene("  ")), "scene 2 has no narration"),
        ((scene("… !!"),), "scene 1 has no narration"),
        ((scene("word " * 700),), "700 words"),
        ((scene(heading="h" * 200),), "200 characters"),
        ((scene("caf\ufffd au lait"),), "nobody can read"),
        ((scene("a\x00b is here"),), "nobody can read"),
    ],
)
def test_a_garbled_answer_is_worth_another_try(tmp_path: Path, scenes: tuple[ScriptScene, ...], flaw: str) -> None:
    with pytest.raises(TransientError, match=flaw) as caught:
        write_script(BRIEF, context(tmp_path), [FakeWriter("w", *scenes)])
    assert caught.value.provider == "w"
    assert caught.value.hint


def test_a_lost_character_of_the_users_own_is_no_fault_of_the_writer(tmp_path: Path) -> None:
    brief = BRIEF.model_copy(update={"text": "caf\ufffd au lait"})
    assert write_script(brief, context(tmp_path), [FakeWriter("w", scene("caf\ufffd au lait"))]).scenes


def test_when_nobody_can_write_the_last_reason_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="second"):
        write_script(BRIEF, context(tmp_path), [FakeWriter("a", missing="first"), FakeWriter("b", missing="second")])


def test_the_outline_writer_works_through_the_stage_and_can_be_stopped(tmp_path: Path) -> None:
    from stages.script.writer_registry import create

    script = write_script(BRIEF, context(tmp_path), [create("outline")])
    assert " ".join(item.narration for item in script.scenes) == BRIEF.text
    token = CancelToken()
    token.cancel()
    with pytest.raises(CancelledError):
        create("outline").write(BRIEF, token, 0)


def test_explicit_scenes_are_taken_word_for_word() -> None:
    visual = Visual(path=Path("/p/a.jpg"), kind="picture", focus=(0.2, 0.4))
    scenes = (
        SceneBrief(
            narration="Said   as\n\nwritten.", heading="H", visual=visual, motion="zoom-in", hold_s=2, transition="cut"
        ),
        SceneBrief(heading="The end", hold_s=3),
    )
    script = from_scenes(Brief(title="Film", scenes=scenes))
    assert (script.title, script.writer, len(script.scenes)) == ("Film", "brief", 2)
    first = script.scenes[0]
    assert first.narration == "Said   as\n\nwritten."
    assert (first.heading, first.visual, first.motion, first.hold_s, first.transition) == (
        "H",
        visual,
        "zoom-in",
        2,
        "cut",
    )
    assert first.picture_prompt == "H: Said as written."
    assert script.scenes[1].narration == ""


def film(*names: str | None) -> Script:
    """Scenes with these pictures of their own."""
    return Script(
        title="T",
        writer="w",
        scenes=tuple(scene(visual=Visual(path=Path(name), kind="picture") if name else None) for name in names),
    )


def shown(script: Script) -> list[str | None]:
    return [str(item.visual.path) if item.visual else None for item in script.scenes]


@pytest.mark.parametrize(
    ("own", "pictures", "expected"),
    [
        ([None] * 3, ["a", "b", "c"], ["a", "b", "c"]),
        ([None] * 3, ["a", "b", "c", "d", "e", "f"], ["a", "c", "e"]),
        ([None] * 4, ["a", "b"], ["a", None, "b", None]),
        ([None] * 3, [], [None, None, None]),
        ([None, "x", None], ["a", "b"], ["a", "x", "b"]),
        ([None, "a", None], ["a", "b"], ["b", "a", None]),
        (["x"], ["a"], ["x"]),
    ],
    ids=["as-many", "more", "fewer", "none", "own-stays", "named-is-not-shown-again", "all-have-one"],
)
def test_a_folders_pictures_are_spread_in_order(
    own: list[str | None], pictures: list[str], expected: list[str | None]
) -> None:
    once = with_pictures(film(*own), [Path(name) for name in pictures])
    assert shown(once) == expected
    assert with_pictures(once, [Path(name) for name in pictures]) == once


def test_a_scene_in_which_nobody_speaks_stays_a_title() -> None:
    script = Script(title="T", writer="brief", scenes=(scene("", heading="Part one"), scene()))
    assert shown(with_pictures(script, [Path("a"), Path("b")])) == [None, "a"]


def test_a_folders_pictures_come_in_natural_order(tmp_path: Path) -> None:
    for name in ("10.jpg", "2.jpg", "notes.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in pictures_of(Brief(title="T", pictures=tmp_path))] == ["2.jpg", "10.jpg"]
    assert pictures_of(Brief(title="T")) == []
    with pytest.raises(BriefError):
        pictures_of(Brief(title="T", pictures=tmp_path / "gone"))
