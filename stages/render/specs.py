"""The render stage's plain values: what is to be made (specs) and what was made (facts).

Positions inside a scene are whole frames from the scene's first frame. A scene owns frames `[0, frames)`; its first
`head` frames overlap the previous scene's last ones in a transition, and its last `tail` frames overlap the next
scene's first ones.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.codecs import Codec
from stages.models import CaptionMode, ClipSound, Model, Picture, TransitionName, Word

Aspect = Literal["16:9", "9:16", "1:1"]
# Every transition that has frames of its own.
BlendName = Literal["crossfade", "fade", "slide"]


class RenderPacing(Model):
    """Silence around speech, in seconds. `line_gap_s` stands between lines, `lead_s`/`tail_s` at a scene's ends."""

    lead_s: Annotated[float, Field(ge=0.0, le=10.0)] = 0.35
    line_gap_s: Annotated[float, Field(ge=0.0, le=10.0)] = 0.3
    tail_s: Annotated[float, Field(ge=0.0, le=10.0)] = 0.45
    intro_s: Annotated[float, Field(ge=0.0, le=10.0)] = 0.5
    outro_s: Annotated[float, Field(ge=0.0, le=10.0)] = 1.2
    transition_s: Annotated[float, Field(ge=0.0, le=3.0)] = 0.5
    empty_scene_s: Annotated[float, Field(gt=0.0, le=60.0)] = 3.0


class PlacedLine(Model):
    """One narration in its scene. `start_sample` counts 48 kHz samples from the scene's first frame."""

    digest: str
    samples: int
    start_sample: int
    silent: bool = False
    words: tuple[Word, ...] = ()


class SceneCut(Model):
    """A scene in whole frames. `index` is 1-based. `head`/`tail` are the frames shared with the neighbours."""

    index: int
    fps: int
    frames: int
    head: int
    tail: int
    transition_in: TransitionName = "cut"
    lines: tuple[PlacedLine, ...] = ()


class Cue(Model):
    """One caption on screen: 1-2 `lines`, shown for frames `[start, end)` of its scene.

    `words` are timed in seconds from the scene's start.
    """

    start: int
    end: int
    lines: tuple[str, ...]
    words: tuple[Word, ...] = ()


class Motion(Model):
    """A camera move over a picture: zoom and centre run from `start` to `end` (zoom, x, y), eased, over `frames` frames.

    It is a closed form of the frame number. With `cover` the picture fills the frame, and zoom 1 shows as much of it as fits; with
    `contain` all of it stands over a blurred fill, and zoom 1 shows all of that.
    """

    start: tuple[float, float, float]
    end: tuple[float, float, float]
    frames: int
    fit: Literal["cover", "contain"] = "cover"


class Layer(Model):
    """One scene's image in a segment. `offset` is the scene frame that the segment's first frame shows."""

    picture: Picture
    motion: Motion
    offset: int


class Encoding(Model):
    """Everything the encoder is told, and which encoder it is. `threads` is explicit because it changes bytes.

    `crf` and `preset` are x264's; other encoders take what looks and works most like it.
    """

    codec: Codec = "h264"
    encoder: str = "libx264"
    level: str
    width: int
    height: int
    fps: int
    bitrate_bps: int
    crf: int = 20
    preset: str = "veryfast"
    threads: int = 1
    gop_s: float = 2.0


class SegmentSpec(Model):
    """One frame range of one export: a scene's body slice (one layer) or a transition (two).

    `cues` are relative to the segment, and set in `regional_font` where a language has shapes of characters of its own.
    `blend` is how the first layer gives way to the second; one layer has none.
    """

    kind: Literal["body", "transition"]
    frames: int
    layers: tuple[Layer, ...]
    blend: BlendName = "crossfade"
    cues: tuple[Cue, ...] = ()
    caption_mode: CaptionMode = "burned"
    right_to_left: bool = False
    regional_font: str = ""
    encoding: Encoding


class MediaFacts(Model):
    """What a produced media file was measured to hold."""

    frames: int = 0
    samples: int = 0
    width: int = 0
    height: int = 0
    duration_s: float = 0.0
    bytes: int = 0
    integrated_lufs: float | None = None
    true_peak_dbtp: float | None = None


class TimedLine(Model):
    """A placed line on the programme's clock. `at_sample` counts 48 kHz samples from the video's first frame."""

    digest: str
    samples: int
    at_sample: int
    silent: bool = False


class TimedClip(Model):
    """A clip whose own sound is heard, from the first frame of its scene on; it begins again where its pictures do.

    `fade_in` and `fade_out` are samples. Without a `sound` it is heard where nobody speaks.
    """

    digest: str
    at_sample: int
    samples: int
    fade_in: int = 0
    fade_out: int = 0
    sound: ClipSound | None = None


class MixSpec(Model):
    """The one audio track. `samples` is frames × 48000 / fps exactly."""

    samples: int
    lines: tuple[TimedLine, ...]
    clips: tuple[TimedClip, ...] = ()
    music_digest: str = ""
    music_gain_db: float = 0.0
    duck_db: float = -18.0
    attack_s: float = 0.15
    release_s: float = 0.6
    fade_in_s: float = 1.0
    fade_out_s: float = 2.0
    target_lufs: float = -14.0
    true_peak_dbtp: float = -1.0
    audio_bitrate_bps: int = 192_000


class TimedCue(Model):
    """A cue on the programme's clock, in frames."""

    start: int
    end: int
    lines: tuple[str, ...]


class Chapter(Model):
    """A part of the film: it begins with frame `start` and ends where the next one begins."""

    start: int
    title: str


class MuxSpec(Model):
    """The finished file: segments in order, one audio track, tags. `posters` are single frames, the best for a poster first.

    `lines` and the music are what went into the sound: where they are, it must not be silent.
    """

    segments: tuple[str, ...]
    segment_frames: tuple[int, ...]
    audio: str
    samples: int
    encoding: Encoding
    title: str
    language: str
    author: str = ""
    description: str = ""
    chapters: tuple[Chapter, ...] = ()
    posters: tuple[SegmentSpec, ...] = ()
    cues: tuple[TimedCue, ...] = ()
    lines: tuple[TimedLine, ...] = ()
    music_digest: str = ""
    music_gain_db: float = 0.0
    target_lufs: float = -14.0
    true_peak_dbtp: float = -1.0
