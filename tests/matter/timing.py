"""`Timeouts` and the providers' own: which limit cuts a call off, and whether a job's time is up."""

from __future__ import annotations

from typing import Any

import pytest

from config.errors import ProviderError, TimedOutError
from config.settings import Settings
from pipeline.resilience.breakers.registry import Breakers
from pipeline.resilience.guard import Guard
from stages.base import CancelToken, Provider
from tests.guarding import Named
from tests.matter.case import Case, Lab, Observe
from tests.matter.paper import Paper

# Long enough for nothing but a limit of its own to end it.
_FOR_EVER_S = 60
SOON_MS, LATER_MS = 20, 60


def cut_off(name: str, operation: str = "write") -> Observe:
    """Which limit ends a call that does not end by itself."""

    def hang(_provider: Provider, cancel: CancelToken) -> None:
        assert cancel.wait(_FOR_EVER_S), "no limit cut it off"
        cancel.check()

    def observe(settings: Settings, _lab: Lab) -> str:
        call = Guard(settings, Breakers()).bind(CancelToken(), lambda attempt: None)
        with pytest.raises(ProviderError) as caught:
            call(operation, [Named(name)], hang)
        cause = caught.value.__cause__
        assert isinstance(cause, TimedOutError)
        return cause.limit

    return observe


def ends(settings: Settings, lab: Lab) -> tuple[int, str]:
    """How a job ends whose mix takes a little longer than a short limit allows."""
    paper = Paper(settings, lab)
    paper.on("mix", lambda _step, cancel: cancel.wait(0.3) and cancel.check())
    result = paper.render()
    return result.exit_code, result.error.code if result.error else ""


def _around(**timeouts: float) -> dict[str, Any]:
    return {"Resilience": {"Retry": {"MaxRetryAttempts": 0}}, "Timeouts": timeouts}


def _request(name: str, operation: str) -> Case:
    return Case((SOON_MS, 0), ("request", "operation"), cut_off(name, operation), _around(Operation=LATER_MS))


def _operation(name: str, operation: str) -> Case:
    return Case((SOON_MS, 0), ("operation", "request"), cut_off(name, operation), _around(Request=LATER_MS))


OUT_OF_TIME = ((0, ""), (75, "JOB_TIMEOUT"))

CASES: dict[str, Case] = {
    "Timeouts.Request": _request("OpenAI", "write"),
    "Timeouts.Operation": _operation("OpenAI", "write"),
    "Timeouts.Job": Case((0, 100), OUT_OF_TIME, ends),
    "Rendering.JobTimeout": Case((0, 100), OUT_OF_TIME, ends, {"Timeouts": {"Job": 50}}),
    "Providers.OpenAI.RequestTimeout": _request("OpenAI", "write"),
    "Providers.OpenAI.OperationTimeout": _operation("OpenAI", "write"),
    "Providers.ElevenLabs.RequestTimeout": _request("ElevenLabs", "speak"),
    "Providers.ElevenLabs.OperationTimeout": _operation("ElevenLabs", "speak"),
}
