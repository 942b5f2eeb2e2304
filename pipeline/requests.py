"""What each step asks of its stage, and what of that enters its key.

Every function is pure but for reading the bytes of the user's own files, whose digests stand in keys in place of their paths.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from checkpoints.keys import file_digest
from checkpoints.records import Record
from config.errors import UsageError
from config.settings import QualityLevel, Settings
from pipeline.options import frame_size
from stages.images.base import PictureRequest
from stages.models import Brief, CaptionMode, Music, Picture, Script, ScriptScene, Visual
from stages.render.captions import build_cues, max_chars_for, slice_cues
from stages.render.models import (
    Encoding,
    Layer,
    MixSpec,
    MuxSpec,
    Pacing,
    SceneCut,
    SegmentSpec,
)
from stages.render.motion import plan_motion
from stages.render.timing import programme, slices
from stages.speech.base import SpeechRequest
from stages.speech.lines import split_lines

if TYPE_CHECKING:
    from pipeline.plan import ExportState, Plan
    from pipeline.steps import Step
    from pipeline.toolbox import Toolbox

# A slow machine encodes about this many frames a second: it turns seconds that a kill may cost into frames.
CAREFUL_FPS = 8
# Cards are drawn a little larger than the frame, so that their slow zoom never enlarges pixels.
CARD_HEADROOM = 1.04
RIGHT_TO_LEFT = frozenset({"ar", "he", "fa", "ur", "yi", "ps", "sd", "ug", "dv"})
_DRAWING = ("opencv-python-headless", "numpy", "pillow", "resvg-py")
_SOUND = ("av", "numpy")


def pacing(settings: Settings) -> Pacing:
    """The silences around speech."""
    return Pacing.model_validate(settings.rendering.pacing.model_dump())


# Requests


def lines(brief: Brief, script: Script, scene: ScriptScene) -> list[SpeechRequest]:
    """A scene's narration, line by line."""
    return [
        SpeechRequest(text=text, language=brief.language, voice=brief.voice, seed=brief.seed)
        for text in split_lines(scene.narration, brief.language)
    ]


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
        caption_safe=brief.captions != "none",
    )


def body_specs(plan: Plan, level: QualityLevel, aspect: str, cut: SceneCut, picture: Picture) -> list[SegmentSpec]:
    """A scene's own frames, in slices that bound what a kill may cost."""
    encoding = _encoding(plan.settings, level, aspect)
    cues = build_cues(cut, max_chars=max_chars_for(encoding.width, encoding.height))
    layer = _layer(plan, cut, picture, encoding, 0)
    longest = round(plan.settings.rendering.checkpoints.interval_s * CAREFUL_FPS)
    return [
        SegmentSpec(
            kind="body",
            frames=end - start,
            layers=(layer.model_copy(update={"offset": start}),),
            cues=slice_cues(cues, start, end, cut.fps),
            caption_mode=_caption_mode(plan.brief, cut),
            right_to_left=plan.brief.language.split("-")[0] in RIGHT_TO_LEFT,
            encoding=encoding,
        )
        for start, end in slices(cut, longest)
    ]


def transition_spec(
    plan: Plan,
    level: QualityLevel,
    aspect: str,
    first: tuple[SceneCut, Picture],
    second: tuple[SceneCut, Picture],
) -> SegmentSpec:
    """The frames that two scenes share."""
    encoding = _encoding(plan.settings, level, aspect)
    return SegmentSpec(
        kind="transition",
        frames=second[0].head,
        layers=(
            _layer(plan, *first, encoding, first[0].frames - first[0].tail),
            _layer(plan, *second, encoding, 0),
        ),
        encoding=encoding,
    )


