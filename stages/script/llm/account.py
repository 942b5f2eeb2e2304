"""How to reach a language model."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from pydantic import SecretStr

from config.secret_text import clean_key

Kind = Literal["openai", "anthropic", "compatible"]

KEY_VARIABLES = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}
_URL_VARIABLES = {"openai": "OPENAI_BASE_URL", "anthropic": "ANTHROPIC_BASE_URL"}
_USUAL_URLS = {"openai": "https://api.openai.com/v1", "anthropic": "https://api.anthropic.com"}


@dataclass(frozen=True)
class ModelAccount:
    """How to reach a model. Without `api_key` the SDK's environment variable counts, but not for a server of one's own."""

    kind: Kind
    model: str
    api_key: SecretStr | None = None
    base_url: str | None = None

    @property
    def key(self) -> str:
        own = self.api_key.get_secret_value() if self.api_key else ""
        return clean_key(own or os.environ.get(KEY_VARIABLES.get(self.kind, ""), ""))

    @property
    def url(self) -> str:
        named = self.base_url or os.environ.get(_URL_VARIABLES.get(self.kind, ""), "")
        return (named or _USUAL_URLS.get(self.kind, "")).strip()

    @property
    def address(self) -> str:
        """Host, port and path: never a user name, password or query, which may be secret."""
        try:
            parts = urlsplit(self.url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return ""
        return f"{host}:{port}{parts.path}" if port else f"{host}{parts.path}"
