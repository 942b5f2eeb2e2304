"""Some of many fail: what was made is kept, finished exports are delivered, and only what failed is asked again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config.errors import RejectedError
from config.settings import Settings
from pipeline import Event, Pipeline
from stages.base import CancelToken
from stages.images.cards.card_provider import CardProvider
from stages.images.picture_provider import PictureRequest

MakePipeline = Callable[..., Pipeline]
SCENES = range(1, 7)
BAD = frozenset({2, 5})


class Trouble:
    """The painter fails for some scenes while it lasts; `asked` counts the calls for each."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, when: Callable[[PictureRequest], bool]) -> None:
        self.asked: Counter[int] = Counter()
        self.lasts = True
        draw = CardProvider.draw

        def failing(painter: CardProvider, request: PictureRequest, cancel: CancelToken, folder: Path) -> Path:
            self.asked[request.index] += 1
            if self.lasts and when(request):
                raise RejectedError("the picture was refused", provider="card")
            return draw(painter, request, cancel, folder)

        monkeypatch.setattr(CardProvider, "draw", failing)


@pytest.fixture
def six(tmp_path: Path) -> Path:
    path = tmp_path / "six.md"
    scenes = "\n\n".join(f"## Part {number}\nWords {number}." for number in SCENES)
    path.write_text(f"---\ntitle: Six\ncaptions: none\n---\n\n{scenes}\n")
    return path


def settings(tiny: Settings, **partial: bool) -> Settings:
    data = tiny.model_dump()
    data["features"]["graceful_degradation"]["enabled"] = False
    data["resilience"]["partial_success"].update(partial)
    return Settings.model_validate(data)


def executed(events: list[Event], stage: str) -> list[str]:
    return sorted(
        event.data["step"] for event in events if event.kind == "step_executed" and event.data["stage"] == stage
    )


def test_what_was_made_is_kept_and_only_what_failed_is_asked_again(
    make_pipeline: MakePipeline,
    six: Path,
    tmp_path: Path,
    tiny_settings: Settings,
    events: list[Event],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trouble = Trouble(monkeypatch, lambda request: request.index in BAD)
    given = settings(tiny_settings)
    result = make_pipeline(given).render(six, output=tmp_path / "out")
    assert (result.status, result.outputs) == ("failed", ())
    assert len(executed(events, "images")) == 4
    assert {scene for scene, calls in trouble.asked.items() if calls} == set(SCENES)
    trouble.lasts = False
    trouble.asked.clear()
    events.clear()
    assert make_pipeline(given).resume().status == "done"
    assert set(trouble.asked) == BAD
    assert len(executed(events, "images")) == 2
    assert executed(events, "speech") == []


def test_the_first_failure_stops_the_run_where_partial_success_is_off(
    make_pipeline: MakePipeline,
    six: Path,
    tmp_path: Path,
    tiny_settings: Settings,
    events: list[Event],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Trouble(monkeypatch, lambda request: request.index == 1)
    result = make_pipeline(settings(tiny_settings, enabled=False)).render(six, output=tmp_path / "out")
    assert result.status == "failed"
    assert len(executed(events, "images")) <= 2
    assert executed(events, "segment") == []


def test_the_whole_stage_of_what_failed_is_made_again_where_settings_say_so(
    make_pipeline: MakePipeline,
    tiny_brief: Path,
    tmp_path: Path,
    tiny_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trouble = Trouble(monkeypatch, lambda request: request.index == 2)
    given = settings(tiny_settings, retry_failed_only=False)
    make_pipeline(given).render(tiny_brief, output=tmp_path / "out")
    trouble.lasts = False
    trouble.asked.clear()
    result = make_pipeline(given).resume()
    assert result.status == "done"
    assert set(trouble.asked) == {1, 2, 3}
    assert "speak:hibari" not in result.attempts.by_provider


@pytest.mark.parametrize("partial", [True, False])
def test_settings_say_whether_finished_exports_are_delivered_though_another_failed(
    make_pipeline: MakePipeline,
    tiny_brief: Path,
    tmp_path: Path,
    tiny_settings: Settings,
    events: list[Event],
    monkeypatch: pytest.MonkeyPatch,
    partial: bool,
) -> None:
    trouble = Trouble(monkeypatch, lambda request: request.height > request.width and request.index == 2)
    given = settings(tiny_settings, return_partial_results=partial)
    result = make_pipeline(given).render(tiny_brief, exports=["youtube", "shorts"], output=tmp_path / "out")
    assert (result.status, result.exit_code) == ("failed", 1)
    wanted = ["youtube"] if partial else []
    assert [output.export for output in result.outputs] == wanted
    assert [event.data["export"] for event in events if event.kind == "output"] == wanted
    assert [path.name for path in (tmp_path / "out").glob("*.mp4")] == [f"small-{name}.mp4" for name in wanted]
    trouble.lasts = False
    again = make_pipeline(given).resume()
    assert [output.export for output in again.outputs] == ["youtube", "shorts"]
    if partial:
        assert again.outputs[0].sha256 == result.outputs[0].sha256


def test_a_job_reuses_what_stood_in_for_its_own_and_another_job_asks_again(
    make_pipeline: MakePipeline, tiny_brief: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble = Trouble(monkeypatch, lambda request: request.index == 2)
    first = make_pipeline().render(tiny_brief, output=tmp_path / "out")
    assert (first.status, first.exit_code) == ("degraded", 3)
    assert [(item.scene, item.got) for item in first.degradations] == [(2, "placeholder")]
    trouble.lasts = False
    trouble.asked.clear()
    again = make_pipeline().render(tiny_brief, output=tmp_path / "out")
    assert (again.status, trouble.asked) == ("degraded", {})
    assert again.outputs[0].sha256 == first.outputs[0].sha256
    elsewhere = make_pipeline().render(tiny_brief, output=tmp_path / "elsewhere")
    assert (elsewhere.status, trouble.asked) == ("done", {2: 1})


def test_restoring_quality_asks_for_what_stood_in(
    make_pipeline: MakePipeline, tiny_brief: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble = Trouble(monkeypatch, lambda request: request.index == 2)
    make_pipeline().render(tiny_brief, output=tmp_path / "out")
    trouble.lasts = False
    restored: Any = make_pipeline().render(tiny_brief, output=tmp_path / "out", restore_quality=True)
    assert (restored.status, restored.degradations) == ("done", ())