def mix_spec(plan: Plan, music_digest: str) -> MixSpec:
    """The sound of the whole programme."""
    whole = programme(plan.cuts())
    sound = plan.settings.rendering.sound
    return MixSpec(
        samples=whole.samples,
        lines=whole.lines,
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
    encoding = _encoding(plan.settings, export.level, export.aspect)
    whole = programme(plan.cuts(), max_chars=max_chars_for(encoding.width, encoding.height))
    return MuxSpec(
        segments=tuple(record.artifacts["segment"].digest for record in records),
        segment_frames=tuple(step.frames for step in planned),
        audio=mix_record.artifacts["audio"].digest,
        samples=whole.samples,
        encoding=encoding,
        title=plan.script.title,
        language=plan.brief.language,
        cues=whole.cues,
        target_lufs=plan.settings.rendering.sound.target_lufs,
        true_peak_dbtp=plan.settings.rendering.sound.true_peak_dbtp,
    )


def _encoding(settings: Settings, level: QualityLevel, aspect: str) -> Encoding:
    width, height = frame_size(level, aspect)
    rendering = settings.rendering
    return Encoding(
        level=level.name,
        width=width,
        height=height,
        fps=rendering.fps,
        bitrate_bps=level.bitrate_bps,
        crf=rendering.crf,
        preset=rendering.preset,
        threads=rendering.threads,
    )


def _layer(plan: Plan, cut: SceneCut, picture: Picture, encoding: Encoding, offset: int) -> Layer:
    assert plan.script
    motion = plan_motion(
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
    )
    return Layer(picture=picture, motion=motion, offset=offset)


def _caption_mode(brief: Brief, cut: SceneCut) -> CaptionMode:
    """As asked; but a line that is not spoken is always shown, or it would be lost."""
    if brief.captions == "none" and any(line.silent for line in cut.lines):
        return "burned"
    return brief.captions


# What enters keys


def script(brief: Brief, toolbox: Toolbox) -> dict[str, Any]:
    """Everything that can change a written script."""
    return {
        "title": brief.title,
        "text": brief.text,
        "language": brief.language,
        "target_length_s": brief.target_length_s,
        "seed": brief.seed,
        "writers": toolbox.writer_identities,
    }


def speech(request: SpeechRequest, toolbox: Toolbox) -> dict[str, Any]:
    """Everything that can change a spoken line."""
    return {"request": asdict(request), "speakers": toolbox.speaker_identities}


def picture(request: PictureRequest, toolbox: Toolbox) -> dict[str, Any]:
    """Everything that can change a drawn picture."""
    return {"request": asdict(request), "painters": toolbox.painter_identities}


def visual(item: Visual, toolbox: Toolbox) -> dict[str, Any]:
    """A user's picture or clip: its bytes."""
    return {"file": _user_file(item.path), "kind": item.kind}


def music(item: Music) -> dict[str, Any]:
    """A user's music: its bytes."""
    return {"file": _user_file(item.path)}


def segment(spec: SegmentSpec, toolbox: Toolbox) -> dict[str, Any]:
    """Everything that can change a segment's bytes."""
    return {
        "spec": spec.model_dump(mode="json"),
        "encoder": dict(toolbox.encoder_identity),
        "libraries": _versions(_DRAWING),
        "fonts": toolbox.font_identity if spec.cues else "",
    }


def mix(spec: MixSpec, toolbox: Toolbox) -> dict[str, Any]:
    """Everything that can change the sound."""
    return {
        "spec": spec.model_dump(mode="json"),
        "encoder": dict(toolbox.encoder_identity),
        "libraries": _versions(_SOUND),
    }


def mux(spec: MuxSpec, toolbox: Toolbox) -> dict[str, Any]:
    """Everything that can change the finished file."""
    return {"spec": spec.model_dump(mode="json"), "encoder": dict(toolbox.encoder_identity)}


def _user_file(path: Any) -> str:
    try:
        return file_digest(path)[0]
    except OSError as error:
        raise UsageError(
            f"Cannot read {path}: {error.strerror or error}", hint="put the file back, or change the brief"
        ) from error


def _versions(names: Sequence[str]) -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in names}
