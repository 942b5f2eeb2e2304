"""Each answer of `tables/http_answers.yaml` is the same error for every client that we have."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from config.errors import ProviderError
from stages.base import CancelToken
from stages.http.waits import wait_s
from stages.models import Brief
from stages.script.llm.account import ModelAccount
from stages.script.llm.writer import LlmWriter
from stages.speech.providers.elevenlabs_provider import ElevenLabsProvider
from stages.speech.speech_provider import SpeechRequest

ROWS: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parents[2] / "tables" / "http_answers.yaml").read_text())
KEY = SecretStr("key-of-the-table-1")
BRIEF = Brief(title="Lamps", text="How a lamp is lit.", language="en", target_length_s=10)
NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


class Service(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.row: dict[str, Any] = {}
        self.asked = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.server.asked += 1
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        row = self.server.row
        body = row.get("body", {})
        is_page = isinstance(body, str)
        payload = body.encode() if is_page else json.dumps(body).encode()
        self.send_response_only(row["status"])
        self.send_header("Date", format_datetime(NOW, usegmt=True))
        self.send_header("Content-Type", "text/html; charset=utf-8" if is_page else "application/json")
        self.send_header("Content-Length", str(len(payload)))
        for name, value in row.get("headers", {}).items():
            self.send_header(name, dated(value))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_: Any) -> None:
        """Silent."""


def dated(value: str) -> str:
    before, _, seconds = value.partition("date: ")
    return value if before else format_datetime(NOW + timedelta(seconds=int(seconds)), usegmt=True)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    server = Service()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def writer(kind: Any) -> Callable[[str, Path], object]:
    def call(url: str, folder: Path) -> object:
        account = ModelAccount(kind, "small", KEY, url if kind == "anthropic" else f"{url}/v1")
        return LlmWriter("Service", account).write(BRIEF, CancelToken(), 0)

    return call


def speak(url: str, folder: Path) -> object:
    request = SpeechRequest(text="A lamp is lit.", language="en", voice="", seed=7)
    return ElevenLabsProvider(KEY, "eleven_x", "voice-1", url).speak(request, CancelToken(), folder)


def connect(url: str, folder: Path) -> object:
    return ElevenLabsProvider(KEY, "eleven_x", "voice-1", url).connect(CancelToken(), 20)


CLIENTS = {"openai": writer("openai"), "anthropic": writer("anthropic"), "speech": speak, "list": connect}


@pytest.mark.parametrize("client", CLIENTS)
def test_every_answer_of_the_table_is_the_error_that_stands_there(
    service: Service, client: str, tmp_path: Path
) -> None:
    for row in ROWS:
        service.row, service.asked = row, 0
        with pytest.raises(ProviderError) as caught:
            CLIENTS[client](service.url, tmp_path)
        found = caught.value
        assert (type(found).__name__, found.kind, found.retry_after_s) == (
            row["error"],
            row["kind"],
            row.get("wait_s"),
        ), row
        assert service.asked == 1, "an error is not retried by a client"
        assert found.hint
        assert "<html" not in found.message.lower()


@pytest.mark.parametrize(
    ("headers", "said", "seconds"),
    [
        ({"retry-after": "Sunday, 01-Mar-26 12:00:30 GMT", "date": "Sun, 01 Mar 2026 12:00:00 GMT"}, "", 30),
        ({"retry-after": "Sun Mar  1 12:00:30 2026", "date": "Sun, 01 Mar 2026 12:00:00 GMT"}, "", 30),
        ({"retry-after": "Sun, 01 Mar 2026 14:00:30 +0200", "date": "Sun, 01 Mar 2026 12:00:00 GMT"}, "", 30),
        ({"retry-after": "2026-03-01T12:00:30Z", "date": "Sun, 01 Mar 2026 12:00:00 GMT"}, "", 30),
        ({"Retry-After": "Sun, 01 Mar 2026 12:00:30 GMT"}, "", 30),
        ({"retry-after": "5s"}, "", 5),
        ({"anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "2026-03-01T12:01:00Z"}, "", 60),
        ({}, "Rate limit reached. Please try again in 1m12.5s. Visit …", 72.5),
        ({}, "Please try again in 6ms.", 0.006),
        ({}, "Please retry after 26 seconds.", 26),
        ({}, "Please retry after a while.", None),
        ({}, "You made 20 requests in 5 minutes.", None),
        ({"retry-after": ""}, "", None),
    ],
)  # fmt: skip
def test_a_wait_is_read_however_it_is_said(headers: dict[str, str], said: str, seconds: float | None) -> None:
    assert wait_s(headers, said, NOW) == (pytest.approx(seconds) if seconds is not None else None)
