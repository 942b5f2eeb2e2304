"""`framekeep breakers`: which providers are left alone now, and until when."""

from __future__ import annotations

import difflib
import time
from typing import TYPE_CHECKING

from config.errors import UsageError
from config.exit_codes import ExitCode
from pipeline.cli.command_options import Common
from pipeline.cli.commands.jobs_command import has_ledger, open_home
from pipeline.cli.terminal import console
from pipeline.cli.terminal.console import Tone
from pipeline.resilience.policy import KINDS

if TYPE_CHECKING:
    from checkpoints.ledger.circuits import CircuitRow, Circuits
    from checkpoints.ledger.cooldowns import RestRow
    from checkpoints.ownership.clocks import Moment
    from pipeline.home import Home
    from pipeline.resilience.cooldowns import Rests

_TONES: dict[str, Tone] = {"Closed": "good", "Open": "bad", "Half-Open": "warn"}


def show_breakers(common: Common, reset: list[str]) -> int:
    """Show the circuits of this home, and who rests; end that first for those named in `reset`. Raises UsageError."""
    from checkpoints.ownership.clocks import Timeline

    home, now = open_home(common), Timeline().now()
    if not has_ledger(home):
        _refuse_unknown(reset, [], [])
        _show(common, home, [], [], now)
        return ExitCode.DONE
    # Brings an older ledger to this version's tables.
    _ = home.ledger
    circuits, cooldowns = _opened(home)
    try:
        rows, resting = circuits.all(now), cooldowns.all()
        _refuse_unknown(reset, rows, resting)
        for name in reset:
            for row in rows:
                if _is_meant(name, row.name, provider_of(row.name)):
                    circuits.reset(row.name, now)
            for rest in resting:
                if _is_meant(name, *_names_of(rest)):
                    cooldowns.forget(rest.provider)
        if reset:
            rows, resting = circuits.all(now), cooldowns.all()
    finally:
        circuits.close()
        cooldowns.close()
        home.close()
    _show(common, home, rows, resting, now)
    return ExitCode.DONE


def _opened(home: Home) -> tuple[Circuits, Rests]:
    from checkpoints.ledger.circuits import Circuits
    from checkpoints.ledger.cooldowns import RestRows
    from pipeline.resilience.cooldowns import Rests

    return Circuits(home.ledger_file), Rests(RestRows(home.ledger_file))


def provider_of(circuit: str) -> str:
    """`OpenAI` of `OpenAI-LLM`: a circuit is named by its provider and what that does."""
    return circuit.rpartition("-")[0]


def _names_of(rest: RestRow) -> list[str]:
    """What a rest is known by: its provider, and each of the provider's circuits. It keeps all of them from being asked."""
    return [rest.provider, *(f"{rest.provider}-{kind}" for kind in set(KINDS.values()))]


def _is_meant(name: str, *known: str) -> bool:
    return name.strip().lower() in (one.lower() for one in known)


def _refuse_unknown(reset: list[str], rows: list[CircuitRow], resting: list[RestRow]) -> None:
    """Raise UsageError for names that are neither a circuit's nor a provider's, all at once: nothing is reset then."""
    known = [name for row in rows for name in (row.name, provider_of(row.name))]
    known += [name for rest in resting for name in _names_of(rest)]
    unknown = [name for name in dict.fromkeys(reset) if not _is_meant(name, *known)]
    if not unknown:
        return
    named = {name.lower(): name for name in known}
    near = [found[0] for name in unknown if (found := difflib.get_close_matches(name.lower(), named, n=1))]
    hint = f"did you mean {' or '.join(named[one] for one in near)}?" if near else "framekeep breakers lists them"
    named_so = "\n".join(f"There is no circuit or resting provider '{name}'" for name in unknown)
    raise UsageError(f"{named_so}; nothing was reset", hint=hint)


def _show(common: Common, home: Home, rows: list[CircuitRow], resting: list[RestRow], now: Moment) -> None:
    from pipeline.resilience import cooldowns
    from pipeline.resilience.breakers.registry import described, state_name

    if common.json:
        told = [cooldowns.described(row, now) for row in resting]
        console.out_json({"circuitBreakers": [described(row, now) for row in rows], "rests": told})
        return
    if not rows and not resting:
        console.say(f"No provider has a circuit in {home.root} so far")
    if rows:
        table = [(state_name(row, now), row.name, str(row.failures), _when(row, now), _next(row, now)) for row in rows]
        tones = [_TONES.get(line[0], "plain") for line in table]
        console.out_table(("STATE", "CIRCUIT", "FAILURES", "LAST FAILURE", "NEXT ATTEMPT"), table, tones)
    if rows and resting:
        console.out("")
    if resting:
        lines = [
            (row.provider, cooldowns.clock_time(row.at_wall), cooldowns.until(row, now), row.message) for row in resting
        ]
        console.out_table(("PROVIDER", "SINCE", "RESTS", "WHY"), lines, ["warn"] * len(lines))
        console.out(f"{console.symbol('next')} framekeep breakers --reset {resting[0].provider} ends one at once")


def _when(row: CircuitRow, now: Moment) -> str:
    return "" if row.failed_at is None else _local(now, row.failed_at)


def _next(row: CircuitRow, now: Moment) -> str:
    """When a circuit that is not closed lets a test through."""
    if row.state == "closed":
        return ""
    if left_s := row.break_left_s(now):
        return f"{_local(now, now.monotonic_s + left_s)} (in {left_s:.0f} s)"
    if row.probe and row.probe_until > now.monotonic_s:
        return "it is being tested now"
    return "with the next call"


def _local(now: Moment, monotonic_s: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now.wall_s - (now.monotonic_s - monotonic_s)))
