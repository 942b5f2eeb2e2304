"""Who failed the health check: asked after all others of its chain, until it is healthy again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from config.kinds import ErrorKind
from pipeline.resilience.policy import Policy
from stages.base import Provider

P = TypeVar("P", bound=Provider)


@dataclass(frozen=True)
class Ailment:
    """What is wrong with a provider. `kind` is that of the error by which its health check ended."""

    kind: ErrorKind
    message: str


class Ailments:
    """The unhealthy providers that this process knows of. Safe to share between threads."""

    def __init__(self) -> None:
        self._known: dict[str, Ailment] = {}
        self._lock = threading.Lock()

    def begin(self, provider: str, ailment: Ailment) -> None:
        """From now on it is asked after the others."""
        with self._lock:
            self._known[provider] = ailment

    def end(self, provider: str) -> bool:
        """Restore the provider's normal place. Returns whether it had been demoted."""
        with self._lock:
            return self._known.pop(provider, None) is not None

    def healthy_first(
        self, providers: Sequence[P], policy_of: Callable[[str], Policy]
    ) -> tuple[list[P], list[tuple[P, Ailment]]]:
        """Providers in the order to ask them, and those of them that are passed over: they come last.

        Only where settings let another one answer in a provider's place after such an error, and one of the others is well.
        """
        if not self._known:
            return list(providers), []
        known = dict(self._known)
        ill = [
            (provider, known[provider.name])
            for provider in providers
            if provider.name in known and _may_pass_on(policy_of(provider.name), known[provider.name].kind)
        ]
        if not ill or len(ill) == len(providers):
            return list(providers), []
        last = [provider for provider, _ in ill]
        return [*(provider for provider in providers if provider not in last), *last], ill


def _may_pass_on(policy: Policy, kind: ErrorKind) -> bool:
    return policy.fallback and policy.passes_on(kind)
