"""Alerts: which settings send what, off the call's path, and never with their addresses in a log."""

from __future__ import annotations

import json
import logging
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from config.watching import Monitoring
from pipeline.observability.alerts import Alerts


def monitoring(**resilience: bool) -> Monitoring:
    return Monitoring.model_validate({"Resilience": resilience, "AlertUrls": ["json://127.0.0.1/secret-path"]})


def sent(settings: Monitoring) -> list[tuple[str, str, str]]:
    told: list[tuple[str, str, str]] = []

    def send(title: str, body: str, kind: str) -> bool:
        told.append((title, body, kind))
        return True

    alerts = Alerts(settings, send)
    alerts.circuit_opened("OpenAI-LLM", "5 failures")
    alerts.retries_exhausted("OpenAI", "4 calls failed")
    alerts.close()
    return told


def test_both_alerts_are_sent_unless_settings_say_otherwise() -> None:
    opened = ("Circuit open: OpenAI-LLM", "5 failures", "failure")
    exhausted = ("Retries exhausted: OpenAI", "4 calls failed", "failure")
    assert sent(Monitoring()) == [opened, exhausted]
    assert sent(monitoring(alert_on_circuit_open=False)) == [exhausted]
    assert sent(monitoring(alert_on_retries_exhausted=False)) == [opened]
    assert sent(monitoring(enabled=False)) == []


def test_a_slow_receiver_holds_nobody_up() -> None:
    released, arrived = threading.Event(), threading.Event()

    def send(title: str, body: str, kind: str) -> bool:
        arrived.set()
        return released.wait(10)

    alerts = Alerts(monitoring(), send)
    for number in range(300):
        alerts.send("one of many", str(number), "failure")
    assert arrived.wait(5)
    released.set()
    alerts.close()


def test_a_receiver_that_breaks_is_logged_without_its_address(caplog: pytest.LogCaptureFixture) -> None:
    def send(title: str, body: str, kind: str) -> bool:
        raise RuntimeError("cannot reach json://user:secret-path@host")

    with caplog.at_level(logging.WARNING, logger="framekeep.resilience"):
        alerts = Alerts(monitoring(), send)
        alerts.send("title", "body", "failure")
        alerts.close()
    assert "could not be sent: title (RuntimeError)" in caplog.text
    assert "secret" not in caplog.text


def test_an_alert_reaches_a_real_receiver() -> None:
    got: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        settings = Monitoring.model_validate({"AlertUrls": [f"json://127.0.0.1:{server.server_port}/"]})
        alerts = Alerts(settings)
        alerts.circuit_opened("OpenAI-LLM", "5 failures")
        alerts.close()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    (item,) = got
    assert (item["title"], item["message"]) == ("Framekeep: Circuit open: OpenAI-LLM", "5 failures")
    assert item["type"] == "failure", "receivers that filter by it must not take it for mere news"


def test_without_addresses_no_thread_is_started() -> None:
    before = threading.active_count()
    alerts = Alerts(Monitoring())
    alerts.send("title", "body", "failure")
    assert threading.active_count() == before
    alerts.close()
