"""How much of a provider may be used at a time, by all processes of a home together."""

from __future__ import annotations

import multiprocessing
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from config.errors import ProviderError, RestingError
from config.providers import RateLimit
from config.resilience import RetryBudget
from pipeline.resilience.attempt_events import LimitWaited
from pipeline.resilience.call_limits import Restraints
from pipeline.resilience.cooldowns import Rests
from pipeline.resilience.rate_limits import Count, Limits, Patience
from pipeline.resilience.retry_budget import Budgets
from tests.guarding import Desk, Named, Time, desk, settings_of

A, B = Named("a"), Named("b")
OPENAI = Named("OpenAI")


def limited(folder: Path | None, clock: Time | None = None, boot: str = "this start", **limit: Any) -> Desk:
    clock = clock or Time()
    timeline = clock.timeline(boot)
    restraints = Restraints(Rests(None, timeline), Limits(folder, timeline), Budgets())
    settings = settings_of(Providers={"OpenAI": {"RateLimit": limit}}, Timeouts={"Operation": 60_000})
    return desk(settings, time=clock, restraints=restraints)


@pytest.fixture(params=["file", "memory"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    return tmp_path / "limits" if request.param == "file" else None


def test_calls_beyond_the_limit_wait_for_their_turn(folder: Path | None) -> None:
    at = limited(folder, Requests=2, Period=10)
    for _ in range(4):
        at.call("write", [OPENAI], at.work({}))
        at.time.now += 1
    assert sum(at.time.naps) == pytest.approx(8, abs=0.01), "the third call begins ten seconds after the first"
    waits = at.of(LimitWaited)
    assert [(wait.provider, wait.limit) for wait in waits] == [("OpenAI", "rate")]
    assert at.asked == ["OpenAI"] * 4
    at.guard.restraints.close()


def test_a_turn_that_comes_too_late_goes_to_the_next_provider_without_waiting(folder: Path | None) -> None:
    at = limited(folder, Requests=1, Period=100)
    at.call("write", [OPENAI, B], at.work({}))
    at.time.now += 10
    assert at.call("write", [OPENAI, B], at.work({}))[1] is B
    assert at.time.naps == []
    with pytest.raises(ProviderError) as caught:
        at.call("write", [OPENAI], at.work({}))
    error = caught.value
    assert (type(error), error.kind, error.exit_code) == (RestingError, "RateLimitExceeded", 75)
    assert error.retry_after_s == pytest.approx(90, abs=0.01)
    assert [note.outcome for note in at.notes] == ["ok", "refused", "ok", "refused"]
    at.guard.restraints.close()


def test_each_retry_counts_as_a_call() -> None:
    from config.errors import TransientError

    at = limited(None, Requests=2, Period=30)
    at.call("write", [OPENAI], at.work({"OpenAI": [TransientError("x"), TransientError("x")]}))
    assert at.time.naps == [1.0, 2.0, pytest.approx(27, abs=0.01)]


def test_without_limits_nothing_is_kept(tmp_path: Path) -> None:
    at = limited(tmp_path / "limits")
    at.call("write", [OPENAI], at.work({}))
    at.call("write", [A], at.work({}))
    assert not (tmp_path / "limits").exists()


def test_a_clock_that_is_set_changes_no_limit(tmp_path: Path) -> None:
    at = limited(tmp_path, Requests=1, Period=20)
    at.call("write", [OPENAI], at.work({}))
    at.time.wall_offset -= 3600
    at.time.now += 21
    at.call("write", [OPENAI], at.work({}))
    assert at.time.naps == []
    at.time.wall_offset += 7200
    at.call("write", [OPENAI], at.work({}))
    assert at.time.naps == [pytest.approx(20, abs=0.01)]
    at.guard.restraints.close()


def test_after_a_restart_of_the_machine_the_count_begins_anew(tmp_path: Path) -> None:
    before = limited(tmp_path, Requests=1, Period=50)
    before.call("write", [OPENAI], before.work({}))
    before.guard.restraints.close()
    after = limited(tmp_path, Time(now=5.0), "next start", Requests=1, Period=50)
    after.call("write", [OPENAI], after.work({}))
    assert after.time.naps == []
    after.guard.restraints.close()


def test_a_damaged_count_is_begun_anew(tmp_path: Path) -> None:
    at = limited(tmp_path, Requests=1, Period=50)
    at.call("write", [OPENAI], at.work({}))
    at.guard.restraints.close()
    (file,) = tmp_path.glob("*.db")
    file.write_bytes(b"no database at all" * 100)
    at.call("write", [OPENAI], at.work({}))
    assert (len(at.asked), at.time.naps) == (2, [])
    at.guard.restraints.close()


def test_a_place_is_given_back_after_a_failed_call_too(folder: Path | None) -> None:
    at = limited(folder, Concurrency=1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            at.call("write", [OPENAI], at.work({"OpenAI": [ZeroDivisionError()]}))
    assert at.call("write", [OPENAI], at.work({}))[1] is OPENAI
    assert at.time.naps == []


def test_where_all_places_are_taken_the_next_provider_is_asked_when_the_time_is_up(folder: Path | None) -> None:
    at = limited(folder, Concurrency=1)

    def work(provider: Named, _cancel: Any) -> str:
        if provider is OPENAI:
            # Its only place is this one.
            return at.call("speak", [OPENAI, B], lambda one, token: one.name)[0]
        return provider.name

    assert at.call("write", [OPENAI], work)[0] == "b"
    assert sum(at.time.naps) == pytest.approx(60, abs=0.1)
    assert [note.outcome for note in at.notes] == ["refused", "ok", "ok"]


def _untold(kind: str, seconds: float | None) -> None:
    """Waiting is not what these tests look at."""


def test_no_more_threads_than_allowed_call_at_the_same_time(tmp_path: Path) -> None:
    limits, limit = Limits(tmp_path), RateLimit(concurrency=2)
    patience = Patience(time.sleep, lambda: None)
    now, most, lock = [0], [0], threading.Lock()

    def call() -> None:
        with limits.turn("a", limit, patience, _untold, _untold):
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            time.sleep(0.05)
            with lock:
                now[0] -= 1

    threads = [threading.Thread(target=call) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert most[0] == 2


def _calls(folder: str, results: Any, together: Any) -> None:
    """As many calls as are allowed at once, while others do the same."""
    limits, made = Limits(Path(folder)), 0
    patience = Patience(time.sleep, lambda: 0.0)
    together.wait(60)
    for _ in range(15):
        try:
            with limits.turn("a", RateLimit(requests=7, period_s=600), patience, _untold, _untold):
                made += 1
        except RestingError:
            time.sleep(0.001)
    limits.close()
    results.put(made)


def test_processes_share_one_count(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    results, together = context.Queue(), context.Barrier(2)
    children = [context.Process(target=_calls, args=(str(tmp_path), results, together)) for _ in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0, 0]
    assert sum(results.get(timeout=5) for _ in children) == 7


def _hold(folder: str, held: Any) -> None:
    with Limits(Path(folder)).turn("a", RateLimit(concurrency=1), Patience(time.sleep, lambda: None), _untold, _untold):
        held.set()
        time.sleep(60)


def test_a_process_that_dies_gives_its_place_back(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    child = context.Process(target=_hold, args=(str(tmp_path), held))
    child.start()
    assert held.wait(30)
    limits, limit = Limits(tmp_path), RateLimit(concurrency=1)
    with (
        pytest.raises(RestingError, match="no place was free"),
        limits.turn("a", limit, Patience(time.sleep, lambda: 0.0), _untold, _untold),
    ):
        pass
    child.kill()
    child.join(10)
    with limits.turn("a", limit, Patience(time.sleep, lambda: 0.0), _untold, _untold):
        pass


# Budgets of retries

BUDGET = RetryBudget(max_retries=4, window_s=60)


def _retry(folder: str, times: int) -> None:
    budgets = Budgets(Path(folder))
    for _ in range(times):
        assert budgets.take("OpenAI", BUDGET, 0.0)
    budgets.close()


def test_all_processes_of_a_home_share_a_providers_retries(tmp_path: Path) -> None:
    child = multiprocessing.get_context("spawn").Process(target=_retry, args=(str(tmp_path / "limits"), 3))
    child.start()
    child.join(30)
    assert child.exitcode == 0
    budgets = Budgets(tmp_path / "limits")
    assert [budgets.take("OpenAI", BUDGET, 0.0) for _ in range(3)] == [True, False, False]
    assert budgets.take("Anthropic", BUDGET, 0.0), "another provider has retries of its own"
    budgets.close()


def test_shared_retries_come_back_when_they_are_older_than_the_window(tmp_path: Path) -> None:
    clock = Time()
    one, other = (Budgets(tmp_path / "limits", clock.timeline()) for _ in range(2))
    assert all(budgets.take("OpenAI", BUDGET, 0.0) for budgets in (one, other, one, other))
    assert not one.take("OpenAI", BUDGET, 0.0)
    clock.now += 61
    assert other.take("OpenAI", BUDGET, 0.0)
    one.close()
    other.close()


def test_a_full_disk_costs_no_retry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(count: Count) -> float:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Count, "add", full)
    budgets = Budgets(tmp_path / "limits")
    assert [budgets.take("OpenAI", BUDGET, 0.0) for _ in range(5)] == [True] * 4 + [False]


def test_retries_are_counted_in_the_process_while_the_folder_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "limits").write_text("no folder")
    budgets = Budgets(tmp_path / "limits")
    assert [budgets.take("OpenAI", BUDGET, 0.0) for _ in range(5)] == [True] * 4 + [False]


def test_a_guard_uses_the_homes_budget_unless_its_failures_are_on_purpose(tmp_path: Path) -> None:
    from config.errors import TransientError

    def retries(*, shaken: bool = False) -> int:
        restraints = Restraints.of_home(tmp_path / "none.db", tmp_path / "limits", shaken=shaken)
        rules = {"InitialDelay": 0, "Budget": {"MaxRetries": 4, "Window": 3600}}
        at = desk(settings_of(Resilience={"Retry": rules}), restraints=restraints)
        with pytest.raises(ProviderError):
            at.call("write", [A], at.work({"a": [TransientError("down")] * 9}))
        restraints.close()
        return len(at.asked) - 1

    assert [retries(shaken=True), retries(), retries(shaken=True), retries(), retries()] == [3, 3, 3, 1, 0]
