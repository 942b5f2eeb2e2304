"""The way to a service: proxies, certificates, addresses. What is wrong with it is the provider's failure, with a remedy."""

from __future__ import annotations

import gc
import json
import os
import socket
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from config.errors import ProviderError, TimedOutError, TransientError, UnavailableError
from config.settings import Settings
from pipeline.health import provider_checks
from stages.base import CancelToken
from stages.http.answers import answer_of
from stages.http.client import Sending, call_service, open_client
from stages.http.connections import chain_of
from stages.http.environment import proxy_for
from stages.models import Brief
from stages.script.llm.account import ModelAccount
from stages.script.llm.writer import LlmWriter
from stages.script.script_writer import Again
from stages.speech.providers.elevenlabs_provider import ElevenLabsProvider
from stages.speech.speech_provider import SpeechRequest
from tests.services import Service, served
from tests.socks import socks_server

KEY = SecretStr("key-of-connections-1")
BRIEF = Brief(title="Lamps", text="How a lamp is lit.", language="en", target_length_s=10)
ADDRESS = "http://service.invalid:8099"


@pytest.fixture(autouse=True)
def _straight_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in os.environ if name.lower().endswith("_proxy") or name.startswith("SSL")]:
        monkeypatch.delenv(name)
    yield
    # The client leaves sockets to the collector whose TLS or SOCKS greeting has failed.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def service() -> Iterator[Service]:
    with served() as service:
        yield service


def write(url: str, folder: Path) -> object:
    return written(LlmWriter("Local", ModelAccount("compatible", "small", KEY, f"{url}/v1")))


def write_by_messages(url: str, folder: Path) -> object:
    return written(LlmWriter("Local", ModelAccount("anthropic", "small", KEY, url)))


def written(writer: LlmWriter) -> object:
    """What comes once the writer has been asked in every form that it wants to be."""
    reply = writer.write(BRIEF, CancelToken(), 0)
    while isinstance(reply, Again):
        reply = writer.write(BRIEF, CancelToken(), 0, reply.ask)
    return reply


def speak(url: str, folder: Path) -> object:
    request = SpeechRequest(text="A lamp is lit.", language="en", voice="", seed=7)
    return ElevenLabsProvider(KEY, "eleven_x", "voice-1", url).speak(request, CancelToken(), folder)


def connect(url: str, folder: Path) -> object:
    return LlmWriter("Local", ModelAccount("compatible", "small", KEY, f"{url}/v1")).connect(CancelToken(), 20)


CLIENTS: dict[str, Callable[[str, Path], object]] = {
    "openai": write,
    "anthropic": write_by_messages,
    "speech": speak,
    "list": connect,
}


