"""Reading what a language model answered: scenes out of whatever a person would read them from.

Models are asked for one JSON object. What comes is that object with thoughts before it, prose or fences around it, under other
names, in another shape, or nearly JSON. What is cut off is never completed: a shortened film would look like a whole one.
"""

from __future__ import annotations

import ast
import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from stages.script.llm.prompt import DraftScene
from stages.script.llm.refusals import is_refusal
from stages.script.words import count_words

Fault = Literal["nothing", "refused", "cut off", "unreadable"]

_SCENE_KEYS = """
    scenes scene script segments segment slides sections parts shots storyboard video film narration narrations output result
    response data szenen skript drehbuch abschnitte scènes séquences escenas guion guión secciones copione sezioni
"""
_NARRATION_KEYS = """
    narration narrationtext voiceover voiceovertext vo spoken spokentext speech narrator text script dialogue dialog lines line
    content body copy erzählung erzähltext sprechertext sprecher texte voixoff texto narración locución testo narrazione
"""
_HEADING_KEYS = """
    heading header headline title scenetitle sceneheading caption name überschrift titel titre título titulo titolo
"""
_PICTURE_KEYS = """
    pictureprompt imageprompt picture image visual visuals visualprompt visualdescription imagedescription picturedescription
    prompt bildprompt bild imagen immagine
"""
_SCENES = frozenset(_SCENE_KEYS.split())
_NARRATION, _HEADING, _PICTURE = _NARRATION_KEYS.split(), _HEADING_KEYS.split(), _PICTURE_KEYS.split()
#: What ends a model's thoughts where they come in the same text as its answer.
_THOUGHTS_END = re.compile(
    r"</(?:think|thinking|thought|thoughts|reasoning|reflection|analysis|scratchpad)\s*>|\[/THINK\]|◁/think▷"
    r"|<\|channel\|>\s*final\s*<\|message\|>|<\|end_of_thought\|>",
    re.IGNORECASE,
)
_THOUGHTS_BEGIN = re.compile(
    r"^\s*(?:<(?:think|thinking|thought|reasoning|analysis|scratchpad)\s*>|\[THINK\]|◁think▷)", re.I
)
#: Strings, and the remarks between them, which JSON does not have.
_REMARK = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
#: How a JSON object or list begins, and nothing in prose.
_BEGINS = re.compile(r"[{\[]\s*(?:[{\[\"'\u201c\u201e\u00ab]|/[/*]|\w+\s*:|$)")
#: Typographic quotation marks in the place of JSON's.
_OPENING_QUOTE = re.compile(r"(?<=[{\[,:])(\s*)[\u201c\u201d\u201e\u201f]")
_CLOSING_QUOTE = re.compile(r"[\u201c\u201d](?=\s*[:,\]}])")
#: Of the words in what is nearly JSON, so many must be there once it is read: some repairs lose what they cannot place.
_LEAST_KEPT = 0.97
_UNSEEN = "\ufeff\u200b\u200e\u200f\u2060"
_MOST_DEPTH = 6
_MOST_REFUSAL_WORDS, _MOST_TALK_WORDS = 45, 200
#: Scenes that speak to whoever asked.
_TALK = re.compile(
    r"\b(?:requests?|topics?|prompts?|guidelines|polic(?:y|ies)"
    r"|instead|assist\w*|(?:help|ask) (?:you|me)|happy to|feel free|let me know"
    r"|sorry|anfragen?|thema|themen|richtlinien|stattdessen|gerne?|demandes?|sujets?|consignes|plutôt|volontiers|aider"
    r"|solicitud(?:es)?|petición|temas?|en su lugar|con gusto|ayudar\w*|richiest[ae]|argoment[oi]|invece|volentieri|aiutar\w*)\b",
    re.IGNORECASE,
)


class AnswerError(Exception):
    """An answer that holds no script. `fault` says why; `said` is how the answer begins."""

    def __init__(self, fault: Fault, said: str = "") -> None:
        super().__init__(fault)
        self.fault = fault
        self.said = " ".join(said.split())


@dataclass(frozen=True)
class Answer:
    """What came back: the text, the thoughts beside it, and what the service said of its end, each empty where it said nothing.

    `tokens` is how many were written, 0 where that is not told.
    """

    text: str = ""
    thoughts: str = ""
    finish: str = ""
    refusal: str = ""
    tokens: int = 0


