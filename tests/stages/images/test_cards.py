"""Typeset cards: what they say, where it stands, and that it can be read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from config.errors import CancelledError, UsageError
from stages.base import CancelToken
from stages.brief import load_brief
from stages.images.cards.backdrop import lay_over
from stages.images.cards.card import CardSpec, choose_layout, paint_ground, render_card
from stages.images.cards.card_provider import CardProvider
from stages.images.cards.content import find_quote, first_sentence, heading_of, support_line
from stages.images.cards.icons import icon_for
from stages.images.cards.layouts import CardPlan, plan_card
from stages.images.cards.palette import PALETTES, contrast, luminance, mix, palette_for
from stages.images.cards.safe_area import safe_bottom
from stages.images.cards.themes import THEMES, check_theme
from stages.images.picture_provider import PictureRequest
from stages.models import ListItem
from stages.script.script_stage import from_scenes
from stages.typeset.svg import document, rasterise

SIZES = [(640, 360), (360, 640), (360, 360)]
LONG_WORD = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz"


def spec(**changes: object) -> CardSpec:
    base = CardSpec(
        heading="Corals are animals",
        text="Each one is a tiny polyp that builds a skeleton of limestone.",
        index=2,
        total=9,
        brief_title="The living reef",
        theme="auto",
        seed=1,
        caption_safe=True,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


CARDS = {
    "title": spec(index=1),
    "statement": spec(),
    "number": spec(heading="A heat wave", text="In 2016, 90% of the northern reef was bleached."),
    "figure": spec(heading="How fast", text="It grows about 10 centimeters each year."),
    "list": spec(
        heading="Morning", text="- Wake up early\n- Drink water\n- Walk outside for ten minutes\n- Plan the day"
    ),
    "tasks": spec(
        items=(
            ListItem("Find the shop", "\u2611"),
            ListItem("Buy " + "very " * 40 + "old tea", "\u2610"),
            ListItem("Green", "•", 1),
            ListItem("Black", "•", 5),
            ListItem("Go home", "10"),
            ListItem("Rest", "11"),
            ListItem("Begin again", "12"),
        )
    ),
    "quote": spec(text="“If the reefs go, we lose more than a pretty picture,” said Sylvia Earle."),
    "one word": spec(heading="Go", text=""),
    "long word": spec(heading=LONG_WORD, text=LONG_WORD),
    "long heading": spec(heading="Why the long and winding history of the spice trade still decides " * 3),
    "right to left": spec(heading="ערים מתחת לים", text="שוניות האלמוגים מכסות פחות מאחוז אחד."),
}


def plan(card: CardSpec, size: tuple[int, int]) -> CardPlan:
    return plan_card(card, palette_for(card.theme, card.brief_title), *size)


def ground_under_text(card: CardSpec, made: CardPlan, size: tuple[int, int]) -> np.ndarray:
    pixels = paint_ground(card, made, palette_for(card.theme, card.brief_title), *size)
    lay_over(pixels, rasterise(document(*size, made.ornaments), *size, fonts=()))
    return pixels


# What a card says


@pytest.mark.parametrize(
    ("name", "layout"),
    [("title", "title"), ("statement", "statement"), ("number", "number"), ("list", "list"), ("quote", "quote")],
)
def test_words_choose_their_layout(name: str, layout: str) -> None:
    assert choose_layout(CARDS[name]) == layout


def test_items_of_a_list_come_first_whatever_else_the_text_holds() -> None:
    items = (ListItem("Boil 1.5 l", "1"), ListItem("Wait", "2"))
    assert choose_layout(spec(text="In 2016, 90% of it died.", items=items)) == "list"
    assert choose_layout(spec(index=1, items=items)) == "list"
    assert choose_layout(spec(text="Boil it.", items=items[:1])) == "statement"


@pytest.mark.parametrize(("size", "rows"), [((640, 360), 6), ((360, 360), 5), ((360, 640), 7)])
def test_a_list_that_is_too_long_says_how_many_more_there_are(size: tuple[int, int], rows: int) -> None:
    items = tuple(ListItem(f"Thing number {number}", str(number)) for number in range(1, 13))
    shown = [" ".join(block.fitted.lines) for block in plan(spec(items=items), size).blocks if block.role == "item"]
    assert shown == [*(f"Thing number {number}" for number in range(1, rows)), f"+{13 - rows}"]


def test_items_without_a_word_and_cards_without_a_heading_do_no_harm() -> None:
    items = (ListItem(" ", "1"), ListItem("Two", "2"), ListItem("Three", "3"))
    for size in SIZES:
        made = plan(spec(heading="", text="", brief_title="", items=items), size)
        assert [block.fitted.lines[0] for block in made.blocks if block.role == "item"] == ["Two", "Three"]


def test_items_keep_their_numbers_and_stand_in_as_deep_as_they_were() -> None:
    items = (ListItem("Three", "3"), ListItem("Green", "•", 1), ListItem("Four", "4"))
    blocks = plan(spec(items=items), (640, 360)).blocks
    assert [block.fitted.lines[0] for block in blocks if block.role == "index"] == ["3", "4"]
    lefts = [block.x for block in blocks if block.role == "item"]
    assert lefts[0] == lefts[2] < lefts[1]


def test_a_quotation_has_its_speaker_and_a_quoted_word_is_none() -> None:
    quote = find_quote("“We lose more than a picture,” said Sylvia Earle.")
    assert quote is not None
    assert (quote.words, quote.speaker) == ("We lose more than a picture", "Sylvia Earle")
    assert find_quote("They call it “the reef”.") is None


def test_a_missing_heading_is_taken_from_the_text_and_not_repeated_below() -> None:
    card = spec(heading="", text="Dr. Watson saw 3.5 fish. He left.")
    assert first_sentence(card.text) == "Dr. Watson saw 3.5 fish."
    assert heading_of(card) == "Dr. Watson saw 3.5 fish."
    assert support_line(card) == ""
    assert heading_of(spec(heading="", index=1)) == "The living reef"


def test_a_list_without_a_heading_does_not_take_its_first_item_for_one() -> None:
    items = (ListItem("Boil it", "1"), ListItem("Wait", "2"))
    assert heading_of(spec(heading="", text="Boil it.\n\nWait.", items=items)) == "The living reef"
    assert heading_of(spec(heading="", text="Do this:\n\nBoil it.\n\nWait.", items=items)) == "Do this:"


def test_icons_are_found_through_word_endings() -> None:
    assert icon_for("The fishes") == icon_for("a fish") is not None
    assert icon_for("Qwzx") is None


# Where it stands


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", CARDS)
def test_text_stays_inside_the_card_and_above_the_captions(name: str, size: tuple[int, int]) -> None:
    width, height = size
    for block in plan(CARDS[name], size).blocks:
        patch = block.patch()
        assert patch.left >= 0.04 * width
        assert patch.right <= 0.96 * width
        assert patch.top >= 0.04 * height
        assert patch.bottom <= height * (1 - safe_bottom(*size)), block.role


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", CARDS)
def test_no_text_lies_on_other_text_and_none_is_tiny(name: str, size: tuple[int, int]) -> None:
    blocks = plan(CARDS[name], size).blocks
    boxes = [(block.patch(), block) for block in blocks]
    for at, (first, one) in enumerate(boxes):
        assert one.fitted.size_px >= 0.02 * min(size), one.role
        for second, other in boxes[at + 1 :]:
            apart = first.right <= second.left or second.right <= first.left
            # Boxes hold room for accents and descenders that may mingle; the letters' bodies must not.
            assert apart or one.bottom <= other.top + 1 or other.bottom <= one.top + 1, (one.role, other.role)


@settings(max_examples=25, deadline=None)
@given(
    st.text(st.sampled_from("abcdefgh XYZ-.,ß"), max_size=160),
    st.text(st.sampled_from("abcdefgh XYZ-.,%0123456789:\n“”"), max_size=300),
    st.sampled_from([*SIZES, (1996, 1124)]),
    st.booleans(),
)
def test_any_text_finds_a_place(heading: str, text: str, size: tuple[int, int], safe: bool) -> None:
    made = plan(spec(heading=heading, text=text, caption_safe=safe), size)
    floor = 1 - (safe_bottom(*size) if safe else 0.04)
    for block in made.blocks:
        patch = block.patch()
        assert patch.left >= 0
        assert patch.right <= size[0]
        assert patch.bottom <= size[1] * floor
    assert document(*size, made.ornaments)


def test_text_without_captions_below_may_use_the_foot_of_the_card() -> None:
    card = spec(heading="Morning", text="\n".join(f"- Do thing number {number} of the day" for number in range(1, 6)))
    lowest = max(block.patch().bottom for block in plan(replace(card, caption_safe=False), (640, 360)).blocks)
    assert lowest > 360 * (1 - safe_bottom(640, 360))


@pytest.mark.parametrize(("total", "marks"), [(1, 0), (9, 9), (24, 24), (25, 2), (3000, 2)])
def test_progress_is_shown_by_ticks_or_for_many_scenes_by_one_bar(total: int, marks: int) -> None:
    assert plan(spec(index=1, total=total, heading="Go", text=""), (640, 360)).ornaments.count("<rect") == marks


def test_right_to_left_text_mirrors_the_card() -> None:
    made = plan(CARDS["right to left"], (640, 360))
    assert made.focus[0] < 320
    assert all(block.anchor == "end" and block.x > 320 for block in made.blocks)
    assert all(block.font.tracking_em == 0 for block in made.blocks if not block.fitted.lines[0].isascii())


def test_a_long_heading_word_takes_the_whole_width_rather_than_shrink() -> None:
    long = next(block for block in plan(CARDS["long word"], (1920, 1080)).blocks if block.role == "heading")
    assert long.fitted.lines == (LONG_WORD,)
    assert not plan(CARDS["long word"], (1920, 1080)).has_focal


# That it can be read


@pytest.mark.parametrize("theme", PALETTES)
def test_text_reaches_the_contrast_that_accessibility_asks_for(theme: str) -> None:
    for at, (name, card) in enumerate(CARDS.items()):
        size = ((432, 244), (244, 432), (244, 244))[at % 3]
        card = replace(card, theme=theme, seed=at)
        made = plan(card, size)
        pixels = ground_under_text(card, made, size)
        for block in made.blocks:
            patch = block.patch()
            spot = pixels[int(patch.top) : int(patch.bottom) + 1, int(patch.left) : int(patch.right) + 1]
            light = np.asarray(luminance(spot.reshape(-1, 3)))
            worst = min(
                contrast(float(np.quantile(light, edge)), float(luminance(patch.fill))) for edge in (0.005, 0.995)
            )
            assert worst >= 4.5, (name, block.role)


def test_gradients_show_no_steps() -> None:
    """Steps are wide areas of one level with an edge. Grain leaves few equal neighbours, and means that move evenly."""
    pixels = render_card(spec(heading="Go", text="", seed=4), 640, 360)
    corner = pixels[300:, :200].astype(int)
    assert (np.diff(corner, axis=1) == 0).mean() < 0.4
    assert np.abs(np.diff(corner.mean(axis=(0, 2)))).max() < 1.0


# The same again


@pytest.mark.parametrize("name", ["title", "list"])
def test_the_same_card_gives_the_same_pixels_in_any_thread(name: str) -> None:
    once = render_card(CARDS[name], 320, 180)
    with ThreadPoolExecutor(2) as pool:
        others = pool.map(lambda _: render_card(CARDS[name], 320, 180), range(4))
    assert all(other.tobytes() == once.tobytes() for other in others)


def test_seed_and_scene_change_the_drawing() -> None:
    base = render_card(spec(), 160, 90)
    assert not np.array_equal(base, render_card(spec(seed=2), 160, 90))
    assert not np.array_equal(base, render_card(spec(index=3), 160, 90))


def test_a_card_has_exactly_the_size_asked_for() -> None:
    assert render_card(spec(), 333, 187).shape == (187, 333, 3)


def test_the_identity_names_all_that_pixels_depend_on() -> None:
    identity = CardProvider().identity()
    assert set(identity) == {"code", "resvg", "pillow", "numpy", "opencv", "icons", "breaks", "fonts"}
    assert all(identity.values())


# Colours


def test_a_theme_is_taken_by_name_and_auto_follows_the_title() -> None:
    assert palette_for("paper", "The sea") == PALETTES["paper"]
    assert palette_for("auto", "The living reefs") == PALETTES["ocean"]
    assert palette_for("auto", "Qwertz") == palette_for("auto", "  qwertz ")
    assert palette_for("auto", "Qwertz") != palette_for("auto", "Asdfgh")


def test_an_unknown_theme_names_the_known_ones() -> None:
    assert set(THEMES) == set(PALETTES)
    check_theme("auto")
    with pytest.raises(UsageError, match="'neon'") as caught:
        palette_for("neon", "")
    assert "ocean" in caught.value.hint


def test_mixing_and_contrast_follow_their_definitions() -> None:
    assert mix("#123456", "#fedcba", 0) == "#123456"
    assert mix("#123456", "#fedcba", 1) == "#fedcba"
    assert contrast(float(luminance("#ffffff")), float(luminance("#000000"))) == pytest.approx(21)


# The provider


def request(**changes: object) -> PictureRequest:
    base = PictureRequest(
        heading="Hello",
        text="A card.",
        prompt="",
        index=2,
        total=3,
        brief_title="T",
        theme="auto",
        seed=0,
        width=200,
        height=112,
        caption_safe=True,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def test_the_provider_writes_a_picture_of_the_size_asked_for(tmp_path: Path) -> None:
    path = CardProvider().draw(request(), CancelToken(), tmp_path)
    assert path.parent == tmp_path
    with Image.open(path) as image:
        assert (image.size, image.mode, image.format) == ((200, 112), "RGB", "PNG")


def test_a_cancelled_card_is_not_written(tmp_path: Path) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(CancelledError):
        CardProvider().draw(request(), cancel, tmp_path)
    assert list(tmp_path.iterdir()) == []


# From the brief


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.md", "---\ntitle: T\n---\n## Steps\nHow:\n\n3. Boil **it**\n4. Wait\n   - [x] long\n"),
        ("a.txt", "T\n\n## Steps\nHow:\n\n3. Boil it\n4. Wait\n   - [x] long\n"),
        (
            "a.yaml",
            "title: T\nscenes:\n - heading: Steps\n   narration: |\n    How:\n\n    3. Boil it\n    4. Wait\n       - [x] long\n",
        ),
        (
            "a.json",
            '{"title": "T", "scenes": [{"heading": "Steps", "narration": "How:\\n\\n3. Boil it\\n4. Wait\\n   - [x] long"}]}',
        ),
    ],
)
def test_a_list_of_a_brief_is_shown_as_one_and_spoken_as_sentences(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    (scene,) = from_scenes(load_brief(tmp_path / name)).scenes
    assert scene.items == (ListItem("Boil it", "3"), ListItem("Wait", "4"), ListItem("long", "☑", 1))
    assert scene.narration.split("\n\n") == ["How:", "Boil it.", "Wait.", "long."]
