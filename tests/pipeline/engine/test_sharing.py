"""Runs on one home that need the same results: each is made by one of them, and no run waits for the dead or for ever."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from checkpoints.ledger.ledger import Ledger
from checkpoints.ownership.leases import LEASE_S, Lease
from checkpoints.ownership.processes import Owner, started
from checkpoints.records import Record
from checkpoints.store.store import Store
from config.errors import CancelledError, RejectedError, TransientError
from config.settings import Settings
from pipeline.engine.scheduler import Runner
from pipeline.engine.shared_steps import LOOK_S, Sharing
from pipeline.engine.step_results import StepResults
from pipeline.events import Bus, Event
from pipeline.home import Home
from pipeline.job.options import JobOptions
from pipeline.maintenance.gc import collect
from pipeline.planning.plan import Plan
from pipeline.planning.steps import Step, StepOutcome
from stages.base import CancelToken
from stages.models import Brief, Degradation, SceneBrief

PATIENCE_S = 20
Work = Callable[[Step, CancelToken], None]


class Run:
    """One job's run on a shared home, on a thread of its own. `made` is what its executor was asked for."""

    def __init__(self, street: Street, job: str, texts: tuple[str, ...], work: Work, insist: bool) -> None:
        self.street, self.job, self.work = street, job, work
        # Each with connections of its own, as processes have.
        self.ledger, self.store = Ledger(street.folder / "ledger.db"), Store(street.folder / "store")
        self.ledger.put_job(job, job, {}, {})
        self.made: list[str] = []
        self.degraded: list[Degradation] = []
        self.events: list[Event] = []
        self.waits, self.cancel = threading.Event(), CancelToken()
        self.error: BaseException | None = None
        brief = Brief(title="T", scenes=tuple(SceneBrief(narration=text) for text in texts))
        options = JobOptions(exports=("youtube",), output=street.folder / job, stem="x")
        self.plan = Plan(brief, options, street.settings, street.toolbox)
        self.checkpoints = StepResults(self.ledger, self.store, lambda step, what: None, insist=insist)
        executor: Any = self
        bus = Bus(self._hear)
        self.runner = Runner(job, self.plan, self.ledger, self.checkpoints, executor, bus, self.cancel, 2)
        self._thread = threading.Thread(target=self._go)

    def start(self) -> Run:
        self._thread.start()
        return self

    def end(self) -> Run:
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), f"{self.job} never ended"
        return self

    def lines_are_spoken(self) -> None:
        """Nobody speaks here."""

    def execute(self, step: Step, cancel: CancelToken) -> Record:
        self.work(step, cancel)
        self.made.append(step.key)
        record = self.street.answer(step)
        with self.store.scratch() as folder:
            files = {name: folder / name for name in record.artifacts}
            for name, path in files.items():
                path.write_text(f"{name} of {step.key}")
            degraded = self.degraded if step.stage == "images" else []
            return self.checkpoints.keep(step, StepOutcome(files, record.facts | {}, self.job), degraded)

    def told(self, kind: str) -> list[str]:
        return [event.data["step"] for event in self.events if event.kind == kind]

    def _hear(self, event: Event) -> None:
        self.events.append(event)
        if event.kind == "step_waiting":
            self.waits.set()

    def _go(self) -> None:
        try:
            self.runner.run()
        except BaseException as error:  # noqa: BLE001 - looked at by the test
            self.error = error


class Street:
    """One home, and runs of several jobs on it."""

    def __init__(self, folder: Path, settings: Settings, toolbox: Any, answer: Callable[[Step], Record]) -> None:
        self.folder, self.settings, self.toolbox, self.answer = folder, settings, toolbox, answer
        self.runs: list[Run] = []

    def run(self, job: str, *texts: str, work: Work = lambda step, cancel: None, insist: bool = False) -> Run:
        self.runs.append(Run(self, job, texts, work, insist))
        return self.runs[-1]

    def close(self) -> None:
        for run in self.runs:
            run.cancel.cancel()
            if run._thread.ident:
                run.end()
            run.ledger.close()


@pytest.fixture
def street(
    tmp_path: Path, tiny_settings: Settings, stub_toolbox: Any, stub_record: Callable[[Step], Record]
) -> Iterator[Street]:
    made = Street(tmp_path, tiny_settings, stub_toolbox, stub_record)
    made.run("first").store.prepare()
    yield made
    made.close()


