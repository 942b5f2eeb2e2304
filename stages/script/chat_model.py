"""pydantic-ai's model for OpenAI's protocol, telling what stands in an answer that is none."""

from __future__ import annotations

import json
from typing import Any

from pydantic_ai.exceptions import UnexpectedModelBehavior
from pydantic_ai.messages import ModelResponse
from pydantic_ai.models.openai import OpenAIChatModel


class NoCompletionError(Exception):
    """A success by its status that holds an error. `status_code` and `body` are as in an answer that is no success."""

    def __init__(self, status_code: int | None, body: Any) -> None:
        super().__init__(body if isinstance(body, str) else json.dumps(body, default=str, ensure_ascii=False))
        self.status_code = status_code
        self.body = body


class ChatModel(OpenAIChatModel):
    """Gateways send `{"error": ...}` with status 200, and servers that still load their model plain text."""

    def _process_response(self, response: Any, **options: bool) -> ModelResponse:
        if isinstance(response, str):
            raise NoCompletionError(None, response)
        if getattr(response, "choices", None):
            try:
                return super()._process_response(response, **options)
            except UnexpectedModelBehavior as odd:
                raise NoCompletionError(None, _told(response)) from odd
        body = _told(response)
        raise NoCompletionError(_status_in(body), body)


def _status_in(body: dict[str, Any]) -> int | None:
    """The status that an error in a body names; that of a gateway's failure where it names none; None without an error."""
    error = body.get("error")
    code = str(error.get("code") if isinstance(error, dict) else body.get("code"))
    if code.isdigit() and 400 <= int(code) <= 599:
        return int(code)
    return 502 if error else None


def _told(response: Any) -> dict[str, Any]:
    """What the service sent, without the fields that it left out."""
    sent = response.model_dump(warnings=False) if hasattr(response, "model_dump") else {}
    return {name: value for name, value in sent.items() if value is not None}
