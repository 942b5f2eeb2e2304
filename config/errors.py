"""Every error that Framekeep raises on purpose, and its tree.

    FramekeepError
    ├── UsageError              wrong use or bad input                              exit 2
    │   ├── BriefError          a brief cannot be read; lists every problem
    │   └── SettingsError       settings cannot be read; lists every problem
    ├── ResourceError           memory, disk or time ran short                      exit 75
    │   ├── DiskFullError
    │   ├── OutOfMemoryError
    │   └── OutOfTimeError      the job's own limit; it goes on from here
    ├── BusyError               somebody else owns the job                          exit 75
    ├── StoreError              the store or the ledger cannot be used              exit 1
    ├── CheckFailedError        a produced file is not what was planned             exit 1
    │   └── DamagedSegmentError a part of it is to blame, and can be made again
    ├── CancelledError          the run was told to stop                            exit 130
    ├── SupersededError         a newer edition of its brief makes the same videos  exit 130
    └── ProviderError           a provider could not do its work                    exit 1
        ├── TransientError      worth another try (network, 5xx, truncated body)
        │   ├── TimedOutError
        │   └── RateLimitedError
        ├── RejectedError       this request will never work (400, 422, refused content)
        ├── UnavailableError    this provider cannot work now (key, language, not installed)
        │   └── QuotaError      its account's quota or credit is used up            exit 75
        ├── CircuitOpenError    not asked at all: its circuit is open               exit 75
        ├── RestingError        not asked at all: it said when to come back         exit 75
        └── RetryExhaustedError every attempt failed; later ones may not            exit 75
            └── RenderExhaustedError  as that, but of work on this machine          exit 1

Each carries a `code` for programs, a `message` saying what happened to what, and a `hint`: the next thing to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from config.exit_codes import ExitCode
from config.kinds import ErrorKind
from config.redaction import redact


class FramekeepError(Exception):
    """Root of the tree. `code` is stable; `message` and `hint` are for people. `job_id` is the job's that could not begin.

    What services, libraries and settings say stands in messages, so each is freed of secrets when the error is made.
    """

    code: ClassVar[str] = "ERROR"
    exit_code: ClassVar[ExitCode] = ExitCode.FAILED

    def __init__(self, message: str, *, hint: str = "") -> None:
        self.message, self.hint = redact(message), redact(hint)
        super().__init__(self.message)
        self.job_id = ""

    def __str__(self) -> str:
        """The message as it stands now: callers up the stack may have added to it."""
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors cross process borders, so keyword fields must survive pickling."""
        return (_rebuild, (type(self), self.__dict__.copy(), self.args))

    def as_dict(self) -> dict[str, str]:
        """`{"code", "message", "hint"}` as the JSON report shows it."""
        return {"code": self.code, "message": self.message, "hint": self.hint}


def _rebuild(cls: type[FramekeepError], state: dict[str, Any], args: tuple[Any, ...]) -> FramekeepError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class UsageError(FramekeepError):
    code = "BAD_INPUT"
    exit_code = ExitCode.USAGE


