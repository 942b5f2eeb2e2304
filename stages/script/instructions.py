"""Telling a text to narrate from an order to whoever makes the film, by what its sentences are.

An order speaks to the maker: it names a medium as something to be made, or what is to be told, and says little itself. A text
speaks to those who watch: it states things, or tells them what to do (a recipe). Each sentence is given a role, and the roles
of all of them decide; where neither is clear, it is no text, because a film of an order helps nobody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal, TypeVar

from stages.script.instruction_words import LANGUAGES, Cues, compiled, cues_of
from stages.script.offline.phrases import english_tagger
from stages.script.words import count_words
from stages.text.languages import primary

#: A text of more words is none that asks for another one; its first and last sentences are looked at all the same.
MOST_WORDS = 400
_TOPIC_MOST_WORDS = 24
_LEAST_PROSE_WORDS = 16
_LEAST_STATEMENTS = 2
_ORDERED_SHARE = 0.6
_FRAGMENT_WORDS = 3
#: What one does with a medium that is there already, in every language.
_HANDLED = (
    r"(?:select|choose|pick|open|play|watch|see|upload|download|attach|share|send|wähl|öffn|schau|sieh|lade|teil|choisi|ouvr|regard"
    r"|télécharg|envo|elig|elij|abr|mira|sube|descarg|scegli|apri|guard|caric|scaric|invi)\w* "
)
T = TypeVar("T")

_EDGE = r"(?<![\w'])"
_END = r"(?![\w])"


class Role(Enum):
    """What one sentence is for."""

    ORDER = "order"
    """It tells the maker what to make or what to tell."""
    WISHED = "wished"
    """It names something to be made, and may be a statement about it: `A film about tides`."""
    TELLING = "telling"
    """It opens with a verb of writing or speaking, or an open question: an order among others, or a step of many."""
    MANNER = "manner"
    """It says how, where there is an order: `Keep it short.`"""
    MEASURE = "measure"
    """It names what only a film has: `Two minutes.`, `Calm voice.`"""
    NOUNS = "nouns"
    """It names something and states nothing: `The benefits of sleep.`"""
    QUESTION = "question"
    STATEMENT = "statement"
    OTHER = "other"


#: Roles that English cues may find in a text of another language: people write orders in English.
_FROM_ANY = (Role.ORDER, Role.WISHED, Role.TELLING)


@dataclass(frozen=True)
class Reading:
    """What a text is. `left_out` are indices of sentences at its edges that order a film of the rest."""

    kind: Literal["text", "order", "topic"]
    left_out: tuple[int, ...] = ()


def read(sentences: Sequence[str], language: str) -> Reading:
    """What a text of these sentences is."""
    if sum(map(count_words, sentences)) > MOST_WORDS:
        return Reading("text", tuple(_edges(sentences, lambda sentence: role_of(sentence, language))))
    roles = [role_of(sentence, language) for sentence in sentences]
    words = [count_words(sentence) for sentence in sentences]
    stated = [index for index, role in enumerate(roles) if role is Role.STATEMENT]
    ordered = {role for role in roles if role is Role.ORDER or (role is Role.WISHED and not stated)}
    if ordered:
        prose = sum(words[index] for index in stated)
        is_text = len(stated) >= _LEAST_STATEMENTS and prose >= _LEAST_PROSE_WORDS and 2 * prose > sum(words)
        return Reading("text", tuple(_edges(roles, lambda role: role))) if is_text else Reading("order")
    if not stated and _asks_for_more(sentences, roles, language):
        return Reading("order")
    is_short = sum(words) <= _TOPIC_MOST_WORDS
    if all(role in (Role.QUESTION, Role.NOUNS) for role in roles) or (len(roles) == 1 and is_short):
        return Reading("topic")
    return Reading("text")


def is_mere_order(sentences: Sequence[str], language: str) -> bool:
    """Whether beyond doubt nothing in a text is for those who watch."""
    roles = {role_of(sentence, language) for sentence in sentences}
    return Role.ORDER in roles and roles <= {Role.ORDER, Role.WISHED, Role.TELLING, Role.MANNER, Role.MEASURE}


def _asks_for_more(sentences: Sequence[str], roles: Sequence[Role], language: str) -> bool:
    """Whether sentences that state nothing are about a film rather than steps of something: in doubt they are."""
    told = sum(role in (Role.TELLING, Role.MANNER, Role.MEASURE) for role in roles)
    if roles and roles[0] is Role.TELLING and told >= _ORDERED_SHARE * len(roles):
        return True
    others = [index for index, role in enumerate(roles) if role in (Role.OTHER, Role.QUESTION)]
    if len(others) > 1 or not told:
        return False
    has_topic = any(_follows_a_topic(sentences[index], language) for index in others)
    return has_topic or Role.TELLING in roles or Role.MEASURE in roles


def _follows_a_topic(sentence: str, language: str) -> bool:
    """`Riff on time travel`, `generate content about food`: an opening word, perhaps an object, and a topic."""
    return any(_matches(rf"[^\W\d]+ (?:\w+ )?{cues.about} ", _plain(sentence)) for cues in _cues_for(language))


def is_order(line: str, language: str) -> bool:
    """Whether a single line, such as a heading, orders a film."""
    return role_of(line, language) is Role.ORDER


def spoken_without(orders: Sequence[str]) -> tuple[str, ...]:
    """What a script notes of the sentences that it leaves out."""
    return (f"left out, as it is said to whoever makes the film: “{' '.join(orders)}”",) if orders else ()


def _edges(sentences: Sequence[T], role: Callable[[T], Role]) -> Iterator[int]:
    """Orders at the beginning and at the end, each with what is said of the manner next to it."""
    for indices in (range(len(sentences)), range(len(sentences) - 1, -1, -1)):
        run: dict[int, Role] = {}
        for index in indices:
            run[index] = role(sentences[index])
            if run[index] not in (Role.ORDER, Role.MANNER):
                del run[index]
                break
        if Role.ORDER in run.values():
            yield from run


def role_of(sentence: str, language: str) -> Role:
    """The role of one sentence: by the cues of its language and by the English ones; by all where a language has none."""
    found = [_role(_plain(sentence), cues) for cues in _cues_for(language)]
    first = next((role for role in found if role is not Role.OTHER), Role.OTHER)
    return next((role for role in _FROM_ANY if role in found), first)


def _cues_for(language: str) -> list[Cues]:
    own = primary(language)
    return [cues_of(one) for one in (dict.fromkeys([own, "en"]) if own in LANGUAGES else LANGUAGES)]


def _plain(sentence: str) -> str:
    # The German polite `Ihr` is told from `ihr` by its capital alone.
    sentence = re.sub(r"(?<=[^\W\d_,] )Ihr(?:e[mnrs]?|nen)?\b", "euer", sentence)
    text = " ".join(sentence.casefold().replace("\u2019", "'").split())
    return re.sub(r"^[^\w¿]+", "", text).lstrip("¿¡")


def _role(text: str, cues: Cues) -> Role:
    if _matches(rf"{cues.label}\s*:", text):
        return Role.ORDER
    bare = compiled(rf"^(?:{cues.filler}{_END}[\s,!.:]*)+").sub("", text) or text
    if _is_wish(bare, cues) or _tells_the_maker(bare, cues, together=_speaks_of_us(text)):
        return Role.ORDER
    if _names_something_to_make(bare, cues):
        return Role.WISHED
    speaks_to_viewers = _finds(cues.viewer, bare)
    if not speaks_to_viewers and (_matches(cues.tell, bare) or _matches(rf"\w+(?: \w+)? {cues.indirect}", bare)):
        opens = not _matches(cues.subject, bare) and not _matches(cues.indirect, bare)
        if opens and not text.endswith("?"):
            return Role.TELLING
    if text.endswith("?"):
        return Role.QUESTION
    if _matches(rf"{cues.measure}|{cues.detail}\s*:", bare.rstrip(".! ")):
        return Role.MEASURE
    if compiled(rf"^{cues.directs}").match(bare):
        return Role.MANNER
    if count_words(bare) <= _FRAGMENT_WORDS:
        return Role.OTHER
    if _matches(cues.subject, bare):
        is_statement = cues is not cues_of("en") or _finds(cues.finite, bare) or _has_finite_verb(bare)
        return Role.STATEMENT if is_statement else Role.NOUNS
    if cues is cues_of("en"):
        return Role.STATEMENT if _has_finite_verb(bare, after_noun=True) else Role.OTHER
    return Role.STATEMENT if _finds(cues.finite, bare.partition(" ")[2]) else Role.OTHER


def _has_finite_verb(text: str, *, after_noun: bool = False) -> bool:
    """By the English tagger; without it, what opens like a statement is thought to have one, and nothing else."""
    tagger = english_tagger()
    if tagger is None:
        return not after_noun
    tags = tagger(re.findall(r"[\w'-]+|[^\w\s]", text))
    finite = [place for place, tag in enumerate(tags) if tag in ("VBD", "VBZ", "VBP", "MD")]
    opens_with_noun = bool(tags) and tags[0].startswith(("NN", "PRP", "RB", "JJ", "VBG", "CD", "DT", "IN"))
    return bool(finite) and (not after_noun or (opens_with_noun and finite[-1] > 0))


def _is_wish(text: str, cues: Cues) -> bool:
    """`Can you make a video`, `I want a film`, `the video should`, `your task is to`."""
    made = rf"(?:\S+ ){{0,6}}?{cues.indefinite}(?: ?[\w'-]+){{0,4}}? ?{cues.medium}{_END}"
    if asked := compiled(rf"^(?:{cues.asks})[\s,]*").match(text):
        rest = text[asked.end() :]
        about = rf"{cues.about}{_END}|{cues.indirect}{_END}|{cues.to_me}{_END}"
        return _matches(made, rest) or (_finds(cues.tell, rest) and _finds(about, rest))
    if wanted := compiled(rf"^(?:{cues.wants})[\s,]*").match(text):
        rest = text[wanted.end() :]
        if _finds(cues.viewer, rest):
            return _matches(r"you to |dass du |que tu |que vous ", rest)
        something = rf"(?:something|etwas|quelque chose|algo|qualcosa) (?:\S+ ){{0,3}}?{cues.about} "
        return _matches(rf"(?:\S+ )?{made}|{something}", rest)
    if _matches(
        r"your (?:task|job) is|deine aufgabe ist|ta tâche est|tu tarea es|il tuo compito è|make (?:it|this) (?:all )?about",
        text,
    ):
        return True
    return _matches(rf"(?:the|this|das|der|la|le|el|il|lo) (?:\w+ )?{cues.medium} {cues.must}", text)


def _tells_the_maker(text: str, cues: Cues, *, together: bool) -> bool:
    """An opening verb, whatever it is, with a medium that is not there yet; one of telling, with its topic; one with `me`."""
    if _finds(cues.viewer, _without_formal_you(text, cues)) or _matches(cues.subject, text):
        return False
    made = rf"{cues.indefinite}(?:[ -][\w'-]+){{0,4}}? ?{cues.medium}{_END}"
    verb = r"(?!es |era |fue |hay |è |c'est |c'è |ist |gibt |is |was )[^\W\d]+(?:-?moi|-?nous)?(?: sie)?"
    between = rf"(?: (?:{cues.to_me}|{cues.filler}|together|kurz|mal|daraus|davon|up|out))*"
    digest = (
        rf"{cues.indefinite} (?:[\w'-]+ )?{cues.digest} {cues.about}|{cues.indefinite} (?:[\w'-]+ )?{cues.digest} to"
    )
    if _matches(rf"(?!{_HANDLED}){verb}{between} (?:{made}|{digest})", text):
        return True
    # "Write the password on a card" has a place, not a topic: only what follows the verb at once is what is to be told.
    if text.endswith("?") or together:
        return False
    aside = rf"(?:(?:{cues.to_me}|{cues.amount}|{cues.filler}|to)[ ,]+)*"
    if _matches(rf"{cues.tell}[ -]{aside}(?:{cues.about}|{cues.indirect})", text):
        return True
    if _matches(rf"{cues.tell} (?:[\w'-]+ ){{0,4}}?(?:about|über)", text) or _matches(
        rf"{cues.tell}[ -]{aside}{cues.story}", text
    ):
        return True
    given = rf"{verb}[ -]?{cues.to_me} (?:(?:\S+ ){{0,3}}?{cues.digest}|through|{cues.amount} {cues.about})"
    return _matches(given, text) or _matches(rf"[^\W\d]+(?:me|nos|mi|ci) {cues.indefinite} ?{cues.digest}", text)


def _speaks_of_us(text: str) -> bool:
    """`Let us talk about money`: said by who speaks to who listens, unless something is to be made."""
    return _matches(r"let's|let us|lasst? uns|\w+en wir", text)


def _without_formal_you(text: str, cues: Cues) -> str:
    return compiled(r"^(\w+)(?: sie|-vous)\b").sub(r"\1", text)


def _names_something_to_make(text: str, cues: Cues) -> bool:
    """A medium with its topic and without a verb before it: `A one minute video about`, `short documentary on`."""
    lead = rf"(?:{cues.indefinite} )?(?:[\w'-]+ ){{0,4}}?"
    after = rf"(?:\W+(?:\w+\W+){{0,5}}?{cues.about}{_END})"
    return not _matches(r"(?:the|der|die|das|le|la|les|l'|el|los|las|il|lo|i|gli) ", text) and _matches(
        rf"{lead}{cues.medium}{_END}{after}", text
    )


def _matches(pattern: str, text: str) -> bool:
    return bool(compiled(rf"^(?:{pattern}){_END}" if not pattern.endswith(" ") else rf"^(?:{pattern})").match(text))


def _finds(pattern: str, text: str) -> bool:
    return bool(compiled(rf"{_EDGE}(?:{pattern}){_END}").search(text))
