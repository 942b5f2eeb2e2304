"""One unit of work of a job: its id, stage and content key, and the request that its stage receives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from stages.images.picture_provider import PictureRequest
from stages.models import Brief, Music, Visual
from stages.render.specs import MixSpec, MuxSpec, SegmentSpec
from stages.speech.recording import Recording
from stages.speech.speech_provider import SpeechRequest

StageName = Literal["script", "speech", "images", "music", "segment", "mix", "mux"]

Work = Brief | SpeechRequest | Recording | PictureRequest | Visual | Music | SegmentSpec | MixSpec | MuxSpec


@dataclass(frozen=True)
class Step:
    """A step with its content key. `scene` is 1-based, 0 for the whole job; `frames` counts what it encodes."""

    id: str
    stage: StageName
    scene: int
    key: str
    work: Work
    export: str = ""
    frames: int = 0


@dataclass(frozen=True)
class StepOutcome:
    """What executing a step left in its scratch folder. `facts` is the stage's JSON."""

    files: Mapping[str, Path]
    facts: Mapping[str, Any]
    provider: str = ""
    notes: tuple[str, ...] = field(default=())
