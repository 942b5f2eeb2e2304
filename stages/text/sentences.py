"""A paragraph's sentences, as typed: for the script, for the lines that voices speak, and for where captions break.

`sentencex` proposes where sentences end; what it cannot know is decided here from the two words at the place: an abbreviation
or an ordinal ends a sentence or does not, and nothing ends inside quotation marks or brackets.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import accumulate, pairwise

from stages.text.abbreviations import abbreviations
from stages.text.function_words import FUNCTION_WORDS
from stages.text.languages import primary
from stages.text.phrases import ends_stopped

# Marks that end sentences, and what may close after them.
ENDS = (".", "!", "?", "…", "。", "！", "？", "．", "؟", "۔", "।", "॥", "።", "։", "៕", "။")
CLOSERS = "\"'”’»›“)]}」』）】》"
# A list item's mark or number at the beginning of a line.
BULLET = re.compile(r"^\s*(?:[-*+•–]|\d{1,2}[.)])\s+(?=\S)")

_OPENERS = "\"'“”‘«»‹›„‚([{¿¡"
# Beyond this, a quotation or bracket that nobody closes is a stray mark and holds nothing together.
_LONGEST_QUOTATION = 240
# So much on either side tells whether a sentence ends.
_CONTEXT = 120
_PAIRS = (("“", "”"), ("«", "»"), ("(", ")"), ("[", "]"), ("「", "」"), ("『", "』"), ("（", "）"))
_GERMAN_PAIRS = (("„", "“"), ("»", "«"), ("(", ")"), ("[", "]"))
_ORDINALS_LIST = "de da nb nn no fi cs sk pl hu hr sl et lv is tr lb sr bs"
# Languages that write an ordinal with a stop: `am 3. Mai`.
_WITH_ORDINAL_STOP = frozenset(_ORDINALS_LIST.split())

_AFTER_SENTENCE = frozenset("".join(ENDS[1:]) + CLOSERS + " \n\t")
_END = "".join(map(re.escape, ENDS))
_CLOSE = re.escape(CLOSERS)
# An end, what closes after it (a French » stands apart), and white space: where a sentence may end.
_PLACE = re.compile(rf"(?<=[{_END}])(?:\s?»(?=\s))?[{_CLOSE}]*(?:\s»)?(\s+)(?!»(?:\s|$))")
_WIDE_PLACE = re.compile(rf"(?<=[。！？．])[{_CLOSE}]*(?![{_CLOSE}。！？．])(?=\S)")
_BEFORE = re.compile(r"(\S+)\s*$")
_WORD = re.compile(r"[^\W\d_]+")
_ALNUM = re.compile(r"[^\W_]")
_INITIALS = re.compile(r"(?:[^\W\d_]\.-?)+")
_ROMAN_OR_LETTER = re.compile(r"(?:[IVXLC]+|[A-Z])\b(?!')")
_LIST_NUMBER = re.compile(r"\s*\d{1,3}[.)]\s*")
_NUMBER = re.compile(r"\d{1,3}\.")
_LISTED = re.compile(r"\d{1,3}[.)]\s")
# A unit's symbol is written without a stop of its own.
_UNIT = re.compile(r"\d\s(?:[kcdmµ]?m[²³]?|[kmµ]?g|[kmcdh]?l|t|h|s|ha|km/h|m/s|[kMG]?W|[kMGT]?B|[kM]?V|[kMG]?Hz)\.$")
# After initials, part of a name: `J. M. G. Le Clézio`.
_PARTICLE = re.compile(r"(?:Le|La|De|Du|Des|Van|Von|Di|Da|Del|Della|D['’])\s?[A-ZÀ-Þ]")
# `Ch.`, `Th.`: no word is written without a vowel.
_VOWELLESS = re.compile(r"[A-Z][bcdfghjklmnpqrstvwxz]{1,3}")
_ELIDED = re.compile(r"^[^\W\d_]{1,6}['’]")
_ADDRESS = re.compile(r"\S*[^\W\d_]{2,}\.[^\W\d_]{2,}")
_WHEN = re.compile(r"\W*(?:At|By|Around|About|Before|After|Until|Since|From|On)\s(?:\S+\s){0,5}\S+$")
_MERIDIEM = frozenset({"a.m", "p.m", "am", "pm"})
# What may follow a time of day in one sentence, though it has a capital.
_AFTER_TIME_LIST = """monday tuesday wednesday thursday friday saturday sunday january february march april may june july august
    september october november december eastern central pacific mountain london paris gmt utc est edt cst pst cet et pt"""
_AFTER_TIME = frozenset(_AFTER_TIME_LIST.split())
_SPEECH_VERBS_LIST = """said says asked asks cried cries replied replies answered answers shouted whispered added continued
    wrote exclaimed called murmured muttered insisted laughed sighed yelled warned explained"""
_SPEAKER = re.compile(rf"(?:[A-Z][\w.'’-]*\s+){{1,3}}(?:{'|'.join(_SPEECH_VERBS_LIST.split())})\b")


# More words that open sentences and are no names.
_ADVERBS = {
    "en": frozenset(
        {"nobody", "everyone", "everybody", "someone", "today", "yesterday", "tomorrow", "please", "maybe"}
    ),
    "de": frozenset(
        {"heute", "gestern", "niemand", "jemand", "später", "vielleicht", "bitte", "leider", "zuerst", "keiner"}
    ),
    "fr": frozenset({"personne", "aujourd", "demain", "ensuite", "chacun", "aucun", "voilà", "autrefois"}),
    "es": frozenset({"nadie", "hoy", "ayer", "quizá", "quizás", "ninguno", "ninguna", "alguien", "aquel"}),
    "it": frozenset({"nessuno", "oggi", "ieri", "domani", "forse", "nessuna", "qualcuno"}),
}


def sentences(text: str, language: str) -> list[str]:
    """The sentences of one paragraph, without the white space between them. Nothing else is changed or lost."""
    code = primary(language)
    cuts = [0, *_ends(text, code), len(text)]
    return [part for start, end in pairwise(cuts) if (part := text[start:end].strip())]


@lru_cache(maxsize=65536)
def ends_sentence(word: str, following: str = "", language: str = "") -> bool:
    """Whether a sentence ends with `word`, which `following` comes after. Without a language, any may be meant."""
    bare = word.rstrip(CLOSERS)
    if not bare.endswith(ENDS):
        return False
    if not following:
        known = abbreviations(primary(language))
        stem = bare.lstrip(_OPENERS)
        return not (stem[:-1].lower() in known.all - known.counted or _INITIALS.fullmatch(stem))
    return _verdict(word, following, primary(language), lower_opens=False) is not False


def _ends(text: str, language: str) -> list[int]:
    """Where sentences after the first begin."""
    proposed = set(_proposed(text, language))
    places = {match.end(): True for match in _PLACE.finditer(text)}
    places |= {match.end(): False for match in _WIDE_PLACE.finditer(text)}
    # Never inside a word: `a.C.` is one.
    places |= {place: False for place in proposed if place not in places and text[place - 1] in _AFTER_SENTENCE}
    lower_opens = not any(char.isupper() for char in text)
    straight = text.count('"') % 2 == 0
    last_word = max((match.start() for match in _ALNUM.finditer(text)), default=-1)
    found: list[int] = []
    start = 0
    for place, is_known in sorted(places.items()):
        if place > last_word:
            break
        before, after = text[max(start, place - _CONTEXT) : place], text[place : place + _CONTEXT]
        if not _ALNUM.search(text, start, place) or _LIST_NUMBER.fullmatch(text, start, place):
            continue
        if is_known:
            verdict = _verdict(before, after, language, lower_opens)
            # It may count an opening mark to the sentence before.
            ends = not proposed.isdisjoint((place, place + 1)) if verdict is None else verdict
        else:
            ends = _ends_unspaced(before, after)
        if ends and not _is_open(text[start : min(place, start + _LONGEST_QUOTATION + 1)], straight):
            found.append(place)
            start = place
    return found


def _proposed(text: str, language: str) -> list[int]:
    """The segmenter's boundaries; none where it gives back another text than it was given."""
    import sentencex  # type: ignore[import-untyped]  # it has no types

    parts: list[str] = sentencex.segment(language, text)
    return list(accumulate(map(len, parts)))[:-1] if "".join(parts) == text else []


