"""What the end of a call says about its provider's health."""

from __future__ import annotations

from enum import Enum

from config.errors import ProviderError, TimedOutError
from config.kinds import ErrorKind


class CallVerdict(Enum):
    """`ANSWERED` is a refusal of the request: the provider is up, but that is no proof that it can do its work."""

    SUCCESS = "success"
    ANSWERED = "answered"
    NEUTRAL = "neutral"
    FAILURE = "failure"


_VERDICTS: dict[ErrorKind, CallVerdict] = {
    "TransientNetworkFailure": CallVerdict.FAILURE,
    "Timeout": CallVerdict.FAILURE,
    "ServiceUnavailable": CallVerdict.FAILURE,
    "RateLimitExceeded": CallVerdict.FAILURE,
    "InvalidInput": CallVerdict.ANSWERED,
    "ContentRefused": CallVerdict.ANSWERED,
    "InvalidApiKey": CallVerdict.NEUTRAL,
    "QuotaExceeded": CallVerdict.NEUTRAL,
    "NotSupported": CallVerdict.NEUTRAL,
    "CircuitOpen": CallVerdict.NEUTRAL,
}


def verdict_on(error: BaseException, *, has_request_limit: bool = True) -> CallVerdict:
    """A failure speaks against the provider. Whatever is not its doing is neutral: a stop, a full disk, a fault of ours."""
    if not isinstance(error, ProviderError):
        return CallVerdict.NEUTRAL
    if error.kind == "RateLimitExceeded" and error.retry_after_s is not None:
        # It told when to come back, and rests until then.
        return CallVerdict.NEUTRAL
    if isinstance(error, TimedOutError) and error.limit != "request" and has_request_limit:
        # What was left of a longer time ran out: the provider did not have the time that a request is given.
        return CallVerdict.NEUTRAL
    return _VERDICTS.get(error.kind, CallVerdict.NEUTRAL)
