"""Noun phrases of a text, which is what headings and picture prompts are made of.

English is tagged by the tagger that the `hibari` package carries; without it, and in other languages, articles and capital
letters show where nouns stand.
"""

from __future__ import annotations

import gzip
import importlib.metadata
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from itertools import pairwise

from stages.script.words import bare, means_something, stem
from stages.text.languages import primary

Tagger = Callable[[list[str]], list[str]]

_TOKEN = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+(?:-[^\W\d_]+)*(?:['\u2019](?!s\b)[^\W\d_]+)*|['\u2019]s\b|[^\w\s]")
#: Links and mail addresses: no words to make titles of.
ADDRESS = re.compile(r"(?:https?://|www\.)\S+|\S+@\S+\.\w+")
_NOUNS = ("NN", "NNS", "NNP", "NNPS")
_MOST_WORDS = 4
#: After one of these a capital says nothing.
_OPENERS = frozenset((".", ":", "!", "?", "\u201e", "\u00bb", '"', "\u201c", "'"))
_ARTICLE_WORDS = {
    "de": "der die das den dem des ein eine einen einem einer eines",
    "fr": "le la les l un une des du au aux de d ce cet cette ces son sa ses leur leurs notre votre",
    "es": "el la los las un una unos unas del al este esta estos estas su sus nuestro nuestra cada",
    "it": """il lo la i gli le l un uno una del dello della dei degli delle dell al allo alla ai agli alle nel nello nella
        nei negli nelle dal dallo dalla sul sulla questo questa suo sua ogni""",
}
_ARTICLES = {language: frozenset(text.split()) for language, text in _ARTICLE_WORDS.items()}
_LINK_WORDS = {
    "de": "der des aus von vom mit in im am auf für um ohne",
    "fr": "de du des d",
    "es": "de del",
    "it": "di del della dei delle dello dell",
}
_LINKS = {language: frozenset(text.split()) for language, text in _LINK_WORDS.items()}
#: Adjectives that stand before their noun; what follows one is still the same phrase.
_BEFORE_NOUN = {
    "fr": """grand grande grands grandes petit petite petits petites vieux vieille vieilles nouveau nouvelle nouveaux
        nouvelles bon bonne bons bonnes beau belle beaux belles premier première deuxième dernier dernière même propre
        jeune jeunes mauvais long longue gros grosse grosses autre autres""",
    "es": """gran grande buen buena mal mala primer primera último última nuevo nueva viejo vieja mismo misma otro otra
        pequeño pequeña""",
    "it": """grande grandi piccolo piccola piccoli nuovo nuova nuovi vecchio vecchia buon buona primo prima ultimo ultima
        bello bella stesso stessa altro altra""",
}
_BEFORE_NOUN_SETS = {language: frozenset(text.split()) for language, text in _BEFORE_NOUN.items()}
_DULL_WORDS = {
    "en": """lot lots bit thing things way ways part parts kind kinds sort time times day days one ones number something
        anything everything nothing end side sides others none result results deal work example case course fact order rest
        matter half most""",
    "de": """prozent teil zeit nachricht jahr jahre jahren ende art weise mal rund hektar meter grund preis beispiel mensch menschen
        tag tage stunde stunden""",
    "fr": """peu plupart partie fois jour jours an ans année années siècle siècles temps chose choses façon heure heures
        exemple bout semaine moitié côté fin début monde lendemain""",
    "es": "parte vez veces día días año años siglo tiempo cosa cosas manera forma hora horas ejemplo mitad lado fin mundo",
    "it": "parte volta volte giorno giorni anno anni secolo tempo cosa cose modo ora ore esempio metà lato fine mondo",
}
_DULL = {language: frozenset(text.split()) for language, text in _DULL_WORDS.items()}


@dataclass(frozen=True)
class Phrase:
    """A noun phrase as it is written, without its article, and the stems of the words in it that mean something."""

    text: str
    stems: tuple[str, ...]
    is_name: bool = False


def phrases(sentences: Sequence[str], language: str) -> list[list[Phrase]]:
    """The noun phrases of each sentence, in order."""
    language = primary(language)
    tokens = [_TOKEN.findall(ADDRESS.sub(" ", sentence.replace("\u2019", "'"))) for sentence in sentences]
    tagger = english_tagger() if language == "en" else None
    if tagger:
        return [_tagged(words, tagger(words), language) if words else [] for words in tokens]
    if language == "de":
        nouns = _german_nouns(tokens)
        return [_german(words, nouns) for words in tokens]
    if language in _ARTICLES:
        return [_romance(_elided(words), language) for words in tokens]
    return [_runs(words, language) for words in tokens]


def tagger_identity() -> str:
    """What the phrases of English texts depend on: part of the writer's identity."""
    try:
        return importlib.metadata.version("hibari-tts")
    except importlib.metadata.PackageNotFoundError:
        return "none"


@lru_cache(maxsize=1)
def english_tagger() -> Tagger | None:
    """Penn Treebank tags for a sentence's words; None where the package has no such tagger (any more)."""
    try:
        from hibari.g2p.tagger import Tagger as Perceptron

        packed = (resources.files("hibari") / "assets" / "tagger.json.gz").read_bytes()
        perceptron = Perceptron(json.loads(gzip.decompress(packed)))
        if perceptron(["He", "saw", "the", "old", "lamp", "."]) != ["PRP", "VBD", "DT", "JJ", "NN", "."]:
            return None
    except Exception:  # noqa: BLE001 - the inside of another package: whatever it breaks with, headings do without it
        return None

    def tag(words: list[str]) -> list[str]:
        return list(perceptron(words))

    return tag


def _tagged(words: list[str], tags: list[str], language: str) -> list[Phrase]:
    """(adjective | noun)* noun, and the same again after `of`."""
    found: list[Phrase] = []
    at = 0
    while at < len(words):
        end = _noun_end(tags, at)
        if end is None:
            at += 1
            continue
        further = end
        if end < len(words) and words[end].lower() == "of":
            start = end + 1 + (end + 1 < len(words) and tags[end + 1] in ("DT", "PRP$"))
            further = _noun_end(tags, start) or end
        longest = further if further - at <= _MOST_WORDS else end
        found += _phrase(words[at:longest], language, is_name=tags[end - 1] in ("NNP", "NNPS"))
        at = end
    return found


def _noun_end(tags: list[str], start: int) -> int | None:
    end = start
    last_noun = None
    while end < len(tags) and tags[end] in (*_NOUNS, "JJ"):
        end += 1
        if tags[end - 1] in _NOUNS:
            last_noun = end
    return last_noun


def _german(words: list[str], nouns: frozenset[str]) -> list[Phrase]:
    """Nouns, and a noun with what follows it: `Pegel aus Eichenholz`, `Heu von nassen Wiesen`, `Schicht um Schicht`.

    An adjective before the first noun would be in the wrong case.
    """
    found: list[Phrase] = []
    for at, word in enumerate(words):
        if word not in nouns:
            continue
        end = at + 1
        if end + 1 < len(words) and words[end] in _LINKS["de"]:
            after = end + 1
            if words[after] in _ARTICLES["de"] or re.fullmatch(r"[a-zäöüß]{3,}e[nr]", words[after]):
                after += 1
            if after < len(words) and words[after][0].isupper():
                end = after + 1
        found += _phrase(words[at:end], "de")
    return found


def _german_nouns(tokens: Sequence[Sequence[str]]) -> frozenset[str]:
    """Words with a capital inside sentences that are never written without one; adjectives used as nouns are no use."""
    small = {word for words in tokens for word in words if word[0].islower()}
    return frozenset(
        word
        for words in tokens
        for before, word in pairwise(words)
        if word[0].isupper() and before not in _OPENERS and word.lower() not in small
    )


def _romance(words: list[str], language: str) -> list[Phrase]:
    """What follows an article, up to its noun, and one more noun after `de`, `di` or `del`."""
    articles, early = _ARTICLES[language], _BEFORE_NOUN_SETS[language]
    found: list[Phrase] = []
    for at, word in enumerate(words[:-1]):
        if _plain(word) not in articles:
            continue
        end = at + 1
        while end < len(words) - 1 and _plain(words[end]) in early:
            end += 1
        if not _is_noun_like(words[end], language):
            continue
        end += 1
        longest = end
        if end < len(words) - 1 and _plain(words[end]) in _LINKS[language]:
            after = end + 1 + (_plain(words[end + 1]) in articles and end + 2 < len(words))
            longest = after + 1 if _is_noun_like(words[after], language) else end
        found += _phrase(words[at + 1 : longest], language)
    return found


def _plain(word: str) -> str:
    return word.lower().rstrip("'")


def _is_noun_like(word: str, language: str) -> bool:
    return word[0].isalpha() and means_something(bare(word, language), language)


def _elided(words: Sequence[str]) -> list[str]:
    """`l'eau` as two words."""
    return [part for word in words for part in re.split(r"(?<=['\u2019])", word) if part]


def _runs(words: list[str], language: str) -> list[Phrase]:
    """Neighbours that all mean something, as far as is known of the language."""
    found: list[Phrase] = []
    run: list[str] = []
    for word in [*words, "."]:
        if word[0].isalpha() and means_something(bare(word, language), language):
            run.append(word)
        else:
            found += _phrase(run[-2:], language) if run else []
            run = []
    return found


def _phrase(words: Sequence[str], language: str, *, is_name: bool = False) -> list[Phrase]:
    """The phrase, or nothing where its main words say too little to head a scene."""
    dull = _DULL.get(language, frozenset())
    bares = [bare(word, language) for word in words]
    telling = [word for word in bares if means_something(word, language) and word not in dull and word[0].isalpha()]
    if language == "en":
        main = bares[bares.index("of") - 1] if "of" in bares else bares[-1]
    else:
        main = next((word for word in bares if word in telling), "")
    if not telling or len(words) > _MOST_WORDS + 1 or main not in telling or len(max(telling, key=len)) < 3:
        return []
    text = re.sub(r"(?<=')\s|\s(?='s\b)", "", " ".join(words))
    return [Phrase(text, tuple(dict.fromkeys(stem(word) for word in telling)), is_name)]
