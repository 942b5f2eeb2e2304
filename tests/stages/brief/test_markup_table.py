"""The table of markup: every source gives its plain words, and names what is left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from stages.text.markup import ended, plain_line, plain_text, read_markup

_TABLE = yaml.safe_load((Path(__file__).parents[2] / "tables" / "markup.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("row", _TABLE, ids=lambda row: row["case"])
def test_markup_becomes_the_words_that_are_read(row: dict[str, Any]) -> None:
    plain = plain_text(row["source"])
    assert plain.text == row["text"]
    assert [f"{item.what}: {item.words}" for item in plain.left_out] == row.get("left_out", [])


def test_a_title_keeps_what_would_begin_a_block() -> None:
    assert plain_line("1984. A *novel* & more").text == "1984. A novel & more"
    assert plain_line("## - 5 [degrees](x)").text == "- 5 degrees"


def test_everything_knows_its_line() -> None:
    source = "# T\n\ntext\n![a](b.png){hold=2} \n\n\n~~gone~~ here\n\n```\ncode\n```\n"
    markup = read_markup(source, first_line=5)
    assert [(block.kind, block.text, block.line) for block in markup.blocks] == [
        ("heading", "T", 5),
        ("prose", "text", 7),
        ("picture", "b.png", 8),
        ("attributes", "hold=2", 8),
        ("prose", "here", 11),
    ]
    assert [(item.what, item.line) for item in markup.left_out] == [("struck-out text", 11), ("a block of code", 13)]


def test_items_of_lists_keep_their_markers_and_depth() -> None:
    source = "1. Boil\n2. Add\n   - green\n\n   More.\n3) Wait\n\n- [ ] open\n- [x] done\n"
    source += "\n1984. A year.\n\n<ul><li>one</li></ul>\n"
    items = [(item.marker, item.level, item.text) for item in read_markup(source).blocks if item.kind == "item"]
    assert items == [
        ("1", 0, "Boil"),
        ("2", 0, "Add"),
        ("•", 1, "green"),
        ("", 0, "More."),
        ("3", 0, "Wait"),
        ("☐", 0, "open"),
        ("☑", 0, "done"),
        ("", 0, "1984. A year."),
        ("•", 0, "one"),
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Boil it", "Boil it."),
        ("Really?", "Really?"),
        ("お湯を沸かす", "お湯を沸かす。"),
        ("等三分钟", "等三分钟。"),
        ("पानी उबालें", "पानी उबालें।"),
        ("ต้มน้ำ", "ต้มน้ำ"),
        ("រង់ចាំ", "រង់ចាំ។"),
        ("اطبخ الطعام", "اطبخ الطعام."),
        ("물을 끓인다", "물을 끓인다."),
    ],
)
def test_an_item_ends_as_a_sentence_of_its_script_does(text: str, sentence: str) -> None:
    assert ended(text) == sentence
    assert ended(sentence) == sentence


@pytest.mark.parametrize(
    "source",
    [
        "[" * 3000 + "word" + "]{.x}" * 3000,
        "{++==" * 3000 + "word" + "==++}" * 3000,
        "**==" * 3000 + "word" + "==**" * 3000,
        ">" * 3000 + "word",
        "- " * 3000 + "word",
        "> - 1. " * 3000 + "word",
        "\n".join("  " * depth + "- x" for depth in range(200)) + " word",
        "".join(" " * depth + "- \n" for depth in range(300)) + " " * 300 + "word",
        "<b>" * 3000 + "word" + "</b>" * 3000,
        "<div>" * 3000 + "word",
        "^[" * 3000 + "word",
        "![" * 3000 + "](a b)" * 3000 + "word",
        "[^" * 3000 + "word",
        "`" * 2999 + "word",
        "\\textbf{" * 3000 + "word" + "}" * 3000,
        "||^^::" * 3000 + "word" + "::^^||" * 3000,
        "[[1](" * 3000 + "word",
        "{a&&" * 3000 + "word",
        "– word\n" * 3000,
        "{{< highlight go >}}\n" * 3000 + "word",
        "````{note}\n" * 500 + "word",
    ],
)
def test_deep_and_broken_nesting_ends_and_keeps_the_word(source: str) -> None:
    markup = read_markup(source)
    everything = [block.text for block in markup.blocks] + [item.words for item in markup.left_out]
    assert any("word" in text for text in everything)
