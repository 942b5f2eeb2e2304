"""Paid calls: noted before they are made, and their answers kept before anything else may fail.

The order is: room for the answer → the intent, on the disk → the call → the answer's artifacts and record, in the store → the
ledger's row, which also closes the intent. An answer after which the same provider is asked again is kept in the row of its
intent, in one transaction with its end. What goes wrong in between:

- the intent cannot be noted, or there is no room: nothing is bought;
- a crash between intent and record: the next run reports the call as possibly charged, and makes it under the same id, so that a
  provider which remembers ids gives its answer and is not paid again;
- the disk fills up during the call: the room that was set aside is given back for the answer;
- the ledger is locked, full or broken after the call: the record in the store is what the next run finds.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from checkpoints.crash_points import around
from checkpoints.files import mapping_errors
from checkpoints.ledger.purchases import Purchase, Purchases, State
from config.errors import CancelledError, FramekeepError, ProviderError, TimedOutError
from pipeline.planning.steps import Step
from stages.base import Call, CancelToken, Interim, Provider

T = TypeVar("T")
P = TypeVar("P", bound=Provider)

# Enough for a picture or a minute of sound, and for the ledger's own pages.
RESERVE_BYTES = 16_000_000

_LOG = logging.getLogger("framekeep")


class Journal:
    """`stages.base.Call` around another one: whatever provider that hands the work to, a paid one is noted.

    It stands innermost, so each attempt is a call of its own here. `folder` is the step's scratch folder; `warn` tells the user.
    """

    def __init__(
        self,
        call: Call,
        purchases: Purchases,
        job_id: str,
        step: Step,
        folder: Path,
        warn: Callable[[str], None],
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._call = call
        self._purchases = purchases
        self._job_id = job_id
        self._step = step
        self._reserve = folder / "reserve"
        self._warn = warn
        self._wall = wall

    def __call__(self, operation: str, providers: Sequence[P], work: Callable[[P, CancelToken], T]) -> tuple[T, P]:
        def noted(provider: P, cancel: CancelToken) -> T:
            return self._buy(operation, provider, cancel, work) if provider.paid else work(provider, cancel)

        return self._call(operation, providers, noted)

    def give_room(self) -> bool:
        """Give back the room that was set aside for an answer; whether there was any."""
        try:
            self._reserve.unlink()
        except OSError:
            return False
        return True

    def _buy(self, operation: str, provider: P, cancel: CancelToken, work: Callable[[P, CancelToken], T]) -> T:
        cancel.check()
        self._set_room_aside()
        purchase, lost = self._purchases.begin(
            key=self._step.key,
            job_id=self._job_id,
            step_id=self._step.id,
            scene=self._step.scene,
            operation=operation,
            provider=provider.name,
            now=self._wall(),
        )
        for one in {one.request: one for one in lost}.values():
            self._tell(one, provider)
        asked = provider.asking(purchase.request)
        try:
            with around("purchase.call"):
                answer = work(asked, cancel)
        except BaseException as error:
            self._end(purchase, _state_after(error) if asked.may_have_asked() else "unsent")
            raise
        if isinstance(answer, Interim):
            self._end(
                purchase, "answered" if answer.is_charged else "failed", answer.note if answer.is_charged else None
            )
        return answer

    def _tell(self, lost: Purchase, provider: Provider) -> None:
        how = "asked for its answer" if provider.remembers else "asked again"
        self._warn(
            f"possibly charged: a run was killed before the answer of a paid call to {lost.provider} was kept; "
            f"it is {how} under the same id, {lost.request}"
        )

    def noted(self, provider: str) -> str:
        """What the step's latest call of a provider brought that was not its last, in this run or an earlier one."""
        return self._purchases.noted(self._step.key, provider)

    def _end(self, purchase: Purchase, state: State, note: str | None = None) -> None:
        # What the provider said is what the caller must hear; without an end the call counts as possibly charged.
        try:
            if note is None:
                self._purchases.end(purchase, state, self._wall())
            else:
                self._purchases.end_noted(purchase, note, self._wall())
        except FramekeepError as error:
            _LOG.warning("the end of paid call %s was not noted: %s", purchase.request, error)

    def _set_room_aside(self) -> None:
        """Raises DiskFullError while nothing is bought yet."""
        with mapping_errors(self._reserve):
            if self._reserve.exists():
                return
            handle = os.open(self._reserve, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                _allocate(handle, RESERVE_BYTES)
            except OSError:
                with contextlib.suppress(OSError):
                    self._reserve.unlink()
                raise
            finally:
                os.close(handle)


def _state_after(error: BaseException) -> State:
    """How a call ended. Only what the provider itself said spends its id."""
    if not isinstance(error, FramekeepError) or isinstance(error, TimedOutError | CancelledError):
        return "cut off"
    return "unheard" if isinstance(error, ProviderError) and error.kind == "TransientNetworkFailure" else "failed"


def _allocate(handle: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(handle, 0, size)
        except OSError as error:
            # Not every filesystem knows how; then it is written out.
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
                raise
        else:
            return
    block = b"\0" * 1_000_000
    for _ in range(0, size, len(block)):
        os.write(handle, block)
