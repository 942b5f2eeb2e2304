"""Every error of the model SDKs and of pydantic-ai as one of ours: the only place that knows theirs.

| what happened                               | ours                                    | kind                      |
|---------------------------------------------|-----------------------------------------|---------------------------|
| no connection, truncated or garbled answer  | `TransientError`                        | `TransientNetworkFailure` |
| 5xx, 529, 409                               | `TransientError`                        | `ServiceUnavailable`      |
| a time limit, 408, 504                      | `TimedOutError`                         | `Timeout`                 |
| 429                                         | `RateLimitedError` with `retry_after_s` | `RateLimitExceeded`       |
| quota, spend limit, 402                     | `QuotaError`                            | `QuotaExceeded`           |
| 401, 403, an account on hold                | `UnavailableError`                      | `InvalidApiKey`           |
| refused content                             | `RejectedError`                         | `ContentRefused`          |
| 400, 404, 422 and other 4xx                 | `RejectedError`                         | `InvalidInput`            |
| it was never asked: no key, no address      | `UnavailableError`                      | `NotSupported`            |
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from config.errors import (
    FramekeepError,
    ProviderError,
    QuotaError,
    RateLimitedError,
    RejectedError,
    TimedOutError,
    TransientError,
    UnavailableError,
)

_MOST_CHARS = 240
_LONGEST_WAIT_S = 86_400.0
#: No quota fills up in less: such a header is the same for all of a service's refusals.
_SHORTEST_QUOTA_S = 60.0
#: Codes and types that mean "pay or ask for more", whatever status they come with: OpenAI sends them as 429, Anthropic as 400.
_SPENT = re.compile(
    r"insufficient_quota|exceeded_current_quota|billing|spend_limit|usage_limit|credit_balance|insufficient_balance"
    r"|payment_required",
    re.IGNORECASE,
)
_SPENT_WORDS = re.compile(
    r"credit balance is too low|exceeded your current quota|insufficient (?:balance|credits|funds)", re.I
)
#: Anthropic's codes for an account that cannot be used, sent as 400.
_ACCOUNT = re.compile(
    r"on_hold|organization_type|parent_organization|key_creator|cmek_key_disabled|cmek_key_network|human_review", re.I
)
#: Codes of those who answer 400 for content that they will not write about.
_REFUSED = re.compile(r"content_?filter|content_policy|moderation|responsible_?ai|safety", re.IGNORECASE)
_KEY_LIKE = re.compile(r"\b(?:sk|pk|key|Bearer)[-_ ][A-Za-z0-9*_\-]{6,}")


def translate(error: BaseException, name: str, secret: str = "") -> ProviderError | FramekeepError | None:
    """Our error for theirs. None for what is no answer of a provider: a mistake in our own code stays what it is."""
    if isinstance(error, FramekeepError):
        return error
    chain = list(_chain(error))
    status, message = _status(chain), _message(chain, secret)
    if status is not None and status >= 400:
        return _by_status(status, name, message, chain)
    return _by_class(chain, name, message)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def _by_status(status: int, name: str, message: str, chain: list[BaseException]) -> ProviderError:
    codes = " ".join(_codes(chain))
    said = f"{name} answered {status}: {message}"
    if status == 402 or _SPENT.search(codes) or _SPENT_WORDS.search(message):
        told_s = _retry_after(chain) or 0.0
        return QuotaError(
            f"{name}: the account's quota or credit is used up ({status}: {message})",
            provider=name,
            hint="top up the account or raise its limit, or name another writer with `providers: {script: ...}`",
            retry_after_s=told_s if told_s >= _SHORTEST_QUOTA_S else None,
        )
    if (status in (401, 403) and not _is_refusal(chain)) or _ACCOUNT.search(codes):
        return UnavailableError(
            said,
            provider=name,
            hint=f"check {name}'s API key and what it may use; see: framekeep doctor",
            kind="InvalidApiKey",
        )
    if status == 429:
        retry_after_s = _retry_after(chain)
        wait = f"wait {retry_after_s:.0f} s" if retry_after_s else "wait a little"
        return RateLimitedError(
            said, provider=name, hint=f"{wait}, then: framekeep resume", retry_after_s=retry_after_s
        )
    if status in (408, 504):
        return TimedOutError(said, provider=name, hint="framekeep resume", retry_after_s=_retry_after(chain))
    if status >= 500 or status in (409, 425, 499):
        return TransientError(
            said,
            provider=name,
            hint="framekeep resume",
            retry_after_s=_retry_after(chain),
            kind="ServiceUnavailable",
        )
    if status == 404:
        hint = f"check the model's name and the address of {name}; see: framekeep config show"
    else:
        hint = "change the brief's text, or name another writer with `providers: {script: ...}`"
    refused = _is_refusal(chain) if status == 403 else bool(_REFUSED.search(codes))
    return RejectedError(said, provider=name, hint=hint, kind="ContentRefused" if refused else "InvalidInput")


def _by_class(chain: list[BaseException], name: str, message: str) -> ProviderError | None:
    """Subclasses before their bases: a timeout is a connection error too, refused content is odd behaviour too."""
    import anthropic
    import httpx2
    import openai
    from openai import _exceptions as openai_errors
    from pydantic_ai import exceptions as ai

    def is_a(*classes: type[BaseException]) -> bool:
        return any(isinstance(error, classes) for error in chain)

    resume = "framekeep resume"
    if is_a(
        openai.APITimeoutError, anthropic.APITimeoutError, httpx2.TimeoutException, TimeoutError, ai.ModelRequestTimeout
    ):
        return TimedOutError(
            f"{name}: no answer within the time limit", provider=name, hint=f"raise Timeouts.Request, or: {resume}"
        )
    if is_a(httpx2.UnsupportedProtocol, httpx2.InvalidURL, httpx2.LocalProtocolError):
        return UnavailableError(
            f"{name}: cannot be asked: {message}",
            provider=name,
            hint="check its address and key: framekeep config show",
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
    if is_a(
        openai.APIConnectionError,
        anthropic.APIConnectionError,
        httpx2.HTTPError,
        httpx2.StreamError,
        ai.ModelConnectionError,
    ):
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
        body = _attribute(error, "body")
        inner = body.get("error", body) if isinstance(body, dict) else None
        if isinstance(inner, dict):
            yield from (value for key in ("code", "type") if isinstance(value := inner.get(key), str))


def _is_refusal(chain: list[BaseException]) -> bool:
    """Gateways send 403 for content that their moderation refused, too; pydantic-ai tells the two apart."""
    from pydantic_ai import exceptions as ai

    return any(
        isinstance(error, ai.ModelRequestRejectedError) and not isinstance(error, ai.ModelAuthenticationError)
        for error in chain
    )


def _message(chain: list[BaseException], secret: str) -> str:
    """What the provider itself said, in one short line without anything that looks like a key."""
    text = ""
    for error in chain:
        body = _attribute(error, "body")
        inner = body.get("error", body) if isinstance(body, dict) else None
        if isinstance(inner, dict) and isinstance(inner.get("message"), str):
            text = inner["message"]
            break
        if isinstance(inner, str):
            text = inner
            break
    if not text:
        last = chain[-1] if str(chain[-1]) else chain[0]
        text = str(last) or type(last).__name__
    text = " ".join(text.split())
    if secret:
        text = text.replace(secret, "…")
    text = _KEY_LIKE.sub("…", text)
    return text if len(text) <= _MOST_CHARS else text[: _MOST_CHARS - 1].rstrip() + "…"


def _retry_after(chain: list[BaseException]) -> float | None:
    """`Retry-After-Ms`, or `Retry-After` in seconds or as a date."""
    for error in chain:
        headers = getattr(_attribute(error, "response"), "headers", None) or _attribute(error, "headers")
        if not isinstance(headers, Mapping):
            continue
        if (seconds := _number(headers.get("retry-after-ms"))) is not None:
            return _bounded(seconds / 1000)
        said = headers.get("retry-after")
        if (seconds := _number(said)) is not None:
            return _bounded(seconds)
        if isinstance(said, str):
            try:
                at = parsedate_to_datetime(said)
            except ValueError:
                continue
            return _bounded((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - datetime.now(UTC).timestamp())
    return None


def _number(text: object) -> float | None:
    try:
        return float(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _bounded(seconds: float) -> float | None:
    return min(max(0.0, seconds), _LONGEST_WAIT_S) if seconds == seconds else None
