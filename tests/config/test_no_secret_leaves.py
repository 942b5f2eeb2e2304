"""Secrets in every place that takes one, and every kind of failure; then all that was kept, sent and shown is searched for them."""

from __future__ import annotations

import base64
import html
import itertools
import json
import os
import random
import string
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import keyring
import pytest
from keyring.backend import KeyringBackend

from pipeline.cli.app import main

PART = 8
_LETTERS = string.ascii_letters + string.digits
# What a key may hold, and what is escaped in one text or another.
_ODD = "/+\"\\%&='<"


def sentinel(name: str) -> str:
    """A secret of 40 characters that no ordinary text holds a part of."""
    rng = random.Random(name)
    return "".join(rng.choice(_ODD) if place % 7 == 6 else rng.choice(_LETTERS) for place in range(40))


def password(name: str) -> str:
    """One for addresses: without what would end one."""
    rng = random.Random(name)
    return "".join(rng.choices(_LETTERS, k=24))


KEYS = {name: sentinel(name) for name in ("OpenAI", "Anthropic", "LocalLLM", "ElevenLabs", "file", "ring", "variable")}
PASSWORDS = {name: password(name) for name in ("alert-user", "alert-password", "alert-path", "alert-token", "proxy")}
SECRETS = (*KEYS.values(), *PASSWORDS.values())


def parts() -> set[bytes]:
    """Every part of 8 characters of every secret, as it is and in base64."""
    found = set()
    for secret in SECRETS:
        forms = [secret, base64.b64encode(secret.encode()).decode().rstrip("=")[:-2]]
        found |= {form[at : at + PART].encode() for form in forms for at in range(len(form) - PART + 1)}
    return found


PARTS = parts()


# A part of 8 bytes, wherever it begins, holds a group of 4 that begins at a multiple of 5: only these are looked at.
GROUPS = {part[at : at + 4] for part in PARTS for at in range(5)}


def leaks(data: bytes) -> set[bytes]:
    """The parts of secrets that stand in some bytes."""
    suspects = [at for at in range(0, len(data), 5) if data[at : at + 4] in GROUPS]
    return {data[start : start + PART] for at in suspects for start in range(max(0, at - 4), at + 1)} & PARTS


ECHOES: dict[str, Callable[[str], Any]] = {
    "message": lambda key: {"error": {"message": f"Incorrect API key provided: {key}.", "code": "x"}},
    "half": lambda key: {"error": {"message": f"the key {key[: len(key) // 2]}… is wrong"}},
    "end": lambda key: {"detail": {"status": "no", "message": f"key ending in {key[-9:]}"}},
    "percent": lambda key: {"error": f"no such thing: /v1?key={urllib.parse.quote(key, safe='')}"},
    "escaped": lambda key: {"error": {"message": json.dumps({"header": key})}},
    "twice": lambda key: {"error": {"message": json.dumps(json.dumps(key))}},
    "page": lambda key: f"<html><p>{html.escape(key)}</p></html>",
    "coded": lambda key: {"error": {"message": base64.b64encode(f"user:{key}".encode()).decode()}},
    "code": lambda key: {"error": {"code": key, "type": key, "message": key}},
}


class EchoServer(ThreadingHTTPServer):
    """Answers with a status and the asker's own key, in some form."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.echo = 500, "message"
        self.alerts: list[bytes] = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no concern."""


class _Handler(BaseHTTPRequestHandler):
    server: EchoServer

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith(f"/{PASSWORDS['alert-path']}"):
            self.server.alerts.append(body)
            return self._answer(500, {"error": dict(self.headers)})
        headers = {name.lower(): value for name, value in self.headers.items()}
        key = (
            headers.get("x-api-key")
            or headers.get("xi-api-key")
            or headers.get("authorization", "").removeprefix("Bearer ")
        )
        if self.server.echo == "cut":
            self.send_response(200)
            self.send_header("Content-Length", "5000")
            self.end_headers()
            self.wfile.write(json.dumps({"key": key}).encode())
            self.close_connection = True
            return None
        return self._answer(self.server.status, ECHOES[self.server.echo](key), key)

    def do_POST(self) -> None:
        self.do_GET()

    def _answer(self, status: int, body: Any, key: str = "") -> None:
        is_page = isinstance(body, str)
        data = body.encode() if is_page else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if is_page else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Location", f"/elsewhere?key={urllib.parse.quote(key)}")
        self.send_header("X-Echo", urllib.parse.quote(key))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Silent."""


class Ring(KeyringBackend):
    """A keyring with one key."""

    priority = 1

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keeps nothing."""

    def get_password(self, service: str, username: str) -> str | None:
        return KEYS["ring"] if username == "anthropic" else None


