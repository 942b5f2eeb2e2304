"""How numbers and what stands beside them are said in five languages: made from the rules of writing numbers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from stages.speech.reading import read

LANGUAGES = ("en", "de", "fr", "es", "it")
ROWS = [
    (language, written, accepted)
    for language in LANGUAGES
    for written, accepted in yaml.safe_load(
        (Path(__file__).parents[2] / f"tables/spoken_numbers_{language}.yaml").read_text(encoding="utf-8")
    )
]


def bare(text: str) -> str:
    """The words alone."""
    return " ".join(re.sub(r"[-.,;:!?]", " ", text.casefold()).split())


@pytest.mark.parametrize(("language", "written", "accepted"), ROWS, ids=[f"{row[0]}-{row[1]}" for row in ROWS])
def test_a_number_is_said_as_people_say_it(language: str, written: str, accepted: list[str]) -> None:
    reading = read(written, language)
    assert bare(reading.text) in [bare(said) for said in accepted], reading.text
    assert [token.shown for token in reading.tokens] == written.split()


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_eighty_examples(language: str) -> None:
    assert sum(row[0] == language for row in ROWS) >= 80


@pytest.mark.parametrize("written", ["It came 5 sec. later.", "A 10 min. walk ends here."])
def test_the_stop_of_a_unit_is_no_pause_within_a_sentence(written: str) -> None:
    assert read(written, "en").text.count(".") == 1
