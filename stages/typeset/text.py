"""How wide text runs, where its lines break, and the largest size at which it fits its box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from stages.text.clusters import clusters
from stages.text.line_breaks import Seam, cut_to_fit, pieces
from stages.typeset.fonts import FontFile, FontRun, FontSet, load_fonts

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

ELLIPSIS = "…"
_TRAILING = ",;:.-\u2013\u2014"
# Pillow and resvg shape alike but not to the last unit; a line must not touch its box's edge.
_SAFETY = 1.01
# Large enough that hinting does not round the advances, so widths scale to every size.
_MEASURE_PX = 1000
_STEP = 0.97
_HANGING_WORDS = 3
# A short last line looks intended where a short line in the middle looks like a mistake.
_LAST_LINE_EASE = 0.6


@dataclass(frozen=True)
class Font:
    """A cut of a family: `tracking_em` is extra space after each character, `optical_size` the opsz axis.

    `regional` is the family of the language's own shapes, where it writes Chinese characters.
    """

    family: str
    weight: int = 400
    italic: bool = False
    tracking_em: float = 0.0
    optical_size: float | None = None
    fonts: FontSet = field(default_factory=load_fonts)
    regional: str = ""

    def runs(self, text: str) -> list[FontRun]:
        """The stretches of `text` that one font file each sets."""
        return self.fonts.runs(text, self.family, weight=self.weight, italic=self.italic, regional=self.regional)

    def axes(self, file: FontFile) -> dict[str, float]:
        """Position on each axis of `file`, within what it offers. Plain shapes wherever there is a choice."""
        wanted = {"wght": float(self.weight), "opsz": self.optical_size, "WONK": 0.0, "SOFT": 0.0}
        values: dict[str, float] = {}
        for axis in file.axes:
            value = wanted.get(axis.tag)
            values[axis.tag] = min(max(axis.default if value is None else value, axis.low), axis.high)
        return values

    def width(self, text: str, size_px: float) -> float:
        """Pixels from the first pen position to the last, letterspacing included."""
        advance = sum(_advance_em(run.file, tuple(self.axes(run.file).values()), run.text) for run in self.runs(text))
        return (advance + self.tracking_em * len(text)) * size_px


@dataclass(frozen=True)
class Fitted:
    """Text as it goes into its box: one leading per line, from cap height to descender."""

    lines: tuple[str, ...]
    size_px: float
    leading_px: float
    truncated: bool

    @property
    def height_px(self) -> float:
        """From the top of the first line's box to the bottom of the last one's."""
        return (len(self.lines) - 1) * self.leading_px + self.size_px if self.lines else 0.0


def wrap(text: str, font: Font, size_px: float, max_width_px: float, max_lines: int, language: str = "") -> list[str]:
    """Break `text` into at most `max_lines` lines of even length, no single short word left on the last.

    A word wider than a line is cut, at the syllables of `language`; what does not fit at all ends in an ellipsis. No line is
    wider than `max_width_px`.
    """
    return _wrap(text, font, size_px, max_width_px, max_lines, language)[0]


def fit(
    text: str,
    font: Font,
    *,
    largest_px: float,
    smallest_px: float,
    width_px: float,
    height_px: float,
    leading: float = 1.15,
    max_lines: int = 99,
    language: str = "",
) -> Fitted:
    """The largest size at which `text` fits the box; rather a smaller size than a word cut in two.

    At `smallest_px` words are cut, and then the end of the text, if nothing else helps. Only a line of several scripts that
    is still too wide is set smaller than that.
    """
    size = largest_px
    while size > smallest_px:
        fitted = _try_size(text, font, size, width_px, height_px, leading, max_lines, language, whole_words=True)
        if fitted is not None:
            return fitted
        size *= _STEP
    size = largest_px
    while size > smallest_px:
        fitted = _try_size(text, font, size, width_px, height_px, leading, max_lines, language, whole_words=False)
        if fitted is not None:
            return fitted
        size *= _STEP
    room = _room(smallest_px, height_px, leading, max_lines)
    lines, truncated = _wrap(text, font, smallest_px, width_px, max(room, 1), language)
    widest_px = max((font.width(line, smallest_px) for line in lines), default=0.0)
    size = smallest_px * min(1.0, width_px / max(widest_px, 1.0))
    return Fitted(tuple(lines), size, size * leading, truncated)


def _try_size(
    text: str,
    font: Font,
    size_px: float,
    width_px: float,
    height_px: float,
    leading: float,
    max_lines: int,
    language: str,
    *,
    whole_words: bool,
) -> Fitted | None:
    room = _room(size_px, height_px, leading, max_lines)
    if room < 1:
        return None
    if whole_words and any(font.width(word, size_px) * _SAFETY > width_px for word in unbroken(text, language)):
        return None
    if len(_greedy(_pieces(text, font, size_px, width_px, language), width_px)) > room:
        return None
    lines, truncated = _wrap(text, font, size_px, width_px, room, language)
    # A line of several scripts is set in another font than its words alone would be.
    if any(font.width(line, size_px) > width_px for line in lines):
        return None
    return Fitted(tuple(lines), size_px, size_px * leading, truncated)


def _room(size_px: float, height_px: float, leading: float, max_lines: int) -> int:
    if height_px < size_px:
        return 0
    return min(int((height_px - size_px) / (size_px * leading) + 1e-6) + 1, max_lines)


@dataclass(frozen=True)
class _TextPiece:
    """What is never cut further. `space_px` is the space that goes before it within a line."""

    text: str
    width_px: float
    space_px: float


def _wrap(
    text: str, font: Font, size_px: float, max_width_px: float, max_lines: int, language: str
) -> tuple[list[str], bool]:
    parts = _pieces(text, font, size_px, max_width_px, language)
    lines = _greedy(parts, max_width_px)
    truncated = len(lines) > max_lines
    if truncated:
        kept = [piece for line in lines[:max_lines] for piece in line]
        parts = _shorten(kept, font, size_px, max_width_px, max_lines)
        lines = _greedy(parts, max_width_px)
    return [_join(line) for line in _balanced(parts, len(lines), max_width_px)], truncated


def _pieces(text: str, font: Font, size_px: float, max_width_px: float, language: str) -> list[_TextPiece]:
    def width(part: str) -> float:
        return font.width(part, size_px) * _SAFETY

    space_px = width(" ")
    found: list[_TextPiece] = []
    for gap, group in _groups(text, language):
        whole = "".join(f" {part}" if spaced and index else part for index, (part, spaced) in enumerate(group))
        parts = [(whole, gap)] if width(whole) <= max_width_px else group
        for part, spaced in parts:
            for cut, chunk in enumerate(cut_to_fit(part, language, width, max_width_px)):
                found.append(_TextPiece(chunk, width(chunk), space_px if spaced and not cut else 0.0))
    return found


def unbroken(text: str, language: str = "") -> list[str]:
    """What of a text stays on one line if it can: words, phrases, a figure with its unit."""
    return [
        "".join(f" {part}" if spaced and index else part for index, (part, spaced) in enumerate(group))
        for _, group in _groups(text, language)
    ]


def _groups(text: str, language: str) -> list[tuple[bool, list[tuple[str, bool]]]]:
    """Pieces that belong together, as (whether a space goes before them, [(text, whether a space goes before it)])."""
    groups: list[tuple[bool, list[tuple[str, bool]]]] = []
    for piece in pieces(text, language):
        if piece.seam is not Seam.BOUND or not groups:
            groups.append((piece.spaced, []))
        groups[-1][1].append((piece.text, piece.spaced))
    return groups


def _greedy(pieces: Sequence[_TextPiece], max_width_px: float) -> list[list[_TextPiece]]:
    lines: list[list[_TextPiece]] = []
    used = 0.0
    for piece in pieces:
        if lines and used + piece.space_px + piece.width_px <= max_width_px:
            lines[-1].append(piece)
            used += piece.space_px + piece.width_px
        else:
            lines.append([piece])
            used = piece.width_px
    return lines


def _shorten(
    pieces: list[_TextPiece], font: Font, size_px: float, max_width_px: float, max_lines: int
) -> list[_TextPiece]:
    while pieces:
        last = pieces[-1]
        text = last.text.rstrip(_TRAILING) + ELLIPSIS
        ended = [*pieces[:-1], _TextPiece(text, font.width(text, size_px) * _SAFETY, last.space_px)]
        if ended[-1].width_px <= max_width_px and len(_greedy(ended, max_width_px)) <= max_lines:
            return ended
        # A chunk that fills its line alone gives way by characters, else nothing of the word would be left.
        shorter = "".join(clusters(last.text)[:-1])
        alone = len(pieces) == 1 and shorter
        pieces = [_TextPiece(shorter, 0.0, last.space_px)] if alone else pieces[:-1]
    return []


def _balanced(pieces: Sequence[_TextPiece], lines: int, max_width_px: float) -> list[list[_TextPiece]]:
    """Into exactly `lines` lines with the least squared slack: an even block whose last line is no widow."""
    best: list[dict[int, tuple[float, int]]] = [{0: (0.0, 0)}]
    for line in range(lines):
        reached: dict[int, tuple[float, int]] = {}
        for start, (cost, _) in best[-1].items():
            for end, extra in _line_ends(pieces, start, max_width_px, last=line == lines - 1):
                total = cost + extra
                if end not in reached or total < reached[end][0]:
                    reached[end] = (total, start)
        best.append(reached)
    cuts = [len(pieces)]
    for reached in reversed(best[1:]):
        cuts.append(reached[cuts[-1]][1])
    cuts.reverse()
    return [list(pieces[start:end]) for start, end in pairwise(cuts)]


def _line_ends(pieces: Sequence[_TextPiece], start: int, max_width_px: float, *, last: bool) -> list[tuple[int, float]]:
    found: list[tuple[int, float]] = []
    used = 0.0
    for end in range(start, len(pieces)):
        used += pieces[end].width_px + (pieces[end].space_px if end > start else 0.0)
        if used > max_width_px and end > start:
            break
        slack = max(max_width_px - used, 0.0) / max_width_px
        # A line that ends in "the" or "of" reads as broken off.
        hanging = 0.0 if last or len(pieces[end].text) > _HANGING_WORDS else 0.015
        found.append((end + 1, slack * slack * (_LAST_LINE_EASE if last else 1.0) + hanging))
    return found


def _join(line: Sequence[_TextPiece]) -> str:
    return "".join((" " if piece.space_px and index else "") + piece.text for index, piece in enumerate(line))


@lru_cache(maxsize=65536)
def _advance_em(file: FontFile, axes: tuple[float, ...], text: str) -> float:
    return _pillow_font(file.path, axes).getlength(text) / _MEASURE_PX


@lru_cache(maxsize=64)
def _pillow_font(path: Path, axes: tuple[float, ...]) -> FreeTypeFont:
    from PIL import ImageFont

    font = ImageFont.truetype(str(path), _MEASURE_PX)
    if axes:
        font.set_variation_by_axes(list(axes))
    return font