@pytest.fixture
def server() -> Iterator[EchoServer]:
    server = EchoServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


class World:
    """A home, the settings and the environment of one user, and all that was shown to him."""

    def __init__(
        self, folder: Path, server: EchoServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.folder, self.server, self.capsys, self.monkeypatch = folder, server, capsys, monkeypatch
        self.home = folder / "home"
        self.shown: list[str] = []
        self.url = f"http://127.0.0.1:{server.server_port}"
        self.brief = folder / "b.md"
        self.brief.write_text(
            "---\ntitle: Lighthouses\nlength: 20s\n---\nSailors once feared the rocks along this coast because the nights were "
            "long and the charts were wrong. A single fire on a tower changed that.\n"
        )
        alert = f"json://{PASSWORDS['alert-user']}:{PASSWORDS['alert-password']}@127.0.0.1:{server.server_port}"
        self.settings: dict[str, Any] = {
            "Monitoring": {"AlertUrls": [f"{alert}/{PASSWORDS['alert-path']}?token={PASSWORDS['alert-token']}"]},
            "Resilience": {"Retry": {"MaxRetryAttempts": 0, "InitialDelay": 1}},
            "Features": {"GracefulDegradation": {"Enabled": False}},
            "Timeouts": {"Request": 2000},
            "HealthChecks": {"FFmpeg": {"Enabled": False}},
            "Logging": {"LogLevel": {"Default": "Trace"}},
            "Providers": {
                "LLM": ["OpenAI", "Anthropic", "LocalLLM"],
                "TTS": ["ElevenLabs"],
                "OpenAI": {"BaseUrl": f"{self.url}/v1", "ApiKey": KEYS["OpenAI"]},
                "Anthropic": {"BaseUrl": self.url, "ApiKey": KEYS["Anthropic"]},
                "LocalLLM": {"BaseUrl": f"{self.url}/v1", "ApiKey": KEYS["LocalLLM"], "Model": "small"},
                "ElevenLabs": {"BaseUrl": self.url, "ApiKey": KEYS["ElevenLabs"]},
            },
        }

    def run(self, *arguments: str) -> int:
        config = self.folder / "settings.json"
        config.write_text(json.dumps(self.settings))
        code = main(["--home", str(self.home), "--config", str(config), *arguments])
        captured = self.capsys.readouterr()
        self.shown += [captured.out, captured.err]
        return code

    def run_all(self, text: str = "") -> None:
        """A run that fails, and every command that tells of it."""
        if text:
            self.brief.write_text(text)
        self.run("render", str(self.brief), "--out", str(self.folder / "out"))
        self.run("breakers", "--reset", "all")

    def look_around(self, *, with_doctor: bool = False) -> None:
        """Every command that shows what was kept, and one that calls services again."""
        self.run("--json", "jobs")
        self.run("jobs")
        for note in (self.home / "store" / "jobs").glob("*.json"):
            self.run("--json", "show", note.stem)
            self.run("show", note.stem)
        if with_doctor:
            self.run("doctor")
            self.run("--json", "doctor")
        for command in (["breakers"], ["--json", "breakers"], ["--json", "metrics"]):
            self.run(*command)
        for command in (
            ["config", "show"],
            ["--json", "config", "show"],
            ["config", "keys"],
            ["--json", "config", "keys"],
        ):
            self.run(*command)

    def found(self) -> dict[str, set[bytes]]:
        """Leaked parts, by where they stand."""
        texts = {f"shown {number}": text.encode("utf-8", "surrogatepass") for number, text in enumerate(self.shown)}
        files = {str(path): path.read_bytes() for path in self.home.rglob("*") if path.is_file()}
        outside = {str(path): path.read_bytes() for path in (self.folder / "out").rglob("*") if path.is_file()}
        sent = {f"alert {number}": body for number, body in enumerate(self.server.alerts)}
        everything = texts | files | outside | sent
        return {name: leaked for name, data in everything.items() if (leaked := leaks(data))}


@pytest.fixture
def world(
    tmp_path: Path, server: EchoServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> World:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.endswith(("_API_KEY", "_PROXY", "_proxy"))]:
        monkeypatch.delenv(name)
    return World(tmp_path, server, capsys, monkeypatch)


def test_the_search_finds_what_it_is_for(world: World) -> None:
    for secret in SECRETS:
        for text in (secret, secret[5:13], f"x{secret[-8:]}y", base64.b64encode(f"me:{secret}".encode()).decode()):
            if text.endswith("=") or len(text) > 50:
                continue
            assert leaks(text.encode()), text
    assert not leaks(b"Sailors once feared the rocks along this coast, and the charts were wrong: 0123456789abcdef")


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.faults)])
def test_no_answer_that_repeats_a_key_brings_it_anywhere(world: World, every: int) -> None:
    statuses = itertools.cycle((200, 301, 400, 401, 402, 403, 404, 407, 409, 422, 425, 429, 500, 503, 529))
    spoken = "---\ntitle: Lamps\n---\n## One\nA lamp is lit at dusk, and ships far out can see it.\n"
    briefs = itertools.cycle(("", spoken))
    original = world.brief.read_text()
    for echo in (*list(ECHOES)[::every], "cut"):
        world.server.echo = echo
        world.server.status = next(statuses)
        world.run_all(next(briefs) or original)
    world.look_around(with_doctor=True)
    assert world.server.alerts, "alerts were sent"
    assert any("********" in text for text in world.shown), "something was taken out"
    assert world.found() == {}


