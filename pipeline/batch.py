"""Several briefs, one after the other: one that fails does not stop the others."""

from __future__ import annotations

import functools
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from config.exit_codes import ExitCode
from pipeline.job.naming import slug
from pipeline.report import EXIT_CODES, Result, Status, result_of
from stages.models import Brief, Model

# What a batch ends as: the first of these that one of its briefs ended as. Going on after an interruption is up to whoever stopped
# it; a failure needs somebody; what is parked needs only time; what is degraded is there.
_FIRST: tuple[Status, ...] = ("interrupted", "failed", "parked", "degraded")


class BatchItem(Model):
    """One brief of a batch and what became of it."""

    brief: str
    result: Result


class BatchResult(Model):
    """All of them.

    `exit_code`: 130 interrupted; else 4 some failed; else 75 none failed but some are parked; else 3 all are there but some
    degraded; else 0.
    """

    items: tuple[BatchItem, ...]
    interrupted: bool = False
    # Named briefs that were left alone, where only what failed was wanted.
    untouched: int = 0

    @property
    def exit_code(self) -> int:
        ends: set[Status] = {item.result.status for item in self.items} | (
            {"interrupted"} if self.interrupted else set()
        )
        end: Status = next((status for status in _FIRST if status in ends), "done")
        return ExitCode.SOME_FAILED if end == "failed" else EXIT_CODES[end]

    def as_json(self) -> dict[str, Any]:
        """The document that `--json` prints."""
        counts = Counter(item.result.status for item in self.items)
        jobs = [{"brief": item.brief, **item.result.as_json()} for item in self.items]
        document: dict[str, Any] = {"jobs": jobs, "counts": dict(sorted(counts.items()))}
        return document | ({"untouched": self.untouched} if self.untouched else {})


def run_batch(
    briefs: Sequence[Brief | Path | str],
    render: Callable[[Brief | Path | str, str], Result],
    cancelled: Callable[[], bool],
    on_item: Callable[[BatchItem], None] = lambda item: None,
) -> BatchResult:
    """Call `render(brief, stem)` for each, and `on_item` as each has ended.

    An error of one becomes its result; stops early only when cancelled.
    """
    stems = _stems(briefs)
    runs = [(_name(brief), functools.partial(render, brief, stem)) for brief, stem in zip(briefs, stems, strict=True)]
    return run_each(runs, cancelled, on_item)


def run_each(
    runs: Sequence[tuple[str, Callable[[], Result]]],
    cancelled: Callable[[], bool],
    on_item: Callable[[BatchItem], None] = lambda item: None,
) -> BatchResult:
    """Call each of the named runs, and `on_item` as each has ended; the rest as `run_batch`."""
    items: list[BatchItem] = []
    for name, run in runs:
        if cancelled():
            break
        try:
            result = run()
        except Exception as error:  # noqa: BLE001 - whatever it is, the other briefs are rendered
            result = result_of(error)
        items.append(BatchItem(brief=name, result=result))
        on_item(items[-1])
    return BatchResult(items=tuple(items), interrupted=len(items) < len(runs))


def _name(brief: Brief | Path | str) -> str:
    return brief.name if isinstance(brief, Brief) else str(brief)


def _stems(briefs: Sequence[Brief | Path | str]) -> list[str]:
    """File names' beginnings; briefs of the same name are told apart, or they would overwrite each other's videos."""
    plain = [slug(brief.name if isinstance(brief, Brief) else Path(brief).stem) for brief in briefs]
    counts = Counter(plain)
    return [
        f"{stem}-{hashlib.sha256(os.fsencode(_place(brief))).hexdigest()[:6]}" if counts[stem] > 1 else stem
        for brief, stem in zip(briefs, plain, strict=True)
    ]


def _place(brief: Brief | Path | str) -> str:
    return brief.model_dump_json() if isinstance(brief, Brief) else str(Path(brief).absolute())