def read_answer(answer: Answer) -> list[DraftScene]:
    """The scenes of an answer, at least one, each with a narration. Raises AnswerError."""
    if answer.refusal or answer.finish == "content_filter":
        raise AnswerError("refused", answer.refusal or answer.text)
    text = answer.text.strip().strip(_UNSEEN).strip()
    scenes = _scenes_of(text)
    if not scenes and not text:
        # Some servers put all that was written among the thoughts.
        scenes = _scenes_of(answer.thoughts)
    if scenes:
        _check_for_refusal(scenes)
        return scenes
    if answer.finish == "length" or _is_cut_off(_without_thoughts(text)):
        raise AnswerError("cut off", text or answer.thoughts)
    if not text:
        raise AnswerError("nothing")
    said = _without_thoughts(text)
    # Beside the form that was asked for, as in {"error": "I cannot help with that."}
    inner = [one for found in _documents(said) for one in _strings_in(found)]
    if refused := next((one for one in (*inner, said) if is_refusal(one)), ""):
        raise AnswerError("refused", refused)
    raise AnswerError("unreadable", said or text)


def _check_for_refusal(scenes: list[DraftScene]) -> None:
    """A refusal in the form that was asked for is one. A tale that begins like one goes on after it."""
    first, *others = [scene.narration for scene in scenes]
    said = " ".join((first, *others))
    is_short = len(scenes) <= 2 and count_words(said) <= _MOST_REFUSAL_WORDS
    is_talk = count_words(said) <= _MOST_TALK_WORDS and all(_TALK.search(text) for text in others)
    if (is_short or is_talk) and is_refusal(first):
        raise AnswerError("refused", said)


def _strings_in(document: Any) -> Iterator[str]:
    if isinstance(document, str):
        yield document
    elif isinstance(document, Mapping | list):
        for value in document.values() if isinstance(document, Mapping) else document:
            yield from _strings_in(value)


def _scenes_of(text: str) -> list[DraftScene]:
    body = _without_thoughts(text)
    for source in dict.fromkeys((body, text)):
        if found := _strict(source) or _strict(_straight(source)) or _repaired(_straight(source)):
            return found
    return []


def _without_thoughts(text: str) -> str:
    """What comes after the thoughts, whether or not their beginning is marked."""
    ends = list(_THOUGHTS_END.finditer(text))
    for end in reversed(ends):
        rest = text[end.end() :].strip().strip(_UNSEEN).strip()
        if rest:
            return rest
    return "" if ends or (_THOUGHTS_BEGIN.match(text) and "{" not in text) else text


def _strict(source: str) -> list[DraftScene]:
    """The last JSON document that holds scenes; documents that are one scene each are one script together."""
    found: list[list[DraftScene]] = []
    singles: list[DraftScene] = []
    for document in _documents(source):
        scenes = _scenes_in(document)
        if isinstance(document, dict) and len(scenes) == 1 and _text_of(document, _NARRATION):
            singles += scenes
        elif scenes:
            found.append(scenes)
    return found[-1] if found else singles


def _documents(source: str) -> Iterator[Any]:
    """Every whole JSON document in a text, in its order. Line breaks inside of strings are taken as they are."""
    decoder = json.JSONDecoder(strict=False)
    at = 0
    while found := re.compile(r"[{\[\"]").search(source, at):
        try:
            document, at = decoder.raw_decode(source, found.start())
        except (ValueError, RecursionError):
            close = _closing(source, found.start())
            if _BEGINS.match(source, found.start()):
                # Broken or cut off: what stands inside of it is no document of its own.
                at = close or len(source)
            else:
                at = found.end()
        else:
            yield document


def _closing(source: str, start: int) -> int:
    """The place after the bracket that closes the one at `start`; 0 where none does."""
    depth, quoted, at = 0, False, start
    while at < len(source):
        char = source[at]
        if char == "\\":
            at += 1
        elif char == '"':
            quoted = not quoted
        elif not quoted and char in "{[":
            depth += 1
        elif not quoted and char in "}]":
            depth -= 1
            if not depth:
                return at + 1
        at += 1
    return 0


