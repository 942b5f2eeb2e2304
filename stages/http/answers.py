"""Every answer over HTTP that is no success, as one of our errors: the one mapping for all clients.

| what happened                                            | ours               | kind                      |
|----------------------------------------------------------|--------------------|---------------------------|
| 402, a quota or credit that is used up, with any status  | `QuotaError`       | `QuotaExceeded`           |
| 401, 403, a key or an account that may not be used       | `UnavailableError` | `InvalidApiKey`           |
| 429, with the wait that it names                         | `RateLimitedError` | `RateLimitExceeded`       |
| 408, 504, 524                                            | `TimedOutError`    | `Timeout`                 |
| 409, 425, 499, any other 5xx                             | `TransientError`   | `ServiceUnavailable`      |
| 403 or 400 for content that is refused                   | `RejectedError`    | `ContentRefused`          |
| 3xx, any other 4xx                                       | `RejectedError`    | `InvalidInput`            |
| 511, a web page in place of an answer                    | `TransientError`   | `TransientNetworkFailure` |
| 407                                                      | `UnavailableError` | `NotSupported`            |
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from config.errors import (
    ProviderError,
    QuotaError,
    RateLimitedError,
    RejectedError,
    TimedOutError,
    TransientError,
    UnavailableError,
)
from config.redaction import MASK
from stages.http.waits import wait_s

_MOST_CHARS = 240
#: No quota fills up in less; a service may send the same short wait with all its refusals.
_SHORTEST_QUOTA_S = 60.0
#: Codes and types that mean "pay or ask for more", whatever status they come with.
_SPENT = re.compile(
    r"quota|credit|billing|payment|spend_limit|usage_limit|insufficient_balance|subscription", re.IGNORECASE
)
_SPENT_WORDS = re.compile(
    r"credit balance is too low|exceeded your current quota|insufficient (?:balance|credits|funds)", re.IGNORECASE
)
#: Codes for an account that cannot be used, which some send as 400.
_ACCOUNT = re.compile(
    r"on_hold|organization_type|parent_organization|key_creator|cmek_key_disabled|cmek_key_network|human_review",
    re.IGNORECASE,
)
_REFUSED = re.compile(r"content_?filter|content_policy|moderation|responsible_?ai|safety", re.IGNORECASE)
_KEY_LIKE = re.compile(r"\b(?:sk|pk|key|Bearer)[-_ ](?=[\w*-]*[\d*])[A-Za-z0-9*_\-]{6,}")
#: What services say of a key that they do not take, with whatever status.
_BAD_KEY = re.compile(
    r"(?:invalid|incorrect|wrong|unknown|expired|missing|malformed|no|bad)[ _](?:\w+[ _])?(?:x[ _-])?"
    r"(?:api|access|auth|authentication|authorization|bearer|subscription)[ _-]?(?:key|token)"
    r"|(?:api|access|auth|authentication|bearer)[ _-]?(?:key|token)s?(?![a-z]).{0,24}?[ _]"
    r"(?:not[ _](?:valid|found|recogni[sz]ed|provided|exist)"
    r"|invalid|incorrect|expired|revoked|disabled|missing|required|does not exist|deactivated|suspended)"
    r"|invalid[ _-]?api[ _-]?key|authentication[ _](?:error|failed|fails|required)|invalid[ _](?:authentication|credentials?)"
    r"|unauthenticated|not authenticated",
    re.IGNORECASE,
)
#: Where errors hold their words, their codes and further errors. How deep they are looked for.
_WORDED = ("error", "errors", "detail", "message", "error_description", "metadata", "raw")
_CODED = ("code", "type", "status", "reason")
_WRAPPED = ("error", "errors", "detail", "details")
_DEEPEST = 5
_TOO_LATE = (408, 504, 524)
_PASSING = (409, 425, 499)


@dataclass(frozen=True)
class Answer:
    """An answer that is no success. `said` is the service's own message, `codes` the codes and types in its body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    codes: Sequence[str] = ()
    said: str = ""
    is_refusal: bool = False


def answer_of(status: int, headers: Mapping[str, str], document: Any) -> Answer:
    """An answer from its status, headers and JSON body, however the service wraps its error; any other body says nothing."""
    words = dict.fromkeys(filter(None, (text.strip() for text in _words(document))))
    return Answer(status, headers, list(_codes(document)), short("; ".join(words)))


def _words(document: Any, depth: int = 0) -> Iterator[str]:
    """All that a service says in its error, from the outside in."""
    if depth > _DEEPEST:
        return
    if isinstance(document, str) and not document.lstrip().startswith("<"):
        yield document
    elif isinstance(document, list):
        for item in document:
            yield from _words(item, depth + 1)
    elif isinstance(document, Mapping):
        if "msg" in document:
            # Validators name each field that they refuse.
            yield f"{'.'.join(map(str, document.get('loc') or ()))}: {document['msg']}".strip(": ")
        for name in _WORDED:
            yield from _words(document.get(name), depth + 1)


def _codes(document: Any, depth: int = 0) -> Iterator[str]:
    """Codes and types of an error, the outermost first. Validators' types say nothing of the account."""
    if depth > _DEEPEST:
        return
    if isinstance(document, list):
        for item in document:
            yield from _codes(item, depth + 1)
    elif isinstance(document, Mapping) and "msg" not in document:
        yield from (str(document[name]) for name in _CODED if isinstance(document.get(name), str | int))
        for name in _WRAPPED:
            yield from _codes(document.get(name), depth + 1)


