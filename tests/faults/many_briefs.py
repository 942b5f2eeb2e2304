"""Briefs made at random from everything that people's tools write, each with what has to become of its words.

Every word that matters is one of its own (`quill17`), so that it can be looked for in what is spoken, shown and warned of.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

_TABLE = Path(__file__).parents[1] / "tables" / "brief_pieces.yaml"
#: Half of a surrogate pair: no character, and refused wherever it stands.
_HALF = " \ud83d"
_MARKS = ("\n", "\n\n", "`", "*", "[", "](", "<", ">", "<!--", "%%", "{", "$$", "---\n", "|", "\\", '"', ":", "#")


@lru_cache(maxsize=1)
def table() -> dict[str, list[Any]]:
    """What briefs are put together from."""
    found: dict[str, list[Any]] = yaml.safe_load(_TABLE.read_text(encoding="utf-8"))
    return found


@dataclass
class Piece:
    """Some lines of a brief. Words in `said` are spoken or shown; in `named`, spoken or warned of; in `hidden`, neither.

    With `refusal`, the whole brief is refused in these words.
    """

    source: str
    said: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    refusal: str = ""


@dataclass
class Made:
    """A brief in one format, and what has to become of it. With `is_no_text` it is refused for a character that is none."""

    format: str
    text: str
    said: list[str]
    named: list[str]
    hidden: list[str]
    refusals: list[str]
    is_no_text: bool


Scenes = list[tuple[str, list[Piece]]]


class Maker:
    """Makes briefs; the same seed makes the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._count = 0

    def brief(self) -> Made:
        return written(self._random.choice(("md", "txt", "yaml", "json")), self.scenes())

    def scenes(self, *, refused: bool = True) -> Scenes:
        """One to three headings with what stands under them."""
        return [(self._word(), self._pieces(refused=refused)) for _ in range(self._random.randint(1, 3))]

    def _word(self) -> str:
        self._count += 1
        return f"quill{self._count}"

    def _pieces(self, *, refused: bool) -> list[Piece]:
        kinds = [self._prose, self._noisy, self._marked, self._marked, self._marked]
        if refused and self._random.random() < 0.1:
            kinds.append(self._refused)
        return [self._prose(), *(self._random.choice(kinds)() for _ in range(self._random.randint(0, 6)))]

    def _prose(self) -> Piece:
        words = [self._word() for _ in range(self._random.randint(1, 6))]
        return Piece(" ".join(words) + ".", words)

    def _noisy(self) -> Piece:
        """Words between odd characters, in which none may be lost without being named."""
        words = [self._word() for _ in range(4)]
        noise = [self._random.choice(("", "", "", *table()["noise"])) for _ in words]
        if self._random.random() < 0.005:
            noise[0] = _HALF
        line = "".join(f"{odd} {word}" for odd, word in zip(noise, words, strict=True))
        return Piece(f"So{line} end.", named=words)

    def _marked(self) -> Piece:
        row = self._random.choice([*table()["inline"], *table()["blocks"]])
        one, two, gone = self._word(), self._word(), self._word()
        source = row["source"].replace("GONE", gone).replace("ONE", one).replace("TWO", two)
        said = [word for word in (one, two) if word in source]
        fate = row.get("gone", "")
        return Piece(source, said, [gone] if fate == "named" else [], [gone] if fate == "hidden" else [])

    def _refused(self) -> Piece:
        row = self._random.choice(table()["refused"])
        return Piece(row["source"], refusal=row["says"])


def written(format: str, scenes: Scenes) -> Made:
    """The same scenes in one of the formats."""
    pieces = [piece for _, found in scenes for piece in found]
    bodies = [(heading, "\n\n".join(piece.source for piece in found)) for heading, found in scenes]
    if format in ("md", "txt"):
        text = "---\ntitle: A film\n---\n\n" + "\n\n".join(f"## {heading}\n\n{body}" for heading, body in bodies)
    else:
        listed = [{"heading": heading, "narration": body} for heading, body in bodies]
        data = {"title": "A film", "scenes": listed}
        text = json.dumps(data) if format == "json" else yaml.safe_dump(data, width=10_000)
    return Made(
        format,
        text,
        [heading for heading, _ in scenes] + [word for piece in pieces for word in piece.said],
        [word for piece in pieces for word in piece.named],
        [word for piece in pieces for word in piece.hidden],
        [piece.refusal for piece in pieces if piece.refusal],
        any(_HALF in piece.source for piece in pieces),
    )


def scrambled(text: str, seed: int) -> str:
    """The text with pieces of it doubled and lost, and odd characters in between."""
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(text) + 1)
        to = min(at + chance.randrange(40), len(text))
        odd = chance.choice((*table()["noise"], *_MARKS, _HALF if chance.random() < 0.1 else " "))
        text = chance.choice((text[:at] + text[to:], text[:to] + text[at:to] + text[to:], text[:at] + odd + text[at:]))
    return text or "?"
