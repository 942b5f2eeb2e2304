"""What is said where no installed font has a text's characters: the script, and the package that has it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

from config.errors import UsageError
from pipeline import Pipeline
from pipeline.health.tool_checks import check_fonts
from stages.typeset import font_packages
from stages.typeset.font_packages import advice, by_script, offers
from stages.typeset.fonts import load_fonts

SAMPLES = {
    "日本": "justmytype-intl-cjk",
    "のア": "justmytype-intl-cjk",
    "한글": "justmytype-intl-cjk",
    "ปะการัง": "fontpkg-noto-sans-thai",
    "مرجان": "fontpkg-noto-sans-arabic",
    "אלמוג": "justmytype-intl-rtl",
    "ខ្មែរ": "fontpkg-noto-sans-khmer",
    "ລາວ": "justmytype-intl-sea",
    "မြန်မာ": "justmytype-intl-sea",
    "বাংলা": "justmytype-intl-south-asia",
    "தமிழ்": "fontpkg-noto-sans-tamil",
    "తెలుగు": "fontpkg-noto-sans-telugu",
    "አማርኛ": "justmytype-intl-africa",
    "ქართული": "manimgx-fonts",
    "ગુજરાતી": "manimgx-fonts",
}


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(font_packages, "is_installed", lambda package: False)


@pytest.mark.parametrize(("text", "package"), SAMPLES.items())
def test_the_package_is_that_of_the_script_that_is_missing(text: str, package: str) -> None:
    assert advice(text) == f"install fonts that have them: pip install {package}; or change the text"


def test_characters_of_several_scripts_are_told_apart() -> None:
    assert by_script("日ก本ข") == {"Chinese characters": ["日", "本"], "Thai": ["ก", "ข"]}
    assert "pip install justmytype-intl-cjk fontpkg-noto-sans-thai;" in advice("日ก")


def test_a_script_without_a_known_package_is_said_to_have_none() -> None:
    assert advice("ᚠ") == "no font package is known for Runic letters; or change the text"
    assert advice("\ue000").startswith("no font package is known for these signs")


def test_a_package_that_is_installed_already_is_not_advised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(font_packages, "is_installed", lambda package: True)
    assert "pip install" not in advice("日")


def test_every_advised_package_is_one_whose_fonts_are_read() -> None:
    from stages.typeset.fonts import _OPTIONAL

    advised = {package for _, package, _ in font_packages._SCRIPTS.values()}
    assert {package.replace("-", "_") for package in advised} <= set(_OPTIONAL)


def test_the_doctor_offers_only_what_the_fonts_do_not_have() -> None:
    fonts = load_fonts()
    for package, scripts in offers(fonts).items():
        for name, offered, letter in font_packages._SCRIPTS.values():
            if name in scripts and offered == package:
                assert fonts.missing_glyphs(letter)
    if importlib.util.find_spec("justmytype_intl_cjk") is None:
        (finding,) = check_fonts()
        assert "for Chinese characters, Japanese, Korean: pip install justmytype-intl-cjk" in finding.message


@pytest.mark.skipif(importlib.util.find_spec("justmytype_intl_cjk") is not None, reason="its characters can be shown")
@pytest.mark.parametrize(
    "body",
    [
        "language: ja\n---\n## 一\n日本の珊瑚礁\n",
        "language: ja\n---\nA text about corals. " + "They live in the sea. " * 9,
    ],
)
def test_a_brief_in_a_script_without_a_font_is_refused_with_the_way_out(
    tmp_path: Path, make_pipeline: Callable[..., Pipeline], body: str
) -> None:
    """Also where only the language tells what a writer will write."""
    path = tmp_path / "brief.md"
    path.write_text(f"---\ntitle: T\nproviders: {{speech: [text]}}\n{body}", encoding="utf-8")
    with pytest.raises(UsageError, match="No installed font") as caught:
        make_pipeline().render(path, output=tmp_path / "out")
    assert "pip install justmytype-intl-cjk" in caught.value.hint
