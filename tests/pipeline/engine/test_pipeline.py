"""The whole way: a brief becomes videos, once; what is there is reused, what is damaged is made again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

import pipeline.engine.step_executor
from checkpoints.ownership.locks import job_lock
from config.errors import BriefError, BusyError, OutOfMemoryError, TransientError, UsageError
from config.settings import Settings
from pipeline import Event, Pipeline, parse_brief
from pipeline.planning.steps import Step

MakePipeline = Callable[..., Pipeline]


def executed(events: list[Event]) -> list[str]:
    return sorted(event.data["step"] for event in events if event.kind == "step_executed")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fail_in(monkeypatch: pytest.MonkeyPatch, when: Callable[[Step], Exception | None]) -> None:
    """Let steps fail innermost: in place of their stage's work."""
    work = pipeline.engine.step_executor.perform

    def perform(step: Step, context: Any, toolbox: Any) -> Any:
        if error := when(step):
            raise error
        return work(step, context, toolbox)

    monkeypatch.setattr(pipeline.engine.step_executor, "perform", perform)


@pytest.fixture(scope="module")
def shared_cache() -> dict[str, Any]:
    return {}


def test_a_brief_becomes_a_checked_video_with_captions_beside_it(
    make_pipeline: MakePipeline, tiny_brief: Path, tmp_path: Path, events: list[Event]
) -> None:
    result = make_pipeline().render(tiny_brief, output=tmp_path / "out")
    assert (result.status, result.exit_code, result.error) == ("done", 0, None)
    (output,) = result.outputs
    assert output.path == tmp_path / "out" / "small-youtube.mp4"
    assert (output.width, output.height, output.fps, output.quality) == (320, 180, 24, "High")
    assert output.sha256 == sha256(output.path)
    assert output.duration_s == pytest.approx(output.frames / 24)
    assert "A lamp is lit." in output.sidecars["srt"].read_text()
    assert output.sidecars["vtt"].read_text().startswith("WEBVTT")
    assert output.sidecars["chapters.txt"].read_text() == "0:00 A small light\n"
    with Image.open(output.sidecars["poster.jpg"]) as poster:
        assert poster.size == (output.width, output.height)
    with av.open(str(output.path)) as container:
        assert [chapter["metadata"]["title"] for chapter in container.chapters()] == ["One", "Two", "Three"]
    assert result.steps.executed == len(executed(events))
    assert result.steps.reused == 0
    json.dumps(result.as_json())


def test_the_same_brief_again_does_nothing(
    make_pipeline: MakePipeline, tiny_brief: Path, tmp_path: Path, events: list[Event]
) -> None:
    first = make_pipeline().render(tiny_brief, output=tmp_path / "out")
    events.clear()
    again = make_pipeline().render(tiny_brief, output=tmp_path / "out")
    assert (again.status, again.job_id) == ("done", first.job_id)
    assert again.outputs == first.outputs
    assert (again.steps.executed, again.steps.reused) == (0, first.steps.executed)
    assert executed(events) == []


def test_a_video_that_was_deleted_is_delivered_again_without_any_work(
    make_pipeline: MakePipeline, tiny_brief: Path, tmp_path: Path
) -> None:
    first = make_pipeline().render(tiny_brief, output=tmp_path / "out")
    first.outputs[0].path.unlink()
    again = make_pipeline().render(tiny_brief, output=tmp_path / "out")
    assert again.steps.executed == 0
    assert sha256(again.outputs[0].path) == first.outputs[0].sha256


def test_another_home_makes_the_same_bytes(
    make_pipeline: MakePipeline, tiny_brief: Path, tmp_path: Path, tiny_settings: Settings
) -> None:
    first = make_pipeline().render(tiny_brief, output=tmp_path / "out")
    one_at_a_time = tiny_settings.model_copy(
        update={"rendering": tiny_settings.rendering.model_copy(update={"jobs": 1})}
    )
    with Pipeline(one_at_a_time, home=tmp_path / "other") as other:
        second = other.render(tiny_brief, output=tmp_path / "elsewhere")
    assert second.steps.reused == 0
    assert second.outputs[0].sha256 == first.outputs[0].sha256


