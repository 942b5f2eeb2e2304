"""Every setting, its type, its unit and its default. The loader fills it; nothing changes it afterwards."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from config.section import Section

_BITRATE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([kKmM]?)(?:bps|bit/s)?\s*$")
_RESOLUTION = re.compile(r"^\s*(\d+)\s*[x×]\s*(\d+)\s*$")


def _bitrate(value: Any) -> Any:
    """`5M`, `900k` or a number of bits a second."""
    if isinstance(value, str) and (match := _BITRATE.match(value)):
        return round(float(match[1]) * {"": 1, "k": 1_000, "m": 1_000_000}[match[2].lower()])
    return value


def _resolution(value: Any) -> Any:
    """`1920x1080`, as the wide format has it."""
    if isinstance(value, str) and (match := _RESOLUTION.match(value)):
        return int(match[1]), int(match[2])
    return value


Bitrate = Annotated[int, BeforeValidator(_bitrate), Field(ge=50_000, le=200_000_000)]
Side = Annotated[int, Field(ge=64, le=8192, multiple_of=2)]
Resolution = Annotated[tuple[Side, Side], BeforeValidator(_resolution)]


class CircuitBreaker(Section):
    """When a provider is left alone for a while."""

    enabled: bool = True
    failure_threshold: Annotated[int, Field(ge=1)] = 5
    break_duration_s: Annotated[float, Field(ge=0)] = 30
    success_threshold: Annotated[int, Field(ge=1)] = 2


class Retry(Section):
    """How often, and how patiently, a call is tried again. `MaxRetryAttempts: 3` is four calls."""

    max_retry_attempts: Annotated[int, Field(ge=0, le=100)] = 3
    initial_delay_ms: Annotated[float, Field(ge=0)] = 1000
    max_delay_ms: Annotated[float, Field(ge=0)] = 30_000
    backoff_multiplier: Annotated[float, Field(ge=1)] = 2
    jitter: bool = True


class Resilience(Section):
    """The guard around every call."""

    circuit_breaker: CircuitBreaker = CircuitBreaker()
    retry: Retry = Retry()


class Timeouts(Section):
    """A request within an operation within a job. 0 is no limit."""

    request_ms: Annotated[float, Field(ge=0)] = 30_000
    operation_ms: Annotated[float, Field(ge=0)] = 300_000
    job_ms: Annotated[float, Field(ge=0)] = 3_600_000


class Checkpoints(Section):
    """The most seconds of rendering that a kill may cost."""

    interval_s: Annotated[float, Field(ge=1)] = 60


class Pacing(Section):
    """Silence around speech and the length of transitions, in seconds."""

    lead_s: Annotated[float, Field(ge=0, le=10)] = 0.35
    line_gap_s: Annotated[float, Field(ge=0, le=10)] = 0.3
    tail_s: Annotated[float, Field(ge=0, le=10)] = 0.45
    intro_s: Annotated[float, Field(ge=0, le=10)] = 0.5
    outro_s: Annotated[float, Field(ge=0, le=10)] = 1.2
    transition_s: Annotated[float, Field(ge=0, le=3)] = 0.5
    empty_scene_s: Annotated[float, Field(gt=0, le=60)] = 3.0


class Sound(Section):
    """The programme's loudness and how far music steps back under speech."""

    target_lufs: Annotated[float, Field(ge=-40, le=-5)] = -14.0
    true_peak_dbtp: Annotated[float, Field(ge=-9, le=-0.1)] = -1.0
    duck_db: Annotated[float, Field(ge=-60, le=0)] = -18.0
    bitrate_bps: Annotated[int, BeforeValidator(_bitrate), Field(ge=64_000, le=512_000)] = 192_000


class Rendering(Section):
    """The encoder and the work around it. `Jobs: 0` is one for each core that may be used."""

    fps: Literal[24, 25, 30, 50, 60] = 30
    crf: Annotated[int, Field(ge=0, le=40)] = 20
    preset: Literal[
        "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"
    ] = "veryfast"
    threads: Annotated[int, Field(ge=1, le=64)] = 1
    jobs: Annotated[int, Field(ge=0, le=256)] = 0
    stall_timeout_s: Annotated[float, Field(ge=1)] = 60
    checkpoints: Checkpoints = Checkpoints()
    pacing: Pacing = Pacing()
    sound: Sound = Sound()


