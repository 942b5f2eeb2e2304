"""`Retry`: how often a provider that fails is asked, and how long the pauses before that are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from config.errors import ProviderError, TimedOutError, TransientError
from config.settings import Settings
from tests.guarding import Named, desk
from tests.matter.case import Case, Lab, Observe


def pauses(name: str = "OpenAI") -> Observe:
    """The sleeps asked of the clock while a provider is down."""

    def observe(settings: Settings, _lab: Lab) -> list[float]:
        at = desk(settings)
        with pytest.raises(ProviderError):
            at.call("write", [Named(name)], at.work({name: [TransientError("down")] * 20}))
        return at.time.naps

    return observe


def calls(error: type[ProviderError]) -> Observe:
    """How many calls a provider gets that fails in one and the same way."""

    def observe(settings: Settings, _lab: Lab) -> int:
        at = desk(settings)
        with pytest.raises(ProviderError):
            at.call("write", [Named("OpenAI")], at.work({"OpenAI": [error("no") for _ in range(20)]}))
        return len(at.asked)

    return observe


# At the top of a file it means the same.
SHORT: dict[str, Any] = {
    "Retry": {"MaxRetryAttempts": 3, "InitialDelay": 1000, "Jitter": False},
    "CircuitBreaker": {"Enabled": False},
}
PLAIN: dict[str, Any] = {"Resilience": SHORT}

RULES: dict[str, Case] = {
    "MaxRetryAttempts": Case((1, 5), ([1], [1, 2, 4, 8, 16]), pauses(), PLAIN),
    "InitialDelay": Case((500, 5000), ([0.5, 1, 2], [5, 10, 20]), pauses(), PLAIN),
    "MaxDelay": Case((60_000, 1500), ([1, 2, 4], [1, 1.5, 1.5]), pauses(), PLAIN),
    "BackoffMultiplier": Case((1.5, 3), ([1, 1.5, 2.25], [1, 3, 9]), pauses(), PLAIN),
    "RetryableErrors": Case((["Timeout"], ["ServiceUnavailable"]), (4, 1), calls(TimedOutError), PLAIN),
    "NonRetryableErrors": Case((["InvalidInput"], ["Timeout"]), (4, 1), calls(TimedOutError), PLAIN),
}

CASES: dict[str, Case] = {
    **{f"Resilience.Retry.{name}": case for name, case in RULES.items()},
    **{
        f"Retry.{name}": replace(RULES[name], around=SHORT)
        for name in ("MaxRetryAttempts", "InitialDelay", "BackoffMultiplier")
    },
    "Providers.OpenAI.Retry.MaxRetryAttempts": RULES["MaxRetryAttempts"],
    "Providers.OpenAI.Retry.InitialDelay": RULES["InitialDelay"],
    "Providers.Anthropic.Retry.MaxRetryAttempts": Case((1, 2), ([1], [1, 2]), pauses("Anthropic"), PLAIN),
    "Providers.Anthropic.Retry.InitialDelay": Case(
        (10, 20), ([0.01, 0.02, 0.04], [0.02, 0.04, 0.08]), pauses("Anthropic"), PLAIN
    ),
}
