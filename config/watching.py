"""Looking after a run: alerts, logs, and failures on purpose."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, field_validator

from config.redaction import SECRETS
from config.secret_text import clean_address
from config.section import Section


class ResilienceMonitoring(Section):
    """What is counted, and what raises an alert."""

    enabled: bool = True
    """Off: nothing is counted and no alert is sent."""
    track_circuit_breaker_state: bool = True
    """Note each change of a circuit's state."""
    track_retry_attempts: bool = True
    """Note each attempt."""
    track_fallbacks: bool = True
    """Note each fallback, cached answer and degradation."""
    alert_on_circuit_open: bool = True
    """Alert when a circuit opens."""
    alert_on_retries_exhausted: bool = True
    """Alert when all attempts of an operation have failed."""


class Monitoring(Section):
    """Metrics and alerts."""

    resilience: ResilienceMonitoring = ResilienceMonitoring()
    """Of the guard."""
    alert_urls: tuple[SecretStr, ...] = ()
    """Where alerts go, as Apprise addresses (`mailto://…`, `slack://…`, `json://…`). They hold secrets."""

    @field_validator("alert_urls")
    @classmethod
    def _are_plain_addresses(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        # Each is looked at before one is refused: whatever is told of the others must not hold it.
        for url in value:
            SECRETS.learn_address(url.get_secret_value())
        return tuple(SecretStr(clean_address(url.get_secret_value())) for url in value)


FaultKind = Literal["error", "timeout", "slow", "truncated", "rate_limit", "quota", "disk_full", "killed_encoder"]
FaultStage = Literal["script", "speech", "images", "render"]

FAULT_KINDS: tuple[FaultKind, ...] = (
    "error",
    "timeout",
    "slow",
    "truncated",
    "rate_limit",
    "quota",
    "disk_full",
    "killed_encoder",
)


class Testing(Section):
    """Failures on purpose, to see what a run does about them. Only in the profile `development`, or with `Force`."""

    __test__ = False

    simulate_failures: bool = False
    """Let calls fail. Circuits and used-up retries of such a run, and rests after its failures, are its own and end with it."""
    failure_rate: Annotated[float, Field(ge=0, le=1)] = 0.1
    """The share of calls that fail."""
    seed: int = 0
    """Which calls fail, and how: the same seed, the same failures."""
    kinds: tuple[FaultKind, ...] = FAULT_KINDS
    """How calls fail; where a kind does not fit a stage, another one is taken."""
    stages: tuple[FaultStage, ...] = ("script", "speech", "images", "render")
    """Where calls fail."""
    spare_last_resort: bool = True
    """Leave alone what nothing comes after: the plainest stand-in, and an encoder's last try at the lowest level. Off: these
    fail as well, and runs may end failed or parked."""
    force: bool = False
    """Allow it outside the profile `development`."""

    @property
    def is_on(self) -> bool:
        """Whether any call may fail."""
        return self.simulate_failures and self.failure_rate > 0


def _level(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


LogLevelName = Annotated[
    Literal["trace", "debug", "information", "warning", "error", "critical", "none"], BeforeValidator(_level)
]


class Logging(Section):
    """What goes to the log."""

    log_level: dict[str, LogLevelName] = Field(default_factory=dict)
    """Level by area, as in `{"Framekeep.Resilience": "Debug"}`; `Default` is all of it."""
