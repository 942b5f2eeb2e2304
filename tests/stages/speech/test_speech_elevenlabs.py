"""ElevenLabs' voices, against a server on this machine that answers as theirs does."""

from __future__ import annotations

import base64
import io
import json
import threading
import time
import wave
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from config.errors import (
    CancelledError,
    ProviderError,
    QuotaError,
    RateLimitedError,
    RejectedError,
    TimedOutError,
    TransientError,
    UnavailableError,
)
from config.settings import Settings
from pipeline.planning.toolbox import Toolbox
from stages.base import CancelToken
from stages.models import Brief
from stages.speech.providers.elevenlabs_provider import ElevenLabsProvider, timed_words
from stages.speech.speech_provider import SpeechRequest

SECRET = "xi-secret-0123456789"
REQUEST = SpeechRequest(text="A lamp  is lit.", language="en", voice="", seed=7)


def spoken_answer(text: str, seconds: float = 1.2) -> dict[str, Any]:
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(44_100)
        tone = np.sin(np.arange(round(seconds * 44_100)) * 0.05) * 9000
        file.writeframes(tone.astype("<i2").tobytes())
    step = seconds / len(text)
    return {
        "audio_base64": base64.b64encode(sound.getvalue()).decode(),
        "alignment": {
            "characters": list(text),
            "character_start_times_seconds": [step * place for place in range(len(text))],
            "character_end_times_seconds": [step * (place + 1) for place in range(len(text))],
        },
    }


