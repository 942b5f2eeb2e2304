"""Who does a stage's work when everybody who was asked has failed, and no earlier answer is there.

First other real providers (the offline writer, another installed voice), then something plain: a script cut from the brief's own
text, silence with the words on screen, an empty frame. None of it is ever taken for what was asked: its record says so, and it is
not found again where settings no longer allow it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from checkpoints.records import Record, StandIn
from config.settings import Settings
from pipeline.planning.steps import Work
from pipeline.planning.toolbox import Toolbox
from stages.base import Provider
from stages.images.picture_provider import ImageProvider, PictureRequest
from stages.models import Brief
from stages.script.script_writer import ScriptWriter
from stages.speech.speech_provider import SpeechProvider, SpeechRequest


@dataclass(frozen=True)
class Resort:
    """One more that may be asked, and what it is asked for: another voice does not know the name of the one that was wanted."""

    kind: StandIn
    provider: Provider
    work: Work


def last_resorts(work: Work, toolbox: Toolbox, settings: Settings) -> Iterator[Resort]:
    """In the order to try them; none where degradation is off or the work asks nobody."""
    allowed = settings.features.graceful_degradation
    if not allowed.enabled:
        return
    for resort in _all_resorts(work, toolbox):
        if resort.kind != "basic" or allowed.fallback_to_basic:
            yield resort


def is_allowed(record: Record, settings: Settings) -> bool:
    """Whether settings let a stand-in be used that was made when they may have been others."""
    allowed, cache = settings.features.graceful_degradation, settings.providers.cache_fallback
    match record.stand_in:
        case "cached":
            return cache.enabled and cache.use_cache_on_error
        case "other":
            return allowed.enabled
        case "basic":
            return allowed.enabled and allowed.fallback_to_basic
    return True


def _all_resorts(work: Work, toolbox: Toolbox) -> Iterator[Resort]:
    match work:
        case Brief() as brief:
            yield from _writers(brief, toolbox)
        case SpeechRequest() as request:
            yield from _voices(request, toolbox)
        case PictureRequest() as request:
            painter: ImageProvider = _placeholder()
            yield Resort("basic", painter, request)


def _writers(brief: Brief, toolbox: Toolbox) -> Iterator[Resort]:
    from stages.script.offline.outline import OutlineWriter
    from stages.script.offline.template import TemplateWriter

    writers: tuple[tuple[StandIn, ScriptWriter], ...] = (("other", OutlineWriter()), ("basic", TemplateWriter()))
    for kind, writer in writers:
        if not _is_among(writer, toolbox.writer_names):
            yield Resort(kind, writer, brief)


def _voices(request: SpeechRequest, toolbox: Toolbox) -> Iterator[Resort]:
    from stages.speech.voice_registry import create, default_order

    silent: list[SpeechProvider] = []
    for name in (*default_order(request.language, ""), "text"):
        voice = create(name)
        if _is_among(voice, toolbox.speaker_names):
            continue
        if name == "text":
            silent.append(voice)
        else:
            yield Resort("other", voice, replace(request, voice=""))
    for voice in silent[:1]:
        yield Resort("basic", voice, request)


def _is_among(provider: Provider, names: tuple[str, ...]) -> bool:
    return provider.name.lower() in {name.lower() for name in names}


def _placeholder() -> ImageProvider:
    from stages.images.cards.placeholder import PlaceholderPainter

    return PlaceholderPainter()
