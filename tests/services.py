"""A service of providers on this machine: it lists models, or answers whatever a test wants. For the tests of health."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LISTED = {"data": [{"id": "small"}, {"id": "large"}]}


class Service(ThreadingHTTPServer):
    """`answer` is the status, the document and the headers of the next answers; while `hold` is not set those are not given
    that are asked by one of the methods `held`.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer: tuple[int, Any, dict[str, str]] = (200, LISTED, {})
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.held = ("GET", "POST")
        self.hold = threading.Event()
        self.hold.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append((self.command, self.path, headers))
        if self.command in self.server.held:
            self.server.hold.wait(20)
        status, document, more = self.server.answer
        payload = json.dumps(document).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **more}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *args: Any) -> None:
        """Silent: what a test prints is what it tests."""


@contextlib.contextmanager
def served() -> Iterator[Service]:
    """A service that runs while the block does."""
    service = Service()
    thread = threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield service
    finally:
        service.hold.set()
        service.shutdown()
        thread.join()
        service.server_close()
