"""The loop: what is made, what is reused, and how it ends when steps fail, run short, or are told to stop."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from checkpoints.ledger.ledger import Ledger
from checkpoints.records import Record
from checkpoints.store.store import Store
from config.errors import (
    CancelledError,
    DiskFullError,
    OutOfMemoryError,
    RejectedError,
    RenderExhaustedError,
    RetryExhaustedError,
    StoreError,
)
from config.settings import Settings
from pipeline.engine.scheduler import Runner
from pipeline.engine.step_results import StepResults
from pipeline.events import Bus, Event
from pipeline.job.options import JobOptions
from pipeline.observability.activity import Activities
from pipeline.planning.plan import Plan
from pipeline.planning.steps import Step, StepOutcome
from stages.base import CancelToken
from stages.models import Brief, Degradation, SceneBrief

JOB = "job"
Work = Callable[[Step, CancelToken], None]


class StubExecutor:
    """Publishes a small file for each step, after `work` had its say."""

    def __init__(self, checkpoints: StepResults, answer: Callable[[Step], Record], work: Work) -> None:
        self.made: list[str] = []
        # How much was made when the voices were let go.
        self.after_speech: list[int] = []
        self.degraded: dict[str, Degradation] = {}
        self._checkpoints = checkpoints
        self._answer = answer
        self._work = work

    def lines_are_spoken(self) -> None:
        self.after_speech.append(len(self.made))

    def execute(self, step: Step, cancel: CancelToken) -> Record:
        self._work(step, cancel)
        self.made.append(step.id)
        record = self._answer(step)
        with self._checkpoints.store.scratch() as folder:
            files = {name: folder / name for name in record.artifacts}
            for name, path in files.items():
                path.write_text(f"{name} of {step.key}")
            outcome = StepOutcome(files, record.facts, "stub")
            found = self.degraded.get(step.stage)
            return self._checkpoints.keep(step, outcome, [found] if found else [])


class House:
    """A home with one job, and runners for it."""

    def __init__(self, folder: Path, settings: Settings, toolbox: Any, answer: Callable[[Step], Record]) -> None:
        self.ledger, self.store = Ledger(folder / "ledger.db"), Store(folder / "store")
        self.store.prepare()
        self.settings, self.toolbox, self.answer = settings, toolbox, answer
        self.cancel = CancelToken()
        self.events: list[Event] = []
        self.options = JobOptions(exports=("youtube",), output=folder, stem="x")
        self.ledger.put_job(JOB, "T", {}, {})

    def run(
        self,
        brief: Brief,
        work: Work = lambda step, cancel: None,
        *,
        jobs: int = 2,
        go_on: bool = True,
        **options: Any,
    ) -> Runner:
        self.plan = Plan(brief, self.options.model_copy(update=options), self.settings, self.toolbox)
        checkpoints = StepResults(self.ledger, self.store, lambda step, what: None)
        self.executor = StubExecutor(checkpoints, self.answer, work)
        executor: Any = self.executor
        bus = Bus(self.events.append)
        self.runner = Runner(JOB, self.plan, self.ledger, checkpoints, executor, bus, self.cancel, jobs, go_on=go_on)
        self.runner.run()
        return self.runner

    def told(self, kind: str) -> list[str]:
        return [event.data["step"] for event in self.events if event.kind == kind]


@pytest.fixture
def house(
    tmp_path: Path, tiny_settings: Settings, stub_toolbox: Any, stub_record: Callable[[Step], Record]
) -> Iterator[House]:
    made = House(tmp_path, tiny_settings, stub_toolbox, stub_record)
    yield made
    made.ledger.close()
    # Whatever the run came to: each step that was told to begin was told to end, or whoever watches would wait for ever.
    at_work = Activities()
    for event in made.events:
        at_work.take(event)
    assert [one.step for one in at_work.all()] == []


def brief_of(*narrations: str) -> Brief:
    return Brief(title="T", scenes=tuple(SceneBrief(narration=text) for text in narrations))


def failing(names: str, error: Exception) -> Work:
    def work(step: Step, cancel: CancelToken) -> None:
        if names in step.id:
            raise error

    return work


def test_every_step_is_made_once_and_then_reused(house: House) -> None:
    runner = house.run(brief_of("One two.", "Three."))
    assert house.plan.finished
    assert Counter(house.executor.made) == Counter(list(house.plan.steps))
    assert runner.tally.executed == len(house.plan.steps) == len(house.told("step_executed"))
    again = house.run(brief_of("One two.", "Three."))
    assert (again.tally.executed, again.tally.reused) == (0, runner.tally.executed)
    assert house.executor.made == []


def test_the_voices_are_let_go_once_when_the_last_line_is_spoken(house: House) -> None:
    house.run(brief_of("One two.", "Three."))
    (then,) = house.executor.after_speech
    assert sum(name.startswith("speech/") for name in house.executor.made[:then]) == 2
    assert not any(name.startswith("speech/") for name in house.executor.made[then:])
    assert then < len(house.executor.made)


def test_equal_steps_are_made_once_and_the_others_reuse_it(house: House) -> None:
    runner = house.run(brief_of("The same.", "The same.", "The same."))
    assert [name for name in house.executor.made if name.startswith("speech")] == ["speech/0001/01"]
    assert runner.tally.executed + runner.tally.reused == len(house.plan.steps)
    assert runner.tally.reused >= 2


def test_a_step_that_fails_stops_the_run_if_it_is_to_and_what_is_running_is_kept(house: House) -> None:
    begun = threading.Event()

    def work(step: Step, cancel: CancelToken) -> None:
        if step.id == "speech/0001/01":
            begun.wait(5)
            raise RejectedError("no")
        if step.id == "speech/0002/01":
            begun.set()

    with pytest.raises(RejectedError):
        house.run(brief_of("One.", "Two.", "Three."), work, go_on=False)
    assert "speech/0002/01" in house.executor.made
    assert not any(name.startswith("segment") for name in house.executor.made)
    assert {step.id: step.state for step in house.ledger.steps(JOB)}["speech/0001/01"] == "failed"
    kept = house.executor.made
    again = house.run(brief_of("One.", "Two.", "Three."))
    assert again.tally.reused == len(kept)


def test_steps_that_wait_for_an_equal_one_do_not_wait_for_ever_when_it_fails(house: House) -> None:
    with pytest.raises(RejectedError):
        house.run(brief_of("The same.", "The same."), failing("speech", RejectedError("no")))
    # The second would ask for the same, in vain.
    assert house.told("step_failed") == ["speech/0001/01", "speech/0002/01"]
    assert house.told("step_started").count("speech/0002/01") == 0


def test_a_step_that_fails_stops_only_what_depends_on_it(house: House) -> None:
    with pytest.raises(RejectedError):
        house.run(brief_of("One.", "Two.", "Three."), failing("images/0002", RejectedError("no")))
    made = house.executor.made
    assert {"speech/0001/01", "speech/0002/01", "speech/0003/01", "images/0001/16:9", "images/0003/16:9", "mix"} <= set(
        made
    )
    assert "segment/youtube/high/0001/01" in made
    assert "segment/youtube/high/0003/01" in made
    assert not any("/0002/0" in name for name in made if name.startswith("segment"))
    again = house.run(brief_of("One.", "Two.", "Three."))
    assert again.tally.reused == len(made)
    assert house.plan.finished


def test_of_several_failures_the_one_that_waiting_does_not_mend_ends_the_run_and_names_the_others(house: House) -> None:
    def work(step: Step, cancel: CancelToken) -> None:
        if step.id == "images/0001/16:9":
            raise RetryExhaustedError("try later")
        if step.id == "images/0003/16:9":
            raise RejectedError("never")

    with pytest.raises(RejectedError, match=r"never \(failed as well: images/0001/16:9\)"):
        house.run(brief_of("One.", "Two.", "Three."), work)


def test_of_several_steps_that_wait_the_one_that_can_go_on_first_says_when_to_resume(house: House) -> None:
    def work(step: Step, cancel: CancelToken) -> None:
        if step.id == "images/0001/16:9":
            raise RetryExhaustedError("an hour", provider="a", retry_after_s=3600)
        if step.id == "images/0003/16:9":
            raise RetryExhaustedError("soon", provider="b", retry_after_s=30)

    with pytest.raises(RetryExhaustedError, match="soon") as caught:
        house.run(brief_of("One.", "Two.", "Three."), work)
    assert 0 < (caught.value.retry_after_s or 0) <= 30


@pytest.mark.parametrize("error", [StoreError("unusable"), DiskFullError("full")])
def test_when_the_machine_runs_short_nothing_more_is_started(house: House, error: Exception) -> None:
    with pytest.raises(type(error)):
        house.run(brief_of(*"ABCDEFGH"), failing("speech/0001", error), jobs=1)
    assert not any(name.startswith("segment") for name in house.executor.made)


def test_two_steps_that_run_short_at_once_step_down_one_level_only(house: House) -> None:
    both = threading.Barrier(2, timeout=5)

    def work(step: Step, cancel: CancelToken) -> None:
        if step.stage == "segment" and "/high/" in step.id:
            both.wait()
            raise OutOfMemoryError("no memory")

    house.run(brief_of("One.", "Two.", "Three."), work)
    assert house.plan.exports["youtube"].level.name == "Medium"
    assert len(house.told("step_failed")) == 2
    assert [event.data["got"] for event in house.events if event.kind == "degraded"] == ["Medium"]


def test_what_runs_at_a_superseded_level_is_stopped_and_not_missed(house: House) -> None:
    running = threading.Event()
    stopped: list[str] = []

    def work(step: Step, cancel: CancelToken) -> None:
        if "/high/0001/" in step.id:
            running.set()
            assert cancel.wait(5)
            stopped.append(step.id)
            cancel.check()
        elif "/high/" in step.id:
            running.wait(5)
            raise DiskFullError("no space")

    runner = house.run(brief_of("One.", "Two."), work)
    assert stopped == ["segment/youtube/high/0001/01"]
    assert house.plan.finished
    assert not any("/high/" in name for name in house.executor.made)
    assert runner.tally.executed == len(house.executor.made) == len(house.plan.steps)


def test_no_lower_level_leaves_the_shortage_as_the_runs_end(house: House) -> None:
    with pytest.raises(OutOfMemoryError):
        house.run(brief_of("One."), failing("segment", OutOfMemoryError("no memory")))
    assert [event.data["got"] for event in house.events if event.kind == "degraded"] == ["Medium", "Low"]


def test_an_encoder_that_fails_every_time_is_given_less_to_do(house: House) -> None:
    house.run(brief_of("One.", "Two."), failing("/high/", RenderExhaustedError("killed each time")))
    assert house.plan.finished
    assert house.plan.exports["youtube"].level.name == "Medium"
    (told,) = [event.data for event in house.events if event.kind == "degraded"]
    assert (told["wanted"], told["got"], told["reason"]) == ("High", "Medium", "youtube: killed each time")


def test_an_encoder_that_makes_nothing_at_all_is_not_tried_with_every_scene(house: House) -> None:
    scenes = [f"Scene {number}." for number in range(30)]
    with pytest.raises(RenderExhaustedError):
        house.run(brief_of(*scenes), failing("segment", RenderExhaustedError("killed each time")), jobs=1)
    begun = [name for name in house.told("step_started") if "/low/" in name]
    assert len({name.split("/")[3] for name in begun}) == 3
    assert not any(name.startswith("segment") for name in house.executor.made)


def test_one_scene_that_no_encoder_can_take_does_not_keep_the_others_from_being_made(house: House) -> None:
    def work(step: Step, cancel: CancelToken) -> None:
        if step.stage == "segment" and ("/0002/" in step.id or "/0003/00" in step.id):
            raise RenderExhaustedError("killed")

    with pytest.raises(RenderExhaustedError):
        house.run(brief_of("One.", "Two.", "Three."), work, jobs=1)
    made = house.executor.made
    assert {"segment/youtube/low/0001/01", "segment/youtube/low/0003/01"} <= set(made)


def test_a_shortage_outside_of_an_export_has_no_level_to_step_down(house: House) -> None:
    with pytest.raises(DiskFullError):
        house.run(brief_of("One."), failing("speech", DiskFullError("no space")))
    assert not [event for event in house.events if event.kind == "degraded"]


def test_a_step_that_stops_though_nobody_told_it_to_is_an_error(house: House) -> None:
    with pytest.raises(CancelledError, match="of its own accord"):
        house.run(brief_of("One."), failing("mix", CancelledError("of its own accord")))


def test_cancelling_starts_nothing_more_and_ends_with_the_reason(house: House) -> None:
    def work(step: Step, cancel: CancelToken) -> None:
        if step.stage == "segment":
            house.cancel.cancel("enough")
            cancel.check()

    with pytest.raises(CancelledError, match="enough"):
        house.run(brief_of("One.", "Two.", "Three."), work, jobs=1)
    assert len([name for name in house.told("step_started") if name.startswith("segment")]) == 1


def test_a_ledger_that_fails_after_a_result_was_published_costs_no_work(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise StoreError("the ledger was kept locked")

    with monkeypatch.context() as patch:
        patch.setattr(house.ledger, "step_executed", refuse)
        patch.setattr(house.ledger, "step_failed", refuse)
        with pytest.raises(StoreError, match="kept locked"):
            house.run(brief_of("One."))
    published = list(house.executor.made)
    assert published
    again = house.run(brief_of("One."))
    assert again.tally.reused == len(published)
    assert not set(published) & set(house.executor.made)


def test_degradations_are_told_again_when_the_degraded_result_is_reused(house: House) -> None:
    fallback = Degradation(stage="speech", wanted="a", got="b", reason="a is down")

    def work(step: Step, cancel: CancelToken) -> None:
        house.executor.degraded["speech"] = fallback

    house.run(brief_of("One two."), work)
    house.events.clear()
    again = house.run(brief_of("One two."))
    assert again.tally.executed == 0
    (told,) = again.tally.degradations["speech/0001/01"]
    assert told == fallback.model_copy(update={"scene": 1})
    assert [event.data["got"] for event in house.events if event.kind == "degraded"] == ["b"]


def test_no_thread_of_a_run_outlives_it(house: House) -> None:
    before = set(threading.enumerate())
    with pytest.raises(RejectedError):
        house.run(brief_of("One.", "Two."), failing("mix", RejectedError("no")))
    house.run(brief_of("One.", "Two."))
    assert set(threading.enumerate()) <= before


def test_a_fault_in_a_step_ends_the_run_with_that_fault(house: House) -> None:
    with pytest.raises(ZeroDivisionError):
        house.run(brief_of("One.", "Two."), failing("images", ZeroDivisionError()))
    house.events.clear()


def test_events_of_a_segment_name_the_level_that_it_is_made_at(house: House) -> None:
    house.run(brief_of("One."), failing("/high/", OutOfMemoryError("no memory")))
    levels = {
        (event.data["step"].split("/")[2], event.data["quality"])
        for event in house.events
        if event.kind == "step_started" and event.data["stage"] in ("segment", "mux")
    }
    assert levels == {("high", "High"), ("medium", "Medium")}
