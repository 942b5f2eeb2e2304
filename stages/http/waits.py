"""How long a service asks to be left alone: `Retry-After` in seconds or as a date, headers of some services, or words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_WAIT_S = 86_400.0
_NUMBER = re.compile(r"^\s*\d+(?:\.\d+)?\s*$")
_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_PIECE = re.compile(
    r"(\d+(?:\.\d+)?)\s*(ms|milliseconds?|s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:ours?)?|d(?:ays?)?)(?![a-z])"
)
_IN_WORDS = re.compile(r"(?:try again|retry)\s+(?:in|after)\s+((?:\d+(?:\.\d+)?\s*[a-z]+\s*)+)", re.IGNORECASE)
# What is left of a limit, and when it is full again: in OpenAI's form and in Anthropic's.
_LIMITS = (
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
    ("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"),
)


def wait_s(headers: Mapping[str, str], said: str = "", now: datetime | None = None) -> float | None:
    """Seconds to wait, between 0 and a day; None where nothing that can be read is said.

    Dates are compared with the answer's own `Date`, so that a clock of ours that is wrong does no harm, else with `now`.
    """
    headers = {name.lower(): value for name, value in headers.items()}
    at = _date(headers.get("date", "")) or now or datetime.now(UTC)
    if (milliseconds := _number(headers.get("retry-after-ms", ""))) is not None:
        return _bounded(milliseconds / 1000)
    asked_s = _wait_in(headers.get("retry-after", ""), at)
    if asked_s is not None:
        return _bounded(asked_s)
    resets = [
        reset_s
        for left, reset in _LIMITS
        if _number(headers.get(left, "")) == 0 and (reset_s := _wait_in(headers.get(reset, ""), at)) is not None
    ]
    if resets:
        return _bounded(max(resets))
    words = _IN_WORDS.search(said)
    told_s = _duration(words[1]) if words else None
    return None if told_s is None else _bounded(told_s)


def _wait_in(text: str, at: datetime) -> float | None:
    """Seconds from a number, a duration such as `6m0s`, or a date."""
    if (seconds := _number(text)) is not None:
        return seconds
    if (seconds := _duration(text)) is not None:
        return seconds
    moment = _date(text)
    return None if moment is None else (moment - at).total_seconds()


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.match(text) else None


def _duration(text: str) -> float | None:
    """`20ms`, `6m0s`, `1.5 seconds`: None for anything that is more than that."""
    pieces = _PIECE.findall(text.lower())
    if not pieces or _PIECE.sub("", text.lower()).strip(" ,."):
        return None
    return sum(float(count) * _UNITS_S["ms" if unit.startswith(("ms", "mil")) else unit[0]] for count, unit in pieces)


def _date(text: str) -> datetime | None:
    """An HTTP date, in any of its three forms, or one of ISO 8601."""
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = read(text.strip())
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


def _bounded(seconds: float) -> float:
    return min(max(0.0, seconds), LONGEST_WAIT_S)
