"""The doctor's checks of the providers of each stage: whether all is set that they need, and whether they are there."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from config.errors import FramekeepError
from pipeline.health.doctor import Finding, Findings
from pipeline.health.findings import CONNECT_S, health_after

if TYPE_CHECKING:
    from config.settings import Settings
    from pipeline.planning.toolbox import Toolbox
    from stages.base import Provider
    from stages.models import Brief

_SAMPLE_TEXT = "The lamp was lit at dusk. Ships far out at sea could see it. They turned and came home."

# A toolbox with one provider: that one, checked as far as this costs nothing and calls nobody.
_Get = Callable[["Toolbox"], "Provider"]


def check_script(settings: Settings, timeout_s: float = CONNECT_S) -> Findings:
    """Who would write scripts."""
    from pipeline.planning.toolbox import Toolbox

    brief = _sample_brief()

    def get(toolbox: Toolbox) -> Provider:
        (writer,) = toolbox.writers()
        writer.check(brief)
        return writer

    toolbox = Toolbox(brief, settings)
    # It stands in for those that cannot.
    last = ("outline",) if toolbox.may_degrade and "outline" not in toolbox.writer_names else ()
    yield from _check_each("script", "script", (*toolbox.writer_names, *last), settings, get, timeout_s)


def check_speech(settings: Settings, timeout_s: float = CONNECT_S) -> Findings:
    """Who would speak English."""
    from pipeline.planning.toolbox import Toolbox

    brief = _sample_brief()

    def get(toolbox: Toolbox) -> Provider:
        (speaker,) = toolbox.speakers()
        speaker.check(brief.language, brief.voice, brief.text)
        return speaker

    yield from _check_each("speech", "speech", Toolbox(brief, settings).speaker_names, settings, get, timeout_s)


def check_pictures(settings: Settings, timeout_s: float = CONNECT_S) -> Findings:
    """Who would draw pictures."""
    from pipeline.planning.toolbox import Toolbox

    names = Toolbox(_sample_brief(), settings).painter_names
    yield from _check_each("pictures", "images", names, settings, lambda toolbox: toolbox.painters()[0], timeout_s)


def _sample_brief() -> Brief:
    from stages.models import Brief

    return Brief(title="A lamp", text=_SAMPLE_TEXT)


def _check_each(
    stage: str, field: str, names: Sequence[str], settings: Settings, get: _Get, timeout_s: float
) -> Findings:
    """Each provider by itself, all at once: one that cannot work is a warning, none that can is a failure."""

    def check(name: str) -> Finding:
        return _checked(stage, field, name, settings, get, timeout_s)

    works: list[str] = []
    with concurrent.futures.ThreadPoolExecutor(max(1, len(names))) as pool:
        for name, finding in zip(names, pool.map(check, names), strict=True):
            yield finding
            if finding.health != "Unhealthy":
                works.append(name)
    if works:
        yield Finding(stage, "ok", f"in this order: {', '.join(works)}")
    else:
        yield Finding(
            stage,
            "fail",
            "nobody can do this stage's work",
            f"see above, or set Providers; asked: {', '.join(names) or 'nobody'}",
        )


def _checked(stage: str, field: str, name: str, settings: Settings, get: _Get, timeout_s: float) -> Finding:
    from pipeline.planning.toolbox import Toolbox
    from stages.base import CancelToken
    from stages.models import Brief, ProviderChoice

    choice = ProviderChoice.model_validate({field: (name,)})
    tries = settings.health_checks.providers.test_connection
    try:
        provider = get(Toolbox(Brief(title="A lamp", text=_SAMPLE_TEXT, providers=choice), settings))
    except FramekeepError as error:
        return Finding(stage, "warn", f"{name} cannot work: {error.message}", error.hint, name, "Unhealthy")
    try:
        if tries:
            provider.connect(CancelToken(), timeout_s)
    except FramekeepError as error:
        return Finding(stage, "warn", error.message, error.hint, name, health_after(error))
    what = "is set up; it was not tried" if not tries else "answers" if provider.is_remote else "works"
    return Finding(stage, "ok", f"{name} {what}", "", name, "Healthy")
