"""What guards one call, as one value that can be printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from config.chains import ALL_TRIGGERS, Chain
from config.codecs import SOFTWARE
from config.kinds import ErrorKind
from config.providers import ProviderPolicy, RateLimit
from config.resilience import CircuitBreaker, Retry
from config.section import Section
from config.settings import Settings

S = TypeVar("S", bound=Section)

# A segment or a mix takes as long as the machine needs: the encoder's stall watchdog and the job's limit bound it.
LOCAL_MEDIA = frozenset({"encode", "mix", "mux"})

# The guide names circuits by what a provider does: OpenAI-LLM.
KINDS = {"write": "LLM", "speak": "TTS", "draw": "Images", "encode": "Render", "mix": "Render", "mux": "Render"}


_USUAL_TIMEOUTS = {"request": "Timeouts.Request", "operation": "Timeouts.Operation"}


@dataclass(frozen=True)
class Policy:
    """Breaker, retries and limits of one provider's operation. A timeout of 0 is none; `timeout_settings` names where each is set.

    `triggers` are the errors after which the next provider of the chain is asked, if `fallback` allows one at all.
    """

    name: str
    breaker: CircuitBreaker
    retry: Retry
    request_timeout_s: float
    operation_timeout_s: float
    rate_limit: RateLimit = field(default_factory=RateLimit)
    triggers: frozenset[ErrorKind] = frozenset(ALL_TRIGGERS)
    fallback: bool = True
    timeout_settings: Mapping[str, str] = field(default_factory=lambda: dict(_USUAL_TIMEOUTS))

    def retries(self, kind: ErrorKind) -> bool:
        """Whether an error of that kind is worth another call of the same provider."""
        return kind in self.retry.retryable_errors and kind not in self.retry.non_retryable_errors

    def passes_on(self, kind: ErrorKind) -> bool:
        """Whether the next provider is asked after an error of that kind. What one cannot do at all, another may."""
        return kind == "NotSupported" or kind in self.triggers

    def delays_s(self) -> list[float]:
        """The pauses before each further call, without jitter and without what a provider asks for."""
        first, most, factor = self.retry.initial_delay_ms, self.retry.max_delay_ms, self.retry.backoff_multiplier
        return [min(first * factor**at, most) / 1000 for at in range(self.retry.max_retry_attempts)]


def stands_alone(operation: str, provider: str) -> bool:
    """Whether nobody could do it in the provider's place: refusing would turn trouble into failure, and spare nobody.

    So it is with software on this machine. While its circuit is open, it is waited for.
    """
    return operation in LOCAL_MEDIA and provider in SOFTWARE.values()


def policy_for(settings: Settings, operation: str, provider: str) -> Policy:
    """The policy of `provider` doing `operation`: what holds for all, and in its place what holds for this provider."""
    local = operation in LOCAL_MEDIA
    own = settings.providers.policy_of(provider)
    chain = chain_of(settings, operation)

    def limit_s(given_ms: float | None, usual_ms: float) -> float:
        return 0.0 if local else (usual_ms if given_ms is None else given_ms) / 1000

    return Policy(
        name=f"{provider}-{KINDS.get(operation, operation)}",
        breaker=_over(settings.resilience.circuit_breaker, own.circuit_breaker),
        retry=_over(settings.resilience.retry, own.retry),
        request_timeout_s=limit_s(own.request_timeout_ms, settings.timeouts.request_ms),
        operation_timeout_s=limit_s(own.operation_timeout_ms, settings.timeouts.operation_ms),
        rate_limit=own.rate_limit,
        triggers=frozenset(chain.fallback_triggers if chain else ALL_TRIGGERS),
        fallback=settings.resilience.fallback.enabled and (chain is None or chain.fallback_enabled),
        timeout_settings=_timeout_settings(own, provider),
    )


def _timeout_settings(own: ProviderPolicy, provider: str) -> dict[str, str]:
    """The setting that each time limit comes from."""
    given = {"request": own.request_timeout_ms, "operation": own.operation_timeout_ms}
    return {
        name: usual if given[name] is None else f"Providers.{provider}.{name.capitalize()}Timeout"
        for name, usual in _USUAL_TIMEOUTS.items()
    }


def chain_of(settings: Settings, operation: str) -> Chain | None:
    """The chain whose providers do an operation; None for this machine's own work."""
    chains = {"write": settings.providers.llm, "speak": settings.providers.tts, "draw": settings.providers.images}
    return chains.get(operation)


def _over(usual: S, own: Section) -> S:
    """A block with what another one gives in its place. Lists that would overlap make room for what is given."""
    given: dict[str, Any] = {
        name: value for name in type(own).model_fields if (value := getattr(own, name)) is not None
    }
    if not given:
        return usual
    for one, other in (("retryable_errors", "non_retryable_errors"), ("non_retryable_errors", "retryable_errors")):
        if one in given and other not in given:
            given[other] = tuple(kind for kind in getattr(usual, other) if kind not in given[one])
    return usual.model_copy(update=given)
