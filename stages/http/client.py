"""The one HTTP client of all providers, and the call that turns whatever goes wrong with it into a provider's failure."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from config.errors import FramekeepError, ProviderError, UnavailableError
from stages.base import CancelToken
from stages.http.answers import failure_in_success, nothing, web_page
from stages.http.connections import unknown, unreachable
from stages.http.loop_call import call_in_loop

if TYPE_CHECKING:
    import ssl

    import httpx2

T = TypeVar("T")

_CONNECT_S = 10.0
_NAMED = ("SSL_CERT_FILE", "SSL_CERT_DIR")


class Sending:
    """Whether a request may have left this machine. A connection that is being made, or a proxy that is asked for one, is none."""

    def __init__(self) -> None:
        self.has_begun = False

    async def watch(self, request: httpx2.Request) -> None:
        """Look at one request from the moment on that its first byte is written."""
        request.extensions = {**request.extensions, "trace": self._trace}

    async def _trace(self, event: str, info: dict[str, Any]) -> None:
        if event.endswith("send_request_headers.started"):
            method = getattr(info.get("request"), "method", b"")
            self.has_begun = self.has_begun or method != b"CONNECT"


@contextlib.contextmanager
def loading(name: str) -> Iterator[None]:
    """Within it, clients' libraries are imported: one that cannot be is a provider that is not installed."""
    try:
        yield
    except ImportError as error:
        raise UnavailableError(
            f"{name} cannot be asked: a library that it needs cannot be loaded: {error}",
            provider=name,
            hint="install Framekeep again: make setup; then: framekeep doctor",
        ) from error


def open_client(name: str, limit_s: float, sending: Sending | None = None, **options: Any) -> httpx2.AsyncClient:
    """A client for one call. `limit_s` bounds its waiting for each part of the answer, 0 is no limit.

    No redirect is followed: it would send a paid request again, and the key to whom it is not for. A success that is a web page
    where JSON should be, that is empty or holds an error, is a failure of the service `name`, whoever reads it.
    """
    import httpx2

    async def look_into_success(response: httpx2.Response) -> None:
        kind = response.headers.get("content-type", "")
        if not response.is_success:
            return
        if response.status_code == 204 or response.headers.get("content-length") == "0":
            raise nothing(name, str(response.request.url), response.status_code)
        if kind.startswith("text/html"):
            raise web_page(name, str(response.request.url))
        if kind.startswith("application/json") or not kind:
            await response.aread()
            if not response.content.strip():
                raise nothing(name, str(response.request.url), response.status_code)
            with contextlib.suppress(ValueError):
                if failure := failure_in_success(name, response.headers, response.json()):
                    raise failure

    hooks: dict[str, list[Callable[..., Any]]] = {
        "request": [sending.watch] if sending else [],
        "response": [look_into_success],
    }
    timeout = httpx2.Timeout(limit_s or None, connect=min(limit_s or _CONNECT_S, _CONNECT_S))
    return httpx2.AsyncClient(timeout=timeout, event_hooks=hooks, verify=_certificates(), **options)


def _certificates() -> ssl.SSLContext:
    """Whom to trust, read once for what the environment names: reading takes longer than a local server takes to answer."""
    return _read_certificates(*(os.environ.get(name, "") for name in _NAMED))


@functools.lru_cache(maxsize=4)
def _read_certificates(*_places: str) -> ssl.SSLContext:
    import httpx2

    return httpx2.create_ssl_context()


def call_service(
    name: str,
    url: str,
    make: Callable[[], Coroutine[Any, Any, T]],
    cancel: CancelToken,
    timeout_s: float,
    translate: Callable[[Exception], ProviderError | None] = lambda error: None,
) -> T:
    """What the coroutine returns that asks the service `name` at `url`. Raises ProviderError or CancelledError.

    `translate` may know an error of the client better. A mistake in our own code is raised as it is.
    """
    try:
        return call_in_loop(make, cancel, timeout_s)
    except FramekeepError:
        raise
    except Exception as error:
        known = translate(error) or unreachable(name, url, error, timeout_s) or unknown(name, error)
        if known is None:
            raise
        # Not chained: a library's error carries the request, and with it the key, into whatever prints the chain.
        raise known from None
