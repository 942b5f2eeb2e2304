"""pydantic-ai's model for OpenAI's protocol, telling what stands in an answer that is none."""

from __future__ import annotations

import json
from typing import Any

from pydantic_ai.exceptions import UnexpectedModelBehavior
from pydantic_ai.messages import ModelResponse
from pydantic_ai.models.openai import OpenAIChatModel


class NoCompletionError(Exception):
    """A success by its status that holds none: its text is what came."""

    def __init__(self, body: Any) -> None:
        super().__init__(body if isinstance(body, str) else json.dumps(body, default=str, ensure_ascii=False))


class ChatModel(OpenAIChatModel):
    """Servers that still load their model, and others that speak another protocol, send something else with status 200."""

    def _process_response(self, response: Any, **options: bool) -> ModelResponse:
        if isinstance(response, str):
            raise NoCompletionError(response)
        if getattr(response, "choices", None):
            try:
                return super()._process_response(response, **options)
            except UnexpectedModelBehavior as odd:
                raise NoCompletionError(_told(response)) from odd
        raise NoCompletionError(_told(response))


def _told(response: Any) -> dict[str, Any]:
    """What the service sent, without the fields that it left out."""
    sent = response.model_dump(warnings=False) if hasattr(response, "model_dump") else {}
    return {name: value for name, value in sent.items() if value is not None}
