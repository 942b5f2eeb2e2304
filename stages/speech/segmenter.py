"""pysbd with what makes it slow on thousands of short texts taken out: the same sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

# Words and numbers with single marks of no consequence between them, and at most one end: nowhere to cut in any language.
_PLAIN = re.compile(r"[^\W_]+(?:(?: |, |['’-])[^\W_]+)*[.!?]?")


def cut(text: str, language: str) -> list[str]:
    """pysbd's sentences of a text in a language; English rules where it has none of that language's."""
    if _PLAIN.fullmatch(text):
        return [text]
    return [str(part) for part in _segmenter(language).segment(text)]


@lru_cache(maxsize=8)
def _segmenter(language: str) -> Any:
    import pysbd
    from pysbd.languages import LANGUAGE_CODES
    from pysbd.utils import TextSpan

    class Segmenter(pysbd.Segmenter):  # type: ignore[misc]  # it has no types
        """Finds the sentences in the original text by searching for them.

        pysbd compiles a regular expression of every sentence that it ever saw, which costs more than all its rules: they
        drop out of `re`'s cache of compiled ones, and are compiled again for every text.
        """

        def sentences_with_char_spans(self, sentences: Sequence[str]) -> list[Any]:
            text: str = self.original_text
            spans, done = [], 0
            for sentence in sentences:
                if found := _next(text, sentence, done):
                    start, done = found
                    spans.append(TextSpan(text[start:done], start, done))
            return spans

    return Segmenter(language=language if language in LANGUAGE_CODES else "en", clean=False)


def _next(text: str, sentence: str, done: int) -> tuple[int, int] | None:
    """Where the first of the sentence's places, with the white space after it, ends beyond `done`; places do not overlap."""
    position = 0
    while (start := text.find(sentence, position)) >= 0:
        end = start + len(sentence)
        while end < len(text) and text[end].isspace():
            end += 1
        if end > done:
            return start, end
        # An empty place moves on by one, as in a search by expression.
        position = max(end, position + 1)
    return None
