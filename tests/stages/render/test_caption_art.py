"""Captions as pictures."""

from __future__ import annotations

import itertools
from typing import Literal

import numpy as np
import pytest

from stages.images.cards.palette import contrast
from stages.images.cards.safe_area import safe_bottom
from stages.models import Picture, Word
from stages.render.captions.art import CaptionBitmap, caption_bitmaps
from stages.render.specs import Cue, Encoding, Layer, Motion, SegmentSpec
from stages.typeset.fonts import SANS
from stages.typeset.text import Font

AWKWARD = 'it\'s 50% {\\an8} C:\\x; [a]=b, "q"'
SIZES = [(1920, 1080), (1280, 720), (854, 480), (1080, 1920), (480, 854), (1080, 1080)]
# The most that a card is enlarged while it is on screen.
CARD_ZOOM = 1.04


def segment(
    *lines: str,
    size: tuple[int, int] = (640, 360),
    mode: Literal["burned", "words", "none"] = "burned",
    right_to_left: bool = False,
    start: int = 0,
    end: int = 90,
    words: tuple[Word, ...] | None = None,
) -> SegmentSpec:
    still = Motion(start=(1.0, 0.5, 0.5), end=(1.0, 0.5, 0.5), frames=90)
    picture = Picture(kind="picture", digest="0", width=4, height=4)
    if words is None:
        texts = " ".join(lines).split()
        words = tuple(Word(text=text, start_s=0.25 * at, end_s=0.25 * at + 0.2) for at, text in enumerate(texts))
    return SegmentSpec(
        kind="body",
        frames=90,
        layers=(Layer(picture=picture, motion=still, offset=0),),
        cues=(Cue(start=start, end=end, lines=lines, words=words),),
        caption_mode=mode,
        right_to_left=right_to_left,
        encoding=Encoding(level="medium", width=size[0], height=size[1], fps=30, bitrate_bps=1_000_000),
    )


def ink(bitmap: CaptionBitmap) -> np.ndarray:
    """Where letters are: the plate alone is never this opaque."""
    return np.asarray(bitmap.rgba[..., 3] > 0.8 * 255)


def over(bitmap: CaptionBitmap, ground: int) -> np.ndarray:
    alpha = bitmap.rgba[..., 3:].astype(float) / 255
    return bitmap.rgba[..., :3] * alpha + ground * (1 - alpha)


@pytest.mark.parametrize("size", SIZES)
def test_a_caption_stands_inside_the_frame_on_even_pixels(size: tuple[int, int]) -> None:
    width, height = size
    (bitmap,) = caption_bitmaps(segment("Reefs cover less than one percent of it.", "And more words", size=size))
    rows, columns = bitmap.rgba.shape[:2]
    assert all(value % 2 == 0 for value in (bitmap.x, bitmap.y, rows, columns))
    assert bitmap.x >= 0.05 * width
    assert bitmap.x + columns <= 0.95 * width
    assert bitmap.y + rows <= 0.94 * height
    assert abs(bitmap.x + columns / 2 - width / 2) <= 2
    # Readable on a phone: no line below a fiftieth of the frame's short side.
    assert rows / 2 > min(width, height) / 50


@pytest.mark.parametrize("size", SIZES)
def test_a_two_line_caption_never_reaches_a_card_s_text(size: tuple[int, int]) -> None:
    height = size[1]
    (bitmap,) = caption_bitmaps(segment("Two lines of text,", "the tallest that there are", size=size))
    card_text_ends = 1 - safe_bottom(*size)
    enlarged = 0.5 + (card_text_ends - 0.5) * CARD_ZOOM
    assert bitmap.y / height >= enlarged


@pytest.mark.parametrize("size", [(1920, 1080), (854, 480)])
def test_awkward_text_is_drawn_as_typed(size: tuple[int, int]) -> None:
    (bitmap,) = caption_bitmaps(segment(AWKWARD, size=size))
    drawn = np.flatnonzero(ink(bitmap).any(axis=0))
    font = Font(SANS, 600, optical_size=28.0)
    expected = font.width(AWKWARD, 0.046 * size[1])
    assert drawn[-1] - drawn[0] == pytest.approx(expected, rel=0.03)
    (other,) = caption_bitmaps(segment(AWKWARD.replace("{\\an8} ", ""), size=size))
    assert other.rgba.shape[1] < bitmap.rgba.shape[1]


