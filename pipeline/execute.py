"""Executing one step: a scratch folder, a guarded call, the stage's work, and its result in the store."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checkpoints.files import copy_into, mapped
from checkpoints.keys import step_key
from checkpoints.ledger import Ledger
from checkpoints.records import Record
from checkpoints.store import Store
from config.errors import CheckFailedError, OutOfMemoryError, RenderExhaustedError, UsageError
from pipeline import evidence, inputs
from pipeline.checkpoint import Checkpoints
from pipeline.events import Bus
from pipeline.resilience.guard import Attempt, Guard, GuardedCall
from pipeline.steps import Outcome, Step
from pipeline.toolbox import Toolbox
from stages.base import CancelToken, Context
from stages.images.base import PictureRequest
from stages.models import Brief, Degradation, Music, Visual
from stages.render.models import MediaFacts, MixSpec, MuxSpec, SegmentSpec
from stages.speech.base import SpeechRequest

if TYPE_CHECKING:
    from stages.render.encoders import Encoder

# What a degradation's stage is called in reports.
_STAGE_NAMES = {"segment": "render", "mix": "render", "mux": "render"}


class Executor:
    """Executes steps of one job. Safe to use from several threads."""

    def __init__(
        self,
        job_id: str,
        store: Store,
        ledger: Ledger,
        checkpoints: Checkpoints,
        guard: Guard,
        toolbox: Toolbox,
        bus: Bus,
        evidence_folder: Path | None = None,
    ) -> None:
        self._job_id = job_id
        self._store = store
        self._ledger = ledger
        self._checkpoints = checkpoints
        self._guard = guard
        self._toolbox = toolbox
        self._bus = bus
        self._evidence = evidence_folder

    def execute(self, step: Step, cancel: CancelToken) -> Record:
        """Do a step's work and publish its result. Raises FramekeepError; nothing half-made is left behind."""
        call = self._guard.bind(cancel, self._note(step))
        with self._store.scratch() as folder:
            context = Context(
                scratch=folder,
                artifact=self._store.path,
                call=call,
                cancel=cancel,
                progress=self._progress(step),
                warn=lambda message: self._warn(step, message),
            )
            with self._keeping_evidence(step, folder), _naming_shortages(step, folder):
                outcome = perform(step, context, self._toolbox)
            for note in outcome.notes:
                self._warn(step, note)
            return self._checkpoints.keep(step, outcome, _degradations(step, call))

    @contextlib.contextmanager
    def _keeping_evidence(self, step: Step, folder: Path) -> Iterator[None]:
        """What fails its checks for good is moved out of the scratch folder, which goes with the step."""
        try:
            yield
        except (CheckFailedError, RenderExhaustedError) as error:
            if self._evidence:
                blamed = [self._store.path(digest) for digest in evidence.segments_of(error)]
                files = [*folder.glob("*.mp4"), *folder.glob("*.m4a"), *evidence.copied(blamed, folder)]
                evidence.keep(self._evidence, self._job_id, step.id, files, error)
            raise

    def _note(self, step: Step) -> Callable[[Attempt], None]:
        def note(attempt: Attempt) -> None:
            columns = vars(attempt)
            self._ledger.attempt(self._job_id, step.id, **columns)
            self._bus.send("attempt", self._job_id, step=step.id, scene=step.scene, **columns)

        return note

    def _progress(self, step: Step) -> Callable[[int, int, str], None]:
        def progress(done: int, total: int, unit: str) -> None:
            self._bus.send("step_progress", self._job_id, step=step.id, done=done, total=total, unit=unit)

        return progress

    def _warn(self, step: Step, message: str) -> None:
        self._ledger.event(self._job_id, "warning", {"step": step.id, "scene": step.scene, "message": message})
        self._bus.send("warning", self._job_id, step=step.id, scene=step.scene, message=message)


@contextlib.contextmanager
def _naming_shortages(step: Step, folder: Path) -> Iterator[None]:
    """What the system says of a full disk or of no memory, wherever in a stage it says so, becomes our error."""
    try:
        yield
    except (ConnectionError, TimeoutError):
        raise
    except OSError as error:
        named = Path(error.filename) if isinstance(error.filename, str) else folder
        raise mapped(error, named) from error
    except Exception as error:
        # OpenCV has no exception of its own for it.
        if isinstance(error, MemoryError) or "Insufficient memory" in str(error):
            raise OutOfMemoryError(
                f"Memory ran out at {step.id}", hint="close other programs, then: framekeep resume"
            ) from error
        raise


