"""`framekeep metrics`: how calls, retries and fallbacks have gone in this home, or in one job."""

from __future__ import annotations

from pipeline.cli import console
from pipeline.cli.common import Common
from pipeline.cli.exits import ExitCode
from pipeline.cli.jobs import has_ledger, open_home


def show_metrics(common: Common, job: str) -> int:
    """Show the figures. Raises UsageError for a job that is not known."""
    from checkpoints.circuits import Circuits
    from pipeline.api import Pipeline
    from pipeline.resilience.breakers import Breakers
    from pipeline.telemetry import metrics

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