@pytest.mark.parametrize("ground", [0, 128, 255])
def test_letters_stand_out_on_any_picture(ground: int) -> None:
    (bitmap,) = caption_bitmaps(segment("HHHHHHHHHH", size=(1920, 1080)))
    seen = over(bitmap, ground)
    letters = seen[bitmap.rgba[..., 3] == 255].mean() / 255
    plate = seen[2:-2, 30:-30][~ink(bitmap)[2:-2, 30:-30]].min() / 255
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in (letters, plate)]
    assert contrast(*linear) >= 4.5


def test_the_marked_word_moves_through_the_caption_and_every_frame_is_covered_once() -> None:
    bitmaps = caption_bitmaps(segment("one two three", "four five", mode="words", start=3, end=80))
    assert bitmaps[0].start == 3
    assert bitmaps[-1].end == 80
    assert all(before.end == after.start for before, after in itertools.pairwise(bitmaps))
    plain = caption_bitmaps(segment("one two three", "four five"))[0].rgba.astype(int)
    seen = []
    for bitmap in bitmaps:
        assert (bitmap.rgba[..., 3] == plain[..., 3]).all()
        changed = np.argwhere((bitmap.rgba.astype(int) != plain).any(axis=2))
        if len(changed):
            seen.append(((changed[:, 0].mean() > plain.shape[0] / 2), changed[:, 1].min(), changed[:, 1].max()))
    assert [lower for lower, _, _ in seen] == [False, False, False, True, True]
    for line in (seen[:3], seen[3:]):
        assert all(before[2] < after[1] for before, after in itertools.pairwise(line))


def test_a_word_is_marked_from_the_frame_in_which_it_sounds_until_a_pause() -> None:
    words = (Word(text="one", start_s=0.5, end_s=0.8), Word(text="two", start_s=2.0, end_s=2.2))
    bitmaps = caption_bitmaps(segment("one two", mode="words", words=words))
    assert [(bitmap.start, bitmap.end) for bitmap in bitmaps] == [(0, 15), (15, 36), (36, 60), (60, 78), (78, 90)]


def test_words_that_do_not_match_the_lines_fall_back_to_whole_lines() -> None:
    words = (Word(text="something", start_s=0, end_s=1), Word(text="else", start_s=1, end_s=2))
    (bitmap,) = caption_bitmaps(segment("one two", mode="words", words=words))
    assert (bitmap.start, bitmap.end) == (0, 90)


def test_a_full_stop_stands_at_the_left_end_of_a_line_that_runs_from_right_to_left() -> None:
    # Latin letters, so that no further fonts are needed; the direction is the line's.
    (left_to_right,) = caption_bitmaps(segment("HHHHHH.", size=(1920, 1080)))
    (right_to_left,) = caption_bitmaps(segment("HHHHHH.", size=(1920, 1080), right_to_left=True))

    def low_ends(bitmap: CaptionBitmap) -> tuple[int, int]:
        """Height of the ink at its left and at its right end."""
        drawn = ink(bitmap)
        columns = np.flatnonzero(drawn.any(axis=0))
        return int(drawn[:, columns[0] + 2].sum()), int(drawn[:, columns[-1] - 2].sum())

    first, last = low_ends(left_to_right)
    assert first > 2 * last
    first, last = low_ends(right_to_left)
    assert last > 2 * first


def test_right_to_left_captions_are_whole_lines_in_words_mode() -> None:
    assert len(caption_bitmaps(segment("one two three", mode="words", right_to_left=True))) == 1


def test_a_caption_of_nothing_but_emoji_is_no_empty_plate() -> None:
    assert caption_bitmaps(segment("\U0001f680")) == []
    assert len(caption_bitmaps(segment("Go \U0001f680"))) == 1


def test_no_captions_when_none_are_wanted() -> None:
    assert caption_bitmaps(segment("one", mode="none")) == []


def test_the_same_caption_gives_the_same_pixels() -> None:
    def shown() -> bytes:
        return b"".join(bitmap.rgba.tobytes() for bitmap in caption_bitmaps(segment(AWKWARD, mode="words")))

    from stages.render.captions import art

    first = shown()
    art._plate.cache_clear()
    assert shown() == first


def test_a_very_long_line_shrinks_to_the_frame() -> None:
    (bitmap,) = caption_bitmaps(segment("W" * 42, size=(1080, 1920)))
    assert bitmap.rgba.shape[1] <= 0.78 * 1080
