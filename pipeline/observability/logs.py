"""The log: what a run tells, written by Python's own `logging`, each area at the level that the settings name.

Areas are loggers: `framekeep.resilience` hears of circuits, attempts, fallbacks; `framekeep.pipeline` of jobs and steps.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from config.redaction import RedactingFormatter
from config.watching import Logging
from pipeline.events import Event

ROOT = "framekeep"
_MOST_BYTES = 10_000_000
_LEVELS = {
    "trace": logging.DEBUG - 5,
    "debug": logging.DEBUG,
    "information": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "none": logging.CRITICAL + 1,
}
# The guide's own name for an area, and ours, are one.
_PREFIX = re.compile(r"^(?:aura(?:\.core)?|framekeep)(?:\.|$)", re.IGNORECASE)
_RESILIENCE = frozenset(
    {
        "attempt",
        "attempt_started",
        "circuit",
        "degraded",
        "repaired",
        "fallback",
        "rest",
        "fault_injected",
        "retry",
        "waiting",
        "limit_wait",
        "health",
    }
)
_LOUD = {
    "circuit": logging.WARNING,
    "degraded": logging.WARNING,
    "repaired": logging.WARNING,
    "step_waiting": logging.INFO,
    "warning": logging.WARNING,
    "step_failed": logging.WARNING,
    "job_failed": logging.ERROR,
    "job_parked": logging.WARNING,
    "job_started": logging.INFO,
    "job_done": logging.INFO,
    "job_interrupted": logging.INFO,
    "output": logging.INFO,
    "fallback": logging.WARNING,
    "rest": logging.WARNING,
    "retry": logging.INFO,
    "waiting": logging.INFO,
    "fault_injected": logging.INFO,
    "step_progress": _LEVELS["trace"],
}

for _area in ("resilience", "pipeline"):
    # A script that has set up no logging is told by events and results, not by lines on its stderr.
    logging.getLogger(f"{ROOT}.{_area}").addHandler(logging.NullHandler())


def area_logger(name: str) -> logging.Logger:
    """The logger that a settings file means by `Framekeep.Resilience`, `Aura.Core.Resilience` or `Default`."""
    rest = _PREFIX.sub("", name.strip()).lower()
    return logging.getLogger(ROOT if rest in ("", "default") else f"{ROOT}.{rest}")


def set_levels(settings: Logging) -> None:
    """Give each named area its level; areas that are not named keep theirs."""
    for name, level in settings.log_level.items():
        area_logger(name).setLevel(_LEVELS[level])


def log_event(event: Event) -> None:
    """Write one event to the log of its area."""
    area = "resilience" if event.kind in _RESILIENCE else "pipeline"
    level = _LOUD.get(event.kind, logging.DEBUG)
    if event.kind == "health":
        if "LogErrors" not in event.data["actions"]:
            return
        level = logging.INFO if event.data["new"] == "Healthy" else logging.WARNING
    if event.kind == "attempt" and event.data.get("outcome") != "ok":
        level = logging.WARNING
    logger = logging.getLogger(f"{ROOT}.{area}")
    if logger.isEnabledFor(level):
        logger.log(level, "%s", _sentence(event))


def _sentence(event: Event) -> str:
    """`circuit` lines as they are; everything else as its kind and what it holds."""
    if event.kind == "circuit" and "message" in event.data:
        return str(event.data["message"])
    told = " ".join(f"{key}={_short(value)}" for key, value in event.data.items() if value not in ("", None, [], {}))
    return " ".join(part for part in (event.job_id, event.kind, told) if part)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return f"{text[:200]}…" if len(text) > 200 else text


def open_log(folder: Path, settings: Logging) -> Callable[[], None]:
    """Write the log to `framekeep.log` in a folder; returns what closes it. Without a level, from `Information` on.

    A log that cannot be written costs nothing but itself.
    """
    root = logging.getLogger(ROOT)
    if "default" not in {name.strip().lower() for name in settings.log_level}:
        root.setLevel(logging.INFO)
    set_levels(settings)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "framekeep.log"
        if path.exists() and path.stat().st_size > _MOST_BYTES:
            path.replace(path.with_suffix(".log.1"))
        handler = _Handler(path, encoding="utf-8", errors="backslashreplace")
    except OSError:
        return lambda: None
    handler.setFormatter(RedactingFormatter("%(asctime)s %(levelname)-7s [%(process)d] %(name)s: %(message)s"))
    root.addHandler(handler)

    def close() -> None:
        root.removeHandler(handler)
        handler.close()

    return close


class _Handler(logging.FileHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        """A full disk is told by what it stops, not by a traceback for each line of the log."""
