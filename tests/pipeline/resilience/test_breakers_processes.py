"""Circuits among real processes: four of them and one dead provider, one that is killed, one that starts cold."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from checkpoints.ledger.circuits import Circuits
from checkpoints.ledger.ledger import Ledger
from checkpoints.ownership.clocks import Timeline
from config.errors import CircuitOpenError
from config.settings import Settings
from pipeline.resilience.breakers.registry import Breakers
from pipeline.resilience.policy import policy_for

BREAK_S = 0.4

# Calls the provider again and again for as long as it is told to; prints what became of it.
WORKER = """
import json, sys, time, urllib.request
from pathlib import Path
from checkpoints.ledger.circuits import Circuits
from checkpoints.ownership.clocks import Timeline
from config.errors import CircuitOpenError, TransientError
from config.settings import Settings
from pipeline.resilience.breakers.registry import Breakers
from pipeline.resilience.policy import policy_for

ledger, url, rules, lasts_s, wall_offset_s, ahead_s = *sys.argv[1:3], json.loads(sys.argv[3]), *map(float, sys.argv[4:])
policy = policy_for(Settings.model_validate({"resilience": {"circuit_breaker": rules}}), "write", "OpenAI")
timeline = Timeline(lambda: time.monotonic() + ahead_s, lambda: time.time() + ahead_s + wall_offset_s)
breakers = Breakers(circuits=Circuits(Path(ledger)), timeline=timeline)
print("ready", flush=True)
sys.stdin.readline()
made = refused = 0
left = []
until = time.monotonic() + lasts_s
while True:
    try:
        with breakers.admit(policy, "OpenAI"):
            made += 1
            try:
                urllib.request.urlopen(url, timeout=60).read()
            except OSError as error:
                raise TransientError(str(error)) from None
    except CircuitOpenError as error:
        refused += 1
        left.append(error.retry_after_s)
    except TransientError:
        pass
    if time.monotonic() >= until:
        break
    time.sleep(0.002)
