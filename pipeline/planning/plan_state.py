"""What a plan knows so far of each scene and each export."""

from __future__ import annotations

from dataclasses import dataclass, field

from checkpoints.records import Record
from config.codecs import SOFTWARE
from config.settings import QualityLevel
from pipeline.planning.steps import Step
from stages.models import Narration, Picture
from stages.render.captions.cues import build_cues
from stages.render.specs import Cue, Encoding, SceneCut


@dataclass
class SceneState:
    """What is known of one scene so far."""

    lines: int = 0
    narrations: dict[int, tuple[str, Narration]] = field(default_factory=dict)
    pictures: dict[str, Picture] = field(default_factory=dict)
    cut: SceneCut | None = None
    cues: dict[int, tuple[Cue, ...]] = field(default_factory=dict)

    def cues_for(self, max_chars: int, *, language: str, timed_words: bool) -> tuple[Cue, ...]:
        """Captions of the cut scene, set once for each length of line: its segments and every finished file have the same."""
        assert self.cut
        if max_chars not in self.cues:
            self.cues[max_chars] = build_cues(self.cut, max_chars=max_chars, language=language, timed_words=timed_words)
        return self.cues[max_chars]


@dataclass
class ExportState:
    """One export on its way. `segments` maps a segment's position (scene, part) to its step; `done` holds the records.

    `frames` counts those of all segments planned so far. Levels and encoders never mix in one.
    """

    name: str
    aspect: str
    level: QualityLevel
    encoder: str
    encoding: Encoding
    segments: dict[tuple[int, int], Step] = field(default_factory=dict)
    done: dict[str, Record] = field(default_factory=dict)
    frames: int = 0
    mux: Step | None = None
    final: Record | None = None

    @property
    def path(self) -> str:
        """What stands in its steps' ids: its name, and what all of them share. Hardware is named, as it may be superseded."""
        made_by = "" if self.encoder in SOFTWARE.values() else f".{self.encoder}"
        return f"{self.name}/{self.level.name.lower()}{made_by}"
