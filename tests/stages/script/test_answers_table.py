"""The tables of what models answer: what is read out of an answer, and what of a narration is spoken."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from many_answers import check_answer

from stages.script.llm.answer import Answer, AnswerError, read_answer
from stages.script.llm.narration_text import heading, spoken
from stages.script.llm.refusals import is_refusal

HERE = Path(__file__).parents[2]


def table(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((HERE / "tables" / f"{name}.yaml").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("row", table("answers"), ids=lambda row: row["case"])
def test_an_answer_that_a_person_would_read_is_read_and_no_other(row: dict[str, Any]) -> None:
    answer = Answer(row.get("answer", ""), row.get("thoughts", ""), row.get("finish", "stop"))
    try:
        found: Any = [scene.narration for scene in read_answer(answer)]
    except AnswerError as error:
        found = error.fault
    assert found == (row.get("fault") or row["narrations"])


@pytest.mark.parametrize("row", table("refusals"), ids=lambda row: row["text"][:40])
def test_a_refusal_is_told_from_a_tale(row: dict[str, Any]) -> None:
    assert is_refusal(row["text"]) is row["is_refusal"]


@pytest.mark.parametrize("row", table("spoken"), ids=lambda row: row["source"][:40])
def test_a_narration_is_its_words_and_nothing_else(row: dict[str, Any]) -> None:
    found = spoken(row["source"])
    assert (found.text, list(found.left_out)) == (row["text"], row.get("left_out", []))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("**Scene 1: The Light.**", "The Light"),
        ("🎬 Intro", "Intro"),
        ("1984.", "1984"),
        ("Scene 4", ""),
        ("“The Sea”", "The Sea"),
        ("-40 degrees", "-40 degrees"),
    ],
)
def test_a_heading_is_its_words(source: str, text: str) -> None:
    assert heading(source) == text


@pytest.mark.parametrize("seed", range(60))
def test_scenes_survive_however_an_answer_is_dressed(seed: int) -> None:
    check_answer(random.Random(seed))
