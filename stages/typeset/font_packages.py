"""Which installable fonts have the characters of which script: what to say when a text cannot be shown."""

from __future__ import annotations

import importlib.util
import unicodedata
from collections.abc import Iterable

from stages.typeset.fonts import FontSet, load_fonts

_MOST_LISTED = 12
_CJK = "justmytype-intl-cjk"
_SOUTH_EAST, _SOUTH, _MORE = "justmytype-intl-sea", "justmytype-intl-south-asia", "manimgx-fonts"

# The first word of a character's Unicode name, how people call its script, the package that has it, and one of its letters.
_SCRIPTS = {
    "CJK": ("Chinese characters", _CJK, "中"),
    "HIRAGANA": ("Japanese", _CJK, "あ"),
    "KATAKANA": ("Japanese", _CJK, "ア"),
    "IDEOGRAPHIC": ("Chinese characters", _CJK, "〇"),
    "FULLWIDTH": ("full-width characters", _CJK, "！"),
    "HALFWIDTH": ("half-width characters", _CJK, "ｱ"),
    "HANGUL": ("Korean", _CJK, "한"),
    "ARABIC": ("Arabic", "fontpkg-noto-sans-arabic", "ع"),
    "HEBREW": ("Hebrew", "justmytype-intl-rtl", "א"),
    "DEVANAGARI": ("Devanagari", "fontpkg-noto-sans-devanagari", "अ"),
    "BENGALI": ("Bengali", _SOUTH, "অ"),
    "TAMIL": ("Tamil", "fontpkg-noto-sans-tamil", "அ"),
    "TELUGU": ("Telugu", "fontpkg-noto-sans-telugu", "అ"),
    "THAI": ("Thai", "fontpkg-noto-sans-thai", "ก"),
    "KHMER": ("Khmer", "fontpkg-noto-sans-khmer", "ក"),
    "LAO": ("Lao", _SOUTH_EAST, "ກ"),
    "MYANMAR": ("Burmese", _SOUTH_EAST, "က"),
    "ETHIOPIC": ("Ethiopic", "justmytype-intl-africa", "አ"),
    "ARMENIAN": ("Armenian", _MORE, "ա"),
    "GEORGIAN": ("Georgian", _MORE, "ა"),
    "GUJARATI": ("Gujarati", _MORE, "અ"),
    "GURMUKHI": ("Gurmukhi", _MORE, "ਅ"),
    "KANNADA": ("Kannada", _MORE, "ಅ"),
    "MALAYALAM": ("Malayalam", _MORE, "അ"),
    "ORIYA": ("Odia", _MORE, "ଅ"),
    "SINHALA": ("Sinhala", _MORE, "අ"),
}
EMOJI_PACKAGE, _EMOJI = _MORE, "\U0001f600"

# A letter of the script that a language is written in, where it is none that the packaged fonts have.
_LETTERS = {
    "ja": "あ日", "zh": "中", "yue": "中", "ko": "한", "ar": "ع", "fa": "ع", "ur": "ع", "ps": "ع", "sd": "ع", "ug": "ع",
    "he": "א", "yi": "א", "hi": "अ", "mr": "अ", "ne": "अ", "sa": "अ", "bn": "অ", "as": "অ", "ta": "அ", "te": "అ", "th": "ก",
    "km": "ក", "lo": "ກ", "my": "က", "am": "አ", "ti": "አ", "hy": "ա", "ka": "ა", "gu": "અ", "pa": "ਅ", "kn": "ಅ",
    "ml": "അ", "or": "ଅ", "si": "අ",
}  # fmt: skip


def letters_of(language: str) -> str:
    """Letters that a text in a language is sure to need; empty where every installation has them."""
    return _LETTERS.get(language.lower().replace("_", "-").split("-")[0], "")


def shortage(text: str) -> tuple[str, str] | None:
    """What of a text no installed font has, and what to do about it; None where all of it can be shown."""
    missing = load_fonts().missing_glyphs(text)
    if not missing:
        return None
    listed = "; ".join(
        f"{' '.join(chars[:_MOST_LISTED])}{' …' if len(chars) > _MOST_LISTED else ''} ({script})"
        for script, chars in by_script(missing).items()
    )
    return f"No installed font has these characters: {listed}", advice(missing)


def by_script(chars: Iterable[str]) -> dict[str, list[str]]:
    """Characters under the names of their scripts, in the order in which they come."""
    found: dict[str, list[str]] = {}
    for char in chars:
        found.setdefault(_script(char)[0], []).append(char)
    return found


def advice(chars: Iterable[str]) -> str:
    """What to install for characters that no installed font has, and what has no font at all."""
    packages: dict[str, None] = {}
    without: dict[str, None] = {}
    for char in chars:
        name, package = _script(char)
        if package and not is_installed(package):
            packages[package] = None
        else:
            without[name] = None
    parts = []
    if packages:
        parts.append(f"install fonts that have them: pip install {' '.join(packages)}")
    if without:
        parts.append(f"no font package is known for {', '.join(without)}")
    return "; ".join([*parts, "or change the text"])


def offers(fonts: FontSet) -> dict[str, list[str]]:
    """Packages that would add scripts to these fonts, each with the scripts."""
    found: dict[str, list[str]] = {}
    for name, package, letter in _SCRIPTS.values():
        scripts = found.setdefault(package, [])
        if "width" not in name and name not in scripts and fonts.missing_glyphs(letter):
            scripts.append(name)
    if fonts.left_out(_EMOJI):
        found[EMOJI_PACKAGE].append("emoji")
    return {package: scripts for package, scripts in found.items() if scripts}


def is_installed(package: str) -> bool:
    """Whether a package of fonts can be found."""
    return importlib.util.find_spec(package.replace("-", "_")) is not None


def _script(char: str) -> tuple[str, str]:
    """How its script is called, and the package that has it or nothing."""
    word = unicodedata.name(char, "").split(" ")[0].split("-")[0]
    if word in _SCRIPTS:
        return _SCRIPTS[word][:2]
    if char.isalpha():
        return (f"{word.capitalize()} letters" if word else "unassigned letters"), ""
    return "these signs", _MORE if unicodedata.category(char)[0] == "S" else ""
