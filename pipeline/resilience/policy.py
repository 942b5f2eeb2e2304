"""What guards one call, as one value that can be printed."""

from __future__ import annotations

from dataclasses import dataclass

from config.settings import CircuitBreaker, Retry, Settings

# A segment or a mix takes as long as the machine needs: the encoder's stall watchdog and the job's limit bound it.
LOCAL_MEDIA = frozenset({"encode", "mix", "mux"})

# The guide names circuits by what a provider does: OpenAI-LLM.
_KINDS = {"write": "LLM", "speak": "TTS", "draw": "Images", "encode": "Render", "mix": "Render", "mux": "Render"}


@dataclass(frozen=True)
class Policy:
    """Breaker, retries and limits of one provider's operation. A timeout of 0 is none."""

    name: str
    breaker: CircuitBreaker
    retry: Retry
    request_timeout_s: float
    operation_timeout_s: float


def policy_for(settings: Settings, operation: str, provider: str) -> Policy:
    """The policy of `provider` doing `operation`."""
    local = operation in LOCAL_MEDIA
    return Policy(
        name=f"{provider}-{_KINDS.get(operation, operation)}",
        breaker=settings.resilience.circuit_breaker,
        retry=settings.resilience.retry,
        request_timeout_s=0.0 if local else settings.timeouts.request_ms / 1000,
        operation_timeout_s=0.0 if local else settings.timeouts.operation_ms / 1000,
    )
