"""What every script writer looks like."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from stages.base import CancelToken, Interim, Provider
from stages.models import Brief, Model, Script


class Ask(Model):
    """How a writer is asked: `style` is its server's, as the writer notes it. The rest is there when it was asked before.

    `earlier` is a script that can be used, but is `words_before` words long and should be another length. `was_cut_off`: the answer
    before was longer than the server allowed. `was_unreadable`: an answer before held no script.
    """

    style: str = ""
    words_before: int = 0
    earlier: Script | None = None
    was_cut_off: bool = False
    was_unreadable: bool = False


@dataclass(frozen=True)
class Again(Interim):
    """The same writer is to be asked once more. `why` says for the log what for."""

    ask: Ask
    why: str


def again(ask: Ask, why: str, *, is_charged: bool) -> Again:
    """The answer after which `ask` comes next."""
    return Again(note=ask.model_dump_json(), is_charged=is_charged, ask=ask, why=why)


FIRST_ASK = Ask()


class ScriptWriter(Provider):
    """Turns a brief's `text` into scenes."""

    #: What tells the server that is asked from others, where its style is to be remembered.
    server: str = ""

    @abstractmethod
    def check(self, brief: Brief) -> None:
        """Raise `UnavailableError` when this writer cannot write this brief; costs nothing and calls nobody."""

    @abstractmethod
    def write(self, brief: Brief, cancel: CancelToken, timeout_s: float, ask: Ask = FIRST_ASK) -> Script | Again:
        """The script, within `timeout_s` (0 is no limit), or what to ask next. Raises ProviderError or CancelledError."""

    def style_to_keep(self, ask: Ask) -> str:
        """What is remembered of the server after it has answered this; empty for what goes without saying."""
        return ""