def test_a_script_that_repeats_a_key_is_refused(world: World) -> None:
    scene = {
        "heading": "Lamps",
        "narration": f"The key is {KEYS['LocalLLM']} and nobody knew it.",
        "picture_prompt": "x",
    }
    choice = {
        "index": 0,
        "finish_reason": "stop",
        "message": {"role": "assistant", "content": json.dumps({"scenes": [scene]})},
    }
    answer = {"id": "c", "object": "chat.completion", "created": 1, "model": "small", "choices": [choice]}
    world.monkeypatch.setitem(ECHOES, "script", lambda key: answer)
    world.settings["Providers"]["LLM"] = ["LocalLLM"]
    world.server.status, world.server.echo = 200, "script"
    world.brief.write_text("---\ntitle: Lamps\nlength: 5s\n---\nA lamp is lit at dusk, and ships far out can see it.\n")
    world.run_all()
    assert any("repeats a key" in text for text in world.shown)
    assert world.found() == {}


def _raise(error: Callable[[httpx2.Request], Exception]) -> Callable[..., Any]:
    async def send(self: Any, request: httpx2.Request, **_: Any) -> Any:
        raise error(request)

    return send


def _header_of(request: httpx2.Request) -> str:
    names = ("authorization", "x-api-key", "xi-api-key")
    return next(value for name in names if (value := request.headers.get(name)))


RAISED: dict[str, Callable[[httpx2.Request], Exception]] = {
    "encode": lambda request: UnicodeEncodeError("ascii", f"{_header_of(request)}\u200b", 3, 4, "ordinal not in range"),
    "header": lambda request: httpx2.LocalProtocolError(f"Illegal header value {_header_of(request).encode()!r}"),
    "repr": lambda request: RuntimeError(f"{dict(request.headers)!r}"),
    "file": lambda request: OSError(2, "No such file", _header_of(request)),
    "refused": lambda request: httpx2.ConnectError(f"no way with {_header_of(request)!r}"),
    "late": lambda request: httpx2.ReadTimeout(_header_of(request)),
    "proxy": lambda request: httpx2.ProxyError(f"407 {_header_of(request)}"),
}


@pytest.mark.parametrize("every", [2, pytest.param(1, marks=pytest.mark.faults)])
def test_no_error_of_a_client_that_holds_a_key_brings_it_anywhere(world: World, every: int) -> None:
    original, spoken = world.brief.read_text(), "---\ntitle: Lamps\n---\n## One\nA lamp is lit at dusk.\n"
    for error, brief in zip(list(RAISED.values())[::every], itertools.cycle((original, spoken)), strict=False):
        world.monkeypatch.setattr(httpx2.AsyncClient, "send", _raise(error))
        world.run_all(brief)
    world.look_around()
    assert world.found() == {}


