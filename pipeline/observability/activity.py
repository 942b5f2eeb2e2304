"""What a run is doing right now: the steps at work, who does each, and what they wait for. Computed from its events."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from pipeline.events import Event

WaitReason = Literal["retry", "rest", "circuit", "rate", "concurrency", "other run"]

# Of several things that are done side by side, the first of these is what the run is at: the later stages hold all that is left.
_STAGES = ("segment", "mux", "mix", "script", "speech", "images", "music")
_ENDS = frozenset({"step_executed", "step_reused", "step_failed", "step_stopped"})
_JOB_ENDS = frozenset({"job_done", "job_failed", "job_parked", "job_interrupted"})


@dataclass(frozen=True)
class Wait:
    """What a step waits for. `ends_at` is on the clock of `Activities`, None where nobody knows.

    `retry` of `of` is the retry to come; `is_asked`: the provider itself said how long. `holder` is the run that is waited for.
    """

    reason: WaitReason
    provider: str = ""
    ends_at: float | None = None
    retry: int = 0
    of: int = 0
    is_asked: bool = False
    holder: str = ""


@dataclass(frozen=True)
class Activity:
    """A step at work since `since`. `provider` is who is asked, empty before anybody is, and where nobody needs to be.

    `done` of `total` are in `unit`s, as the stage counts its work.
    """

    step: str
    stage: str
    scene: int
    export: str
    since: float
    provider: str = ""
    done: int = 0
    total: int = 0
    unit: str = ""
    wait: Wait | None = None


class Activities:
    """The steps at work, kept up by events. A pause that is over is no wait any more."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._now_at: dict[str, Activity] = {}

    def take(self, event: Event) -> None:
        """Count an event in."""
        data, kind = event.data, event.kind
        if kind in _JOB_ENDS or kind == "job_started":
            self._now_at.clear()
        elif kind in _ENDS:
            self._now_at.pop(data["step"], None)
        elif kind in ("step_started", "step_waiting"):
            about = (data["step"], data["stage"], data["scene"], data["export"])
            wait = Wait("other run", holder=_holder(data)) if kind == "step_waiting" else None
            self._now_at[data["step"]] = Activity(*about, self._clock(), wait=wait)
        elif (known := self._now_at.get(data.get("step", ""))) is not None:
            self._now_at[known.step] = self._changed(known, event)

    def _changed(self, known: Activity, event: Event) -> Activity:
        data = event.data
        match event.kind:
            case "attempt_started":
                return replace(known, provider=data["provider"], since=self._clock(), wait=None)
            case "step_progress":
                return replace(known, done=data["done"], total=data["total"], unit=data["unit"])
            case "retry" | "waiting":
                return replace(known, wait=wait_of(event, self._clock()))
            case "limit_wait":
                return replace(known, wait=None)
        return known

    def all(self) -> list[Activity]:
        """What is worked at first, in the order of `_STAGES` and of scenes, then what waits."""
        now = self._clock()
        current = [
            replace(one, wait=None) if one.wait and one.wait.ends_at is not None and one.wait.ends_at <= now else one
            for one in self._now_at.values()
        ]
        return sorted(current, key=lambda one: (one.wait is not None, _STAGES.index(one.stage), one.scene, one.step))

    @property
    def main(self) -> Activity | None:
        """The one that tells best where the run is."""
        return next(iter(self.all()), None)


def wait_of(event: Event, now: float) -> Wait:
    """The wait that a `retry` or a `waiting` event begins."""
    data = event.data
    if event.kind == "retry":
        asked_s, delay_s = data["asked_s"], data["delay_s"]
        is_asked = asked_s is not None and asked_s >= delay_s
        return Wait("retry", data["provider"], now + delay_s, data["retry"], data["of"], is_asked)
    expected_s = data["expected_s"]
    ends_at = None if expected_s is None else now + expected_s
    return Wait(data["limit"], data["provider"], ends_at, is_asked=data["limit"] == "rest")


def _holder(data: dict[str, Any]) -> str:
    return f"job {data['job']} (process {data['pid']} on {data['host']})"
