"""The script stage: a brief's own scenes are taken as they are, a text is handed to a writer."""

from __future__ import annotations

import contextlib
import logging
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import ValidationError

from config.errors import BriefError, ProviderError, TransientError
from config.redaction import redact
from stages.base import CancelToken, Context
from stages.models import Brief, SceneBrief, Script, ScriptScene, Visual
from stages.script.script_writer import Again, Ask, ScriptWriter
from stages.script.words import count_words

_MOST_SCENE_WORDS = 600
_MOST_HEADING_CHARS = 160
_PROMPT_WORDS = 30
#: More than all ways of asking together, so that no server is asked for ever.
_MOST_ASKS = 12
_LOG = logging.getLogger("framekeep")


def write_script(brief: Brief, context: Context, writers: Sequence[ScriptWriter]) -> Script:
    """The script for the brief's text. A writer that cannot write it is passed over without being called.

    The limit on the time is the caller's: it cancels the token that the writer is handed.
    """

    asks: dict[str, Ask] = {}

    def ask_of(writer: ScriptWriter) -> Ask:
        if writer.name not in asks:
            asks[writer.name] = _first_ask(writer, context)
        return asks[writer.name]

    def work(writer: ScriptWriter, cancel: CancelToken) -> Script | Again:
        writer.check(brief)
        reply = writer.write(brief, cancel, 0.0, ask_of(writer))
        script = reply if isinstance(reply, Script) else reply.ask.earlier
        if script and (flaw := _flaw(script, brief.text)):
            raise TransientError(
                f"{writer.name} gave a script that cannot be used: {flaw}",
                provider=writer.name,
                hint="framekeep resume, or name another writer with `providers: {script: ...}`",
                kind="ServiceUnavailable",
            )
        return reply

    return _ask_until_done(context, list(writers), asks, work)


def _ask_until_done(
    context: Context,
    writers: list[ScriptWriter],
    asks: dict[str, Ask],
    work: Callable[[ScriptWriter, CancelToken], Script | Again],
) -> Script:
    """A call for each time that a writer wants to be asked, in its way. A script that it gave before is better than none."""
    for _ in range(_MOST_ASKS):
        try:
            reply, writer = context.call("write", writers, work)
        except ProviderError:
            if len(writers) == 1 and (ask := asks.get(writers[0].name)) and ask.earlier:
                return ask.earlier
            raise
        if isinstance(reply, Script) or reply.is_charged:
            _keep_style(writer, asks[writer.name], context)
        if isinstance(reply, Script):
            return reply
        _LOG.info("%s", reply.why)
        asks[writer.name] = reply.ask
        writers = [writer] if reply.ask.earlier else writers[writers.index(writer) :]
    raise ProviderError(
        "No script came of all that was asked",
        hint="framekeep doctor, or name another writer with `providers: {script: ...}`",
    )


def _first_ask(writer: ScriptWriter, context: Context) -> Ask:
    """Where an earlier run stopped, or as the writer's server is known to want it."""
    if noted := context.noted(writer.name):
        with contextlib.suppress(ValidationError):
            return Ask.model_validate_json(noted)
    return Ask(style=context.request_style_of(writer.server) if writer.server else "")


def _keep_style(writer: ScriptWriter, ask: Ask, context: Context) -> None:
    style = writer.style_to_keep(ask)
    if writer.server and style != context.request_style_of(writer.server):
        context.learn_request_style(writer.server, style)


def from_scenes(brief: Brief) -> Script:
    """The script that the brief's own scenes are: word for word, nothing added but a prompt for those without a picture."""
    return Script(title=brief.title, scenes=tuple(_as_written(scene) for scene in brief.scenes), writer="brief")


def pictures_of(brief: Brief) -> list[Path]:
    """The pictures in the brief's folder, in natural order. Raises BriefError when the folder cannot be read, or has none."""
    from stages.brief.media import pictures_in

    if not brief.pictures:
        return []
    found = pictures_in(brief.pictures)
    if not found:
        raise BriefError(
            f"There is no picture in {brief.pictures}, which the brief names",
            hint="put the pictures back, or leave `pictures` out of the brief",
        )
    return found


def with_pictures(script: Script, pictures: Sequence[Path]) -> Script:
    """The script with a folder's pictures given to its scenes, in order and spread over the whole film.

    A scene's own picture or clip stays, and a picture that a scene names itself is not shown again. With more pictures than
    scenes some are left out evenly; with fewer, the scenes in between get a provider's picture. A scene in which nobody speaks
    is a title, and stays one. Doing it twice changes nothing.
    """
    named = {scene.visual.path for scene in script.scenes if scene.visual}
    free = [path for path in pictures if path not in named]
    bare = [number for number, scene in enumerate(script.scenes) if not scene.visual and scene.narration.strip()]
    count = min(len(free), len(bare))
    given = {
        bare[place * len(bare) // count]: Visual(path=free[place * len(free) // count], kind="picture")
        for place in range(count)
    }
    scenes = (
        scene.model_copy(update={"visual": given[number]}) if number in given else scene
        for number, scene in enumerate(script.scenes)
    )
    return script.model_copy(update={"scenes": tuple(scenes)})


def _as_written(scene: SceneBrief) -> ScriptScene:
    words = scene.narration.split()
    said = " ".join(words[:_PROMPT_WORDS])
    return ScriptScene(
        narration=scene.narration,
        heading=scene.heading,
        items=scene.items,
        picture_prompt=": ".join(part for part in (scene.heading, said) if part),
        visual=scene.visual,
        recording=scene.recording,
        motion=scene.motion,
        hold_s=scene.hold_s,
        transition=scene.transition,
    )


def _flaw(script: Script, source: str) -> str:
    """What is wrong with a writer's answer, or nothing. What the user's own text contains is no fault of the writer."""
    if not script.scenes:
        return "it has no scenes"
    for number, scene in enumerate(script.scenes, 1):
        words = count_words(scene.narration)
        if not words:
            return f"scene {number} has no narration"
        written = f"{scene.heading}\n{scene.narration}\n{scene.picture_prompt}"
        if redact(written) != written and redact(source) == source:
            # It would be spoken, and shown.
            return f"scene {number} repeats a key or another secret"
        if words > _MOST_SCENE_WORDS:
            return f"scene {number} has {words} words"
        if len(scene.heading) > _MOST_HEADING_CHARS:
            return f"the heading of scene {number} has {len(scene.heading)} characters"
        if any(_is_garbage(char) and char not in source for char in scene.narration + scene.heading):
            return f"scene {number} has characters that nobody can read"
    return ""


def _is_garbage(char: str) -> bool:
    """The sign for a lost character, control characters, and halves of characters."""
    return char == "\ufffd" or (unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t")
