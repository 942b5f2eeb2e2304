"""The limit on one call: a request's own, or what is left of its operation. The error names which ran out.

The token that the work is handed is cancelled when the time is up: that kills its child process, closes its socket and lets its
thread go on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Literal, TypeVar

from config.errors import CancelledError, TimedOutError
from pipeline.resilience.deadlines import ALARMS
from pipeline.resilience.policy import Policy
from stages.base import CancelToken

T = TypeVar("T")

Limit = Literal["request", "operation"]


def in_time(
    policy: Policy, provider: str, cancel: CancelToken, left_s: float | None, work: Callable[[CancelToken], T]
) -> T:
    """What `work` returns or raises; TimedOutError when its time is up. `left_s` of the operation, None for no limit."""
    name, limit_s = _shorter(policy.request_timeout_s, left_s)
    token = CancelToken(cancel)
    if limit_s is None:
        try:
            return work(token)
        finally:
            token.close()
    named_s = policy.request_timeout_s if name == "request" else policy.operation_timeout_s
    reason = f"the {name} timeout of {named_s:g} s ran out"
    expired = threading.Event()

    def expire() -> None:
        expired.set()
        token.cancel(reason)

    alarm = ALARMS.after(limit_s, expire)
    try:
        return work(token)
    except CancelledError as error:
        if not expired.is_set() or cancel.cancelled:
            raise
        cut_off = TimedOutError(
            f"{policy.name}: {reason}",
            provider=provider,
            hint=f"a longer limit: {policy.timeout_settings[name]} (milliseconds, 0 for none); or try again: framekeep resume",
        )
        cut_off.limit = name
        raise cut_off from error
    finally:
        alarm.cancel()
        token.close()


def _shorter(request_s: float, left_s: float | None) -> tuple[Limit, float | None]:
    if left_s is None:
        return "request", request_s or None
    if request_s and request_s <= left_s:
        return "request", request_s
    return "operation", left_s
