"""Failures on purpose, innermost: what stands outside of them cannot tell them from real ones.

Which calls fail, and how, follows from the seed, the step and how often that step has called: not from the order of threads.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from config.errors import (
    DiskFullError,
    FramekeepError,
    ProviderError,
    QuotaError,
    RateLimitedError,
    TimedOutError,
    TransientError,
)
from config.watching import FaultKind, FaultStage, Testing
from stages.base import CancelToken, Provider

T = TypeVar("T")
P = TypeVar("P", bound=Provider)

_STAGES: dict[str, FaultStage] = {
    "write": "script",
    "speak": "speech",
    "draw": "images",
    "encode": "render",
    "mix": "render",
    "mux": "render",
}
_OF_SERVICES: frozenset[FaultKind] = frozenset({"error", "timeout", "slow", "truncated", "rate_limit", "quota"})
_OF_ENCODERS: frozenset[FaultKind] = frozenset({"error", "slow", "disk_full", "killed_encoder"})
_SLOW_S = 1.0
_COME_BACK_S = 0.2

Told = Callable[[FaultKind, str, str], None]


class Simulator:
    """Decides for each call whether it fails. Safe to share between threads."""

    def __init__(self, testing: Testing) -> None:
        self._testing = testing
        self._calls: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def is_on(self) -> bool:
        return self._testing.is_on

    def around(
        self, step: str, operation: str, work: Callable[[P, CancelToken], T], told: Told
    ) -> Callable[[P, CancelToken], T]:
        """The work with a failure in its place, or the work itself. `told` hears of each failure before it happens."""

        def injected(provider: P, cancel: CancelToken) -> T:
            kind = self._fault(step, operation, provider.name)
            if kind is None:
                return work(provider, cancel)
            told(kind, operation, provider.name)
            if kind == "slow":
                cancel.wait(_SLOW_S)
                cancel.check()
                return work(provider, cancel)
            error = _error(kind, provider.name)
            if isinstance(error, ProviderError):
                error.is_simulated = True
            raise error

        return injected

    def _fault(self, step: str, operation: str, provider: str) -> FaultKind | None:
        stage = _STAGES.get(operation)
        if not self.is_on or stage not in self._testing.stages:
            return None
        fitting = _OF_ENCODERS if stage == "render" else _OF_SERVICES
        kinds = [kind for kind in self._testing.kinds if kind in fitting]
        if not kinds:
            return None
        name = f"{step}/{operation}/{provider}"
        with self._lock:
            self._calls[name] += 1
            number = self._calls[name]
        chance, choice = _draws(f"{self._testing.seed}/{name}/{number}")
        return kinds[int(choice * len(kinds))] if chance < self._testing.failure_rate else None


def _draws(text: str) -> tuple[float, float]:
    """Two numbers in [0, 1) that only the text decides."""
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56, int.from_bytes(digest[7:14], "big") / 2**56


def _error(kind: FaultKind, provider: str) -> FramekeepError:
    said = f"{provider}: simulated failure ({kind})"
    hint = "Testing.SimulateFailures is on"
    match kind:
        case "timeout":
            return TimedOutError(said, provider=provider, hint=hint)
        case "truncated":
            return TransientError(said, provider=provider, hint=hint)
        case "rate_limit":
            return RateLimitedError(said, provider=provider, hint=hint, retry_after_s=_COME_BACK_S)
        case "quota":
            return QuotaError(said, provider=provider, hint=hint)
        case "disk_full":
            return DiskFullError(said, hint=hint)
        case "killed_encoder":
            return TransientError(said, provider=provider, hint=hint)
        case _:
            return TransientError(said, provider=provider, hint=hint, kind="ServiceUnavailable")
