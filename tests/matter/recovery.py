"""`PartialSuccess`, `StatePersistence`, `Checkpoints`: what a run leaves that did not reach its end, and what the next one does."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

from checkpoints.ledger.job_progress import saved_progress
from config.errors import RejectedError
from config.settings import Settings
from pipeline.engine import progress_saver
from pipeline.engine.run_services import saving as saved
from pipeline.events import Bus
from pipeline.planning.steps import Step
from stages.base import CancelToken
from stages.images.picture_provider import PictureRequest
from tests.conftest import Workbench
from tests.matter.case import Case, Lab
from tests.matter.paper import Paper

# The paper brief's, one for each scene.
_LINES = 3


def _refused(step: Step, _cancel: CancelToken) -> None:
    if step.scene == 1:
        raise RejectedError("the picture was refused")


def _tall_refused(step: Step, _cancel: CancelToken) -> None:
    if isinstance(step.work, PictureRequest) and step.work.height > step.work.width:
        raise RejectedError("the picture was refused")


def rendered_around_a_failure(settings: Settings, lab: Lab) -> int:
    """How many segments are made of a film of which one picture is refused."""
    paper = Paper(settings, lab)
    paper.on("images", _refused)
    assert paper.render().exit_code == 1
    return paper.made["segment"]


def delivered_beside_a_failure(settings: Settings, lab: Lab) -> list[str]:
    """Which exports are delivered when another one's pictures are refused."""
    paper = Paper(settings, lab, exports=("youtube", "shorts"))
    paper.on("images", _tall_refused)
    result = paper.render()
    assert result.exit_code == 1
    files = sorted(path.name for path in (lab.folder / "out").glob("*.mp4"))
    assert files == [f"three-{output.export}.mp4" for output in result.outputs]
    return files


def drawn_again(settings: Settings, lab: Lab) -> int:
    """How many pictures are drawn when a job is resumed of which one was refused."""
    paper = Paper(settings, lab)
    paper.on("images", _refused)
    assert paper.render().exit_code == 1
    paper.on("images", None)
    assert paper.resume().exit_code == 0
    return paper.made["images"]


def progress_is_known(settings: Settings, lab: Lab) -> bool:
    """Whether the ledger tells how far an interrupted run has come."""
    paper = Paper(settings, lab)
    job = paper.interrupted_at("segment").job_id
    return job in paper.ledger(saved_progress)


def saves_every(settings: Settings, lab: Lab) -> float:
    """The seconds that pass between two times at which a running job's progress is saved."""
    waits: list[float] = []
    asked = threading.Event()

    class Waits(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0.0)
            asked.set()
            return super().wait()

    given = SimpleNamespace(Event=Waits, Thread=threading.Thread, Lock=threading.Lock)
    lab.monkeypatch.setattr(progress_saver, "threading", given)
    bench = Workbench(lab.folder / "bench")
    with saved("job", bench.ledger, settings, Bus(lambda event: None)):
        assert asked.wait(10)
    bench.ledger.close()
    return waits[0]


def spoken_again(settings: Settings, lab: Lab) -> bool:
    """Whether lines are spoken a second time when the same brief is rendered again after an interruption."""
    paper = Paper(settings, lab)
    assert paper.interrupted_at("segment").exit_code == 130
    spoken = paper.made["speech"]
    assert paper.render().exit_code == 0
    return spoken + paper.made["speech"] > _LINES


def segments_kept(settings: Settings, lab: Lab) -> bool:
    """Whether a segment outlives the run that was interrupted when it was made."""
    paper = Paper(settings, lab)
    assert paper.interrupted_at("segment").exit_code == 130
    return paper.kept()["segment"] > 0


def has_long_segments(settings: Settings, lab: Lab) -> bool:
    """Whether any segment of a film is longer than a second."""
    paper = Paper(settings, lab)
    assert paper.render().exit_code == 0
    frames = [event.data["frames"] for event in paper.events if event.kind == "step_executed"]
    return max(frames) > settings.rendering.fps


def segments_made_again(settings: Settings, lab: Lab) -> bool:
    """Whether a resumed job encodes again what its last run has encoded."""
    paper = Paper(settings, lab)
    assert paper.interrupted_at("segment").exit_code == 130
    made = paper.made["segment"]
    assert paper.resume().exit_code == 0
    again = paper.made["segment"]
    paper.folder = paper.folder / "whole"
    assert paper.render().exit_code == 0
    return made + again > paper.made["segment"]


BARE: dict[str, Any] = {
    "Features": {"GracefulDegradation": {"Enabled": False}},
    "Rendering": {"Jobs": 1},
}

CASES: dict[str, Case] = {
    "Resilience.PartialSuccess.Enabled": Case((True, False), (3, 0), rendered_around_a_failure, BARE),
    "Resilience.PartialSuccess.ReturnPartialResults": Case(
        (True, False), (["three-youtube.mp4"], []), delivered_beside_a_failure, BARE
    ),
    "Resilience.PartialSuccess.RetryFailedOnly": Case((True, False), (1, 3), drawn_again, BARE),
    "Resilience.StatePersistence.Enabled": Case((True, False), (True, False), progress_is_known),
    "Resilience.StatePersistence.SaveInterval": Case((30, 5), (30, 5), saves_every),
    "Resilience.StatePersistence.AutoResume": Case((True, False), (False, True), spoken_again),
    "Rendering.Checkpoints.Enabled": Case((True, False), (True, False), segments_kept),
    "Rendering.Checkpoints.Interval": Case((60, 1), (True, False), has_long_segments),
    "Rendering.Checkpoints.ResumeFromCheckpoint": Case((True, False), (False, True), segments_made_again),
}
