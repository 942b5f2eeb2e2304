"""A script that a model wrote as a text with headings instead of the form that was asked for."""

from __future__ import annotations

import re

from stages.script.llm.documents import BEGINS
from stages.script.llm.prompt import DraftScene
from stages.script.words import count_words

_HEADING = re.compile(
    r"^\s*(?:#{1,5}\s+(?P<marked>.+?)\s*#*|\*\*(?P<bold>[^*\n]{1,80})\*\*:?"
    r"|(?P<plain>(?:scene|szene|scène|escena|scena)\s*\d+\b[^.!?\n]{0,80}))\s*$",
    re.IGNORECASE,
)
_RULE = re.compile(r"^\s*(?:-{3,}|\*{3,}|_{3,})\s*$")
_PICTURE = re.compile(
    r"^\W*(?:visuals?|pictures?|images?|picture prompt|image prompt|bild|visuel|imagen|immagine)\W{0,4}:\W*(?P<told>.+?)\W*$",
    re.IGNORECASE,
)
#: Sections beside the script, and what a model says to whoever asked.
_BESIDE = re.compile(
    r"^\W*(?:notes?|sources?|references?|quellen|anmerkungen|fuentes|notas|fonti|visuals?|word count)\b", re.I
)
_CLOSING_WORDS = re.compile(
    r"^\W*(?:let me know|i hope|hope this|feel free|would you like|sag mir|ich hoffe|n'hésite|j'espère|espero|avísame"
    r"|spero|fammi)",
    re.I,
)
#: Headings of a plan: no script.
_PLAN = re.compile(
    r"^\W*(?:goals?|objectives?|(?:target )?audience|outline|plan|structure|style|tone|approach|requirements|next steps"
    r"|options?|questions?"
    r"|key points|ziele?|zielgruppe|gliederung|vorgehen|objectifs?|public|structure|objetivos?|público|estructura"
    r"|obiettiv[oi]|pubblico"
    r"|struttura)\W*$",
    re.IGNORECASE,
)
_ENDS = re.compile(r"[.!?\u2026\u3002\uff01\uff1f][\"'\u201d\u2019\u00bb)*_\s]*\Z")
_LEAST_SCENES, _LEAST_WORDS = 2, 4


def scenes_in_markdown(text: str) -> list[DraftScene]:
    """A scene for each heading with a text below it. None where there are fewer than two, or the text ends within a sentence."""
    if BEGINS.search(text):
        return []
    sections: list[tuple[str, list[str]]] = []
    for line in re.sub(r"^\s*`{3}\w*\s*$", "", text, flags=re.MULTILINE).splitlines():
        if found := _HEADING.match(line):
            sections.append((found["marked"] or found["bold"] or found["plain"], []))
        elif sections:
            sections[-1][1].append(line)
    if any(_PLAN.match(title) for title, _ in sections):
        return []
    scenes = [scene for title, lines in sections if not _BESIDE.match(title) if (scene := _scene(title, lines))]
    is_whole = bool(scenes) and _ENDS.search(scenes[-1].narration) is not None
    return scenes if is_whole and len(scenes) >= _LEAST_SCENES else []


def _scene(title: str, lines: list[str]) -> DraftScene | None:
    pictures = [found["told"] for line in lines if (found := _PICTURE.match(line))]
    told = "\n".join(line for line in lines if not _PICTURE.match(line) and not _RULE.match(line)).strip()
    paragraphs = [one for one in re.split(r"\n\s*\n", told) if not _CLOSING_WORDS.match(one)]
    narration = "\n\n".join(paragraphs).strip()
    if count_words(narration) < _LEAST_WORDS:
        return None
    return DraftScene(heading=title.strip("*_ "), narration=narration, picture_prompt=" ".join(pictures))
