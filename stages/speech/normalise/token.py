"""One piece of what is shown on its way to being spoken."""

from __future__ import annotations

import re
from dataclasses import dataclass

_OPENING = "\"'“”‘«»‹›„‚([{¿¡"
_CLOSING = "\"'“”’‘»«›‹)]}.,;:!?…。，、；：！？—–"
_PEEL = re.compile(f"([{re.escape(_OPENING)}—–]*)(.*?)([{re.escape(_CLOSING)}]*)", re.DOTALL)
_PAUSES = {"。": ".", "，": ",", "、": ",", "；": ";", "：": ":", "！": "!", "？": "?", "—": ",", "–": ",", "…": ","}
# A price in round figures: `20,-`.
_ROUND = re.compile(r"(?<=\d)[.,/][-–—]+$")


@dataclass
class Item:
    """A shown word, or a part of one, taken apart. `spoken` is None until a rule has read it; the empty string is silence.

    `place` is the number of the word in the line.
    """

    shown: str
    lead: str
    core: str
    trail: str
    spoken: str | None = None
    place: int = 0

    @property
    def open(self) -> bool:
        """Whether nobody has read it yet."""
        return self.spoken is None

    @property
    def dotted(self) -> str:
        """The core with the full stop that may belong to it."""
        return f"{self.core}." if self.trail.startswith(".") else self.core

    @property
    def is_dash(self) -> bool:
        """Whether it is a dash and nothing else."""
        return (self.lead + self.core + self.trail) in ("-", "–", "—", "−")

    def mark(self, last: bool) -> str:
        """The one mark to speak after the word: the strongest of those that are written."""
        found = [_PAUSES.get(char, char) for char in self.trail]
        for strong in "?!.;:,":
            if strong in found:
                return strong if strong != "." or "…" not in self.trail else "."
        return "," if ")" in self.trail and not last else ""


def take_apart(word: str) -> Item:
    """Opening marks, what is to be read, closing marks."""
    match = _PEEL.fullmatch(_ROUND.sub("", word))
    assert match
    return Item(word, match[1], match[2], match[3])
