"""Breaker, retry, rest and fallback together: any sequence of calls to two providers, against a small model of the guard."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from checkpoints.ownership.clocks import Timeline
from config.errors import (
    FramekeepError,
    ProviderError,
    RateLimitedError,
    RejectedError,
    TransientError,
    UnavailableError,
)
from config.settings import Settings
from pipeline.resilience.breakers.registry import Breakers
from pipeline.resilience.guard import Guard
from stages.base import CancelToken, Clock, Provider

# What a provider may do when it is asked: the error's kind, how long it asks to be left alone, what that is to its circuit.
FATES: dict[str, tuple[str, float, str]] = {
    "ok": ("", 0, "success"),
    "reset": ("TransientNetworkFailure", 0, "failure"),
    "503": ("ServiceUnavailable", 0, "failure"),
    "400": ("InvalidInput", 0, "answered"),
    "429 for 3 s": ("RateLimitExceeded", 3, "neutral"),
    "429 for 20 s": ("RateLimitExceeded", 20, "neutral"),
    "cannot": ("NotSupported", 0, "neutral"),
}
ALL_TRIGGERS = ["ServiceUnavailable", "TransientNetworkFailure", "RateLimitExceeded", "CircuitOpen", "InvalidInput"]
RETRIED = {"ServiceUnavailable", "TransientNetworkFailure", "RateLimitExceeded"}


def error_of(fate: str) -> ProviderError:
    kind, rest_s, _ = FATES[fate]
    match kind:
        case "InvalidInput":
            return RejectedError(fate)
        case "NotSupported":
            return UnavailableError(fate)
        case "RateLimitExceeded":
            return RateLimitedError(fate, retry_after_s=rest_s)
        case "ServiceUnavailable":
            return TransientError(fate, kind="ServiceUnavailable")
    return TransientError(fate)


@dataclass
class Failed(Exception):
    """How asking one provider ended in the model."""

    code: str
    kind: str
    retry_after_s: float | None = None


@dataclass
class ProviderModel:
    """A provider's circuit, rest and plan of fates. There is one caller, so a test is over before anybody else asks."""

    rules: dict[str, float]
    fates: deque[str] = field(default_factory=deque)
    state: str = "closed"
    since: float = 0.0
    streak: int = 0
    ended: list[tuple[float, bool]] = field(default_factory=list)
    rests_until: float = 0.0

    def admit(self, now: float) -> None:
        pause = self.rules["break_duration_s"]
        if self.state == "open":
            if now < self.since + pause:
                raise Failed("CIRCUIT_OPEN", "CircuitOpen", self.since + pause - now)
            self.state, self.since, self.streak = "half-open", now, 0

    def end(self, now: float, outcome: str) -> None:
        if self.state == "half-open":
            if outcome == "failure":
                self.state, self.since = "open", now
            elif outcome == "success":
                self.streak += 1
                if self.streak >= self.rules["success_threshold"]:
                    self.state, self.ended = "closed", []
        elif outcome != "neutral":
            self.ended.append((now, outcome == "failure"))
            recent = [failed for at, failed in self.ended if at > now - self.rules["sampling_duration_s"]]
            enough = len(recent) >= self.rules["minimum_throughput"] and sum(recent) >= self.rules["failure_threshold"]
            if outcome == "failure" and enough:
                self.state, self.since, self.ended = "open", now, []


@dataclass
class GuardModel:
    """What the guard should do, as a straight line of text."""

    providers: dict[str, ProviderModel]
    retries: int
    limit_s: float
    triggers: set[str]
    now: float = 0.0
    asked: list[tuple[str, str]] = field(default_factory=list)

    def call(self, chain: list[str]) -> str:
        """The provider that answered, or the code of the error."""
        ends: list[Failed] = []
        for place, name in enumerate(chain):
            is_last = place + 1 == len(chain)
            try:
                self.ask(name, is_last)
                return name
            except Failed as end:
                ends.append(end)
                if not is_last and end.kind != "NotSupported" and end.kind not in self.triggers:
                    return end.code
        waiting = [end for end in ends if end.retry_after_s is not None]
        return min(waiting, key=lambda end: end.retry_after_s or 0).code if waiting else ends[-1].code

    def ask(self, name: str, is_last: bool) -> None:
        provider, began = self.providers[name], self.now
        for attempt in range(self.retries + 1):
            left = self.limit_s - (self.now - began) if self.limit_s else float("inf")
            rest = provider.rests_until - self.now
            if rest > 0:
                if not is_last or rest >= left:
                    raise Failed("PROVIDER_RESTS", "RateLimitExceeded", rest)
                self.now += rest
            provider.admit(self.now)
            fate = provider.fates.popleft() if provider.fates else "ok"
            self.asked.append((name, fate))
            kind, rest_s, outcome = FATES[fate]
            provider.end(self.now, outcome)
            if fate == "ok":
                return
            if rest_s:
                provider.rests_until = self.now + rest_s
            if kind not in RETRIED:
                raise Failed("REQUEST_REJECTED" if kind == "InvalidInput" else "PROVIDER_UNAVAILABLE", kind)
            left = self.limit_s - (self.now - began) if self.limit_s else float("inf")
            pause = max(min(1.0 * 2**attempt, 8.0), rest_s)
            if attempt == self.retries or pause >= left:
                raise Failed("RETRY_EXHAUSTED", kind, rest_s or 60)
            self.now += pause
        raise AssertionError("the loop ends by itself")


