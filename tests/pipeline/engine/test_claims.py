"""Two editions of one brief that are rendered at the same time write the same files: the newer one's stay."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest

from config.settings import Settings
from pipeline import Event, Pipeline
from pipeline.report import Result

EDITION = "---\ntitle: A small light\nseed: 3\ntransition: cut\n---\n\n## One\n{text}\n"


class Desk:
    """A brief that is edited, and rendered again, while a run of it goes on."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder, self.settings = folder, settings
        self.brief = folder / "small.md"
        self.meanwhile: Result | None = None

    def render(self, text: str, at: str = "", then: str = "") -> Result:
        """Render an edition; at the first event that begins like `at`, render another one to its end."""

        def hear(event: Event) -> None:
            if at and f"{event.kind} {event.data.get('step')}".startswith(at) and self.meanwhile is None:
                # On another thread: to this one, the run that it interrupts stands still.
                thread = threading.Thread(target=lambda: setattr(self, "meanwhile", self.render(then)))
                thread.start()
                thread.join()

        self.brief.write_text(EDITION.format(text=text))
        with Pipeline(self.settings, home=self.folder / "home", on_event=hear) as pipeline:
            return pipeline.render(self.brief, output=self.folder / "out")

    def states(self) -> dict[str, str]:
        with Pipeline(self.settings, home=self.folder / "home") as pipeline:
            return {row.id: row.state for row in pipeline.jobs()}


@pytest.fixture
def desk(tmp_path: Path, tiny_settings: Settings) -> Desk:
    return Desk(tmp_path, tiny_settings)


def test_a_run_whose_brief_was_edited_meanwhile_does_not_write_over_the_newer_videos(desk: Desk) -> None:
    old = desk.render("Old words.", at="step_started mux", then="New words.")
    new = desk.meanwhile
    assert new
    assert (new.status, old.status, old.exit_code) == ("done", "interrupted", 130)
    assert old.error
    assert (old.error.code, old.error.hint) == ("SUPERSEDED", f"framekeep show {new.job_id}")
    assert desk.states() == {new.job_id: "done", old.job_id: "superseded"}
    (video,) = new.outputs
    assert hashlib.sha256(video.path.read_bytes()).hexdigest() == video.sha256


def test_going_back_to_the_earlier_edition_makes_it_the_newer_one(desk: Desk) -> None:
    old = desk.render("Old words.", at="step_started mux", then="New words.")
    again = desk.render("Old words.")
    assert (again.job_id, again.status, again.steps.executed) == (old.job_id, "done", 0)
    (video,) = again.outputs
    assert hashlib.sha256(video.path.read_bytes()).hexdigest() == video.sha256
    assert desk.meanwhile
    assert video.sha256 != desk.meanwhile.outputs[0].sha256