class Service:
    """What to answer next, and what was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answer: tuple[int, Any, dict[str, str]] = (200, None, {})
        self.hold = threading.Event()
        self.hold.set()
        self.url = ""


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            service.asked.append({"path": self.path, "headers": dict(self.headers), "body": body})
            service.hold.wait(20)
            status, document, headers = service.answer
            document = spoken_answer(body["text"]) if document is None else document
            data = document.encode() if isinstance(document, str) else json.dumps(document).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    service.url = f"http://127.0.0.1:{server.server_port}"
    yield service
    service.hold.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def speak(service: Service, tmp_path: Path) -> Callable[..., Any]:
    def call(request: SpeechRequest = REQUEST, cancel: CancelToken | None = None, model: str = "eleven_x") -> Any:
        provider = ElevenLabsProvider(SecretStr(SECRET), model, "voice-1", service.url)
        return provider.asking("request-9").speak(request, cancel or CancelToken(), tmp_path)

    return call


def test_a_line_is_asked_for_as_the_service_wants_it(service: Service, speak: Callable[..., Any]) -> None:
    spoken = speak()
    (asked,) = service.asked
    assert asked["path"] == "/v1/text-to-speech/voice-1/with-timestamps?output_format=mp3_44100_128"
    assert asked["body"] == {"text": "A lamp is lit.", "model_id": "eleven_x", "seed": 7}
    headers = {name.lower(): value for name, value in asked["headers"].items()}
    assert (headers["xi-api-key"], headers["idempotency-key"]) == (SECRET, "request-9")
    assert [word.text for word in spoken.words] == REQUEST.text.split()
    assert spoken.timing == "exact"
    assert spoken.words[1].start_s == pytest.approx(2 * 1.2 / 14)
    assert spoken.words[-1].end_s == pytest.approx(1.2)


def test_the_briefs_voice_and_language_are_asked_for(service: Service, speak: Callable[..., Any]) -> None:
    request = SpeechRequest(text="Guten Tag", language="de-AT", voice="a/b", seed=0)
    assert speak(request, model="eleven_turbo_v2_5").voice == "a/b"
    assert service.asked[0]["path"].startswith("/v1/text-to-speech/a%2Fb/")
    assert service.asked[0]["body"]["language_code"] == "de"


def test_without_a_usable_alignment_the_words_are_estimated(service: Service, speak: Callable[..., Any]) -> None:
    service.answer = (200, spoken_answer("A lamp is lit.") | {"alignment": None}, {})
    spoken = speak()
    assert spoken.timing == "estimated"
    assert [word.text for word in spoken.words] == REQUEST.text.split()


@pytest.mark.parametrize(
    ("status", "document", "headers", "error", "kind", "retry_after_s"),
    [
        (401, {"detail": {"status": "invalid_api_key", "message": f"no {SECRET}"}}, {}, UnavailableError, "InvalidApiKey", None),
        (401, {"detail": {"status": "quota_exceeded", "message": "none left"}}, {}, QuotaError, "QuotaExceeded", None),
        (402, {}, {}, QuotaError, "QuotaExceeded", None),
        (422, {"detail": [{"msg": "bad"}]}, {}, RejectedError, "InvalidInput", None),
        (429, {"detail": "slow"}, {"Retry-After": "7"}, RateLimitedError, "RateLimitExceeded", 7.0),
        (429, "<html>busy</html>", {}, RateLimitedError, "RateLimitExceeded", None),
        (503, "<html>down</html>", {}, TransientError, "ServiceUnavailable", None),
        (504, {}, {}, TimedOutError, "Timeout", None),
        (200, "<html>hello</html>", {}, TransientError, "TransientNetworkFailure", None),
        (200, {"audio_base64": "%%"}, {}, TransientError, "TransientNetworkFailure", None),
    ],
)  # fmt: skip
def test_what_the_service_refuses_is_told_by_its_kind(
    service: Service,
    speak: Callable[..., Any],
    status: int,
    document: Any,
    headers: dict[str, str],
    error: type[ProviderError],
    kind: str,
    retry_after_s: float | None,
) -> None:
    service.answer = (status, document, headers)
    with pytest.raises(error) as caught:
        speak()
    assert type(caught.value) is error
    assert (caught.value.kind, caught.value.retry_after_s) == (kind, retry_after_s)
    assert SECRET not in str(caught.value)
    assert "<html>" not in str(caught.value)
    assert len(service.asked) == 1


def test_a_service_that_is_not_there_is_worth_another_try(tmp_path: Path) -> None:
    provider = ElevenLabsProvider(SecretStr(SECRET), "m", "v", "http://127.0.0.1:9")
    with pytest.raises(TransientError, match=r"no connection to 127\.0\.0\.1:9: connection refused"):
        provider.speak(REQUEST, CancelToken(), tmp_path)


def test_a_call_that_is_cancelled_ends_at_once(service: Service, speak: Callable[..., Any]) -> None:
    service.hold.clear()
    cancel, ended = CancelToken(), []

    def work() -> None:
        with pytest.raises(CancelledError):
            speak(cancel=cancel)
        ended.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    deadline = time.monotonic() + 10
    while not service.asked and time.monotonic() < deadline:
        thread.join(0.01)
    cancel.cancel()
    thread.join(5)
    assert ended, "the call went on after it was cancelled"


def test_without_a_key_nobody_is_called(service: Service) -> None:
    with pytest.raises(UnavailableError) as caught:
        ElevenLabsProvider(None, "m", "v", service.url).check("en", "", "x")
    assert caught.value.kind == "InvalidApiKey"
    assert service.asked == []


@pytest.mark.parametrize(
    "alignment",
    [
        None,
        {},
        {"characters": ["x"], "character_start_times_seconds": [0], "character_end_times_seconds": [1]},
        {"characters": list("a b"), "character_start_times_seconds": [0], "character_end_times_seconds": [1]},
    ],
)
def test_an_alignment_of_another_text_is_not_used(alignment: Any) -> None:
    assert timed_words("a b", alignment) == ()


def test_the_settings_account_reaches_the_provider_and_no_secret_its_identity() -> None:
    data = {"providers": {"tts": "ElevenLabs", "elevenlabs": {"api_key": SECRET, "voice": "v9", "model": "m9"}}}
    brief = Brief(name="b", base=Path("/nowhere"), title="T", text="x")
    speaker = Toolbox(brief, Settings.model_validate(data)).speakers()[0]
    assert speaker.identity() == {
        "version": "1", "model": "m9", "voice": "v9", "url": "https://api.elevenlabs.io"
    }  # fmt: skip
    assert SECRET not in repr(vars(speaker))


def test_an_upgrade_changes_the_key_of_a_free_line_and_never_of_a_paid_one(monkeypatch: pytest.MonkeyPatch) -> None:
    brief = Brief(name="b", base=Path("/nowhere"), title="T", text="x")
    orders: list[list[str]] = [["ElevenLabs", "hibari"], ["hibari", "ElevenLabs"]]

    def keyed() -> list[object]:
        accounts = {"elevenlabs": {"api_key": SECRET, "voice": "v9"}}
        chains = [Settings.model_validate({"providers": {"tts": order, **accounts}}) for order in orders]
        return [Toolbox(brief, settings).speaker_identities for settings in chains]

    paid, free = keyed()
    monkeypatch.setattr("stages.speech.providers.voice_checks.code_digest", lambda *packages: "the next version")
    assert keyed()[0] == paid
    assert keyed()[1] != free
