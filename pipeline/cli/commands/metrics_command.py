"""`framekeep metrics`: how calls, retries and fallbacks have gone in this home, or in one job."""

from __future__ import annotations

from config.exit_codes import ExitCode
from pipeline.cli.command_options import Common
from pipeline.cli.commands.jobs_command import has_ledger, open_home
from pipeline.cli.terminal import console


def show_metrics(common: Common, job: str) -> int:
    """Show the figures. Raises UsageError for a job that is not known."""
    from checkpoints.ledger.circuits import Circuits
    from pipeline.api import Pipeline
    from pipeline.observability.telemetry import metrics
    from pipeline.resilience.breakers.registry import Breakers

    home = open_home(common)
    events = []
    if has_ledger(home):
        with Pipeline(common.load().settings, home=home.root) as pipeline:
            rows = [pipeline.job(job)] if job else pipeline.jobs()
            events = [event for row in rows for event in pipeline.home.ledger.events(row.id)]
        breakers = Breakers(circuits=Circuits(home.ledger_file))
        figures = metrics(events, breakers.snapshot())
        breakers.close()
    else:
        figures = metrics(events, [])
    home.close()
    if common.json:
        console.out_json(figures)
        return ExitCode.DONE
    rows_shown = [(block, name, str(value)) for block, values in figures.items() for name, value in values.items()]
    console.out_table(("OF", "FIGURE", "VALUE"), rows_shown)
    return ExitCode.DONE
