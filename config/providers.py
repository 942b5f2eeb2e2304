"""Who does each stage's work: chains of providers, and the accounts to reach them with."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, SecretStr, field_validator

from config.chains import Chain, ChainEntry
from config.kinds import ErrorKind
from config.redaction import SECRETS
from config.resilience import RetryBudget
from config.secret_text import clean_key
from config.section import Section, squashed

_ADDRESS = re.compile(r"^https?://[^\s/@?#]+(?:[/][^\s?#]*)?$")


class RateLimit(Section):
    """How much of a provider may be used at a time, by all jobs and processes of this home together."""

    requests: Annotated[int, Field(ge=0)] = 0
    """Calls that may begin within `Period`; 0 is no limit."""
    period_s: Annotated[float, Field(gt=0)] = 60
    """The stretch of time in which calls are counted."""
    concurrency: Annotated[int, Field(ge=0)] = 0
    """Calls at the same time; 0 is no limit."""


class RetryOverride(Section):
    """What is different for this provider; what is not given is as under `Resilience.Retry`."""

    max_retry_attempts: Annotated[int, Field(ge=0, le=100)] | None = None
    """Further calls after the first."""
    initial_delay_ms: Annotated[float, Field(ge=0)] | None = None
    """Pause before the first further call."""
    max_delay_ms: Annotated[float, Field(ge=0)] | None = None
    """The longest pause, before jitter."""
    backoff_multiplier: Annotated[float, Field(ge=1)] | None = None
    """How much longer each pause is than the one before."""
    jitter: bool | None = None
    """Vary each pause by a quarter."""
    retryable_errors: tuple[ErrorKind, ...] | None = None
    """Errors after which it is asked again."""
    non_retryable_errors: tuple[ErrorKind, ...] | None = None
    """Errors after which it is not."""
    budget: RetryBudget | None = None
    """Retries of all steps together."""


class CircuitBreakerOverride(Section):
    """What is different for this provider; what is not given is as under `Resilience.CircuitBreaker`."""

    enabled: bool | None = None
    """Off: every request is sent."""
    failure_threshold: Annotated[int, Field(ge=1)] | None = None
    """Failures that open the circuit."""
    sampling_duration_s: Annotated[float, Field(gt=0)] | None = None
    """How far back failures count."""
    minimum_throughput: Annotated[int, Field(ge=1)] | None = None
    """Calls before the circuit may open."""
    break_duration_s: Annotated[float, Field(ge=0)] | None = None
    """How long an open circuit refuses calls."""
    half_open_duration_s: Annotated[float, Field(gt=0)] | None = None
    """How long one test of a half-open circuit may be out before the next call tests."""
    success_threshold: Annotated[int, Field(ge=1)] | None = None
    """Successful tests that close a half-open circuit, however far apart."""


class ProviderPolicy(Section):
    """What is different for one provider."""

    retry: RetryOverride = RetryOverride()
    """How calls are tried again."""
    circuit_breaker: CircuitBreakerOverride = CircuitBreakerOverride()
    """When it is left alone."""
    request_timeout_ms: Annotated[float, Field(ge=0)] | None = None
    """One call, in place of `Timeouts.Request`; 0 is no limit."""
    operation_timeout_ms: Annotated[float, Field(ge=0)] | None = None
    """Its work on one step, in place of `Timeouts.Operation`; 0 is no limit."""
    rate_limit: RateLimit = RateLimit()
    """How much of it may be used at a time."""


class CacheFallback(Section):
    """Earlier answers to the same request, for when nobody answers now."""

    enabled: bool = True
    """Keep answers, and use them."""
    use_cache_on_error: bool = True
    """Use an answer when every provider has failed. Off: answers are kept, and not used."""
    cache_expiration_s: Annotated[float, Field(ge=0)] = 86_400
    """How old an answer may be; 0 is any age."""


class Account(ProviderPolicy):
    """How to reach a network provider.

    Its key is looked for here, in a file of its own, in the environment variable that its makers use, in the system's keyring.
    """

    key_variable: ClassVar[str] = ""
    """Environment variable for the key of the makers' own service."""

    base_url: str = ""
    """Address of a server of your own; empty is the makers' service."""
    api_key: SecretStr | None = None
    """The key; better kept in the environment or the keyring (`framekeep config keys`)."""
    api_key_file: Path | None = None
    """A file that holds the key and nothing else."""

    @field_validator("api_key")
    @classmethod
    def _is_plain_key(cls, value: SecretStr | None) -> SecretStr | None:
        return value and SecretStr(clean_key(value.get_secret_value()))

    @field_validator("base_url")
    @classmethod
    def _is_plain_address(cls, value: str) -> str:
        SECRETS.learn_login(value)
        # An address enters keys and messages, so it must not carry a password.
        if value and not _ADDRESS.match(value):
            raise ValueError("must be http:// or https:// with a host, and no user or password (use ApiKey)")
        return value


