"""What a run's events mean for whoever watches: a snapshot of where it stands, and sentences for what happened."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pipeline.cli.terminal.activity_text import activity_lines, wait_text
from pipeline.cli.terminal.console import Tone, clock_text
from pipeline.events import Event
from pipeline.observability.activity import wait_of
from pipeline.observability.progress import Progress

# Whoever looks on takes no notice of a shorter pause.
_NOTICED_S = 1.0
# Told each time.
_WAITS = frozenset({"retry", "waiting"})

STAGE_NAMES = {"segment": "render", "mix": "sound", "mux": "joining", "images": "pictures"}


@dataclass(frozen=True)
class View:
    """Where a run stands. `activities` are what is done side by side, in words. `fps` and `eta_s` are None until known."""

    job_id: str = ""
    title: str = ""
    exports: tuple[str, ...] = ()
    output: str = ""
    position: str = ""
    activities: tuple[str, ...] = ()
    is_encoding: bool = False
    quality: str = ""
    encoder: str = ""
    steps_done: int = 0
    steps_reused: int = 0
    steps_total: int = 0
    frames_done: int = 0
    frames_total: int = 0
    is_cut: bool = False
    fps: float | None = None
    eta_s: float | None = None

    @property
    def fraction(self) -> float | None:
        """How much of the frames is there; None until the film is cut."""
        return self.frames_done / self.frames_total if self.is_cut and self.frames_total else None

    @property
    def place(self) -> str:
        """`encoding youtube; mixing the sound`."""
        return "; ".join(self.activities) or "starting"

    @property
    def figures(self) -> str:
        """`420 of 2,100 frames · 31.2 fps · 0:54 left · High · libx264 · 14 of 40 steps`, as far as it is known."""
        parts = []
        if self.is_cut and self.frames_total:
            videos = f" of {len(self.exports)} videos" if len(self.exports) > 1 else ""
            parts.append(f"{self.frames_done:,} of {self.frames_total:,} frames{videos}")
        if self.is_encoding:
            parts += [f"{self.fps:.1f} fps"] if self.fps is not None else []
            parts += [f"{clock_text(self.eta_s)} left"] if self.eta_s is not None else []
            parts += [part for part in (self.quality, self.encoder) if part]
        if self.steps_total:
            parts.append(f"{self.steps_done + self.steps_reused:,} of {self.steps_total:,} steps")
        return " · ".join(parts)


@dataclass
class Watcher:
    """Takes events from any thread; `view` is a consistent snapshot. Starts again with each job."""

    clock: Callable[[], float] = time.monotonic
    position: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _progress: Progress = field(default_factory=Progress)
    _job: dict[str, Any] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._progress = Progress(clock=self.clock)

    def take(self, event: Event) -> tuple[str, Tone] | None:
        """Count an event in; a sentence when it is worth one. The same sentence is told once for each job."""
        with self._lock:
            if event.kind == "job_started":
                self._progress = Progress(clock=self.clock)
                self._told.clear()
                self._job = {"job_id": event.job_id, **event.data}
            self._progress.take(event)
            sentence = sentence_of(event)
            if sentence is None:
                return None
            # Two runs that share their work wait for each other again and again; a pause may well be as long as the last one.
            once = f"{event.data['job']} {event.data['pid']}" if event.kind == "step_waiting" else sentence[0]
            if event.kind not in _WAITS and once in self._told:
                return None
            self._told.add(once)
            return sentence

    def view(self) -> View:
        """Where the run stands now."""
        with self._lock:
            progress, job = self._progress, self._job
            activities = progress.activities.all()
            return View(
                job_id=job.get("job_id", ""),
                title=progress.title,
                exports=tuple(job.get("exports", ())),
                output=job.get("output", ""),
                position=self.position,
                activities=tuple(activity_lines(activities, progress.scenes, self.clock())),
                is_encoding=any(one.stage == "segment" for one in activities),
                quality=progress.quality,
                encoder=progress.encoder,
                steps_done=progress.steps_done,
                steps_reused=progress.steps_reused,
                steps_total=progress.steps_total,
                frames_done=progress.frames_done,
                frames_total=progress.frames_total,
                is_cut=progress.is_cut,
                fps=progress.fps,
                eta_s=progress.eta_s,
            )


def sentence_of(event: Event) -> tuple[str, Tone] | None:
    """What is said of an event when it happens: everything that makes the result worse, or take longer."""
    data = event.data
    match event.kind:
        case "degraded":
            return f"degraded: {degradation_text(data)}", "warn"
        case "repaired":
            place = _place(STAGE_NAMES.get(data["stage"], data["stage"]), data["scene"])
            return f"repaired: {place}: its checkpoint was damaged ({data['artifact']}) and is made again", "warn"
        case "warning":
            place = f"scene {data['scene']}: " if data["scene"] else ""
            return f"warning: {place}{data['message']}", "warn"
        case "circuit" | "step_waiting":
            return data["message"], "warn"
        case "retry" | "waiting":
            return _wait_sentence(event)
        case "health" if "NotifyUser" in data["actions"]:
            return _health_text(data), "good" if data["new"] == "Healthy" else "warn"
        case "attempt" if data["outcome"] != "ok" and data["code"] not in ("CIRCUIT_OPEN", "INTERRUPTED"):
            place = _place(data["operation"], data["scene"])
            return f"{place}: {data['provider']} failed ({data['code']}): {data['message']}", "warn"
    return None


def _wait_sentence(event: Event) -> tuple[str, Tone] | None:
    """A wait that one would notice. Nobody knows how long one for another call takes: the view shows it while it lasts."""
    wait = wait_of(event, 0.0)
    if wait.ends_at is None or wait.ends_at < _NOTICED_S:
        return None
    return f"{_place(event.data['operation'], event.data['scene'])}: {wait_text(wait, 0.0)}", "plain"


def _health_text(data: dict[str, Any]) -> str:
    """With the time of day: the same may happen again."""
    at = time.strftime("%H:%M:%S", time.localtime(data["at"]))
    if data["new"] == "Healthy":
        return f"{data['name']} is healthy again, since {at}"
    last = (
        "; it is asked after all others" if "SwitchProvider" in data["actions"] and data["new"] == "Unhealthy" else ""
    )
    return f"{data['name']} is {data['new'].lower()} since {at}: {data['message']}{last}"


def degradation_text(data: dict[str, Any]) -> str:
    """`render: High → Low: memory ran out`."""
    return f"{_place(data['stage'], data['scene'])}: {data['wanted']} → {data['got']}: {data['reason']}"


def _place(name: str, scene: int) -> str:
    return f"{name}, scene {scene}" if scene else name
