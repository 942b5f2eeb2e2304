"""`framekeep gc`: makes room in the store."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from config.exit_codes import ExitCode
from pipeline.cli.command_options import Common, parse_age, parse_size
from pipeline.cli.commands.jobs_command import has_ledger, open_home
from pipeline.cli.terminal import console
from pipeline.cli.terminal.console import bytes_text, count_text, out, say

if TYPE_CHECKING:
    from pipeline.maintenance.gc import CleanupReport

DEFAULT_AGE = "30d"


def collect_garbage(common: Common, older_than: str, max_size: str, keep_last: int | None, *, dry_run: bool) -> int:
    """Clean up. Without any limit, what was not used for 30 days goes."""
    from pipeline.engine.response_cache import oldest_to_keep
    from pipeline.maintenance.gc import collect

    if not older_than and not max_size and keep_last is None:
        older_than = DEFAULT_AGE
    age_s = parse_age(older_than) if older_than else None
    max_bytes = parse_size(max_size) if max_size else None
    home = open_home(common)
    if not has_ledger(home):
        # Looking must not make a home where there was none.
        say(f"There is nothing to clean up in {home.root}")
        if common.json:
            from pipeline.maintenance.gc import CleanupReport

            console.out_json(CleanupReport(dry_run=dry_run).model_dump(mode="json"))
        return ExitCode.DONE
    cache = common.load().settings.providers.cache_fallback
    now = time.time()
    try:
        report = collect(
            home,
            older_than_s=age_s,
            max_bytes=max_bytes,
            keep_last=keep_last or 0,
            dry_run=dry_run,
            now=now,
            answers_since=oldest_to_keep(cache, now),
        )
    finally:
        home.close()
    if common.json:
        console.out_json(report.model_dump(mode="json"))
    else:
        _tell(report)
    return ExitCode.DONE


def _tell(report: CleanupReport) -> None:
    if report.held_by:
        jobs = ", ".join(report.held_by[:3]) + (", …" if len(report.held_by) > 3 else "")
        if report.lost:
            say(f"nothing may go: the ledger has lost jobs that can be resumed: {jobs}", "warn")
            say(f"{console.symbol('next')} framekeep doctor --rebuild")
        else:
            say(f"nothing may go before these jobs, which were restored, are finished: {jobs}", "warn")
            say(f"{console.symbol('next')} framekeep resume --all")
    verb = "would go" if report.dry_run else "removed"
    for job in report.jobs:
        out(f"{verb}: job {job}")
    for job in report.busy:
        say(f"spared: job {job} is being worked on", "warn")
    out(
        f"{verb}: {count_text(len(report.jobs), 'job')}, {count_text(report.results, 'result')}, "
        f"{count_text(report.artifacts, 'file')}, {bytes_text(report.bytes_freed)}"
    )
    out(
        f"kept: {count_text(report.jobs_kept, 'job')}, {count_text(report.artifacts_kept, 'file')}, "
        f"{bytes_text(report.bytes_kept)}"
    )
    if report.over_bytes:
        say(
            f"{bytes_text(report.over_bytes)} more than --max-size had to stay: what unfinished jobs need and what was "
            "used within the last hour is not removed",
            "warn",
        )
