"""What a batch ends as, for every mixture of ends of its briefs."""

from __future__ import annotations

import itertools

import pytest

from pipeline.batch import BatchItem, BatchResult
from pipeline.report import ErrorReport, Result, Status

STATUSES: tuple[Status, ...] = ("done", "degraded", "failed", "parked", "interrupted")


def batch(*ends: Status, interrupted: bool = False) -> BatchResult:
    items = [BatchItem(brief=f"{at}.md", result=Result(job_id=str(at), status=end)) for at, end in enumerate(ends)]
    return BatchResult(items=tuple(items), interrupted=interrupted)


@pytest.mark.parametrize(
    ("ends", "exit_code"),
    [
        ((), 0),
        (("done", "done"), 0),
        (("done", "degraded"), 3),
        (("parked",), 75),
        (("parked", "parked"), 75),
        (("done", "parked"), 75),
        (("degraded", "parked", "done"), 75),
        (("failed",), 4),
        (("failed", "failed"), 4),
        (("done", "failed"), 4),
        (("parked", "failed"), 4),
        (("degraded", "failed"), 4),
        (("failed", "interrupted"), 130),
        (("parked", "interrupted"), 130),
    ],
)
def test_the_exit_code_says_what_is_to_be_done_next(ends: tuple[Status, ...], exit_code: int) -> None:
    assert batch(*ends).exit_code == exit_code


def test_some_failed_is_said_exactly_where_something_failed_and_nobody_stopped_it() -> None:
    for length in range(4):
        for ends in itertools.product(STATUSES, repeat=length):
            code = batch(*ends).exit_code
            assert (code == 4) == ("failed" in ends and "interrupted" not in ends), ends
            assert (code == 75) == ("parked" in ends and not {"failed", "interrupted"} & set(ends)), ends
            assert (code == 0) == (set(ends) <= {"done"}), ends


def test_bad_input_of_one_brief_is_a_failure_of_the_batch_and_not_wrong_use() -> None:
    refused = Result(job_id="", status="failed", error=ErrorReport(code="BAD_BRIEF", message="it is empty"))
    assert refused.exit_code == 2
    assert BatchResult(items=(BatchItem(brief="a.md", result=refused),)).exit_code == 4


def test_one_that_was_stopped_between_two_briefs_is_interrupted_whatever_the_others_came_to() -> None:
    assert batch("done", "parked", interrupted=True).exit_code == 130
