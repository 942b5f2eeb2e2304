"""Healthy, degraded or unhealthy: what an error says of whoever it came from, and what a doctor's findings come to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

from config.errors import FramekeepError, ProviderError
from config.kinds import ErrorKind

if TYPE_CHECKING:
    from config.health import HealthChecks
    from pipeline.health.doctor import Finding

Health = Literal["Healthy", "Degraded", "Unhealthy"]

# How long a service may take to answer a connection test.
CONNECT_S = 10.0

_WORSE: tuple[Health, ...] = ("Healthy", "Degraded", "Unhealthy")
# It is there and answers, though not as one would like.
_PASSES: frozenset[ErrorKind] = frozenset({"RateLimitExceeded", "InvalidInput", "ContentRefused", "CircuitOpen"})
_OF_STATUS: dict[str, Health] = {"ok": "Healthy", "warn": "Degraded", "fail": "Unhealthy"}
# What the doctor calls otherwise.
_NAMES = {"ledger": "database"}


def health_after(error: FramekeepError) -> Health:
    """The state of whoever has answered a test with this error."""
    return "Degraded" if isinstance(error, ProviderError) and error.kind in _PASSES else "Unhealthy"


def health_at_rest(kind: str) -> Health:
    """The state of a provider that rests after an answer of this kind."""
    return "Degraded" if kind in _PASSES else "Unhealthy"


def switched_off(checks: HealthChecks, what: Literal["Providers", "FFmpeg"]) -> str:
    """The setting by which the checks of providers or of ffmpeg are off; empty where they are on."""
    if not checks.enabled:
        return "HealthChecks.Enabled"
    block = checks.providers if what == "Providers" else checks.ffmpeg
    return "" if block.enabled else f"HealthChecks.{what}.Enabled"


def health_document(findings: Iterable[Finding]) -> dict[str, Any]:
    """`status` of the whole and `checks` by name, each with the worst that was found of it.

    Whole is Unhealthy where something that every render needs does not work. A provider that answered its test well and is only
    left alone for a while does not count while another one of its stage is healthy: that one does the work.
    """
    checks: dict[str, Health] = {}
    by_stage: dict[str, dict[str, Health]] = defaultdict(dict)
    whole: Health = "Healthy"
    for finding in findings:
        if finding.status == "skip":
            continue
        name = finding.provider.lower() or _NAMES.get(finding.check, finding.check)
        state = finding.health or _OF_STATUS[finding.status]
        checks[name] = _worst(checks.get(name, "Healthy"), state)
        if not finding.provider:
            whole = _worst(whole, state)
        elif finding.check not in ("circuits", "rests"):
            by_stage[finding.check][name] = state
    for members in by_stage.values():
        states = [checks[name] for name in members]
        if "Unhealthy" in states or "Healthy" not in states or set(members.values()) != {"Healthy"}:
            whole = _worst(whole, "Degraded")
    return {"status": whole, "checks": checks}


def _worst(one: Health, other: Health) -> Health:
    return max(one, other, key=_WORSE.index)
