"""What can be wrong with a provider's answer, in the guide's words: settings name errors by these."""

from __future__ import annotations

from typing import Literal, get_args

ErrorKind = Literal[
    "TransientNetworkFailure",
    "Timeout",
    "RateLimitExceeded",
    "ServiceUnavailable",
    "InvalidApiKey",
    "QuotaExceeded",
    "InvalidInput",
    "ContentRefused",
    "NotSupported",
    "CircuitOpen",
]

KINDS: tuple[ErrorKind, ...] = get_args(ErrorKind)
