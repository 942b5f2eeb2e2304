"""Gathering what is wrong with what somebody asked for, so that all of it is told at once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from config.errors import BriefError, UsageError


class Findings:
    """The errors of checks that were made one after the other."""

    def __init__(self) -> None:
        self._found: list[UsageError] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    @contextlib.contextmanager
    def noting(self) -> Iterator[None]:
        """Keep a UsageError that is raised inside, and go on after it."""
        try:
            yield
        except UsageError as error:
            self._found.append(error)

    def raise_if_any(self) -> None:
        """Raise the error as it is where there is one, else one that lists all problems, each with its own way out."""
        if not self._found:
            return
        if len(self._found) == 1:
            raise self._found[0]
        problems = list(dict.fromkeys(problem for error in self._found for problem in _problems(error)))
        raise BriefError(
            f"{problems[0]} (and {len(problems) - 1} more)", problems=problems, hint="correct them and run again"
        )


def _problems(error: UsageError) -> list[str]:
    if problems := getattr(error, "problems", ()):
        return list(problems)
    return [f"{error.message} (→ {error.hint})" if error.hint else error.message]
