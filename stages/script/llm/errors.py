"""Every error of the model SDKs and of pydantic-ai as one of ours: the only place that knows theirs.

What a service answers and what becomes of a connection is mapped as for every other client, by `stages.http.answers`. What is left:

| what happened                          | ours               | kind                      |
|----------------------------------------|--------------------|---------------------------|
| a time limit                           | `TimedOutError`    | `Timeout`                 |
| refused content                        | `RejectedError`    | `ContentRefused`          |
| a garbled answer, or one of other form | `TransientError`   | `TransientNetworkFailure` |
| it was never asked: no key, no address | `UnavailableError` | `NotSupported`            |
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import Any

from config.errors import ProviderError, RejectedError, TimedOutError, TransientError, UnavailableError
from stages.http.answers import Answer, answer_of, refused, short
from stages.http.connections import chain_of, unreachable


def translate(error: BaseException, name: str, url: str = "") -> ProviderError | None:
    """Our error for theirs. None for what is no answer of a provider: a mistake in our own code stays what it is."""
    chain = list(chain_of(error))
    if own := next((one for one in chain if isinstance(one, ProviderError)), None):
        return own
    status = _status(chain)
    if status is not None and status >= 300:
        return refused(name, _answer(status, chain))
    return _by_class(chain, name, url, _message(chain))


def _answer(status: int, chain: list[BaseException]) -> Answer:
    """The service's answer, from whatever the SDKs' errors keep of it."""
    body = next((body for error in chain if (body := _attribute(error, "body"))), None)
    answer = answer_of(status, _headers(chain), body)
    codes = (*answer.codes, *_codes(chain))
    return dataclasses.replace(answer, codes=codes, is_refusal=_is_refusal(chain))


def _by_class(chain: list[BaseException], name: str, url: str, message: str) -> ProviderError | None:
    """Subclasses before their bases: a timeout is a connection error too, refused content is odd behaviour too."""
    import anthropic
    import openai
    from openai import _exceptions as openai_errors
    from pydantic_ai import exceptions as ai

    def is_a(*classes: type[BaseException]) -> bool:
        return any(isinstance(error, classes) for error in chain)

    from stages.script.chat_model import NoCompletionError

    resume = "framekeep resume"
    if is_a(NoCompletionError):
        return TransientError(
            f"{name}: the answer is no chat completion: {message}",
            provider=name,
            hint=f"check Providers.{name}.BaseUrl: framekeep config show; then: {resume}",
            kind="ServiceUnavailable",
        )
    if found := unreachable(name, url, chain[0]):
        return found
    if is_a(openai.APITimeoutError, anthropic.APITimeoutError, ai.ModelRequestTimeout):
        return TimedOutError(
            f"{name}: no answer within the time limit", provider=name, hint=f"raise Timeouts.Request, or: {resume}"
        )
    if is_a(ai.ContentFilterError, openai.ContentFilterFinishReasonError):
        return RejectedError(
            f"{name} refused this text: {message}",
            provider=name,
            hint="change the brief's text, or name another writer with `providers: {script: ...}`",
            kind="ContentRefused",
        )
    if is_a(ai.UsageLimitExceeded, ai.ConcurrencyLimitExceeded):
        return RejectedError(f"{name}: {message}", provider=name, hint="framekeep doctor")
    if is_a(openai.APIConnectionError, anthropic.APIConnectionError, ai.ModelConnectionError):
        return TransientError(
            f"{name}: no connection: {message}",
            provider=name,
            hint=f"check the network and {name}'s address, then: {resume}",
        )
    if is_a(
        openai.APIError,
        openai.LengthFinishReasonError,
        openai.WebSocketConnectionClosedError,
        openai.WebSocketQueueFullError,
        anthropic.APIError,
        anthropic.RetryableError,
        ai.AgentRunError,
        json.JSONDecodeError,
        UnicodeDecodeError,
    ):
        return TransientError(
            f"{name}: the answer cannot be used: {message}",
            provider=name,
            hint=f"{resume}, or choose a model that can answer in a given JSON form",
        )
    if is_a(openai.OpenAIError, openai_errors.InvalidWebhookSignatureError, anthropic.AnthropicError, ai.UserError):
        return UnavailableError(f"{name}: not set up: {message}", provider=name, hint="framekeep doctor")
    return None


def _attribute(error: BaseException, name: str) -> Any:
    try:
        return getattr(error, name, None)
    except Exception:  # noqa: BLE001 - a property of theirs; pydantic-ai has one that raises when nothing was answered
        return None


def _status(chain: list[BaseException]) -> int | None:
    for error in chain:
        status = _attribute(error, "status_code")
        response = _attribute(error, "response")
        status = status if isinstance(status, int) else getattr(response, "status_code", None)
        if isinstance(status, int):
            return status
    return None


def _codes(chain: list[BaseException]) -> Iterator[str]:
    for error in chain:
        for attribute in ("code", "type", "error_code", "provider_error_code", "provider_error_type"):
            value = _attribute(error, attribute)
            if isinstance(value, str):
                yield value


def _is_refusal(chain: list[BaseException]) -> bool:
    """Gateways send 403 for content that their moderation refused, too; pydantic-ai tells the two apart."""
    from pydantic_ai import exceptions as ai

    return any(
        isinstance(error, ai.ModelRequestRejectedError) and not isinstance(error, ai.ModelAuthenticationError)
        for error in chain
    )


def refusal_of(error: BaseException) -> tuple[int | None, str]:
    """Status and body of a refusal; no status where it is none. Not for people: the body may hold whatever was sent."""
    chain = list(chain_of(error))
    bodies = [str(body) for one in chain if (body := _attribute(one, "body"))]
    return _status(chain), " ".join(bodies or [str(one) for one in chain])


def _message(chain: list[BaseException]) -> str:
    """What was wrong, in one short line."""
    last = chain[-1] if str(chain[-1]) else chain[0]
    return short(str(last)) or type(last).__name__


def _headers(chain: list[BaseException]) -> Mapping[str, str]:
    for error in chain:
        headers = getattr(_attribute(error, "response"), "headers", None) or _attribute(error, "headers")
        if isinstance(headers, Mapping):
            return headers
    return {}
