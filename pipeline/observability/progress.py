"""Where a run stands, computed from its events: what the live display and plain lines show."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from pipeline.events import Event
from pipeline.observability.activity import Activities

_WINDOW_S = 20.0


@dataclass
class Progress:
    """A running tally. `eta_s` and `fps` are None until enough is known; both look only at frames encoded by this run."""

    clock: Callable[[], float] = time.monotonic
    title: str = ""
    steps_total: int = 0
    steps_done: int = 0
    steps_reused: int = 0
    scenes: int = 0
    frames_total: int = 0
    is_cut: bool = False
    quality: str = ""
    encoder: str = ""
    activities: Activities = field(init=False)
    _last: tuple[str, int] = ("", 0)
    _levels: dict[str, str] = field(default_factory=dict)
    _reused: dict[str, int] = field(default_factory=dict)
    _finished: dict[str, int] = field(default_factory=dict)
    _partial: dict[str, int] = field(default_factory=dict)
    _history: deque[tuple[float, int]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.activities = Activities(self.clock)

    def take(self, event: Event) -> None:
        """Count an event in."""
        data = event.data
        self.activities.take(event)
        if main := self.activities.main:
            self._last = main.stage, main.scene
        match event.kind:
            case "job_started":
                self.title = data["title"]
            case "planned":
                self.steps_total, self.scenes = data["steps"], data["scenes"]
                self.frames_total, self.is_cut = data["frames"], data["complete"]
            case "step_started" if data["stage"] == "segment":
                self.quality = data["quality"]
                self._supersede(data["export"], data["step"])
            case "attempt_started" if data["operation"] == "encode":
                self.encoder = data["provider"]
            case "step_progress" if data["unit"] == "frames":
                self._partial[data["step"]] = data["done"]
                self._note_rate()
            case "step_executed":
                self.steps_done += 1
                self._partial.pop(data["step"], None)
                self._finished[data["step"]] = data["frames"]
                self._note_rate()
            case "step_reused":
                self.steps_reused += 1
                if data["stage"] == "segment":
                    self._supersede(data["export"], data["step"])
                self._reused[data["step"]] = data["frames"]
            case "step_failed" | "step_stopped":
                self._partial.pop(data["step"], None)

    @property
    def stage(self) -> str:
        """What the run is at, or was at last."""
        return self._last[0]

    @property
    def scene(self) -> int:
        """Of which scene; 0 where it is of none."""
        return self._last[1]

    def _supersede(self, export: str, step: str) -> None:
        """At another level an export begins anew: what was made of the level before counts no longer."""
        level = step.rpartition("/")[0].rpartition("/")[0]
        if self._levels.setdefault(export, level) == level:
            return
        gone = self._levels[export]
        self._levels[export] = level
        for counts in (self._reused, self._finished, self._partial):
            for name in [name for name in counts if name.startswith(f"{gone}/")]:
                del counts[name]
        self._history.clear()

    @property
    def frames_encoded(self) -> int:
        """Frames that this run has encoded so far."""
        return sum(self._finished.values()) + sum(self._partial.values())

    @property
    def frames_done(self) -> int:
        """Frames that are there, reused ones included."""
        return min(self.frames_encoded + sum(self._reused.values()), self.frames_total)

    @property
    def fps(self) -> float | None:
        """Frames a second over the last seconds."""
        if len(self._history) < 2:
            return None
        (first_at, first), (last_at, last) = self._history[0], self._history[-1]
        return (last - first) / (last_at - first_at) if last_at - first_at > 0.5 and last > first else None

    @property
    def eta_s(self) -> float | None:
        """Seconds until all frames are encoded, at the present rate."""
        fps = self.fps
        return (self.frames_total - self.frames_done) / fps if fps and self.is_cut else None

    def _note_rate(self) -> None:
        now = self.clock()
        self._history.append((now, self.frames_encoded))
        while now - self._history[0][0] > _WINDOW_S:
            self._history.popleft()
