"""What is said when a run has ended: where the videos are, what is worse than asked, and what to type next."""

from __future__ import annotations

import datetime
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.cli.terminal import console
from pipeline.cli.terminal.console import Tone, bytes_text, clock_text, count_text, say, symbol
from pipeline.cli.terminal.errors import tell_error
from pipeline.cli.terminal.event_text import degradation_text
from pipeline.resilience.cooldowns import clock_time

if TYPE_CHECKING:
    from pipeline.batch import BatchItem
    from pipeline.report import Output, Result

TONES: dict[str, Tone] = {
    "done": "good",
    "degraded": "warn",
    "parked": "warn",
    "interrupted": "warn",
    "running": "plain",
    "queued": "plain",
    "failed": "bad",
    "superseded": "dim",
}


def tell_result(result: Result, *, quiet: bool = False) -> None:
    """A run's end. The paths of its videos go to stdout, one a line; all else to stderr. Quiet: only what went wrong."""
    for output in result.outputs:
        _tell_output(output, quiet=quiet)
    for item in result.degradations:
        say(f"{symbol('warn')} degraded: {degradation_text(item.model_dump())}", "warn")
    for charge in result.possibly_charged:
        what = "the end of a call" if charge.calls == 1 else f"the ends of {charge.calls} calls"
        say(
            f"{symbol('warn')} possibly charged: {what} to {charge.provider} for {charge.step} "
            f"{'is' if charge.calls == 1 else 'are'} not known (request {charge.request_id})",
            "warn",
        )
    if result.ok and not quiet:
        say(_work_text(result), "dim")
    if result.error:
        tell_error(result.error.message, result.error.hint)
        if not quiet and (result.steps.executed or result.steps.reused):
            say(_work_text(result), "dim")


def _tell_output(output: Output, *, quiet: bool) -> None:
    if quiet:
        console.out_path(output.path)
        return
    say(f"{symbol('good')} {output_text(output)}", "good")
    console.out_path(output.path)
    # Where stdout is read by a program, the log on stderr should still say where the video is.
    if not console.is_terminal(sys.stdout):
        say(f"  {output.path}")
    if output.sidecars:
        say(f"  beside it: {', '.join(path.name for path in output.sidecars.values())}", "dim")


def output_text(output: Output) -> str:
    """`youtube: High, 1920×1080, 30 fps, 1:12, 23.4 MB`."""
    try:
        size = bytes_text(output.path.stat().st_size)
    except OSError:
        size = "file not there any more"
    parts = (
        output.quality,
        f"{output.width}×{output.height}",
        f"{output.fps} fps",
        clock_text(output.duration_s),
        size,
    )
    return f"{output.export}: {', '.join(parts)}"


def _work_text(result: Result) -> str:
    """`40 steps executed, 0 reused, 3 of 52 calls failed, 3 retries (1 failed), 1:02`."""
    if result.ok and not result.steps.executed:
        return f"nothing to make: all {count_text(result.steps.reused, 'step')} were there ({result.elapsed_s:.1f} s)"
    text = f"{count_text(result.steps.executed, 'step')} executed, {result.steps.reused} reused"
    # Calls that Ctrl-C cut off are no news.
    if result.attempts.failed and result.status != "interrupted":
        text += f", {result.attempts.failed} of {count_text(result.attempts.total, 'call')} failed"
        if retries := result.attempts.retries:
            text += f", {retries} {'retry' if retries == 1 else 'retries'} ({result.attempts.failed_retries} failed)"
    return f"{text}, {clock_text(result.elapsed_s)}"


def tell_batch(items: Sequence[BatchItem], missing: int) -> None:
    """What became of each brief, in one table on stderr; `missing` were not started."""
    say("")
    names = [item.brief for item in items]
    widest = max((console.width(console.clean(name)) for name in names), default=0)
    for item in items:
        result = item.result
        name = item.brief + " " * (widest - console.width(console.clean(item.brief)))
        say(f"{result.status:<12}{name}  {_outcome(result)}", TONES[result.status])
    counts: dict[str, int] = {}
    for item in items:
        counts[item.result.status] = counts.get(item.result.status, 0) + 1
    parts = [f"{count} {status}" for status, count in sorted(counts.items())]
    if missing:
        parts.append(f"{missing} not started")
    say(f"{count_text(len(items) + missing, 'brief')}: {', '.join(parts)}")
    if any(not item.result.ok and item.result.job_id for item in items):
        say(f"{symbol('next')} {_resume_all([item.result for item in items], time.time())}")


def _resume_all(results: Sequence[Result], now: float) -> str:
    """What goes on with the rest of a batch; not before the first time that makes sense, where all of them wait for one."""
    untils = [item.error.resume_after if item.error else None for item in results if not item.ok]
    moments = [datetime.datetime.fromisoformat(until).timestamp() for until in untils if until]
    if len(moments) < len(untils) or min(moments) <= now:
        return "framekeep resume --all"
    return f"wait until {clock_time(min(moments))}, then: framekeep resume --all"


def _outcome(result: Result) -> str:
    if result.error:
        return result.error.message.splitlines()[0]
    text = count_text(len(result.outputs), "video")
    return f"{text}, {count_text(len(result.degradations), 'degradation')}" if result.degradations else text