class Named(Provider):
    def __init__(self, name: str) -> None:
        self.name = name

    def identity(self) -> dict[str, str]:
        return {"name": self.name}


class Machine(RuleBasedStateMachine):
    """One process, one chain of two providers, a clock that only pauses and rules move."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.asked: list[tuple[str, str]] = []
        self.fates: dict[str, deque[str]] = {"A": deque(), "B": deque()}
        self.named = {name: Named(name) for name in self.fates}
        self.model = GuardModel({}, 0, 0, set())
        self.breakers = Breakers()

    @initialize(
        rules=st.fixed_dictionaries(
            {
                "failure_threshold": st.integers(1, 4),
                "sampling_duration_s": st.sampled_from([10, 60]),
                "minimum_throughput": st.integers(1, 5),
                "break_duration_s": st.sampled_from([0, 5, 30]),
                "half_open_duration_s": st.sampled_from([2, 10]),
                "success_threshold": st.integers(1, 3),
            }
        ),
        retries=st.integers(0, 4),
        limit_s=st.sampled_from([0, 7, 25, 300]),
        triggers=st.lists(st.sampled_from(ALL_TRIGGERS), unique=True),
    )
    def set_up(self, rules: dict[str, float], retries: int, limit_s: float, triggers: list[str]) -> None:
        given: dict[str, Any] = {
            "resilience": {
                "circuit_breaker": rules,
                "retry": {
                    "max_retry_attempts": retries,
                    "jitter": False,
                    "max_delay_ms": 8000,
                    "budget": {"max_retries": 0},
                },
            },
            "timeouts": {"operation_ms": limit_s * 1000, "request_ms": 0},
            "providers": {"tts": {"fallback_triggers": triggers}},
        }
        self.model = GuardModel({name: ProviderModel(rules) for name in self.fates}, retries, limit_s, set(triggers))
        self.breakers = Breakers(timeline=Timeline(lambda: self.now, lambda: self.now, "boot"))
        clock = Clock(monotonic=lambda: self.now, wall=lambda: self.now, sleep=self.pass_time_only)
        guard = Guard(Settings.model_validate(given), self.breakers, clock)
        self.guarded = guard.bind(CancelToken(), lambda note: None)

    def pass_time_only(self, seconds: float) -> None:
        self.now += seconds

    def work(self, provider: Provider, _cancel: CancelToken) -> str:
        fate = self.fates[provider.name].popleft() if self.fates[provider.name] else "ok"
        self.asked.append((provider.name, fate))
        if fate != "ok":
            raise error_of(fate)
        return f"of {provider.name}"

    @rule(name=st.sampled_from("AB"), fates=st.lists(st.sampled_from(list(FATES)), max_size=6))
    def plan(self, name: str, fates: list[str]) -> None:
        self.fates[name].extend(fates)
        self.model.providers[name].fates.extend(fates)

    @rule(name=st.sampled_from("AB"), times=st.integers(1, 12))
    def go_down(self, name: str, times: int) -> None:
        self.plan(name, ["503"] * times)

    @rule(chain=st.sampled_from(["AB", "BA", "A", "B"]))
    def call(self, chain: str) -> None:
        expected = self.model.call(list(chain))
        try:
            answer, provider = self.guarded("speak", [self.named[name] for name in chain], self.work)
            ended = provider.name
            assert answer == f"of {ended}"
        except FramekeepError as error:
            ended = error.code
        assert ended == expected

    @rule(seconds=st.sampled_from([1, 2, 5, 9, 10, 30, 60]))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.model.now += seconds

    @invariant()
    def agree(self) -> None:
        assert (self.asked, self.now) == (self.model.asked, self.model.now)
        for name, state in self.breakers.states().items():
            assert state == self.model.providers[name.removesuffix("-TTS")].state


def run(examples: int, steps: int) -> None:
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Machine, settings=chosen)


def test_any_sequence_of_calls_goes_as_the_model_says() -> None:
    run(examples=200, steps=15)


@pytest.mark.faults
@pytest.mark.timeout(1800)
def test_ten_thousand_sequences_of_calls_go_as_the_model_says() -> None:
    run(examples=10_000, steps=40)