def _ends_unspaced(before: str, after: str) -> bool:
    """At a mark without white space after it, as Chinese and Japanese write: what follows a quotation belongs to it."""
    if after[0] in CLOSERS and after[0] not in "“«\"'":
        return False
    quoted = before.rstrip()[-1:] in CLOSERS and before.rstrip().rstrip(CLOSERS).endswith(ENDS)
    if quoted:
        return after.lstrip()[0] in "“「『《（"
    return not after.lstrip()[0].islower()


def _verdict(before: str, after: str, language: str, lower_opens: bool) -> bool | None:
    """Whether a sentence ends between the two; None where only the segmenter can tell."""
    word = _last_word(before)
    following = after.lstrip(_OPENERS + "—–- ")
    if not following:
        return True if not after.strip() else None
    is_low = following[0].islower() and not following[1:2].isupper()
    bare = word.rstrip(CLOSERS)
    if not bare.endswith("."):
        if is_low and not lower_opens:
            return False
        return not (bare != word and language == "en" and _SPEAKER.match(after))
    if bare != word and language == "en" and _SPEAKER.match(after):
        return False
    if ends_stopped(bare):
        return False
    if bare.endswith(".."):
        return not is_low or lower_opens
    if is_low and not lower_opens:
        return False
    found = _after_stop(before.rstrip().rstrip(CLOSERS), bare.lstrip(_OPENERS), following, language)
    return True if found is None and bare != word and following[0].isupper() else found


