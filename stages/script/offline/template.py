"""The last resort for scripts: the brief's own text from its beginning, a few sentences a scene.

Nothing is chosen, judged or looked up, in any language. Where the offline writer can work, what it makes is better.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from config.errors import UnavailableError
from stages.base import CancelToken
from stages.models import Brief, Script, ScriptScene
from stages.script.instructions import MOST_WORDS, read, spoken_without
from stages.script.script_writer import FIRST_ASK, Ask, ScriptWriter
from stages.script.words import count_words, words_in
from stages.text.sentences import sentences

#: Raised when a change here changes what is written.
VERSION = "3"

_SCENE_WORDS, _MOST_WORDS = 30, 120
_MOST_TITLE_CHARS = 80


class TemplateWriter(ScriptWriter):
    """Reads the text out as it stands."""

    name = "template"

    def identity(self) -> dict[str, str]:
        return {"version": VERSION}

    def check(self, brief: Brief) -> None:
        """Raise `UnavailableError` for a text that says what to make: read out, it would be nonsense."""
        words = count_words(brief.text)
        found = [sentence for sentence, _ in _all_sentences(brief)] if words <= MOST_WORDS else []
        if not words or read(found, brief.language).kind == "order":
            raise UnavailableError(
                "template: the brief has no text to read out, only what the film is to be about",
                provider=self.name,
                hint="put a text of some sentences into the brief, or write its scenes under `## ` headings",
            )

    def write(self, brief: Brief, cancel: CancelToken, timeout_s: float, ask: Ask = FIRST_ASK) -> Script:
        """The script. With a length asked for, it ends with the sentence that fills it."""
        self.check(brief)
        most = words_in(brief.target_length_s, brief.language) if brief.target_length_s else 0
        scenes: list[list[str]] = []
        said = words = 0
        found = list(_all_sentences(brief))
        left_out = read([sentence for sentence, _ in found], brief.language).left_out
        fresh = True
        for index, (sentence, opens_paragraph) in enumerate(found):
            cancel.check()
            fresh = fresh or opens_paragraph
            if index in left_out:
                continue
            if most and said >= most:
                break
            count = count_words(sentence)
            if fresh or words + count > _SCENE_WORDS:
                scenes.append([])
                words = 0
            fresh = False
            scenes[-1].append(sentence)
            words, said = words + count, said + count
        title = brief.title if len(brief.title) <= _MOST_TITLE_CHARS else ""
        return Script(
            title=brief.title,
            scenes=tuple(
                ScriptScene(
                    narration=" ".join(scene),
                    heading="" if number else title,
                    picture_prompt=" ".join(scene)[:200],
                )
                for number, scene in enumerate(scenes)
            ),
            writer=self.name,
            notes=spoken_without([found[index][0] for index in sorted(left_out)]),
        )


def _all_sentences(brief: Brief) -> Iterator[tuple[str, bool]]:
    """Every sentence, and whether it opens a paragraph."""
    for paragraph in re.split(r"\n\s*\n", brief.text):
        for place, sentence in enumerate(_sentences(paragraph, brief.language)):
            yield sentence, place == 0


def _sentences(paragraph: str, language: str) -> list[str]:
    """Sentences, the very long ones in parts; what has no word is no sentence."""
    found: list[str] = []
    for sentence in sentences(" ".join(paragraph.split()), language):
        words = sentence.split()
        found += [" ".join(words[start : start + _MOST_WORDS]) for start in range(0, len(words), _MOST_WORDS)]
    return [sentence for sentence in found if count_words(sentence)]