class Gate:
    """Work that stands still at one step until it is let through."""

    def __init__(self, name: str, error: Exception | None = None) -> None:
        self.name, self.error = name, error
        self.reached, self.opened = threading.Event(), threading.Event()

    def __call__(self, step: Step, cancel: CancelToken) -> None:
        if step.id == self.name:
            self.reached.set()
            assert self.opened.wait(PATIENCE_S)
            if self.error:
                raise self.error


def test_a_step_that_another_run_makes_is_waited_for_and_reused_and_other_work_goes_on(street: Street) -> None:
    gate, own = Gate("speech/0001/01"), threading.Event()

    def work(step: Step, cancel: CancelToken) -> None:
        if step.id == "speech/0002/01":
            own.set()

    one = street.run("one", "Shared.", work=gate).start()
    assert gate.reached.wait(PATIENCE_S)
    two = street.run("two", "Shared.", "My own.", work=work).start()
    assert two.waits.wait(PATIENCE_S)
    assert own.wait(PATIENCE_S), "other work waited too"
    gate.opened.set()
    one.end()
    two.end()
    assert (one.error, two.error) == (None, None)
    assert (one.plan.finished, two.plan.finished) == (True, True)
    assert not set(one.made) & set(two.made), "a shared step was made twice"
    assert "speech/0001/01" in two.told("step_reused")
    assert one.ledger.leases() == {}


def test_a_step_that_waits_says_for_whom_since_when(street: Street) -> None:
    gate = Gate("speech/0001/01")
    one = street.run("one", "Shared.", work=gate).start()
    assert gate.reached.wait(PATIENCE_S)
    two = street.run("two", "Shared.", "Shared.").start()
    assert two.waits.wait(PATIENCE_S)
    gate.opened.set()
    one.end()
    two.end()
    (told,) = [event.data for event in two.events if event.kind == "step_waiting" and event.data["stage"] == "speech"]
    assert told["message"].startswith("[Checkpoint] speech/0001/01: Waiting for job one (process ")
    assert (told["job"], told["pid"], told["host"]) == ("one", Owner.here().pid, Owner.here().host)
    noted = [event.data for event in two.ledger.events("two") if event.kind == "step_waiting"]
    assert told in noted


def test_a_step_that_fails_in_one_run_is_tried_by_the_one_that_waited(street: Street) -> None:
    gate = Gate("speech/0001/01", RejectedError("no"))
    one = street.run("one", "Shared.", work=gate).start()
    assert gate.reached.wait(PATIENCE_S)
    two = street.run("two", "Shared.").start()
    assert two.waits.wait(PATIENCE_S)
    gate.opened.set()
    assert isinstance(one.end().error, RejectedError)
    assert two.end().error is None
    assert two.plan.finished


def test_a_run_that_is_stopped_while_it_waits_ends_at_once(street: Street) -> None:
    gate = Gate("speech/0001/01")
    one = street.run("one", "Shared.", work=gate).start()
    assert gate.reached.wait(PATIENCE_S)
    two = street.run("two", "Shared.").start()
    assert two.waits.wait(PATIENCE_S)
    two.cancel.cancel()
    assert isinstance(two.end().error, CancelledError)
    gate.opened.set()
    assert one.end().error is None


def test_a_run_that_is_stopped_lets_its_steps_go_to_the_one_that_waits(street: Street) -> None:
    reached = threading.Event()

    def work(step: Step, cancel: CancelToken) -> None:
        if step.id == "speech/0001/01":
            reached.set()
            assert cancel.wait(PATIENCE_S)
            cancel.check()

    one = street.run("one", "Shared.", work=work).start()
    assert reached.wait(PATIENCE_S)
    two = street.run("two", "Shared.").start()
    assert two.waits.wait(PATIENCE_S)
    one.cancel.cancel()
    assert isinstance(one.end().error, CancelledError)
    assert two.end().error is None
    assert two.ledger.leases() == {}


def test_no_lease_is_left_after_a_fault_of_ours(street: Street) -> None:
    def work(step: Step, cancel: CancelToken) -> None:
        if step.stage == "segment":
            raise ZeroDivisionError

    one = street.run("one", "A.", "B.", "C.", work=work).start().end()
    assert isinstance(one.error, ZeroDivisionError)
    assert one.ledger.leases() == {}