def _after_stop(before: str, word: str, following: str, language: str) -> bool | None:
    """The same after a full stop, which may belong to an abbreviation, an ordinal or an initial."""
    known = abbreviations(language)
    opens = _opens(following, language)
    next_word = following.split()[0] if following.split() else ""
    # The first half of `z. B.`, `a. C.`, `EE. UU.`
    if next_word.endswith(".") and f"{word}{next_word.rstrip('.')}".lower() in known.all:
        return False
    if _UNIT.search(before):
        return True
    if len(word) == 2 and word[0].isupper() and word[:-1].lower() not in known.title:
        return opens and not _PARTICLE.match(following)
    for stem in _stems(before):
        if stem in _MERIDIEM:
            # `At 9 a.m.` says when, and is no sentence yet.
            if _WHEN.match(before) and not opens:
                return False
            return _word(following).lower() not in _AFTER_TIME
        if stem in known.title:
            return stem in known.open and opens
        if stem in known.counted:
            counted = following[0].isdecimal() or (_ROMAN_OR_LETTER.match(following) and not opens)
            return not counted
        if stem in known.inner:
            return False
        if stem in known.closing:
            return not following[0].isdecimal() or None
        if stem in known.open:
            return opens
    return _unknown(word, following, opens, language)


def _unknown(word: str, following: str, opens: bool, language: str) -> bool | None:
    ordinals = not language or language in _WITH_ORDINAL_STOP
    stem = word[:-1]
    if _NUMBER.fullmatch(word) or (ordinals and re.fullmatch(r"[IVX]+", stem)):
        return (opens and bool(language)) if ordinals else True
    if _VOWELLESS.fullmatch(stem) or (_INITIALS.fullmatch(word) and (word[0].isupper() or len(word) > 2)):
        return opens and not _PARTICLE.match(following)
    return True if opens or _ADDRESS.fullmatch(stem) or _LISTED.match(following) else None


def _last_word(text: str) -> str:
    """The last word with its marks; a mark that stands apart, as French writes it, counts as one."""
    match = _BEFORE.search(text)
    return match[1] if match else ""


def _stems(before: str) -> list[str]:
    """What stands before the stop as an abbreviation would be looked up: the last three words in one, two, one."""
    words = before.split()[-3:]
    while words and words[0][-1] != "." and len(words) > 1:
        words = words[1:]
    words = [_ELIDED.sub("", word.lstrip(_OPENERS).lower()) for word in words]
    return ["".join(words[at:]).rstrip(".") for at in range(len(words))]


def _word(text: str) -> str:
    match = _WORD.match(text)
    return match[0] if match else ""


@lru_cache(maxsize=8192)
def _opens_word(word: str, language: str) -> bool:
    languages = [language] if language else list(FUNCTION_WORDS)
    return any(
        word.lower() in FUNCTION_WORDS.get(name, ()) or word.lower() in _ADVERBS.get(name, ()) for name in languages
    )


def _opens(following: str, language: str) -> bool:
    """Whether a capitalised function word follows, as it would open a sentence and no name."""
    word = _word(following)
    if not word or not word[0].isupper() or following[len(word) : len(word) + 1] == ".":
        return False
    return _opens_word(word, language)


def _is_open(sentence: str, straight: bool) -> bool:
    """Whether a quotation or bracket is still open in it."""
    if len(sentence) > _LONGEST_QUOTATION:
        return False
    pairs = _GERMAN_PAIRS if "„" in sentence or re.search(r"»\w", sentence) else _PAIRS
    crooked = any(sentence.count(left) > sentence.count(right) for left, right in pairs)
    return crooked or (straight and sentence.count('"') % 2 == 1)