class QualityLevel(Section):
    """One rung of the ladder. `Resolution` is that of 16:9; other shapes keep its short side."""

    name: str
    resolution: Resolution
    bitrate_bps: Bitrate
    priority: int


def _guide_levels() -> tuple[QualityLevel, ...]:
    return (
        QualityLevel(name="High", resolution=(1920, 1080), bitrate_bps=5_000_000, priority=1),
        QualityLevel(name="Medium", resolution=(1280, 720), bitrate_bps=3_000_000, priority=2),
        QualityLevel(name="Low", resolution=(854, 480), bitrate_bps=1_000_000, priority=3),
    )


class Quality(Section):
    """The quality ladder: lower `Priority` numbers are tried first."""

    fallback_enabled: bool = True
    levels: Annotated[tuple[QualityLevel, ...], Field(min_length=1)] = Field(default_factory=_guide_levels)

    @model_validator(mode="after")
    def _names_differ(self) -> Quality:
        names = [level.name.lower() for level in self.levels]
        if len(set(names)) != len(names):
            raise ValueError("two levels have the same name")
        return self

    def ladder(self) -> tuple[QualityLevel, ...]:
        """The levels, best first."""
        return tuple(sorted(self.levels, key=lambda level: level.priority))


class ExportFormat(Section):
    """A shape of video that briefs ask for by name."""

    aspect: Literal["16:9", "9:16", "1:1"]


class ChainEntry(Section):
    """One provider of a stage."""

    name: str
    priority: int = 1
    enabled: bool = True


class Chain(Section):
    """A stage's providers in the order to try them. Without `FallbackEnabled` only the first is asked."""

    fallback_enabled: bool = True
    providers: tuple[ChainEntry, ...] = ()

    def names(self) -> tuple[str, ...]:
        """Enabled providers by priority."""
        entries = sorted((entry for entry in self.providers if entry.enabled), key=lambda entry: entry.priority)
        names = tuple(entry.name for entry in entries)
        return names if self.fallback_enabled else names[:1]


class LlmAccount(Section):
    """How to reach a language model. A key that is not given here is taken from the SDK's environment variable."""

    model: str = ""
    base_url: str = ""
    api_key: SecretStr | None = None


class OpenAiAccount(LlmAccount):
    """OpenAI itself."""

    model: str = "gpt-5-mini"


class AnthropicAccount(LlmAccount):
    """Anthropic itself."""

    model: str = "claude-sonnet-4-5"


def _chain(*names: str) -> Chain:
    return Chain(providers=tuple(ChainEntry(name=name, priority=rank) for rank, name in enumerate(names, 1)))


class Providers(Section):
    """Who does each stage's work, and how to reach whom.

    An empty `TTS` chain means: what fits the language. `LLM` is asked before the offline writer, if anybody is named.
    """

    llm: Annotated[Chain, Field(alias="LLM")] = Chain()
    tts: Annotated[Chain, Field(alias="TTS")] = Chain()
    images: Chain = Field(default_factory=lambda: _chain("card"))
    openai: Annotated[OpenAiAccount, Field(alias="OpenAI")] = OpenAiAccount()
    anthropic: AnthropicAccount = AnthropicAccount()
    local_llm: Annotated[LlmAccount, Field(alias="LocalLLM")] = LlmAccount()


def _known_exports() -> dict[str, ExportFormat]:
    return {
        "youtube": ExportFormat(aspect="16:9"),
        "shorts": ExportFormat(aspect="9:16"),
        "square": ExportFormat(aspect="1:1"),
    }


class Settings(Section):
    """All of it. Defaults are the guide's where it names one."""

    resilience: Resilience = Resilience()
    timeouts: Timeouts = Timeouts()
    rendering: Rendering = Rendering()
    quality: Quality = Quality()
    exports: dict[str, ExportFormat] = Field(default_factory=_known_exports)
    providers: Providers = Providers()
