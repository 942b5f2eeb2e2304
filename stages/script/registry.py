"""Script writers by name, as the guide writes them; upper and lower case are the same."""

from __future__ import annotations

from typing import Literal

from pydantic import SecretStr

from config.errors import UsageError
from stages.script.base import ScriptWriter

NAMES = ("OpenAI", "Anthropic", "LocalLLM", "outline")

_KNOWN = {name.lower(): name for name in NAMES}


def create(
    name: str,
    *,
    kind: Literal["openai", "anthropic", "compatible"] | None = None,
    model: str = "",
    api_key: SecretStr | None = None,
    base_url: str | None = None,
) -> ScriptWriter:
    """The writer called `name`; a language model's account comes with it. Raises UsageError for an unknown name."""
    known = _KNOWN.get(name.strip().lower())
    if known is None:
        raise UsageError(f"There is no script writer '{name}'", hint=f"known: {', '.join(NAMES)}")
    if known == "outline":
        from stages.script.outline import OutlineWriter

        return OutlineWriter()
    from stages.script.llm import Account, LlmWriter

    kinds: dict[str, Literal["openai", "anthropic", "compatible"]] = {"OpenAI": "openai", "Anthropic": "anthropic"}
    account = Account(kind or kinds.get(known, "compatible"), model, api_key, base_url or None)
    return LlmWriter(known, account)
