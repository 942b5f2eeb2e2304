"""Whether providers and ffmpeg work: what `framekeep doctor` tries, what a run looks at again and again, and what it does then."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from config.section import Section


class ProviderChecks(Section):
    """Of the providers that settings or the brief name."""

    enabled: bool = True
    """Off: they are not checked at all."""
    test_connection: bool = True
    """Send each service one request that costs nothing; what works on this machine is loaded once, by `framekeep doctor`.
    Off: only whether all that it needs is set, its circuit and its rest."""


class FfmpegChecks(Section):
    """Of ffmpeg."""

    enabled: bool = True
    """Off: it is not checked at all."""
    test_execution: bool = True
    """Encode a few small frames. Off: only whether it starts and knows what a render needs."""


class RecoveryActions(Section):
    """What is done when the state of a provider or of ffmpeg changes while a run goes on."""

    restart_on_unhealthy: bool = False
    """Make an unhealthy provider anew, with its key read again, and let the next call test a circuit that is open."""
    switch_provider: bool = True
    """Ask an unhealthy provider after all others of its chain, until it is healthy again."""
    notify_user: bool = True
    """Say it on the terminal, and alert `Monitoring.AlertUrls`."""
    log_errors: bool = True
    """Write it to the log."""


class AutomaticRecovery(Section):
    """What a run does about what it finds."""

    enabled: bool = True
    """Off: changes of state are noted, and nothing is done about them."""
    actions: RecoveryActions = RecoveryActions()
    """What is done."""


class HealthChecks(Section):
    """Whether the providers and ffmpeg work: checked by `framekeep doctor`, and again and again while a run goes on."""

    enabled: bool = True
    """Off: neither is checked, by nobody."""
    interval_ms: Annotated[float, Field(ge=1000)] = 60_000
    """How often a run checks; the first time after this long."""
    providers: ProviderChecks = ProviderChecks()
    """Of the providers."""
    ffmpeg: Annotated[FfmpegChecks, Field(alias="FFmpeg")] = FfmpegChecks()
    """Of ffmpeg."""
    automatic_recovery: AutomaticRecovery = AutomaticRecovery()
    """What a run does about it."""
