"""Whether addresses of alerts can be used. What is wrong is said by an address's place: it may hold a password."""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

from config.names import guide_path

_PATH = ("monitoring", "alert_urls")
_SCHEME = re.compile(r"^\s*([A-Za-z][\w.+-]*)://")


def wrong_addresses(cleaned: Mapping[str, Any]) -> Iterator[str]:
    """A problem for each address of `Monitoring.AlertUrls` in one source's data that no Apprise plugin takes."""
    block = cleaned.get(_PATH[0])
    given = block.get(_PATH[1]) if isinstance(block, dict) else None
    places = given.items() if isinstance(given, dict) else enumerate(given) if isinstance(given, list) else ()
    for place, address in places:
        if isinstance(address, str) and (flaw := _flaw(address)):
            yield f"{guide_path((*_PATH, str(place)))}: {flaw}"


def _flaw(address: str) -> str:
    scheme = _SCHEME.match(address)
    if not scheme:
        return "is no address; it must begin with a service, as in json://host/path or mailto://host"
    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    try:
        if apprise.Apprise().add(address):
            return ""
    except Exception:  # noqa: BLE001 - a plugin's own, and its text may hold the address
        return "cannot be read by the service's plugin"
    known = {str(name) for name in apprise.plugins.N_MGR.schemas()}  # type: ignore[no-untyped-call]
    if scheme[1].lower() in known:
        return f"is not complete, or not as the service {scheme[1].lower()}:// writes it"
    near = difflib.get_close_matches(scheme[1].lower(), sorted(known), n=1)
    # The scheme itself is not repeated: what stands there may be a slip of the clipboard.
    return "begins with no service that Apprise knows" + (f"; did you mean {near[0]}://?" if near else "")
