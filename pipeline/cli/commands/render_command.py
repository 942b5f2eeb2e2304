"""`framekeep render` and `framekeep resume`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.errors import UsageError
from config.exit_codes import ExitCode
from pipeline.cli.command_options import Common
from pipeline.cli.terminal import console
from pipeline.cli.terminal.session import run_one, with_pipeline

if TYPE_CHECKING:
    from pipeline.api import Pipeline
    from pipeline.batch import BatchResult
    from pipeline.cli.terminal.display import Display


def render_brief(
    common: Common, briefs: Sequence[Path], wanted: dict[str, Any], *, jobs: int | None, quiet: bool
) -> int:
    """Render one brief; several are a batch's business."""
    if not briefs:
        raise UsageError("render needs a brief", hint="framekeep render BRIEF, or: framekeep render --only-failed")
    if len(briefs) > 1:
        command = shlex.join(["framekeep", "batch", *(str(brief) for brief in briefs)])
        raise UsageError(f"render takes one brief, not {len(briefs)}", hint=command)
    return run_one(common, lambda pipeline: pipeline.render(briefs[0], **wanted), jobs=jobs, quiet=quiet)


def resume_job(common: Common, job: str | None, *, jobs: int | None, quiet: bool) -> int:
    """Go on with one job."""
    return run_one(common, lambda pipeline: pipeline.resume(job), jobs=jobs, quiet=quiet)


def render_failed(
    common: Common,
    briefs: Sequence[Path] | None,
    exports: Sequence[str] | None,
    output: Path | None,
    quality: str,
    *,
    jobs: int | None,
    quiet: bool,
) -> int:
    """Run again what failed, is parked or degraded, of the named briefs or of all jobs."""
    from pipeline.cli.commands.batch_command import report_batch, telling_items
    from pipeline.cli.commands.jobs_command import tell_lost

    if quality:
        raise UsageError(
            "--only-failed runs jobs as they were asked for, so --quality cannot stand beside it",
            hint="leave --quality away, or leave --only-failed away",
        )

    def work(pipeline: Pipeline, display: Display) -> BatchResult:
        tell = telling_items(common, display, quiet=quiet)
        tell_lost(pipeline.home)
        return pipeline.retry_failed(briefs, exports=exports, output=output, on_item=tell)

    answer = with_pipeline(common, work, jobs=jobs, quiet=quiet)
    if not common.json and not answer.items:
        console.say("Nothing has failed, is parked or degraded")
        return ExitCode.DONE
    return report_batch(common, answer, missing=0, quiet=quiet)


def resume_every(common: Common, job: str | None, *, jobs: int | None, quiet: bool) -> int:
    """Go on with all that is not finished."""
    from pipeline.batch import BatchItem, BatchResult
    from pipeline.cli.terminal.summary import tell_batch, tell_result

    if job:
        raise UsageError(f"resume takes either a job or --all, not both: '{job}'", hint=f"framekeep resume {job}")
    results = with_pipeline(common, lambda pipeline, _display: pipeline.resume_all(), jobs=jobs, quiet=quiet)
    items = tuple(BatchItem(brief=result.job_id, result=result) for result in results)
    answer = BatchResult(items=items)
    if common.json:
        console.out_json(answer.as_json())
    elif not items:
        console.say("No job waits to be resumed")
    else:
        for result in results:
            tell_result(result, quiet=quiet)
        if not quiet or answer.exit_code:
            tell_batch(items, missing=0)
    return ExitCode(answer.exit_code)
