"""Whether a service can be reached and takes the account: one request that asks for a list and costs nothing.

| answer                       | error, and what kind                        |
|------------------------------|---------------------------------------------|
| no connection                | `TransientError`, `TransientNetworkFailure` |
| no answer in time, 408, 504  | `TimedOutError`, `Timeout`                  |
| 401, 403                     | `UnavailableError`, `InvalidApiKey`         |
| 402, a quota that is used up | `QuotaError`                                |
| 429                          | `RateLimitedError`                          |
| 5xx                          | `TransientError`, `ServiceUnavailable`      |
| any other but 2xx            | `RejectedError`                             |

What the service itself says is not repeated: some repeat the key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from config.errors import (
    ProviderError,
    QuotaError,
    RateLimitedError,
    RejectedError,
    TimedOutError,
    TransientError,
    UnavailableError,
)
from stages.base import CancelToken
from stages.loop_call import call_in_loop

_SPENT = re.compile(r"quota|credit|billing|payment|spend_limit", re.IGNORECASE)
# A key that may do this and not that was taken all the same.
_KEY_IS_TAKEN = "missing_permissions"
_SECONDS = re.compile(r"^\d+(?:\.\d+)?$")
_LONGEST_WAIT_S = 86_400.0


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    document: Any


def ask_for_list(name: str, url: str, headers: Mapping[str, str], cancel: CancelToken, timeout_s: float) -> Any:
    """What the service `name` lists at `url`; None where it takes the account but does not let it see the list.

    Raises ProviderError, or CancelledError.
    """
    try:
        answer = call_in_loop(lambda: _get(url, headers), cancel, timeout_s)
    except TimeoutError:
        raise TimedOutError(
            f"{name}: no answer within {timeout_s:g} s from {_host(url)}",
            provider=name,
            hint=f"check the network, and {name}'s address: framekeep config show",
        ) from None
    except Exception as error:
        known = _unreachable(name, url, error)
        if known is None:
            raise
        # Not chained: the library's error carries the request, and with it the key.
        raise known from None
    if 200 <= answer.status < 300:
        return answer.document
    if answer.status in (401, 403) and _KEY_IS_TAKEN in _codes(answer.document):
        return None
    raise _refused(name, answer)


async def _get(url: str, headers: Mapping[str, str]) -> _Answer:
    import httpx2

    # The caller's limit is for all of it, and cancels this.
    async with httpx2.AsyncClient(timeout=None, follow_redirects=False) as client:
        answer = await client.get(url, headers=dict(headers))
    try:
        document = answer.json()
    except ValueError:
        document = None
    return _Answer(answer.status_code, answer.headers, document)


def _unreachable(name: str, url: str, error: Exception) -> ProviderError | None:
    import httpx2

    if isinstance(error, httpx2.InvalidURL | httpx2.UnsupportedProtocol | httpx2.LocalProtocolError):
        return UnavailableError(
            f"{name}: its address or key cannot be sent: {type(error).__name__}",
            provider=name,
            hint="check both: framekeep config show",
        )
    if isinstance(error, httpx2.HTTPError):
        what = "refuses connections" if isinstance(error, httpx2.ConnectError) else "broke off"
        return TransientError(
            f"{name}: {_host(url)} {what} ({type(error).__name__})",
            provider=name,
            hint=f"check the network, and that the server of {name} runs at this address",
        )
    return None


def _refused(name: str, answer: _Answer) -> ProviderError:
    status, said = answer.status, f"{name} answers {answer.status}"
    if status == 402 or (status in (400, 403, 429) and _SPENT.search(_codes(answer.document))):
        return QuotaError(f"{said}: the account's quota or credit is used up", provider=name, hint="top up the account")
    if status in (401, 403):
        return UnavailableError(
            f"{said}: it does not take the API key",
            provider=name,
            hint=f"check the key: framekeep config keys; set a new one: framekeep config keys --set {name}",
            kind="InvalidApiKey",
        )
    if status == 429:
        wait_s = _wait_s(answer.headers)
        hint = f"wait {wait_s:.0f} s" if wait_s else "wait a little"
        return RateLimitedError(
            f"{said}: it was asked too often", provider=name, hint=f"{hint}, or set RateLimit", retry_after_s=wait_s
        )
    if status in (408, 504):
        return TimedOutError(f"{said}: it ran out of time", provider=name, hint="wait until the service is well again")
    if status >= 500:
        return TransientError(
            f"{said}: the service is down", provider=name, hint="wait until it is up", kind="ServiceUnavailable"
        )
    return RejectedError(
        f"{said} where its list of models should be",
        provider=name,
        hint=f"check Providers.{name}.BaseUrl: framekeep config show",
    )


def _codes(document: Any) -> str:
    """The codes in an answer's error, however this service wraps them."""
    inner = document.get("error") or document.get("detail") if isinstance(document, Mapping) else None
    if isinstance(inner, Mapping):
        return json.dumps([inner.get(name) for name in ("code", "type", "status")], default=str)
    return ""


def _wait_s(headers: Mapping[str, str]) -> float | None:
    said = headers.get("retry-after", "").strip()
    return min(float(said), _LONGEST_WAIT_S) if _SECONDS.match(said) else None


def _host(url: str) -> str:
    """Host and port; never a path, a user or a query."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        return f"{parts.hostname or ''}:{parts.port}" if parts.port else parts.hostname or ""
    except ValueError:
        return ""