class _ProblemsError(UsageError):
    """Carries all problems found, each as `where: what`."""

    def __init__(self, message: str, *, problems: Sequence[str] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(redact(problem) for problem in problems)


class BriefError(_ProblemsError):
    code = "BAD_BRIEF"


class SettingsError(_ProblemsError):
    code = "BAD_SETTINGS"


class ResourceError(FramekeepError):
    code = "RESOURCE_SHORT"
    exit_code = ExitCode.PARKED


class DiskFullError(ResourceError):
    code = "DISK_FULL"


class OutOfMemoryError(ResourceError):
    code = "OUT_OF_MEMORY"


class OutOfTimeError(ResourceError):
    code = "JOB_TIMEOUT"


class BusyError(FramekeepError):
    code = "JOB_BUSY"
    exit_code = ExitCode.PARKED


class StoreError(FramekeepError):
    code = "STORE_UNUSABLE"


class CheckFailedError(FramekeepError):
    """`problems` are the findings one by one, where there are several."""

    code = "CHECK_FAILED"

    def __init__(self, message: str, *, problems: Sequence[str] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(redact(problem) for problem in problems)


class DamagedSegmentError(CheckFailedError):
    """`digests` name the artifacts that are damaged, or do not fit the others."""

    code = "SEGMENT_DAMAGED"

    def __init__(
        self, message: str, *, digests: Sequence[str] = (), problems: Sequence[str] = (), hint: str = ""
    ) -> None:
        super().__init__(message, problems=problems, hint=hint)
        self.digests = tuple(digests)


class CancelledError(FramekeepError):
    code = "INTERRUPTED"
    exit_code = ExitCode.INTERRUPTED


class SupersededError(FramekeepError):
    code = "SUPERSEDED"
    exit_code = ExitCode.INTERRUPTED


class ProviderError(FramekeepError):
    """`provider` names who failed; `retry_after_s` is set when the provider said when to come back.

    `kind` is the guide's name of what is wrong: settings decide by it whether to ask again, and whether to ask somebody else.
    `is_simulated` marks a failure on purpose: nobody but this process heeds what follows from it.
    """

    code = "PROVIDER_FAILED"
    usual_kind: ClassVar[ErrorKind] = "ServiceUnavailable"

    def __init__(
        self,
        message: str,
        *,
        provider: str = "",
        hint: str = "",
        retry_after_s: float | None = None,
        kind: ErrorKind | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.provider = provider
        self.retry_after_s = retry_after_s
        self.kind: ErrorKind = kind or self.usual_kind
        self.is_simulated = False


class TransientError(ProviderError):
    code = "PROVIDER_TRANSIENT"
    usual_kind: ClassVar[ErrorKind] = "TransientNetworkFailure"


class TimedOutError(TransientError):
    """`limit` names the time that ran out: `request`, or `operation` where less was left than a request is given."""

    code = "TIMEOUT"
    usual_kind: ClassVar[ErrorKind] = "Timeout"
    limit: Literal["request", "operation"] = "request"


class RateLimitedError(TransientError):
    code = "RATE_LIMITED"
    usual_kind: ClassVar[ErrorKind] = "RateLimitExceeded"


class RejectedError(ProviderError):
    code = "REQUEST_REJECTED"
    usual_kind: ClassVar[ErrorKind] = "InvalidInput"


class UnavailableError(ProviderError):
    code = "PROVIDER_UNAVAILABLE"
    usual_kind: ClassVar[ErrorKind] = "NotSupported"


class QuotaError(UnavailableError):
    code = "QUOTA_EXCEEDED"
    exit_code = ExitCode.PARKED
    usual_kind: ClassVar[ErrorKind] = "QuotaExceeded"


class RestingError(ProviderError):
    """`kind` is that of the answer after which it rests."""

    code = "PROVIDER_RESTS"
    exit_code = ExitCode.PARKED
    usual_kind: ClassVar[ErrorKind] = "RateLimitExceeded"


class CircuitOpenError(ProviderError):
    """`is_tested`: not refused for a break, but because another call tests the provider right now."""

    code = "CIRCUIT_OPEN"
    is_tested = False
    exit_code = ExitCode.PARKED
    usual_kind: ClassVar[ErrorKind] = "CircuitOpen"


class RetryExhaustedError(ProviderError):
    """`attempts` is the history: one `"provider: code: message"` for each call that was made."""

    code = "RETRY_EXHAUSTED"
    exit_code = ExitCode.PARKED

    def __init__(
        self,
        message: str,
        *,
        provider: str = "",
        hint: str = "",
        retry_after_s: float | None = None,
        attempts: Sequence[str] = (),
        kind: ErrorKind | None = None,
    ) -> None:
        super().__init__(message, provider=provider, hint=hint, retry_after_s=retry_after_s, kind=kind)
        self.attempts = tuple(attempts)


class RenderExhaustedError(RetryExhaustedError):
    """Waiting does not mend an encoder that fails on this machine every time."""

    exit_code = ExitCode.FAILED
