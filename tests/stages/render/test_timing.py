"""Where everything falls in time: whole frames, whole samples, exact sums."""

from __future__ import annotations

from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import UsageError
from stages.models import Narration, ScriptScene, TransitionName, Word
from stages.render.specs import RenderPacing, SceneCut
from stages.render.timing import SAMPLE_RATE_HZ, cut_scene, programme, slices

FEW = settings(max_examples=60, deadline=None)


def narration(samples: int, text: str = "One two.", words: tuple[Word, ...] = (), **more: object) -> Narration:
    return Narration(text=text, words=words, samples=samples, **more)  # type: ignore[arg-type]


def cut_all(
    scenes: list[tuple[list[int], float]], transitions: list[TransitionName], fps: int, pacing: RenderPacing
) -> list[SceneCut]:
    """Cuts of scenes given as (samples of each line, hold); `transitions[i]` leads into scene i."""
    last = len(scenes) - 1
    return [
        cut_scene(
            at + 1,
            ScriptScene(narration="", hold_s=hold),
            [(f"d{at}.{number}", narration(samples)) for number, samples in enumerate(lines)],
            fps,
            pacing,
            first=at == 0,
            last=at == last,
            transition_in=transitions[at],
            transition_out=transitions[at + 1] if at < last else "cut",
        )
        for at, (lines, hold) in enumerate(scenes)
    ]


@st.composite
def cut_lists(draw: st.DrawFn) -> tuple[list[SceneCut], int]:
    lines = st.lists(st.integers(1, 300_000), max_size=3)
    scenes = draw(st.lists(st.tuples(lines, st.floats(0, 4)), min_size=1, max_size=8))
    transitions = draw(st.lists(st.sampled_from(get_args(TransitionName)), min_size=len(scenes), max_size=len(scenes)))
    fps = draw(st.sampled_from([24, 25, 30, 50, 60]))
    pacing = RenderPacing(
        transition_s=draw(st.floats(0, 3)), lead_s=draw(st.floats(0, 1)), tail_s=draw(st.floats(0, 1))
    )
    return cut_all(scenes, transitions, fps, pacing), fps


@FEW
@given(cut_lists(), st.integers(1, 200))
def test_slices_and_transitions_cover_every_frame_exactly_once(made: tuple[list[SceneCut], int], longest: int) -> None:
    cuts, _ = made
    whole = programme(cuts)
    at = 0
    for start, cut in zip(whole.starts, cuts, strict=True):
        assert start == at
        if cut.head:
            at += cut.head
        for first, after in slices(cut, longest):
            assert at == start + first
            assert 0 < after - first <= longest
            at = start + after
        assert at == start + cut.frames - cut.tail
    assert at == whole.frames == sum(cut.frames for cut in cuts) - sum(cut.head for cut in cuts)


@FEW
@given(cut_lists())
def test_neighbours_agree_on_the_frames_they_share(made: tuple[list[SceneCut], int]) -> None:
    cuts, _ = made
    assert cuts[0].head == 0
    assert cuts[-1].tail == 0
    for before, after in pairwise(cuts):
        assert before.tail == after.head
        assert (after.head == 0) or after.transition_in != "cut"
    assert all(cut.frames - cut.head - cut.tail >= 1 for cut in cuts)


@FEW
@given(cut_lists())
def test_sound_is_as_long_as_the_frames_and_every_line_has_its_own_place(made: tuple[list[SceneCut], int]) -> None:
    cuts, fps = made
    whole = programme(cuts)
    assert whole.samples * fps == whole.frames * SAMPLE_RATE_HZ
    end = 0
    for line in whole.lines:
        assert line.at_sample >= end
        end = line.at_sample + line.samples
    assert end <= whole.samples
    assert len(whole.lines) == sum(len(cut.lines) for cut in cuts)


@FEW
@given(cut_lists())
def test_nobody_speaks_in_shared_frames(made: tuple[list[SceneCut], int]) -> None:
    cuts, fps = made
    for cut in cuts:
        for line in cut.lines:
            assert line.start_sample >= cut.head * SAMPLE_RATE_HZ // fps
            assert line.start_sample + line.samples <= (cut.frames - cut.tail) * SAMPLE_RATE_HZ // fps


