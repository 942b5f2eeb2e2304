"""pydantic-ai's model for OpenAI's protocol, telling what stands in an answer that is none."""

from __future__ import annotations

import json
from typing import Any

from pydantic_ai.exceptions import UnexpectedModelBehavior
from pydantic_ai.messages import FinishReason, ModelResponse, TextPart
from pydantic_ai.models.openai import OpenAIChatModel


class NoCompletionError(Exception):
    """A success by its status that holds none: its text is what came."""

    def __init__(self, body: Any) -> None:
        super().__init__(body if isinstance(body, str) else json.dumps(body, default=str, ensure_ascii=False))


class ChatModel(OpenAIChatModel):
    """Servers that still load their model, and others that speak another protocol, send something else with status 200."""

    def _process_response(self, response: Any, **options: bool) -> ModelResponse:
        if isinstance(response, str):
            if told := _streamed(response):
                return told
            raise NoCompletionError(response)
        if getattr(response, "choices", None):
            try:
                return super()._process_response(response, **options)
            except UnexpectedModelBehavior as odd:
                if told := _elsewhere(_told(response)):
                    return told
                raise NoCompletionError(_told(response)) from odd
        if told := _elsewhere(_told(response)):
            return told
        raise NoCompletionError(_told(response))


def _told(response: Any) -> dict[str, Any]:
    """What the service sent, without the fields that it left out."""
    sent = response.model_dump(warnings=False) if hasattr(response, "model_dump") else {}
    return {name: value for name, value in sent.items() if value is not None}


def _elsewhere(sent: dict[str, Any]) -> ModelResponse | None:
    """A whole answer where other protocols have it: Ollama's own, and completions of a text."""
    text, end = _piece(sent)
    return _response(text, end) if text and end else None


def _streamed(body: str) -> ModelResponse | None:
    """The pieces of an answer that was streamed though that was not asked for; None where its end is missing."""
    texts: list[str] = []
    end = ""
    for line in body.splitlines():
        data = line.removeprefix("data:").strip()
        try:
            piece = json.loads(data) if data.startswith("{") else None
        except ValueError:
            return None
        if isinstance(piece, dict):
            text, ended = _piece(piece)
            texts.append(text)
            end = ended or end
    return _response("".join(texts), end) if end and any(texts) else None


def _piece(sent: dict[str, Any]) -> tuple[str, str]:
    """Text, and why it ended; empty where it has not."""
    choices = sent.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    places = [choice.get("message"), choice.get("delta"), sent.get("message")]
    texts = [place.get("content") for place in places if isinstance(place, dict)]
    text = next((one for one in (*texts, choice.get("text"), sent.get("response")) if isinstance(one, str) and one), "")
    is_done = sent.get("done") is True
    end = choice.get("finish_reason") or (sent.get("done_reason") or "stop" if is_done else "")
    return text, end if isinstance(end, str) else ""


def _response(text: str, end: str) -> ModelResponse:
    reasons: dict[str, FinishReason] = {"length": "length", "content_filter": "content_filter"}
    return ModelResponse(parts=[TextPart(text)], finish_reason=reasons.get(end, "stop"))
