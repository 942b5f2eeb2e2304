"""Framekeep: a video pipeline that always reaches its last frame.

from pipeline import Brief, Pipeline

result = Pipeline().render("brief.md")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.import_check import refuse_shadowed_packages

refuse_shadowed_packages()

if TYPE_CHECKING:
    from config.errors import FramekeepError
    from config.loader import load_settings
    from config.settings import Settings
    from pipeline.api import Pipeline
    from pipeline.batch import BatchResult
    from pipeline.events import Event
    from pipeline.report import Output, Result
    from stages.brief import load_brief, parse_brief
    from stages.models import Brief

# Loaded when first asked for: a command that needs only one of them does not pay for all.
_HOMES = {
    "BatchResult": "pipeline.batch",
    "Brief": "stages.models",
    "Event": "pipeline.events",
    "FramekeepError": "config.errors",
    "Output": "pipeline.report",
    "Pipeline": "pipeline.api",
    "Result": "pipeline.report",
    "Settings": "config.settings",
    "load_brief": "stages.brief",
    "load_settings": "config.loader",
    "parse_brief": "stages.brief",
}

__all__ = [
    "BatchResult",
    "Brief",
    "Event",
    "FramekeepError",
    "Output",
    "Pipeline",
    "Result",
    "Settings",
    "load_brief",
    "load_settings",
    "parse_brief",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pipeline' has no attribute '{name}'")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
