"""Briefs made at random: nothing is lost without a word, and nothing ends in a traceback. Thousands more in `make test-faults`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from many_briefs import Made, Maker, scrambled, written

from config.errors import BriefError
from stages.brief import canonical, parse_brief
from stages.models import Brief

_SAMPLE, _ALL = 300, 10_000


def read(format: str, text: str) -> Brief | tuple[str, ...]:
    try:
        return parse_brief(text, format=format, base=Path("/nowhere"), name="b")  # type: ignore[arg-type]
    except BriefError as error:
        return error.problems


def words_of(*texts: str) -> set[str]:
    return set(re.findall(r"a?quill\d+", " ".join(texts)))


def check(made: Made) -> None:
    found = read(made.format, made.text)
    if made.is_no_text:
        assert not isinstance(found, Brief), made.text
        return
    if made.refusals:
        assert not isinstance(found, Brief), made.text
        for refusal in made.refusals:
            is_second = any("this scene has one already" in problem for problem in found)
            assert is_second or any(refusal in problem for problem in found), (refusal, found, made.text)
        return
    assert isinstance(found, Brief), (found, made.text)
    spoken = words_of(*(scene.narration for scene in found.scenes), *(scene.heading for scene in found.scenes))
    warned = words_of(*found.warnings)
    assert set(made.said) <= spoken, (set(made.said) - spoken, made.text)
    assert set(made.named) <= spoken | warned, (set(made.named) - spoken - warned, made.text)
    assert not set(made.hidden) & spoken, (set(made.hidden) & spoken, made.text)


def check_all(first: int, count: int) -> None:
    for seed in range(first, first + count):
        check(Maker(seed).brief())


def check_scrambled(first: int, count: int) -> None:
    for seed in range(first, first + count):
        made = Maker(seed).brief()
        found = read(made.format, scrambled(made.text, seed))
        assert found
        if isinstance(found, Brief):
            assert canonical(found)


def test_each_word_of_a_brief_is_spoken_or_named() -> None:
    check_all(0, _SAMPLE)


_MARKS = r"""* ** _ __ ~~ ~ == [ ] | # ! . , ? ; ' " & @ $ ° \ """
_SPACED = [
    "## ",
    "> ",
    "- ",
    "+ ",
    "* ",
    "\n1. ",
    "\n12) ",
    "•\t",
    "    ",
    "\t",
    "---\n",
    "===\n",
    "\n",
    "\n\n",
    " ",
    "\u00a0",
]
_TOKENS = [*_MARKS.split(), *_SPACED, *(f"quill{number}" for number in range(20, 40))]


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(_TOKENS), min_size=3, max_size=30).map("".join), st.sampled_from(["md", "txt", "json"]))
def test_no_mark_hides_a_word_without_naming_it(body: str, format: str) -> None:
    """Marks in any order. None of them may hold what no reader sees: words are lost by no mistake but ours."""
    text = f"## One\n\nSo it is. {body}" if format != "json" else json.dumps({"text": f"## One\n\nSo it is. {body}"})
    found = read(format, text)
    if isinstance(found, Brief):
        shown = [found.title, *(f"{scene.heading} {scene.narration}" for scene in found.scenes), *found.warnings]
        assert words_of(body) <= words_of(*shown)


def test_a_brief_in_pieces_is_read_or_refused() -> None:
    check_scrambled(0, _SAMPLE)


def test_the_same_scenes_are_the_same_film_in_every_format() -> None:
    for seed in range(_SAMPLE // 3):
        scenes = Maker(seed).scenes(refused=False)
        films = [_film(read(format, written(format, scenes).text)) for format in ("md", "txt", "yaml", "json")]
        assert films[0] == films[1] == films[2] == films[3], scenes


def _film(found: Brief | tuple[str, ...]) -> list[tuple[str, str]]:
    return [(scene.heading, scene.narration) for scene in found.scenes] if isinstance(found, Brief) else []


@pytest.mark.faults
def test_each_word_of_ten_thousand_briefs_is_spoken_or_named() -> None:
    check_all(_SAMPLE, _ALL)


@pytest.mark.faults
def test_ten_thousand_briefs_in_pieces_are_read_or_refused() -> None:
    check_scrambled(_SAMPLE, _ALL)
