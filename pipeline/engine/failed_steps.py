"""The steps of a run that failed for good, and the one error that the run ends with."""

from __future__ import annotations

import time
from collections.abc import Callable

from config.errors import FramekeepError, ProviderError, QuotaError, RetryExhaustedError
from config.exit_codes import ExitCode

# So many other failed steps are named in an error; the ledger has them all.
_NAMED = 5


class Failures:
    """Failed steps with their errors, in the order in which they failed. Equal steps fail with one error."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._errors: dict[str, FramekeepError] = {}
        self._since: dict[int, float] = {}

    def __bool__(self) -> bool:
        return bool(self._errors)

    def note(self, step_id: str, error: FramekeepError) -> None:
        """A step failed, and is not made again in this run."""
        self._errors[step_id] = error
        self._since.setdefault(id(error), self._monotonic())

    def has(self, *kinds: type[FramekeepError]) -> bool:
        """Whether one of them is an error of these kinds."""
        return any(isinstance(error, kinds) for error in self._errors.values())

    def error_of_run(self, *, names_others: bool) -> FramekeepError:
        """What ended the run: the first that waiting does not mend; else what is waited for, for no longer than it must be.

        Resuming makes sense as soon as one of the steps can go on, so `retry_after_s` becomes the shortest time that is left, from
        now on, and the hint is that error's. Named is what its provider itself said, where another step heard that.
        """
        chosen = self._chosen()
        others = [step_id for step_id, error in self._errors.items() if error is not chosen]
        if others and names_others:
            named = ", ".join(others[:_NAMED]) + (", …" if len(others) > _NAMED else "")
            chosen.message += f" (failed as well: {named})"
        return chosen

    def _chosen(self) -> FramekeepError:
        errors = list(self._errors.values())
        for error in errors:
            if error.exit_code != ExitCode.PARKED:
                return error
        waiting = [error for error in errors if isinstance(error, ProviderError)]
        for error in errors:
            if not isinstance(error, ProviderError):
                # Of the machine: a provider that is back finds no disk to write to.
                return error
        first = min(waiting, key=self._left_s)
        left_s = self._left_s(first)
        chosen = min((error for error in waiting if error.provider == first.provider), key=_telling)
        if left_s != float("inf"):
            chosen.retry_after_s = left_s
            chosen.hint = first.hint if left_s > 0 else "framekeep resume"
        return chosen

    def _left_s(self, error: ProviderError) -> float:
        if error.retry_after_s is None:
            return float("inf")
        return max(0.0, error.retry_after_s - (self._monotonic() - self._since[id(error)]))


def _telling(error: ProviderError) -> int:
    """How much an error tells of what is wrong; less is more. A call that was refused unmade only says until when."""
    return 0 if isinstance(error, QuotaError) else 1 if isinstance(error, RetryExhaustedError) else 2
