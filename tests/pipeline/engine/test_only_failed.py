"""`--only-failed` and `resume --all`: what failed, is parked or degraded is run again, and nothing else is touched."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import pipeline.engine.step_executor
from checkpoints.ledger.refusals import Refusals
from checkpoints.ownership.locks import job_lock
from config.errors import BusyError, CheckFailedError, FramekeepError, TransientError
from config.settings import Settings
from pipeline import BatchResult, Event, Pipeline
from pipeline.cli.app import main
from tests.conftest import TINY

SETTINGS = Settings.model_validate(TINY)
AT_FIRST = {"broken": "failed", "cut": "interrupted", "done": "done", "later": "parked", "silent": "degraded"}


def write(folder: Path, name: str, heading: str = "One", number: str = "One") -> Path:
    path = folder / f"{name}.md"
    path.write_text(
        f"---\ntitle: {name}\nproviders: {{speech: [hibari, text]}}\n---\n\n## {heading}\n![](one.png)\n{number} {name} lamp.\n"
    )
    return path


def work_badly(patch: pytest.MonkeyPatch) -> None:
    """One brief's pictures are wrong, one's sound has to wait, one's voice is down."""
    from stages.speech.providers.hibari_provider import HibariProvider

    work, speak = pipeline.engine.step_executor.perform, HibariProvider.speak
    errors: dict[tuple[str, str], Callable[[], FramekeepError]] = {
        ("broken", "segment"): lambda: CheckFailedError("wrong picture"),
        ("later", "mix"): lambda: BusyError("come back later"),
    }

    def perform(step: Any, context: Any, toolbox: Any) -> Any:
        if error := errors.get((toolbox._brief.name, step.stage)):
            raise error()
        return work(step, context, toolbox)

    def mute(self: HibariProvider, request: Any, *rest: Any) -> Any:
        if "silent" in request.text:
            raise TransientError("down")
        return speak(self, request, *rest)

    patch.setattr(pipeline.engine.step_executor, "perform", perform)
    patch.setattr(HibariProvider, "speak", mute)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, BatchResult]:
    """A folder of briefs, each in another state, and one that is no brief; what their batch gave."""
    root = tmp_path_factory.mktemp("desk")
    Image.new("RGB", (320, 180), "navy").save(root / "one.png")
    for name in AT_FIRST:
        write(root, name)
    (root / "refused.md").write_text("---\ntitel: T\n---\n\n## One\n![](one.png)\nA lamp.\n")
    with pytest.MonkeyPatch.context() as patch, Pipeline(SETTINGS, home=root / "home") as first:
        work_badly(patch)
        result = first.batch([path for path in sorted(root.glob("*.md")) if path.stem != "cut"], output=root / "out")
    with Pipeline(SETTINGS, home=root / "home", on_event=lambda _: second.cancel()) as second:
        second.render(root / "cut.md", output=root / "out")
    return root, result


class Desk:
    """A copy of that folder's home, where all works again."""

    def __init__(self, root: Path, home: Path) -> None:
        self.root = root
        self.executed: dict[str, list[str]] = {}
        self.pipeline = Pipeline(SETTINGS, home=home, on_event=self._note)

    def _note(self, event: Event) -> None:
        if event.kind == "step_executed":
            self.executed.setdefault(event.job_id.partition("-")[0], []).append(event.data["stage"])

    def states(self) -> dict[str, str]:
        return {str(row.brief["name"]): row.state for row in self.pipeline.jobs() if row.state != "superseded"}


