"""Scripts that put no space between words: where a reader would begin a new line in them.

Japanese, Chinese and Thai have models of their phrases; Lao, Khmer and Myanmar are broken between syllables.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Any, Literal

from stages.text.clusters import clusters

_THAI, _LAO, _MYANMAR, _KHMER = "\u0e00-\u0e7f", "\u0e80-\u0eff", "\u1000-\u109f\uaa60-\uaa7f", "\u1780-\u17ff"
_TIBETAN = "\u0f00-\u0fff"
_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_KANA = "\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9d"
_SPACELESS = re.compile(f"[{_THAI}{_LAO}{_TIBETAN}{_MYANMAR}{_KHMER}{_HAN}{_KANA}\u3001-\u303f\uff01-\uff9f]")
_RUNS = re.compile(
    f"(?P<thai>[{_THAI}]+)|(?P<syllables>[{_LAO}{_MYANMAR}{_KHMER}{_TIBETAN}]+)"
    f"|(?P<cjk>[^{_THAI}{_LAO}{_MYANMAR}{_KHMER}{_TIBETAN}]+)"
)
# Letters with a stop each: `พ.ศ.`, `គ.ស.`
_STOPPED = re.compile(f"(?:[{_THAI}{_LAO}{_KHMER}]{{1,4}}\\.)+")
_ENDS_STOPPED = re.compile(f"[{_THAI}{_LAO}{_KHMER}]\\.$")
_STOP_WITHIN = re.compile(f"(?<=[{_THAI}{_LAO}{_KHMER}]\\.)(?=[{_THAI}{_LAO}{_KHMER}])")
_KANA_CHAR = re.compile(f"[{_KANA}]")
# Words that repeat or cut short what is before them begin no line.
_NEVER_FIRST = frozenset(
    "\u200b\u0e2f\u0e46\u0e5a\u0e5b\u0ec6\u17d4\u17d5\u17d6\u17d7\u104a\u104b\u0f0b\u0f0c\u0f0d\u0f0e"
)
_MYANMAR_CHAR = re.compile(f"[{_MYANMAR}]")
_TIBETAN_ENDS = "\u0f0b\u0f0d"
_TRADITIONAL = frozenset({"tw", "hk", "mo", "hant"})
_Model = Literal["japanese", "simplified_chinese", "traditional_chinese", "thai"]


def is_spaceless(char: str) -> bool:
    """Whether `char` is of a script that is written without spaces between words, or of its punctuation."""
    return bool(_SPACELESS.match(char))


def has_spaceless(text: str) -> bool:
    """Whether there is one such character in `text`."""
    return not text.isascii() and bool(_SPACELESS.search(text))


def is_stopped(word: str) -> bool:
    """Whether `word` is an abbreviation such as `พ.ศ.`, of a script without spaces."""
    return not word.isascii() and bool(_STOPPED.fullmatch(word))


def ends_stopped(word: str) -> bool:
    """Whether `word` ends in such an abbreviation: in these scripts, no stop ends a sentence."""
    return not word.isascii() and bool(_ENDS_STOPPED.search(word))


@lru_cache(maxsize=4096)
def phrases(text: str, language: str = "") -> tuple[str, ...]:
    """`text`, which has no white space in it, in the parts between which a line breaks best."""
    legal = _edges(breakable(text))
    best: set[int] = set()
    for match in _RUNS.finditer(text):
        best.add(match.start())
        best.update(match.start() + edge for edge in _edges(_phrases_of(match, language)))
    return tuple(_cut(text, sorted(edge for edge in best & legal if not _is_counted(text, edge))))


@lru_cache(maxsize=4096)
def breakable(text: str) -> tuple[str, ...]:
    """`text` in the smallest parts between which a line may break at all: no line begins with a closing mark."""
    edges: set[int] = set()
    for match in _RUNS.finditer(text):
        run, start = match[0], match.start()
        edges.add(start)
        if match["cjk"]:
            from uniseg.linebreak import line_break_boundaries

            edges.update(start + edge for edge in line_break_boundaries(run))
        else:
            edges.update(start + edge for edge in _edges(clusters(run)))
    whole = _edges(clusters(text))
    edges -= {match.start() for match in _STOP_WITHIN.finditer(text)}
    return tuple(_cut(text, sorted(edge for edge in edges & whole if _may_begin(text, edge))))


def _may_begin(text: str, edge: int) -> bool:
    after, before = text[edge], text[edge - 1]
    if after in _NEVER_FIRST or unicodedata.category(after) in ("Pe", "Pf"):
        return False
    return unicodedata.category(before) not in ("Ps", "Pi") and after not in ",.!?:;%\u2026"


def _is_counted(text: str, edge: int) -> bool:
    """Whether a figure and what it counts meet here, as in 2024年 and 第3章."""
    before, after = text[edge - 1], text[edge]
    return (before.isdecimal() and is_spaceless(after)) or (before in "\u7b2c\u7d04\u7ea6\u5c0d" and after.isdecimal())


def _phrases_of(match: re.Match[str], language: str) -> tuple[str, ...]:
    run = match[0]
    if match["syllables"]:
        return tuple(_syllables(run))
    model: _Model = "thai" if match["thai"] else _model_of(run, language)
    return tuple(_parser(model).parse(run))


def _model_of(run: str, language: str) -> _Model:
    """The model for a text in Chinese characters: kana tell Japanese, else the language does, else the characters."""
    tags = language.lower().replace("_", "-").split("-")
    if _KANA_CHAR.search(run) or tags[0] == "ja":
        return "japanese"
    if "hans" not in tags and (_TRADITIONAL & set(tags) or tags[0] == "yue"):
        return "traditional_chinese"
    # Each of the old encodings has the characters of one way of writing only.
    if tags == ["zh"] or tags[0] != "zh":
        simplified, traditional = (sum(_encodes(char, codec) for char in run) for codec in ("gb2312", "big5"))
        return "traditional_chinese" if traditional > simplified else "simplified_chinese"
    return "simplified_chinese"


def _encodes(char: str, codec: str) -> bool:
    try:
        char.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


@lru_cache(maxsize=4)
def _parser(model: _Model) -> Any:
    import budoux

    return getattr(budoux, f"load_default_{model}_parser")()


def _syllables(run: str) -> Iterator[str]:
    """Lao, Khmer and Myanmar in syllables, Tibetan after its dots, as far as spelling tells."""
    held, last_bare = "", False
    for cluster in clusters(run):
        bare = _is_bare(cluster)
        # A lone consonant opens a syllable, and one after a vowel closes it; Myanmar marks those that close.
        goes_on = not _MYANMAR_CHAR.match(cluster) and (_is_bare(held) or (bare and not last_bare))
        if held and (held[-1] in _TIBETAN_ENDS or not goes_on) and cluster[0] not in _NEVER_FIRST:
            yield held
            held = ""
        last_bare = bare and bool(held) and not _is_bare(held)
        held += cluster
    if held:
        yield held


def _is_bare(cluster: str) -> bool:
    """Whether it is a consonant with no vowel written to it; Khmer has a mark for one that closes a syllable."""
    return cluster[1:] in ("", "\u17cb") and unicodedata.category(cluster[:1] or " ") == "Lo"


def _edges(parts: tuple[str, ...]) -> set[int]:
    """Where parts of a text meet, as positions in it."""
    return set(accumulate(map(len, parts[:-1])))


def _cut(text: str, edges: list[int]) -> Iterator[str]:
    inner = [edge for edge in edges if 0 < edge < len(text)]
    for start, end in pairwise([0, *inner, len(text)]):
        yield text[start:end]
