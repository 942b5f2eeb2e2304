"""What the environment says about the way to a service: the proxy that requests go through, and files of certificates."""

from __future__ import annotations

import os
import ssl
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

#: What ends a login in an address, unless it is written so.
_CODES = {"/": "%2F", "?": "%3F", "#": "%23"}
_PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")


@dataclass(frozen=True)
class Proxy:
    """The proxy for an address: the variable that names it, and its scheme, host and port, without user and password."""

    variable: str
    address: str
    trouble: str = ""
    """Why it cannot be used; empty where nothing is wrong with how it is written."""


@dataclass(frozen=True)
class Trouble:
    """What is wrong, and what to do about it."""

    what: str
    hint: str


def proxy_for(url: str, environ: Mapping[str, str] | None = None) -> Proxy | None:
    """The proxy that a request to `url` goes through; None where it goes straight."""
    environ = os.environ if environ is None else environ
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return None
    if not host or _is_spared(host, environ):
        return None
    for name in (f"{parts.scheme}_proxy", "all_proxy"):
        # In the order of `urllib`, which the clients read it by: lower case wins.
        for variable in (name, name.upper()):
            if value := environ.get(variable, "").strip():
                return _proxy(variable, value)
    return None


def _is_spared(host: str, environ: Mapping[str, str]) -> bool:
    named = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    return bool(named) and bool(urllib.request.proxy_bypass_environment(host, {"no": named}))  # type: ignore[attr-defined]


def _proxy(variable: str, value: str) -> Proxy:
    value = value if "://" in value else f"http://{value}"
    scheme, _, rest = value.partition("://")
    place = rest.rpartition("@")[2].split("/")[0]
    return Proxy(variable, f"{scheme}://{place}", _trouble(scheme, rest.rpartition("@")[0], place))


def _trouble(scheme: str, login: str, place: str) -> str:
    """Why the address of a proxy cannot be used, without a word of its login."""
    if scheme not in _PROXY_SCHEMES:
        return f"its scheme is none of {', '.join(_PROXY_SCHEMES)}"
    if odd := next((character for character in login if character in _CODES), ""):
        return f"its user or password holds {odd}, which must be written {_CODES[odd]} there"
    try:
        parts = urlsplit(f"//{place}")
        port, host = parts.port, parts.hostname
    except ValueError:
        return "its host or its port is none; a port is a number from 1 to 65535"
    if not host:
        return "it names no host"
    return "a port is a number from 1 to 65535" if port == 0 else ""


def certificates_trouble(environ: Mapping[str, str] | None = None) -> Trouble | None:
    """What keeps TLS from being set up: a file or folder that the environment names and that cannot be used."""
    environ = os.environ if environ is None else environ
    for variable, is_wrong in (("SSL_CERT_FILE", _wrong_file), ("SSL_CERT_DIR", _wrong_folder)):
        value = environ.get(variable, "")
        if value and (wrong := is_wrong(Path(value))):
            return Trouble(f"{variable} names {value}, {wrong}", f"correct or unset {variable}")
    return None


def _wrong_file(path: Path) -> str:
    try:
        path.read_bytes()
    except FileNotFoundError:
        return "which is not there"
    except OSError as error:
        return f"which cannot be read ({error.strerror or error})"
    try:
        ssl.create_default_context(cafile=str(path))
    except (OSError, ValueError):
        return "which holds no certificates"
    return ""


def _wrong_folder(path: Path) -> str:
    return "" if path.is_dir() else "which is no folder"