def test_an_edited_scene_is_the_only_one_made_again(
    make_pipeline: MakePipeline, tiny_brief: Path, tmp_path: Path, events: list[Event]
) -> None:
    make_pipeline().render(tiny_brief, output=tmp_path / "out")
    tiny_brief.write_text(tiny_brief.read_text().replace("They come home.", "They all come home."))
    events.clear()
    result = make_pipeline().render(tiny_brief, output=tmp_path / "out")
    assert result.status == "done"
    assert executed(events) == [
        "images/0003/16:9",
        "mix",
        "mux/youtube/high",
        "segment/youtube/high/0003/00",
        "segment/youtube/high/0003/01",
        "speech/0003/01",
    ]


def test_what_a_brief_holds_and_the_film_does_not_is_told_in_every_run(
    make_pipeline: MakePipeline, tiny_brief: Path, tmp_path: Path, events: list[Event]
) -> None:
    tiny_brief.write_text(tiny_brief.read_text() + "\nIt is ~~out~~ lit.\n")
    line = tiny_brief.read_text().count("\n")
    told = f"{tiny_brief}:{line}: not spoken: struck-out text: out"
    pipeline = make_pipeline()
    first = pipeline.render(tiny_brief, output=tmp_path / "out")
    assert [event.data["message"] for event in events if event.kind == "warning"] == [told]
    again = pipeline.render(tiny_brief, output=tmp_path / "out")
    resumed = pipeline.resume(first.job_id)
    assert first.warnings == again.warnings == resumed.warnings == (told,)
    assert first.as_json()["warnings"] == [told]
    noted = [event.data["message"] for event in pipeline.home.ledger.events(first.job_id) if event.kind == "warning"]
    assert noted == [told]


def test_exports_share_script_and_speech(
    make_pipeline: MakePipeline, tiny_brief: Path, tmp_path: Path, events: list[Event]
) -> None:
    result = make_pipeline().render(tiny_brief, exports=["youtube", "shorts"], output=tmp_path / "out")
    assert [(output.export, output.width, output.height) for output in result.outputs] == [
        ("youtube", 320, 180),
        ("shorts", 180, 320),
    ]
    stages = [name.split("/")[0] for name in executed(events)]
    assert stages.count("speech") == 3
    assert stages.count("mix") == 1
    events.clear()
    alone = make_pipeline().render(tiny_brief, exports=["shorts"], output=tmp_path / "out")
    assert alone.steps.executed == 0


