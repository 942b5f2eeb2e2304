"""One circuit's state as the engine, pybreaker, sees it: with a window of time, a minimum of calls, and monotonic time.

The engine decides when a circuit opens and closes. What it has no idea of is added here, at the points that it offers: its
counter is the number of failures within the window, or nothing while too few calls were made; when a circuit was opened is
kept on the monotonic clock, and answered as "still" or "no longer".
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, replace

import pybreaker

from checkpoints.ledger.circuits import CLOSED, OPEN, CallOutcomes, CircuitRow
from checkpoints.ownership.clocks import Moment
from config.resilience import CircuitBreaker

# Successes that end within this part of the window are counted in one row.
_GRAIN = 1 / 100


@dataclass(frozen=True)
class StateChange:
    """A change of state that this process made."""

    old: str
    new: str
    reason: str


class CircuitSheet(pybreaker.CircuitBreakerStorage):
    """The circuit's row, and the outcomes within its window. `added` are those that the ledger does not have yet.

    `reason` is what the next change of state is told with.
    """

    def __init__(self, name: str, rules: CircuitBreaker, now: Callable[[], Moment]) -> None:
        super().__init__(name)
        self.rules = rules
        began = now()
        self.row = CircuitRow(name, boot=began.boot, since=began.monotonic_s, since_wall=began.wall_s)
        self.outcomes: list[CallOutcomes] = []
        self.added: list[CallOutcomes] = []
        self.transitions: list[StateChange] = []
        self.reason = ""
        self._now = now

    # What the engine asks and tells

    @property
    def state(self) -> str:
        return self.row.state

    @state.setter
    def state(self, state: str) -> None:
        old, now = self.row, self._now()
        self.row = replace(
            old,
            state=state,
            generation=old.generation + 1,
            boot=now.boot,
            since=now.monotonic_s,
            since_wall=now.wall_s,
            break_s=self.rules.break_duration_s if state == OPEN else old.break_s,
            failures=self.failures if old.state == CLOSED else 0 if state == CLOSED else old.failures,
            successes=0,
            probe="",
        )
        self.outcomes, self.added = [], []
        self.transitions.append(StateChange(old.state, state, self.reason))

    def increment_counter(self) -> None:
        now = self._now()
        self.row = replace(self.row, failed_at=now.monotonic_s, failed_wall=now.wall_s)
        if self.row.state == CLOSED:
            self._add(CallOutcomes(now.monotonic_s, failures=1, successes=0))
        else:
            self.row = replace(self.row, failures=self.row.failures + 1)

    def reset_counter(self) -> None:
        """One success does not make up for failures: they count until they are older than the window."""

    @property
    def counter(self) -> int:
        return self.failures if self.calls >= self.rules.minimum_throughput else 0

    def increment_success_counter(self) -> None:
        self.row = replace(self.row, successes=self.row.successes + 1)

    def reset_success_counter(self) -> None:
        """Done with every change of state; the engine also asks for it when it only catches up."""

    @property
    def success_counter(self) -> int:
        return self.row.successes

    @property
    def opened_at(self) -> datetime.datetime | None:
        return datetime.datetime.max.replace(tzinfo=datetime.UTC) if self.row.break_left_s(self._now()) > 0 else None

    @opened_at.setter
    def opened_at(self, moment: datetime.datetime) -> None:
        """Kept with the change of state: the engine only knows the time of day."""

    # What it has no idea of

    @property
    def failures(self) -> int:
        """Within the window."""
        return sum(item.failures for item in self._counting())

    @property
    def calls(self) -> int:
        """Within the window, as far as they count."""
        return sum(item.failures + item.successes for item in self._counting())

    def add_success(self) -> None:
        """Note that a call of a closed circuit succeeded."""
        now = self._now().monotonic_s
        last = self.added[-1] if self.added else None
        if last and not last.failures and now - last.at <= self.rules.sampling_duration_s * _GRAIN:
            grown = replace(last, successes=last.successes + 1)
            self.added[-1] = self.outcomes[self.outcomes.index(last)] = grown
        else:
            self._add(CallOutcomes(now, failures=0, successes=1))

    def forget_old(self, now: Moment) -> float:
        """Drop what is older than the window; returns the time up to which all was dropped."""
        edge = now.monotonic_s - self.rules.sampling_duration_s
        self.outcomes = [item for item in self.outcomes if item.at > edge]
        self.added = [item for item in self.added if item.at > edge]
        return edge

    def _counting(self) -> list[CallOutcomes]:
        edge = self._now().monotonic_s - self.rules.sampling_duration_s
        return [item for item in self.outcomes if item.at > edge]

    def _add(self, outcome: CallOutcomes) -> None:
        self.outcomes.append(outcome)
        self.added.append(outcome)
