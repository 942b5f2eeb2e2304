"""The error that a run ends with, where several of its steps failed: the soonest time to resume, and what says most."""

from __future__ import annotations

import pytest

from config.errors import (
    CircuitOpenError,
    DiskFullError,
    FramekeepError,
    QuotaError,
    RejectedError,
    RestingError,
    RetryExhaustedError,
)
from pipeline.engine.failed_steps import Failures
from tests.guarding import Time


def ended(
    *errors: FramekeepError, after_s: float = 0.0, apart_s: float = 0.0, names_others: bool = False
) -> FramekeepError:
    """The end of a run whose steps failed so many seconds apart, so many seconds after the last of them."""
    time = Time()
    failures = Failures(lambda: time.now)
    for number, error in enumerate(errors):
        time.now += apart_s if number else 0
        failures.note(f"step-{number}", error)
    time.now += after_s
    return failures.error_of_run(names_others=names_others)


def spent(left_s: float | None, provider: str = "a") -> QuotaError:
    return QuotaError("the quota is used up", provider=provider, hint="top up", retry_after_s=left_s)


def opened(left_s: float | None, provider: str = "a") -> CircuitOpenError:
    return CircuitOpenError("circuit open", provider=provider, hint=f"wait {left_s} s", retry_after_s=left_s)


def exhausted(left_s: float | None, provider: str = "a") -> RetryExhaustedError:
    return RetryExhaustedError("four calls failed", provider=provider, hint="check", retry_after_s=left_s)


def waits(error: FramekeepError) -> tuple[str, str, float | None]:
    assert isinstance(error, QuotaError | CircuitOpenError | RetryExhaustedError | RestingError)
    return error.message, error.hint, error.retry_after_s


def test_the_run_is_resumed_when_the_first_of_its_steps_can_go_on() -> None:
    assert waits(ended(spent(3600, "a"), opened(30, "b"))) == ("circuit open", "wait 30 s", 30)
    assert waits(ended(opened(30, "b"), spent(3600, "a"))) == ("circuit open", "wait 30 s", 30)


def test_one_that_names_no_time_does_not_hide_one_that_does() -> None:
    assert waits(ended(spent(None, "a"), opened(30, "b")))[2] == 30
    assert waits(ended(spent(None, "a"), opened(None, "b"))) == ("the quota is used up", "top up", None)


def test_what_the_provider_said_is_named_and_when_its_circuit_lets_it_be_asked() -> None:
    assert waits(ended(exhausted(60), opened(30))) == ("four calls failed", "wait 30 s", 30)
    assert waits(ended(opened(30), exhausted(60))) == ("four calls failed", "wait 30 s", 30)
    assert waits(ended(opened(30), exhausted(60), spent(3600))) == ("the quota is used up", "wait 30 s", 30)
    assert waits(ended(opened(30, "b"), exhausted(60, "a")))[0] == "circuit open", "another provider's words do not fit"


def test_time_that_went_by_since_a_step_failed_counts() -> None:
    # The first may go on 60 s after it failed, the second 30 s after: but it failed 50 s later.
    assert waits(ended(opened(60, "a"), opened(30, "b"), apart_s=50)) == ("circuit open", "wait 60 s", 10)
    assert waits(ended(opened(60), after_s=45))[2] == 15
    assert waits(ended(opened(60), after_s=100)) == ("circuit open", "framekeep resume", 0)


def test_an_error_that_equal_steps_share_counts_from_its_first_failure() -> None:
    error = opened(60)
    assert waits(ended(error, error, apart_s=20))[2] == 40


@pytest.mark.parametrize("error", [RejectedError("never"), DiskFullError("full")])
def test_what_waiting_does_not_mend_comes_first(error: FramekeepError) -> None:
    assert ended(opened(30), error) is error
    assert ended(error, opened(30)) is error
    assert error.message in ("never", "full")


def test_the_others_are_named_as_far_as_there_is_room() -> None:
    shown = ended(RejectedError("never"), *(opened(30) for _ in range(7)), names_others=True)
    assert shown.message == "never (failed as well: step-1, step-2, step-3, step-4, step-5, …)"
