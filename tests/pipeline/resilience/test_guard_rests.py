"""Providers that are left alone: because they said when to come back, or because their account is of no use."""

from __future__ import annotations

import contextlib
import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from checkpoints.ledger.cooldowns import RestRow, RestRows
from checkpoints.ledger.ledger import Ledger
from config.errors import (
    CircuitOpenError,
    ProviderError,
    QuotaError,
    RateLimitedError,
    RestingError,
    RetryExhaustedError,
    TransientError,
    UnavailableError,
)
from pipeline.resilience.attempt_events import LimitWaited, RestBegun, WaitBegun
from pipeline.resilience.call_limits import Restraints
from pipeline.resilience.cooldowns import QUOTA_REST_S, Rests
from pipeline.resilience.rate_limits import Limits
from pipeline.resilience.retry_budget import Budgets
from stages.base import Clock
from tests.guarding import Desk, Named, Time, desk, settings_of

A, B = Named("a"), Named("b")
OPENAI = Named("OpenAI")
LATER = RateLimitedError("slow down", retry_after_s=120)
NO_RETRIES = {"Retry": {"MaxRetryAttempts": 0}}
BAD_KEY = UnavailableError("401", kind="InvalidApiKey")


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """The file of a ledger with this version's tables."""
    Ledger(tmp_path / "ledger.db").close()
    return tmp_path / "ledger.db"


def shared(ledger: Path, time: Time, boot: str = "this start") -> Restraints:
    timeline = time.timeline(boot)
    return Restraints(Rests(RestRows(ledger), timeline), Limits(None, timeline), Budgets())


def refused(at: Desk, *providers: Named) -> ProviderError:
    before = len(at.asked)
    with pytest.raises(ProviderError) as caught:
        at.call("write", providers, at.work({}))
    assert len(at.asked) == before, "nobody was asked"
    return caught.value


def test_nobody_asks_a_provider_before_the_time_that_it_named() -> None:
    at = desk(settings_of(Resilience=NO_RETRIES))
    assert at.call("write", [A, B], at.work({"a": [LATER]}))[1] is B
    assert at.call("speak", [A, B], at.work({}))[1] is B, "it rests whatever it is asked for"
    assert at.asked == ["a", "b", "b"]
    assert [note.outcome for note in at.notes] == ["failed", "ok", "refused", "ok"]
    assert at.of(RestBegun) == [RestBegun("a", "RateLimitExceeded", 120)]
    at.time.now += 119.9
    at.call("write", [A, B], at.work({}))
    at.time.now += 0.2
    assert at.call("write", [A, B], at.work({}))[1] is A


def test_a_429_that_names_no_time_begins_no_rest() -> None:
    at = desk(settings_of(Resilience=NO_RETRIES))
    assert at.call("write", [A, B], at.work({"a": [RateLimitedError("slow down")]}))[1] is B
    assert at.call("write", [A, B], at.work({}))[1] is A


def test_where_nobody_else_can_be_asked_a_rest_that_fits_is_waited_for() -> None:
    at = desk(settings_of(Resilience=NO_RETRIES))
    with pytest.raises(ProviderError):
        at.call("write", [A], at.work({"a": [LATER]}))
    at.time.now += 20
    assert at.call("write", [A], at.work({}))[0] == "from a"
    assert at.time.naps == [100]
    assert at.of(WaitBegun) == [WaitBegun("write", "a", "rest", 100)]
    assert at.of(LimitWaited) == [LimitWaited("write", "a", "rest", 100)]


def test_a_rest_beyond_the_operations_time_parks_the_job_until_its_end_without_a_call() -> None:
    at = desk(settings_of(Resilience=NO_RETRIES, Timeouts={"Operation": 60_000}))
    with pytest.raises(ProviderError):
        at.call("write", [A], at.work({"a": [LATER]}))
    at.time.now += 20
    error = refused(at, A)
    assert (type(error), error.kind, error.exit_code) == (RestingError, "RateLimitExceeded", 75)
    assert error.retry_after_s == 100
    assert at.time.naps == []


@pytest.mark.parametrize("step_s", [3600.0, -3600.0])
def test_a_clock_that_is_set_neither_ends_nor_prolongs_a_rest(ledger: Path, step_s: float) -> None:
    time = Time()
    at = desk(settings_of(Resilience=NO_RETRIES), time=time, restraints=shared(ledger, time))
    at.call("write", [A, B], at.work({"a": [LATER]}))
    time.wall_offset += step_s
    time.now += 119
    assert at.call("write", [A, B], at.work({}))[1] is B
    time.now += 2
    assert at.call("write", [A, B], at.work({}))[1] is A