def test_no_fault_of_ours_that_holds_a_key_brings_it_anywhere(world: World) -> None:
    from stages.script.llm.writer import LlmWriter

    def broken(self: LlmWriter, *_: Any) -> None:
        raise KeyError(f"Bearer {self._account.key}", self._account)

    world.monkeypatch.setattr(LlmWriter, "write", broken)
    assert world.run("render", str(world.brief), "--out", str(world.folder / "out")) == 1
    assert world.run("--json", "render", str(world.brief), "--out", str(world.folder / "out")) == 1
    secret = f"Providers.OpenAI.ApiKey={KEYS['OpenAI']}"
    world.run("--set", secret, "render", str(world.brief), "--nonsense")
    world.look_around()
    assert list((world.home / "logs").glob("error-*.log")), "the details are kept"
    assert world.found() == {}


@pytest.mark.parametrize("source", ["file", "keyring", "variable", "refused"])
def test_no_key_from_another_source_comes_anywhere(world: World, source: str) -> None:
    accounts = world.settings["Providers"]
    for name in ("OpenAI", "Anthropic", "ElevenLabs"):
        del accounts[name]["ApiKey"], accounts[name]["BaseUrl"]
    variables = {"OPENAI_BASE_URL": f"{world.url}/v1", "ANTHROPIC_BASE_URL": world.url}
    if source == "file":
        file = world.folder / "key"
        file.write_text(f"{KEYS['file']}\n")
        accounts["OpenAI"]["ApiKeyFile"] = str(file)
    elif source == "keyring":
        accounts["LLM"] = ["Anthropic"]
    else:
        odd = "\u200b" if source == "refused" else ""
        variables["OPENAI_API_KEY"] = f"{KEYS['variable'][:20]}{odd}{KEYS['variable'][20:]}"
    before = keyring.get_keyring()
    keyring.set_keyring(Ring())
    try:
        for name, value in variables.items():
            world.monkeypatch.setenv(name, value)
        world.server.status, world.server.echo = 400, "escaped"
        world.run_all()
        world.look_around()
    finally:
        keyring.set_keyring(before)
    assert world.found() == {}


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks"])
def test_no_password_of_a_proxy_comes_anywhere(world: World, scheme: str) -> None:
    place = "127.0.0.1:9" if scheme == "socks5" else f"127.0.0.1:{world.server.server_port}"
    world.server.status = 407
    for address in (f"{scheme}://me:{PASSWORDS['proxy']}@{place}", f"{scheme}://me:{PASSWORDS['proxy']}@{place}x"):
        world.monkeypatch.setenv("ALL_PROXY", address)
        world.run_all()
    world.look_around()
    assert world.found() == {}


@pytest.mark.parametrize(
    "settings",
    [
        {"Monitoring": {"AlertUrls": [f"nonsense://{PASSWORDS['alert-user']}:{PASSWORDS['alert-password']}@host"]}},
        {"Monitoring": {"AlertUrls": f"json://u:{PASSWORDS['alert-password']}@host/\u200b{PASSWORDS['alert-path']}"}},
        {"Monitoring": {"AlertUrls": [{"url": f"json://u:{PASSWORDS['alert-password']}@host"}]}},
        {"Providers": {"OpenAI": {"ApiKey": [KEYS["OpenAI"]]}}},
        {"Providers": {"OpenAI": {"ApiKey": {"value": KEYS["OpenAI"]}}}},
        {"Providers": {"OpenAI": {"ApiKey": f"{KEYS['OpenAI']} \u2019x"}}},
        {"Providers": {"OpenAI": {"BaseUrl": f"http://me:{PASSWORDS['proxy']}@host/v1"}}},
        {"Providers": {"OpenAI": {"ApiKeyFile": PASSWORDS["proxy"]}, "LLM": ["OpenAI"]}},
    ],
)
def test_no_setting_that_is_refused_shows_its_value(world: World, settings: dict[str, Any]) -> None:
    world.settings = settings
    assert world.run("render", str(world.brief)) == 2
    world.run("--json", "render", str(world.brief))
    world.run("config", "validate", str(world.folder / "settings.json"))
    world.run("--json", "config", "show")
    assert world.found() == {}
