"""Script writers by name, as the guide writes them; upper and lower case are the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import SecretStr

from config.errors import UsageError
from stages.script.script_writer import ScriptWriter

NAMES = ("OpenAI", "Anthropic", "LocalLLM", "outline")

_KNOWN = {name.lower(): name for name in NAMES}


def check_names(names: Iterable[str]) -> None:
    """Raise UsageError for the first name that no writer has."""
    for name in names:
        _known(name)


def create(
    name: str,
    *,
    kind: Literal["openai", "anthropic", "compatible"] | None = None,
    model: str = "",
    api_key: SecretStr | None = None,
    base_url: str | None = None,
) -> ScriptWriter:
    """The writer called `name`; a language model's account comes with it. Raises UsageError for an unknown name."""
    known = _known(name)
    if known == "outline":
        from stages.script.offline.outline import OutlineWriter

        return OutlineWriter()
    from stages.script.llm.account import ModelAccount
    from stages.script.llm.writer import LlmWriter

    kinds: dict[str, Literal["openai", "anthropic", "compatible"]] = {"OpenAI": "openai", "Anthropic": "anthropic"}
    account = ModelAccount(kind or kinds.get(known, "compatible"), model, api_key, base_url or None)
    return LlmWriter(known, account)


def _known(name: str) -> str:
    known = _KNOWN.get(name.strip().lower())
    if known is None:
        raise UsageError(f"There is no script writer '{name}'", hint=f"known: {', '.join(NAMES)}")
    return known
