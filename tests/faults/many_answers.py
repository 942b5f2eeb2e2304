"""Model answers by the thousand: scenes whose words are known, dressed in every way in which models dress them."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable

from stages.script.llm.answer import Answer, AnswerError, read_answer
from stages.script.llm.narration_text import spoken

_WORDS = [
    "lamp",
    "sea",
    "keeper",
    "tower",
    "night",
    "storm",
    "glass",
    "ray",
    "cliff",
    "harbour",
    "ships",
    "rocks",
    "über",
    "Größe",
    "été",
    "niño",
    "città",
    "12",
    "1,500",
    "3.5",
    "-40",
    "2*3=6",
    "file_name",
    "R&D",
    "it's",
    "“quoted”",
    "naïve",
    "灯台",
    "[sic]",
    "(indeed)",
    "C++",
    "10:30",
    "50%",
    "$5",
    "#1",
    "A/B",
]
_NARRATIONS = ["narration", "text", "voiceover", "voice_over", "Narration", "spoken_text", "Sprechertext", "narración"]
_HEADINGS = ["heading", "title", "scene_title", "Überschrift"]
_PROMPTS = ["picture_prompt", "image_prompt", "visual"]
_LABELS = ["", "Narrator: ", "**Host:** ", "VO: ", "Speaker 2: ", "[Scene 1] ", "(pause) ", "Erzähler: ", "Voix off : "]
_TAILS = [
    "",
    " [SFX: waves]",
    "[1][2]",
    "【4:0†source】",
    " (music fades)",
    " ([example.org](https://example.org/a_b))",
    " 🌊",
]
_BEFORE = [
    "",
    "Sure! Here is the script:\n",
    "Here {you} go [as asked]:\n\n",
    "\ufeff",
    "<think>Plan {a} b</think>\n",
    "So, a plan.\n</think>\n",
]
_AFTER = ["", "\n", "\nLet me know!", "\n\nShall I change {anything}?"]
_REFUSALS = [
    "I'm sorry, but I can't help with that.",
    "Es tut mir leid, aber dabei kann ich nicht helfen.",
    "Je suis désolée, mais je ne peux pas répondre à cette demande.",
    "Lo siento, pero no puedo ayudar con eso.",
    "Mi dispiace, ma non posso aiutarti.",
]


def _sentence(rng: random.Random) -> str:
    words = [rng.choice(_WORDS) for _ in range(rng.randint(5, 14))]
    return " ".join(["The", *words, "stays."])


def _scenes(rng: random.Random) -> tuple[list[str], list[dict[str, object]]]:
    sentences = [_sentence(rng) for _ in range(rng.randint(1, 8))]
    names = rng.choice(_NARRATIONS), rng.choice(_HEADINGS), rng.choice(_PROMPTS)
    told: list[dict[str, object]] = [
        {names[1]: "A lamp", names[0]: rng.choice(_LABELS) + text[:-1] + rng.choice(_TAILS) + ".", names[2]: "A lamp."}
        for text in sentences
    ]
    for number, scene in enumerate(told, 1):
        if rng.random() < 0.3:
            scene |= {"scene": number, "duration": 5.5, "notes": None}
    return sentences, told


def _document(rng: random.Random, told: list[dict[str, object]]) -> str:
    shapes: list[Callable[[], object]] = [
        lambda: {"scenes": told},
        lambda: told,
        lambda: {"script": {"scenes": told}},
        lambda: {"title": "T", "scenes": told},
        lambda: {f"scene_{number}": scene for number, scene in enumerate(told, 1)},
        lambda: json.dumps({"scenes": told}),
        lambda: {"output": json.dumps({"scenes": told})},
    ]
    return json.dumps(rng.choice(shapes)(), ensure_ascii=rng.random() < 0.5, indent=rng.choice([None, 1, 2]))


def _blemished(rng: random.Random, text: str) -> str:
    """The same document with one of the faults that models' JSON has."""
    if text.startswith('"') or '\\"' in text:
        return text
    faults: list[Callable[[str], str]] = [
        lambda source: source,
        lambda source: re.sub(r"([}\]])(\s*)\Z", r",\1\2", source),
        lambda source: re.sub(r"\}(\s*)\]", r"},\1]", source),
        lambda source: f"// the script\n{source}",
        lambda source: re.sub(r'"(\w+)":', r"\1:", source, count=1),
    ]
    return rng.choice(faults)(text)


def _plain(text: str) -> str:
    return "".join(text.split())


def check_answer(rng: random.Random) -> None:
    """One answer: a refusal is one, one that is cut off is never a script, and of any other every word is spoken."""
    if rng.random() < 0.05:
        text = rng.choice(_REFUSALS)
        answer = Answer(rng.choice([text, json.dumps({"scenes": [{"heading": "", "narration": text}]})]))
        assert _fault_of(answer) == "refused", answer
        return
    sentences, told = _scenes(rng)
    document = _blemished(rng, _document(rng, told))
    if rng.random() < 0.25:
        cut = document[: rng.randint(2, len(document) - 1)]
        if cut.lstrip()[:1] in ("{", "["):
            answer = Answer(rng.choice(_BEFORE) + cut, finish=rng.choice(["length", "stop"]))
            assert _fault_of(answer) in ("cut off", "unreadable" if answer.finish == "stop" else "cut off"), answer
        return
    fence = rng.random() < 0.3
    answer = Answer(rng.choice(_BEFORE) + (f"```json\n{document}\n```" if fence else document) + rng.choice(_AFTER))
    found = [spoken(scene.narration) for scene in read_answer(answer)]
    assert [_plain(one.text) for one in found] == [_plain(sentence) for sentence in sentences], answer
    assert not any(one.left_out for one in found), answer


def _fault_of(answer: Answer) -> str:
    try:
        read_answer(answer)
    except AnswerError as error:
        return error.fault
    return "none"