@pytest.mark.parametrize(("away_s", "step_s", "left_s"), [(50, 0, 70), (50, -3600, 120), (200, 0, None)])
def test_after_a_restart_of_the_machine_a_rest_lasts_no_longer_than_it_was_told_to(
    ledger: Path, away_s: float, step_s: float, left_s: float | None
) -> None:
    before = Time()
    rests = Rests(RestRows(ledger), before.timeline("first start"))
    rests.begin("a", LATER, lambda: "")
    after = Time(now=3.0, wall_offset=before.wall() + away_s + step_s - 3.0)
    again = Rests(RestRows(ledger), after.timeline("second start"))
    row = again.standing("a", lambda: "")
    assert (again.left_s(row) if row else None) == left_s


def test_other_guards_and_later_runs_heed_a_rest(ledger: Path) -> None:
    time = Time()
    settings = settings_of(Resilience=NO_RETRIES)
    first = desk(settings, time=time, restraints=shared(ledger, time))
    first.call("write", [A, B], first.work({"a": [LATER]}))
    later = desk(settings, time=time, restraints=shared(ledger, time))
    assert later.call("write", [A, B], later.work({}))[1] is B


def _rest(ledger: str) -> None:
    Rests(RestRows(Path(ledger))).begin("a", LATER, lambda: "")


def test_another_process_heeds_a_rest(ledger: Path) -> None:
    child = multiprocessing.get_context("spawn").Process(target=_rest, args=(str(ledger),))
    child.start()
    child.join(30)
    assert child.exitcode == 0
    rests = Rests(RestRows(ledger))
    row = rests.standing("a", lambda: "")
    assert row
    assert 60 < (rests.left_s(row) or 0) <= 120


def with_key(key: str, **more: Any) -> Any:
    return settings_of(Providers={"OpenAI": {"ApiKey": key, **more}})


def test_a_key_that_is_not_taken_is_not_tried_again_until_it_is_another(ledger: Path) -> None:
    time = Time()
    at = desk(with_key("sk-wrong"), time=time, restraints=shared(ledger, time))
    at.call("write", [OPENAI, B], at.work({"OpenAI": [BAD_KEY]}))
    time.now += 1e6
    error = refused(at, OPENAI)
    assert (error.kind, error.exit_code, error.retry_after_s) == ("InvalidApiKey", 1, None)
    assert "framekeep breakers --reset OpenAI" in error.hint
    with_rules = desk(with_key("sk-wrong", RequestTimeout=5000), time=time, restraints=shared(ledger, time))
    refused(with_rules, OPENAI)
    fixed = desk(with_key("sk-right"), time=time, restraints=shared(ledger, time))
    assert fixed.call("write", [OPENAI], fixed.work({}))[0] == "from OpenAI"
    assert RestRows(ledger).all() == []


@pytest.mark.parametrize("change", [{"BaseUrl": "http://127.0.0.1:9/v1"}, {"Model": "another"}])
def test_another_address_or_model_is_another_account(ledger: Path, change: dict[str, str]) -> None:
    time = Time()
    at = desk(with_key("sk-1"), time=time, restraints=shared(ledger, time))
    at.call("write", [OPENAI, B], at.work({"OpenAI": [BAD_KEY]}))
    other = desk(with_key("sk-1", **change), time=time, restraints=shared(ledger, time))
    assert other.call("write", [OPENAI], other.work({}))[1] is OPENAI


def test_nothing_of_a_key_is_in_the_ledger(ledger: Path) -> None:
    time = Time()
    at = desk(with_key("sk-very-secret"), time=time, restraints=shared(ledger, time))
    at.call("write", [OPENAI, B], at.work({"OpenAI": [BAD_KEY]}))
    at.guard.restraints.close()
    (row,) = RestRows(ledger).all()
    assert "secret" not in repr(row)
    assert b"very-secret" not in b"".join(path.read_bytes() for path in ledger.parent.glob("ledger.db*"))


