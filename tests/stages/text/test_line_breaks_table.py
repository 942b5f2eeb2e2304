"""Where lines may end, in many languages: tables/line_breaks.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.text.clusters import clusters, columns
from stages.text.line_breaks import Seam, cut_to_fit, is_address, pieces
from stages.text.phrases import has_spaceless
from stages.text.sentences import ends_sentence

TABLE: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[2] / "tables/line_breaks.yaml").read_text(encoding="utf-8")
)


def marked(text: str, language: str) -> str:
    """A text as the table has it: `|` where a line may end, `~` where it should not though there is a space."""
    shown = ""
    for piece in pieces(text, language):
        mark = "~" if piece.seam is Seam.BOUND else "|"
        shown += (mark if shown else "") + piece.text
    return shown


@pytest.mark.parametrize("row", TABLE["parts"], ids=lambda row: row["text"][:24])
def test_a_text_breaks_where_a_reader_would(row: dict[str, Any]) -> None:
    wanted = row["text"]
    compounds = {"well-|known": "well-known", "and/|or": "and/or"}
    source = wanted
    for parted, whole in compounds.items():
        source = source.replace(parted, whole)
    source = source.replace("~", " ").replace("|", "" if has_spaceless(wanted) else " ")
    assert marked(source, row["language"]) == wanted


@pytest.mark.parametrize("row", TABLE["cuts"], ids=lambda row: row["word"][:16])
def test_what_is_wider_than_a_line_parts_where_it_hurts_least(row: dict[str, Any]) -> None:
    assert cut_to_fit(row["word"], row["language"], columns, row["most"]) == row["parts"]


@pytest.mark.parametrize(("word", "following", "ends"), TABLE["ends"])
def test_an_abbreviation_ends_no_sentence(word: str, following: str, ends: bool) -> None:
    assert ends_sentence(word, following) is ends


@pytest.mark.parametrize("wanted", [True, False])
def test_addresses_are_known_from_other_words_with_marks(wanted: bool) -> None:
    assert [is_address(word) for word in TABLE["addresses"][wanted]] == [wanted] * len(TABLE["addresses"][wanted])


_CHARS = st.sampled_from("ab-/.@1%ß 今日はっー。「」ๆนี้เก่าຂອງខ្ញុំမြန်\u0301\u200d👩👧🇩🇪\u200b\u00ad")


@settings(max_examples=150, deadline=None)
@given(st.text(_CHARS, max_size=60), st.sampled_from(["en", "de", "ja", "zh-TW", "th", ""]), st.integers(1, 20))
def test_nothing_is_lost_and_no_character_is_torn(text: str, language: str, most: int) -> None:
    whole = pieces(text, language)
    assert "".join(piece.text for piece in whole) == "".join(text.split())
    for piece in whole:
        parts = cut_to_fit(piece.text, language, columns, most)
        assert without_hyphens("".join(parts)) == without_hyphens(piece.text)
        assert all(columns(part) <= most or len(clusters(part.removesuffix("-"))) == 1 for part in parts)


def without_hyphens(text: str) -> str:
    return text.replace("\u00ad", "").replace("-", "")
