"""Any sequence of calls, outcomes, time, clock steps and restarts, against a small model of what a circuit should do."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from checkpoints.ledger.circuits import Circuits
from checkpoints.ledger.database import driver
from checkpoints.ledger.ledger import Ledger
from checkpoints.ownership.clocks import Timeline
from config.errors import CancelledError, CircuitOpenError, RejectedError, TransientError
from config.settings import Settings
from pipeline.resilience.breakers.registry import Breakers, CircuitChange
from pipeline.resilience.policy import policy_for

REQUEST_S = 20
ERRORS: dict[str, BaseException | None] = {
    "success": None,
    "failure": TransientError("down"),
    "answered": RejectedError("400"),
    "neutral": CancelledError("stopped"),
}


@dataclass
class Model:
    """A circuit as the settings describe it, in one process, with one clock, in as few lines as possible."""

    threshold: int
    window: float
    minimum: int
    pause: float
    patience: float
    enough: int
    now: float = 0.0
    state: str = "closed"
    era: int = 0
    ended: list[tuple[float, bool]] = field(default_factory=list)
    since: float = 0.0
    streak: int = 0
    test: int | None = None
    test_ends: float = 0.0
    tests: int = 0
    told: list[tuple[str, str]] = field(default_factory=list)

    def begin(self) -> tuple[int, int | None] | None:
        if self.test is not None and self.now >= self.test_ends:
            self.test = None
        if self.state == "closed":
            return self.era, None
        if self.state == "open":
            if self.now < self.since + self.pause:
                return None
            self.become("half-open", self.now)
        if self.test is not None:
            return None
        self.tests += 1
        self.test, self.test_ends = self.tests, self.now + self.patience
        return self.era, self.test

    def end(self, call: tuple[int, int | None], outcome: str) -> None:
        era, test = call
        if test is not None:
            if self.state != "half-open" or self.era != era:
                return
            self.test = None if self.test == test else self.test
            if outcome == "failure":
                self.become("open", self.now)
            elif outcome == "success":
                self.streak += 1
                if self.streak >= self.enough:
                    self.become("closed", self.now)
        elif self.state == "closed" and era == self.era and outcome != "neutral":
            self.ended.append((self.now, outcome == "failure"))
            recent = [failed for at, failed in self.ended if at > self.now - self.window]
            if outcome == "failure" and len(recent) >= self.minimum and sum(recent) >= self.threshold:
                self.become("open", self.now)

    def become(self, state: str, since: float) -> None:
        self.told.append((self.state, state))
        self.state, self.since, self.streak, self.test, self.ended = state, since, 0, None, []
        self.era += 1


class Machine(RuleBasedStateMachine):
    """Two processes on one ledger, or one where successes count: those are written a little later."""

    # Opened once: opening and closing files would take longer than all else.
    ledgers: tuple[Circuits, Circuits]
    forget: Callable[[], object]

    def __init__(self) -> None:
        super().__init__()
        type(self).forget()
        self.monotonic_s, self.wall_s, self.boot = 5000.0, 1_800_000_000.0, "boot"
        self.model = Model(1, 1, 1, 1, 1, 1)
        self.processes: list[Breakers] = []
        self.open_calls: list[tuple[contextlib.AbstractContextManager[None], tuple[int, int | None]]] = []
        self.changes: list[CircuitChange] = []

    @initialize(
        threshold=st.integers(1, 3),
        window=st.sampled_from([20, 60]),
        minimum=st.integers(1, 5),
        pause=st.sampled_from([0, 10, 30]),
        patience=st.sampled_from([4, 10, 40]),
        enough=st.integers(1, 3),
    )
    def set_up(self, **rules: Any) -> None:
        self.model = Model(**rules)
        chosen = {
            "failure_threshold": rules["threshold"],
            "sampling_duration_s": rules["window"],
            "minimum_throughput": rules["minimum"],
            "break_duration_s": rules["pause"],
            "half_open_duration_s": rules["patience"],
            "success_threshold": rules["enough"],
        }
        given = {"resilience": {"circuit_breaker": chosen}, "timeouts": {"request_ms": REQUEST_S * 1000}}
        self.policy = policy_for(Settings.model_validate(given), "write", "OpenAI")
        self.counts_successes = rules["minimum"] > rules["threshold"]
        for which in range(1 if self.counts_successes else 2):
            self.processes.append(self.new_process(which))

    def new_process(self, which: int) -> Breakers:
        timeline = Timeline(lambda: self.monotonic_s, lambda: self.wall_s, self.boot)
        breakers = Breakers(circuits=self.ledgers[which], timeline=timeline)
        breakers.tell(lambda line: None, self.changes.append)
        return breakers

    @rule(which=st.integers(0, 1))
    def begin(self, which: int) -> None:
        expected = self.model.begin()
        call = self.processes[which % len(self.processes)].admit(self.policy, "OpenAI")
        try:
            call.__enter__()
        except CircuitOpenError:
            assert expected is None
        else:
            assert expected is not None
            self.open_calls.append((call, expected))

    @precondition(lambda self: self.open_calls)
    @rule(which=st.integers(0, 9), outcome=st.sampled_from(list(ERRORS)))
    def end(self, which: int, outcome: str) -> None:
        call, expected = self.open_calls.pop(which % len(self.open_calls))
        error = ERRORS[outcome]
        assert not call.__exit__(type(error) if error else None, error, None)
        self.model.end(expected, outcome)

    @rule(which=st.integers(0, 1), outcomes=st.lists(st.sampled_from(["success", "failure", "failure"]), max_size=5))
    def call(self, which: int, outcomes: list[str]) -> None:
        for outcome in outcomes:
            before = len(self.open_calls)
            self.begin(which)
            if len(self.open_calls) > before:
                self.end(before, outcome)

    @rule(seconds=st.sampled_from([1, 3, 4, 9, 10, 20, 25, 30, 59, 60]))
    def pass_time(self, seconds: float) -> None:
        self.monotonic_s += seconds
        self.wall_s += seconds
        self.model.now += seconds

    @rule(step_s=st.sampled_from([3600, -3600]))
    def set_clock(self, step_s: float) -> None:
        self.wall_s += step_s

    @precondition(lambda self: not self.counts_successes)
    @rule(which=st.integers(0, 1))
    def restart_a_process(self, which: int) -> None:
        """Its calls end with it, untold: their permits are left behind."""
        self.processes[which] = self.new_process(which)

    @invariant()
    def agree(self) -> None:
        assert [(change.old, change.new) for change in self.changes] == self.model.told
        for process in self.processes:
            for state in process.states().values():
                assert state == self.model.state

    def teardown(self) -> None:
        for call, _ in self.open_calls:
            call.__exit__(None, None, None)


def run(ledger_file: Path, examples: int, steps: int) -> None:
    Ledger(ledger_file).close()
    cleaner = driver().connect(str(ledger_file), isolation_level=None)
    cleaner.execute("PRAGMA synchronous=OFF")
    Machine.forget = lambda: cleaner.executescript("DELETE FROM circuits; DELETE FROM outcomes;")
    Machine.ledgers = (Circuits(ledger_file), Circuits(ledger_file))
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(Machine, settings=chosen)
    finally:
        for opened in (*Machine.ledgers, cleaner):
            opened.close()


def test_any_sequence_leads_where_the_model_says(tmp_path: Path) -> None:
    run(tmp_path / "ledger.db", examples=200, steps=20)


@pytest.mark.faults
@pytest.mark.timeout(1800)
def test_ten_thousand_sequences_lead_where_the_model_says(tmp_path: Path) -> None:
    run(tmp_path / "ledger.db", examples=10_000, steps=40)