def short(text: str) -> str:
    """A service's words in one line that is not too long, without what looks like anybody's key."""
    text = _KEY_LIKE.sub(MASK, " ".join(text.split()))
    return text if len(text) <= _MOST_CHARS else text[: _MOST_CHARS - 1].rstrip() + "…"


def refused(name: str, answer: Answer) -> ProviderError:
    """The error for an answer of the service `name` that is no success."""
    status, codes = answer.status, " ".join(answer.codes)
    said = f"{name} answered {status}: {answer.said or _meaning(status)}"
    if status == 402 or _SPENT.search(codes) or _SPENT_WORDS.search(answer.said):
        told_s = wait_s(answer.headers, answer.said) or 0.0
        return QuotaError(
            f"{name}: the account's quota or credit is used up ({said.removeprefix(f'{name} answered ')})",
            provider=name,
            hint="top up the account or raise its limit, or name another provider in the brief or under Providers",
            retry_after_s=told_s if told_s >= _SHORTEST_QUOTA_S else None,
        )
    if (status in (401, 403) and not answer.is_refusal) or _ACCOUNT.search(codes) or _is_about_key(answer, codes):
        return UnavailableError(
            said,
            provider=name,
            hint=f"check {name}'s API key and what it may use; see: framekeep config keys",
            kind="InvalidApiKey",
        )
    if status == 407:
        return UnavailableError(
            f"{said}: the proxy wants a user and a password",
            provider=name,
            hint="put them into the address of HTTPS_PROXY and HTTP_PROXY, as in http://user:password@host:port",
        )
    if status == 429:
        pause_s = wait_s(answer.headers, answer.said)
        hint = f"wait {pause_s:.0f} s, then: framekeep resume" if pause_s else "wait a little, then: framekeep resume"
        return RateLimitedError(said, provider=name, hint=f"{hint}; or set RateLimit", retry_after_s=pause_s)
    pause_s = wait_s(answer.headers)
    if status in _TOO_LATE:
        return TimedOutError(said, provider=name, hint="framekeep resume", retry_after_s=pause_s)
    if status == 511:
        return TransientError(said, provider=name, hint="log in to this network, then: framekeep resume")
    if status >= 500 or status in _PASSING:
        return TransientError(
            said, provider=name, hint="framekeep resume", retry_after_s=pause_s, kind="ServiceUnavailable"
        )
    return _rejected(name, said, answer, codes)


def _is_about_key(answer: Answer, codes: str) -> bool:
    """Whether a refusal is of the key, whatever its status says."""
    is_refused = 400 <= answer.status < 500 and answer.status not in (407, 429)
    return is_refused and bool(_BAD_KEY.search(answer.said) or _BAD_KEY.search(codes))


def _meaning(status: int) -> str:
    """What an answer means whose body says nothing."""
    if status in (401, 403):
        return "it does not take the API key"
    if status == 429:
        return "it was asked too often"
    if status in _TOO_LATE:
        return "it ran out of time"
    return "the service is down" if status >= 500 else _phrase(status)


def _phrase(status: int) -> str:
    """The standard's words for a status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no success"


def _rejected(name: str, said: str, answer: Answer, codes: str) -> RejectedError:
    if answer.status < 400:
        location = answer.headers.get("location", "")
        target = host_of(location)
        where = f" to {location.partition('://')[0]}://{target}" if target and "://" in location else ""
        hint = f"name the address itself in Providers.{name}.BaseUrl; see: framekeep config show"
        return RejectedError(f"{said}: its address leads elsewhere{where}", provider=name, hint=hint)
    is_content = answer.is_refusal if answer.status == 403 else bool(_REFUSED.search(codes))
    if answer.status in (404, 405):
        hint = f"check {name}'s model or voice and its address: framekeep config show"
    elif is_content or answer.status == 413:
        hint = "change the brief's text, or name another provider in the brief or under Providers"
    else:
        hint = f"check what {name} and its model take: framekeep config show; or name another provider under Providers"
    return RejectedError(said, provider=name, hint=hint, kind="ContentRefused" if is_content else "InvalidInput")


def failure_in_success(name: str, headers: Mapping[str, str], document: Any) -> ProviderError | None:
    """The error of an answer that says 200 and holds nothing but an error, as gateways send it; None for any other."""
    inner = document.get("error") if isinstance(document, Mapping) else None
    if not inner or not {"choices", "content", "data", "output"}.isdisjoint(document):
        return None
    code = inner.get("code") if isinstance(inner, Mapping) else None
    status = code if isinstance(code, int) and 400 <= code < 600 else HTTPStatus.SERVICE_UNAVAILABLE
    return refused(name, answer_of(int(status), headers, document))


def nothing(name: str, url: str, status: int) -> TransientError:
    """The error for a success without a body."""
    return TransientError(
        f"{name}: {host_of(url)} answered {status} with nothing in it",
        provider=name,
        hint=f"check Providers.{name}.BaseUrl: framekeep config show; then: framekeep resume",
        kind="ServiceUnavailable",
    )


def web_page(name: str, url: str) -> TransientError:
    """The error for a web page where an answer in JSON should be: a network's login page, or a wrong address."""
    return TransientError(
        f"{name}: {host_of(url)} answered with a web page, where JSON should be",
        provider=name,
        hint=f"log in to this network if it asks for that, and check Providers.{name}.BaseUrl; then: framekeep resume",
    )


def host_of(url: str) -> str:
    """Host and port; never a path, a user or a query."""
    try:
        parts = urlsplit(url)
        return f"{parts.hostname or ''}:{parts.port}" if parts.port else parts.hostname or ""
    except ValueError:
        return ""
