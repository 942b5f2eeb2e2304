"""What each step asks of its stage. Every function is pure. What of it enters keys is in `inputs`."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from checkpoints.records import Record
from config.settings import QualityLevel, Settings
from pipeline.job.options import frame_size
from stages.images.picture_provider import PictureRequest
from stages.models import Brief, CaptionMode, Picture, Script, ScriptScene
from stages.render.captions.cues import max_chars_for, slice_cues
from stages.render.motion import plan_motion
from stages.render.output.chapters import chapters_of
from stages.render.specs import (
    Cue,
    Encoding,
    Layer,
    MixSpec,
    MuxSpec,
    RenderPacing,
    SceneCut,
    SegmentSpec,
    TimedClip,
)
from stages.render.timing import SAMPLE_RATE_HZ, programme, slices
from stages.speech.normalise.split_lines import split_lines
from stages.speech.recording import Recording
from stages.speech.speech_provider import SpeechRequest
from stages.typeset.direction import is_right_to_left
from stages.typeset.fonts import regional_family

if TYPE_CHECKING:
    from pipeline.planning.plan import Plan
    from pipeline.planning.plan_state import ExportState
    from pipeline.planning.steps import Step

# A slow machine encodes about this many frames a second: it turns seconds that a kill may cost into frames.
CAREFUL_FPS = 8
# Cards are drawn a little larger than the frame, so that their slow zoom never enlarges pixels.
CARD_HEADROOM = 1.04
# The poster shows the first scene; the next ones stand in where there is nothing to see in it.
POSTER_SCENES = 3
# The sound of a clip that the film ends with does not break off.
LAST_FADE_S = 0.5


def pacing(settings: Settings) -> RenderPacing:
    """The silences around speech."""
    return RenderPacing.model_validate(settings.rendering.pacing.model_dump())


def lines(brief: Brief, script: Script, scene: ScriptScene) -> Sequence[SpeechRequest | Recording]:
    """A scene's narration, line by line; one that the user recorded in one piece."""
    if scene.recording and scene.narration.strip():
        return [Recording(scene.recording, " ".join(scene.narration.split()), brief.language)]
    return [
        SpeechRequest(text=text, language=brief.language, voice=brief.voice, seed=brief.seed)
        for text in _lines_of(scene.narration, brief.language)
    ]


@functools.lru_cache(maxsize=8192)
def _lines_of(narration: str, language: str) -> tuple[str, ...]:
    """Every run plans twice: to see whether all is done, and to do it."""
    return tuple(split_lines(narration, language))


def picture_request(brief: Brief, script: Script, number: int, size: tuple[int, int]) -> PictureRequest:
    """A picture for a scene that has none of the user's."""
    scene = script.scenes[number - 1]
    return PictureRequest(
        heading=scene.heading,
        text=scene.narration,
        prompt=scene.picture_prompt,
        index=number,
        total=len(script.scenes),
        brief_title=script.title,
        theme=brief.style.theme,
        seed=brief.seed,
        width=round(size[0] * CARD_HEADROOM / 2) * 2,
        height=round(size[1] * CARD_HEADROOM / 2) * 2,
        # What nobody speaks is shown whatever captions are wanted.
        caption_safe=brief.captions != "none" or "text" in brief.providers.speech,
        language=brief.language,
        items=scene.items,
    )


def body_specs(plan: Plan, export: ExportState, cut: SceneCut, picture: Picture) -> list[SegmentSpec]:
    """A scene's own frames, in slices that bound what a kill may cost."""
    encoding = export.encoding
    mode = _caption_mode(plan.brief, cut)
    cues = _cues(plan, cut, encoding) if mode != "none" else ()
    checkpoints = plan.settings.rendering.checkpoints
    longest = round(checkpoints.interval_s * CAREFUL_FPS) if checkpoints.enabled else cut.frames
    return [
        SegmentSpec(
            kind="body",
            frames=end - start,
            layers=(_layer(plan, cut, picture, encoding, start),),
            cues=slice_cues(cues, start, end, cut.fps),
            caption_mode=mode,
            right_to_left=_right_to_left(plan.brief),
            regional_font=regional_family(plan.brief.language),
            encoding=encoding,
        )
        for start, end in slices(cut, longest)
    ]


def transition_spec(
    plan: Plan, export: ExportState, first: tuple[SceneCut, Picture], second: tuple[SceneCut, Picture]
) -> SegmentSpec:
    """The frames that two scenes share."""
    encoding = export.encoding
    blend = second[0].transition_in
    assert blend != "cut"
    return SegmentSpec(
        kind="transition",
        frames=second[0].head,
        layers=(
            _layer(plan, *first, encoding, first[0].frames - first[0].tail),
            _layer(plan, *second, encoding, 0),
        ),
        blend=blend,
        right_to_left=blend == "slide" and _right_to_left(plan.brief),
        encoding=encoding,
    )


