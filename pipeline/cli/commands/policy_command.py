"""`framekeep config policy LLM.OpenAI`: everything that guards one provider's calls, and where each rule comes from."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from config.codecs import EncoderName, codec_of
from config.errors import UsageError
from config.exit_codes import ExitCode
from config.section import Section, squashed
from pipeline.cli.command_options import Common
from pipeline.cli.commands.config_command import SettingRow, unit_of, value_text
from pipeline.cli.commands.jobs_command import has_ledger
from pipeline.cli.terminal import console

if TYPE_CHECKING:
    from checkpoints.ledger.circuits import CircuitRow
    from checkpoints.ledger.cooldowns import RestRow
    from config.loader import Loaded, SettingPath
    from config.settings import Settings
    from pipeline.resilience.policy import Policy

_OPERATIONS = {"llm": "write", "tts": "speak", "images": "draw", "render": "encode"}
_KINDS = ("LLM", "TTS", "Images", "Render")
_EXAMPLE = "for example: framekeep config policy LLM.OpenAI"


@dataclass(frozen=True)
class _Asked:
    """What the user named."""

    kind: str
    operation: str
    provider: str


def show_policy(common: Common, name: str) -> int:
    """Show the policy of one provider of one kind of work."""
    from pipeline.resilience.policy import policy_for

    loaded = common.load()
    asked = _asked(name)
    policy = policy_for(loaded.settings, asked.operation, asked.provider)
    rows = list(_rows(loaded, asked, policy))
    chain = _chain(loaded.settings, asked)
    circuit, rest = _state(common, policy.name, asked.provider)
    if common.json:
        console.out_json(_document(asked, policy, rows, chain, circuit, rest))
        return ExitCode.DONE
    console.out(f"{policy.name}: {_place(chain, asked)}")
    for line in _state_lines(circuit, rest):
        console.out(line)
    console.out_table(
        ("RULE", "VALUE", "UNIT", "SOURCE"), [(r.name, value_text(r.value), r.unit, r.source) for r in rows]
    )
    if not policy.fallback:
        console.out("No other provider is asked: fallback is off")
    console.out(f"Pauses before further calls: {_delays(policy)}")
    return ExitCode.DONE


def _asked(name: str) -> _Asked:
    kind, _, provider = name.partition(".")
    operation = _OPERATIONS.get(squashed(kind))
    if operation is None:
        near = difflib.get_close_matches(kind.lower(), _OPERATIONS, n=1)
        advice = f"did you mean {_spelled(near[0])}?" if near else f"known: {', '.join(_KINDS)};"
        raise UsageError(f"There is no kind of work '{kind}'", hint=f"{advice} {_EXAMPLE}")
    kind = _spelled(squashed(kind))
    names = _names(kind)
    if not provider:
        raise UsageError(f"'{name}' names no provider", hint=f"known for {kind}: {', '.join(names)}; {_EXAMPLE}")
    exact = {squashed(one): one for one in names}.get(squashed(provider))
    if exact is None:
        raise UsageError(f"There is no provider '{provider}' for {kind}", hint=f"known: {', '.join(names)}")
    return _Asked(kind, operation, exact)


def _spelled(kind: str) -> str:
    return next(known for known in _KINDS if known.lower() == kind)


def _names(kind: str) -> tuple[str, ...]:
    from stages.images import picture_registry as painters
    from stages.script import writer_registry as writers
    from stages.speech import voice_registry as speakers

    if kind == "Render":
        return tuple(name for name in get_args(EncoderName) if codec_of(name))
    return {"LLM": writers.NAMES, "TTS": speakers.NAMES, "Images": painters.NAMES}[kind]


def _rows(loaded: Loaded, asked: _Asked, policy: Policy) -> Iterator[SettingRow]:
    """Every rule under the name that it has in settings, with who set it."""
    providers: SettingPath = ("providers", _field(asked.provider))
    own = loaded.settings.providers.policy_of(asked.provider)
    yield from _block(loaded, policy.breaker, ("resilience", "circuit_breaker"), own.circuit_breaker, providers)
    retry = _block(loaded, policy.retry, ("resilience", "retry"), own.retry, providers)
    # What is tried again of this machine's own work no list says.
    yield from (row for row in retry if asked.kind != "Render" or not row.name.endswith("Errors"))
    if asked.kind == "Render":
        yield SettingRow("Timeouts", "none: the encoder's stall time and the job's time bound it", "", "default")
    else:
        for name in ("request", "operation"):
            field = f"{name}_timeout_ms"
            path = ("timeouts", f"{name}_ms") if getattr(own, field) is None else (*providers, field)
            value = getattr(policy, f"{name}_timeout_s") * 1000
            yield _row(loaded, path, value)
    if providers[1]:
        for name in type(policy.rate_limit).model_fields:
            yield _row(loaded, (*providers, "rate_limit", name), getattr(policy.rate_limit, name))
    if asked.kind != "Render":
        chain: SettingPath = ("providers", asked.kind.lower())
        yield _row(loaded, ("resilience", "fallback", "enabled"), loaded.settings.resilience.fallback.enabled)
        yield _row(loaded, (*chain, "fallback_enabled"), getattr(loaded.settings.providers, chain[1]).fallback_enabled)
        triggers = getattr(loaded.settings.providers, chain[1]).fallback_triggers
        yield _row(loaded, (*chain, "fallback_triggers"), list(triggers))


def _block(
    loaded: Loaded, merged: Section, usual: SettingPath, own: Section, providers: SettingPath
) -> Iterator[SettingRow]:
    """One block of rules; what is given for the provider alone stands under the provider's name."""
    for name in type(merged).model_fields:
        path = (*usual, name)
        if getattr(own, name, None) is not None:
            path = (*providers, usual[-1], name)
        value = getattr(merged, name)
        if isinstance(value, Section):
            yield from (_row(loaded, (*path, inner), getattr(value, inner)) for inner in type(value).model_fields)
        else:
            yield _row(loaded, path, value)