def _degradations(step: Step, call: GuardedCall) -> list[Degradation]:
    stage = _STAGE_NAMES.get(step.stage, step.stage)
    return [
        Degradation(stage=stage, scene=step.scene, wanted=item.wanted, got=item.got, reason=item.reason)
        for item in call.fallbacks
    ]


def perform(step: Step, context: Context, toolbox: Toolbox) -> Outcome:
    """One step's work by its stage. Imports are late: no command pays for a stage that it does not run."""
    match step.work:
        case Brief() as brief:
            return _write(brief, context, toolbox)
        case SpeechRequest() as request:
            return _speak(request, context, toolbox)
        case PictureRequest() as request:
            return _draw(request, context, toolbox)
        case Visual() as visual:
            return _take(step, visual, context)
        case Music() as music:
            return _take_music(step, music, context)
        case SegmentSpec() as spec:
            return _encode(spec, context, toolbox)
        case MixSpec() as spec:
            return _mix(spec, context, toolbox)
        case MuxSpec() as spec:
            return _mux(spec, context, toolbox)


def _write(brief: Brief, context: Context, toolbox: Toolbox) -> Outcome:
    from stages.script.stage import write_script

    script = write_script(brief, context, toolbox.writers())
    return Outcome({}, script.model_dump(mode="json"), script.writer, script.notes)


def _speak(request: SpeechRequest, context: Context, toolbox: Toolbox) -> Outcome:
    from stages.speech.stage import speak_line

    path, narration = speak_line(request, context, toolbox.speakers())
    return Outcome({"line": path}, narration.model_dump(mode="json"), narration.provider, narration.notes)


def _draw(request: PictureRequest, context: Context, toolbox: Toolbox) -> Outcome:
    from stages.images.stage import draw_picture

    path, picture = draw_picture(request, context, toolbox.painters())
    return Outcome({"picture": path}, picture.model_dump(mode="json"), picture.provider)


def _take(step: Step, visual: Visual, context: Context) -> Outcome:
    from stages.images.stage import take_visual, visual_notes

    copy = copy_into(visual.path, context.scratch)
    _refuse_changed(step, visual.path, inputs.visual(Visual(path=copy, kind=visual.kind)))
    picture = take_visual(Visual(path=copy, kind=visual.kind))
    facts, notes = picture.model_dump(mode="json"), visual_notes(copy, picture.kind)
    return Outcome({"picture": copy}, facts, picture.provider, notes)


def _take_music(step: Step, music: Music, context: Context) -> Outcome:
    copy = copy_into(music.path, context.scratch)
    _refuse_changed(step, music.path, inputs.music(Music(path=copy)))
    return Outcome({"music": copy}, {}, "brief")


def _refuse_changed(step: Step, path: Path, request: dict[str, Any]) -> None:
    """The key names the bytes that were there when the job was planned: others must not stand under it."""
    if step_key(step.stage, request) != step.key:
        raise UsageError(f"{path} was changed while the job was running", hint="framekeep resume")


def _encode(spec: SegmentSpec, context: Context, toolbox: Toolbox) -> Outcome:
    from stages.render.segment import render_segment

    # Alone: another encoder's segments do not join with this one's, so only a whole export may change to it.
    encoder = toolbox.encoder(spec.encoding.encoder)
    path, facts = render_segment(spec, context, (encoder,))
    return Outcome({"segment": path}, facts.model_dump(mode="json"), encoder.name)


def _mix(spec: MixSpec, context: Context, toolbox: Toolbox) -> Outcome:
    from stages.render.audio import mix

    out = context.scratch / "mix.m4a"

    def work(encoder: Encoder, cancel: CancelToken) -> MediaFacts:
        stall_s = encoder.stall_timeout_s
        return mix(spec, out, context.artifact, context.scratch, cancel, context.progress, stall_timeout_s=stall_s)

    facts, encoder = context.call("mix", (toolbox.joiner,), work)
    return Outcome({"audio": out}, facts.model_dump(mode="json"), encoder.name)


def _mux(spec: MuxSpec, context: Context, toolbox: Toolbox) -> Outcome:
    from stages.render.check_captions import check_beside
    from stages.render.join import mux
    from stages.render.sidecars import write_beside

    out = context.scratch / "video.mp4"

    def work(encoder: Encoder, cancel: CancelToken) -> MediaFacts:
        stall_s = encoder.stall_timeout_s
        return mux(spec, out, context.artifact, cancel, context.progress, stall_timeout_s=stall_s)

    facts, encoder = context.call("mux", (toolbox.joiner,), work)
    beside = write_beside(spec, context.artifact, context.scratch)
    check_beside(spec, beside)
    return Outcome({"video": out, **beside}, facts.model_dump(mode="json"), encoder.name)