def failure(client: str, url: str, folder: Path) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        CLIENTS[client](url, folder)
    error = caught.value
    assert error.__cause__ is None
    assert error.hint
    assert "S3CR3T" not in f"{error.message} {error.hint}"
    return error


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("SSL_CERT_FILE", "/nowhere/cacert.pem", "SSL_CERT_FILE names /nowhere/cacert.pem, which is not there"),
        ("SSL_CERT_FILE", "{folder}", "SSL_CERT_FILE names {folder}, which cannot be read"),
        ("SSL_CERT_FILE", "{folder}/empty.pem", "which holds no certificates"),
        ("ALL_PROXY", "socks://127.0.0.1:9", "the proxy socks://127.0.0.1:9 cannot be used"),
        ("all_proxy", "socks4://127.0.0.1:9", "correct or unset all_proxy"),
        ("HTTP_PROXY", "ftp://127.0.0.1:9", "the proxy ftp://127.0.0.1:9 cannot be used"),
        ("http_proxy", "http://me:S3CR3T-pass@127.0.0.1:port", "the proxy http://127.0.0.1:port cannot be used"),
        ("http_proxy", "http://", "the proxy http:// cannot be used: it names no host"),
        (
            "ALL_PROXY",
            "http://u:S3CR3T#pass@127.0.0.1:9",
            "cannot be used: its user or password holds #, which must be written %23",
        ),
        (
            "ALL_PROXY",
            "http://u:S3CR3T/pass@127.0.0.1:9",
            "the proxy http://127.0.0.1:9 cannot be used: its user or password holds /",
        ),
        ("ALL_PROXY", "http://u:S3CR3T?pass@127.0.0.1:9", "its user or password holds ?, which must be written %3F"),
        (
            "ALL_PROXY",
            "http://u:S3CR3T-pass@127.0.0.1:99999",
            "its host or its port is none; a port is a number from 1 to 65535",
        ),
        ("ALL_PROXY", "socks5://u:S3CR3T-pass@127.0.0.1:0", "a port is a number from 1 to 65535"),
    ],
)
def test_what_the_environment_names_and_cannot_be_used_is_named_with_its_remedy(
    client: str, variable: str, value: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty.pem").write_text("no certificate\n")
    monkeypatch.setenv(variable, value.format(folder=tmp_path))
    error = failure(client, ADDRESS, tmp_path)
    assert (type(error), error.kind) == (UnavailableError, "NotSupported")
    assert told.format(folder=tmp_path) in error.message
    assert f"correct or unset {variable}" in error.message
    assert "framekeep doctor" in error.hint


@pytest.mark.parametrize("client", CLIENTS)
def test_a_proxy_that_is_not_there_is_told_from_a_service_that_is_not(
    client: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{unused.getsockname()[1]}"
    straight = failure(client, f"http://{place}", tmp_path)
    assert (type(straight), straight.kind) == (TransientError, "TransientNetworkFailure")
    assert f"no connection to {place}: connection refused" in straight.message
    for scheme in ("socks5", "http"):
        monkeypatch.setenv("ALL_PROXY", f"{scheme}://me:S3CR3T-pass@{place}")
        error = failure(client, ADDRESS, tmp_path)
        assert (type(error), error.kind) == (TransientError, "TransientNetworkFailure")
        assert f"through the proxy {scheme}://{place} (ALL_PROXY)" in error.message
        assert "correct or unset ALL_PROXY, or name service.invalid:8099 in NO_PROXY" in error.message


@pytest.mark.parametrize("client", ["speech", "list"])
def test_a_proxy_that_wants_a_password_or_refuses_is_of_no_use(
    client: str, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", service.url)
    service.answer = (407, {}, {})
    plain = failure(client, ADDRESS, tmp_path)
    assert (type(plain), plain.kind) == (UnavailableError, "NotSupported")
    assert "the proxy wants a user and a password" in plain.message
    assert "http://user:password@host:port" in plain.hint


@pytest.mark.parametrize("client", CLIENTS)
def test_requests_go_through_a_socks_proxy(
    client: str, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.answer = (503, {}, {})
    for login, given in ((None, ""), (("me", "S3CR3T-pass"), "me:S3CR3T-pass@")):
        with socks_server(login) as proxy:
            for scheme in ("socks5", "socks5h"):
                monkeypatch.setenv("ALL_PROXY", f"{scheme}://{given}{proxy.place}")
                service.asked.clear()
                error = failure(client, service.url, tmp_path)
                assert "503" in error.message
                assert len(service.asked) == 1
            assert proxy.asked == [service.url.removeprefix("http://")] * 2


@pytest.mark.parametrize("client", CLIENTS)
def test_a_socks_proxy_that_does_not_take_the_login_is_of_no_use(
    client: str, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socks_server(("me", "right")) as proxy:
        for given in ("", "me:S3CR3T-wrong@"):
            monkeypatch.setenv("ALL_PROXY", f"socks5://{given}{proxy.place}")
            error = failure(client, service.url, tmp_path)
            assert (type(error), error.kind) == (UnavailableError, "NotSupported")
            assert f"the proxy socks5://{proxy.place} refuses" in error.message
    assert service.asked == []


def test_a_service_behind_a_socks_proxy_that_is_not_there_may_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused, socks_server() as proxy:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("ALL_PROXY", f"socks5://{proxy.place}")
        error = failure("list", f"http://127.0.0.1:{unused.getsockname()[1]}", tmp_path)
    assert (type(error), error.kind) == (TransientError, "TransientNetworkFailure")


def test_a_server_that_speaks_no_tls_is_told_so(service: Service, tmp_path: Path) -> None:
    error = failure("list", service.url.replace("http:", "https:"), tmp_path)
    assert (type(error), error.kind) == (UnavailableError, "NotSupported")
    assert "speaks no TLS" in error.message


@pytest.mark.parametrize(
    ("url", "variables", "expected"),
    [
        ("http://h/", {"HTTP_PROXY": "http://u:p@proxy:3128/x"}, ("HTTP_PROXY", "http://proxy:3128", True)),
        ("http://h/", {"http_proxy": "a:1", "HTTP_PROXY": "b:1"}, ("http_proxy", "http://a:1", True)),
        ("https://h/", {"HTTP_PROXY": "a:1"}, None),
        ("https://h/", {"HTTP_PROXY": "a:1", "ALL_PROXY": "socks5h://b:1"}, ("ALL_PROXY", "socks5h://b:1", True)),
        ("http://h.example/", {"ALL_PROXY": "a:1", "NO_PROXY": "example"}, None),
        ("http://127.0.0.1:8/", {"ALL_PROXY": "a:1", "no_proxy": "localhost, 127.0.0.1"}, None),
        ("http://h/", {"ALL_PROXY": "a:1", "NO_PROXY": "*"}, None),
        ("http://h/", {"ALL_PROXY": "socks://a:1"}, ("ALL_PROXY", "socks://a:1", False)),
        ("http://[bad/", {"ALL_PROXY": "a:1"}, None),
    ],
)
def test_the_proxy_of_an_address_is_known_with_its_variable_and_without_its_login(
    url: str, variables: dict[str, str], expected: tuple[str, str, bool] | None
) -> None:
    found = proxy_for(url, variables)
    assert (found and (found.variable, found.address, not found.trouble)) == expected


@pytest.mark.parametrize(
    "raised",
    [
        ImportError("Using SOCKS proxy, but the 'socksio' package is not installed"),
        UnicodeEncodeError("ascii", "Bearer key-of-connections-1\u200b", 27, 28, "ordinal not in range(128)"),
        OSError(24, "Too many open files"),
        RuntimeError("something that nobody foresaw"),
    ],
)
def test_whatever_else_a_library_raises_is_the_providers_failure_and_holds_no_key(raised: Exception) -> None:
    async def ask() -> None:
        # A frame of no module of ours, as a library's is.
        exec("raise error", {"error": raised, "__name__": "some_library"})

    with pytest.raises(UnavailableError) as caught:
        call_service("Local", ADDRESS, ask, CancelToken(), 0)
    assert caught.value.kind == "NotSupported"
    assert type(raised).__name__ in caught.value.message
    assert "of-connections" not in caught.value.message


def test_a_mistake_of_ours_is_no_failure_of_a_provider() -> None:
    async def ask() -> None:
        exec("raise KeyError('x')", {"__name__": "stages.script.llm.writer"})

    with pytest.raises(KeyError):
        call_service("Local", ADDRESS, ask, CancelToken(), 0)


def test_a_request_has_left_when_its_first_byte_is_written_and_not_before(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def has_left(url: str) -> bool:
        sending = Sending()

        async def ask() -> None:
            async with open_client("Local", 5, sending) as client:
                await client.get(url)

        try:
            call_service("Local", url, ask, CancelToken(), 5)
        except (TransientError, TimedOutError, UnavailableError):
            return sending.has_begun
        return sending.has_begun

    assert has_left(f"{service.url}/v1")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert not has_left(f"http://127.0.0.1:{unused.getsockname()[1]}/")
    # The proxy is asked for a connection, which it refuses: the request itself stays here.
    service.answer = (403, {}, {})
    monkeypatch.setenv("HTTPS_PROXY", service.url)
    assert not has_left("https://service.invalid/v1")
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    assert not has_left(f"{service.url}/v1")


@pytest.mark.parametrize(
    ("variable", "value"), [("SSL_CERT_FILE", "/nowhere/cacert.pem"), ("ALL_PROXY", "socks://127.0.0.1:9")]
)
def test_the_doctor_says_what_a_run_says(
    variable: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    local = {"base_url": f"{ADDRESS}/v1", "model": "small"}
    settings = Settings.model_validate({"providers": {"llm": ["LocalLLM"], "local_llm": local}})
    finding = next(provider_checks.check_script(settings))
    account = ModelAccount("compatible", "small", None, f"{ADDRESS}/v1")
    with pytest.raises(UnavailableError) as caught:
        LlmWriter("LocalLLM", account).write(BRIEF, CancelToken(), 0)
    assert (finding.status, finding.message, finding.hint) == ("warn", caught.value.message, caught.value.hint)


def test_a_login_page_in_place_of_an_answer_is_told_as_one(tmp_path: Path) -> None:
    with served() as service:
        service.answer = (200, {}, {"Content-Type": "text/html"})
        error = failure("openai", service.url, tmp_path)
    assert "answered with a web page" in error.message
    assert "log in to this network" in error.hint


def test_nothing_of_an_answer_is_lost_that_a_service_says_in_its_own_way(service: Service, tmp_path: Path) -> None:
    bodies: list[Any] = [{"error": "no such thing"}, {"message": "no such thing"}, {"detail": "no such thing"}]
    for body in bodies:
        service.answer = (400, body, {})
        for client in CLIENTS:
            assert "no such thing" in failure(client, service.url, tmp_path).message, (client, json.dumps(body))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([{"error": {"message": "first"}}, {"error": {"message": "second"}}], "first; second"),
        (["one", "two"], "one; two"),
        ({"errors": [{"message": "one"}, "two"]}, "one; two"),
        ({"error": True, "message": "why"}, "why"),
        ({"error": "Bad", "message": "why"}, "Bad; why"),
        ({"error": {"message": "Provider error", "metadata": {"raw": "no such size"}}}, "Provider error; no such size"),
        ({"error": "invalid_grant", "error_description": "it is over"}, "invalid_grant; it is over"),
        ({"detail": [{"loc": ["body", "n"], "msg": "too large"}, {"msg": "x"}]}, "body.n: too large; x"),
        ({"message": "m", "error": {"message": "m"}}, "m"),
        ([], ""),
        (7, ""),
    ],
)  # fmt: skip
def test_the_words_of_an_error_are_found_however_it_is_wrapped(body: Any, said: str) -> None:
    assert answer_of(400, {}, body).said == said


@pytest.mark.parametrize("client", CLIENTS)
def test_a_redirect_is_one_request_and_says_where_the_address_leads(
    client: str, service: Service, tmp_path: Path
) -> None:
    for location, where in {
        f"{service.url}/v1/chat/completions": f" to {service.url}",
        "https://elsewhere.invalid/v1": " to https://elsewhere.invalid",
        "/there": "",
    }.items():
        service.answer = (307, {}, {"Location": location})
        service.asked.clear()
        error = failure(client, service.url, tmp_path)
        assert f"its address leads elsewhere{where}" in error.message
        assert len(service.asked) == 1


def test_what_went_wrong_within_a_group_of_tasks_is_told_itself() -> None:
    assert [str(one) for one in chain_of(ExceptionGroup("unhandled errors in a TaskGroup", [OSError("why")]))] == [
        "why"
    ]
