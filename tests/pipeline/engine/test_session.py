"""One run from its lock to its report: what a caller may rely on however the run ends."""

from __future__ import annotations

import errno
import gc
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pipeline.engine.job_run
import pipeline.engine.step_executor
from checkpoints.ledger.ledger import Ledger
from config.errors import CheckFailedError, DiskFullError, OutOfMemoryError, StoreError, TransientError
from config.settings import Settings
from pipeline import Event, Pipeline, parse_brief
from pipeline.planning.steps import Step
from pipeline.planning.toolbox import Toolbox
from stages.models import Brief, ProviderChoice

MakePipeline = Callable[..., Pipeline]


def fail_in(monkeypatch: pytest.MonkeyPatch, when: Callable[[Step], BaseException | None]) -> None:
    """Let steps fail innermost: in place of their stage's work."""
    work = pipeline.engine.step_executor.perform

    def perform(step: Step, context: Any, toolbox: Any) -> Any:
        if error := when(step):
            raise error
        return work(step, context, toolbox)

    monkeypatch.setattr(pipeline.engine.step_executor, "perform", perform)


@pytest.fixture
def brief(tmp_path: Path) -> Brief:
    """One short spoken scene."""
    return parse_brief("---\ntitle: T\n---\n\n## One\nA lamp is lit.\n", format="md", base=tmp_path, name="small")


def test_the_last_event_of_a_stream_carries_the_result_even_when_all_was_done_before(
    make_pipeline: MakePipeline, brief: Brief, tmp_path: Path
) -> None:
    first = make_pipeline().render(brief, output=tmp_path / "out")
    events = list(make_pipeline().stream(brief, output=tmp_path / "out"))
    assert [event.kind for event in events] == ["output", "job_done"]
    assert events[-1].data["outputs"] == first.as_json()["outputs"]


def test_cancelling_a_pipeline_stops_its_stream(make_pipeline: MakePipeline, brief: Brief, tmp_path: Path) -> None:
    streaming = make_pipeline()
    kinds = []
    for event in streaming.stream(brief, output=tmp_path / "out"):
        kinds.append(event.kind)
        if event.kind == "step_started":
            streaming.cancel()
    assert kinds[-1] == "job_interrupted"
    assert streaming._cancel._callbacks == []


def test_a_stream_raises_what_render_raises(make_pipeline: MakePipeline, tmp_path: Path) -> None:
    with pytest.raises(pipeline.FramekeepError, match="missing"):
        next(iter(make_pipeline().stream(tmp_path / "missing.md", output=tmp_path / "out")))


def test_a_callback_that_raises_costs_no_render(
    brief: Brief, tmp_path: Path, tiny_settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(event: Event) -> None:
        if event.kind == "step_progress":
            raise KeyError("a slip of the caller's")

    with Pipeline(tiny_settings, home=tmp_path / "home", on_event=broken) as talking:
        result = talking.render(brief, output=tmp_path / "out")
    assert (result.status, result.attempts.failed) == ("done", 0)
    assert "a listener failed" in caplog.text


def test_changes_of_a_circuit_come_one_at_a_time_like_every_event(
    brief: Brief, tmp_path: Path, tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stages.speech.providers.hibari_provider import HibariProvider

    data = tiny_settings.model_dump()
    data["resilience"]["circuit_breaker"].update(failure_threshold=1, minimum_throughput=1)
    inside, overlaps, circuits = threading.Lock(), [], []

    def listen(event: Event) -> None:
        if not inside.acquire(blocking=False):
            overlaps.append(event)
            return
        if event.kind == "circuit":
            circuits.append(event.data["message"])
        inside.release()

    def speak(*_: object) -> Any:
        raise TransientError("down")

    monkeypatch.setattr(HibariProvider, "speak", speak)
    with Pipeline(Settings.model_validate(data), home=tmp_path / "home", on_event=listen) as talking:
        result = talking.render(brief, output=tmp_path / "out")
    assert result.status == "degraded"
    assert circuits[0] == "[Circuit Breaker] hibari-TTS: State changed to Open"
    assert overlaps == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "DISK_FULL"),
        (MemoryError(), "OUT_OF_MEMORY"),
        (PermissionError(errno.EACCES, "Permission denied", "/some/file"), "STORE_UNUSABLE"),
    ],
)
def test_what_the_system_runs_short_of_within_a_stage_ends_in_a_report(
    make_pipeline: MakePipeline,
    brief: Brief,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    code: str,
) -> None:
    fail_in(monkeypatch, lambda step: error if step.stage == "speech" else None)
    result = make_pipeline().render(brief, output=tmp_path / "out")
    assert result.error
    assert result.error.code == code
    assert make_pipeline().job(result.job_id).state == result.status