def test_the_steps_of_a_run_whose_process_is_gone_are_taken_over_at_once(street: Street) -> None:
    one = street.run("one", "Shared.")
    (speech,) = [step for step in one.plan.start() if step.stage == "speech"]
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        dead = dataclasses.replace(Owner.here(), pid=child.pid, started=started(child.pid))
        one.ledger.step_started("one", speech.id, "speech", 1, speech.key, dead)
        child.kill()
    two = street.run("two", "Shared.").start().end()
    assert two.error is None
    assert speech.key in two.made
    assert two.ledger.leases() == {}


def seize(run: Run, key: str, owner: Owner) -> Lease:
    """Take a lease over behind its owner's back, as one does whose process was stopped for long."""
    lease = run.ledger.step_started("one", "s", "speech", 1, key, owner, over=run.ledger.leases()[key])
    assert isinstance(lease, Lease)
    return lease


def key_of(run: Run, step_id: str) -> str:
    return run.plan.steps[step_id].key


def test_what_a_late_owner_made_is_not_kept_beside_the_winners(street: Street) -> None:
    gate, other = Gate("speech/0001/01"), Owner.here()
    one = street.run("one", "Shared.")
    two = street.run("two", "Shared.", work=gate).start()
    assert gate.reached.wait(PATIENCE_S)
    key = key_of(two, "speech/0001/01")
    lease = seize(one, key, other)
    step = two.plan.steps["speech/0001/01"]
    winner = one.execute(step, CancelToken())
    assert one.ledger.step_executed("one", "s", winner, lease)
    gate.opened.set()
    assert two.end().error is None
    assert two.plan.finished
    assert "speech/0001/01" in two.told("step_reused")
    assert "speech/0001/01" not in two.told("step_executed")
    assert two.ledger.results.get(key) == two.store.get_record(key) == winner
    assert winner.provider == "one"


def test_a_run_that_finds_its_lease_lost_stops_that_step_and_waits_for_the_new_owner(street: Street) -> None:
    reached, stopped, other = threading.Event(), threading.Event(), Owner.here()

    def work(step: Step, cancel: CancelToken) -> None:
        if step.id == "speech/0001/01" and not reached.is_set():
            reached.set()
            assert cancel.wait(PATIENCE_S)
            stopped.set()
            cancel.check()

    one = street.run("one", "Shared.")
    two = street.run("two", "Shared.", work=work).start()
    assert reached.wait(PATIENCE_S)
    two.runner._sharing.beat()
    assert not stopped.wait(0.05), "a lease that was kept was given up"
    key = key_of(two, "speech/0001/01")
    lease = seize(one, key, other)
    two.runner._sharing.beat()
    assert two.waits.wait(PATIENCE_S)
    assert one.ledger.step_executed("one", "s", one.execute(two.plan.steps["speech/0001/01"], CancelToken()), lease)
    assert two.end().error is None
    assert stopped.is_set()
    assert key not in two.made
    assert two.plan.finished


def test_an_owner_of_whom_nothing_is_heard_is_waited_for_as_long_as_a_lease_lasts(street: Street) -> None:
    now = [1000.0]
    one, two = street.run("one", "Shared."), street.run("two", "Shared.")
    (speech,) = [step for step in two.plan.start() if step.stage == "speech"]
    far = Owner("far", "elsewhere", "elsewhere/boot/pid:[1]", 1, "5")
    lease = one.ledger.step_started("one", speech.id, "speech", 1, speech.key, far)
    assert isinstance(lease, Lease)
    sharing = Sharing("two", two.ledger, two.checkpoints, Bus(), monotonic=lambda: now[0])
    sharing.wait(lease, [speech])
    for _ in range(3):
        now[0] += LEASE_S - 1
        one.ledger.renew_leases(far)
        assert sharing.ready() == [], "it was heard of in time"
    now[0] += LEASE_S - 1
    assert sharing.ready() == []
    now[0] += 2
    assert sharing.ready() == [speech]
    assert not sharing.waiting
    taken = sharing.start(speech, CancelToken())
    assert isinstance(taken, Lease)
    assert taken.owner == sharing.owner.token
    sharing.close()
    assert one.ledger.leases() == {}