def test_a_used_up_quota_is_looked_after_once_an_hour_or_when_it_says(ledger: Path) -> None:
    time = Time()
    at = desk(with_key("sk-1"), time=time, restraints=shared(ledger, time))
    at.call("write", [OPENAI, B], at.work({"OpenAI": [QuotaError("spent")]}))
    error = refused(at, OPENAI)
    assert (error.code, error.exit_code, error.retry_after_s) == ("QUOTA_EXCEEDED", 75, QUOTA_REST_S)
    time.now += QUOTA_REST_S
    at.call("write", [OPENAI, B], at.work({"OpenAI": [QuotaError("spent", retry_after_s=86_400)]}))
    assert refused(at, OPENAI).retry_after_s == 86_400


def test_a_provider_of_this_machine_has_no_account_that_could_be_mended() -> None:
    at = desk()
    at.call("speak", [A, B], at.work({"a": [QuotaError("simulated")]}))
    assert at.call("speak", [A, B], at.work({}))[1] is A


def test_settings_may_say_that_a_quota_passes_by_itself() -> None:
    at = desk(
        settings_of(
            Providers={"OpenAI": {"ApiKey": "sk-1", "Retry": {"RetryableErrors": ["QuotaExceeded"]}}},
        )
    )
    script = {"OpenAI": [QuotaError("this minute's")]}
    assert at.call("write", [OPENAI, B], at.work(script))[1] is OPENAI


def test_two_answers_at_the_same_time_are_both_heeded(ledger: Path) -> None:
    time = Time()
    rests = Rests(RestRows(ledger), time.timeline())
    rests.begin("a", LATER, lambda: "")
    rests.begin("a", RateLimitedError("slow down", retry_after_s=5), lambda: "")
    (row,) = rests.all()
    assert rests.left_s(row) == 120


def test_a_rest_can_be_ended_by_hand(ledger: Path) -> None:
    time = Time()
    at = desk(settings_of(Resilience=NO_RETRIES), time=time, restraints=shared(ledger, time))
    at.call("write", [A, B], at.work({"a": [LATER]}))
    elsewhere = Rests(RestRows(ledger), time.timeline())
    assert [row.provider for row in elsewhere.all()] == ["a"]
    assert elsewhere.forget("a")
    assert not elsewhere.forget("a")
    assert at.call("write", [A, B], at.work({}))[1] is A


def test_a_ledger_that_cannot_be_used_costs_no_call_and_rests_hold_in_the_process(tmp_path: Path) -> None:
    time = Time()
    restraints = shared(tmp_path / "none.db", time)
    at = desk(settings_of(Resilience=NO_RETRIES), time=time, restraints=restraints)
    assert at.call("write", [A, B], at.work({"a": [LATER]}))[1] is B
    assert at.call("write", [A, B], at.work({}))[1] is B
    time.now += 121
    assert at.call("write", [A, B], at.work({}))[1] is A
    assert not (tmp_path / "none.db").exists(), "looking makes no ledger"


def test_a_rest_that_only_this_process_knew_reaches_nobody_else_but_is_shown(tmp_path: Path) -> None:
    rests = Rests(RestRows(tmp_path / "none.db"), Time().timeline())
    row = rests.begin("a", LATER, lambda: "")
    assert isinstance(row, RestRow)
    assert rests.all() == [row]


def test_a_failure_that_says_when_to_come_back_begins_no_rest() -> None:
    at = desk(settings_of(Resilience=NO_RETRIES))
    busy = TransientError("503", kind="ServiceUnavailable", retry_after_s=30)
    at.call("write", [A, B], at.work({"a": [busy]}))
    assert at.call("write", [A, B], at.work({}))[1] is A


# A circuit that somebody tests, and an open one of what nobody could do in the provider's place


def tripped(**rules: Any) -> tuple[Desk, Time]:
    """A provider whose circuit has just ended its break."""
    at = desk(settings_of(Resilience={**NO_RETRIES, "CircuitBreaker": rules}))
    for _ in range(5):
        with pytest.raises(RetryExhaustedError):
            at.call("speak", [A], at.work({"a": [TransientError("down")]}))
    at.time.now += 30
    return at, at.time