@pytest.mark.parametrize("stage", ["speech", "segment", "mix", "mux"])
@pytest.mark.parametrize("damage", ["truncated", "altered", "missing"])
def test_a_damaged_artifact_is_found_and_made_again(
    make_pipeline: MakePipeline, tiny_brief: Path, tmp_path: Path, events: list[Event], stage: str, damage: str
) -> None:
    first = make_pipeline().render(tiny_brief, output=tmp_path / "out")
    store = make_pipeline().home.store
    victim = next(record for record in store.records() if record.stage == stage)
    artifact = next(iter(victim.artifacts.values()))
    path = store.path(artifact.digest)
    data = bytearray(path.read_bytes())
    path.unlink()
    data[len(data) // 2] ^= 0x10
    if damage != "missing":
        path.write_bytes(data if damage == "altered" else data[:-7])
    final = next(record for record in store.records() if record.stage == "mux")
    store.discard(final.artifacts["video"].digest)
    first.outputs[0].path.unlink()
    events.clear()
    again = make_pipeline().render(tiny_brief, output=tmp_path / "out")
    assert again.status == "done"
    assert again.outputs[0].sha256 == first.outputs[0].sha256 == sha256(again.outputs[0].path)
    repaired = {event.data["stage"] for event in events if event.kind == "repaired"}
    assert repaired == {stage, "mux"}
    assert again.steps.executed == len(executed(events)) == len({stage, "mux"})


def test_memory_running_out_steps_the_export_down_one_level_and_says_so(
    make_pipeline: MakePipeline,
    tiny_brief: Path,
    tmp_path: Path,
    events: list[Event],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        fail_in(patch, lambda step: OutOfMemoryError("no memory left") if step.id.endswith("high/0002/01") else None)
        result = make_pipeline().render(tiny_brief, output=tmp_path / "out")
    assert (result.status, result.exit_code) == ("degraded", 3)
    (output,) = result.outputs
    assert (output.quality, output.width, output.height) == ("Medium", 192, 108)
    (degradation,) = result.degradations
    assert (degradation.stage, degradation.wanted, degradation.got) == ("render", "High", "Medium")
    assert "no memory left" in degradation.reason
    speech = [name for name in executed(events) if name.startswith("speech")]
    assert len(speech) == len(set(speech)) == 3

    again = make_pipeline().render(tiny_brief, output=tmp_path / "out")
    assert (again.status, again.steps.executed) == ("degraded", 0)
    assert again.degradations == result.degradations
    restored = make_pipeline().render(tiny_brief, output=tmp_path / "out", restore_quality=True)
    assert (restored.status, restored.outputs[0].quality) == ("done", "High")
    assert restored.degradations == ()


def test_no_memory_even_at_the_lowest_level_parks_the_job(
    make_pipeline: MakePipeline, tiny_brief: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        fail_in(patch, lambda step: OutOfMemoryError("no memory left") if step.stage == "segment" else None)
        result = make_pipeline().render(tiny_brief, output=tmp_path / "out")
    assert (result.status, result.exit_code) == ("parked", 75)
    assert result.error
    assert result.error.code == "OUT_OF_MEMORY"
    assert result.error.hint.endswith(f"framekeep resume {result.job_id}")


def test_a_failed_job_is_resumed_and_reuses_what_was_made(
    make_pipeline: MakePipeline, tiny_brief: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        fail_in(patch, lambda step: TransientError("broken pipe") if step.stage == "mix" else None)
        failed = make_pipeline().render(tiny_brief, output=tmp_path / "out")
    assert (failed.status, failed.exit_code) == ("failed", 1)
    assert failed.error
    assert failed.error.message == "broken pipe"
    resumed = make_pipeline().resume()
    assert (resumed.job_id, resumed.status) == (failed.job_id, "done")
    assert resumed.steps.reused >= failed.steps.executed > 0


def test_cancelling_leaves_a_job_that_resumes_to_the_same_bytes(
    make_pipeline: MakePipeline, tiny_brief: Path, tmp_path: Path, tiny_settings: Settings
) -> None:
    def stop(event: Event) -> None:
        if event.kind == "step_executed" and event.data["stage"] == "segment":
            stopping.cancel()

    stopping = Pipeline(tiny_settings, home=tmp_path / "home", on_event=stop)
    with stopping:
        stopped = stopping.render(tiny_brief, output=tmp_path / "out")
    assert (stopped.status, stopped.exit_code) == ("interrupted", 130)
    resumed = make_pipeline().resume(stopped.job_id)
    assert resumed.status == "done"
    assert resumed.steps.reused == stopped.steps.executed
    with Pipeline(tiny_settings, home=tmp_path / "fresh") as fresh:
        undisturbed = fresh.render(tiny_brief, output=tmp_path / "fresh-out")
    assert resumed.outputs[0].sha256 == undisturbed.outputs[0].sha256
    assert resumed.steps.executed + resumed.steps.reused == undisturbed.steps.executed


def test_events_come_as_an_iterator_and_end_with_the_result(
    tiny_brief: Path, tmp_path: Path, tiny_settings: Settings
) -> None:
    with Pipeline(tiny_settings, home=tmp_path / "home") as pipeline:
        kinds = []
        for event in pipeline.stream(tiny_brief, output=tmp_path / "out"):
            kinds.append(event.kind)
            last = event
    assert kinds[0] == "job_started"
    assert last.kind == "job_done"
    assert last.data["status"] == "done"
    assert {"planned", "step_started", "step_progress", "attempt", "step_executed", "output"} <= set(kinds)


def test_leaving_the_iterator_stops_the_run(tiny_brief: Path, tmp_path: Path, tiny_settings: Settings) -> None:
    with Pipeline(tiny_settings, home=tmp_path / "home") as pipeline:
        for event in pipeline.stream(tiny_brief, output=tmp_path / "out"):
            if event.kind == "step_started":
                break
        (row,) = pipeline.jobs()
        assert row.state == "interrupted"


def test_a_second_run_of_the_same_job_is_told_who_has_it(
    make_pipeline: MakePipeline, tiny_brief: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_pipeline()
    with monkeypatch.context() as patch:
        fail_in(patch, lambda step: TransientError("down"))
        job = first.render(tiny_brief, output=tmp_path / "out").job_id
    with job_lock(first.home.locks, job), pytest.raises(BusyError, match=r"being worked on by process \d+"):
        make_pipeline().resume(job)


def test_an_edited_brief_takes_the_place_of_its_unfinished_job(
    make_pipeline: MakePipeline, tiny_brief: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        fail_in(patch, lambda step: TransientError("down"))
        old = make_pipeline().render(tiny_brief, output=tmp_path / "out").job_id
    tiny_brief.write_text(tiny_brief.read_text().replace("home", "ashore"))
    new = make_pipeline().render(tiny_brief, output=tmp_path / "out")
    states = {row.id: row.state for row in make_pipeline().jobs()}
    assert states == {old: "superseded", new.job_id: "done"}
    with pytest.raises(UsageError, match="No job waits to be resumed"):
        make_pipeline().resume()


def test_another_brief_of_the_same_name_does_not_overwrite_the_videos(
    make_pipeline: MakePipeline, tiny_brief: Path, tmp_path: Path
) -> None:
    first = make_pipeline().render(tiny_brief, output=tmp_path / "out")
    twin = tmp_path / "other" / tiny_brief.name
    twin.parent.mkdir()
    twin.write_text(tiny_brief.read_text().replace("home", "ashore"))
    with pytest.raises(UsageError, match="are those of another brief") as caught:
        make_pipeline().render(twin, output=tmp_path / "out")
    assert str(tiny_brief.with_suffix("")) in caught.value.message
    assert sha256(first.outputs[0].path) == first.outputs[0].sha256
    moved = tmp_path / "moved" / tiny_brief.name
    moved.parent.mkdir()
    tiny_brief.rename(moved)
    assert make_pipeline().render(moved, output=tmp_path / "out").steps.executed == 0


def test_a_job_that_runs_out_of_time_parks_and_goes_on_from_there(
    make_pipeline: MakePipeline, tiny_brief: Path, tmp_path: Path, tiny_settings: Settings
) -> None:
    hurried = tiny_settings.model_copy(update={"timeouts": tiny_settings.timeouts.model_copy(update={"job_ms": 1})})
    result = make_pipeline(hurried).render(tiny_brief, output=tmp_path / "out")
    assert (result.status, result.exit_code) == ("parked", 75)
    assert result.error
    assert result.error.code == "JOB_TIMEOUT"
    assert "a longer limit: Timeouts.Job " in result.error.hint
    own = tiny_settings.rendering.model_copy(update={"job_timeout_ms": 1})
    result = make_pipeline(tiny_settings.model_copy(update={"rendering": own})).resume()
    assert result.error
    assert "a longer limit: Rendering.JobTimeout " in result.error.hint, "the setting that was set, not the usual one"
    assert make_pipeline().resume().status == "done"


def test_a_batch_goes_on_after_one_that_fails(make_pipeline: MakePipeline, tiny_brief: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.md"
    bad.write_text("---\ntitle: Bad\nvoice: nobody-has-this-voice\n---\n\n## One\nHello there.\n")
    batch = make_pipeline().batch([bad, tmp_path / "missing.md", tiny_brief], output=tmp_path / "out")
    assert [item.result.status for item in batch.items] == ["failed", "failed", "done"]
    assert batch.exit_code == 4
    assert batch.as_json()["counts"] == {"done": 1, "failed": 2}


def test_briefs_of_the_same_name_do_not_overwrite_each_other(
    make_pipeline: MakePipeline, tiny_brief: Path, tmp_path: Path
) -> None:
    twin = tmp_path / "other" / tiny_brief.name
    twin.parent.mkdir()
    twin.write_text(tiny_brief.read_text().replace("They come home.", "They go on."))
    batch = make_pipeline().batch([tiny_brief, twin], output=tmp_path / "out")
    paths = {item.result.outputs[0].path for item in batch.items}
    assert len(paths) == 2
    assert batch.exit_code == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"exports": ["cinema"]}, "Unknown export: cinema"),
        ({"quality": "ultra"}, "There is no quality level 'ultra'"),
    ],
)
def test_what_no_setting_knows_is_refused_before_any_work(
    make_pipeline: MakePipeline, tiny_brief: Path, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        make_pipeline().render(tiny_brief, output=tmp_path / "out", **options)
    assert make_pipeline().jobs() == []


def test_an_output_folder_that_cannot_be_written_is_refused_before_any_work(
    make_pipeline: MakePipeline, tiny_brief: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="Cannot write into the output folder"):
        make_pipeline().render(tiny_brief, output=tmp_path / "file" / "out")
    assert make_pipeline().jobs() == []


def test_a_picture_that_is_none_is_refused_before_any_work(make_pipeline: MakePipeline, tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not a picture")
    brief = tmp_path / "brief.md"
    brief.write_text("---\ntitle: T\n---\n\n## One\n![x](broken.jpg)\nHello there.\n")
    with pytest.raises(BriefError, match=r"brief, line \d+: scene 1: .*broken\.jpg"):
        make_pipeline().render(brief, output=tmp_path / "out")


def test_music_that_is_none_is_refused_before_any_work(make_pipeline: MakePipeline, tmp_path: Path) -> None:
    (tmp_path / "music.mp3").write_bytes(b"ID3 no music at all")
    brief = tmp_path / "brief.md"
    brief.write_text("---\ntitle: T\nmusic: music.mp3\n---\n\n## One\nHello there.\n")
    with pytest.raises(BriefError, match=r"The music .*music\.mp3 cannot be used"):
        make_pipeline().render(brief, output=tmp_path / "out")


def test_a_chinese_brief_is_told_what_is_missing(make_pipeline: MakePipeline, tmp_path: Path) -> None:
    brief = parse_brief(
        "---\ntitle: 灯塔\nlanguage: zh\n---\n\n## 一\n灯塔照亮大海。\n", format="md", base=tmp_path, name="zh"
    )
    with pytest.raises(UsageError) as caught:
        make_pipeline().render(brief, output=tmp_path / "out")
    assert "zh" in caught.value.message
    assert caught.value.hint


def test_a_full_disk_parks_the_job_before_it_starts(
    make_pipeline: MakePipeline, tiny_brief: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = make_pipeline()
    monkeypatch.setattr(type(pipeline.home.store), "free_bytes", lambda self: 1_000_000)
    result = pipeline.render(tiny_brief, output=tmp_path / "out")
    assert (result.status, result.exit_code) == ("parked", 75)
    assert result.error
    assert result.error.code == "DISK_FULL"
    assert "1 MB are free" in result.error.message


def test_a_folder_of_pictures_is_spread_over_the_scenes(
    make_pipeline: MakePipeline, tiny_brief: Path, tmp_path: Path, events: list[Event]
) -> None:
    from PIL import Image

    (tmp_path / "photos").mkdir()
    for number, colour in enumerate(["red", "green"], 1):
        Image.new("RGB", (320, 180), colour).save(tmp_path / "photos" / f"{number}.png")
    tiny_brief.write_text(tiny_brief.read_text().replace("seed: 3", "seed: 3\npictures: photos/"))
    result = make_pipeline().render(tiny_brief, output=tmp_path / "out")
    assert result.status == "done"
    drawn = [
        event.data["step"] for event in events if event.kind == "step_executed" and event.data["provider"] == "card"
    ]
    assert len(drawn) == 1
    (tmp_path / "photos" / "1.png").write_bytes(b"no picture")
    with pytest.raises(BriefError, match=r"small: pictures: .*1\.png"):
        make_pipeline().render(tiny_brief, output=tmp_path / "out")


def test_a_provider_that_is_down_parks_the_job_where_nothing_may_stand_in(
    make_pipeline: MakePipeline,
    tiny_brief: Path,
    tmp_path: Path,
    tiny_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from stages.images.cards.card_provider import CardProvider

    data = tiny_settings.model_dump()
    data["features"]["graceful_degradation"]["enabled"] = False
    data["resilience"]["circuit_breaker"]["enabled"] = False
    strict = Settings.model_validate(data)

    def draw(*_: object) -> Path:
        raise TransientError("the service is down", provider="card")

    with monkeypatch.context() as patch:
        patch.setattr(CardProvider, "draw", draw)
        result = make_pipeline(strict).render(tiny_brief, output=tmp_path / "out")
    assert (result.status, result.exit_code) == ("parked", 75)
    assert result.error
    assert result.error.code == "RETRY_EXHAUSTED"
    assert make_pipeline().resume().status == "done"


def test_equal_lines_are_spoken_once(make_pipeline: MakePipeline, tmp_path: Path, events: list[Event]) -> None:
    scenes = "\n\n".join(f"## {name}\nThe same words." for name in ("One", "Two", "Three"))
    brief = parse_brief(f"---\ntitle: T\n---\n\n{scenes}\n", format="md", base=tmp_path, name="same")
    result = make_pipeline().render(brief, output=tmp_path / "out")
    assert result.status == "done"
    assert result.attempts.by_provider["speak:hibari"] == 1
    assert len([event for event in events if event.kind == "step_reused"]) == result.steps.reused == 2
