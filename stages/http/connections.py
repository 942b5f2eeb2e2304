"""Whatever goes wrong before, while and after a client connects, as one of our errors: the one mapping for all clients.

| what happened                                      | ours               | kind                      |
|----------------------------------------------------|--------------------|---------------------------|
| no answer in time                                  | `TimedOutError`    | `Timeout`                 |
| no connection, one that breaks off, half an answer | `TransientError`   | `TransientNetworkFailure` |
| a proxy, certificate or address that is of no use  | `UnavailableError` | `NotSupported`            |
| anything else that a library raises                | `UnavailableError` | `NotSupported`            |
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from types import TracebackType

from config.errors import ProviderError, TimedOutError, TransientError, UnavailableError
from stages.http.answers import host_of, short
from stages.http.environment import Proxy, certificates_trouble, proxy_for

#: What the client says where the system says "connection refused".
_NOBODY_THERE = "All connection attempts failed"
#: Where code of ours stands: what is raised there is a mistake of ours, and no failure of a service.
_OURS = ("config", "checkpoints", "stages", "pipeline")


def chain_of(error: BaseException) -> Iterator[BaseException]:
    """An error and what it came from, the latest first."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if isinstance(current, BaseExceptionGroup):
            # "unhandled errors in a TaskGroup" says nothing: what happened is within.
            current = current.exceptions[0]
            continue
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def unreachable(name: str, url: str, error: BaseException, limit_s: float = 0.0) -> ProviderError | None:
    """The error for what a client raised before, while and after it connected to `url`; None for what has to do with neither."""
    import httpx2

    chain = list(chain_of(error))
    found = next((one for one in chain if isinstance(one, ProviderError)), None)
    if found:
        return found
    setup = _bad_setup(name, url, chain)
    if setup:
        return setup
    if any(isinstance(one, httpx2.TimeoutException | TimeoutError) for one in chain):
        limit = f"{limit_s:g} s" if limit_s else "the time limit"
        return TimedOutError(
            f"{name}: no answer from {_where(url)} within {limit}",
            provider=name,
            hint="raise Timeouts.Request, or: framekeep resume",
        )
    broken = next((one for one in chain if isinstance(one, httpx2.HTTPError | httpx2.StreamError)), None)
    if broken:
        return _no_connection(name, url, broken)
    return None


def unknown(name: str, error: BaseException) -> ProviderError | None:
    """The error for whatever else a library raised: the provider cannot be used. None for a mistake in our own code."""
    chain = list(chain_of(error))
    if isinstance(error, MemoryError) or not _is_foreign(chain):
        return None
    what = f"{type(chain[-1]).__name__}: {short(str(chain[-1]))}"
    return UnavailableError(f"{name} cannot be asked: {what}", provider=name, hint="framekeep doctor")


def _bad_setup(name: str, url: str, chain: Sequence[BaseException]) -> UnavailableError | None:
    """What stays as it is however often the request is sent: addresses, certificates, a proxy that refuses."""
    import ssl

    import httpx2

    def unusable(what: str, remedy: str) -> UnavailableError:
        # The remedy stands in the message: a run that goes on with another provider shows that alone.
        return UnavailableError(
            f"{name} cannot be asked: {what} ({remedy})", provider=name, hint=f"{remedy}; then: framekeep doctor"
        )

    last, proxy = chain[-1], proxy_for(url)
    text = short(str(last))
    is_http = any(isinstance(one, httpx2.HTTPError) for one in chain)
    if not is_http and isinstance(last, OSError | ssl.SSLError) and (trouble := certificates_trouble()):
        return unusable(trouble.what, trouble.hint)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return unusable(
            f"the certificate of {host_of(url)} is not trusted ({text})",
            "where a company's proxy signs anew, name its CA file in SSL_CERT_FILE; check the clock, too",
        )
    if "WRONG_VERSION_NUMBER" in text or "RECORD_LAYER_FAILURE" in text:
        return unusable(
            f"{host_of(url)} speaks no TLS", f"write http:// in Providers.{name}.BaseUrl, or check the proxy"
        )
    if any(isinstance(one, httpx2.ProxyError) for one in chain):
        if proxy and _is_refusal_of_proxy(text):
            return unusable(f"the proxy {proxy.address} refuses: {text}", f"correct or unset {proxy.variable}")
        return None
    if proxy and (proxy.trouble or (not is_http and re.search("proxy|socks", text, re.IGNORECASE))):
        return unusable(f"the proxy {proxy.address} cannot be used: {proxy.trouble or text}", _remedy(proxy, url))
    if any(
        isinstance(one, httpx2.InvalidURL | httpx2.UnsupportedProtocol | httpx2.LocalProtocolError) for one in chain
    ):
        # What libraries quote here may be a piece of a password.
        text = re.sub(r"""b?(['"]).*\1""", "…", text)
        return unusable(f"its address or key cannot be sent: {text}", "check both: framekeep config show")
    return None


def _is_refusal_of_proxy(text: str) -> bool:
    """Whether a proxy says no by itself; else the host behind it cannot be reached, which may pass."""
    return bool(re.search(r"40[1357]|auth|username|password|not allowed|ruleset", text, re.IGNORECASE))


def _no_connection(name: str, url: str, error: BaseException) -> TransientError:
    import httpx2

    text = re.sub(r"^\[Errno -?\d+\] ", "", short(str(error))) or type(error).__name__
    text = "connection refused" if text == _NOBODY_THERE else text
    if isinstance(error, httpx2.ConnectError | httpx2.ProxyError):
        what = f"no connection to {_where(url)}: {text}"
        if proxy := proxy_for(url):
            what += f" ({_remedy(proxy, url)})"
    else:
        what = f"the connection to {_where(url)} broke off: {text}"
    hint = f"check the network, and that {name} can be reached at this address, then: framekeep resume"
    return TransientError(f"{name}: {what}", provider=name, hint=hint)


def _remedy(proxy: Proxy, url: str) -> str:
    return f"correct or unset {proxy.variable}, or name {host_of(url)} in NO_PROXY"


def _is_foreign(chain: Sequence[BaseException]) -> bool:
    """Whether the error was raised in a library."""
    trace: TracebackType | None = chain[-1].__traceback__
    if trace is None:
        return False
    while trace.tb_next:
        trace = trace.tb_next
    return str(trace.tb_frame.f_globals.get("__name__", "")).split(".")[0] not in _OURS


def _where(url: str) -> str:
    proxy = proxy_for(url)
    return f"{host_of(url)} through the proxy {proxy.address} ({proxy.variable})" if proxy else host_of(url)
