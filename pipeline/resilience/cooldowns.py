"""Who is left alone: a provider that said when to come back, whose quota is used up, or that does not take the key.

| answer                       | rests until                                                  |
|------------------------------|--------------------------------------------------------------|
| 429 that says when           | then                                                         |
| quota or credit used up, 402 | then, if it says when; else one call an hour looks after it  |
| key not taken, 401, 403      | somebody does something about it                             |

Another account in the settings (key, address, model) ends each of them at once, and so does `framekeep breakers --reset`. A rest
is a provider's, whatever it is asked for. It is in the ledger, so other processes and later runs heed it too; while the ledger
cannot be used it holds in this process, and so does one after a failure on purpose. It is on monotonic time: a clock that is set
neither ends nor prolongs it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

from checkpoints.ledger.cooldowns import RestRow, RestRows
from checkpoints.ownership.clocks import Moment, Timeline
from config.errors import FramekeepError, ProviderError, QuotaError, RestingError, UnavailableError
from config.kinds import KINDS, ErrorKind
from config.providers import Account, ProviderPolicy
from config.secret_keys import find_key
from config.settings import Settings

# Whoever tops up an account says so to nobody here.
QUOTA_REST_S = 3600.0

_log = logging.getLogger(__name__)


class Rests:
    """The rests that this process knows of. Safe to share between threads; nothing but `forget` raises for a broken ledger."""

    def __init__(self, rows: RestRows | None = None, timeline: Timeline | None = None) -> None:
        self._rows = rows
        self._timeline = timeline or Timeline()
        self._here: dict[str, RestRow] = {}
        self._lock = threading.Lock()
        self._last_warned = ""

    def close(self) -> None:
        """Let go of the ledger; the next call opens it again."""
        if self._rows:
            self._rows.close()

    def begin(self, provider: str, error: ProviderError, account: Callable[[], str]) -> RestRow | None:
        """Note the rest that an answer asks for, if it asks for one."""
        length_s = _length_s(error)
        if length_s == 0:
            return None
        in_use = account()
        if not in_use and not error.retry_after_s:
            # A provider on this machine has no account that could be mended.
            return None
        now = self._timeline.now()
        row = RestRow(
            provider=provider,
            kind=error.kind,
            message=error.message,
            account=_sealed(in_use),
            boot=now.boot,
            at=now.monotonic_s,
            at_wall=now.wall_s,
            length_s=length_s,
        )
        if error.is_simulated or not self._wrote(lambda rows: rows.put(row, now)):
            with self._lock:
                self._here[provider] = row
        return row

    def standing(self, provider: str, account: Callable[[], str]) -> RestRow | None:
        """The rest that keeps the provider from being asked now. One that is over, or of another account, is removed."""
        row = self._find(provider)
        if row is None:
            return None
        if self.left_s(row) != 0.0 and is_of(row, account()):
            return row
        with self._lock:
            if self._here.get(provider) == row:
                del self._here[provider]
        self._wrote(lambda rows: rows.end(row))
        return None

    def now(self) -> Moment:
        """This moment, as rests count time."""
        return self._timeline.now()

    def left_s(self, row: RestRow) -> float | None:
        """How much of a rest is left; None when no time ends it."""
        return row.left_s(self._timeline.now())

    def all(self) -> list[RestRow]:
        """Every rest that is not over; whether its account is still the settings' is not looked at."""
        with self._lock:
            rows = dict(self._here)
        if self._rows:
            try:
                rows = {row.provider: row for row in self._rows.all()} | rows
            except FramekeepError as failure:
                self._warn(failure)
        return [rows[name] for name in sorted(rows) if self.left_s(rows[name]) != 0.0]

    def forget(self, provider: str) -> bool:
        """Let a provider be asked again at once, in all processes; whether it rested. Raises StoreError."""
        with self._lock:
            here = self._here.pop(provider, None) is not None
        return (self._rows.forget(provider) if self._rows else False) or here

    def refused(self, row: RestRow) -> ProviderError:
        """The error of a call that is not made because of this rest.

        Its message is kept in reports and tells what was; only the hint tells what comes.
        """
        left_s = self.left_s(row)
        reset = f"framekeep breakers --reset {row.provider}"
        since = clock_time(row.at_wall)
        if left_s is None:
            return UnavailableError(
                f"{row.provider} rests since {since}: {row.message}",
                provider=row.provider,
                hint=f"correct its API key; or, if the key is right now: {reset}; then: framekeep resume",
                kind=_kind(row),
            )
        at = clock_time(self._timeline.now().wall_s + left_s + 0.999)
        if row.kind == "QuotaExceeded":
            return QuotaError(
                f"{row.provider} rests since {since}: {row.message}",
                provider=row.provider,
                hint=f"top up the account, then: {reset}; or wait until {at}, then: framekeep resume",
                retry_after_s=left_s,
            )
        return RestingError(
            f"{row.provider} rests since {since}: {row.message}",
            provider=row.provider,
            hint=f"wait until {at}, then: framekeep resume",
            retry_after_s=left_s,
            kind=_kind(row),
        )

    def _find(self, provider: str) -> RestRow | None:
        if here := self._here.get(provider):
            return here
        if self._rows is None:
            return None
        try:
            return self._rows.find(provider)
        except FramekeepError as failure:
            self._warn(failure)
            return None

    def _wrote(self, write: Callable[[RestRows], None]) -> bool:
        """Whether the ledger has it now."""
        if self._rows is None:
            return False
        try:
            write(self._rows)
        except FramekeepError as failure:
            self._warn(failure)
            return False
        return True

    def _warn(self, failure: FramekeepError) -> None:
        """Once for each reason: every call meets it."""
        if failure.message != self._last_warned:
            self._last_warned = failure.message
            _log.warning("%s", failure.message)


