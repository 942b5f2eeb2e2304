"""The error that is left when a provider has been asked as often as it may be: what happened, and when to come back."""

from __future__ import annotations

import math
from collections.abc import Sequence

from config.errors import ProviderError, RenderExhaustedError, RetryExhaustedError
from pipeline.resilience.cooldowns import clock_time
from pipeline.resilience.policy import LOCAL_MEDIA, Policy
from pipeline.resilience.retry import SpentError

EXHAUSTED_MESSAGE = "All retry attempts have been exhausted for this operation"

# A provider that failed every time and did not say when to come back.
_COME_BACK_S = 60.0


def exhausted(
    policy: Policy, operation: str, provider: str, calls: int, spent: SpentError, history: Sequence[str], wall_s: float
) -> RetryExhaustedError:
    """After `calls` calls, of which `history` tells. `wall_s` is the time of day."""
    error, is_local = spent.error, operation in LOCAL_MEDIA
    budget = policy.retry.budget
    why = {
        "attempts": "",
        "time": f"; the next would have come after {spent.pause_s:.3g} s, for which there is no time",
        "budget": f"; the {budget.max_retries} retries that it has in {budget.window_s:g} s are used up",
    }[spent.why]
    counted = "1 call" if calls == 1 else f"{calls} calls"
    come_back_s = None if is_local else error.retry_after_s or _COME_BACK_S
    return (RenderExhaustedError if is_local else RetryExhaustedError)(
        f"{policy.name}: {EXHAUSTED_MESSAGE} ({counted}{why}; last: {error.message})",
        provider=provider,
        hint=_hint(error, come_back_s, wall_s),
        retry_after_s=come_back_s,
        attempts=history,
        kind=error.kind,
    )


def _hint(error: ProviderError, come_back_s: float | None, wall_s: float) -> str:
    if come_back_s is None:
        return error.hint or "framekeep doctor"
    at = clock_time(wall_s + come_back_s + 0.999)
    wait = f"wait until {at} ({math.ceil(come_back_s)} s), then: framekeep resume"
    is_more = error.hint and not error.hint.startswith(("framekeep resume", "wait"))
    return f"{error.hint}, not before {at}" if is_more else wait
