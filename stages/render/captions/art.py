"""Captions as pictures: white type on a soft dark plate, inside the safe area of each kind of frame.

One rasterisation per caption; plate, colours and the marked word are put together from its coverage.
Text is only ever data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from stages.models import Word
from stages.render.specs import Cue, SegmentSpec
from stages.typeset.direction import embedded, has_right_to_left
from stages.typeset.fonts import SANS, FontSet, load_fonts
from stages.typeset.svg import document, font_files, rasterise, text_element
from stages.typeset.text import Font

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PLATE_ALPHA = 0.64
_ACCENT = (255, 209, 64)
# In whole hundreds: resvg takes any other weight for 400.
_WEIGHT = 600
_OPTICAL_SIZE = 28.0
# In type sizes.
_PAD_X, _PAD_Y, _RADIUS, _LEADING, _TALL_LEADING = 0.5, 0.16, 0.26, 1.28, 1.5
_FAMILIES_OF_PLAIN_HEIGHT = frozenset({SANS, "Noto Sans"})
# A word stays marked through the small silences of speech, not through a pause.
_MARK_LINGERS_S = 0.4


@dataclass(frozen=True)
class CaptionBitmap:
    """A picture shown in frames `[start, end)` of a segment, its top left at (x, y).

    `rgba` is uint8 (height, width, 4) with straight alpha, not to be written to. Position and size are even.
    """

    start: int
    end: int
    x: int
    y: int
    rgba: NDArray[np.uint8]


@dataclass(frozen=True)
class _Place:
    """Where captions stand in a frame, in pixels: type size, bottom edge, and the widest plate."""

    size_px: float
    bottom: int
    widest: int


@dataclass(frozen=True)
class _Plate:
    """A caption's two pictures: plain, and with every word marked.

    `rows` are the bands of its lines, `lefts` where each begins.
    """

    plain: NDArray[np.uint8]
    marked: NDArray[np.uint8]
    rows: tuple[tuple[int, int], ...]
    lefts: tuple[float, ...]
    size_px: float
    font: Font


def caption_bitmaps(spec: SegmentSpec, fonts: FontSet | None = None) -> list[CaptionBitmap]:
    """All caption pictures of a segment in order of time; none of them overlap.

    In `words` mode a cue becomes one picture for each word, adjacent in time, with that word marked; text that runs
    from right to left is shown as whole lines. Raises `UnavailableError` when no fonts are installed.
    """
    if spec.caption_mode == "none" or not spec.cues:
        return []
    encoding = spec.encoding
    place = _place(encoding.width, encoding.height)
    bitmaps: list[CaptionBitmap] = []
    for cue in spec.cues:
        plate = _plate(cue.lines, place, spec.right_to_left, spec.regional_font, fonts or load_fonts())
        if plate is None:
            continue
        height, width = plate.plain.shape[:2]
        x, y = (encoding.width - width) // 4 * 2, place.bottom - height
        words = spec.caption_mode == "words" and not spec.right_to_left
        states = _word_states(cue, plate, encoding.fps) if words else [(cue.start, cue.end, plate.plain)]
        bitmaps += [CaptionBitmap(start, end, x, y, rgba) for start, end, rgba in states]
    return bitmaps


def _place(width: int, height: int) -> _Place:
    """Wide frames keep a low margin; tall ones stay above and left of the controls that phones draw over them."""
    if width >= 1.2 * height:
        size, bottom, widest = 0.046 * height, 0.92 * height, 0.86 * width
    elif height >= 1.2 * width:
        size, bottom, widest = 0.058 * width, 0.74 * height, 0.76 * width
    else:
        size, bottom, widest = 0.05 * height, 0.91 * height, 0.86 * width
    return _Place(size, int(bottom) // 2 * 2, int(widest) // 2 * 2)


@lru_cache(maxsize=16)
def _plate(lines: tuple[str, ...], place: _Place, right_to_left: bool, regional: str, fonts: FontSet) -> _Plate | None:
    """None for lines of which nothing can be drawn, such as a lone emoji."""
    font = Font(SANS, _WEIGHT, optical_size=_OPTICAL_SIZE, fonts=fonts, regional=regional)
    widths_em = [font.width(line, 1.0) for line in lines]
    if not any(run.text.strip() for line in lines for run in font.runs(line)):
        return None
    size = min(place.size_px, place.widest / (max(widths_em) + 2 * _PAD_X))
    plain_height = all(run.file.family in _FAMILIES_OF_PLAIN_HEIGHT for line in lines for run in font.runs(line))
    leading = size * (_LEADING if plain_height else _TALL_LEADING)
    width = _even(size * (max(widths_em) + 2 * _PAD_X))
    height = _even(leading * len(lines) + size * 2 * _PAD_Y)
    top = (height - leading * len(lines)) / 2
    # Capitals stand in the middle of their band.
    drop = (leading + size * font.runs("H")[0].file.cap_height_em) / 2
    body = "".join(
        text_element(
            embedded(line) if right_to_left else line,
            font,
            x=width / 2,
            y=top + number * leading + drop,
            size_px=size,
            fill="#fff",
            anchor="middle",
        )
        for number, line in enumerate(lines)
    )
    files = font_files((line, font) for line in lines)
    ink = rasterise(document(width, height, body), width, height, fonts=files)
    edges = [round(top + number * leading) for number in range(len(lines) + 1)]
    edges[0], edges[-1] = 0, height
    plain, marked = _composed(ink, size * _RADIUS)
    lefts = tuple((width - em * size) / 2 for em in widths_em)
    return _Plate(plain, marked, tuple(pairwise(edges)), lefts, size, font)


def _even(pixels: float) -> int:
    return -(-int(pixels) // 2) * 2 + 2


def _composed(ink: NDArray[np.uint8], radius: float) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Ink over the plate, as it is and tinted. Both keep their alpha, so parts of them can be exchanged."""
    import numpy as np

    height, width = ink.shape[:2]
    text = ink[..., 3].astype(np.float32) / 255
    alpha = text + _rounded(width, height, radius) * _PLATE_ALPHA * (1 - text)
    share = text / np.maximum(alpha, 1e-6)
    pictures = []
    for tint in ((255, 255, 255), _ACCENT):
        rgba = np.empty_like(ink)
        for channel, level in enumerate(tint):
            rgba[..., channel] = (ink[..., channel] * (share * (level / 255)) + 0.5).astype(np.uint8)
        rgba[..., 3] = (alpha * 255 + 0.5).astype(np.uint8)
        rgba.setflags(write=False)
        pictures.append(rgba)
    return pictures[0], pictures[1]


