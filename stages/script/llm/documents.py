"""The scenes in a document that a model wrote, under whatever names and in whatever shape."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from stages.script.llm.prompt import DraftScene
from stages.script.words import count_words

_SCENE_KEYS = """
    scenes scene script segments segment slides sections parts shots storyboard video film narration narrations output result
    response data szenen skript drehbuch abschnitte scènes séquences escenas guion guión secciones copione sezioni
"""
_NARRATION_KEYS = """
    narration narrationtext narratortext voiceover voiceovertext vo spoken spokentext speech narrator text script scripttext
    dialogue dialog lines line say content body copy erzählung erzähltext sprechertext sprecher texte voixoff texto narración
    locución testo narrazione audio audiotext
"""
_HEADING_KEYS = """
    heading header headline title scenetitle sceneheading caption name überschrift titel titre título titulo titolo
"""
_PICTURE_KEYS = """
    pictureprompt imageprompt picture image visual visuals visualprompt visualdescription imagedescription picturedescription
    prompt bildprompt bild imagen immagine
"""
_SCENES = frozenset(_SCENE_KEYS.split())
NARRATION, _HEADING, _PICTURE = _NARRATION_KEYS.split(), _HEADING_KEYS.split(), _PICTURE_KEYS.split()
_NUMBERED = re.compile(
    r"(?:scene|szene|scène|escena|scena|part|teil|partie|parte|segment|section|slide|shot|narration)(\d{1,3})"
)
#: How a JSON object or list begins, and nothing in prose.
BEGINS = re.compile(r"[{\[]\s*(?:[{\[\"'\u201c\u201e\u00ab]|/[/*]|\w+\s*:|$)")
_MOST_DEPTH = 6


def scenes_in(document: Any, depth: int = 0) -> list[DraftScene]:
    """Scenes wherever in a document they stand; none where there are none."""
    if depth > _MOST_DEPTH:
        return []
    if isinstance(document, str):
        inner = document.strip()
        return (
            [scene for found in documents(inner) for scene in scenes_in(found, depth + 1)] if inner[:1] in "{[" else []
        )
    if isinstance(document, list):
        return _scenes_in_list(document, depth)
    if not isinstance(document, Mapping):
        return []
    for key, value in document.items():
        if _plain(key) in _SCENES and _may_hold_scenes(_plain(key), value) and (scenes := scenes_in(value, depth + 1)):
            return scenes
    if len(numbered := _numbered(document)) > 1:
        return [scene for value in numbered for scene in scenes_in(value, depth + 1)]
    if scene := _scene(document):
        return [scene]
    values = [value for value in document.values() if not is_texts(value)]
    if sum(isinstance(value, Mapping) and _scene(value) is not None for value in values) > 1:
        return [scene for value in values if isinstance(value, Mapping) for scene in scenes_in(value, depth + 1)]
    return next((scenes for value in values if (scenes := scenes_in(value, depth + 1))), [])


def _numbered(document: Mapping[str, Any]) -> list[Any]:
    """The scenes that a document numbers in its names, in their order; a text is a scene's narration."""
    found = [(int(match[1]), value) for key, value in document.items() if (match := _NUMBERED.fullmatch(_plain(key)))]
    return [
        {"narration": value} if isinstance(value, str) else value for _, value in sorted(found, key=lambda one: one[0])
    ]


def is_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)


def _scenes_in_list(items: list[Any], depth: int) -> list[DraftScene]:
    if is_texts(items):
        told = [item for item in items if count_words(item) > 3]
        return [DraftScene(heading="", narration=item, picture_prompt="") for item in told]
    return [scene for item in items if not isinstance(item, str) for scene in scenes_in(item, depth + 1)]


def _scene(document: Mapping[str, Any]) -> DraftScene | None:
    narration = text_of(document, NARRATION)
    if not count_words(narration):
        return None
    return DraftScene(
        heading=text_of(document, _HEADING), narration=narration, picture_prompt=text_of(document, _PICTURE)
    )


def text_of(document: Mapping[str, Any], names: list[str]) -> str:
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
    if isinstance(value, list) and name in NARRATION and all(isinstance(item, str) for item in value):
        return False
    return isinstance(value, Mapping | list) or (isinstance(value, str) and value.lstrip()[:1] in ("{", "["))


def documents(source: str) -> Iterator[Any]:
    """Every whole JSON document in a text, in its order. Line breaks inside of strings are taken as they are."""
    decoder = json.JSONDecoder(strict=False)
    at = 0
    while found := re.compile(r"[{\[\"]").search(source, at):
        try:
            document, at = decoder.raw_decode(source, found.start())
        except (ValueError, RecursionError):
            close = closing_of(source, found.start())
            if BEGINS.match(source, found.start()):
                # Broken or cut off: what stands inside of it is no document of its own.
                at = close or len(source)
            else:
                at = found.end()
        else:
            yield document


def closing_of(source: str, start: int) -> int:
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
