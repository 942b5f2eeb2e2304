"""Limits of time that really cut off: the thread, the socket and the child process of a call go free."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from config.errors import CancelledError, ProviderError, RetryExhaustedError, TimedOutError, TransientError
from config.settings import Settings
from pipeline.resilience.breakers.registry import Breakers
from pipeline.resilience.deadlines import ALARMS
from pipeline.resilience.guard import Attempt, Guard, GuardedCall
from pipeline.resilience.policy import policy_for
from stages.base import CancelToken, Provider
from stages.models import Brief
from tests.guarding import Named, desk, settings_of

A, B = Named("a"), Named("b")
ONE_CALL = {"Retry": {"MaxRetryAttempts": 0}}
BRIEF = Brief(title="Tides", text="The sea rises twice a day.")


def real(settings: Settings, cancel: CancelToken | None = None) -> tuple[GuardedCall, list[Attempt]]:
    """A guarded call on the real clock."""
    notes: list[Attempt] = []
    return Guard(settings, Breakers()).bind(cancel or CancelToken(), notes.append), notes


@pytest.fixture
def silent_server() -> Iterator[Any]:
    """Takes connections and never answers; `closed` is set when a client hangs up."""

    class Silent:
        def __init__(self) -> None:
            self.closed = threading.Event()
            self.calls = 0
            self._socket = socket.create_server(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"
            self._threads = [threading.Thread(target=self._accept, daemon=True)]
            self._threads[0].start()

        def _accept(self) -> None:
            while True:
                try:
                    client, _address = self._socket.accept()
                except OSError:
                    return
                self.calls += 1
                thread = threading.Thread(target=self._hold, args=(client,), daemon=True)
                self._threads.append(thread)
                thread.start()

        def _hold(self, client: socket.socket) -> None:
            with client:
                client.settimeout(20)
                try:
                    while client.recv(65536):
                        pass
                except OSError:
                    return
                self.closed.set()

        def close(self) -> None:
            self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()
            for thread in self._threads:
                thread.join(5)

    server = Silent()
    yield server
    server.close()


def writer(url: str) -> Any:
    """A writer whose modules are loaded: that takes longer than these tests' limits."""
    import openai
    import pydantic_ai.models.openai
    import pydantic_ai.providers.openai

    from stages.script.llm.account import ModelAccount
    from stages.script.llm.writer import LlmWriter

    assert openai
    assert pydantic_ai.models.openai
    return LlmWriter("OpenAI", ModelAccount("openai", "m", SecretStr("sk-test"), url))


def gone(name: str) -> bool:
    """Whether no thread of that name is left, after a moment to end."""
    for _ in range(100):
        if not any(thread.name == name for thread in threading.enumerate()):
            return True
        time.sleep(0.02)
    return False


def test_a_server_that_never_answers_is_hung_up_on_and_its_thread_ends(silent_server: Any) -> None:
    settings = settings_of(Resilience=ONE_CALL, Providers={"OpenAI": {"RequestTimeout": 1500}})
    call, notes = real(settings)
    provider = writer(silent_server.url)
    began = time.monotonic()
    with pytest.raises(RetryExhaustedError, match=r"request timeout of 1.5 s ran out") as caught:
        call("write", [provider], lambda one, cancel: one.write(BRIEF, cancel, 0.0))
    assert time.monotonic() - began < 4
    assert caught.value.kind == "Timeout"
    assert silent_server.closed.wait(5), "the socket is closed"
    assert silent_server.calls == 1, "the SDK does not try again by itself"
    assert gone("framekeep-llm")
    assert [note.code for note in notes] == ["TIMEOUT"]


def test_cancelling_a_call_to_a_server_that_never_answers_ends_within_a_tenth_of_a_second(silent_server: Any) -> None:
    cancel = CancelToken()
    call, notes = real(settings_of(), cancel)
    provider = writer(silent_server.url)
    stopped: list[float] = []

    def stop() -> None:
        for _ in range(500):
            if silent_server.calls:
                break
            time.sleep(0.01)
        stopped.append(time.monotonic())
        cancel.cancel("enough")

    threading.Thread(target=stop).start()
    with pytest.raises(CancelledError, match="enough"):
        call("write", [provider, B], lambda one, token: one.write(BRIEF, token, 0.0))
    assert time.monotonic() - stopped[0] < 0.1
    assert silent_server.closed.wait(5)
    assert len(notes) == 1
    assert gone("framekeep-llm")


