"""The commands that look after a home: `doctor`, `gc`, `metrics`, `breakers`. What each does is imported when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli.command_options import ConfigOption, HomeOption, JsonOption, ProfileOption, SetOption, gather

upkeep_app = typer.Typer(rich_markup_mode=None)


@upkeep_app.command(epilog="Example: framekeep doctor --json")
def doctor(
    context: typer.Context,
    deep: Annotated[
        bool, typer.Option("--deep", help="Also read every artifact in the store and check its hash.")
    ] = False,
    rebuild: Annotated[
        bool,
        typer.Option(
            "--rebuild", help="Make a ledger that is lost or damaged again from the store; then look no further."
        ),
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    profile: ProfileOption = None,
    sets: SetOption = None,
) -> int:
    """Look whether everything that a render needs is there and works. Exit 1 if something does not."""
    from pipeline.cli.commands.doctor_command import diagnose, rebuild_ledger

    common = gather(context, home, as_json, config, profile, sets)
    return rebuild_ledger(common) if rebuild else diagnose(common, deep=deep)


@upkeep_app.command(epilog="Example: framekeep gc --older-than 30d --max-size 10G --dry-run")
def gc(
    context: typer.Context,
    older_than: Annotated[
        str,
        typer.Option(
            "--older-than",
            metavar="AGE",
            help="Remove jobs that ended longer ago: 30d, 12h. Default without any limit: 30d",
        ),
    ] = "",
    max_size: Annotated[
        str,
        typer.Option(
            "--max-size",
            metavar="SIZE",
            help="Remove the oldest jobs until the store fits: 10G, 500M. Default: no limit",
        ),
    ] = "",
    keep_last: Annotated[
        int | None,
        typer.Option("--keep-last", metavar="N", min=0, help="Never touch the latest N finished jobs. Default: 0"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; remove nothing.")] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Free space in the store. Delivered videos are never touched; what an unfinished job needs is kept."""
    from pipeline.cli.commands.gc_command import collect_garbage

    common = gather(context, home, as_json)
    return collect_garbage(common, older_than, max_size, keep_last, dry_run=dry_run)


@upkeep_app.command(epilog="Example: framekeep metrics --json")
def metrics(
    context: typer.Context,
    job: Annotated[str, typer.Argument(metavar="[JOB]", help="A job's id, or its beginning. Default: all jobs")] = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    profile: ProfileOption = None,
    sets: SetOption = None,
) -> int:
    """Count retries and fallbacks, and show how many circuits are open."""
    from pipeline.cli.commands.metrics_command import show_metrics

    return show_metrics(gather(context, home, as_json, config, profile, sets), job)


@upkeep_app.command(epilog="Example: framekeep breakers --reset OpenAI-LLM")
def breakers(
    context: typer.Context,
    reset: Annotated[
        list[str] | None,
        typer.Option(
            "--reset",
            metavar="NAME",
            help="Let this circuit or provider be asked again; the provider's rest ends as well. Repeatable.",
        ),
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Show the circuit breakers: which providers are left alone after failures, and until when."""
    from pipeline.cli.commands.breakers_command import show_breakers

    return show_breakers(gather(context, home, as_json), reset or [])
