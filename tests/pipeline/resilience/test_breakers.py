"""Circuits: when they open, refuse, test and close; what counts; what time, restarts and a broken ledger do to them."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from checkpoints.ledger.circuits import Circuits
from checkpoints.ledger.database import driver
from checkpoints.ledger.ledger import Ledger
from checkpoints.ownership.clocks import Moment, Timeline, boot_name
from config.errors import (
    CancelledError,
    CircuitOpenError,
    DiskFullError,
    OutOfMemoryError,
    OutOfTimeError,
    RateLimitedError,
    RejectedError,
    TimedOutError,
    TransientError,
    UnavailableError,
)
from config.settings import Settings
from pipeline.resilience.breakers.registry import Breakers, CircuitChange
from pipeline.resilience.policy import Policy, policy_for

NAME = "OpenAI-LLM"
DOWN = TransientError("HTTP 503", provider="OpenAI")


@dataclass
class World:
    """Both clocks, in the tests' hands. `reboot` begins the monotonic one anew."""

    monotonic_s: float = 5000.0
    wall_s: float = 1_800_000_000.0
    boot: str = "first"

    def pass_(self, seconds: float) -> None:
        self.monotonic_s += seconds
        self.wall_s += seconds

    def reboot(self, off_s: float) -> None:
        self.boot, self.monotonic_s = f"{self.boot}+", 3.0
        self.wall_s += off_s

    def timeline(self) -> Timeline:
        return Timeline(lambda: self.monotonic_s, lambda: self.wall_s, self.boot)


def policy(request_s: float = 30, operation_s: float = 300, **rules: Any) -> Policy:
    settings = Settings.model_validate(
        {
            "resilience": {"circuit_breaker": rules},
            "timeouts": {"request_ms": request_s * 1000, "operation_ms": operation_s * 1000},
        }
    )
    return policy_for(settings, "write", "OpenAI")


@dataclass
class Bench:
    """One process's breakers and what they told."""

    breakers: Breakers
    world: World
    policy: Policy
    log: list[str] = field(default_factory=list)
    changes: list[CircuitChange] = field(default_factory=list)

    def call(self, error: BaseException | None = None) -> str:
        """`made`, or `refused`."""
        try:
            with self.breakers.admit(self.policy, "OpenAI", "job-1"):
                if error:
                    raise error
        except CircuitOpenError:
            return "refused"
        except BaseException as caught:
            if caught is not error:
                raise
        return "made"

    def fail(self, times: int) -> None:
        for _ in range(times):
            assert self.call(DOWN) == "made"

    @property
    def state(self) -> str:
        return self.breakers.states()[NAME]


MakeBench = Callable[..., Bench]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def new_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("new") / "ledger.db"
    Ledger(path).close()
    return path


@pytest.fixture
def ledger_file(tmp_path: Path, new_ledger: Path) -> Path:
    return Path(shutil.copy(new_ledger, tmp_path / "ledger.db"))


