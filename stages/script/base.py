"""What every script writer looks like."""

from __future__ import annotations

from abc import abstractmethod

from stages.base import CancelToken, Provider
from stages.models import Brief, Script


class ScriptWriter(Provider):
    """Turns a brief's `text` into scenes."""

    @abstractmethod
    def check(self, brief: Brief) -> None:
        """Raise `UnavailableError` when this writer cannot write this brief; costs nothing and calls nobody."""

    @abstractmethod
    def write(self, brief: Brief, cancel: CancelToken, timeout_s: float) -> Script:
        """The script, within `timeout_s` (0 is no limit). Raises ProviderError or CancelledError."""
