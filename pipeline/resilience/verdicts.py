"""What the end of a call says about its provider's health."""

from __future__ import annotations

from enum import Enum

from config.errors import ProviderError, TimedOutError
from config.kinds import ErrorKind


class Verdict(Enum):
    """`ANSWERED` is a refusal of the request: the provider is up, but that is no proof that it can do its work."""

    SUCCESS = "success"
    ANSWERED = "answered"
    NEUTRAL = "neutral"
    FAILURE = "failure"


_VERDICTS: dict[ErrorKind, Verdict] = {
    "TransientNetworkFailure": Verdict.FAILURE,
    "Timeout": Verdict.FAILURE,
    "ServiceUnavailable": Verdict.FAILURE,
    "RateLimitExceeded": Verdict.FAILURE,
    "InvalidInput": Verdict.ANSWERED,
    "ContentRefused": Verdict.ANSWERED,
    "InvalidApiKey": Verdict.NEUTRAL,
    "QuotaExceeded": Verdict.NEUTRAL,
    "NotSupported": Verdict.NEUTRAL,
    "CircuitOpen": Verdict.NEUTRAL,
}


def verdict_on(error: BaseException, *, has_request_limit: bool = True) -> Verdict:
    """A failure speaks against the provider. Whatever is not its doing is neutral: a stop, a full disk, a fault of ours."""
    if not isinstance(error, ProviderError):
        return Verdict.NEUTRAL
    if error.kind == "RateLimitExceeded" and error.retry_after_s is not None:
        # It told when to come back, and rests until then.
        return Verdict.NEUTRAL
    if isinstance(error, TimedOutError) and error.limit != "request" and has_request_limit:
        # What was left of a longer time ran out: the provider did not have the time that a request is given.
        return Verdict.NEUTRAL
    return _VERDICTS.get(error.kind, Verdict.NEUTRAL)
