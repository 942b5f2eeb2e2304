"""What a text is written in: its script, and whether it looks like another language than it is said to be.

Voices fail silently here: one gives no sound at all for Chinese, the next reads German aloud as if it were English.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from stages.text.languages import primary

_SCRIPT_NAMES = {"CJK": "Chinese characters", "HANGUL": "Korean", "HIRAGANA": "Japanese", "KATAKANA": "Japanese"}
_FOREIGN_SHARE = 0.3

# Frequent words of one language that are not words of the others here.
_STOPWORDS = {
    "en": "the and of is was are with that this for you from have they which their been will would there about",
    "de": "der das und ist nicht ein eine mit auf für auch sich wird sind dem den oder aber wie bei nach über",
    "fr": "le les des est dans pour une qui sur pas avec sont cette mais nous vous aux ses leur être très",
    "es": "el los las una por con para del como pero más está son sus muy este esta también fue entre hay",
    "it": "il gli che di della sono per con nel non è anche alla dei delle questo questa più come ma suo",
}
_STOPWORD_SETS = {language: frozenset(words.split()) for language, words in _STOPWORDS.items()}
_FEWEST_WORDS = 12


def script_of(char: str) -> str:
    """`LATIN`, `CJK`, `CYRILLIC` … of a letter; empty for anything else."""
    if not char.isalpha():
        return ""
    if char.isascii():
        return "LATIN"
    name = unicodedata.name(char, "")
    # ª and º, ligatures and full-width letters are Latin by another name.
    if "LATIN" in name or "ORDINAL INDICATOR" in name or name == "MICRO SIGN":
        return "LATIN"
    return name.split()[0].split("-")[0] if name else ""


def foreign_script(text: str) -> str:
    """The script's name when much of the text is not in Latin letters; empty when a Latin voice can read it."""
    counts = Counter(script for script in map(script_of, text) if script)
    foreign = sum(count for script, count in counts.items() if script != "LATIN")
    if foreign <= _FOREIGN_SHARE * sum(counts.values()):
        return ""
    counts.pop("LATIN", None)
    script = counts.most_common(1)[0][0]
    return _SCRIPT_NAMES.get(script, f"{script.capitalize()} script")


def looks_like(language: str, text: str) -> str:
    """Another language's code when the text is plainly in that one; empty when in doubt."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    own = primary(language)
    if len(words) < _FEWEST_WORDS or own not in _STOPWORD_SETS:
        return ""
    shares = {code: sum(word in known for word in words) / len(words) for code, known in _STOPWORD_SETS.items()}
    best = max(shares, key=lambda code: shares[code])
    return best if best != own and shares[best] >= 0.15 and shares[own] <= shares[best] / 4 else ""
