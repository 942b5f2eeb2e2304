"""Looks after the services and ffmpeg while a run goes on, off the path of its calls, and does what settings say about it.

Every `HealthChecks.Interval` each service that the job may ask is sent one request that costs nothing, and ffmpeg encodes a few
small frames. A run that is over before the first interval pays for one sleeping thread. One that rests is not asked: it said
when to come back.

| state     | what was found                                                          |
|-----------|-------------------------------------------------------------------------|
| Healthy   | it answers                                                              |
| Degraded  | it is there, but is left alone for a while: circuit open, 429           |
| Unhealthy | no connection, no answer in time, key not taken, quota spent, 5xx       |

A client is made anew for each call, so there is no process of a service's to restart: with `RestartOnUnhealthy` a provider is made
again with its key as it is found now, and a break of its circuits ends, so that the next call tests it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.errors import CancelledError, FramekeepError, ProviderError
from config.kinds import ErrorKind
from pipeline.health.findings import CONNECT_S, Health, health_after, health_at_rest, switched_off
from pipeline.resilience.cooldowns import until
from pipeline.resilience.demotions import Ailment
from stages.base import CancelToken

if TYPE_CHECKING:
    from config.health import RecoveryActions
    from pipeline.observability.alerts import AlertKind
    from pipeline.observability.telemetry import Telemetry
    from pipeline.planning.toolbox import Toolbox
    from pipeline.resilience.guard import Guard

_LOG = logging.getLogger("framekeep.resilience")
# What cannot be interrupted is left behind: the thread is a daemon, and tells nothing more.
_GOODBYE_S = 1.0

FFMPEG = "ffmpeg"
_ALERT_KINDS: dict[Health, AlertKind] = {"Healthy": "success", "Degraded": "warning", "Unhealthy": "failure"}


@dataclass(frozen=True)
class _Found:
    state: Health
    message: str = ""
    hint: str = ""
    ailment: Ailment | None = None


class HealthWatch:
    """One for a run. `wait` sleeps for so many seconds, and says whether the run has ended."""

    def __init__(
        self, guard: Guard, toolbox: Toolbox, telemetry: Telemetry, wait: Callable[[float], bool] | None = None
    ) -> None:
        self._guard, self._toolbox, self._telemetry = guard, toolbox, telemetry
        self._checks = guard.settings.health_checks
        self._cancel = CancelToken()
        self._wait = wait or self._cancel.wait
        self._states: dict[str, Health] = {}
        self._thread = threading.Thread(target=self.watch, name="framekeep-health", daemon=True)

    def start(self) -> None:
        """Look at every interval from now on, if there is anything to look at."""
        if not (switched_off(self._checks, "Providers") and switched_off(self._checks, "FFmpeg")):
            self._thread.start()

    def stop(self) -> None:
        """Look no more, at once; who was passed over has its place again."""
        self._cancel.cancel("the run has ended")
        if self._thread.is_alive():
            self._thread.join(_GOODBYE_S)
        for name in self._states:
            self._guard.restraints.ailments.end(name)

    def watch(self) -> None:
        """Look at every interval until the run has ended."""
        while not self._wait(self._checks.interval_ms / 1000):
            try:
                self.look()
            except Exception:  # noqa: BLE001 - whatever is wrong with looking, the run goes on
                _LOG.exception("the health checks failed")

    def look(self) -> None:
        """Look at each of them once, and tell and do what follows from it."""
        subjects: dict[str, Callable[[], _Found]] = {}
        if not switched_off(self._checks, "Providers"):
            for provider in self._toolbox.services():
                subjects[provider.name] = lambda provider=provider: self._of_provider(  # type: ignore[misc]
                    provider.name, lambda: provider.connect(self._cancel, CONNECT_S)
                )
        if not switched_off(self._checks, "FFmpeg"):
            subjects[FFMPEG] = self._of_ffmpeg
        for name, examine in subjects.items():
            try:
                found = examine()
            except CancelledError:
                return
            if self._cancel.cancelled:
                return
            self._take(name, found)

    # Looking

    def _of_provider(self, name: str, connect: Callable[[], None]) -> _Found:
        rests = self._guard.restraints.rests
        if row := rests.standing(name, lambda: self._guard.account(name)):
            refused, message = rests.refused(row), f"it rests {until(row, rests.now())}: {row.message}"
            return _found(health_at_rest(row.kind), refused.kind, message, refused.hint)
        if self._checks.providers.test_connection:
            found = _tried(connect)
            if found.state != "Healthy":
                return found
        open_ones = [
            circuit
            for circuit, state in self._guard.breakers.states().items()
            if state != "closed" and circuit.rpartition("-")[0] == name
        ]
        if open_ones:
            return _Found("Degraded", f"its circuit is not closed: {', '.join(open_ones)}", "framekeep breakers")
        return _Found("Healthy")

    def _of_ffmpeg(self) -> _Found:
        from pipeline.health import tool_checks

        if self._checks.ffmpeg.test_execution:
            return _tried(lambda: tool_checks.try_ffmpeg(self._cancel))
        return _tried(lambda: tool_checks.ask_ffmpeg())

    # What follows

    def _take(self, name: str, found: _Found) -> None:
        old = self._states.get(name, "Healthy")
        self._states[name] = found.state
        recovery = self._checks.automatic_recovery
        wanted = recovery.actions if recovery.enabled else None
        actions = self._act(name, found, wanted) if wanted else []
        if found.state == old:
            return
        if wanted and wanted.notify_user:
            actions.append("NotifyUser")
            body = found.message or "it is healthy again"
            self._telemetry.alert(f"{name}: {found.state}", body, _ALERT_KINDS[found.state])
        if wanted and wanted.log_errors:
            actions.append("LogErrors")
        told = {"name": name, "old": old, "new": found.state, "message": found.message, "hint": found.hint}
        self._telemetry.note("health", {**told, "at": round(time.time(), 3), "actions": actions})

    def _act(self, name: str, found: _Found, wanted: RecoveryActions) -> list[str]:
        """What is done about a provider each time it is looked at: others first, a fresh start."""
        if name == FFMPEG:
            return []
        done: list[str] = []
        ailments = self._guard.restraints.ailments
        if found.ailment is None:
            done += ["SwitchProvider"] if ailments.end(name) else []
            return done
        if wanted.switch_provider:
            ailments.begin(name, found.ailment)
            done.append("SwitchProvider")
        if wanted.restart_on_unhealthy:
            self._toolbox.renew()
            self._guard.forget_accounts()
            self._guard.breakers.end_breaks(name)
            done.append("RestartOnUnhealthy")
        return done


def _tried(test: Callable[[], object]) -> _Found:
    try:
        test()
    except CancelledError:
        raise
    except FramekeepError as error:
        kind: ErrorKind = error.kind if isinstance(error, ProviderError) else "ServiceUnavailable"
        return _found(health_after(error), kind, error.message, error.hint)
    return _Found("Healthy")


def _found(state: Health, kind: ErrorKind, message: str, hint: str) -> _Found:
    return _Found(state, message, hint, Ailment(kind, message) if state == "Unhealthy" else None)
