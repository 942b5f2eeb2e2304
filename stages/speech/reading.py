"""From what is shown to what is said, word for word: captions keep the text as typed, the voice gets words.

Every shown word has its spoken form, which may be several words or none; so the time of what is said is the time of what
is shown. Numbers, dates, money, units and abbreviations are read in English, German, French, Spanish and Italian.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from stages.speech.normalise import numbers
from stages.speech.normalise.currencies import currencies
from stages.speech.normalise.lexicon import LEXICONS, PARTS, VULGAR, Lexicon
from stages.speech.normalise.pieces import arrange
from stages.speech.normalise.scripts import script_of
from stages.speech.normalise.token import Item, take_apart
from stages.text.languages import primary

_MARKDOWN = re.compile(r"\*\*|__|~~|`+|^#{1,6}$|^[*_]+(?=\w)|(?<=\w)[*_]+$|(?<=[.,;:!?])[*_]+$|^>+$|^[-*+•·]$")
_LINK_END = re.compile(r"\]\((?:https?:|mailto:|/|#|www\.)[^)]*\)")
_URL = re.compile(r"(?:https?://|ftp://|www\.)\S+", re.IGNORECASE)
_SITE = re.compile(
    r"(?:[\w-]+\.)+(?:com|org|net|edu|gov|io|dev|app|info|biz|co|uk|de|at|ch|fr|es|it|eu|us|ca|au|tv|me|ai)(?:/\S*)?",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_ENDING = re.compile(r"[.,;:!?…)\]\"'”’»]+$")
_PLAIN_PATH = re.compile(r"/[A-Za-z]{2,20}/?")
# What a rule that takes a word apart may leave of it, and what a voice would stumble over.
_UNSPEAKABLE = re.compile(r"[\u20a0-\u20cf\u0e3f<>\[\]{}*_#$€£¥%|~^\\=°©®™²³×÷≤≥≈≠±√·]")
# At the beginning of a line they are marks of lists and quotations.
_SIGNS_IN_SUMS = frozenset("+-*<>·")
_DAY_FIRST_LIST = "GB UK AU NZ IE IN ZA SG MT JM HK MY PK NG KE"
_DAY_FIRST = frozenset(_DAY_FIRST_LIST.split())
# Roman numerals that are one character, and numbers in circles.
_ENCLOSED = re.compile("[\u2160-\u217f\u2460-\u249b\u1d2c-\u1d6a\u02b0-\u02b8]")
# What is raised after a digit, but for squares and cubes, which have words of their own.
_HIGH_POWER = re.compile("(?<=[0-9])(?![²³](?![⁰¹²³⁴-⁹]))[⁺⁻]?[⁰¹²³⁴-⁹]+")
# After a year it is a note's number.
_NOTE_AFTER_YEAR = re.compile(r"\b(1[1-9]\d\d|20\d\d)[⁰¹²³⁴-⁹]+(?=\W*$)")
_SUBSCRIPTS = {0x2080 + digit: str(digit) for digit in range(10)}
_SILENT_SIGNS = frozenset("•·|*_~#>©®™℠†‡¶^\\{}[]<=—–-")


@dataclass(frozen=True)
class Token:
    """A shown word and what is said for it, marks that make a pause included."""

    shown: str
    spoken: str


@dataclass(frozen=True)
class Reading:
    """A line's words in order. `notes` say what is not read out."""

    tokens: tuple[Token, ...]
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What the voice is given."""
        return " ".join(token.spoken for token in self.tokens if token.spoken)


@lru_cache(maxsize=256)
def read(text: str, language: str) -> Reading:
    """How a line is said. Its tokens are exactly `text.split()`."""
    from stages.speech.normalise.rules import apply_rules

    notes: list[str] = []
    lexicon = LEXICONS.get(primary(language))
    words = text.split()
    items = [_prepare(word, lexicon, notes, place) for place, word in enumerate(words)]
    if lexicon:
        items = arrange(items, lexicon, primary(language))
        apply_rules(items, lexicon, primary(language), _month_first(language))
    for item in items:
        if item.open:
            item.spoken = _plain(item.core, lexicon, primary(language), notes)
        elif lexicon and item.spoken:
            named = _UNSPEAKABLE.sub(
                lambda sign: _named(sign[0], lexicon, primary(language)), _in_words(item.spoken, primary(language))
            )
            item.spoken = " ".join(named.split())
    return Reading(_with_marks(items, words), tuple(dict.fromkeys(notes)))


def _named(sign: str, lexicon: Lexicon, language: str) -> str:
    """A sign that no rule has read: its name between spaces, or a space for those that stand for nothing."""
    currency = currencies(language).get(sign)
    name = currency.forms[1] if currency else lexicon.symbols.get(sign, "")
    return " " if sign in _SILENT_SIGNS else f" {name} "


def _month_first(language: str) -> bool:
    """Whether 3/4/2024 is the fourth of March: in English, but for the regions where it is the third of April."""
    region = language.replace("_", "-").upper().split("-")[1:]
    return primary(language) == "en" and not _DAY_FIRST.intersection(region)


def _prepare(word: str, lexicon: Lexicon | None, notes: list[str], place: int) -> Item:
    """A word without what nobody says: Markdown, emoji, foreign letters. Addresses are read here, as one."""
    bare = unicodedata.normalize("NFC", _LINK_END.sub("", word))
    address = _read_address(bare, lexicon, notes)
    if address is not None:
        address.place = place
        return address
    if lexicon is None:
        return Item(word, "", "".join(char for char in bare if not _is_emoji(char)), "", None, place)
    if not place or bare not in _SIGNS_IN_SUMS:
        bare = _MARKDOWN.sub("", bare)
    bare = "".join(unicodedata.normalize("NFKC", char) if _ENCLOSED.match(char) else char for char in bare)
    bare = _NOTE_AFTER_YEAR.sub(r"\1", bare.translate(_SUBSCRIPTS))
    kept = "".join(char for char in bare if not _is_emoji(char))
    if kept != bare:
        notes.append(f"not read out: {''.join(char for char in bare if _is_emoji(char) and char.isprintable())}")
    item = take_apart(kept)
    item.shown, item.place = word, place
    if _is_foreign(item.core):
        notes.append(f"not read out, for the voice does not know its letters: {item.core}")
        item.spoken = ""
    return item


def _read_address(word: str, lexicon: Lexicon | None, notes: list[str]) -> Item | None:
    opening = re.match(r"[(\[\"'“„«<]*", word)
    core = word[opening.end() if opening else 0 :].rstrip(">")
    ending = _ENDING.search(core)
    trail = ending[0] if ending else ""
    core = core[: len(core) - len(trail)]
    if lexicon is not None and trail.startswith(".") and f"{core}." in lexicon.abbreviations:
        return None
    if not (_URL.fullmatch(core) or _EMAIL.fullmatch(core) or _SITE.fullmatch(core)):
        return None
    item = Item(word, "", core, trail)
    if lexicon is None:
        return item
    if _EMAIL.fullmatch(core):
        name, _, host = core.partition("@")
        item.spoken = f"{_dotted(name, lexicon)} {lexicon.at} {_dotted(host, lexicon)}"
        return item
    bare = re.sub(r"^(?:[a-z]+://)?(?:www\.)?", "", core, flags=re.IGNORECASE)
    host, slash, rest = bare.partition("/")
    item.spoken = _dotted(host.partition(":")[0], lexicon)
    if _PLAIN_PATH.fullmatch(slash + rest):
        item.spoken += f" {lexicon.slash} {rest.strip('/')}"
    elif rest.strip("/"):
        notes.append(f"only the site is read out of the address {core}")
    return item


def _dotted(name: str, lexicon: Lexicon) -> str:
    words = re.sub(r"[-_+]", " ", name).replace(".", f" {lexicon.dot} ")
    return " ".join(words.split())


def _is_emoji(char: str) -> bool:
    point = ord(char)
    return (
        point in (0x200D, 0x20E3, 0xFEFF, 0x200B)
        or 0xFE00 <= point <= 0xFE0F
        or 0x1F000 <= point <= 0x1FAFF
        or 0xE0000 <= point <= 0xE007F
        or (0x2600 <= point <= 0x27BF)
        or (0x2B00 <= point <= 0x2BFF)
    )


def _is_foreign(core: str) -> bool:
    scripts = [script for script in map(script_of, core) if script]
    return (len(scripts) > 1 and scripts.count("LATIN") < len(scripts) / 2) or any(
        script in ("CJK", "HIRAGANA", "KATAKANA", "HANGUL") for script in scripts
    )


def _plain(core: str, lexicon: Lexicon | None, language: str, notes: list[str]) -> str:
    """A word that no rule has read. Digits in it are counted; signs are named, or left out with a note."""
    if lexicon is None:
        return core
    spoken: list[str] = []
    for char in _in_words(core.replace("’", "'").replace("‐", "-").replace("‑", "-"), language):
        if char.isalnum() or char in "'-" or unicodedata.category(char) == "Mn":
            spoken.append(char if char not in lexicon.symbols else f" {lexicon.symbols[char]} ")
        elif char in lexicon.symbols and char not in _SILENT_SIGNS:
            spoken.append(f" {lexicon.symbols[char]} ")
        else:
            told = char.isspace() or char in _SILENT_SIGNS or char in "→←↑↓⇒➜" or unicodedata.category(char)[0] == "P"
            if not told:
                notes.append(f"not read out: {char}")
            spoken.append(" ")
    words = "".join(spoken).split()
    return " ".join(word.strip("-") for word in words if word.strip("-'"))


def _in_words(core: str, language: str) -> str:
    """Without digits: what stands beside a sign or a stop that no rule knows."""
    power = LEXICONS[language].symbols["^"]
    core = _HIGH_POWER.sub(lambda match: f" {power} {_power_words(match[0], language)} ", core)
    core = "".join(char if char.isdecimal() or not char.isdigit() or char in "²³" else " " for char in core)
    core = re.sub(r"\d+", lambda match: f" {numbers.whole(match[0], language)} ", core)
    return re.sub(f"[{''.join(VULGAR)}]", lambda match: f" {_fraction_words(match[0], language)} ", core)


def _power_words(raised: str, language: str) -> str:
    plain = unicodedata.normalize("NFKC", raised).replace("−", "-")
    sign = f"{LEXICONS[language].minus} " if plain.startswith("-") else ""
    return sign + numbers.cardinal(abs(int(plain)), language)


def _fraction_words(char: str, language: str) -> str:
    top, bottom = VULGAR[char]
    one, many = PARTS[language][bottom]
    return one if top == 1 else f"{numbers.cardinal(top, language)} {many}"


def _with_marks(items: list[Item], words: list[str]) -> tuple[Token, ...]:
    """The words with what is said for each, pauses set: a word's own mark, and a comma before a bracket or dash opens."""
    said = ["" for _ in items]
    last = -1
    for number, item in enumerate(items):
        text = item.spoken or ""
        is_sign = item.shown in ("—", "–", "-", "→", "|") and not text
        breaks = "(" in item.lead or item.lead.endswith(("—", "–")) or is_sign
        if breaks and last >= 0 and said[last][-1].isalnum():
            said[last] += ","
        mark = item.mark(last=number == len(items) - 1)
        if text:
            last = number
            text += "" if mark == "." and text.endswith(".") else mark
        elif mark and last >= 0 and said[last][-1].isalnum():
            said[last] += mark
        said[number] = text
    spoken = ["" for _ in words]
    for item, text in zip(items, said, strict=True):
        spoken[item.place] = f"{spoken[item.place]} {text}".strip()
    return tuple(Token(shown, text) for shown, text in zip(words, spoken, strict=True))