@pytest.fixture(params=["in memory", "in the ledger"])
def place(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def bench(world: World, ledger_file: Path) -> Iterator[MakeBench]:
    """Breakers of one more process on the same ledger."""
    opened: list[Circuits] = []

    def make(place: str = "in the ledger", circuits: Circuits | None = None, **rules: Any) -> Bench:
        if place == "in the ledger":
            circuits = circuits or Circuits(ledger_file, wait_s=0.02)
            opened.append(circuits)
        made = Bench(Breakers(circuits=circuits, timeline=world.timeline()), world, policy(**rules))
        made.breakers.tell(made.log.append, made.changes.append)
        return made

    yield make
    for circuits in opened:
        circuits.close()


# Opening


def test_five_failures_open_the_circuit_and_the_sixth_call_is_refused(bench: MakeBench, place: str) -> None:
    at = bench(place)
    at.fail(4)
    assert at.state == "closed"
    at.fail(1)
    assert (at.state, at.call()) == ("open", "refused")


def test_failures_older_than_the_window_do_not_count(bench: MakeBench, place: str, world: World) -> None:
    at = bench(place, sampling_duration_s=60)
    at.fail(4)
    world.pass_(60)
    at.fail(4)
    assert at.state == "closed"
    world.pass_(59)
    at.fail(1)
    assert at.state == "open"


def test_a_longer_window_remembers_longer(bench: MakeBench, world: World) -> None:
    at = bench(sampling_duration_s=61)
    at.fail(4)
    world.pass_(60)
    at.fail(1)
    assert at.state == "open"


def test_successes_between_failures_do_not_make_up_for_them(bench: MakeBench, place: str) -> None:
    at = bench(place)
    for _ in range(4):
        at.fail(1)
        at.call()
    at.fail(1)
    assert at.state == "open"


def test_a_circuit_does_not_open_before_enough_calls_were_made(bench: MakeBench, place: str) -> None:
    at = bench(place, failure_threshold=2, minimum_throughput=10)
    for _ in range(6):
        at.call()
    at.fail(3)
    assert at.state == "closed"
    at.fail(1)
    assert at.state == "open"


def test_successes_of_other_processes_are_part_of_the_throughput(bench: MakeBench, world: World) -> None:
    rules = {"failure_threshold": 2, "minimum_throughput": 10}
    one, other = bench(**rules), bench(**rules)
    for _ in range(8):
        one.call()
        world.pass_(0.5)
    world.pass_(1)
    one.call()
    other.fail(1)
    assert other.state == "closed"
    other.fail(1)
    assert other.state == "open"


def test_a_disabled_breaker_lets_everything_through_and_counts_nothing(bench: MakeBench, place: str) -> None:
    at = bench(place, enabled=False)
    at.fail(20)
    assert (at.call(), at.breakers.states(), at.breakers.snapshot()) == ("made", {}, [])


# Breaking, testing, closing


def test_the_break_lasts_as_long_as_was_set(bench: MakeBench, place: str, world: World) -> None:
    at = bench(place, break_duration_s=30)
    at.fail(5)
    world.pass_(29.9)
    assert at.call() == "refused"
    world.pass_(0.1)
    assert (at.call(), at.state) == ("made", "half-open")


def test_two_successes_in_a_row_close_it(bench: MakeBench, place: str, world: World) -> None:
    at = bench(place)
    at.fail(5)
    world.pass_(30)
    at.call()
    assert at.state == "half-open"
    at.call()
    assert at.state == "closed"
    at.fail(4)
    assert at.state == "closed", "what counted before the break counts no more"


def test_one_success_closes_it_where_that_was_set(bench: MakeBench, world: World) -> None:
    at = bench(success_threshold=1)
    at.fail(5)
    world.pass_(30)
    at.call()
    assert at.state == "closed"


def test_a_failed_test_begins_a_whole_break(bench: MakeBench, place: str, world: World) -> None:
    at = bench(place)
    at.fail(5)
    world.pass_(30)
    at.call()
    at.fail(1)
    assert at.state == "open"
    world.pass_(29.9)
    assert at.call() == "refused"
    world.pass_(0.1)
    assert at.call() == "made"
    at.call()
    assert at.state == "closed"


@pytest.mark.parametrize("apart_s", [0, 11, 300, 86_400])
def test_two_successes_close_it_at_the_default_settings_however_far_apart_the_jobs_are(
    bench: MakeBench, place: str, world: World, apart_s: float
) -> None:
    at = bench(place)
    at.fail(5)
    world.pass_(31)
    assert (at.call(), at.state) == ("made", "half-open")
    world.pass_(apart_s)
    assert (at.call(), at.state) == ("made", "closed")
    assert [(change.old, change.new) for change in at.changes] == [
        ("closed", "open"),
        ("open", "half-open"),
        ("half-open", "closed"),
    ]


def test_jobs_of_one_call_each_minutes_apart_are_never_refused_once_the_provider_is_well(
    bench: MakeBench, world: World
) -> None:
    bench().fail(5)
    world.pass_(40)
    for job in range(6):
        # Each is a process of its own, and somebody sets the time of day meanwhile.
        at = bench(success_threshold=5)
        assert at.call() == "made", job
        world.pass_(420)
        world.wall_s += 7200 * (-1) ** job
    assert at.state == "closed"


def test_an_open_circuit_that_nobody_asked_for_a_day_lets_the_first_call_test(bench: MakeBench, world: World) -> None:
    bench().fail(5)
    world.pass_(86_400)
    at = bench()
    assert [at.call(), at.call(), at.state] == ["made", "made", "closed"]


def test_successes_are_kept_until_a_test_fails(bench: MakeBench, place: str, world: World) -> None:
    at = bench(place, success_threshold=3)
    at.fail(5)
    for _ in range(2):
        world.pass_(600)
        assert [at.call(), at.call(), at.state] == ["made", "made", "half-open"]
        world.pass_(600)
        at.fail(1)
        assert at.state == "open", "and its successes count no more"
    world.pass_(30)
    assert [at.call(), at.call(), at.call(), at.state] == ["made", "made", "made", "closed"]


def test_successes_of_tests_outlive_a_restart_of_the_machine(bench: MakeBench, world: World) -> None:
    one = bench()
    one.fail(5)
    world.pass_(30)
    one.call()
    world.reboot(off_s=-500)
    later = bench()
    assert (later.call(), later.state) == ("made", "closed")


def test_a_threshold_that_was_lowered_meanwhile_is_met_by_the_next_success(bench: MakeBench, world: World) -> None:
    at = bench(success_threshold=4)
    at.fail(5)
    world.pass_(30)
    for _ in range(3):
        at.call()
    other = bench(success_threshold=2)
    assert (other.call(), other.state) == ("made", "closed")


def test_only_one_test_runs_at_a_time(bench: MakeBench, place: str, world: World) -> None:
    at = bench(place)
    at.fail(5)
    world.pass_(30)
    with at.breakers.admit(at.policy, "OpenAI"):
        assert at.call() == "refused"
        assert [at.call() for _ in range(3)] == ["refused"] * 3
    assert (at.call(), at.state) == ("made", "closed")


def test_one_test_at_a_time_among_all_processes(bench: MakeBench, world: World) -> None:
    one, other = bench(), bench()
    one.fail(5)
    assert other.call() == "refused"
    world.pass_(30)
    with one.breakers.admit(one.policy, "OpenAI"):
        assert other.call() == "refused"
    assert other.call() == "made"
    assert one.state == other.state == "closed"


@pytest.mark.parametrize("half_open_s", [10, 25])
def test_a_test_that_hangs_holds_the_circuit_for_the_half_open_period_and_no_longer(
    bench: MakeBench, place: str, world: World, half_open_s: float
) -> None:
    at = bench(place, half_open_duration_s=half_open_s)
    at.fail(5)
    world.pass_(30)
    hung = at.breakers.admit(at.policy, "OpenAI")
    hung.__enter__()
    world.pass_(half_open_s - 1)
    assert at.call() == "refused"
    world.pass_(1)
    assert (at.call(), at.state) == ("made", "half-open"), "the next call tests, and nothing has failed"
    assert hung.__exit__(None, None, None) is False
    assert at.state == "closed", "an answer is an answer, however late"


def test_a_test_that_fails_after_its_permit_has_ended_still_opens_the_circuit(
    bench: MakeBench, place: str, world: World
) -> None:
    at = bench(place)
    at.fail(5)
    world.pass_(30)
    slow = at.breakers.admit(at.policy, "OpenAI")
    slow.__enter__()
    world.pass_(12)
    assert at.call() == "made"
    assert not slow.__exit__(TransientError, DOWN, None)
    assert (at.state, at.call()) == ("open", "refused")


def test_a_test_of_an_earlier_half_open_time_counts_for_nothing_in_a_later_one(
    bench: MakeBench, place: str, world: World
) -> None:
    at = bench(place)
    at.fail(5)
    world.pass_(30)
    slow = at.breakers.admit(at.policy, "OpenAI")
    slow.__enter__()
    world.pass_(10)
    at.fail(1)
    world.pass_(30)
    assert (at.call(), at.state) == ("made", "half-open")
    slow.__exit__(None, None, None)
    assert at.state == "half-open"


def test_a_late_answer_leaves_the_permit_of_the_test_that_runs_now(bench: MakeBench, place: str, world: World) -> None:
    at = bench(place, success_threshold=3)
    at.fail(5)
    world.pass_(30)
    slow = at.breakers.admit(at.policy, "OpenAI")
    slow.__enter__()
    world.pass_(10)
    with at.breakers.admit(at.policy, "OpenAI"):
        slow.__exit__(None, None, None)
        assert at.call() == "refused"
    assert [at.call(), at.state] == ["made", "closed"]


def test_a_test_may_take_as_long_as_its_request(bench: MakeBench, place: str, world: World) -> None:
    at = bench(place, request_s=120, half_open_duration_s=10)
    at.fail(5)
    world.pass_(30)
    for _ in range(2):
        with at.breakers.admit(at.policy, "OpenAI"):
            world.pass_(119)
    assert at.state == "closed"


def test_the_permit_of_a_process_that_is_gone_is_free(
    bench: MakeBench, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = bench(request_s=3600), bench(request_s=3600)
    one.fail(5)
    world.pass_(30)
    killed = one.breakers.admit(one.policy, "OpenAI")
    killed.__enter__()
    assert other.call() == "refused"
    monkeypatch.setattr("pipeline.resilience.breakers.circuit.is_gone", lambda *_: True)
    assert (other.call(), other.state) == ("made", "half-open")
    killed.__exit__(CancelledError, CancelledError("killed"), None)


# Late outcomes


def test_a_failure_that_comes_late_does_not_prolong_the_break(bench: MakeBench, place: str, world: World) -> None:
    at = bench(place)
    late = at.breakers.admit(at.policy, "OpenAI")
    late.__enter__()
    at.fail(5)
    world.pass_(20)
    assert not late.__exit__(TransientError, DOWN, None)
    world.pass_(10)
    assert at.call() == "made"


@pytest.mark.parametrize("error", [None, DOWN])
def test_a_call_from_before_the_break_is_no_test(
    bench: MakeBench, place: str, world: World, error: TransientError | None
) -> None:
    at = bench(place)
    late = at.breakers.admit(at.policy, "OpenAI")
    late.__enter__()
    at.fail(5)
    world.pass_(30)
    at.call()
    late.__exit__(type(error) if error else None, error, None)
    assert at.state == "half-open"
    at.call()
    assert at.state == "closed"


def test_a_failure_of_a_call_from_before_the_break_does_not_count_after_it(
    bench: MakeBench, place: str, world: World
) -> None:
    at = bench(place)
    late = at.breakers.admit(at.policy, "OpenAI")
    late.__enter__()
    at.fail(5)
    world.pass_(30)
    at.call()
    at.call()
    at.fail(4)
    late.__exit__(TransientError, DOWN, None)
    assert at.state == "closed"


def test_a_failed_test_makes_the_successes_before_it_worthless(bench: MakeBench, place: str, world: World) -> None:
    at = bench(place)
    at.fail(5)
    world.pass_(30)
    at.call()
    at.fail(1)
    world.pass_(30)
    at.call()
    assert at.state == "half-open"


def test_outcomes_that_cannot_count_any_more_are_removed(bench: MakeBench, ledger_file: Path, world: World) -> None:
    def rows() -> int:
        connection = driver().connect(ledger_file)
        try:
            return int(connection.execute("SELECT COUNT(*) FROM outcomes").fetchone()[0])
        finally:
            connection.close()

    at = bench()
    for _ in range(6):
        at.fail(1)
        world.pass_(20)
    assert rows() == 3
    at.fail(3)
    assert (at.state, rows()) == ("open", 0)


# What counts


NEUTRAL = [
    CancelledError("stopped"),
    KeyboardInterrupt(),
    ZeroDivisionError(),
    DiskFullError("full"),
    OutOfMemoryError("no memory"),
    OutOfTimeError("the job's time is up"),
    RateLimitedError("slow down", retry_after_s=20),
    UnavailableError("no quota", kind="QuotaExceeded"),
    UnavailableError("bad key", kind="InvalidApiKey"),
    UnavailableError("speaks no Latin"),
]
ANSWERED = [RejectedError("400"), RejectedError("refused", kind="ContentRefused")]
FAILURES = [
    TransientError("connection reset"),
    TransientError("503", kind="ServiceUnavailable"),
    TimedOutError("30 s"),
    RateLimitedError("429 without a time"),
]


def ids(error: BaseException) -> str:
    return f"{type(error).__name__}-{getattr(error, 'kind', '')}"


@pytest.mark.parametrize("error", [*NEUTRAL, *ANSWERED], ids=ids)
def test_what_is_not_the_providers_fault_opens_nothing(bench: MakeBench, error: BaseException) -> None:
    at = bench("in memory")
    for _ in range(9):
        assert at.call(error) == "made"
    assert at.state == "closed"


@pytest.mark.parametrize("error", FAILURES, ids=ids)
def test_what_speaks_against_the_providers_health_opens_it(bench: MakeBench, error: BaseException) -> None:
    at = bench("in memory")
    for _ in range(5):
        at.call(error)
    assert at.state == "open"


@pytest.mark.parametrize("error", [*NEUTRAL, *ANSWERED], ids=ids)
def test_a_test_that_proves_nothing_leaves_the_circuit_half_open_and_free(
    bench: MakeBench, world: World, error: BaseException
) -> None:
    at = bench("in memory")
    at.fail(5)
    world.pass_(30)
    assert [at.call(error), at.state] == ["made", "half-open"]
    at.call()
    at.call(error)
    assert at.state == "half-open"
    at.call()
    assert at.state == "closed"


def test_a_refused_request_counts_as_a_call_but_a_cancelled_one_does_not(bench: MakeBench) -> None:
    rules = {"failure_threshold": 2, "minimum_throughput": 6}
    refused, cancelled = bench("in memory", **rules), bench("in memory", **rules)
    for at, error in ((refused, ANSWERED[0]), (cancelled, NEUTRAL[0])):
        for _ in range(4):
            at.call(error)
        at.fail(2)
    assert (refused.state, cancelled.state) == ("open", "closed")


def test_the_end_of_a_longer_time_is_not_the_providers_fault(bench: MakeBench) -> None:
    at = bench("in memory")
    error = TimedOutError("the operation timeout ran out")
    error.limit = "operation"
    for _ in range(9):
        at.call(error)
    assert at.state == "closed"


def test_a_provider_that_had_the_whole_operation_for_one_request_is_to_blame_for_its_end(bench: MakeBench) -> None:
    at = bench("in memory")
    at.policy = policy(request_s=0)
    error = TimedOutError("the operation timeout ran out")
    error.limit = "operation"
    for _ in range(5):
        at.call(error)
    assert at.state == "open"


# What is told


def test_the_log_tells_each_change_in_the_guides_words(bench: MakeBench, world: World) -> None:
    at = bench()
    at.fail(5)
    world.pass_(30)
    at.call()
    at.call()
    assert at.log == [
        "[Circuit Breaker] OpenAI-LLM: State changed to Open",
        "[Circuit Breaker] OpenAI-LLM: Will attempt recovery in 30s",
        "[Circuit Breaker] OpenAI-LLM: Entering Half-Open state",
        "[Circuit Breaker] OpenAI-LLM: State changed to Closed (recovered)",
    ]
    assert [(change.old, change.new, change.job_id) for change in at.changes] == [
        ("closed", "open", "job-1"),
        ("open", "half-open", "job-1"),
        ("half-open", "closed", "job-1"),
    ]
    assert at.changes[0].reason == "5 failures within 60 s; last: PROVIDER_TRANSIENT: HTTP 503"


def test_of_several_processes_the_one_that_made_a_change_tells_it(bench: MakeBench, world: World) -> None:
    one, other = bench(), bench()
    one.fail(3)
    other.fail(2)
    assert one.call() == other.call() == "refused"
    assert (len(one.changes), len(other.changes)) == (0, 1)


def test_a_refusal_says_what_is_left_and_when_to_come_back(bench: MakeBench, place: str, world: World) -> None:
    at = bench(place)
    at.fail(5)
    world.pass_(7.5)
    with pytest.raises(CircuitOpenError) as caught, at.breakers.admit(at.policy, "OpenAI"):
        pytest.fail("it was let through")
    error = caught.value
    assert "Service temporarily unavailable due to repeated failures. It will automatically recover." in error.message
    assert (error.code, error.provider, error.retry_after_s) == ("CIRCUIT_OPEN", "OpenAI", 22.5)
    assert "(23 s)" in error.hint
    assert "framekeep resume" in error.hint
    assert "Next" not in error.message, "it is kept in reports, where what comes has long been"
    assert error.is_tested is False


def test_a_refusal_during_a_test_says_so(bench: MakeBench, place: str, world: World) -> None:
    at = bench(place)
    at.fail(5)
    world.pass_(30)
    with (
        at.breakers.admit(at.policy, "OpenAI"),
        pytest.raises(CircuitOpenError) as caught,
        at.breakers.admit(at.policy, "OpenAI"),
    ):
        pass
    assert (caught.value.is_tested, caught.value.retry_after_s) == (True, 10)


def test_the_snapshot_is_the_guides(bench: MakeBench, world: World) -> None:
    world.wall_s = 1_705_314_600.0
    at = bench()
    at.fail(5)
    world.pass_(4)
    assert at.breakers.snapshot() == [
        {
            "name": "OpenAI-LLM",
            "state": "Open",
            "failureCount": 5,
            "lastFailure": "2024-01-15T10:30:00Z",
            "nextAttempt": "2024-01-15T10:30:30Z",
        }
    ]
    world.pass_(26)
    (over,) = at.breakers.snapshot()
    assert (over["state"], over["nextAttempt"]) == ("Half-Open", None), "its break is over: the next call tests it"


def test_the_snapshot_of_a_closed_circuit_counts_what_is_within_its_window(bench: MakeBench, world: World) -> None:
    at = bench()
    at.fail(2)
    world.pass_(50)
    at.fail(1)
    assert at.breakers.snapshot()[0]["failureCount"] == 3
    world.pass_(20)
    assert bench().breakers.snapshot()[0] | {"lastFailure": ""} == {
        "name": NAME,
        "state": "Closed",
        "failureCount": 1,
        "lastFailure": "",
        "nextAttempt": None,
    }


# Time


@pytest.mark.parametrize("step_s", [3600, -3600])
def test_a_clock_that_is_set_by_an_hour_changes_nothing(
    bench: MakeBench, place: str, world: World, step_s: float
) -> None:
    at = bench(place)
    at.fail(4)
    world.wall_s += step_s
    at.fail(1)
    assert at.state == "open"
    world.pass_(15)
    world.wall_s += step_s
    assert at.call() == "refused"
    world.pass_(14.9)
    assert at.call() == "refused"
    world.pass_(0.1)
    assert at.call() == "made"
    world.wall_s -= 3 * step_s
    assert (at.call(), at.state) == ("made", "closed")


def test_a_cold_start_finds_the_circuit_open_for_what_is_left(bench: MakeBench, world: World) -> None:
    bench().fail(5)
    world.pass_(10)
    later = bench()
    with pytest.raises(CircuitOpenError) as caught, later.breakers.admit(later.policy, "OpenAI"):
        pass
    assert caught.value.retry_after_s == 20
    world.pass_(20)
    assert later.call() == "made"


def test_after_a_restart_of_the_machine_the_time_of_day_tells_what_is_left(bench: MakeBench, world: World) -> None:
    bench().fail(5)
    world.pass_(5)
    world.reboot(off_s=10)
    later = bench()
    with pytest.raises(CircuitOpenError) as caught, later.breakers.admit(later.policy, "OpenAI"):
        pass
    assert caught.value.retry_after_s == pytest.approx(15)
    world.wall_s += 3600
    assert later.call() == "refused", "from the first look on, monotonic time decides again"
    world.pass_(15)
    assert later.call() == "made"


def test_a_clock_set_back_across_a_restart_begins_the_break_anew_and_only_once(bench: MakeBench, world: World) -> None:
    bench().fail(5)
    world.reboot(off_s=-3600)
    later = bench()
    assert later.call() == "refused"
    world.pass_(29.9)
    assert later.call() == "refused"
    world.pass_(0.2)
    assert later.call() == "made"


def test_a_test_that_ran_when_the_machine_went_down_runs_no_more(bench: MakeBench, world: World) -> None:
    one = bench(request_s=3600)
    one.fail(5)
    world.pass_(30)
    lost = one.breakers.admit(one.policy, "OpenAI")
    lost.__enter__()
    world.reboot(off_s=5)
    assert bench(request_s=3600).call() == "made"
    lost.__exit__(None, None, None)


def test_failures_from_before_a_restart_of_the_machine_are_forgotten(bench: MakeBench, world: World) -> None:
    bench().fail(4)
    world.reboot(off_s=5)
    later = bench()
    later.fail(4)
    assert later.state == "closed"
    later.fail(1)
    assert later.state == "open"


def test_a_moment_is_measured_on_the_clock_that_knows_it() -> None:
    early = Moment("a", 100, 1000)
    assert Moment("a", 130, 9000).since(early) == 30
    assert Moment("b", 5, 1040).since(early) == 40
    assert Moment("b", 500, 900).since(early) == 0
    assert Moment("a", 90, 1007).since(early) == 7, "monotonic time that went back began anew"
    assert boot_name() == boot_name()


# Sharing


def test_failures_of_all_processes_count_together(bench: MakeBench) -> None:
    one, other = bench(), bench()
    one.fail(3)
    other.fail(2)
    assert one.state == other.state == "open"
    assert one.call() == "refused"


def test_circuits_by_other_names_are_left_alone(bench: MakeBench) -> None:
    at = bench()
    at.fail(5)
    speaking = policy_for(Settings(), "speak", "OpenAI")
    with at.breakers.admit(speaking, "OpenAI"):
        pass
    assert at.breakers.states() == {"OpenAI-LLM": "open", "OpenAI-TTS": "closed"}


def test_threads_that_fail_at_once_open_it_once(bench: MakeBench) -> None:
    at = bench(failure_threshold=8, minimum_throughput=8)
    gate = threading.Barrier(8)

    def work() -> None:
        with contextlib.suppress(TransientError), at.breakers.admit(at.policy, "OpenAI"):
            gate.wait()
            raise TransientError("down")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (at.state, len(at.changes)) == ("open", 1)


def test_a_circuit_that_was_reset_is_closed_for_everybody(bench: MakeBench, ledger_file: Path, world: World) -> None:
    at = bench()
    at.fail(5)
    circuits = Circuits(ledger_file)
    before = circuits.reset(NAME, world.timeline().now())
    assert before is not None
    assert before.state == "open"
    assert circuits.reset("unknown", world.timeline().now()) is None
    circuits.close()
    assert (at.call(), at.state) == ("made", "closed")
    at.fail(4)
    assert at.state == "closed"


# A ledger that cannot be used


class Broken(Circuits):
    """A ledger that raises whatever it is asked, for as long as `broken` is set."""

    broken = True

    def glimpse(self, name: str) -> Any:
        if self.broken:
            raise RuntimeError("out of order")
        return super().glimpse(name)

    def turn(self, name: str) -> Any:
        if self.broken:
            raise RuntimeError("out of order")
        return super().turn(name)


def test_a_broken_ledger_loses_no_answer_and_the_circuit_works_in_memory(
    bench: MakeBench, ledger_file: Path, world: World
) -> None:
    at = bench(circuits=Broken(ledger_file))
    with at.breakers.admit(at.policy, "OpenAI"):
        answer = "paid for"
    assert answer == "paid for"
    at.fail(5)
    assert (at.state, at.call()) == ("open", "refused")
    world.pass_(30)
    assert [at.call(), at.call(), at.state] == ["made", "made", "closed"]


def test_what_happened_while_the_ledger_was_broken_is_written_when_it_is_back(
    bench: MakeBench, ledger_file: Path, world: World
) -> None:
    circuits = Broken(ledger_file)
    at, other = bench(circuits=circuits), bench()
    at.fail(3)
    circuits.broken = False
    world.pass_(1)
    at.fail(1)
    assert other.breakers.snapshot()[0]["failureCount"] == 4
    circuits.broken = True
    at.fail(1)
    assert other.call() == "made", "nobody could tell"
    circuits.broken = False
    world.pass_(1)
    assert at.call() == "refused"
    assert (other.call(), other.state) == ("refused", "open")


def test_what_another_process_did_meanwhile_is_not_undone(bench: MakeBench, ledger_file: Path, world: World) -> None:
    circuits = Broken(ledger_file)
    circuits.broken = False
    at, other = bench(circuits=circuits), bench()
    at.call()
    circuits.broken = True
    at.fail(2)
    other.fail(5)
    circuits.broken = False
    world.pass_(1)
    assert (at.call(), other.call()) == ("refused", "refused")


def test_a_ledger_locked_by_another_process_holds_nobody_up(bench: MakeBench, ledger_file: Path, world: World) -> None:
    at = bench()
    at.call()
    blocker = driver().connect(ledger_file, isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    try:
        at.fail(5)
        assert at.call() == "refused"
    finally:
        blocker.execute("ROLLBACK")
        blocker.close()
    world.pass_(1)
    at.call()
    assert bench().call() == "refused"


def test_a_ledger_that_is_not_there_is_not_made(tmp_path: Path, bench: MakeBench) -> None:
    at = bench(circuits=Circuits(tmp_path / "none.db"))
    at.fail(5)
    assert (at.call(), at.state) == ("refused", "open")
    assert not (tmp_path / "none.db").exists()


def test_a_damaged_ledger_that_was_replaced_is_used_again(bench: MakeBench, tmp_path: Path, world: World) -> None:
    path = tmp_path / "damaged.db"
    path.write_bytes(b"no database" * 500)
    at = bench(circuits=Circuits(path))
    at.fail(1)
    path.unlink()
    Ledger(path).close()
    world.pass_(1)
    at.fail(4)
    circuits = Circuits(path)
    assert [row.state for row in circuits.all(world.timeline().now())] == ["open"]
    circuits.close()


@pytest.mark.parametrize("where", ["log", "on_change"])
def test_a_listener_that_raises_does_not_keep_the_circuit_from_opening(bench: MakeBench, where: str) -> None:
    at = bench()

    def fall_over(_: object) -> None:
        raise RuntimeError("listener")

    at.breakers.tell(*((fall_over, at.changes.append) if where == "log" else (at.log.append, fall_over)))
    at.fail(5)
    assert (at.call(), at.state) == ("refused", "open")
    assert at.changes if where == "log" else at.log


def test_without_a_sound_write_ahead_log_the_rollback_journal_does_as_well(
    tmp_path: Path, bench: MakeBench, monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    monkeypatch.setattr("checkpoints.ledger.database.wal_is_sound", lambda version: False)
    path = tmp_path / "journal.db"
    Ledger(path).close()
    at, other = bench(circuits=Circuits(path)), bench(circuits=Circuits(path))
    at.fail(5)
    assert other.call() == "refused"
    world.pass_(30)
    assert [other.call(), at.call(), at.state] == ["made", "made", "closed"]
    connection = driver().connect(path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    connection.close()
