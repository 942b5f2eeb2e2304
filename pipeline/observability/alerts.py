"""Alerts to people, through Apprise: sent by a thread of their own, so that no call ever waits for one."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import Literal

from config.redaction import redact
from config.watching import Monitoring

_LOG = logging.getLogger("framekeep.resilience")
_MOST_WAITING = 100
_GOODBYE_S = 5.0

# What an alert is to whoever gets it, in Apprise's words: receivers show and filter by it.
AlertKind = Literal["success", "warning", "failure"]
Send = Callable[[str, str, AlertKind], bool]


class Alerts:
    """Sends what it is told to `Monitoring.AlertUrls`. Without addresses, or with monitoring off, nothing is sent.

    An address that does not work costs nothing but itself: it goes to the log, without the address, which holds a secret.
    """

    def __init__(self, settings: Monitoring, send: Send | None = None) -> None:
        self._settings = settings.resilience
        self._urls = [url.get_secret_value() for url in settings.alert_urls]
        self._send = send or (self._through_apprise if self._urls and settings.resilience.enabled else None)
        self._waiting: queue.Queue[tuple[str, str, AlertKind] | None] = queue.Queue(_MOST_WAITING)
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def circuit_opened(self, name: str, reason: str) -> None:
        """A provider is left alone for a while."""
        if self._settings.alert_on_circuit_open:
            self.send(f"Circuit open: {name}", reason, "failure")

    def retries_exhausted(self, name: str, reason: str) -> None:
        """All attempts of an operation have failed."""
        if self._settings.alert_on_retries_exhausted:
            self.send(f"Retries exhausted: {name}", reason, "failure")

    def send(self, title: str, body: str, kind: AlertKind) -> None:
        """Queue one alert. When very many wait already, it is dropped and logged."""
        if self._send is None or not self._settings.enabled:
            return
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="framekeep-alerts", daemon=True)
                self._thread.start()
        try:
            self._waiting.put_nowait((redact(title), redact(body), kind))
        except queue.Full:
            _LOG.warning("an alert was dropped, too many wait: %s", title)

    def close(self) -> None:
        """Send what waits, for a few seconds at most."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread:
            try:
                self._waiting.put(None, timeout=_GOODBYE_S)
            except queue.Full:
                return
            thread.join(_GOODBYE_S)

    def _work(self) -> None:
        while (alert := self._waiting.get()) is not None:
            assert self._send
            try:
                if not self._send(*alert):
                    _LOG.warning("an alert could not be sent: %s", alert[0])
            except Exception as error:  # noqa: BLE001 - it is a plugin's, and may name the address
                _LOG.warning("an alert could not be sent: %s (%s)", alert[0], type(error).__name__)

    def _through_apprise(self, title: str, body: str, kind: AlertKind) -> bool:
        import apprise

        logging.getLogger("apprise").setLevel(logging.CRITICAL)
        sender = apprise.Apprise()
        for url in self._urls:
            sender.add(url)
        return bool(sender.notify(title=f"Framekeep: {title}", body=body, notify_type=apprise.NotifyType(kind)))