def _row(loaded: Loaded, path: SettingPath, value: Any) -> SettingRow:
    from config.loader import guide_path

    origins = (loaded.origins[path[:end]] for end in range(len(path), 0, -1) if path[:end] in loaded.origins)
    return SettingRow(
        guide_path(path),
        list(value) if isinstance(value, tuple) else value,
        unit_of(path[-1]),
        next(origins, "default"),
    )


def _field(provider: str) -> str:
    """The attribute of a provider's block of settings; empty where it has none."""
    from config.providers import ProviderPolicy, Providers

    for name, info in Providers.model_fields.items():
        kind = info.annotation
        if squashed(name) == squashed(provider) and isinstance(kind, type) and issubclass(kind, ProviderPolicy):
            return name
    return ""


def _chain(settings: Settings, asked: _Asked) -> tuple[str, ...]:
    """Who is asked, in order, where a brief says nothing else."""
    from pipeline.resilience.policy import chain_of

    chain = chain_of(settings, asked.operation)
    if chain is None:
        return (asked.provider,)
    names = chain.names()
    if asked.kind == "LLM" and (not names or chain.fallback_enabled):
        names = tuple(dict.fromkeys((*names, "outline")))
    return names


def _place(chain: tuple[str, ...], asked: _Asked) -> str:
    names = [squashed(name) for name in chain]
    if asked.kind == "Render":
        return "encoders have no chain: a whole export changes to another one"
    if not chain:
        return "its chain is empty: who fits the brief's language is asked"
    shown = " → ".join(chain)
    if squashed(asked.provider) not in names:
        return f"not in the chain ({shown})"
    return f"number {names.index(squashed(asked.provider)) + 1} of the chain ({shown})"


def _delays(policy: Policy) -> str:
    text = ", ".join(f"{delay:g} s" for delay in policy.delays_s())
    return (f"{text}, each varied by a quarter" if policy.retry.jitter and text else text) or "none"


def _state(common: Common, circuit: str, provider: str) -> tuple[CircuitRow | None, RestRow | None]:
    """What the ledger says of it now. A home that nothing was done in is not made by asking."""
    from checkpoints.ledger.circuits import Circuits
    from checkpoints.ledger.cooldowns import RestRows
    from checkpoints.ownership.clocks import Timeline
    from pipeline.home import Home
    from pipeline.resilience.cooldowns import Rests

    home, now = Home(common.home), Timeline().now()
    if not has_ledger(home):
        return None, None
    _ = home.ledger
    circuits, rests = Circuits(home.ledger_file), Rests(RestRows(home.ledger_file))
    try:
        row = next((row for row in circuits.all(now) if row.name == circuit), None)
        return row, next((rest for rest in rests.all() if rest.provider == provider), None)
    finally:
        circuits.close()
        rests.close()
        home.close()


def _state_lines(circuit: CircuitRow | None, rest: RestRow | None) -> Iterator[str]:
    from checkpoints.ownership.clocks import Timeline
    from pipeline.resilience.breakers.registry import state_name
    from pipeline.resilience.cooldowns import until

    now = Timeline().now()
    if circuit:
        yield f"Circuit: {state_name(circuit, now)}"
    if rest:
        yield f"Not asked {until(rest, now)}: {rest.message}"


def _document(
    asked: _Asked,
    policy: Policy,
    rows: list[SettingRow],
    chain: tuple[str, ...],
    circuit: CircuitRow | None,
    rest: RestRow | None,
) -> dict[str, Any]:
    from checkpoints.ownership.clocks import Timeline
    from pipeline.resilience.breakers.registry import described
    from pipeline.resilience.cooldowns import described as described_rest

    now = Timeline().now()
    return {
        "name": policy.name,
        "kind": asked.kind,
        "provider": asked.provider,
        "chain": list(chain),
        "position": next((at for at, name in enumerate(chain, 1) if squashed(name) == squashed(asked.provider)), None),
        "delays_s": list(policy.delays_s()),
        "request_timeout_s": policy.request_timeout_s,
        "operation_timeout_s": policy.operation_timeout_s,
        "fallback": policy.fallback,
        "triggers": sorted(policy.triggers),
        "rules": [vars(row) for row in rows],
        "circuit": described(circuit, now) if circuit else None,
        "rest": described_rest(rest, now) if rest else None,
    }
