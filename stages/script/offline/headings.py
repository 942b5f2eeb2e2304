"""A short title for each scene that has none: the phrase that it is about and the others are not."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from stages.script.offline.phrases import ADDRESS, Phrase, phrases
from stages.script.words import count_words, stems
from stages.text.languages import primary

_MOST_CHARS = 40
_SPACELESS_MOST_CHARS = 14
_PROMPT_PHRASES = 4
_REPEATED = 0.25
_CLAUSE = re.compile(r"[,;:.!?\u2026\u3001\u3002\uff0c\uff01\uff1f\uff1a\uff1b\u300c\u300d\u201c\u201d\n]+")


def head(scenes: Sequence[Sequence[str]], language: str, given: Sequence[str]) -> list[tuple[str, str]]:
    """For each scene (its sentences) a heading and a picture prompt. `given` are headings that it already has, or empty."""
    flat = phrases([sentence for scene in scenes for sentence in scene], language)
    found: list[list[list[Phrase]]] = []
    at = 0
    for scene in scenes:
        found.append(flat[at : at + len(scene)])
        at += len(scene)
    bags = [Counter(stem for text in scene for stem in stems(text, primary(language))) for scene in scenes]
    spread = Counter(stem for bag in bags for stem in bag)
    used: Counter[str] = Counter(stem for heading in given for stem in stems(heading, primary(language)))
    result = []
    for scene, own, bag, heading in zip(scenes, found, bags, given, strict=True):
        ranked = _ranked(own, bag, spread, len(scenes), used)
        if not heading:
            fitting = [phrase for phrase in ranked if len(phrase.text) <= _MOST_CHARS]
            heading = _capital(fitting[0].text) if fitting else _first_words(scene[0])
            used.update(fitting[0].stems if fitting else ())
        result.append((heading, _prompt(heading, ranked)))
    return result


def _ranked(
    sentences: Sequence[Sequence[Phrase]], bag: Counter[str], spread: Counter[str], scenes: int, used: Counter[str]
) -> list[Phrase]:
    """Phrases that a scene speaks of most and the other scenes least, best first, none twice."""
    scores: dict[Phrase, float] = {}
    for position, row in enumerate(sentences):
        for phrase in row:
            worth = sum(
                (1 + math.log(bag[stem] or 1))
                * (0.4 + math.log((1 + scenes) / (spread[stem] or 1)))
                * _REPEATED ** used[stem]
                for stem in phrase.stems
            )
            worth /= math.sqrt(len(phrase.stems))
            worth *= 0.6 + min(len(phrase.text), 16) / 30
            worth *= 1.15 if phrase.is_name else 1.0
            worth *= (1.25 if position == 0 else 1.0) * (1.15 if len(phrase.stems) == 2 else 1.0)
            scores[phrase] = max(scores.get(phrase, 0.0), worth)
    return sorted(scores, key=lambda phrase: -scores[phrase])


def _prompt(heading: str, ranked: Sequence[Phrase]) -> str:
    """What a picture of the scene would show: its heading, then what else it speaks of most."""
    seen: set[str] = {heading.casefold()}
    parts = [heading]
    stems_seen: set[str] = set()
    for phrase in ranked:
        if phrase.text.casefold() not in seen and not stems_seen.issuperset(phrase.stems):
            parts.append(phrase.text)
            stems_seen.update(phrase.stems)
        if len(parts) == _PROMPT_PHRASES:
            break
    return ", ".join(part for part in parts if part)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _first_words(sentence: str) -> str:
    """The sentence's first clause, cut after a few words: better than nothing where no phrase can be made out."""
    clause = next((part.strip() for part in _CLAUSE.split(ADDRESS.sub(" ", sentence)) if count_words(part)), "")
    if " " not in clause:
        return clause[: _SPACELESS_MOST_CHARS if not clause.isascii() else _MOST_CHARS]
    kept = ""
    for word in clause.split():
        if len(kept) + len(word) >= _MOST_CHARS * 0.8:
            return _capital(kept.strip()) + "\u2026"
        kept += f"{word} "
    return _capital(kept.strip())