def test_memory_that_runs_out_in_this_process_steps_quality_down_too(
    make_pipeline: MakePipeline, brief: Brief, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_in(monkeypatch, lambda step: MemoryError() if "/high/" in step.id else None)
    result = make_pipeline().render(brief, output=tmp_path / "out")
    assert (result.status, result.outputs[0].quality) == ("degraded", "Medium")


def test_a_picture_that_is_changed_while_the_job_runs_is_not_kept_as_what_it_was(
    make_pipeline: MakePipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    photo = tmp_path / "photo.png"
    Image.new("RGB", (320, 180), "red").save(photo)
    red = photo.read_bytes()
    text = "---\ntitle: T\n---\n\n## One\n![x](photo.png)\nA lamp is lit.\n"
    brief = parse_brief(text, format="md", base=tmp_path, name="photo")

    def change(step: Step) -> None:
        if step.stage == "images":
            Image.new("RGB", (320, 180), "blue").save(photo)

    with monkeypatch.context() as patch:
        fail_in(patch, change)
        changed = make_pipeline().render(brief, output=tmp_path / "out")
    assert (changed.status, changed.exit_code) == ("failed", 2)
    assert changed.error
    assert "was changed while the job was running" in changed.error.message
    photo.write_bytes(red)
    again = make_pipeline().render(brief, output=tmp_path / "out")
    with Pipeline(make_pipeline().settings, home=tmp_path / "other") as other:
        assert other.render(brief, output=tmp_path / "out2").outputs[0].sha256 == again.outputs[0].sha256


def test_an_interrupt_in_a_script_leaves_an_interrupted_job(
    make_pipeline: MakePipeline, brief: Brief, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        fail_in(patch, lambda step: KeyboardInterrupt() if step.stage == "mix" else None)
        with pytest.raises(KeyboardInterrupt):
            make_pipeline().render(brief, output=tmp_path / "out")
    (row,) = make_pipeline().jobs()
    assert row.state == "interrupted"
    assert make_pipeline().resume().status == "done"


def test_a_fault_of_ours_in_one_brief_does_not_stop_the_batch(
    make_pipeline: MakePipeline, brief: Brief, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = brief.model_copy(update={"name": "other", "title": "Other"})
    with monkeypatch.context() as patch:
        titles = iter(["first"])
        fail_in(patch, lambda step: ZeroDivisionError("oops") if step.stage == "mux" and next(titles, "") else None)
        batch = make_pipeline().batch([brief, other], output=tmp_path / "out")
    assert [item.result.status for item in batch.items] == ["failed", "done"]
    assert batch.items[0].result.error
    assert batch.items[0].result.error.code == "INTERNAL"
    assert batch.exit_code == 4


def test_a_ledger_that_fails_at_the_very_end_is_a_result_and_not_an_exception(
    make_pipeline: MakePipeline, brief: Brief, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise DiskFullError("no space for the ledger")

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "keep_only_steps", refuse)
        result = make_pipeline().render(brief, output=tmp_path / "out")
    assert (result.status, result.exit_code) == ("parked", 75)
    assert make_pipeline().resume().steps.executed == 0


def test_a_video_that_cannot_be_delivered_again_is_a_result_and_not_an_exception(
    make_pipeline: MakePipeline, brief: Brief, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise StoreError("the folder is gone")

    first = make_pipeline().render(brief, output=tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.setattr(pipeline.engine.job_run, "deliver", refuse)
        failed = make_pipeline().render(brief, output=tmp_path / "out")
    assert (failed.job_id, failed.status) == (first.job_id, "failed")
    assert make_pipeline().resume().outputs == first.outputs


def test_quality_that_is_restored_from_what_another_job_made_stays_restored(
    make_pipeline: MakePipeline, brief: Brief, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        fail_in(patch, lambda step: OutOfMemoryError("no memory") if "/high/" in step.id else None)
        low = make_pipeline().render(brief, output=tmp_path / "out")
    assert low.outputs[0].quality == "Medium"
    make_pipeline().render(brief, output=tmp_path / "elsewhere")
    restored = make_pipeline().render(brief, output=tmp_path / "out", restore_quality=True)
    assert (restored.status, restored.steps.executed, restored.outputs[0].quality) == ("done", 0, "High")
    assert make_pipeline().job(restored.job_id).state == "done"
    again = make_pipeline().render(brief, output=tmp_path / "out")
    assert (again.status, again.outputs[0].quality) == ("done", "High")


def test_what_a_fallback_gave_is_reused_until_the_wanted_provider_is_insisted_on(
    make_pipeline: MakePipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stages.speech.providers.hibari_provider import HibariProvider

    def speak(*_: object) -> Any:
        raise TransientError("down")

    text = "---\ntitle: T\n---\n\n## One\nThe same words.\n\n## Two\nThe same words.\n"
    chosen = {"providers": ProviderChoice(speech=("hibari", "text"))}
    brief = parse_brief(text, format="md", base=tmp_path, name="twice").model_copy(update=chosen)
    with monkeypatch.context() as patch:
        patch.setattr(HibariProvider, "speak", speak)
        silent = make_pipeline().render(brief, output=tmp_path / "out")
        still = make_pipeline().render(brief, output=tmp_path / "out", restore_quality=True)
    assert [(item.wanted, item.got, item.scene) for item in silent.degradations] == [
        ("hibari", "text", 1),
        ("hibari", "text", 2),
    ]
    assert (still.status, still.steps.executed) == ("degraded", 1)
    reused = make_pipeline().render(brief, output=tmp_path / "out")
    assert (reused.status, reused.exit_code, reused.steps.executed) == ("degraded", 3, 0)
    assert reused.degradations == silent.degradations
    spoken = make_pipeline().render(brief, output=tmp_path / "out", restore_quality=True)
    assert (spoken.status, spoken.degradations) == ("done", ())
    assert make_pipeline().render(brief, output=tmp_path / "out").status == "done"


@pytest.mark.parametrize("operation", ["mix", "mux"])
def test_the_stall_limit_of_the_settings_holds_for_every_use_of_ffmpeg(
    brief: Brief, tmp_path: Path, tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    import stages.render.audio.loudness
    import stages.render.audio.mix
    import stages.render.output.check
    import stages.render.output.join

    data = tiny_settings.model_dump()
    data["rendering"]["stall_timeout_s"] = 7
    seen: dict[str, set[float]] = {"mix": set(), "mux": set()}
    places = {
        "mix": (stages.render.audio.mix, stages.render.audio.loudness),
        "mux": (stages.render.output.join, stages.render.output.check),
    }
    for module in places[operation]:
        work = module.run_ffmpeg

        def watched(arguments: Any, run: Any, *rest: Any, work: Any = work) -> str:
            seen[operation].add(run.stall_timeout_s)
            return str(work(arguments, run, *rest))

        monkeypatch.setattr(module, "run_ffmpeg", watched)
    with Pipeline(Settings.model_validate(data), home=tmp_path / "home") as patient:
        assert patient.render(brief, output=tmp_path / "out").status == "done"
    assert seen[operation] == {7}


def test_going_back_to_a_finished_brief_closes_the_unfinished_edit(
    make_pipeline: MakePipeline, brief: Brief, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_pipeline().render(brief, output=tmp_path / "out")
    edited = brief.model_copy(update={"title": "Another"})
    with monkeypatch.context() as patch:
        fail_in(patch, lambda step: CheckFailedError("broken") if step.stage == "images" else None)
        job = make_pipeline().render(edited, output=tmp_path / "out").job_id
    make_pipeline().render(brief, output=tmp_path / "out")
    assert make_pipeline().job(job).state == "superseded"


def test_a_job_of_another_version_stands_in_nobodys_way(
    make_pipeline: MakePipeline, brief: Brief, tmp_path: Path
) -> None:
    make_pipeline().home.ledger.put_job("old", "Old", {}, {"exports": ["youtube"], "frills": True})
    assert make_pipeline().render(brief, output=tmp_path / "out").status == "done"
    (old,) = make_pipeline().resume_all()
    assert (old.job_id, old.status, old.exit_code) == ("old", "failed", 2)


def test_a_run_lets_go_of_its_toolbox(brief: Brief, tiny_settings: Settings) -> None:
    toolbox = Toolbox(brief, tiny_settings)
    assert toolbox.painters() is toolbox.painters()
    gone = weakref.ref(toolbox)
    del toolbox
    gc.collect()
    assert gone() is None
