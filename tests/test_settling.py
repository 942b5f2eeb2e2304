"""Failures on purpose speak against nobody: the circuits that they opened are closed when the run is over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from checkpoints.circuits import Circuits
from checkpoints.ledger import Ledger
from config.errors import CircuitOpenError, RetryExhaustedError, TransientError
from config.settings import Settings
from pipeline.events import Bus
from pipeline.resilience.breakers import Breakers
from pipeline.resilience.guard import Guard
from pipeline.watches import watched
from stages.base import CancelToken, Clock
from tests.guarding import Named

RULES = {"circuit_breaker": {"failure_threshold": 2, "minimum_throughput": 1}, "retry": {"max_retry_attempts": 0}}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path / "ledger.db")
    made.put_job("job", "T", {}, {})
    yield made
    made.close()


def failed(ledger: Ledger, failures: int, *, on_purpose: bool) -> tuple[Breakers, Guard]:
    """A run in which a voice failed so often; its breakers, and the guard of another process."""
    settings = Settings.model_validate({"resilience": RULES, "testing": {"simulate_failures": on_purpose}})
    breakers, others = Breakers(circuits=Circuits(ledger.path)), Breakers(circuits=Circuits(ledger.path))
    guard = Guard(settings, breakers, Clock(sleep=lambda seconds: None))

    def down(_provider: Named, _cancel: CancelToken) -> None:
        raise TransientError("down")

    with watched("job", ledger, settings, Bus(lambda event: None), breakers):
        call = guard.bind(CancelToken(), lambda attempt: None, job_id="job")
        for _ in range(failures):
            with pytest.raises(RetryExhaustedError):
                call("speak", [Named("hibari")], down)
    return breakers, Guard(settings, others, Clock(sleep=lambda seconds: None))


def answers(guard: Guard) -> bool:
    try:
        guard.bind(CancelToken(), lambda attempt: None)("speak", [Named("hibari")], lambda *_: "spoken")
    except CircuitOpenError:
        return False
    finally:
        guard.breakers.close()
    return True


@pytest.mark.parametrize("on_purpose", [True, False])
def test_a_circuit_stays_open_after_real_failures_only(ledger: Ledger, on_purpose: bool) -> None:
    breakers, elsewhere = failed(ledger, 2, on_purpose=on_purpose)
    assert breakers.states() == {"hibari-TTS": "closed" if on_purpose else "open"}
    assert answers(elsewhere) == on_purpose
    told = [
        (event.data["new"], event.data["reason"]) for event in ledger.events("job") if event.kind == "circuit_changed"
    ]
    assert [new for new, _ in told] == (["open", "closed"] if on_purpose else ["open"])
    assert not on_purpose or told[-1][1] == "the failures on purpose are over"
    breakers.close()


@pytest.mark.parametrize(("on_purpose", "left"), [(True, 0), (False, 1)])
def test_failures_on_purpose_do_not_count_towards_an_opening_later(ledger: Ledger, on_purpose: bool, left: int) -> None:
    breakers, _ = failed(ledger, 1, on_purpose=on_purpose)
    (circuit,) = breakers.snapshot()
    assert (circuit["state"], circuit["failureCount"]) == ("Closed", left)
    assert [event for event in ledger.events("job") if event.kind == "circuit_changed"] == []
    breakers.close()
