"""What flows from stage to stage. All frozen, all JSON, all validated where they enter.

Times are seconds, positions are whole frames or whole samples; fractions of a picture run 0..1 from its top left.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

MotionName = Literal["auto", "zoom-in", "zoom-out", "pan-left", "pan-right", "pan-up", "pan-down", "hold"]
CaptionMode = Literal["burned", "words", "none"]
TransitionName = Literal["crossfade", "cut", "fade", "slide"]
ClipSound = Literal["mute", "duck", "keep"]

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]


class Model(BaseModel):
    """Base of everything below: immutable, and an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Style(Model):
    """Looks of cards. `theme` is a palette's name, or `auto`: derived from the title."""

    theme: str = "auto"


class Music(Model):
    """Background music: `gain_db` relative to the narration's level while nobody speaks."""

    path: Path
    gain_db: Annotated[float, Field(ge=-40.0, le=12.0)] = 0.0


class Visual(Model):
    """A picture or clip of the user's. `focus` is the point that cropping keeps.

    `sound` is what becomes of a clip's own sound: `mute`, `duck` (steps back under speech), `keep` (never steps back; the music
    does). None: heard where nobody speaks.
    """

    path: Path
    kind: Literal["picture", "clip"]
    focus: tuple[Fraction, Fraction] | None = None
    sound: ClipSound | None = None


class ListItem(NamedTuple):
    """An item of a list as a card shows it. `marker` is its number, `•`, or a task's `☐` or `☑`; `depth` counts from 0."""

    text: str
    marker: str
    depth: int = 0


class SceneBrief(Model):
    """One scene as the user wrote it. `hold_s` is extra time after the narration. `line` is where it stands in the brief.

    `recording` is a sound file in which the whole narration is spoken. `items` are those of the lists in the narration.
    """

    narration: str = ""
    heading: str = ""
    items: tuple[ListItem, ...] = ()
    visual: Visual | None = None
    recording: Path | None = None
    motion: MotionName = "auto"
    hold_s: Annotated[float, Field(ge=0.0, le=60.0)] = 0.0
    transition: TransitionName | None = None
    line: int = 0


class ProviderChoice(Model):
    """Names of providers in the order to try them; empty means the settings' order."""

    script: tuple[str, ...] = ()
    speech: tuple[str, ...] = ()
    images: tuple[str, ...] = ()


class Brief(Model):
    """What the user asked for. Either `scenes` are given, or `text` is for a script writer. All paths are absolute.

    `warnings` name, with their lines, what stands in the brief and is neither spoken nor used.
    """

    title: str
    author: str = ""
    description: str = ""
    text: str = ""
    scenes: tuple[SceneBrief, ...] = ()
    language: str = "en"
    voice: str = ""
    style: Style = Style()
    music: Music | None = None
    pictures: Path | None = None
    captions: CaptionMode = "burned"
    transition: TransitionName = "crossfade"
    exports: tuple[str, ...] = ()
    target_length_s: Annotated[float, Field(gt=0.0, le=6 * 3600.0)] | None = None
    seed: int = 0
    providers: ProviderChoice = ProviderChoice()
    base: Path = Path()
    name: str = "brief"
    warnings: tuple[str, ...] = ()


class ScriptScene(Model):
    """One scene of the script: what is said, shown as heading or list, and asked of a picture provider."""

    narration: str
    heading: str = ""
    items: tuple[ListItem, ...] = ()
    picture_prompt: str = ""
    visual: Visual | None = None
    recording: Path | None = None
    motion: MotionName = "auto"
    hold_s: float = 0.0
    transition: TransitionName | None = None


class Script(Model):
    """What the script stage makes. `writer` is the provider that wrote it."""

    title: str
    scenes: tuple[ScriptScene, ...]
    writer: str
    notes: tuple[str, ...] = ()


class Word(Model):
    """One word as it is shown (`text`), and when it sounds, in seconds from the start of its line."""

    text: str
    start_s: float
    end_s: float


class Narration(Model):
    """One spoken line. The sound itself is a 48 kHz mono 16-bit WAV of exactly `samples` samples."""

    text: str
    words: tuple[Word, ...]
    samples: int
    sample_rate_hz: int = 48000
    provider: str = ""
    voice: str = ""
    silent: bool = False
    timing: Literal["exact", "aligned", "estimated"] = "estimated"
    notes: tuple[str, ...] = ()


class Picture(Model):
    """What a scene shows in one aspect ratio: a still or a clip in the store.

    What matters in it lies within half of `reach` to each side of `focus`. `length_s` is a clip's.
    """

    kind: Literal["picture", "clip"]
    digest: str
    width: int
    height: int
    focus: tuple[Fraction, Fraction] = (0.5, 0.5)
    reach: tuple[Fraction, Fraction] = (1.0, 1.0)
    provider: str = ""
    is_card: bool = False
    length_s: float = 0.0


class Degradation(Model):
    """Something in the result is not what was asked for. `scene` is 1-based, 0 for the whole job."""

    stage: str
    scene: int = 0
    wanted: str
    got: str
    reason: str