print(json.dumps({"made": made, "refused": refused, "left": left[:1]}))
"""


@dataclass
class DeadProvider:
    """Answers 503; at `/well` as it should, and at `/hang` not at all, until it is stopped."""

    url: str = ""
    calls: list[float] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    asked: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def provider() -> Iterator[DeadProvider]:
    dead = DeadProvider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            dead.calls.append(time.monotonic())
            dead.asked.set()
            if self.path == "/hang":
                dead.over.wait(60)
            with suppress(OSError):
                if self.path == "/well":
                    self.send_response(200)
                    self.end_headers()
                else:
                    self.send_error(503)

        def log_message(self, *_: Any) -> None:
            """Not on the tests' output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    dead.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield dead
    dead.over.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def ledger_file(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    Ledger(path).close()
    return path


class Workers:
    """Worker processes that begin together."""

    def __init__(self) -> None:
        self.started: list[subprocess.Popen[str]] = []

    def start(
        self, ledger: Path, url: str, lasts_s: float = 0, offset_s: float = 0, ahead_s: float = 0, **rules: Any
    ) -> subprocess.Popen[str]:
        """One more. Its time of day is set by `offset_s`, and it lives `ahead_s` later than this process."""
        arguments = [str(ledger), url, json.dumps(rules), str(lasts_s), str(offset_s), str(ahead_s)]
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.started.append(worker)
        return worker

    def go(self) -> None:
        for worker in self.started:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        for worker in self.started:
            assert worker.stdin is not None
            worker.stdin.write("\n")
            worker.stdin.flush()

    def results(self) -> list[dict[str, Any]]:
        return [json.loads(worker.communicate(timeout=30)[0]) for worker in self.started]


@pytest.fixture
def workers() -> Iterator[Workers]:
    all_of_them = Workers()
    yield all_of_them
    for worker in all_of_them.started:
        if worker.poll() is None:
            worker.kill()
        worker.communicate()


def test_four_processes_ask_a_dead_provider_no_oftener_than_one_may(
    ledger_file: Path, provider: DeadProvider, workers: Workers
) -> None:
    for offset_s in (0, 3600, -3600, 0):
        workers.start(ledger_file, provider.url, lasts_s=2.0, offset_s=offset_s, break_duration_s=BREAK_S)
    workers.go()
    results = workers.results()
    lasted_s = provider.calls[-1] - provider.calls[0]
    in_flight, tests = 4 - 1, int(lasted_s / BREAK_S)
    assert sum(result["made"] for result in results) == len(provider.calls)
    assert 5 + 1 <= len(provider.calls) <= 5 + in_flight + tests
    assert all(result["refused"] > 50 for result in results)
    assert all(0 <= left <= BREAK_S for result in results for left in result["left"])


def test_a_process_that_is_killed_while_it_tests_does_not_keep_the_permit(
    ledger_file: Path, provider: DeadProvider, workers: Workers
) -> None:
    rules = {"break_duration_s": 0, "failure_threshold": 1, "minimum_throughput": 1}
    policy = policy_for(Settings.model_validate({"resilience": {"circuit_breaker": rules}}), "write", "OpenAI")
    circuits = Circuits(ledger_file)
    breakers = Breakers(circuits=circuits)
    workers.start(ledger_file, provider.url, **rules)
    workers.go()
    workers.results()
    provider.asked.clear()
    tester = Workers()
    hung = tester.start(ledger_file, f"{provider.url}/hang", **rules)
    workers.started.append(hung)
    tester.go()
    assert provider.asked.wait(30)
    with pytest.raises(CircuitOpenError), breakers.admit(policy, "OpenAI"):
        pytest.fail("two tests at once")
    hung.send_signal(signal.SIGKILL)
    hung.wait()
    with breakers.admit(policy, "OpenAI"):
        pass
    assert breakers.states() == {"OpenAI-LLM": "half-open"}
    breakers.close()


def test_a_process_that_starts_later_finds_the_circuit_open_for_what_is_left(
    ledger_file: Path, provider: DeadProvider, workers: Workers
) -> None:
    workers.start(ledger_file, provider.url, lasts_s=0.3, break_duration_s=60)
    workers.go()
    first = workers.results()[0]
    later = Workers()
    workers.started.append(later.start(ledger_file, provider.url, offset_s=-3600, break_duration_s=60))
    later.go()
    second = later.results()[0]
    passed_s = time.monotonic() - provider.calls[-1]
    assert (first["made"], second["made"], second["refused"]) == (5, 0, 1)
    assert 60 - passed_s <= second["left"][0] < 60


def test_jobs_of_one_call_minutes_apart_close_the_circuit_at_the_default_settings(
    ledger_file: Path, provider: DeadProvider, workers: Workers
) -> None:
    workers.start(ledger_file, provider.url, lasts_s=0.2)
    workers.go()
    assert workers.results()[0]["made"] == 5
    jobs = [
        workers.start(ledger_file, f"{provider.url}/well", offset_s=offset_s, ahead_s=ahead_s)
        for ahead_s, offset_s in ((31, 0), (331, 3600), (7531, -86_400))
    ]
    for job in jobs:
        one = Workers()
        one.started.append(job)
        one.go()
        (result,) = one.results()
        assert (result["made"], result["refused"]) == (1, 0)
    later = Timeline(lambda: time.monotonic() + 8000)
    breakers = Breakers(circuits=Circuits(ledger_file), timeline=later)
    assert [row["state"] for row in breakers.snapshot()] == ["Closed"]
    breakers.close()


def test_a_test_that_hung_in_one_process_holds_another_up_for_the_half_open_period_only(
    ledger_file: Path, provider: DeadProvider, workers: Workers
) -> None:
    workers.start(ledger_file, provider.url, lasts_s=0.2)
    workers.go()
    workers.results()
    provider.asked.clear()
    hung = workers.start(ledger_file, f"{provider.url}/hang", ahead_s=31)
    tester = Workers()
    tester.started.append(hung)
    tester.go()
    assert provider.asked.wait(30)
    seen = []
    for ahead_s in (35, 42):
        one = Workers()
        workers.started.append(one.start(ledger_file, f"{provider.url}/well", ahead_s=ahead_s))
        one.go()
        seen.append(one.results()[0]["made"])
    assert seen == [0, 1]