def _length_s(error: ProviderError) -> float | None:
    """How long an answer asks to be left alone: 0 not at all, None until somebody does something."""
    match error.kind:
        case "RateLimitExceeded":
            return error.retry_after_s or 0.0
        case "QuotaExceeded":
            return error.retry_after_s or QUOTA_REST_S
        case "InvalidApiKey":
            return error.retry_after_s or None
    return 0.0


def account_in_use(settings: Settings, provider: str) -> str:
    """All that tells one account of a provider from another, its key included: never to be shown or kept. Empty for local ones."""
    account = settings.providers.account_of(provider)
    if account is None:
        return ""
    try:
        key, _origin = find_key(provider, account, os.environ)
    except FramekeepError:
        key = None
    own = {name: getattr(account, name) for name in _own_fields(account)}
    return json.dumps({**own, "key": key.get_secret_value() if key else ""}, sort_keys=True, default=str)


def _own_fields(account: Account) -> list[str]:
    """What reaches the service: rules of ours, such as how often to retry, make no other account."""
    ours = {*ProviderPolicy.model_fields, "api_key", "api_key_file"}
    return [name for name in type(account).model_fields if name not in ours]


def _sealed(account: str) -> str:
    """An account as the ledger keeps it: enough to see that it has changed, salted, and no key can be had from it."""
    salt = secrets.token_hex(8)
    return f"{salt}:{_digest(salt, account)}"


def is_of(row: RestRow, account: str) -> bool:
    """Whether the row is about the account that is configured now: a new key ends the cooldown of the old one."""
    salt, _, digest = row.account.partition(":")
    return _digest(salt, account) == digest


def _digest(salt: str, account: str) -> str:
    return hashlib.sha256(f"{salt}{account}".encode()).hexdigest()[:32]


def _kind(row: RestRow) -> ErrorKind | None:
    return next((kind for kind in KINDS if kind == row.kind), None)


def until(row: RestRow, now: Moment) -> str:
    """Until when a rest lasts, as people read it."""
    left_s = row.left_s(now)
    if left_s is None:
        return "until its account in the settings changes"
    return f"until {clock_time(now.wall_s + left_s + 0.999)} (in {left_s:.0f} s)"


def described(row: RestRow, now: Moment) -> dict[str, Any]:
    """A rest as JSON shows it: times in UTC; `until` is None where no time ends it."""
    left_s = row.left_s(now)

    def wall(at: float) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))

    return {
        "provider": row.provider,
        "kind": row.kind,
        "message": row.message,
        "since": wall(row.at_wall),
        "until": None if left_s is None else wall(now.wall_s + left_s + 0.999),
    }


def clock_time(at: float) -> str:
    """A moment as people read it here; with the day where it is not today's."""
    then = time.localtime(at)
    return time.strftime("%H:%M:%S" if then[:3] == time.localtime()[:3] else "%Y-%m-%d %H:%M:%S", then)