@pytest.mark.parametrize("name", ["crossfade", "fade", "slide"])
def test_a_transition_makes_no_longer_pause_than_a_cut(name: TransitionName) -> None:
    scenes: list[tuple[list[int], float]] = [([96_000], 0.0), ([96_000], 0.0)]
    pauses = []
    for transition in ("cut", name):
        first, second = programme(cut_all(scenes, ["cut", transition], 30, RenderPacing())).lines
        pauses.append((second.at_sample - first.at_sample - first.samples) / SAMPLE_RATE_HZ)
    assert pauses[0] == pytest.approx(RenderPacing().tail_s + RenderPacing().lead_s, abs=1 / 30)
    assert pauses[1] == pytest.approx(pauses[0], abs=2 / 30)


def test_a_scene_without_words_lasts_as_long_as_asked() -> None:
    (cut,) = cut_all([([], 1.5)], ["cut"], 25, RenderPacing(empty_scene_s=2.0))
    assert cut.frames == round(3.5 * 25)


def test_a_scene_shorter_than_its_transitions_still_has_a_frame_of_its_own() -> None:
    cuts = cut_all([([], 0.0)] * 3, ["crossfade"] * 3, 30, RenderPacing(transition_s=3.0, empty_scene_s=0.1))
    assert [cut.frames for cut in cuts] == [91, 181, 91]
    assert [slices(cut, 100) for cut in cuts] == [[(0, 1)], [(90, 91)], [(90, 91)]]


def test_errors_do_not_add_up_over_thousands_of_scenes() -> None:
    scenes: list[tuple[list[int], float]] = [([7_777], 0.0)] * 3000
    whole = programme(cut_all(scenes, ["crossfade"] * 3000, 24, RenderPacing()))
    assert whole.samples == whole.frames * 2000
    assert whole.starts[-1] < whole.frames
    assert len(whole.lines) == 3000


@pytest.mark.parametrize("fps", [29, 0, -30])
def test_a_frame_rate_without_whole_samples_is_refused(fps: int) -> None:
    with pytest.raises(UsageError, match="whole number of sound samples") as caught:
        cut_all([([1000], 0.0)], ["cut"], fps, RenderPacing())
    assert "24, 25, 30" in caught.value.hint


def test_no_scenes_at_all_are_refused() -> None:
    with pytest.raises(UsageError, match="no scenes"):
        programme([])


@pytest.mark.parametrize(
    ("spoken", "text"),
    [
        ((), "The reef is a city."),
        (("The", "reef", "is", "a", "city"), "The reef is a city."),
        (("the", "reef"), "The reef is a city."),
        (("It", "'s", "50", "%"), "It's 50%"),
        (("New York", "is", "big."), "New York is big."),
    ],
)
def test_shown_words_are_the_words_of_the_text_whatever_the_provider_timed(spoken: tuple[str, ...], text: str) -> None:
    words = tuple(Word(text=one, start_s=0.3 * at, end_s=0.3 * at + 0.25) for at, one in enumerate(spoken))
    cut = cut_scene(
        1,
        ScriptScene(narration=text),
        [("d", narration(96_000, text, words))],
        30,
        RenderPacing(),
        first=True,
        last=True,
        transition_in="cut",
        transition_out="cut",
    )
    shown = cut.lines[0].words
    assert " ".join(word.text for word in shown).split() == text.split()
    assert all(word.start_s <= word.end_s <= 2.0 for word in shown)
    assert all(before.end_s <= after.start_s for before, after in pairwise(shown))


def test_times_that_run_backwards_or_past_the_end_are_put_right() -> None:
    words = (
        Word(text="One", start_s=1.0, end_s=0.5),
        Word(text="two", start_s=0.2, end_s=9.0),
        Word(text="three.", start_s=8.0, end_s=9.0),
    )
    (cut,) = [
        cut_scene(
            1,
            ScriptScene(narration=""),
            [("d", narration(96_000, "One two three.", words))],
            30,
            RenderPacing(),
            first=True,
            last=True,
            transition_in="cut",
            transition_out="cut",
        )
    ]
    times = [time for word in cut.lines[0].words for time in (word.start_s, word.end_s)]
    assert times == sorted(times)
    assert times[-1] <= 2.0
