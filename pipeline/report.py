"""What a run returns: the typed result that `--json` prints and Python callers get."""

from __future__ import annotations

import datetime
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from config.errors import BriefError, CancelledError, FramekeepError, ProviderError, SettingsError, UsageError
from config.exit_codes import ExitCode
from config.redaction import redact
from stages.models import Degradation, Model

if TYPE_CHECKING:
    from checkpoints.ledger.purchases import Purchase

Status = Literal["done", "degraded", "failed", "parked", "interrupted"]

EXIT_CODES: dict[Status, ExitCode] = {
    "done": ExitCode.DONE,
    "failed": ExitCode.FAILED,
    "degraded": ExitCode.DEGRADED,
    "parked": ExitCode.PARKED,
    "interrupted": ExitCode.INTERRUPTED,
}


# Found out only during the run: a clip that breaks off, a picture that was taken away.
_INPUT_CODES = frozenset(kind.code for kind in (UsageError, BriefError, SettingsError))

_LOG = logging.getLogger("framekeep")


class Output(Model):
    """One finished video. `sidecars` maps endings (`srt`, `vtt`, `chapters.txt`, `poster.jpg`) to files beside it."""

    export: str
    path: Path
    width: int
    height: int
    fps: int
    frames: int
    duration_s: float
    quality: str
    sha256: str
    sidecars: dict[str, Path] = {}


class StepCount(Model):
    """How many steps of the plan were executed, and how many verified results were reused."""

    executed: int = 0
    reused: int = 0


class AttemptCount(Model):
    """Provider calls of this run. `by_provider` counts them under `operation:provider`.

    `retries` are those that asked a provider once more, `failed_retries` those of them that failed.
    """

    total: int = 0
    failed: int = 0
    retries: int = 0
    failed_retries: int = 0
    by_provider: dict[str, int] = {}


class ErrorReport(Model):
    """Why a run did not finish, and what to type next.

    Of a provider that tells when to come back: in how many seconds, and the time of day that this is (UTC).
    """

    code: str
    message: str
    hint: str = ""
    retry_after_s: float | None = None
    resume_after: str | None = None


class PossibleCharge(Model):
    """Paid calls whose end nobody knows: the run was killed or stopped during them, or no answer came in time.

    `request_id` is what the provider was told, so that its bill can be asked about; `calls` were made under it, the first at
    `begun_at` (Unix seconds).
    """

    provider: str
    step: str
    scene: int
    request_id: str
    begun_at: float
    calls: int = 1


class Result(Model):
    """A run's outcome. `exit_code` is what the command line returns for it.

    `warnings` name what is in the brief and not in the film, and what came up during the run.
    """

    job_id: str
    status: Status
    outputs: tuple[Output, ...] = ()
    degradations: tuple[Degradation, ...] = ()
    warnings: tuple[str, ...] = ()
    possibly_charged: tuple[PossibleCharge, ...] = ()
    steps: StepCount = StepCount()
    attempts: AttemptCount = AttemptCount()
    elapsed_s: float = 0.0
    error: ErrorReport | None = None

    @property
    def exit_code(self) -> int:
        if self.status == "failed" and self.error and self.error.code in _INPUT_CODES:
            return UsageError.exit_code
        return EXIT_CODES[self.status]

    @property
    def ok(self) -> bool:
        """Whether there are finished videos, degraded ones included."""
        return self.status in ("done", "degraded")

    def as_json(self) -> dict[str, Any]:
        """The document that `--json` prints; `error` is left out where there is none."""
        document = self.model_dump(mode="json")
        if self.error is None:
            del document["error"]
        else:
            document["error"] = {name: value for name, value in document["error"].items() if value is not None}
        return document


def possible_charges(purchases: Iterable[Purchase], *, running: bool) -> tuple[PossibleCharge, ...]:
    """Those of a job's paid calls that may have been charged for nothing. What a running job has begun, it may still end."""
    uncertain = [one for one in purchases if one.is_uncertain or (one.state == "begun" and not running)]
    calls = Counter(one.request for one in uncertain)
    # The latest first, so that the first is what stays.
    first = {one.request: one for one in reversed(uncertain)}
    return tuple(
        PossibleCharge(
            provider=one.provider,
            step=one.step_id,
            scene=one.scene,
            request_id=one.request,
            begun_at=one.begun_at,
            calls=calls[one.request],
        )
        for one in sorted(first.values(), key=lambda one: one.id)
    )


def error_report(error: FramekeepError) -> ErrorReport:
    """An error as reports show it."""
    wait_s = error.retry_after_s if isinstance(error, ProviderError) and status_of(error) == "parked" else None
    if wait_s is None:
        return ErrorReport.model_validate(error.as_dict())
    at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=wait_s + 0.999)
    return ErrorReport(
        **error.as_dict(), retry_after_s=round(wait_s, 1), resume_after=at.strftime("%Y-%m-%dT%H:%M:%SZ")
    )


def status_of(error: FramekeepError) -> Status:
    """The state that an error leaves a job in."""
    by_code: dict[int, Status] = {ExitCode.PARKED: "parked", ExitCode.INTERRUPTED: "interrupted"}
    return by_code.get(error.exit_code, "failed")


def result_of(error: Exception, job_id: str = "") -> Result:
    """The result of one of several jobs that an error ended before it had one. A fault of ours goes to the log as well."""
    if isinstance(error, FramekeepError):
        return Result(job_id=job_id or error.job_id, status=status_of(error), error=error_report(error))
    _LOG.error("a job ended with a fault", exc_info=error)
    message = redact(f"This is a fault in Framekeep: {error!r}")
    report = ErrorReport(code="INTERNAL", message=message, hint="framekeep doctor")
    return Result(job_id=job_id, status="failed", error=report)


class AttemptCounter:
    """Counts the attempts that pass on the event bus."""

    def __init__(self) -> None:
        self._calls: Counter[str] = Counter()
        self._failed = self._retries = self._failed_retries = 0

    def note(self, attempt: Mapping[str, Any]) -> None:
        """Count what an `attempt` event tells; a call that was refused before it was made is none."""
        if attempt["outcome"] == "refused":
            return
        self._calls[f"{attempt['operation']}:{attempt['provider']}"] += 1
        is_failed, is_retry = attempt["outcome"] != "ok", attempt["number"] > 1
        self._failed += is_failed
        # One that was stopped has neither succeeded nor failed.
        if is_retry and attempt["code"] != CancelledError.code:
            self._retries += 1
            self._failed_retries += is_failed

    def count(self) -> AttemptCount:
        """The sums so far."""
        return AttemptCount(
            total=self._calls.total(),
            failed=self._failed,
            retries=self._retries,
            failed_retries=self._failed_retries,
            by_provider=dict(sorted(self._calls.items())),
        )
