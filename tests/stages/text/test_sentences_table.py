"""Where sentences end: three hundred a language, of abbreviations, ordinals, quotations and what else misleads."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.text.sentences import ends_sentence, sentences

LANGUAGES = ("en", "de", "fr", "es", "it")
TABLES = {
    language: [
        block.splitlines()
        for block in yaml.safe_load(
            (Path(__file__).parents[2] / f"tables/sentences_{language}.yaml").read_text(encoding="utf-8")
        )
    ]
    for language in LANGUAGES
}
# A word and what follows it in a text: whether a sentence ends between them.
PLACES: list[tuple[str, str, str, bool]] = [
    ("en", "lives in the U.S.", "The next", True),
    ("en", "for the U.S.", "Senate", False),
    ("en", "at 5 p.m.", "Nobody came", True),
    ("en", "at 5 p.m.", "Friday", False),
    ("en", "said no.", "Then", True),
    ("en", "in No.", "5", False),
    ("en", "in vol.", "XII", False),
    ("en", "apples, etc.", "Plums", True),
    ("en", "apples, etc.", "are", False),
    ("en", "by Smith et al.", "The", True),
    ("en", "by Smith et al.", "Nature", False),
    ("en", "J. R. R.", "Tolkien", False),
    ("en", "plan B.", "Then", True),
    ("en", "“Go!”", "Anna said", False),
    ("en", "“Go!”", "Anna ran", True),
    ("en", "in January.", "iPhones", True),
    ("de", "am 3.", "Mai", False),
    ("de", "auf Platz 3.", "Dann", True),
    ("de", "im Jahr 1914.", "Im", True),
    ("de", "Ludwig XIV.", "König", False),
    ("de", "z.", "B.", False),
    ("de", "5 Mio.", "Euro", False),
    ("de", "5 Mio.", "Das", True),
    ("fr", "M.", "Le Pen", False),
    ("fr", "44 av. J.-C.", "Il", True),
    ("fr", "Th.", "Gautier", False),
    ("es", "en EE.", "UU.", False),
    ("es", "en EE. UU.", "La", True),
    ("es", "el Sr.", "López", False),
    ("it", "44 a.C.", "Nel", True),
    ("it", "il dott.", "Rossi", False),
    ("it", "detto no.", "Nel", True),
    ("ja", "終わりました。", "次", True),
]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_table_has_three_hundred_sentences_and_no_more_than_one_passage_in_a_hundred_is_cut_wrongly(
    language: str,
) -> None:
    table = TABLES[language]
    assert sum(map(len, table)) >= 300
    wrong = [passage for passage in table if sentences(" ".join(passage), language) != passage]
    assert len(wrong) * 100 <= len(table), wrong


@pytest.mark.parametrize(("language", "before", "after", "ends"), PLACES)
def test_a_stop_ends_a_sentence_or_belongs_to_its_word(language: str, before: str, after: str, ends: bool) -> None:
    text = f"We know {before} {after} and more."
    cut = len(sentences(text.replace(" 次", "次"), language)) == 2
    assert cut is ends


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        ("he came. he saw. he won.", "en", ["he came.", "he saw.", "he won."]),
        ("1. Open it. 2. Close it.", "en", ["1. Open it.", "2. Close it."]),
        ("今天很好。“好的。”他说。", "zh", ["今天很好。", "“好的。”他说。"]),
        ("これは本です。「そうですか。」と彼は言った。", "ja", ["これは本です。", "「そうですか。」と彼は言った。"]),
        ("هل تعرف؟ نعم أعرف.", "ar", ["هل تعرف؟", "نعم أعرف."]),
        ("यह है। वह है।", "hi", ["यह है।", "वह है।"]),
        ("Alpha beta. Gamma.", "xx", ["Alpha beta.", "Gamma."]),
        ("Done. 🎉", "en", ["Done. 🎉"]),
        ("5'10\" tall. He left. She stayed.", "en", ["5'10\" tall.", "He left.", "She stayed."]),
        ("At 9 a.m. Dr. No left. He ran.", "en", ["At 9 a.m. Dr. No left.", "He ran."]),
        ("", "en", []),
    ],
)
def test_other_scripts_and_odd_texts(text: str, language: str, found: list[str]) -> None:
    assert sentences(text, language) == found


def test_a_word_alone_ends_a_sentence_unless_its_stop_is_an_abbreviations() -> None:
    assert ends_sentence("end.")
    assert ends_sentence("no.")
    assert not ends_sentence("etc.")
    assert not ends_sentence("J.")
    assert not ends_sentence("end")


def test_a_quotation_that_nobody_closes_holds_no_more_than_a_few_sentences_together() -> None:
    assert len(sentences("“" + "The lamp is lit. " * 60, "en")) > 40


_TEXTS: Any = st.text(
    st.sampled_from("ab Z.A!?…\"'()“”„«»¿¡ 12。」「iI-—\u00a0é") | st.characters(codec="utf-8"), max_size=120
)


@settings(max_examples=200, deadline=None)
@given(_TEXTS, st.sampled_from([*LANGUAGES, "ja", "xx", ""]))
def test_nothing_is_lost_and_nothing_is_added(text: str, language: str) -> None:
    assert re.sub(r"\s", "", "".join(sentences(text, language))) == re.sub(r"\s", "", text)