def _straight(source: str) -> str:
    return _CLOSING_QUOTE.sub('"', _OPENING_QUOTE.sub(r'\1"', source))


def _repaired(source: str) -> list[DraftScene]:
    """Scenes of what is nearly JSON, and whole."""
    start = _BEGINS.search(source)
    if not start or _is_cut_off(source):
        return []
    end = _closing(source, start.start()) or max(source.rfind("}"), source.rfind("]")) + 1
    import json_repair

    with contextlib.suppress(ValueError, SyntaxError, RecursionError, MemoryError):
        # As Python writes it.
        return _scenes_in(ast.literal_eval(source[start.start() : end]))
    whole = _REMARK.sub(
        lambda found: found.group() if found.group().startswith('"') else " ", source[start.start() : end]
    )
    try:
        document = json_repair.loads(whole, skip_json_loads=True)
    except (ValueError, RecursionError):
        return []
    kept = count_words(json.dumps(document, ensure_ascii=False))
    written = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), whole)
    return _scenes_in(document) if kept >= count_words(written) * _LEAST_KEPT else []


def _is_cut_off(source: str) -> bool:
    """Whether brackets that were opened stay open, as far as can be told without the quotation marks being right."""
    start = _BEGINS.search(source)
    if not start:
        return False
    if _closing(source, start.start()):
        return False
    # Quotation marks may be wrong: then what counts is how the text ends.
    rest = re.sub(r"\s*`{3}.*\Z", "", source[start.start() :], flags=re.DOTALL).rstrip().rstrip(_UNSEEN + ";")
    opened = sum(rest.count(char) for char in "{[") - sum(rest.count(char) for char in "}]")
    return not rest.endswith(("}", "]")) or opened > 0


def _scenes_in(document: Any, depth: int = 0) -> list[DraftScene]:
    """Scenes wherever in a document they stand; none where there are none."""
    if depth > _MOST_DEPTH:
        return []
    if isinstance(document, str):
        inner = document.strip()
        return (
            [scene for found in _documents(inner) for scene in _scenes_in(found, depth + 1)]
            if inner[:1] in "{["
            else []
        )
    if isinstance(document, list):
        return _scenes_in_list(document, depth)
    if not isinstance(document, Mapping):
        return []
    for key, value in document.items():
        if _plain(key) in _SCENES and _may_hold_scenes(_plain(key), value) and (scenes := _scenes_in(value, depth + 1)):
            return scenes
    if scene := _scene(document):
        return [scene]
    values = list(document.values())
    if values and all(isinstance(value, Mapping) for value in values):
        return [scene for value in values for scene in _scenes_in(value, depth + 1)]
    return next((scenes for value in values if (scenes := _scenes_in(value, depth + 1))), [])


def _scenes_in_list(items: list[Any], depth: int) -> list[DraftScene]:
    if items and all(isinstance(item, str) for item in items):
        told = [item for item in items if count_words(item) > 3]
        return [DraftScene(heading="", narration=item, picture_prompt="") for item in told]
    return [scene for item in items if not isinstance(item, str) for scene in _scenes_in(item, depth + 1)]


def _scene(document: Mapping[str, Any]) -> DraftScene | None:
    narration = _text_of(document, _NARRATION)
    if not count_words(narration):
        return None
    return DraftScene(
        heading=_text_of(document, _HEADING), narration=narration, picture_prompt=_text_of(document, _PICTURE)
    )


def _text_of(document: Mapping[str, Any], names: list[str]) -> str:
    """The first of these fields that holds text; lists of texts are joined."""
    fields = {_plain(key): value for key, value in document.items()}
    for name in names:
        value = fields.get(name)
        if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
            value = " ".join(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and value == value:
            value = str(value)
        if isinstance(value, str) and value.strip():
            return value
    return ""


def _plain(key: object) -> str:
    return re.sub(r"[\s_\-*:]", "", str(key)).lower()


def _may_hold_scenes(name: str, value: object) -> bool:
    """A narration in several lines is none of several scenes."""
    if isinstance(value, list) and name in _NARRATION and all(isinstance(item, str) for item in value):
        return False
    return isinstance(value, Mapping | list) or (isinstance(value, str) and value.lstrip()[:1] in ("{", "["))
