"""What a run was asked for beside the brief: exports, where to start on the quality ladder, where the videos go."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError

from config.errors import UsageError
from config.settings import Quality, QualityLevel, Settings
from stages.models import Degradation, Model

if TYPE_CHECKING:
    from stages.render.encoders.encoder_choice import Choice

DEFAULT_EXPORTS = ("youtube",)
DEFAULT_OUTPUT = "videos"


class JobOptions(Model):
    """Kept with the job, so that `resume` does what `render` was asked to.

    `stem` begins the names of the files in `output`. `levels` remembers, per export, the level that a shortage forced and
    why: a resumed job goes on there. `encoders` does so for software that took failing hardware's place. `source` is where the
    brief stands, without its ending; empty for one made in code.
    """

    exports: tuple[str, ...]
    output: Path
    stem: str
    quality: str = ""
    source: str = ""
    levels: dict[str, Degradation] = Field(default_factory=dict)
    encoders: dict[str, Degradation] = Field(default_factory=dict)

    def as_asked(self) -> JobOptions:
        """These, with all forgotten that a shortage or a failure forced."""
        return self.model_copy(update={"levels": {}, "encoders": {}})

    def canonical(self) -> dict[str, Any]:
        """JSON for the ledger."""
        return self.model_dump(mode="json")


def start_level(settings: Settings, options: JobOptions, export: str) -> QualityLevel:
    """The level at which an export starts: where it was forced to, else as asked, else the best."""
    forced = forced_levels(settings, options).get(export)
    return level_named(settings.quality, forced.got if forced else options.quality)


def forced_levels(settings: Settings, options: JobOptions) -> dict[str, Degradation]:
    """What `options.levels` remembers, as far as the ladder still has it: settings may have changed since."""
    known = {level.name for level in settings.quality.levels}
    return {export: item for export, item in options.levels.items() if item.got in known}


def forced_encoders(options: JobOptions, choice: Choice) -> dict[str, Degradation]:
    """Per export, the software in place of the hardware that is wanted: it failed its test now, or in a run that is remembered."""
    if choice.reason:
        return {
            export: Degradation(
                stage="render", wanted=choice.wanted, got=choice.name, reason=f"{export}: {choice.reason}"
            )
            for export in options.exports
        }
    return {export: item for export, item in options.encoders.items() if item.wanted == choice.name}


def kept_options(data: dict[str, Any]) -> JobOptions:
    """The options that the ledger kept with a job. Raises UsageError for those of a version that had others."""
    try:
        return JobOptions.model_validate(data)
    except ValidationError as error:
        raise UsageError(
            f"The job's kept options cannot be read: {error.errors()[0]['msg']}", hint="render the brief anew"
        ) from None


def level_named(quality: Quality, name: str) -> QualityLevel:
    """A level by its name, any case; the best for an empty name. Raises UsageError."""
    ladder = quality.ladder()
    if not name:
        return ladder[0]
    for level in ladder:
        if level.name.lower() == name.lower():
            return level
    known = ", ".join(level.name for level in ladder)
    raise UsageError(f"There is no quality level '{name}'", hint=f"one of: {known}")


def next_lower(quality: Quality, name: str) -> QualityLevel | None:
    """The level below, or None at the bottom of the ladder or where falling back is off."""
    ladder = quality.ladder()
    rank = next(i for i, level in enumerate(ladder) if level.name == name)
    return ladder[rank + 1] if quality.fallback_enabled and rank + 1 < len(ladder) else None


def check_exports(settings: Settings, names: tuple[str, ...]) -> None:
    """Raise UsageError for an export that no setting describes."""
    unknown = [name for name in names if name not in settings.exports]
    if unknown:
        raise UsageError(
            f"Unknown export: {', '.join(unknown)}",
            hint=f"known: {', '.join(sorted(settings.exports))}; more under Exports in a settings file",
        )


def frame_size(level: QualityLevel, aspect: str) -> tuple[int, int]:
    """Width and height in pixels of a level in a shape."""
    width, height = level.resolution
    return {"16:9": (width, height), "9:16": (height, width), "1:1": (height, height)}[aspect]
