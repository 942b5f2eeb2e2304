"""Every setting, its type, its unit and its default. The loader fills it; nothing changes it afterwards."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from config.chains import Chain
from config.codecs import Codec, EncoderName, codec_of
from config.health import HealthChecks
from config.providers import LlmAccount, Providers
from config.resilience import CircuitBreaker, Features, Resilience, Retry, Timeouts
from config.section import Section
from config.watching import Logging, Monitoring, Testing

__all__ = [
    "Chain",
    "Checkpoints",
    "CircuitBreaker",
    "ExportFormat",
    "LlmAccount",
    "Pacing",
    "Providers",
    "Quality",
    "QualityLevel",
    "Rendering",
    "Resilience",
    "Retry",
    "Settings",
    "Sound",
    "Timeouts",
]

_BITRATE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([kKmM]?)(?:bps|bit/s)?\s*$")
_RESOLUTION = re.compile(r"^\s*(\d+)\s*[x×]\s*(\d+)\s*$")


def _bitrate(value: Any) -> Any:
    """`5M`, `900k` or a number of bits a second."""
    if isinstance(value, str) and (match := _BITRATE.match(value)):
        return round(float(match[1]) * {"": 1, "k": 1_000, "m": 1_000_000}[match[2].lower()])
    if isinstance(value, str):
        raise ValueError("must be bits a second, as in 5000000, 5M or 900k")
    return value


def _resolution(value: Any) -> Any:
    """`1920x1080`, as the wide format has it."""
    if isinstance(value, str) and (match := _RESOLUTION.match(value)):
        return int(match[1]), int(match[2])
    if isinstance(value, str):
        raise ValueError("must be width and height, as in 1920x1080")
    return value


def _lower(value: Any) -> Any:
    """`H264` as well."""
    return value.lower() if isinstance(value, str) else value


Bitrate = Annotated[int, BeforeValidator(_bitrate), Field(ge=50_000, le=200_000_000)]
Side = Annotated[int, Field(ge=64, le=8192, multiple_of=2)]
Resolution = Annotated[tuple[Side, Side], BeforeValidator(_resolution)]


class Checkpoints(Section):
    """The most seconds of rendering that a kill may cost."""

    enabled: bool = True
    """Off: what is encoded is not kept before the video is finished."""
    resume_from_checkpoint: bool = True
    """Off: a later run encodes everything again."""
    interval_s: Annotated[float, Field(ge=1)] = 60
    """The longest stretch of film in one encode."""


class Pacing(Section):
    """Silence around speech and the length of transitions, in seconds."""

    lead_s: Annotated[float, Field(ge=0, le=10)] = 0.35
    """From a scene's start to its first word."""
    line_gap_s: Annotated[float, Field(ge=0, le=10)] = 0.3
    """Between two lines of a scene."""
    tail_s: Annotated[float, Field(ge=0, le=10)] = 0.45
    """From a scene's last word to its end."""
    intro_s: Annotated[float, Field(ge=0, le=10)] = 0.5
    """Before the first scene's lead."""
    outro_s: Annotated[float, Field(ge=0, le=10)] = 1.2
    """After the last scene's tail."""
    transition_s: Annotated[float, Field(ge=0, le=3)] = 0.5
    """How long scenes overlap in a transition that is no cut."""
    empty_scene_s: Annotated[float, Field(gt=0, le=60)] = 3.0
    """A scene in which nothing is said."""


class Sound(Section):
    """The programme's loudness and how far music steps back under speech."""

    target_lufs: Annotated[float, Field(ge=-40, le=-5)] = -14.0
    """Integrated loudness of the programme."""
    true_peak_dbtp: Annotated[float, Field(ge=-9, le=-0.1)] = -1.0
    """The highest peak between samples."""
    duck_db: Annotated[float, Field(ge=-60, le=0)] = -18.0
    """How far music steps back while somebody speaks."""
    bitrate_bps: Annotated[int, BeforeValidator(_bitrate), Field(ge=64_000, le=512_000)] = 192_000
    """The sound track's bit rate: a number, or as in `192k`."""


