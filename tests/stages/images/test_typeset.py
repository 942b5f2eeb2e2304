"""Fonts, widths, line breaks, and SVG turned into pixels."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import UnavailableError
from stages.typeset.direction import embedded, has_right_to_left, is_right_to_left, runs_right_to_left
from stages.typeset.fonts import DISPLAY, SANS, WIDE, FontSet, load_fonts, packaged_identity, regional_family
from stages.typeset.svg import document, escape, font_files, rasterise, text_element
from stages.typeset.text import ELLIPSIS, Font, fit, wrap

FEW = settings(max_examples=40, deadline=None)
TEXTS = st.lists(st.text(st.sampled_from("abcdefghijklmnoW-,.'é"), min_size=1, max_size=24), min_size=1, max_size=30)


def sans() -> Font:
    return Font(SANS, optical_size=26)


# Fonts


def test_the_packaged_families_are_there_and_loaded_once() -> None:
    fonts = load_fonts()
    assert {DISPLAY, SANS, WIDE} <= set(fonts.families)
    assert load_fonts() is fonts


def test_missing_glyphs_are_named_once_in_their_order() -> None:
    missing = load_fonts().missing_glyphs("a\u4e2dä\u6587 \u4e2d\u200d\ufe0f\n\t—ß")
    assert missing == ["\u4e2d", "\u6587"]


def test_emoji_are_left_out_of_pictures_and_not_missed() -> None:
    fonts = load_fonts()
    text = "Go \U0001f680! \U0001f44d\U0001f3fd \u2728 1\ufe0f\u20e3"
    assert fonts.missing_glyphs(text) == []
    assert fonts.left_out(text) == ["\U0001f680", "\U0001f44d", "\U0001f3fd", "\u2728", "\u20e3"]
    assert "".join(run.text for run in fonts.runs("Go \U0001f680!", DISPLAY)) == "Go !"
    assert sans().width("\U0001f680", 40) == 0


def test_all_of_europe_can_be_written() -> None:
    assert (
        load_fonts().missing_glyphs("Příliš žluťoučký kůň · Ελληνικά · Україна · Łódź · ñ ¿ ø å ğ ı ș ț € “”„«»…–—")
        == []
    )


def test_the_identity_is_of_bytes_and_not_of_places(tmp_path: Path) -> None:
    fonts = load_fonts()
    for file in fonts.files[:2]:
        shutil.copy(file.path, tmp_path / f"moved-{file.path.name}")
    more = load_fonts([tmp_path])
    moved = FontSet(more.files[-2:])
    assert moved.identity() == FontSet(fonts.files[:2]).identity()
    assert moved.identity() != fonts.identity()
    assert FontSet(tuple(reversed(fonts.files))).identity() == fonts.identity() == packaged_identity()


def test_a_broken_font_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.ttf").write_bytes(b"not a font at all")
    with pytest.raises(UnavailableError, match=r"broken\.ttf"):
        load_fonts([tmp_path])


def test_an_unknown_family_names_the_known_ones() -> None:
    with pytest.raises(UnavailableError, match="Comic") as caught:
        load_fonts().file_for("Comic")
    assert SANS in caught.value.hint


def test_text_that_the_wanted_family_lacks_is_set_in_one_other_family() -> None:
    runs = load_fonts().runs("Україна", DISPLAY, weight=600)
    assert len(runs) == 1
    assert runs[0].file.family in (SANS, WIDE)
    assert runs[0].text == "Україна"


@FEW
@given(st.text(st.sampled_from("ab ЯñΩ\u4e2d\u0301\u200d"), min_size=1, max_size=12))
def test_runs_put_together_are_the_text(text: str) -> None:
    assert "".join(run.text for run in load_fonts().runs(text, DISPLAY)) == text


@pytest.mark.parametrize(
    ("language", "family"),
    [
        ("ja", "JP"),
        ("ko-KR", "KR"),
        ("zh", "SC"),
        ("zh-Hans-TW", "SC"),
        ("zh-TW", "TC"),
        ("zh-Hant", "TC"),
        ("yue", "TC"),
    ],
)
def test_chinese_characters_have_the_shapes_of_their_language(language: str, family: str) -> None:
    assert regional_family(language) == f"Noto Sans {family}"
    inter = load_fonts().file_for(SANS)
    of_regions = [replace(inter, family=f"Noto Sans {region}") for region in ("JP", "KR", "SC", "TC")]
    fonts = FontSet([load_fonts().file_for(DISPLAY), *of_regions])
    (run,) = fonts.runs("Україна", DISPLAY, regional=regional_family(language))
    assert run.file.family == f"Noto Sans {family}"


def test_other_languages_have_no_shapes_of_their_own() -> None:
    assert [regional_family(language) for language in ("en", "de-AT", "th", "")] == [""] * 4


# Widths and lines


def test_widths_grow_with_size_weight_and_tracking() -> None:
    plain = sans().width("Reef", 40)
    assert sans().width("Reef", 80) == pytest.approx(2 * plain)
    assert Font(SANS, weight=700, optical_size=26).width("Reef", 40) > plain
    assert Font(SANS, optical_size=26, tracking_em=0.1).width("Reef", 40) == pytest.approx(plain + 4 * 4)


@FEW
@given(TEXTS, st.floats(60, 600), st.integers(1, 6))
def test_no_line_is_wider_than_its_box_and_words_keep_their_order(words: list[str], width: float, most: int) -> None:
    text = " ".join(words)
    lines = wrap(text, sans(), 32, width, most)
    assert len(lines) <= most
    assert all(sans().width(line, 32) <= width + 0.01 for line in lines)
    shown = "".join("".join(lines).split()).replace("-", "")
    whole = text.replace(" ", "").replace("-", "")
    if shown.endswith(ELLIPSIS):
        assert whole.startswith(shown[:-1].rstrip(",;:.-"))
    else:
        assert shown == whole


@FEW
@given(TEXTS, st.floats(120, 500), st.floats(40, 300))
def test_fitted_text_stays_in_its_box_or_says_that_it_was_cut(words: list[str], width: float, height: float) -> None:
    fitted = fit(" ".join(words), sans(), largest_px=60, smallest_px=20, width_px=width, height_px=height)
    assert 20 <= fitted.size_px <= 60
    assert fitted.height_px <= height + 0.01
    assert fitted.truncated == bool(fitted.lines and fitted.lines[-1].endswith(ELLIPSIS))


def test_lines_are_of_even_length_with_no_word_left_alone() -> None:
    lines = wrap("Reefs cover less than one percent of the ocean floor, yet shelter many species", sans(), 40, 640, 9)
    widths = [sans().width(line, 40) for line in lines]
    assert len(lines[-1].split()) > 1
    assert min(widths) > 0.6 * max(widths)


def test_a_smaller_size_is_preferred_to_a_broken_word() -> None:
    fitted = fit("Donaudampfschifffahrt", sans(), largest_px=80, smallest_px=20, width_px=400, height_px=300)
    assert fitted.lines == ("Donaudampfschifffahrt",)
    assert fitted.size_px < 80


def test_a_word_that_fits_no_line_is_cut_evenly_at_its_syllables() -> None:
    lines = wrap("Rindfleischetikettierungsüberwachungsaufgabe", sans(), 40, 420, 9, "de")
    assert lines == ["Rindfleischetiket-", "tierungsüberwa-", "chungsaufgabe"]
    assert all(line.endswith("-") for line in lines[:-1])
    assert "".join(line.rstrip("-") for line in lines) == "Rindfleischetikettierungsüberwachungsaufgabe"
    assert len(lines[-1]) > 0.6 * len(lines[0])


def test_addresses_are_cut_without_hyphens() -> None:
    lines = wrap("https://example.org/averyverylongnamewithoutanybreak123", sans(), 40, 300, 9)
    assert "".join(lines) == "https://example.org/averyverylongnamewithoutanybreak123"


def test_a_figure_and_its_unit_share_a_line_where_they_fit_one() -> None:
    lines = wrap("The whole reef lost 12 % of it", sans(), 40, 400, 9)
    assert any("12 %" in line for line in lines)
    assert wrap("Dr. Smith", sans(), 40, 120, 9) == ["Dr.", "Smith"]


# Direction


def test_direction_is_that_of_the_first_letter() -> None:
    assert runs_right_to_left("12: שלום abc")
    assert not runs_right_to_left("abc שלום")
    assert not runs_right_to_left("12 %")
    assert has_right_to_left("abc שלום")
    assert not has_right_to_left("äöü")
    assert embedded("x")[1:-1] == "x"


def test_a_script_in_a_language_code_decides_its_direction() -> None:
    right = ("ar", "he-IL", "fa", "ckb", "pa-Arab", "uz-Arab-AF")
    assert all(map(is_right_to_left, right))
    assert not any(map(is_right_to_left, ("en", "pa", "ar-Latn", "de-AT", "tr")))


# Pixels


def drawn(text: str, width: int = 240, height: int = 60) -> np.ndarray:
    font = sans()
    body = text_element(text, font, x=10, y=40, size_px=30, fill="#ffffff")
    return rasterise(document(width, height, body), width, height, fonts=font_files([(text, font)]))


def test_pixels_are_the_same_each_time_and_have_the_size_asked_for() -> None:
    assert drawn("Reef").shape == (60, 240, 4)
    assert drawn("Reef").tobytes() == drawn("Reef").tobytes()


@pytest.mark.parametrize("text", ['<b>&amp; "quoted"</b>', "a\x00b\x1b[0m\ufffe", "{}%s", "</text></svg>", "'x' &#10;"])
def test_any_text_is_data_and_never_markup(text: str) -> None:
    pixels = drawn(text, width=500)
    columns = np.flatnonzero(pixels[..., 3].any(axis=0))
    clean = "".join(char for char in text if char.isprintable())
    expected = sans().width(clean, 30)
    assert columns[-1] - columns[0] == pytest.approx(expected, abs=8)


def test_characters_that_markup_cannot_hold_are_dropped() -> None:
    assert escape("a\x00<\ud800>\uffff") == "a&lt;&gt;"


def test_measured_and_drawn_widths_agree() -> None:
    for font in (sans(), Font(DISPLAY, weight=600, optical_size=144), Font(DISPLAY, italic=True, optical_size=100)):
        text = "Hamburgefonts HHH"
        body = text_element(text, font, x=20, y=100, size_px=80, fill="#fff")
        pixels = rasterise(document(1000, 140, body), 1000, 140, fonts=font_files([(text, font)]))
        columns = np.flatnonzero(pixels[..., 3].any(axis=0))
        assert columns[-1] - columns[0] == pytest.approx(font.width(text, 80), rel=0.025)


def test_a_drawing_of_other_proportions_still_gives_the_size_asked_for() -> None:
    assert rasterise(document(100, 100, "<rect width='9' height='9'/>"), 64, 20, fonts=()).shape == (20, 64, 4)


def test_what_is_not_svg_is_refused() -> None:
    with pytest.raises(ValueError):
        rasterise("<svg", 10, 10, fonts=())