def clips_heard(plan: Plan) -> tuple[TimedClip, ...]:
    """The clips whose own sound may be heard, in order; whether there is any in them is found when it is mixed."""
    assert plan.script
    cuts = plan.cuts()
    whole = programme(cuts)
    found = []
    for cut, start, scene, state in zip(cuts, whole.starts, plan.script.scenes, plan.scenes, strict=True):
        picture = next(iter(state.pictures.values()), None)
        if not scene.visual or scene.visual.sound == "mute" or not picture or picture.kind != "clip":
            continue
        per_frame = whole.samples // whole.frames
        is_last = cut.index == len(cuts)
        found.append(
            TimedClip(
                digest=picture.digest,
                at_sample=start * per_frame,
                samples=cut.frames * per_frame,
                fade_in=cut.head * per_frame,
                fade_out=round(LAST_FADE_S * SAMPLE_RATE_HZ) if is_last else cut.tail * per_frame,
                sound=scene.visual.sound,
            )
        )
    return tuple(found)


def mix_spec(plan: Plan, music_digest: str) -> MixSpec:
    """The sound of the whole programme."""
    whole = programme(plan.cuts())
    sound = plan.settings.rendering.sound
    return MixSpec(
        samples=whole.samples,
        lines=whole.lines,
        clips=clips_heard(plan),
        music_digest=music_digest,
        music_gain_db=plan.brief.music.gain_db if plan.brief.music else 0.0,
        duck_db=sound.duck_db,
        target_lufs=sound.target_lufs,
        true_peak_dbtp=sound.true_peak_dbtp,
        audio_bitrate_bps=sound.bitrate_bps,
    )


def mux_spec(
    plan: Plan, export: ExportState, planned: Sequence[Step], records: Sequence[Record], mix_record: Record
) -> MuxSpec:
    """The finished file of an export."""
    assert plan.script
    encoding = export.encoding
    whole = programme(plan.cuts(), cues=[_cues(plan, cut, encoding) for cut in plan.cuts()])
    return MuxSpec(
        segments=tuple(record.artifacts["segment"].digest for record in records),
        segment_frames=tuple(step.frames for step in planned),
        audio=mix_record.artifacts["audio"].digest,
        samples=whole.samples,
        encoding=encoding,
        title=plan.script.title,
        language=plan.brief.language,
        author=plan.brief.author,
        description=plan.brief.description,
        chapters=chapters_of(
            plan.cuts(), whole.starts, [scene.heading for scene in plan.script.scenes], plan.script.title
        ),
        posters=tuple(_poster_spec(plan, cut, encoding, export.aspect) for cut in plan.cuts()[:POSTER_SCENES]),
        cues=whole.cues,
        lines=whole.lines,
        music_digest=plan.music_digest,
        music_gain_db=plan.brief.music.gain_db if plan.brief.music else 0.0,
        target_lufs=plan.settings.rendering.sound.target_lufs,
        true_peak_dbtp=plan.settings.rendering.sound.true_peak_dbtp,
    )


def _poster_spec(plan: Plan, cut: SceneCut, encoding: Encoding, aspect: str) -> SegmentSpec:
    """The middle of a scene's own frames, without captions."""
    picture = plan.scenes[cut.index - 1].pictures[aspect]
    layer = _layer(plan, cut, picture, encoding, (cut.head + cut.frames - cut.tail) // 2)
    return SegmentSpec(kind="body", frames=1, layers=(layer,), caption_mode="none", encoding=encoding)


def encoding(settings: Settings, level: QualityLevel, aspect: str, encoder: str) -> Encoding:
    """What an export's encoder is told for all its segments."""
    rendering = settings.rendering
    width, height = frame_size(level, aspect)
    return Encoding(
        codec=rendering.codec,
        encoder=encoder,
        level=level.name,
        width=width,
        height=height,
        fps=rendering.fps,
        bitrate_bps=level.bitrate_bps,
        crf=rendering.crf,
        preset=rendering.preset,
        threads=rendering.threads,
    )


# A scene's body, its two transitions and all levels of an export have the same.
_motion = functools.lru_cache(maxsize=1024)(plan_motion)


def _layer(plan: Plan, cut: SceneCut, picture: Picture, encoding: Encoding, offset: int) -> Layer:
    assert plan.script
    motion = _motion(
        plan.script.scenes[cut.index - 1].motion,
        cut.frames,
        picture.width,
        picture.height,
        encoding.width,
        encoding.height,
        picture.focus,
        plan.brief.seed + cut.index,
        picture.is_card,
        fps=cut.fps,
        is_clip=picture.kind == "clip",
        reach=picture.reach,
    )
    return Layer(picture=picture, motion=motion, offset=offset)


def _cues(plan: Plan, cut: SceneCut, encoding: Encoding) -> tuple[Cue, ...]:
    """A scene's captions, with its words only where they are highlighted."""
    max_chars = max_chars_for(encoding.width, encoding.height)
    timed = _caption_mode(plan.brief, cut) == "words" and not _right_to_left(plan.brief)
    return plan.scenes[cut.index - 1].cues_for(max_chars, language=plan.brief.language, timed_words=timed)


def _right_to_left(brief: Brief) -> bool:
    return is_right_to_left(brief.language)


def _caption_mode(brief: Brief, cut: SceneCut) -> CaptionMode:
    """As asked; but a line that is not spoken is always shown, or it would be lost."""
    if brief.captions == "none" and any(line.silent for line in cut.lines):
        return "burned"
    return brief.captions
