"""Running the pipeline under the command line: settings in, events to the display, signals to the cancel, errors to messages."""

from __future__ import annotations

import contextlib
import gc
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from checkpoints.job_states import JobState
from config.errors import CancelledError, FramekeepError
from pipeline.cli.command_options import Common
from pipeline.cli.terminal import console, errors
from pipeline.cli.terminal.display import Display, make_display
from pipeline.cli.terminal.signals import Stopper, exit_at_once

if TYPE_CHECKING:
    from pipeline.api import Pipeline
    from pipeline.report import Result

T = TypeVar("T")

_NOTE_S = 0.2


def with_pipeline(
    common: Common, work: Callable[[Pipeline, Display], T], *, jobs: int | None = None, quiet: bool = False
) -> T:
    """Do `work` with a pipeline whose events are shown and which signals stop. Raises what `work` raises."""
    from pipeline.api import Pipeline
    from pipeline.observability.logs import open_log
    from stages.process_memory import be_frugal

    be_frugal()
    settings = common.load(jobs=jobs).settings
    display = make_display(quiet=quiet)
    with Pipeline(settings, home=common.home, on_event=display.take) as pipeline, contextlib.ExitStack() as stack:
        stack.callback(open_log(pipeline.home.logs, settings.logging))
        stopper = Stopper(pipeline.cancel, lambda: _give_up(pipeline, display, as_json=common.json))
        _collect_from_now_on()
        with display, stopper:
            answer = work(pipeline, display)
    if display.fault:
        log = errors.write_log(display.fault, [])
        console.say(f"{console.symbol('warn')} the progress display failed and was switched off: see {log}", "warn")
    return answer


def _collect_from_now_on() -> None:
    """A start makes hundreds of thousands of objects that stay. They count as old: a young one's circle is found without them."""
    gc.freeze()
    gc.unfreeze()
    gc.enable()


def run_one(common: Common, work: Callable[[Pipeline], Result], *, jobs: int | None = None, quiet: bool = False) -> int:
    """One job: show its result, return its exit code. An error that left no job is shown as a result without one."""
    from pipeline.cli.terminal.summary import tell_result

    try:
        result = with_pipeline(common, lambda pipeline, _display: work(pipeline), jobs=jobs, quiet=quiet)
    except FramekeepError as error:
        errors.tell(error)
        if common.json:
            console.out_json(document_for(error))
        return error.exit_code
    if common.json:
        console.out_json(result.as_json())
        if result.error:
            errors.tell_error(result.error.message, result.error.hint)
    else:
        tell_result(result, quiet=quiet)
    return result.exit_code


def document_for(error: FramekeepError, job_id: str = "") -> dict[str, Any]:
    """The document of `render` and `resume` for a run that an error ended before there was a result."""
    from pipeline.report import Result, error_report, status_of

    document = Result(job_id=job_id or error.job_id, status=status_of(error), error=error_report(error)).as_json()
    document["error"] = errors.error_document(error)
    return document


def _give_up(pipeline: Pipeline, display: Display, *, as_json: bool) -> None:
    """The run did not end in time: say so, note it, and end the process. Everything that was finished stays."""
    job_id = display.watcher.view().job_id
    hint = f"framekeep resume {job_id}" if job_id else "run the same command again"
    error = CancelledError("Stopped at once; what is finished is kept", hint=hint)

    def note() -> None:
        if job_id:
            pipeline.home.ledger.set_state(job_id, JobState.INTERRUPTED, error=error.as_dict())

    noting = threading.Thread(target=note, daemon=True)
    noting.start()
    noting.join(_NOTE_S)
    display.abandon()
    errors.tell_error(error.message, error.hint)
    if as_json:
        console.out_json(document_for(error, job_id))
    exit_at_once()