def test_waiting_is_no_busy_loop(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    now, looks = [0.0], [0]
    one, two = street.run("one", "Shared."), street.run("two", "Shared.")
    (speech,) = [step for step in two.plan.start() if step.stage == "speech"]
    lease = one.ledger.step_started("one", speech.id, "speech", 1, speech.key, Owner.here())
    assert isinstance(lease, Lease)
    look = two.ledger.leases

    def counted() -> dict[str, Lease]:
        looks[0] += 1
        return look()

    monkeypatch.setattr(two.ledger, "leases", counted)
    sharing = Sharing("two", two.ledger, two.checkpoints, Bus(), monotonic=lambda: now[0])
    sharing.wait(lease, [speech])
    for _ in range(1000):
        now[0] += LOOK_S / 100
        assert sharing.ready() == []
    assert looks[0] <= 11


def test_a_fallback_that_was_waited_for_is_good_enough_for_who_insists(street: Street) -> None:
    worse = Degradation(stage="images", scene=1, wanted="painter", got="card", reason="down")
    gate = Gate("images/0001/16:9", None)
    one = street.run("one", "Shared.", work=gate, insist=True)
    one.degraded = [worse]
    (name,) = [step.id for step in one.plan.start() if step.stage == "images"]
    gate.name = name
    one.start()
    assert gate.reached.wait(PATIENCE_S)
    two = street.run("two", "Shared.", insist=True).start()
    assert two.waits.wait(PATIENCE_S)
    gate.opened.set()
    one.end()
    assert two.end().error is None
    assert not set(one.made) & set(two.made), "the wanted provider was asked, and paid, by both"
    assert two.runner.tally.degradations[name][0].got == "card"
    # Later, who insists asks again.
    three = street.run("three", "Shared.", insist=True).start().end()
    assert key_of(three, name) in three.made


def test_the_clean_up_takes_nothing_that_a_step_in_the_making_or_a_resumable_job_needs(street: Street) -> None:
    gate = Gate("mux/youtube/high")
    one = street.run("one", "Shared.", work=gate).start()
    assert gate.reached.wait(PATIENCE_S)
    done = len(one.told("step_executed"))
    assert done >= 4
    waiting = street.run("two", "Shared.").start()
    assert waiting.waits.wait(PATIENCE_S)
    home = Home(street.folder)
    # So long afterwards that nothing is spared for being young.
    later = time.time() + 100 * 86_400
    report = collect(home, older_than_s=0, max_bytes=0, keep_last=0, dry_run=False, now=later)
    home.close()
    assert (report.jobs, report.results, report.artifacts, report.bytes_freed) == ((), 0, 0, 0)
    assert report.artifacts_kept >= 3
    gate.opened.set()
    one.end()
    waiting.end()
    assert (one.error, waiting.error) == (None, None)
    assert len(one.made) == len(set(one.made)) == done + 1
    assert waiting.made == []


def test_a_result_that_was_repaired_by_another_run_is_not_thrown_away(street: Street) -> None:
    one = street.run("one", "Shared.").start().end()
    two = street.run("two", "Shared.")
    step = one.plan.steps["speech/0001/01"]
    old = two.ledger.results.get(step.key)
    assert old
    artifact = old.artifacts["line"]
    path = two.store.path(artifact.digest)
    sound = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(sound[::-1])
    assert not two.store.verify(artifact)
    # Another run has made it again, in the moment before this one removes what it found damaged.
    path.write_bytes(sound)
    newer = old.model_copy(update={"provider": "three"})
    two.ledger.results.adopt(newer)
    two.store.put_record(newer)
    two.store.discard_damaged(artifact)
    two.checkpoints._forget(step, old)
    assert two.store.verify(artifact)
    assert two.ledger.results.get(step.key) == two.store.get_record(step.key) == newer


def test_a_ledger_that_cannot_be_told_does_not_end_the_heart(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    one = street.run("one", "Shared.")
    (speech,) = [step for step in one.plan.start() if step.stage == "speech"]
    sharing, token = one.runner._sharing, CancelToken()
    lease = sharing.start(speech, token)
    assert isinstance(lease, Lease)

    def refuse(owner: Owner) -> set[int]:
        raise TransientError("the disk is full, say")

    with monkeypatch.context() as patch:
        patch.setattr(one.ledger, "renew_leases", refuse)
        sharing.beat()
    assert not token.cancelled
    sharing.beat()
    assert one.ledger.leases()[speech.key].beats == 1
