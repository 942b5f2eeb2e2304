"""The offline writer: the text's own sentences, the most telling ones when it is too long, cut into scenes.

It adds no word of its own, so it is as true as the text, and it cannot make a script out of a topic.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from dataclasses import replace

from checkpoints.keys import code_digest
from config.errors import UnavailableError
from stages.base import CancelToken
from stages.models import Brief, Script, ScriptScene
from stages.script.instructions import MOST_WORDS, Reading, is_order, read, spoken_without
from stages.script.offline.sentences import Sentence
from stages.script.script_writer import FIRST_ASK, Ask, ScriptWriter
from stages.script.words import count_words, speaking_s

#: Raised when a change in this package changes what is written.
VERSION = "2"

_LONG_S = 600.0
_SHORTFALL = 0.8
_MOST_TITLE_CHARS = 80
#: Silence before the first word, after the last one, and from one scene to the next beyond a sentence's own breath.
_ENDS_S = 1.4
_BREAK_S = 0.5
_SCENE_S = 9.0
HINT = (
    "put a text of some sentences into the brief, or write its scenes under `## ` headings; or have a language model write "
    "it: set OPENAI_API_KEY or ANTHROPIC_API_KEY and add `providers: {script: OpenAI}` (or Anthropic) to the brief, or name "
    "a server of yours with FRAMEKEEP_PROVIDERS__LOCALLLM__BASEURL and FRAMEKEEP_PROVIDERS__LOCALLLM__MODEL and add "
    "`providers: {script: LocalLLM}`"
)


class OutlineWriter(ScriptWriter):
    """Extracts a script from the brief's text. Deterministic: the seed changes nothing."""

    name = "outline"

    def identity(self) -> dict[str, str]:
        from stages.script.offline.phrases import tagger_identity

        return {
            "version": VERSION,
            "sentencex": importlib.metadata.version("sentencex"),
            "text": code_digest("stages.text"),
            "tagger": tagger_identity(),
        }

    def check(self, brief: Brief) -> None:
        """Raise `UnavailableError` for a topic, a mere order to write something, or nothing at all."""
        what = "the text has no word to speak"
        if words := count_words(brief.text):
            # Splitting a long text would take as long as writing it.
            kind = "text" if words > MOST_WORDS else read_text(brief.text, brief.language).kind
            if kind == "text":
                return
            shown = " ".join(brief.text.split())
            what = f"“{shown if len(shown) <= 60 else shown[:59].rstrip() + '…'}” is {'an order' if kind == 'order' else 'a topic'}"
        raise UnavailableError(
            f"outline: {what}; the offline writer shortens a text of yours but cannot write one",
            provider=self.name,
            hint=HINT,
        )

    def can_write(self, brief: Brief) -> bool:
        """Whether `check` finds nothing."""
        try:
            self.check(brief)
        except UnavailableError:
            return False
        return True

    def write(self, brief: Brief, cancel: CancelToken, timeout_s: float, ask: Ask = FIRST_ASK) -> Script:
        """The script. A text that fits the target length is kept whole; so is any text when there is no target."""
        from stages.script.offline.choosing import choose
        from stages.script.offline.cutting import cut
        from stages.script.offline.headings import head
        from stages.script.offline.sentences import split

        self.check(brief)
        found = split(brief.text, brief.language, cancel.check)
        left_out = read([sentence.text for sentence in found], brief.language).left_out
        orders = [found[index].text for index in sorted(left_out)]
        # A heading is not spoken, but it is shown.
        orders += [
            sentence.heading for sentence in found if sentence.heading and is_order(sentence.heading, brief.language)
        ]
        found = [replace(sentence, heading="") if sentence.heading in orders else sentence for sentence in found]
        sentences = _with_headings(found, [index for index in range(len(found)) if index not in left_out], brief.title)
        kept = list(range(len(sentences)))
        if brief.target_length_s:
            kept = choose(sentences, brief.language, _speech_s(brief.target_length_s))
        cancel.check()
        chosen = _with_headings(sentences, kept, brief.title)
        skipped = [index > 0 and kept[index] != kept[index - 1] + 1 for index in range(len(kept))]
        ranges = cut(chosen, skipped, brief.language)
        cancel.check()
        texts = [[chosen[index].text for index in scene] for scene in ranges]
        given = [chosen[scene.start].heading for scene in ranges]
        # The film opens with its own title, as a page does.
        given[0] = given[0] or (brief.title if len(brief.title) <= _MOST_TITLE_CHARS else "")
        heads = head(texts, brief.language, given)
        scenes = tuple(
            ScriptScene(narration=_joined(text), heading=heading, picture_prompt=prompt)
            for text, (heading, prompt) in zip(texts, heads, strict=True)
        )
        return Script(
            title=brief.title,
            scenes=scenes,
            writer=self.name,
            notes=(*spoken_without(orders), *_notes(brief, scenes)),
        )


def read_text(text: str, language: str) -> Reading:
    """What a short text is: to be read out, an order, or a topic."""
    from stages.script.offline.sentences import split

    return read([sentence.text for sentence in split(text, language)], language)


def film_s(scenes: Sequence[ScriptScene], language: str) -> float:
    """How long a film of these scenes will be, as far as can be known before anybody speaks."""
    spoken = sum(speaking_s(scene.narration, language) for scene in scenes)
    return spoken + _BREAK_S * max(0, len(scenes) - 1) + _ENDS_S


def _speech_s(target_s: float) -> float:
    """What of a film's length is left for sentences when the silences around scenes are taken off."""
    return max(1.0, (target_s - _ENDS_S) / (1 + _BREAK_S / _SCENE_S))


def _joined(sentences: Sequence[str]) -> str:
    """Sentences one after the other; scripts that put no space between words put none between sentences."""
    return "".join(f"{text} " if text[-1] not in "\u3002\uff01\uff1f" else text for text in sentences).strip()


def _with_headings(sentences: Sequence[Sentence], kept: Sequence[int], title: str) -> list[Sentence]:
    """The kept sentences. The heading of a section whose first sentence was left out goes to the first that was not."""
    chosen: list[Sentence] = []
    heading, last = "", -1
    for index in kept:
        for passed in range(last + 1, index + 1):
            heading = sentences[passed].heading or heading
        last = index
        own = "" if heading.casefold() == title.casefold() and chosen else heading
        chosen.append(replace(sentences[index], heading=own))
        heading = ""
    return chosen


def _notes(brief: Brief, scenes: Sequence[ScriptScene]) -> tuple[str, ...]:
    seconds = film_s(scenes, brief.language)
    target_s = brief.target_length_s
    if target_s and seconds < target_s * _SHORTFALL:
        return (
            f"the text gives about {seconds:.0f} s of the {target_s:.0f} s asked for; the offline writer shortens, "
            "it does not add",
        )
    if not target_s and seconds > _LONG_S:
        return (
            f"the whole text is spoken, about {seconds / 60:.0f} min; `length: 90s` keeps the most telling sentences",
        )
    return ()
