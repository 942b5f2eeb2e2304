"""How narration is cut into lines."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.speech.normalise.split_lines import LONGEST, split_lines


@pytest.mark.parametrize(
    ("narration", "language", "lines"),
    [
        (
            "Dr. Smith came at 7 p.m. with No. 5. He left, e.g. by bus. Why?!",
            "en",
            ["Dr. Smith came at 7 p.m. with No. 5.", "He left, e.g. by bus.", "Why?!"],
        ),
        ("Das ist z. B. am 3. Mai so. Ende gut.", "de", ["Das ist z. B. am 3. Mai so.", "Ende gut."]),
        ('"Go home. Now!" she said. He went.', "en", ['"Go home. Now!" she said.', "He went."]),
        (
            "今天天气很好。我们去海边吧！你觉得怎么样？“好的。”他说。",
            "zh",
            ["今天天气很好。", "我们去海边吧！", "你觉得怎么样？", "“好的。”他说。"],
        ),
        (
            "One line\nwrapped here.\n\nA title\n\n- first\n- second",
            "en",
            ["One line wrapped here.", "A title", "first", "second"],
        ),
        ("It costs $3.50 in v2.0.1 today. Good.", "en", ["It costs $3.50 in v2.0.1 today.", "Good."]),
        ("Done. 🎉", "en", ["Done. 🎉"]),
        ("🎉 ***", "en", []),
        ("", "en", []),
    ],
)
def test_lines_are_sentences_as_typed(narration: str, language: str, lines: list[str]) -> None:
    assert split_lines(narration, language) == lines


def test_text_without_any_mark_is_split_all_the_same() -> None:
    lines = split_lines("word " * 200, "en")
    assert len(lines) >= 4
    assert all(len(line) <= LONGEST for line in lines)
    assert " ".join(lines) == ("word " * 200).strip()


def test_a_long_sentence_parts_where_it_breathes() -> None:
    clause = "the lamp that stands above the harbour turns all night long without a pause for anyone"
    lines = split_lines(f"{clause}, {clause}, and {clause}; {clause}.", "en")
    assert all(line.endswith((",", ";", ".")) for line in lines)


def test_a_long_chinese_sentence_parts_at_its_own_marks() -> None:
    lines = split_lines("我们今天一起去海边看了很久的日落，" * 8, "zh")
    assert len(lines) > 1
    assert all(line.endswith("，") for line in lines)


@given(
    st.text(alphabet=st.sampled_from('abZ. ,;!?"()„“”«»。，\n-*1好:…'), max_size=300),
    st.sampled_from(["en", "de", "zh", "xx"]),
)
@settings(max_examples=150, deadline=None)
def test_no_letter_is_lost_and_none_is_added(text: str, language: str) -> None:
    lines = split_lines(text, language)
    assert all(line == " ".join(line.split()) for line in lines)
    kept = "".join(char for char in "".join(lines) if char.isalnum())
    assert kept == "".join(char for char in text if char.isalnum())
