"""Whether a service can be reached and takes the account: one request that asks for a list and costs nothing.

What goes wrong is told as for every other request, by `stages.http.answers` and `stages.http.connections`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from config.errors import RejectedError, TransientError
from stages.base import CancelToken
from stages.http.answers import answer_of, refused
from stages.http.client import call_service, open_client

# A key that may do this and not that was taken all the same.
_KEY_IS_TAKEN = "missing_permissions"


@dataclass(frozen=True)
class _Listed:
    status: int
    headers: Mapping[str, str]
    document: Any


def ask_for_list(name: str, url: str, headers: Mapping[str, str], cancel: CancelToken, timeout_s: float) -> Any:
    """What the service `name` lists at `url`; None where it takes the account but does not let it see the list.

    Raises ProviderError, or CancelledError.
    """
    found = call_service(name, url, lambda: _get(name, url, headers), cancel, timeout_s)
    if 200 <= found.status < 300:
        return found.document
    answer = answer_of(found.status, found.headers, found.document)
    if found.status in (401, 403) and _KEY_IS_TAKEN in answer.codes:
        return None
    error = refused(name, answer)
    if isinstance(error, RejectedError):
        error.message += ", where its list of models should be"
        error.hint = f"check Providers.{name}.BaseUrl: framekeep config show"
    elif isinstance(error, TransientError):
        error.hint = error.hint.replace("framekeep resume", "wait until it is up")
    raise error


async def _get(name: str, url: str, headers: Mapping[str, str]) -> _Listed:
    # The caller's limit is for all of it, and cancels this.
    async with open_client(name, 0.0) as client:
        answer = await client.get(url, headers=dict(headers))
    try:
        document = answer.json()
    except ValueError:
        document = None
    return _Listed(answer.status_code, answer.headers, document)