def test_a_child_that_hangs_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from stages.speech import sound, timing
    from stages.speech.providers import pico_provider
    from stages.speech.reading import read
    from stages.speech.speech_provider import SpeechRequest

    # Loaded before the time runs.
    assert sound
    assert timing
    assert read("Hello there.", "en-US")
    children: list[subprocess.Popen[bytes]] = []
    begin = subprocess.Popen

    def hanging(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        children.append(begin([sys.executable, "-c", "import time; time.sleep(60)"], **options))
        return children[-1]

    monkeypatch.setattr(subprocess, "Popen", hanging)
    monkeypatch.setattr(pico_provider.PicoProvider, "installed", staticmethod(lambda: True))
    call, _notes = real(settings_of(Resilience=ONE_CALL, Providers={"Pico": {"RequestTimeout": 500}}))
    request = SpeechRequest("Hello there.", "en-US", "", 0)
    with pytest.raises(RetryExhaustedError, match=r"request timeout of 0\.5 s ran out"):
        call("speak", [pico_provider.PicoProvider()], lambda one, token: one.speak(request, token, tmp_path))
    (child,) = children
    assert child.poll() is not None


@pytest.mark.parametrize("during", ["back-off", "rest", "rate limit"])
def test_cancelling_while_a_call_waits_ends_within_a_tenth_of_a_second_and_calls_nobody(during: str) -> None:
    from config.errors import RateLimitedError

    rules: dict[str, Any] = {"Resilience": {"Retry": {"MaxRetryAttempts": 3, "InitialDelay": 20_000, "Jitter": False}}}
    errors: list[Exception] = [TransientError("down")]
    if during == "rest":
        errors = [RateLimitedError("slow down", retry_after_s=20)]
    if during == "rate limit":
        rules["Providers"] = {"OpenAI": {"RateLimit": {"Requests": 1, "Period": 20}}}
        errors = []
    cancel = CancelToken()
    call, notes = real(settings_of(**rules), cancel)
    provider = Named("OpenAI")

    def work(_provider: Provider, _cancel: CancelToken) -> str:
        if errors:
            raise errors.pop()
        return "answer"

    if during == "rate limit":
        call("write", [provider], work)
    made = len(notes)
    stopped: list[float] = []

    def stop() -> None:
        stopped.append(time.monotonic())
        cancel.cancel()

    timer = threading.Timer(0.15, stop)
    timer.start()
    with pytest.raises(CancelledError):
        call("write", [provider, B], work)
    assert time.monotonic() - stopped[0] < 0.1
    timer.join()
    calls = [note for note in notes[made:] if note.code != "INTERRUPTED"]
    assert len(calls) == (0 if during == "rate limit" else 1)


def hang(_provider: Provider, cancel: CancelToken) -> str:
    cancel.wait(30)
    cancel.check()
    return "too late"


@pytest.mark.parametrize(
    ("timeouts", "own", "named"),
    [
        ({"Request": 50, "Operation": 30_000}, {}, "request timeout of 0.05 s"),
        ({"Request": 30_000, "Operation": 50}, {}, "operation timeout of 0.05 s"),
        ({"Request": 0, "Operation": 50}, {}, "operation timeout of 0.05 s"),
        ({"Request": 50, "Operation": 0}, {}, "request timeout of 0.05 s"),
        ({"Request": 30_000, "Operation": 30_000}, {"RequestTimeout": 40}, "request timeout of 0.04 s"),
        ({"Request": 30_000, "Operation": 30_000}, {"OperationTimeout": 40}, "operation timeout of 0.04 s"),
        (
            {"Request": 50, "Operation": 30_000},
            {"RequestTimeout": 0, "OperationTimeout": 40},
            "operation timeout of 0.04 s",
        ),
    ],
)
def test_the_time_that_runs_out_first_cuts_off_and_is_named(
    timeouts: dict[str, Any], own: dict[str, Any], named: str
) -> None:
    call, _notes = real(settings_of(Timeouts=timeouts, Providers={"OpenAI": own}, Resilience=ONE_CALL))
    with pytest.raises(ProviderError) as caught:
        call("write", [Named("OpenAI")], hang)
    cause = caught.value.__cause__
    assert isinstance(cause, TimedOutError)
    assert named in cause.message
    assert cause.limit == named.split()[0]
    is_own = f"{cause.limit.capitalize()}Timeout" in own
    setting = (
        f"Providers.OpenAI.{cause.limit.capitalize()}Timeout" if is_own else f"Timeouts.{cause.limit.capitalize()}"
    )
    assert f"a longer limit: {setting} " in cause.hint, "the setting that was set"


def test_what_is_left_of_the_operation_bounds_every_later_request() -> None:
    settings = settings_of(
        Timeouts={"Request": 30_000, "Operation": 300},
        Resilience={"Retry": {"MaxRetryAttempts": 9, "InitialDelay": 1}, "CircuitBreaker": {"Enabled": False}},
    )
    call, notes = real(settings)

    def work(_provider: Provider, cancel: CancelToken) -> str:
        if len(notes) < 2:
            raise TransientError("down")
        return hang(_provider, cancel)

    began = time.monotonic()
    with pytest.raises(RetryExhaustedError, match=r"operation timeout of 0.3 s ran out"):
        call("write", [A], work)
    assert 0.25 < time.monotonic() - began < 2
    assert [note.code for note in notes] == ["PROVIDER_TRANSIENT", "PROVIDER_TRANSIENT", "TIMEOUT"]


def test_a_timeout_of_0_is_none() -> None:
    settings = settings_of(Timeouts={"Request": 0, "Operation": 0})
    policy = policy_for(settings, "write", "OpenAI")
    assert (policy.request_timeout_s, policy.operation_timeout_s) == (0, 0)
    waiting = len(ALARMS._waiting)
    at = desk(settings)
    assert at.call("write", [A], lambda one, cancel: len(ALARMS._waiting)) == (waiting, A)


def test_an_answer_that_comes_a_moment_too_late_is_still_taken() -> None:
    call, _notes = real(settings_of(Timeouts={"Request": 30}, Resilience=ONE_CALL))

    def work(_provider: Provider, cancel: CancelToken) -> str:
        cancel.wait(5)
        return "paid for"

    assert call("write", [A], work)[0] == "paid for"


def test_the_sdks_neither_retry_nor_limit_the_time_by_themselves(silent_server: Any) -> None:
    from stages.http.client import Sending
    from stages.script.llm.account import ModelAccount
    from stages.script.llm.request import open_sdk

    for kind in ("openai", "anthropic"):
        account = ModelAccount(kind, "m", SecretStr("sk-test"), silent_server.url)
        client = open_sdk(kind, account, Sending(), 0.0)
        assert client.max_retries == 0
        assert client.timeout.read is None, "the guard cuts off, at the time that settings give"
        assert open_sdk(kind, account, Sending(), 7.0).timeout.read == 7.0
