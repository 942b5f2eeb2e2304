"""Collects what is wrong with a brief, so that all of it is told at once."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from config.errors import BriefError


class Problems:
    """Problems of one brief. `label` is how the brief is named in front of each of them."""

    def __init__(self, label: str) -> None:
        self.label = label
        self._refused: list[int] = []
        self._found: list[tuple[int, str]] = []
        self._warnings: list[tuple[int, str]] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, line: int, key: str, what: str) -> None:
        """Note a problem. `line` counts from 1; 0 means that there are no lines (a dict)."""
        where = f"{self.label}:{line}" if line else self.label
        text = ": ".join(part for part in (where, key, what) if part)
        if (line, text) not in self._found:
            self._found.append((line, text))

    def refuse(self, line: int, what: str) -> None:
        """Note something in the text that cannot be spoken."""
        self.add(line, "", f"{what} cannot be spoken; say it in a sentence")
        self._refused.append(line)

    def has_refused(self, first: int, end: int) -> bool:
        """Whether something was refused from the line `first` on and above the line `end`; 0 for the end of the brief."""
        return any(first <= line and (not end or line < end) for line in self._refused)

    def warn(self, line: int, what: str) -> None:
        """Note what does not stop anything, but must not go unsaid."""
        where = f"{self.label}:{line}" if line else self.label
        if (line, f"{where}: {what}") not in self._warnings:
            self._warnings.append((line, f"{where}: {what}"))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Every warning, in the order of lines."""
        return tuple(text for _, text in sorted(self._warnings, key=lambda found: found[0]))

    def raise_if_any(self) -> None:
        """Raise `BriefError` with every problem, in the order of lines."""
        if not self._found:
            return
        texts = [text for _, text in sorted(self._found, key=lambda found: found[0])]
        more = f" (and {len(texts) - 1} more)" if len(texts) > 1 else ""
        raise BriefError(texts[0] + more, problems=texts, hint=f"correct {self.label} and run again")


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name most like `name`, or an empty string; case does not count."""
    names = {candidate.casefold(): candidate for candidate in known}
    close = get_close_matches(name.casefold(), names, n=1, cutoff=0.6)
    return names[close[0]] if close else ""


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """`unknown key 'tilte'; did you mean 'title'?`, or the list of what is known."""
    names = list(known)
    close = nearest(name, names)
    rest = f"did you mean {close!r}?" if close else f"known: {', '.join(names)}"
    return f"unknown {what} {shorten(name)!r}; {rest}"


def shorten(text: str, limit: int = 60) -> str:
    """`text` on one line, cut to `limit` characters for use in a message."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"
