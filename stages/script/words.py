"""Words: counting them, telling the ones that mean something, and how long they take to say."""

from __future__ import annotations

import re

from stages.text.function_words import FUNCTION_WORDS
from stages.text.languages import primary

#: Letters and words that one second of speech holds: measured with the offline voices, pauses at commas included.
_PACE = {"en": (14.0, 3.3), "de": (13.0, 2.5), "fr": (16.0, 3.6), "es": (12.5, 3.0), "it": (11.5, 2.3)}
_USUAL_PACE = (13.0, 2.8)
_BREATH_S = 0.3
#: "1823" is four characters and twenty letters long when it is spoken.
_LETTERS_PER_DIGIT = 4

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*|\d+(?:[.,:]\d+)*")
_WITHOUT_SPACES = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_ELISION = re.compile(r"^(?:[cdjlmnst]|qu|un|all|dell|nell|sull|dall|quest|quell)['\u2019]", re.IGNORECASE)
_POSSESSIVE = re.compile(r"['\u2019]s?$")
_STEM = 6
#: Characters of scripts without spaces that weigh as one word when speaking time is reckoned.
_CHARACTERS_PER_WORD = 1.7


def words(text: str) -> list[str]:
    """Words and numbers as they are written, without punctuation."""
    return _WORD.findall(text)


def bare(word: str, language: str) -> str:
    """A word in lower case without elided article (`l'`, `dell'`) or English possessive."""
    if language == "en":
        word = _POSSESSIVE.sub("", word)
    elif language in ("fr", "it"):
        word = _ELISION.sub("", word)
    return word.casefold()


def means_something(word: str, language: str) -> bool:
    """Whether a bare word carries meaning; where no list is known, words of up to three letters do not."""
    stop = FUNCTION_WORDS.get(language)
    if stop is None:
        return len(word) > 3 or bool(_WITHOUT_SPACES.search(word))
    return len(word) > 1 and word not in stop and not word[0].isdigit()


def stem(word: str) -> str:
    """The front of a bare word: enough to see that `lights` and `light`, `Moore` and `Moor` belong together."""
    if len(word) == 4 and word.endswith("s"):
        return word[:-1]
    for ending in ("en", "es", "e", "s"):
        if word.endswith(ending) and 4 <= len(word) - len(ending) <= 5:
            return word[: -len(ending)]
    return word[:_STEM]


def stems(text: str, language: str) -> list[str]:
    """Stems of the words that mean something, in order, repeated as in the text."""
    bares = (bare(word, language) for word in words(text))
    return [stem(word) for word in bares if means_something(word, language)]


def count_words(text: str) -> int:
    """Words to speak; in scripts without spaces, characters are reckoned as parts of words."""
    dense = len(_WITHOUT_SPACES.findall(text))
    return len(words(_WITHOUT_SPACES.sub(" ", text))) + round(dense / _CHARACTERS_PER_WORD)


def words_in(seconds: float, language: str) -> int:
    """How many words of running text are spoken in that time."""
    return round(seconds * _PACE.get(primary(language), _USUAL_PACE)[1])


def speaking_s(text: str, language: str) -> float:
    """Seconds that the text takes to say, with the breath after it."""
    letters_per_s, words_per_s = _PACE.get(primary(language), _USUAL_PACE)
    dense = len(_WITHOUT_SPACES.findall(text))
    digits = sum(char.isdigit() for char in text)
    letters = sum(char.isalpha() for char in text) - dense
    dense_s = dense / _CHARACTERS_PER_WORD / words_per_s
    return (letters + digits * _LETTERS_PER_DIGIT) / letters_per_s + dense_s + _BREATH_S
