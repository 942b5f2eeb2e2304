"""Who does each stage's work: chains of providers, and the accounts to reach them with."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import Field, SecretStr, field_validator, model_validator

from config.section import Section, squashed

_ADDRESS = re.compile(r"^https?://[^\s/@?#]+(?:[/][^\s?#]*)?$")


class ChainEntry(Section):
    """One provider of a stage."""

    name: Annotated[str, Field(min_length=1)]
    """The provider."""
    priority: int = 1
    """Its place in the chain: lower is asked first."""
    enabled: bool = True
    """Off: it is not asked."""


class Chain(Section):
    """A stage's providers in the order to try them. Without `FallbackEnabled` only the first is asked.

    Short forms: a name, a list of names, or `{"Primary": …, "Fallback": [...]}`.
    """

    fallback_enabled: bool = True
    """Off: only the first is asked."""
    providers: tuple[ChainEntry, ...] = ()
    """Who is asked."""

    @classmethod
    def spread(cls, value: Any) -> Any:
        if isinstance(value, str):
            value = [value]
        if isinstance(value, list | tuple):
            return {"Providers": [_entry(rank, item) for rank, item in enumerate(value, 1)]}
        if not isinstance(value, dict):
            return value
        given = {squashed(str(key)): key for key in value}
        if "primary" not in given:
            if "fallback" in given:
                raise ValueError("Fallback needs a Primary before it")
            return value
        if "providers" in given:
            raise ValueError("takes either Providers, or Primary and Fallback")
        later = value.get(given.get("fallback"), [])
        names = [value[given["primary"]], *(later if isinstance(later, list | tuple) else [later])]
        rest = {key: item for key, item in value.items() if squashed(str(key)) not in ("primary", "fallback")}
        return {**rest, "Providers": [_entry(rank, item) for rank, item in enumerate(names, 1)]}

    @model_validator(mode="after")
    def _names_differ(self) -> Chain:
        names = [entry.name.lower() for entry in self.providers]
        if len(set(names)) != len(names):
            raise ValueError("a provider is named twice")
        return self

    def names(self) -> tuple[str, ...]:
        """Enabled providers by priority."""
        entries = sorted((entry for entry in self.providers if entry.enabled), key=lambda entry: entry.priority)
        names = tuple(entry.name for entry in entries)
        return names if self.fallback_enabled else names[:1]


def _entry(rank: int, item: Any) -> Any:
    """One place of a list: a name, or an entry that takes its rank where it names no priority."""
    if isinstance(item, str):
        return {"Name": item, "Priority": rank}
    if isinstance(item, dict) and "priority" not in {squashed(str(key)) for key in item}:
        return {**item, "Priority": rank}
    return item


class LlmAccount(Section):
    """How to reach a language model. A key that is not given here is taken from the SDK's environment variable."""

    model: str = ""
    """The model's name."""
    base_url: str = ""
    """Address of an OpenAI-compatible server; empty is the provider's own."""
    api_key: SecretStr | None = None
    """The key; better kept in the environment."""

    @field_validator("base_url")
    @classmethod
    def _is_plain_address(cls, value: str) -> str:
        # An address enters keys and messages, so it must not carry a password.
        if value and not _ADDRESS.match(value):
            raise ValueError("must be http:// or https:// with a host, and no user or password (use ApiKey)")
        return value


class OpenAiAccount(LlmAccount):
    """OpenAI itself."""

    model: str = "gpt-5.4-mini"
    """The model's name."""


class AnthropicAccount(LlmAccount):
    """Anthropic itself."""

    model: str = "claude-sonnet-5-5"
    """The model's name."""


def _chain(*names: str) -> Chain:
    return Chain(providers=tuple(ChainEntry(name=name, priority=rank) for rank, name in enumerate(names, 1)))


class Providers(Section):
    """Who does each stage's work, and how to reach whom.

    An empty `TTS` chain means: what fits the language. `LLM` is asked before the offline writer, if anybody is named.
    """

    llm: Annotated[Chain, Field(alias="LLM")] = Chain()
    """Who writes scripts; known: OpenAI, Anthropic, LocalLLM, outline."""
    tts: Annotated[Chain, Field(alias="TTS")] = Chain()
    """Who speaks; known: hibari, pico, text."""
    images: Chain = Field(default_factory=lambda: _chain("card"))
    """Who draws what the brief has no picture for; known: card."""
    openai: Annotated[OpenAiAccount, Field(alias="OpenAI")] = OpenAiAccount()
    """OpenAI's account."""
    anthropic: AnthropicAccount = AnthropicAccount()
    """Anthropic's account."""
    local_llm: Annotated[LlmAccount, Field(alias="LocalLLM")] = LlmAccount()
    """A server of your own (Ollama, vLLM, LM Studio, llama.cpp)."""
