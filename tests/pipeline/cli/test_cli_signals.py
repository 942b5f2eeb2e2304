"""Signals: the run stops from a safe place, the job stays resumable, and nobody waits for ever."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pipeline.cli.terminal.signals import Stopper

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals to a process are POSIX")

# A render that lasts until it is cancelled, or, "stubborn", for a minute whatever happens.
VICTIM = """
import sys, time
import pipeline.api
from pipeline.events import Event
from pipeline.report import ErrorReport, Result
from stages.base import CancelToken

manner = sys.argv.pop(1)

class Endless(pipeline.api.Pipeline):
    def render(self, brief, **options):
        self.home.ledger.put_job("tides-0a1b2c3d", "Tides", {}, {})
        self.home.ledger.set_state("tides-0a1b2c3d", "running")
        self._listener(Event("job_started", "tides-0a1b2c3d", {"title": "Tides", "exports": ["youtube"], "output": "v"}))
        print("ready", file=sys.stderr, flush=True)
        if manner == "stubborn":
            end = time.monotonic() + 60
            while time.monotonic() < end:
                time.sleep(0.05)
        assert self._cancel.wait(60)
        error = ErrorReport(code="INTERRUPTED", message=self._cancel._reason, hint="framekeep resume tides-0a1b2c3d")
        return Result(job_id="tides-0a1b2c3d", status="interrupted", error=error)

pipeline.api.Pipeline = Endless
from pipeline.cli.app import main
sys.exit(main(sys.argv[1:]))
"""


def start(tmp_path: Path, manner: str) -> subprocess.Popen[str]:
    """A render that has begun."""
    script = tmp_path / "victim.py"
    script.write_text(VICTIM)
    child = subprocess.Popen(
        [sys.executable, str(script), manner, "render", "a.md", "--json", "--home", str(tmp_path / "home")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        # Whoever started the tests may have had SIGHUP ignored, as nohup does, and a run keeps to that.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )
    assert child.stderr
    for line in child.stderr:
        if line == "ready\n":
            break
    return child


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_a_run_and_leaves_its_document(tmp_path: Path, number: signal.Signals) -> None:
    child = start(tmp_path, "obedient")
    sent = time.monotonic()
    child.send_signal(number)
    out, err = child.communicate(timeout=30)
    assert child.returncode == 130
    assert time.monotonic() - sent < 2
    document = json.loads(out)
    assert (document["status"], document["error"]["code"]) == ("interrupted", "INTERRUPTED")
    # The run's own document: who is ended by force says something else.
    assert document["error"]["message"] == f"Stopped by {'Ctrl-C' if number == signal.SIGINT else number.name}"
    assert "→ framekeep resume tides-0a1b2c3d" in err
    assert "Traceback" not in err


def test_a_run_that_does_not_stop_is_ended_within_two_seconds_and_noted(tmp_path: Path) -> None:
    from checkpoints.ledger.ledger import Ledger

    child = start(tmp_path, "stubborn")
    sent = time.monotonic()
    child.send_signal(signal.SIGTERM)
    out, _ = child.communicate(timeout=30)
    assert child.returncode == 130
    assert time.monotonic() - sent < 2
    document = json.loads(out)
    assert (document["job_id"], document["status"]) == ("tides-0a1b2c3d", "interrupted")
    ledger = Ledger(tmp_path / "home" / "ledger.db")
    row = ledger.job("tides-0a1b2c3d")
    ledger.close()
    assert row is not None
    assert row.state == "interrupted"


def test_a_second_signal_does_not_wait(tmp_path: Path) -> None:
    child = start(tmp_path, "stubborn")
    sent = time.monotonic()
    child.send_signal(signal.SIGINT)
    time.sleep(0.1)
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=30)
    assert child.returncode == 130
    assert time.monotonic() - sent < 1.1


def test_cancelling_never_runs_on_the_thread_that_the_signal_interrupts() -> None:
    threads: list[str] = []
    cancelled = threading.Event()

    def cancel(reason: str) -> None:
        threads.append(threading.current_thread().name)
        assert reason == "Stopped by Ctrl-C"
        cancelled.set()

    with Stopper(cancel, lambda: None, grace_s=5):
        os.kill(os.getpid(), signal.SIGINT)
        assert cancelled.wait(5)
    assert threads != [threading.main_thread().name]


def test_handlers_are_given_back_afterwards() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    with Stopper(lambda reason: None, lambda: None):
        assert signal.getsignal(signal.SIGINT) is not before[0]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before
    assert signal.set_wakeup_fd(-1) == -1


def test_a_hang_up_that_was_ignored_stays_ignored() -> None:
    cancelled = threading.Event()
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Stopper(lambda reason: cancelled.set(), lambda: None):
            os.kill(os.getpid(), signal.SIGHUP)
            assert not cancelled.wait(0.2)
    finally:
        signal.signal(signal.SIGHUP, before)
