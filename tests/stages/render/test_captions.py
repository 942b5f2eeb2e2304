"""Captions against the limits that viewers and platforms set."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stages.models import Narration, ScriptScene, Word
from stages.render.captions.breaks import line_width
from stages.render.captions.cues import build_cues, max_chars_for, slice_cues
from stages.render.specs import Cue, RenderPacing, SceneCut
from stages.render.timing import cut_scene, programme
from stages.text.clusters import columns

AWKWARD = 'it\'s 50% {\\an8} C:\\x; [a]=b, "q"'
PROSE = (
    "The reef is a city, and every house in it was built by an animal no larger than a grain of rice. They have done "
    "so for 25 million years, without a plan. Mr. Darwin wrote about them in 1842; he was right, but nobody could "
    'prove it until the year 1952, when engineers drilled through 1,283 metres of limestone on an atoll. "Reached '
    'basalt," they cabled home.'
)


def spoken(text: str, *, letters_a_second: float = 15.0, pause_s: float = 0.35, silent: bool = False) -> Narration:
    """A line timed as a steady speaker would say it."""
    words, at = [], 0.05
    for word in text.split():
        length = len(word) / letters_a_second
        words.append(Word(text=word, start_s=at, end_s=at + length))
        at += length + (pause_s if word[-1] in ".,;!?" else 1 / letters_a_second)
    return Narration(text=text, words=tuple(words), samples=int((at + 0.1) * 48_000), silent=silent)


def scene(narrations: Sequence[Narration], *, fps: int = 30, middle: bool = True) -> SceneCut:
    return cut_scene(
        2,
        ScriptScene(narration=""),
        [(f"d{at}", one) for at, one in enumerate(narrations)],
        fps,
        RenderPacing(),
        first=not middle,
        last=not middle,
        transition_in="crossfade",
        transition_out="crossfade",
    )


def assert_within_limits(cut: SceneCut, cues: Sequence[Cue], max_chars: int) -> None:
    """What holds for any speech at all, however fast or badly timed."""
    last_frame = cut.frames - cut.tail
    edges = [cue.start for cue in cues[1:]] + [last_frame]
    for cue, edge in zip(cues, edges, strict=True):
        assert 1 <= len(cue.lines) <= 2
        assert all(0 < line_width(line, max_chars) <= max_chars for line in cue.lines)
        assert cut.head <= cue.start < cue.end <= edge
        # No gap that only blinks.
        assert edge in (cue.end, last_frame) or edge - cue.end >= 2
        seconds = (cue.end - cue.start) / cut.fps
        assert seconds <= 7.0 + 1 / cut.fps
        # Too short to read only where the next caption or the scene's end leaves no more.
        hurried = seconds + 2 / cut.fps < max(5 / 6, sum(map(columns, cue.lines)) / 20)
        assert not hurried or edge - cue.end <= 2


_WORDS = st.text(st.sampled_from("abcdefghij.,'é"), min_size=1, max_size=60) | st.sampled_from(
    ["and", "the", "reef", "U.S.", "https://example.org/a/very/long/path?with=query&more=things", "{\\an8}", "end."]
)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(_WORDS, st.floats(0.02, 1.2), st.floats(0, 1.5)), min_size=1, max_size=25),
        min_size=1,
        max_size=3,
    ),
    st.sampled_from([42, 28, 22]),
    st.sampled_from([24, 30, 60]),
)
def test_any_speech_keeps_the_limits_and_loses_no_word(
    lines: list[list[tuple[str, float, float]]], max_chars: int, fps: int
) -> None:
    narrations = []
    for line in lines:
        at, words = 0.0, []
        for text, length, pause in line:
            words.append(Word(text=text, start_s=at, end_s=at + length))
            at += length + pause
        narrations.append(
            Narration(text=" ".join(text for text, _, _ in line), words=tuple(words), samples=int(at * 48_000) + 480)
        )
    cut = scene(narrations, fps=fps)
    cues = build_cues(cut, max_chars=max_chars, language="en")
    assert_within_limits(cut, cues, max_chars)
    shown = "".join("".join(line.split()) for cue in cues for line in cue.lines)
    whole = "".join("".join(narration.text.split()) for narration in narrations)
    assert shown.replace("-", "") == whole.replace("-", "")
    # However fast it is: each is seen for 5/6 s, or all for as long as there is time.
    least = min(-(-5 * fps // 6), (cut.frames - cut.tail - cut.head) // len(cues))
    assert all(cue.end - cue.start >= least for cue in cues)


@pytest.mark.parametrize("max_chars", [42, 28, 22])
@pytest.mark.parametrize("fps", [24, 30, 60])
def test_ordinary_speech_is_always_shown_long_enough_to_read(max_chars: int, fps: int) -> None:
    cut = scene([spoken(PROSE)], fps=fps)
    cues = build_cues(cut, max_chars=max_chars)
    assert_within_limits(cut, cues, max_chars)
    for cue in cues:
        seconds = (cue.end - cue.start) / fps
        assert seconds >= 5 / 6 - 1 / fps, cue.lines
        assert sum(map(len, cue.lines)) / seconds <= 20 + 20 / fps, cue.lines
    assert " ".join(line for cue in cues for line in cue.lines) == PROSE


@pytest.mark.parametrize("fps", [24, 30, 60])
def test_a_caption_appears_in_the_frame_in_which_its_first_word_sounds(fps: int) -> None:
    cut = scene([spoken(PROSE), spoken(PROSE)], fps=fps)
    offset_s = [line.start_sample / 48_000 for line in cut.lines]
    starts = {round(offset_s[at] + word.start_s, 6) for at, line in enumerate(cut.lines) for word in line.words}
    for cue in build_cues(cut, max_chars=42):
        first = cue.words[0]
        assert round(first.start_s, 6) in starts
        assert -1e-6 <= first.start_s - cue.start / fps < 1 / fps


def test_breaks_fall_where_the_sense_breaks() -> None:
    cues = build_cues(scene([spoken(PROSE)]), max_chars=42)
    leaning = {"a", "an", "the", "of", "to", "in", "by", "than", "Mr."}
    for cue in cues:
        assert cue.lines[-1].split()[-1] not in leaning, cue.lines
    whole = [cue for cue in cues if cue.lines[-1].endswith((".", ",", ";", '"'))]
    assert len(whole) >= len(cues) * 0.7


def test_awkward_text_is_shown_as_typed() -> None:
    cues = build_cues(scene([spoken(AWKWARD)]), max_chars=42)
    assert [line for cue in cues for line in cue.lines] == [AWKWARD]


def test_a_word_longer_than_a_line_is_cut_and_nothing_of_it_is_lost() -> None:
    address = "https://example.org/reports/2024/the-state-of-the-reef/appendix-b.html#table-3"
    cut = scene([spoken(f"See {address} now.")])
    cues = build_cues(cut, max_chars=22)
    assert_within_limits(cut, cues, 22)
    assert "".join(line for cue in cues for line in cue.lines).replace(" ", "") == f"See{address}now."


ADDRESSES = [
    "https://example.org/reports/2024/the-state-of-the-reef/appendix-b.html#table-3",
    "jane.doe-smith.department@very-long-subdomain.company.example.org",
    "https://example.org/" + "x" * 90,
    "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen",
]


@pytest.mark.parametrize("max_chars", [42, 28, 22])
@pytest.mark.parametrize("word", ADDRESSES)
@pytest.mark.parametrize("text", ["{}", "See {}", "Hi {} ok.", "It is all there. Go to {}. Now."])
def test_no_caption_flashes_by_because_an_address_follows(text: str, word: str, max_chars: int) -> None:
    cut = scene([spoken(text.format(word))])
    cues = build_cues(cut, max_chars=max_chars, language="de")
    assert_within_limits(cut, cues, max_chars)
    assert all(cue.end - cue.start >= 25 for cue in cues), cues
    lines = [line for cue in cues for line in cue.lines]
    assert not any(line.endswith("-") for line in lines) or word.isalpha()


@pytest.mark.parametrize(
    ("language", "text", "lines"),
    [
        (
            "ja",
            "日本の珊瑚礁は、とても小さな動物によって何百万年もかけて作られました。今では多くの魚がそこで暮らしています。",
            [
                "日本の珊瑚礁は、",
                "とても小さな動物によって",
                "何百万年もかけて作られました。",
                "今では多くの魚が",
                "そこで暮らしています。",
            ],
        ),
        ("zh", "今天天气非常好，我们去公园散步吧。", ["今天天气非常好，", "我们去公园散步吧。"]),
        (
            "th",
            "แนวปะการังเป็นบ้านของปลานับพันชนิดในทะเลเขตร้อน และสวยงาม",
            ["แนวปะการังเป็นบ้านของปลานับพัน", "ชนิดในทะเลเขตร้อน และสวยงาม"],
        ),
        ("ko", "산호초는 아주 작은 동물들이 만든 도시입니다.", ["산호초는 아주 작은", "동물들이 만든 도시입니다."]),
        (
            "de",
            "Am 5. Mai stieg es um 12 % an, sagt Dr. Müller.",
            ["Am 5. Mai stieg es um 12 % an,", "sagt Dr. Müller."],
        ),
    ],
)
def test_lines_end_where_a_reader_of_the_language_would_end_them(language: str, text: str, lines: list[str]) -> None:
    line = Narration(text=text, words=(), samples=len(text) * (9600 if language in ("ja", "zh") else 4800))
    cut = scene([line])
    cues = build_cues(cut, max_chars=42, language=language)
    assert_within_limits(cut, cues, 42)
    assert [line for cue in cues for line in cue.lines] == lines


def test_words_that_a_voice_makes_of_a_phrase_do_not_part_it() -> None:
    text = "とても小さな動物によって作られました。"
    words = ["とて", "も", "小さ", "な", "動物", "に", "よっ", "て", "作ら", "れ", "まし", "た", "。"]
    timed = tuple(Word(text=word, start_s=at / 4, end_s=(at + 1) / 4) for at, word in enumerate(words))
    cut = scene([Narration(text=text, words=timed, samples=4 * 48_000)])
    cues = build_cues(cut, max_chars=22, language="ja")
    assert [line for cue in cues for line in cue.lines] == ["とても小さな動物に", "よって作られました。"]
    assert [word.text for cue in cues for word in cue.words] == words


def test_a_silent_line_is_shown_for_its_whole_time() -> None:
    cut = scene([spoken("Nobody speaks. All of it can be read.", letters_a_second=4, silent=True)])
    cues = build_cues(cut, max_chars=42)
    line = cut.lines[0]
    assert cues[0].start == line.start_sample * 30 // 48_000
    assert cues[-1].end >= (line.start_sample + line.samples) * 30 // 48_000
    assert all(before.end == after.start for before, after in pairwise(cues))


def test_a_scene_without_lines_has_no_captions() -> None:
    assert build_cues(scene([]), max_chars=42) == ()


def test_lines_are_shorter_in_narrow_frames() -> None:
    assert [max_chars_for(*size) for size in ((1920, 1080), (854, 480), (1080, 1080), (1080, 1920))] == [42, 42, 28, 22]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 400), max_size=6))
@example([90])
def test_slices_show_every_frame_of_every_caption_once(cuts: list[int]) -> None:
    cut = scene([spoken(PROSE)])
    cues = build_cues(cut, max_chars=42)
    edges = sorted({0, cut.frames, *(edge for edge in cuts if edge < cut.frames)})
    shown: dict[int, tuple[str, ...]] = {}
    for start, end in pairwise(edges):
        for cue in slice_cues(cues, start, end, cut.fps):
            assert 0 <= cue.start < cue.end <= end - start
            for frame in range(start + cue.start, start + cue.end):
                assert frame not in shown
                shown[frame] = cue.lines
            original = next(one for one in cues if one.lines == cue.lines)
            assert cue.words[0].start_s + start / cut.fps == pytest.approx(original.words[0].start_s)
    assert shown == {frame: cue.lines for cue in cues for frame in range(cue.start, cue.end)}


def test_captions_of_a_programme_never_overlap_and_stay_within_their_scenes() -> None:
    cuts = [
        cut_scene(
            number,
            ScriptScene(narration=""),
            [("d", spoken(PROSE))],
            30,
            RenderPacing(transition_s=1.0, lead_s=0.0, tail_s=0.0),
            first=number == 1,
            last=number == 4,
            transition_in="crossfade",
            transition_out="crossfade",
        )
        for number in range(1, 5)
    ]
    whole = programme(cuts, [build_cues(cut, max_chars=42) for cut in cuts])
    assert all(before.end <= after.start for before, after in pairwise(whole.cues))
    assert whole.cues[-1].end <= whole.frames
    assert " ".join(line for cue in whole.cues for line in cue.lines) == " ".join([PROSE] * 4)
