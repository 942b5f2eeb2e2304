"""`CircuitBreaker`: which of a row of calls are let through to a provider that fails, and when."""

from __future__ import annotations

from typing import Any

from config.errors import CircuitOpenError, ProviderError, TransientError
from config.settings import Settings
from tests.guarding import Desk, Named, desk
from tests.matter.case import Case, Lab, Observe

OPENAI = Named("OpenAI")
ONE_CALL = {"MaxRetryAttempts": 0, "Budget": {"MaxRetries": 0}}


def letters(*plan: str | int) -> Observe:
    """A row of calls: `x` fails, `o` is answered, a number is seconds. Seen is the same, with `-` for one that is refused."""

    def observe(settings: Settings, _lab: Lab) -> str:
        at = desk(settings)
        seen = ""
        for item in plan:
            if isinstance(item, int):
                at.time.now += item
            else:
                seen += "".join(_call(at, letter) for letter in item)
        return seen

    return observe


def _call(at: Desk, letter: str) -> str:
    made = len(at.asked)
    script: dict[str, Any] = {"OpenAI": [TransientError("down")]} if letter == "x" else {}
    try:
        at.call("write", [OPENAI], at.work(script))
    except CircuitOpenError:
        return "-"
    except ProviderError:
        assert len(at.asked) == made + 1
        return "x"
    return "o"


def _case(values: tuple[Any, Any], seen: tuple[str, str], *plan: str | int, **rules: Any) -> Case:
    return Case(values, seen, letters(*plan), {"Resilience": {"Retry": ONE_CALL, "CircuitBreaker": rules}})


RULES: dict[str, Case] = {
    "FailureThreshold": _case((3, 5), ("xxx---", "xxxxx-"), "xxxxxx"),
    "SamplingDuration": _case((60, 10), ("xxx-", "xxxx"), "x", 20, "x", 20, "xx", FailureThreshold=3),
    "MinimumThroughput": _case((3, 6), ("xxx----", "xxxxxx-"), "xxxxxxx", FailureThreshold=3),
    "BreakDuration": _case((30, 60), ("xxxxx-o", "xxxxx--"), "xxxxxx", 40, "o"),
    "SuccessThreshold": _case((1, 2), ("xxxxxoxo", "xxxxxox-"), "xxxxx", 40, "oxo"),
    "Enabled": _case((True, False), ("xxxxx-", "xxxxxx"), "xxxxxx"),
}

CASES: dict[str, Case] = {
    **{f"Resilience.CircuitBreaker.{name}": case for name, case in RULES.items()},
    # At the top of a file it means the same.
    **{f"CircuitBreaker.{name}": RULES[name] for name in ("Enabled", "FailureThreshold", "BreakDuration")},
}
