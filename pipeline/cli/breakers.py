"""`framekeep breakers`: which providers are left alone now, and until when."""

from __future__ import annotations

import difflib
import time
from typing import TYPE_CHECKING

from config.errors import UsageError
from pipeline.cli import console
from pipeline.cli.common import Common
from pipeline.cli.console import Tone
from pipeline.cli.exits import ExitCode
from pipeline.cli.jobs import has_ledger, open_home

if TYPE_CHECKING:
    from checkpoints.circuits import CircuitRow, Circuits
    from checkpoints.clocks import Moment
    from checkpoints.rests import RestRow
    from pipeline.home import Home
    from pipeline.resilience.rests import Rests

_TONES: dict[str, Tone] = {"closed": "good", "open": "bad", "half-open": "warn"}


def show_breakers(common: Common, reset: list[str]) -> int:
    """Show the circuits of this home, and who rests; end that first for those named in `reset`."""
    from checkpoints.clocks import Timeline

    home, now = open_home(common), Timeline().now()
    if not has_ledger(home):
        if reset:
            _chosen(reset[0], [], [])
        _show(common, home, [], [], now)
        return ExitCode.DONE
    # Brings an older ledger to this version's tables.
    _ = home.ledger
    circuits, rests = _opened(home)
    try:
        rows, resting = circuits.all(now), rests.all()
        for names, providers in [_chosen(name, rows, resting) for name in reset]:
            for name in names:
                circuits.reset(name, now)
            for provider in providers:
                rests.forget(provider)
        if reset:
            rows, resting = circuits.all(now), rests.all()
    finally:
        circuits.close()
        rests.close()
        home.close()
    _show(common, home, rows, resting, now)
    return ExitCode.DONE


def _opened(home: Home) -> tuple[Circuits, Rests]:
    from checkpoints.circuits import Circuits
    from checkpoints.rests import RestRows
    from pipeline.resilience.rests import Rests

    return Circuits(home.ledger_file), Rests(RestRows(home.ledger_file))


def _chosen(name: str, rows: list[CircuitRow], resting: list[RestRow]) -> tuple[list[str], list[str]]:
    """The circuits and the rests that a name means: a circuit's own, or all of a provider's. Raises UsageError."""
    wanted = name.lower()
    providers = [row.provider for row in resting if row.provider.lower() == wanted]
    circuits = [row.name for row in rows if wanted in (row.name.lower(), row.name.rpartition("-")[0].lower())]
    if circuits or providers:
        return circuits, providers
    known = {text.lower(): text for row in rows for text in (row.name, row.name.rpartition("-")[0])}
    known |= {row.provider.lower(): row.provider for row in resting}
    near = difflib.get_close_matches(wanted, known, n=1)
    hint = f"did you mean {known[near[0]]}?" if near else "framekeep breakers lists them"
    raise UsageError(f"There is no circuit or resting provider '{name}'", hint=hint)


def _show(common: Common, home: Home, rows: list[CircuitRow], resting: list[RestRow], now: Moment) -> None:
    from pipeline.resilience import rests
    from pipeline.resilience.breakers import STATE_NAMES, described

    if common.json:
        told = [rests.described(row, now) for row in resting]
        console.out_json({"circuitBreakers": [described(row, now) for row in rows], "rests": told})
        return
    if not rows and not resting:
        console.say(f"No provider has a circuit in {home.root} so far")
    if rows:
        table = [
            (STATE_NAMES.get(row.state, row.state), row.name, str(row.failures), _when(row, now), _next(row, now))
            for row in rows
        ]
        tones = [_TONES.get(row.state, "plain") for row in rows]
        console.out_table(("STATE", "CIRCUIT", "FAILURES", "LAST FAILURE", "NEXT ATTEMPT"), table, tones)
    if rows and resting:
        console.out("")
    if resting:
        lines = [(row.provider, rests.clock_time(row.at_wall), rests.until(row, now), row.message) for row in resting]
        console.out_table(("PROVIDER", "SINCE", "RESTS", "WHY"), lines, ["warn"] * len(lines))
        console.out(f"{console.symbol('next')} framekeep breakers --reset {resting[0].provider} ends one at once")


def _when(row: CircuitRow, now: Moment) -> str:
    return "" if row.failed_at is None else _local(now, row.failed_at)


def _next(row: CircuitRow, now: Moment) -> str:
    """When an open circuit lets a test through; a moment that has passed is now."""
    if row.state != "open":
        return ""
    left_s = row.since + row.break_s - now.monotonic_s
    return f"{_local(now, row.since + row.break_s)} (in {left_s:.0f} s)" if left_s > 0 else "with the next call"


def _local(now: Moment, monotonic_s: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now.wall_s - (now.monotonic_s - monotonic_s)))
