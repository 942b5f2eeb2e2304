"""`HealthChecks`: what a run looks at and when, and what it does about a service that is down."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

from config.errors import UnavailableError
from config.settings import Settings
from pipeline.events import Bus
from pipeline.health import tool_checks
from pipeline.health.monitor import HealthWatch
from pipeline.observability.alerts import Alerts
from pipeline.observability.logs import log_event
from pipeline.observability.telemetry import Telemetry
from pipeline.planning.toolbox import Toolbox
from stages.base import CancelToken
from stages.models import Brief
from tests.conftest import Workbench
from tests.guarding import Named, desk
from tests.matter.case import Case, Lab


@dataclass
class Seen:
    """What came of two looks while the service was down: the waits before each, how often who was looked at, what was done."""

    waits: list[float] = field(default_factory=list)
    connected: int = 0
    tried: list[str] = field(default_factory=list)
    renewed: int = 0
    alerts: list[str] = field(default_factory=list)
    logged: int = 0
    first_asked: str = ""


class _Log(logging.Handler):
    def __init__(self, seen: Seen) -> None:
        super().__init__()
        self.seen = seen

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.logged += "LocalLLM" in record.getMessage()


def _looks(settings: Settings, lab: Lab) -> Seen:
    """A run that looks twice after its services; the language model on this machine does not answer."""
    seen, bench, at = Seen(), Workbench(lab.folder / "bench"), desk(settings)
    toolbox = Toolbox(Brief(title="T", text="A lamp is lit."), settings)

    def connect(_self: Any, _cancel: CancelToken, _timeout_s: float) -> None:
        seen.connected += 1
        raise UnavailableError("no answer", provider="LocalLLM")

    def renew(_self: Any) -> None:
        seen.renewed += 1

    def wait(seconds: float) -> bool:
        seen.waits.append(seconds)
        return len(seen.waits) > 2

    lab.monkeypatch.setattr("stages.script.llm.writer.LlmWriter.connect", connect)
    lab.monkeypatch.setattr(Toolbox, "renew", renew)
    lab.monkeypatch.setattr(tool_checks, "try_ffmpeg", lambda cancel: seen.tried.append("encode"))
    lab.monkeypatch.setattr(tool_checks, "ask_ffmpeg", lambda: seen.tried.append("version"))
    alerts = Alerts(settings.monitoring, lambda title, *_: not seen.alerts.append(title))
    log, handler = logging.getLogger("framekeep"), _Log(seen)
    log.addHandler(handler)
    try:
        telemetry = Telemetry("job", settings.monitoring.resilience, bench.ledger, Bus(log_event), alerts)
        watch = HealthWatch(at.guard, toolbox, telemetry, wait)
        watch.start()
        if watch._thread.ident:
            watch._thread.join(20)
        at.call("write", [Named("LocalLLM"), Named("other")], at.work({}))
        watch.stop()
    finally:
        log.removeHandler(handler)
        alerts.close()
        bench.ledger.close()
    seen.first_asked = at.asked[0]
    return seen


def _case(values: tuple[Any, Any], seen: tuple[Any, Any], part: str, **checks: Any) -> Case:
    """What one part of the looks is with each of two values."""
    account = {"BaseUrl": "http://127.0.0.1:9/v1", "Model": "small", "ApiKey": "sk-none"}
    around = {"Providers": {"LLM": ["LocalLLM", "outline"], "LocalLLM": account}, "HealthChecks": checks}
    return Case(values, seen, lambda settings, lab: getattr(_looks(settings, lab), part), around)


RESTARTS = {"AutomaticRecovery": {"Actions": {"RestartOnUnhealthy": True}}}
BOTH = ["encode", "encode"]

CASES: dict[str, Case] = {
    "HealthChecks.Enabled": _case((True, False), (2, 0), "connected"),
    "HealthChecks.Interval": _case((60_000, 5_000), ([60.0] * 3, [5.0] * 3), "waits"),
    "HealthChecks.Providers.Enabled": _case((True, False), (2, 0), "connected"),
    "HealthChecks.Providers.TestConnection": _case((True, False), (2, 0), "connected"),
    "HealthChecks.FFmpeg.Enabled": _case((True, False), (BOTH, []), "tried"),
    "HealthChecks.FFmpeg.TestExecution": _case((True, False), (BOTH, ["version", "version"]), "tried"),
    "HealthChecks.AutomaticRecovery.Enabled": _case((True, False), (2, 0), "renewed", **RESTARTS),
    "HealthChecks.AutomaticRecovery.Actions.RestartOnUnhealthy": _case((False, True), (0, 2), "renewed"),
    "HealthChecks.AutomaticRecovery.Actions.SwitchProvider": _case((True, False), ("other", "LocalLLM"), "first_asked"),
    "HealthChecks.AutomaticRecovery.Actions.NotifyUser": _case((True, False), (["LocalLLM: Unhealthy"], []), "alerts"),
    "HealthChecks.AutomaticRecovery.Actions.LogErrors": _case((True, False), (1, 0), "logged"),
}