class Rendering(Section):
    """The encoder and the work around it. `Jobs: 0` is one for each core that may be used."""

    fps: Literal[24, 25, 30, 50, 60] = 30
    """Frames a second."""
    codec: Annotated[Codec, BeforeValidator(_lower)] = "h264"
    """`h264` plays everywhere. For a like picture `hevc` takes fewer bits and several times the work, `av1` still fewer bits."""
    encoder: Annotated[EncoderName, BeforeValidator(_lower)] = "software"
    """`software` makes the same bytes every time; `auto` takes the first hardware that passes a tiny test encode, else
    software. Hardware that fails, at its test or at work, gives way to software for the whole export, and the report says so."""
    crf: Annotated[int, Field(ge=0, le=40)] = 20
    """Quality on x264's scale, for every codec: lower is better and larger."""
    preset: Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"] = (
        "veryfast"
    )
    """Effort in x264's words, for every encoder in software: slower is smaller."""
    threads: Annotated[int, Field(ge=1, le=64)] = 1
    """Threads of one encoder. Another number makes other bytes. HEVC is always made by one: several are not repeatable."""
    jobs: Annotated[int, Field(ge=0, le=256)] = 0
    """Encodes at the same time; 0 is one for each core that may be used."""
    stall_timeout_s: Annotated[float, Field(ge=1)] = 60
    """ffmpeg without progress for this long is stopped."""
    job_timeout_ms: Annotated[float, Field(ge=0)] | None = None
    """One run of a job, in place of `Timeouts.Job`; 0 is no limit."""
    checkpoints: Checkpoints = Checkpoints()
    """How much a kill may cost."""
    pacing: Pacing = Pacing()
    """Silence and transitions."""
    sound: Sound = Sound()
    """Loudness and music."""

    @model_validator(mode="after")
    def _encoder_makes_codec(self) -> Rendering:
        makes = codec_of(self.encoder)
        if makes not in (None, self.codec):
            raise ValueError(f"the encoder {self.encoder} makes {makes}, but the codec is {self.codec}")
        return self


class QualityLevel(Section):
    """One rung of the ladder. `Resolution` is that of 16:9; other shapes keep its short side."""

    name: str
    """What `--quality` and reports call it."""
    resolution: Resolution
    """Width and height at 16:9, as in `1920x1080`; both even."""
    bitrate_bps: Bitrate
    """The most that the picture may take: a number, or as in `5M`."""
    priority: int
    """Its place on the ladder."""


def _guide_levels() -> tuple[QualityLevel, ...]:
    return (
        QualityLevel(name="High", resolution=(1920, 1080), bitrate_bps=5_000_000, priority=1),
        QualityLevel(name="Medium", resolution=(1280, 720), bitrate_bps=3_000_000, priority=2),
        QualityLevel(name="Low", resolution=(854, 480), bitrate_bps=1_000_000, priority=3),
    )


class Quality(Section):
    """The quality ladder: lower `Priority` numbers are tried first."""

    fallback_enabled: bool = True
    """Step down when memory, disk or time run short. Off: the job is parked."""
    levels: Annotated[tuple[QualityLevel, ...], Field(min_length=1)] = Field(default_factory=_guide_levels)
    """The ladder."""

    @model_validator(mode="after")
    def _names_differ(self) -> Quality:
        names = [level.name.lower() for level in self.levels]
        if len(set(names)) != len(names):
            raise ValueError("two levels have the same name")
        return self

    def ladder(self) -> tuple[QualityLevel, ...]:
        """The levels, best first."""
        return tuple(sorted(self.levels, key=lambda level: level.priority))


# It becomes part of file names.
ExportName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$")]


class ExportFormat(Section):
    """A shape of video that briefs ask for by name."""

    aspect: Literal["16:9", "9:16", "1:1"]
    """Width to height."""


def _known_exports() -> dict[str, ExportFormat]:
    return {
        "youtube": ExportFormat(aspect="16:9"),
        "shorts": ExportFormat(aspect="9:16"),
        "square": ExportFormat(aspect="1:1"),
    }


class Settings(Section):
    """All of it. Defaults are the guide's where it names one."""

    resilience: Resilience = Resilience()
    """The guard around every call."""
    timeouts: Timeouts = Timeouts()
    """Limits of time."""
    rendering: Rendering = Rendering()
    """The encoder and the work around it."""
    quality: Quality = Quality()
    """The quality ladder."""
    exports: dict[ExportName, ExportFormat] = Field(default_factory=_known_exports)
    """Shapes by name; those that you add join the known ones."""
    providers: Providers = Providers()
    """Who does each stage's work."""
    features: Features = Features()
    """What may be done in place of what was asked for."""
    monitoring: Monitoring = Monitoring()
    """Metrics and alerts."""
    health_checks: HealthChecks = HealthChecks()
    """Whether providers and ffmpeg work."""
    logging: Logging = Logging()
    """What goes to the log."""
    testing: Testing = Testing()
    """Failures on purpose."""

    @property
    def job_timeout_s(self) -> float:
        """The limit on one run of a job; 0 is none."""
        given_ms = self.rendering.job_timeout_ms
        return (self.timeouts.job_ms if given_ms is None else given_ms) / 1000

    @property
    def job_timeout_setting(self) -> str:
        """The setting that the limit on one run of a job comes from."""
        return "Timeouts.Job" if self.rendering.job_timeout_ms is None else "Rendering.JobTimeout"