@pytest.mark.parametrize("providers", [[A], [A, B]], ids=["alone", "with another after it"])
def test_a_call_waits_for_the_test_that_another_one_makes_instead_of_going_elsewhere(providers: list[Named]) -> None:
    at, time = tripped()
    test = at.guard.breakers.admit(at.guard.policy("speak", "a"), "a")
    test.__enter__()
    ends_at = time.now + 3

    def sleep(seconds: float) -> None:
        time.now += seconds
        if time.now >= ends_at:
            test.__exit__(None, None, None)

    at.guard.clock = Clock(monotonic=lambda: time.now, wall=time.wall, sleep=sleep)
    events: list[Any] = []
    call = at.guard.bind(at.cancel, at.notes.append, observe=events.append)
    assert call("speak", providers, at.work({}))[1] is A
    assert call.fallbacks == []
    (begun,) = [event for event in events if isinstance(event, WaitBegun)]
    (waited,) = [event for event in events if isinstance(event, LimitWaited)]
    assert (begun.limit, begun.expected_s) == ("circuit", 10)
    assert (waited.limit, waited.waited_s) == ("circuit", pytest.approx(3, abs=0.21))
    assert at.guard.breakers.states() == {"a-TTS": "closed"}


def test_a_test_is_waited_for_no_longer_than_the_half_open_period() -> None:
    at, time = tripped(HalfOpenDuration=10)
    test = at.guard.breakers.admit(at.guard.policy("speak", "a"), "a")
    test.__enter__()
    before = time.now
    assert at.call("speak", [A, B], at.work({}))[1] is A, "the permit has ended, and this call tests"
    assert time.now - before == pytest.approx(10, abs=0.01)
    test.__exit__(None, None, None)


def test_software_on_this_machine_waits_for_others_tests_for_as_long_as_they_take() -> None:
    at = desk(settings_of(Resilience=NO_RETRIES))
    for _ in range(5):
        with pytest.raises(RetryExhaustedError):
            at.call("encode", [Named("libx264")], at.work({"libx264": [TransientError("killed")]}))
    at.time.now += 30
    breakers, policy, time = at.guard.breakers, at.guard.policy("encode", "libx264"), at.time
    tests = [breakers.admit(policy, "libx264")]
    tests[0].__enter__()
    until = time.now + 60

    def sleep(seconds: float) -> None:
        """Other encodes take the permit as soon as it is free, for a minute."""
        time.now += seconds
        if time.now < until:
            with contextlib.suppress(CircuitOpenError):
                another = breakers.admit(policy, "libx264")
                another.__enter__()
                tests.append(another)

    at.guard.clock = Clock(monotonic=lambda: time.now, wall=time.wall, sleep=sleep)
    call = at.guard.bind(at.cancel, at.notes.append)
    assert call("encode", [Named("libx264")], at.work({}))[0] == "from libx264"
    assert len(tests) == 6
    assert time.now >= until
    for test in tests:
        test.__exit__(None, None, None)


def test_a_test_is_not_waited_for_where_there_is_no_time() -> None:
    at, _time = tripped()
    at.guard.job_left_s = lambda: 4.0
    call = at.guard.bind(at.cancel, at.notes.append)
    with at.guard.breakers.admit(at.guard.policy("speak", "a"), "a"):
        assert call("speak", [A, B], at.work({}))[1] is B
    assert "tested" in call.fallbacks[0].reason


KILLED = [TransientError("killed")] * 12


def waits_for_circuits(at: Desk) -> list[float]:
    return [event.waited_s for event in at.of(LimitWaited) if event.limit == "circuit"]


@pytest.mark.parametrize("operation", ["encode", "mix", "mux"])
def test_the_circuit_of_software_on_this_machine_is_waited_for(operation: str) -> None:
    at = desk(settings_of())
    work = at.work({"libx264": KILLED})
    for _ in range(3):
        with pytest.raises(RetryExhaustedError):
            at.call(operation, [Named("libx264")], work)
    assert [note.outcome for note in at.notes] == ["failed"] * 12
    # The fifth failure opens it, and each test that fails opens it again: seven are made while it is open.
    assert len(waits_for_circuits(at)) == 7
    assert at.call(operation, [Named("libx264")], work)[0] == "from libx264"


def test_no_circuit_is_waited_for_beyond_the_jobs_time_or_where_another_encoder_comes_next() -> None:
    for name, left_s in (("libx264", 5.0), ("h264_nvenc", None)):
        at = desk(settings_of(Resilience={"Retry": {"MaxRetryAttempts": 0}}), job_left_s=lambda left_s=left_s: left_s)
        work = at.work({name: KILLED})
        for _ in range(6):
            with pytest.raises(RetryExhaustedError):
                at.call("encode", [Named(name)], work)
        assert [note.outcome for note in at.notes] == ["failed"] * 5 + ["refused"]
        assert waits_for_circuits(at) == []
