"""What a step's work is: which stage does it, with whom, and what comes out of it.

Imports are late: no command pays for a stage that it does not run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checkpoints.files import copy_into
from checkpoints.keys import step_key
from config.errors import BriefError, UsageError
from pipeline.planning import step_keys
from pipeline.planning.steps import Step, StepOutcome, Work
from pipeline.planning.toolbox import Toolbox
from stages.base import Context, Provider
from stages.images.picture_provider import ImageProvider, PictureRequest
from stages.models import Brief, Music, Script, Visual
from stages.render.specs import MediaFacts, MixSpec, MuxSpec, SegmentSpec
from stages.script.script_writer import ScriptWriter
from stages.speech.recording import Recording
from stages.speech.speech_provider import SpeechProvider, SpeechRequest

if TYPE_CHECKING:
    from stages.base import CancelToken
    from stages.render.encoders.encoder import Encoder


def perform(step: Step, context: Context, toolbox: Toolbox) -> StepOutcome:
    """One step's work by its stage."""
    match step.work:
        case Brief() as brief:
            return _write(brief, context, toolbox.writers())
        case SpeechRequest() as request:
            return _speak(request, context, toolbox.speakers())
        case Recording() as recording:
            return _take_recording(step, recording, context)
        case PictureRequest() as request:
            return _draw(request, context, toolbox.painters())
        case Visual() as visual:
            return _take(step, visual, context)
        case Music() as music:
            return _take_music(step, music, context)
        case SegmentSpec() as spec:
            return _encode(step, spec, context, toolbox)
        case MixSpec() as spec:
            return _mix(spec, context, toolbox)
        case MuxSpec() as spec:
            return _mux(spec, context, toolbox)


def perform_by(provider: Provider, work: Work, context: Context) -> StepOutcome:
    """Run the step with exactly this provider: a last resort, which the toolbox does not name."""
    match work, provider:
        case Brief() as brief, ScriptWriter() as writer:
            return _write(brief, context, (writer,))
        case SpeechRequest() as request, SpeechProvider() as voice:
            return _speak(request, context, (voice,))
        case PictureRequest() as request, ImageProvider() as painter:
            return _draw(request, context, (painter,))
    raise TypeError(f"{provider.name} does not do {type(work).__name__}")


def _write(brief: Brief, context: Context, writers: Sequence[ScriptWriter]) -> StepOutcome:
    from stages.script.script_stage import write_script

    script = write_script(brief, context, writers)
    return StepOutcome({}, script.model_dump(mode="json"), script.writer, (*script.notes, *_not_shown(script)))


def _not_shown(script: Script) -> tuple[str, ...]:
    """What a writer brought in that no font has: a brief with such characters would have been refused."""
    from stages.typeset.font_packages import shortage

    found = shortage(" ".join([script.title, *(f"{scene.heading} {scene.narration}" for scene in script.scenes)]))
    return (f"{found[0]}: pictures show empty boxes for them ({found[1]})",) if found else ()


def _speak(request: SpeechRequest, context: Context, speakers: Sequence[SpeechProvider]) -> StepOutcome:
    from stages.speech.speech_stage import speak_line

    path, narration = speak_line(request, context, speakers)
    return StepOutcome({"line": path}, narration.model_dump(mode="json"), narration.provider, narration.notes)


def _draw(request: PictureRequest, context: Context, painters: Sequence[ImageProvider]) -> StepOutcome:
    from stages.images.picture_stage import draw_picture

    path, picture = draw_picture(request, context, painters)
    return StepOutcome({"picture": path}, picture.model_dump(mode="json"), picture.provider)


def _take(step: Step, visual: Visual, context: Context) -> StepOutcome:
    from stages.images.picture_stage import take_visual, visual_notes
    from stages.render.sources.animations import as_clip

    copy = copy_into(visual.path, context.scratch)
    taken = visual.model_copy(update={"path": copy})
    _refuse_changed(step, visual.path, step_keys.visual(taken))
    with _naming_scene(step):
        shown = as_clip(copy)
        picture = take_visual(taken.model_copy(update={"path": shown}))
    facts, notes = picture.model_dump(mode="json"), visual_notes(shown, picture.kind)
    return StepOutcome({"picture": shown}, facts, picture.provider, notes)


def _take_recording(step: Step, recording: Recording, context: Context) -> StepOutcome:
    from stages.speech.recording import take_recording

    copy = copy_into(recording.path, context.scratch)
    _refuse_changed(step, recording.path, step_keys.recording(replace(recording, path=copy)))
    with _naming_scene(step):
        path, narration = take_recording(replace(recording, path=copy), context.scratch)
    return StepOutcome({"line": path}, narration.model_dump(mode="json"), narration.provider)


def _take_music(step: Step, music: Music, context: Context) -> StepOutcome:
    copy = copy_into(music.path, context.scratch)
    _refuse_changed(step, music.path, step_keys.music(Music(path=copy)))
    return StepOutcome({"music": copy}, {}, "brief")


def _refuse_changed(step: Step, path: Path, request: dict[str, Any]) -> None:
    """The key names the bytes that were there when the job was planned: others must not stand under it."""
    if step_key(step.stage, request) != step.key:
        raise UsageError(f"{path} was changed while the job was running", hint="framekeep resume")


@contextlib.contextmanager
def _naming_scene(step: Step) -> Iterator[None]:
    """What is wrong with a file of the user's is said with its scene."""
    try:
        yield
    except BriefError as error:
        error.message = f"scene {step.scene}: {error.message}"
        raise


def _encode(step: Step, spec: SegmentSpec, context: Context, toolbox: Toolbox) -> StepOutcome:
    from stages.render.frames.segment import render_segment

    # Alone: another encoder's segments do not join with this one's, so only a whole export may change to it.
    encoder = toolbox.encoder(spec.encoding.encoder)
    with _naming_scene(step):
        path, facts = render_segment(spec, context, (encoder,))
    return StepOutcome({"segment": path}, facts.model_dump(mode="json"), encoder.name)


def _mix(spec: MixSpec, context: Context, toolbox: Toolbox) -> StepOutcome:
    from stages.render.audio.mix import mix

    out = context.scratch / "mix.m4a"

    def work(encoder: Encoder, cancel: CancelToken) -> MediaFacts:
        stall_s = encoder.stall_timeout_s
        return mix(spec, out, context.artifact, context.scratch, cancel, context.progress, stall_timeout_s=stall_s)

    facts, encoder = context.call("mix", (toolbox.joiner,), work)
    return StepOutcome({"audio": out}, facts.model_dump(mode="json"), encoder.name)


def _mux(spec: MuxSpec, context: Context, toolbox: Toolbox) -> StepOutcome:
    from stages.render.output.check_captions import check_beside
    from stages.render.output.join import mux
    from stages.render.output.sidecars import write_beside

    out = context.scratch / "video.mp4"

    def work(encoder: Encoder, cancel: CancelToken) -> MediaFacts:
        stall_s = encoder.stall_timeout_s
        return mux(spec, out, context.artifact, cancel, context.progress, stall_timeout_s=stall_s)

    facts, encoder = context.call("mux", (toolbox.joiner,), work)
    beside = write_beside(spec, context.artifact, context.scratch)
    check_beside(spec, beside)
    return StepOutcome({"video": out, **beside}, facts.model_dump(mode="json"), encoder.name)