@lru_cache(maxsize=16)
def _rounded(width: int, height: int, radius: float) -> NDArray[np.float32]:
    """Coverage of a rounded rectangle that fills the picture."""
    import numpy as np

    across = np.abs(np.arange(width, dtype=np.float32) + 0.5 - width / 2) - (width / 2 - radius)
    down = np.abs(np.arange(height, dtype=np.float32) + 0.5 - height / 2) - (height / 2 - radius)
    distance = np.hypot(np.maximum(across, 0)[None, :], np.maximum(down, 0)[:, None])
    coverage: NDArray[np.float32] = np.clip(radius + 0.5 - distance, 0, 1).astype(np.float32)
    return coverage


def _word_states(cue: Cue, plate: _Plate, fps: int) -> Iterator[tuple[int, int, NDArray[np.uint8]]]:
    """A cue's pictures one after the other, each with the word that is spoken marked."""
    boxes = _word_boxes(cue, plate)
    changes: list[tuple[int, int | None]] = [(cue.start, None)]
    for number, word in enumerate(cue.words if boxes else ()):
        changes.append((int(word.start_s * fps + 1e-6), number))
        silent_from = word.end_s + _MARK_LINGERS_S
        following = cue.words[number + 1].start_s if number + 1 < len(cue.words) else cue.end / fps
        if silent_from < following:
            changes.append((int(silent_from * fps), None))
    shown: dict[int, int | None] = {max(frame, cue.start): number for frame, number in changes if frame < cue.end}
    for start, end in pairwise([*sorted(shown), cue.end]):
        marked = shown[start]
        yield start, end, plate.plain if marked is None else _with_mark(plate, *boxes[marked])


def _with_mark(plate: _Plate, line: int, left: int, right: int) -> NDArray[np.uint8]:
    rgba = plate.plain.copy()
    top, bottom = plate.rows[line]
    rgba[top:bottom, left:right] = plate.marked[top:bottom, left:right]
    rgba.setflags(write=False)
    return rgba


def _word_boxes(cue: Cue, plate: _Plate) -> list[tuple[int, int, int]]:
    """(line, left, right) of each word, its sides in the middle of the spaces; empty if words cannot be told apart."""
    if any(has_right_to_left(line) for line in cue.lines):
        return []
    boxes: list[tuple[int, int, int]] = []
    words = iter(cue.words)
    for number, line in enumerate(cue.lines):
        spans = _spans(line, words)
        ends = [plate.font.width(line[:end], plate.size_px) for _, end in spans]
        starts = [plate.font.width(line[:start], plate.size_px) for start, _ in spans[1:]]
        middles = [round(plate.lefts[number] + (end + start) / 2) for end, start in zip(ends[:-1], starts, strict=True)]
        boxes += [(number, *sides) for sides in pairwise([0, *middles, plate.plain.shape[1]])]
    return boxes if len(boxes) == len(cue.words) else []


def _spans(line: str, words: Iterator[Word]) -> list[tuple[int, int]]:
    """Where in `line` its words stand, taking from `words` as many as the line holds."""
    spans: list[tuple[int, int]] = []
    position = 0
    while position < len(line) and (word := next(words, None)):
        text = word.text.strip()
        start = position + (line[position] == " ")
        if not line.startswith(text, start):
            return []
        position = start + len(text)
        spans.append((start, position))
    return spans