@pytest.fixture
def desk(first: tuple[Path, BatchResult], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FRAMEKEEP_HOME", str(tmp_path / "home"))
    shutil.copytree(first[0] / "home", tmp_path / "home")
    made = Desk(first[0], tmp_path / "home")
    yield made
    made.pipeline.close()


def results(batch: BatchResult) -> dict[str, str]:
    return {Path(item.brief).stem.partition("-")[0]: item.result.status for item in batch.items}


def test_of_all_jobs_only_what_failed_is_parked_or_degraded_or_was_refused_is_run_again(
    desk: Desk, first: tuple[Path, BatchResult]
) -> None:
    assert results(first[1]) == {key: state for key, state in AT_FIRST.items() if key != "cut"} | {"refused": "failed"}
    assert desk.states() == AT_FIRST
    batch = desk.pipeline.retry_failed()
    assert results(batch) == {"broken": "done", "later": "done", "silent": "done", "refused": "failed"}
    assert desk.states() == dict.fromkeys(AT_FIRST, "done") | {"cut": "interrupted"}
    assert batch.exit_code == 4
    # What was made is kept; of the degraded job, what hangs on the voice is made again.
    assert set(desk.executed) == {"broken", "later", "silent"}
    assert "speech" not in desk.executed["broken"] + desk.executed["later"]
    assert desk.executed["silent"].count("speech") == 1
    assert results(desk.pipeline.retry_failed()) == {"refused": "failed"}


def test_of_named_briefs_only_those_and_the_corrected_text_counts(desk: Desk) -> None:
    refused = desk.root / "refused.md"
    kept = refused.read_text()
    named = [refused, desk.root / "broken.md", desk.root / "done.md", desk.root / "cut.md", desk.root / "new.md"]
    try:
        refused.write_text(kept.replace("titel", "title"))
        write(desk.root, "broken", heading="Another")
        batch = desk.pipeline.retry_failed(named)
    finally:
        refused.write_text(kept)
        write(desk.root, "broken")
    assert results(batch) == {"broken": "done", "refused": "done"}
    assert (batch.untouched, batch.exit_code) == (3, 0)
    assert desk.states() == AT_FIRST | {"broken": "done", "refused": "done"}
    assert Refusals(desk.pipeline.home.ledger).all() == []
    assert results(desk.pipeline.retry_failed(named)) == {}


def test_a_brief_that_is_rendered_at_last_is_no_longer_refused(desk: Desk) -> None:
    path = desk.root / "refused.md"
    kept = path.read_text()
    assert [Path(one.source).name for one in Refusals(desk.pipeline.home.ledger).all()] == ["refused"]
    try:
        path.write_text(kept.replace("titel", "title"))
        desk.pipeline.render(path, output=desk.root / "out")
    finally:
        path.write_text(kept)
    assert Refusals(desk.pipeline.home.ledger).all() == []


def test_exports_and_the_folder_say_which_jobs_are_meant(desk: Desk, tmp_path: Path) -> None:
    assert results(desk.pipeline.retry_failed(exports=["shorts"], output=desk.root / "out")) == {"refused": "failed"}
    assert results(desk.pipeline.retry_failed(output=tmp_path / "elsewhere")) == {}
    assert results(desk.pipeline.retry_failed([desk.root / "later.md"], exports=["youtube"])) == {"later": "done"}


def test_a_job_whose_videos_a_later_one_has_written_is_not_run_again(desk: Desk) -> None:
    try:
        write(desk.root, "silent", number="Another")
        desk.pipeline.render(desk.root / "silent.md", output=desk.root / "out")
        again = [item.brief for item in desk.pipeline.retry_failed(exports=["youtube"], output=desk.root / "out").items]
    finally:
        write(desk.root, "silent")
    assert not any("silent" in name for name in again)


def test_a_job_that_somebody_works_on_is_left_to_them(desk: Desk) -> None:
    (broken,) = (row for row in desk.pipeline.jobs() if row.state == "failed")
    with job_lock(desk.pipeline.home.locks, broken.id):
        waiting = {row.id for row in desk.pipeline.jobs() if row.state in ("interrupted", "parked")}
        assert {result.job_id for result in desk.pipeline.resume_all()} == waiting
        (item,) = desk.pipeline.retry_failed([desk.root / "broken.md"]).items
    assert (item.result.status, item.result.error and item.result.error.code) == ("parked", "JOB_BUSY")


def test_the_commands_take_it_with_and_without_briefs(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.pipeline.close()
    Path("framekeep.json").write_text(json.dumps({"Rendering": {"Fps": 24, "Preset": "superfast"}}))
    assert main(["batch", str(desk.root / "done.md"), "--only-failed"]) == 0
    assert "Nothing has failed, is parked or degraded" in capsys.readouterr().err
    assert main(["render", "--only-failed", str(desk.root / "done.md"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"jobs": [], "counts": {}, "untouched": 1}
    assert main(["render", "--only-failed", "--quality", "low"]) == 2
    assert "as they were asked for" in capsys.readouterr().err
    assert main(["render"]) == 2
    assert "render needs a brief" in capsys.readouterr().err
    assert main(["batch"]) == 2
    assert "batch needs a brief" in capsys.readouterr().err
    # The settings here are not those of the first run, so its picture of 320 × 180 would be too large a work for a test.
    assert main(["batch", "--only-failed", "--json", "--out", str(desk.root / "nowhere")]) == 0
    assert json.loads(capsys.readouterr().out)["jobs"] == []
