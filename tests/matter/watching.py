"""`Monitoring`, `Logging` and `Testing`: what is noted, who is alerted, what stands in the log, and what fails on purpose."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from config.errors import ProviderError, TransientError
from config.settings import Settings
from pipeline.engine.run_services import watched
from pipeline.events import Bus, Event
from pipeline.observability.alerts import Alerts
from pipeline.observability.logs import log_event, open_log
from pipeline.resilience.breakers.registry import Breakers
from pipeline.resilience.fault_injection import Simulator
from pipeline.resilience.guard import Guard
from stages.base import CancelToken, Clock, Provider
from tests.conftest import Workbench
from tests.guarding import Named
from tests.matter.case import Case, Lab, Observe

OPENED = Event("circuit", "job", {"message": "[Circuit Breaker] OpenAI-LLM: State changed to Open"})
ANSWERED = Event("attempt", "job", {"provider": "OpenAI", "outcome": "ok", "code": ""})
TOLD = frozenset({"call", "retry", "exhausted", "fallback", "circuit_changed"})


def _trouble(settings: Settings, lab: Lab) -> tuple[set[str], set[str]]:
    """What is kept of two calls, and what people are told of them: one provider fails until its circuit opens, another answers."""
    told: set[str] = set()

    def send(_alerts: Alerts, title: str, _body: str, _kind: str) -> bool:
        told.add(title)
        return True

    lab.monkeypatch.setattr(Alerts, "_through_apprise", send)
    bench, breakers = Workbench(lab.folder / "bench"), Breakers()
    guard = Guard(settings, breakers, Clock(sleep=lambda seconds: None))

    def work(provider: Provider, _cancel: CancelToken) -> str:
        if provider.name == "OpenAI":
            raise TransientError("down")
        return "answer"

    with watched("job", bench.ledger, settings, Bus(lambda event: None), breakers) as telemetry:
        call = guard.bind(CancelToken(), lambda attempt: None, observe=lambda event: telemetry.take("script", event))
        for _ in range(2):
            call("write", [Named("OpenAI"), Named("Anthropic")], work)
    kinds = {event.kind for event in bench.ledger.events("job")} & TOLD
    bench.ledger.close()
    return kinds, told


def kept(*kinds: str) -> Observe:
    """Whether all of these events are in the ledger, or none."""

    def observe(settings: Settings, lab: Lab) -> str:
        found = _trouble(settings, lab)[0] & set(kinds)
        return {len(kinds): "all", 0: "none"}.get(len(found), "some")

    return observe


def alerted(settings: Settings, lab: Lab) -> set[str]:
    """The alerts that people get."""
    return _trouble(settings, lab)[1]


def everything(settings: Settings, lab: Lab) -> tuple[int, int]:
    """How many kinds of events are kept, and how many alerts are sent."""
    kinds, told = _trouble(settings, lab)
    return len(kinds), len(told)


def logged(settings: Settings, lab: Lab) -> list[bool]:
    """Whether an opened circuit stands in the log, and whether a call that went well does."""
    before = {name: logging.getLogger(name).level for name in ("framekeep", "framekeep.resilience")}
    close = open_log(lab.folder, settings.logging)
    try:
        log_event(OPENED)
        log_event(ANSWERED)
    finally:
        close()
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
    file = lab.folder / "framekeep.log"
    text = file.read_text() if file.exists() else ""
    return ["changed to Open" in text, "outcome=ok" in text]


def failed_of(calls: int) -> Observe:
    """How many of so many calls fail though nothing is wrong, in tenths."""

    def observe(settings: Settings, _lab: Lab) -> int:
        simulator, failed = Simulator(settings.testing), 0
        for number in range(calls):
            work: Callable[..., Any] = simulator.around(f"s{number}", "draw", lambda *_: "drawn", lambda *_: None)
            try:
                work(Named("card"), CancelToken())
            except ProviderError:
                failed += 1
        return round(10 * failed / calls)

    return observe


OPENS: dict[str, Any] = {
    "Resilience": {"CircuitBreaker": {"FailureThreshold": 4}, "Retry": {"MaxRetryAttempts": 3}},
    "Monitoring": {"AlertUrls": ["json://127.0.0.1/x"]},
}
BOTH = {"Circuit open: OpenAI-LLM", "Retries exhausted: OpenAI"}
ON: dict[str, Any] = {"Testing": {"SimulateFailures": True, "FailureRate": 1, "Kinds": ["error"], "Force": True}}


def _monitored(name: str, seen: tuple[Any, Any], observe: Observe) -> dict[str, Case]:
    return {f"Monitoring.Resilience.{name}": Case((True, False), seen, observe, OPENS)}


CASES: dict[str, Case] = {
    **_monitored("Enabled", ((5, 2), (0, 0)), everything),
    **_monitored("TrackCircuitBreakerState", ("all", "none"), kept("circuit_changed")),
    **_monitored("TrackRetryAttempts", ("all", "none"), kept("call", "retry", "exhausted")),
    **_monitored("TrackFallbacks", ("all", "none"), kept("fallback")),
    **_monitored("AlertOnCircuitOpen", (BOTH, {"Retries exhausted: OpenAI"}), alerted),
    **_monitored("AlertOnRetriesExhausted", (BOTH, {"Circuit open: OpenAI-LLM"}), alerted),
    "Logging.LogLevel.Aura.Core.Resilience": Case(("Debug", "None"), ([True, True], [False, False]), logged),
    "Testing.SimulateFailures": Case((True, False), (10, 0), failed_of(20), ON),
    "Testing.FailureRate": Case((1, 0.3), (10, 3), failed_of(400), ON),
}
