"""Reading what a language model answered: scenes out of whatever a person would read them from.

Models are asked for one JSON object. What comes is that object with thoughts before it, prose or fences around it, under other
names, in another shape, or nearly JSON. What is cut off is never completed: a shortened film would look like a whole one.
"""

from __future__ import annotations

import ast
import contextlib
import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from stages.script.llm.documents import BEGINS, NARRATION, closing_of, documents, is_texts, scenes_in, text_of
from stages.script.llm.markdown_script import scenes_in_markdown
from stages.script.llm.prompt import DraftScene
from stages.script.llm.refusals import is_refusal
from stages.script.words import count_words

Fault = Literal["nothing", "refused", "cut off", "unreadable"]

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
#: Typographic quotation marks in the place of JSON's.
_OPENING_QUOTE = re.compile(r"(?<=[{\[,:])(\s*)[\u201c\u201d\u201e\u201f]")
_CLOSING_QUOTE = re.compile(r"[\u201c\u201d](?=\s*[:,\]}])")
#: Of the words in what is nearly JSON, so many must be there once it is read: some repairs lose what they cannot place.
_LEAST_KEPT = 0.97
#: Scenes that a model left out, where a document goes on: `, ...]`, `// ... more scenes`.
_ELIDED = re.compile(r"[,\[{]\s*(?://|/\*|#)?\s*(?:\.\.\.|\u2026)|(?:\.\.\.|\u2026)\s*(?:\*/)?\s*[\]}]")
#: What the instructions show as an example is nobody's script.
_EXAMPLE = "what the narrator says"
_UNSEEN = "\ufeff\u200b\u200e\u200f\u2060"
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
    if not scenes and answer.finish != "length":
        scenes = scenes_in_markdown(_without_thoughts(text))
    if scenes:
        _check_for_refusal(scenes)
        return scenes
    if answer.finish == "length" or _is_cut_off(_without_thoughts(text)):
        raise AnswerError("cut off", text or answer.thoughts)
    if not text:
        raise AnswerError("nothing")
    said = _without_thoughts(text)
    # Beside the form that was asked for, as in {"error": "I cannot help with that."}
    inner = [one for found in documents(said) for one in _strings_in(found)]
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
    # A mark of thoughts inside of a narration ends none.
    sources = (text, body) if text.lstrip("` \njson")[:1] in ("{", "[") else (body, text)
    for source in dict.fromkeys(sources):
        unescaped = _unescaped(source)
        if found := _strict(unescaped) or _strict(_straight(unescaped)) or _repaired(_straight(unescaped)):
            return found
    return []


def _unescaped(source: str) -> str:
    """A document whose quotation marks are all written for a web page, or for a string of a program."""
    if '"' not in source and "&quot;" in source:
        return html.unescape(source)
    if re.match(r"\W*[{\[]\s*(?:[{\[]\s*)?\\\"", source) and not re.search(r'(?<!\\)"', source):
        return re.sub(r"\\(?:n|r|t)", " ", re.sub(r'\\(["\\])', r"\1", source))
    return source


def _without_thoughts(text: str) -> str:
    """What comes after the thoughts, whether or not their beginning is marked."""
    ends = list(_THOUGHTS_END.finditer(text))
    for end in reversed(ends):
        rest = text[end.end() :].strip().strip(_UNSEEN).strip()
        if rest:
            return rest
    return "" if ends or (_THOUGHTS_BEGIN.match(text) and "{" not in text) else text


def _strict(source: str) -> list[DraftScene]:
    """The last JSON document that holds a whole script; documents that are one scene each are one script together.

    What follows a script (notes, the example of the instructions, a piece of it again) does not take its place.
    """
    found: list[tuple[bool, list[DraftScene]]] = []
    singles: list[DraftScene] = []
    for document in documents(source):
        scenes = [scene for scene in scenes_in(document) if not scene.narration.startswith(_EXAMPLE)]
        if isinstance(document, dict) and len(scenes) == 1 and text_of(document, NARRATION):
            singles += scenes
        elif scenes:
            found.append((not is_texts(document), scenes))
    if not found:
        return singles
    of_kind = [scenes for is_script, scenes in found if is_script] or [scenes for _, scenes in found]
    most = max(len(scenes) for scenes in of_kind)
    return next(scenes for scenes in reversed(of_kind) if len(scenes) * 2 > most)


def _straight(source: str) -> str:
    return _CLOSING_QUOTE.sub('"', _OPENING_QUOTE.sub(r'\1"', source))


def _repaired(source: str) -> list[DraftScene]:
    """Scenes of what is nearly JSON, and whole."""
    start = BEGINS.search(source)
    if not start or _is_cut_off(source):
        return []
    end = closing_of(source, start.start()) or max(source.rfind("}"), source.rfind("]")) + 1
    if _ELIDED.search(re.sub(r'"(?:\\.|[^"\\])*"', '""', source[start.start() : end])):
        return []
    import json_repair

    with contextlib.suppress(ValueError, SyntaxError, RecursionError, MemoryError):
        # As Python writes it.
        return scenes_in(ast.literal_eval(source[start.start() : end]))
    whole = _REMARK.sub(
        lambda found: found.group() if found.group().startswith('"') else " ", source[start.start() : end]
    )
    try:
        document = json_repair.loads(whole, skip_json_loads=True)
    except (ValueError, RecursionError):
        return []
    kept = count_words(json.dumps(document, ensure_ascii=False))
    written = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), whole)
    return scenes_in(document) if kept >= count_words(written) * _LEAST_KEPT else []


def _is_cut_off(source: str) -> bool:
    """Whether brackets that were opened stay open, as far as can be told without the quotation marks being right."""
    start = BEGINS.search(source)
    if not start:
        return False
    if closing_of(source, start.start()):
        return False
    # Quotation marks may be wrong: then what counts is how the text ends.
    rest = re.sub(r"\s*`{3}.*\Z", "", source[start.start() :], flags=re.DOTALL).rstrip().rstrip(_UNSEEN + ";")
    opened = sum(rest.count(char) for char in "{[") - sum(rest.count(char) for char in "}]")
    return not rest.endswith(("}", "]")) or opened > 0
