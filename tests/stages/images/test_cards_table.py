"""What cards show of texts: tables/cards.yaml."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.images.cards.content import find_quote, first_sentence
from stages.images.cards.enumerations import find_items
from stages.images.cards.figures import find_figure

TABLE: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "tables/cards.yaml").read_text(encoding="utf-8"))
FIGURES = [(language, *row) for language, rows in TABLE["figures"].items() for row in rows]


@pytest.mark.parametrize(("language", "text", "wanted"), FIGURES, ids=lambda value: str(value)[:30])
def test_a_card_shows_a_figure_whole_and_only_what_is_true_of_it(language: str, text: str, wanted: Any) -> None:
    figure = find_figure(text, language)
    found = figure and [figure.lead, figure.value, figure.label, figure.share and pytest.approx(figure.share)]
    assert found == wanted


@pytest.mark.parametrize(("text", "items"), TABLE["items"], ids=lambda value: str(value)[:30])
def test_an_item_is_never_cut_at_a_point_or_an_abbreviation(text: str, items: list[str]) -> None:
    assert [item.text for item in find_items(text)] == items


@pytest.mark.parametrize(("text", "sentence"), TABLE["sentences"])
def test_a_first_sentence_ends_where_it_ends(text: str, sentence: str) -> None:
    assert first_sentence(text) == sentence


_LIST = """12.5% of $1.2M 3.5 million € 5 km °C 1.000.000 3.10 24/7 No. 5. Mai approx. 1:3 U.S. bis 20 per_cent (about) people, the
    end. R&D €3,50 um und – % 90% Dr. 1,5 Mio. ... „30 %“"""
_WORDS = st.sampled_from([word.replace("_", " ") for word in _LIST.split()] + ["\n"])


@settings(max_examples=300, deadline=None)
@given(st.lists(_WORDS, max_size=14), st.sampled_from(["en", "de", "fr", "es", "it", "ja"]))
def test_whatever_stands_on_a_card_is_a_run_of_whole_words(words: list[str], language: str) -> None:
    text = " ".join(words)
    figure = find_figure(text, language)
    if figure is None:
        return
    for shown in filter(None, (figure.lead, figure.value, figure.label)):
        # A per cent that is a word is shown as its sign.
        assert is_run(shown, text) or is_run(shown, re.sub(r"(?<=\d) per cent", "%", text)), (shown, text)
    assert figure.share is None or 0 <= figure.share <= 1


def is_run(shown: str, text: str) -> bool:
    """Whether the words stand in the text one after the other and whole, but for marks around them."""
    return bool(re.search(rf"(?<!\S)[„“(]*{re.escape(shown)}[.,:;“)]*(?!\S)", " ".join(text.split())))


@pytest.mark.parametrize(("text", "wanted"), TABLE["quotes"])
def test_a_quotation_is_found_with_who_said_it(text: str, wanted: list[str] | None) -> None:
    quote = find_quote(text)
    assert (quote and [quote.words, quote.speaker]) == wanted
