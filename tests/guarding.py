"""A guarded call on a clock that only sleeping moves, and all that it tells. For the tests of the guard."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from checkpoints.ownership.clocks import Timeline
from config.loader import load_settings
from config.settings import Settings
from pipeline.resilience.attempt_events import GuardEvent
from pipeline.resilience.breakers.registry import Breakers
from pipeline.resilience.call_limits import Restraints
from pipeline.resilience.guard import Attempt, Guard, GuardedCall
from stages.base import CancelToken, Clock, Provider


@dataclass
class Time:
    """A clock that only sleeping moves, and a time of day that may be set."""

    now: float = 1000.0
    wall_offset: float = 1_700_000_000.0
    naps: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds

    def wall(self) -> float:
        return self.now + self.wall_offset

    def clock(self) -> Clock:
        return Clock(monotonic=lambda: self.now, wall=self.wall, sleep=self.sleep)

    def timeline(self, boot: str = "this start") -> Timeline:
        return Timeline(lambda: self.now, self.wall, boot)


class Named(Provider):
    def __init__(self, name: str) -> None:
        self.name = name

    def identity(self) -> dict[str, str]:
        return {}


@dataclass
class Desk:
    """What a test has before it. `asked` are the names of the providers that really did work, in order."""

    guard: Guard
    call: GuardedCall
    time: Time
    cancel: CancelToken
    notes: list[Attempt]
    events: list[GuardEvent]
    asked: list[str]

    def of(self, kind: type[Any]) -> list[Any]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def work(self, script: Mapping[str, Sequence[Any]]) -> Callable[[Provider, CancelToken], Any]:
        """Work by which each provider raises or returns what stands in its line, one after the other, then its name."""
        left = {name: list(line) for name, line in script.items()}

        def work(provider: Provider, _cancel: CancelToken) -> Any:
            self.asked.append(provider.name)
            line = left.get(provider.name)
            answer = line.pop(0) if line else f"from {provider.name}"
            if isinstance(answer, Exception):
                raise answer
            return answer

        return work


def settings_of(**given: Any) -> Settings:
    """Settings as a file gives them, in the guide's names: `settings_of(Providers={...})`. No jitter unless it is asked for."""
    flat: dict[tuple[str, ...], Any] = {("resilience", "retry", "jitter"): False}

    def flatten(path: tuple[str, ...], value: Any) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                flatten((*path, name), inner)
        else:
            flat[path] = value

    flatten((), given)
    return load_settings(flags=flat, environ={}).settings


def desk(
    settings: Settings | None = None,
    *,
    time: Time | None = None,
    restraints: Restraints | None = None,
    breakers: Breakers | None = None,
    **more: Any,
) -> Desk:
    """A guarded call by these settings, all in memory unless something else is given."""
    time, cancel = time or Time(), CancelToken()
    notes: list[Attempt] = []
    events: list[GuardEvent] = []
    guard = Guard(
        settings or settings_of(),
        breakers or Breakers(timeline=time.timeline()),
        time.clock(),
        restraints=restraints or Restraints.in_memory(time.timeline()),
        job_left_s=more.pop("job_left_s", lambda: None),
    )
    call = guard.bind(cancel, notes.append, observe=events.append, **more)
    return Desk(guard, call, time, cancel, notes, events, [])
