"""Orders and texts: what is said to whoever makes a film never becomes the film, and no text is refused for its verbs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from config.errors import UnavailableError
from stages.base import CancelToken
from stages.models import Brief
from stages.script.offline.outline import OutlineWriter
from stages.script.offline.template import TemplateWriter

TABLE: dict[str, dict[str, list[Any]]] = yaml.safe_load(
    (Path(__file__).parents[2] / "tables" / "instructions.yaml").read_text(encoding="utf-8")
)


def rows(kind: str) -> list[tuple[str, Any]]:
    return [(language, row) for language, kinds in TABLE.items() for row in kinds[kind]]


def spoken(text: str, language: str) -> tuple[str, tuple[str, ...]]:
    script = OutlineWriter().write(Brief(title="", text=text, language=language), CancelToken(), 0)
    return " ".join(scene.narration for scene in script.scenes), script.notes


@pytest.mark.parametrize(("language", "text"), rows("refused"))
def test_what_is_no_text_is_refused(language: str, text: str) -> None:
    with pytest.raises(UnavailableError, match=r"is an order|is a topic"):
        OutlineWriter().check(Brief(title="", text=text, language=language))


@pytest.mark.parametrize(("language", "text"), rows("spoken"))
def test_a_text_is_spoken_whole(language: str, text: str) -> None:
    OutlineWriter().check(Brief(title="", text=text, language=language))
    said, notes = spoken(text, language)
    assert notes == ()
    letters = [character for character in text if character.isalpha()]
    assert [character for character in said if character.isalpha()] == letters


@pytest.mark.parametrize(("language", "row"), rows("left_out"))
def test_an_order_beside_a_text_is_left_out_and_named(language: str, row: dict[str, str]) -> None:
    said, notes = spoken(row["text"], language)
    assert said == row["text"].replace(row["order"], "").strip()
    assert notes == (f"left out, as it is said to whoever makes the film: “{row['order']}”",)


def test_the_last_resort_reads_no_order_out_either() -> None:
    row = TABLE["en"]["left_out"][0]
    script = TemplateWriter().write(Brief(title="", text=row["text"]), CancelToken(), 0)
    assert " ".join(scene.narration for scene in script.scenes) == row["text"].replace(row["order"], "").strip()
    assert "Write about tides." in script.notes[0]
    with pytest.raises(UnavailableError):
        TemplateWriter().check(Brief(title="", text="Explain how tides work. Keep it short."))


def test_an_order_before_a_book_is_left_out() -> None:
    book = " ".join(f"In the year {year} the harbour was rebuilt by the town." for year in range(1700, 1800))
    said, notes = spoken(f"Please make a video about our harbour. Keep it short. {book}", "en")
    assert said == book
    assert "Please make a video about our harbour. Keep it short." in notes[0]


def test_an_order_is_known_in_english_whatever_the_brief_is_written_in() -> None:
    for language in ("de", "fr", "pl", "ja"):
        with pytest.raises(UnavailableError):
            OutlineWriter().check(Brief(title="", text="Make a video about tides. Keep it short.", language=language))


def test_an_order_that_stands_as_a_heading_is_not_shown_either() -> None:
    prose = "The old mill stands by the river. It ground flour for three hundred years. In 1953 the wheel stopped."
    for line in ("Make a video about mills", "Topic: mills"):
        script = OutlineWriter().write(Brief(title="Mills", text=f"{line}\n\n{prose}"), CancelToken(), 0)
        assert " ".join(scene.narration for scene in script.scenes) == prose
        assert all(line not in scene.heading for scene in script.scenes)
        assert script.notes == (f"left out, as it is said to whoever makes the film: “{line}”",)
