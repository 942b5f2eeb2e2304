"""Failures on purpose, innermost: what stands outside of them cannot tell them from real ones.

Which calls fail, and how, follows from the seed, the step and how often that step has called: not from the order of threads.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
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
# After these no other try is made.
_FOR_GOOD: frozenset[FaultKind] = frozenset({"quota", "disk_full"})
_SLOW_S = 1.0
# Soon, so that no provider rests any longer than the run lasts.
_COME_BACK_S = 0.2

Told = Callable[[FaultKind, str, str], None]


class Simulator:
    """Decides for each call whether it fails. Safe to share between threads."""

    def __init__(self, testing: Testing) -> None:
        self._testing = testing
        self._calls: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def is_on(self) -> bool:
        return self._testing.is_on

    def around(
        self,
        step: str,
        operation: str,
        work: Callable[[P, CancelToken], T],
        told: Told,
        tries: int | None = None,
    ) -> Callable[[P, CancelToken], T]:
        """The work with a failure in its place, or the work itself. `told` hears of each failure before it happens.

        `tries` is given where nothing comes after so many calls of one provider: the last of them is left alone, and none fails
        in a way after which there would be no other. None: somebody else, or less to do, comes after.
        """

        def injected(provider: P, cancel: CancelToken) -> T:
            kind = self._fault(step, operation, provider.name, tries if self._testing.spare_last_resort else None)
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

    def _fault(self, step: str, operation: str, provider: str, tries: int | None) -> FaultKind | None:
        stage = _STAGES.get(operation)
        if not self.is_on or stage not in self._testing.stages:
            return None
        fitting = _OF_ENCODERS if stage == "render" else _OF_SERVICES
        if tries is not None:
            fitting -= _FOR_GOOD
        kinds = [kind for kind in self._testing.kinds if kind in fitting]
        if not kinds:
            return None
        name = f"{step}/{operation}/{provider}"
        with self._lock:
            self._calls[name] += 1
            chance, choice = _draws(f"{self._testing.seed}/{name}/{self._calls[name]}")
            is_spared = tries is not None and self._failed[name] >= tries - 1
            kind = kinds[int(choice * len(kinds))] if chance < self._testing.failure_rate and not is_spared else None
            self._failed[name] = self._failed[name] + 1 if kind not in (None, "slow") else 0
        return kind


@dataclass
class StepFaults:
    """What is called in place of one step's work. `tries` as in `Simulator.around`; it may change from one call to the next."""

    simulator: Simulator
    step: str
    told: Told
    tries: int | None = None

    def __call__(self, operation: str, work: Callable[[P, CancelToken], T], /) -> Callable[[P, CancelToken], T]:
        return self.simulator.around(self.step, operation, work, self.told, self.tries)


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
            return QuotaError(said, provider=provider, hint=hint, retry_after_s=_COME_BACK_S)
        case "disk_full":
            return DiskFullError(said, hint=hint)
        case "killed_encoder":
            return TransientError(said, provider=provider, hint=hint)
        case _:
            return TransientError(said, provider=provider, hint=hint, kind="ServiceUnavailable")