class LlmAccount(Account):
    """A language model. `BaseUrl` is that of an OpenAI-compatible server."""

    model: str = ""
    """The model's name."""


class OpenAiAccount(LlmAccount):
    """OpenAI itself."""

    key_variable = "OPENAI_API_KEY"

    model: str = "gpt-5.4-mini"
    """The model's name."""


class AnthropicAccount(LlmAccount):
    """Anthropic itself."""

    key_variable = "ANTHROPIC_API_KEY"

    model: str = "claude-sonnet-5-5"
    """The model's name."""


class ElevenLabsAccount(Account):
    """ElevenLabs' voices."""

    key_variable = "ELEVENLABS_API_KEY"

    model: str = "eleven_multilingual_v2"
    """The model's name."""
    voice: str = "21m00Tcm4TlvDq8ikWAM"
    """The voice's id, where the brief names none."""


def _chain(*names: str) -> Chain:
    return Chain(providers=tuple(ChainEntry(name=name, priority=rank) for rank, name in enumerate(names, 1)))


class Providers(Section):
    """Who does each stage's work, and how to reach whom.

    An empty `TTS` chain means: what fits the language. `LLM` is asked before the offline writer, if anybody is named.
    """

    llm: Annotated[Chain, Field(alias="LLM")] = Chain()
    """Who writes scripts; known: OpenAI, Anthropic, LocalLLM, outline."""
    tts: Annotated[Chain, Field(alias="TTS")] = Chain()
    """Who speaks; known: hibari, pico, ElevenLabs, text."""
    images: Chain = Field(default_factory=lambda: _chain("card"))
    """Who draws what the brief has no picture for; known: card."""
    openai: Annotated[OpenAiAccount, Field(alias="OpenAI")] = OpenAiAccount()
    """OpenAI's account."""
    anthropic: AnthropicAccount = AnthropicAccount()
    """Anthropic's account."""
    local_llm: Annotated[LlmAccount, Field(alias="LocalLLM")] = LlmAccount()
    """A server of your own (Ollama, vLLM, LM Studio, llama.cpp)."""
    elevenlabs: Annotated[ElevenLabsAccount, Field(alias="ElevenLabs")] = ElevenLabsAccount()
    """ElevenLabs' account."""
    outline: ProviderPolicy = ProviderPolicy()
    """The offline writer."""
    hibari: ProviderPolicy = ProviderPolicy()
    """The offline voice for English."""
    pico: ProviderPolicy = ProviderPolicy()
    """The offline voices for English, German, French, Spanish and Italian."""
    card: ProviderPolicy = ProviderPolicy()
    """The offline painter."""
    cache_fallback: CacheFallback = CacheFallback()
    """Earlier answers to the same request."""

    def accounts(self) -> dict[str, Account]:
        """How to reach each provider that is reached over the network, by the names that settings files use."""
        blocks = {info.alias or name: getattr(self, name) for name, info in type(self).model_fields.items()}
        return {name: block for name, block in blocks.items() if isinstance(block, Account)}

    def account_of(self, name: str) -> Account | None:
        """How to reach the provider called `name`; None for one that works on this machine."""
        found = self.policy_of(name)
        return found if isinstance(found, Account) else None

    def policy_of(self, name: str) -> ProviderPolicy:
        """What is different for the provider called `name`; nothing for one that has no block of its own."""
        found = getattr(self, _FIELDS.get(squashed(name), ""), None)
        return found if isinstance(found, ProviderPolicy) else ProviderPolicy()


_FIELDS = {squashed(name): name for name in Providers.model_fields}
