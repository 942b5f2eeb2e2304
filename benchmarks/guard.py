"""What the guard adds to a call that succeeds: the plain call, and the same behind everything that guards one.

The median of many calls, in rounds that take turns, so that a busy machine disturbs all rows alike.

    .venv/bin/python benchmarks/guard.py [--calls 2000] [--json]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checkpoints.ledger import database
from checkpoints.ledger.circuits import Circuits
from checkpoints.ledger.ledger import Ledger
from config.settings import Settings
from pipeline.resilience.breakers.registry import Breakers
from pipeline.resilience.call_limits import Restraints
from pipeline.resilience.guard import Guard
from pipeline.resilience.policy import policy_for
from stages.base import CancelToken, Provider

LIMIT_US = 150.0
_ROUNDS = 10


@dataclass(frozen=True)
class Row:
    """One way to make the call: the median, what it adds to the plain call, and the 95th percentile."""

    name: str
    median_us: float
    added_us: float
    p95_us: float


class _Named(Provider):
    name = "OpenAI"

    def identity(self) -> dict[str, str]:
        return {"name": self.name}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2000, help="calls of each row. Default: 2000")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, _ways(Path(folder)) as ways:
        rows = _measure(ways, given.calls)
    if given.json:
        print(json.dumps({"guard": [row.__dict__ for row in rows]}, indent=2))
        return 0
    print("| a successful call | median µs | added µs | 95 % under µs |\n| --- | ---: | ---: | ---: |")
    for row in rows:
        print(f"| {row.name} | {row.median_us:.1f} | {row.added_us:.1f} | {row.p95_us:.1f} |")
    return 0


@contextlib.contextmanager
def _ways(folder: Path) -> Iterator[dict[str, Callable[[], Any]]]:
    """The rows' calls by name. Timers and threads of time limits are part of a guarded call."""
    shared = _circuits(folder / "wal.db", is_wal=True)
    journal = _circuits(folder / "journal.db", is_wal=False)
    restraints = Restraints.of_home(folder / "wal.db", folder / "limits")
    throughput = {"failure_threshold": 5, "minimum_throughput": 1000}
    yield {
        "plain": lambda: _work(_OPENAI, _CANCEL),
        "breaker alone, in memory": _admitted(Breakers()),
        "breaker alone, in the ledger": _admitted(Breakers(circuits=shared)),
        "guarded, breaker off": _guarded(Breakers(), {"enabled": False}),
        "guarded, breaker in memory": _guarded(Breakers()),
        "guarded, breaker in the ledger": _guarded(Breakers(circuits=shared)),
        "the same where successes are counted": _guarded(Breakers(circuits=shared), throughput),
        "the same on a rollback journal": _guarded(Breakers(circuits=journal)),
        "breaker and rests in the ledger": _guarded(Breakers(circuits=shared), restraints=restraints),
    }
    for opened in (shared, journal, restraints):
        opened.close()


_OPENAI = _Named()


def _work(_provider: Provider, _cancel: CancelToken) -> str:
    return "answer"


def _circuits(path: Path, *, is_wal: bool) -> Circuits:
    known = database.wal_is_sound
    database.wal_is_sound = lambda version: is_wal
    try:
        Ledger(path).close()
    finally:
        database.wal_is_sound = known
    return Circuits(path)


def _settings(rules: dict[str, Any] | None = None) -> Settings:
    return Settings.model_validate({"resilience": {"circuit_breaker": rules or {}}})


def _admitted(breakers: Breakers) -> Callable[[], str]:
    policy = policy_for(_settings(), "write", "OpenAI")

    def call() -> str:
        with breakers.admit(policy, "OpenAI"):
            return _work(_OPENAI, _CANCEL)

    return call


_CANCEL = CancelToken()


def _guarded(
    breakers: Breakers, rules: dict[str, Any] | None = None, restraints: Restraints | None = None
) -> Callable[[], Any]:
    call = Guard(_settings(rules), breakers, restraints=restraints).bind(CancelToken(), lambda note: None)
    return lambda: call("write", [_OPENAI], _work)


def _measure(ways: dict[str, Callable[[], Any]], calls: int) -> list[Row]:
    took: dict[str, list[float]] = {name: [] for name in ways}
    for call in ways.values():
        for _ in range(20):
            call()
    for _ in range(_ROUNDS):
        for name, call in ways.items():
            for _ in range(max(1, calls // _ROUNDS)):
                began = time.perf_counter_ns()
                call()
                took[name].append((time.perf_counter_ns() - began) / 1000)
    plain_us = statistics.median(took["plain"])
    return [
        Row(name, median := statistics.median(values), median - plain_us, statistics.quantiles(values, n=20)[-1])
        for name, values in took.items()
    ]


if __name__ == "__main__":
    sys.exit(main())
