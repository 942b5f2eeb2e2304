"""`framekeep`: the commands, their options, and how each ends.

What a command does is in a module of its own, imported when it runs.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from config.errors import FramekeepError, UsageError
from config.exit_codes import ExitCode
from config.redaction import SECRETS
from pipeline.cli.command_options import (
    Common,
    ConfigOption,
    HomeOption,
    JsonOption,
    ProfileOption,
    SetOption,
    gather,
)
from pipeline.cli.config_app import config_app
from pipeline.cli.maintenance_app import upkeep_app
from pipeline.cli.terminal import console, errors
from stages.process_memory import uncollected

NAME = "framekeep"

# What the parser of the command line raises; typer gives only its leaves a public name.
_PARSER_ERROR: type[Exception] = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name=NAME,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="A video pipeline that always reaches its last frame: a brief goes in, finished captioned videos come out.",
    epilog="Example: framekeep render sample_media/brief.md --out videos",
)
app.add_typer(config_app, name="config")

ExportOption = Annotated[
    list[str] | None,
    typer.Option("--export", "-e", metavar="NAME", help="youtube, shorts, square or one of your settings. Repeatable."),
]
OutOption = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Where the videos go. Default: ./videos")
]
QualityOption = Annotated[
    str, typer.Option("--quality", "-q", metavar="LEVEL", help="Level to start at: high, medium or low. Default: high")
]
JobsOption = Annotated[
    int | None, typer.Option("--jobs", "-j", min=0, help="Encodes at the same time. Default: one for each core")
]
OnlyFailedOption = Annotated[
    bool,
    typer.Option(
        "--only-failed",
        help="Run again what failed, is parked or degraded, and nothing else: of the named briefs, or of all that this home "
        "knows. --export and --out then say which jobs are meant.",
    ),
]
QuietOption = Annotated[bool, typer.Option("--quiet", help="Say only what went wrong, and the paths of the videos.")]


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    home: HomeOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    profile: ProfileOption = None,
    sets: SetOption = None,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> int:
    context.obj = Common(home, as_json, config, profile, tuple(sets or ()))
    if version:
        from importlib.metadata import version as version_of

        version_text = version_of(NAME)
        if as_json:
            console.out_json({"name": NAME, "version": version_text})
        else:
            console.out(f"{NAME} {version_text}")
        raise typer.Exit(ExitCode.DONE)
    if context.invoked_subcommand is None:
        if as_json:
            raise UsageError("No command was given", hint=f"{NAME} --help")
        console.out(context.get_help())
    return ExitCode.DONE


@app.command(epilog="Example: framekeep render brief.md --export youtube --export shorts --quality medium")
def render(
    context: typer.Context,
    brief: Annotated[
        list[Path] | None, typer.Argument(metavar="BRIEF", help="Markdown, text, YAML or JSON file.")
    ] = None,
    exports: ExportOption = None,
    out: OutOption = None,
    quality: QualityOption = "",
    restore_quality: Annotated[
        bool, typer.Option("--restore-quality", help="Make what is degraded again, as it was asked for.")
    ] = False,
    only_failed: OnlyFailedOption = False,
    jobs: JobsOption = None,
    quiet: QuietOption = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    profile: ProfileOption = None,
    sets: SetOption = None,
) -> int:
    """Make a brief's videos. What is already made is reused; a run that was stopped goes on.

    The paths of the finished videos go to stdout, all else to stderr.
    """
    from pipeline.cli.commands.render_command import render_brief, render_failed

    common = gather(context, home, as_json, config, profile, sets)
    if only_failed:
        return render_failed(common, brief or None, exports, out, quality, jobs=jobs, quiet=quiet)
    wanted = {"exports": exports, "output": out, "quality": quality, "restore_quality": restore_quality}
    return render_brief(common, brief or (), wanted, jobs=jobs, quiet=quiet)


@app.command(epilog="Example: framekeep resume --all")
def resume(
    context: typer.Context,
    job: Annotated[
        str | None, typer.Argument(metavar="[JOB]", help="A job's id or its beginning. Default: the latest")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Go on with every job that is not finished.")] = False,
    jobs: JobsOption = None,
    quiet: QuietOption = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    profile: ProfileOption = None,
    sets: SetOption = None,
) -> int:
    """Go on with an interrupted, parked or failed job. No verified step is made twice.

    Settings are those of now: give --config, --profile and --set as the job was given them, or what they change is made anew.
    """
    from pipeline.cli.commands.render_command import resume_every, resume_job

    common = gather(context, home, as_json, config, profile, sets)
    if every:
        return resume_every(common, job, jobs=jobs, quiet=quiet)
    return resume_job(common, job, jobs=jobs, quiet=quiet)


@app.command(epilog="Example: framekeep batch briefs/ 'more/*.md' --export shorts --out videos")
def batch(
    context: typer.Context,
    briefs: Annotated[
        list[str] | None,
        typer.Argument(metavar="BRIEF|FOLDER|GLOB...", help="Briefs, folders of briefs, or quoted patterns."),
    ] = None,
    exports: ExportOption = None,
    out: OutOption = None,
    quality: QualityOption = "",
    only_failed: OnlyFailedOption = False,
    jobs: JobsOption = None,
    quiet: QuietOption = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    profile: ProfileOption = None,
    sets: SetOption = None,
) -> int:
    """Render several briefs, one after the other. One that fails does not stop the others."""
    from pipeline.cli.commands.batch_command import find_briefs, render_batch
    from pipeline.cli.commands.render_command import render_failed

    common = gather(context, home, as_json, config, profile, sets)
    if only_failed:
        found = find_briefs(briefs) if briefs else None
        return render_failed(common, found, exports, out, quality, jobs=jobs, quiet=quiet)
    if not briefs:
        raise UsageError("batch needs a brief, a folder or a pattern", hint=f"{NAME} batch --help")
    wanted = {"exports": exports, "output": out, "quality": quality}
    return render_batch(common, briefs, wanted, jobs=jobs, quiet=quiet)


@app.command("jobs", epilog="Example: framekeep jobs --state interrupted --state parked")
def list_jobs(
    context: typer.Context,
    states: Annotated[
        list[str] | None, typer.Option("--state", metavar="STATE", help="Only jobs in this state. Repeatable.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """List all jobs, the latest first."""
    from pipeline.cli.commands.jobs_command import show_jobs

    return show_jobs(gather(context, home, as_json), states or [])


@app.command(epilog="Example: framekeep show tides-1f2e3d4c")
def show(
    context: typer.Context,
    job: Annotated[str, typer.Argument(metavar="JOB", help="A job's id, or its beginning.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Show one job: its steps, provider calls, degradations, videos, error, and what to type next."""
    from pipeline.cli.commands.show_command import show_job

    return show_job(gather(context, home, as_json), job)


@app.command(epilog="Example: framekeep verify videos/tides-youtube.mp4")
def verify(
    context: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Videos; captions beside them are read as well.")
    ],
    home: HomeOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    profile: ProfileOption = None,
    sets: SetOption = None,
) -> int:
    """Check finished videos as a render checks its own, whoever made them. Exit 1 if one has a fault, 2 if one is no mp4."""
    from pipeline.cli.commands.verify_command import verify_files

    return verify_files(gather(context, home, as_json, config, profile, sets), files)


# No name: its commands stand among the others.
app.add_typer(upkeep_app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code. Nothing that a user can cause ends in a traceback."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    SECRETS.learn_environment(os.environ)
    SECRETS.learn_arguments(given)
    console.prepare_streams()
    # At the end as at the start, whatever is there stays: Python would go through all of it, several times.
    atexit.register(gc.freeze)
    try:
        with uncollected():
            return _run(given)
    except FramekeepError as error:
        return errors.report(error, as_json=as_json)
    except _PARSER_ERROR as error:
        return errors.report_usage(_message_of(error), _command_of(error), as_json=as_json)
    except (KeyboardInterrupt, typer.Abort):
        return ExitCode.INTERRUPTED
    except FileNotFoundError as error:
        if _has_working_folder():
            return errors.report_internal(error, given, as_json=as_json)
        gone = UsageError(
            "The folder this was started in is not there any more", hint="cd to another, then run it again"
        )
        return errors.report(gone, as_json=as_json)
    except Exception as error:  # noqa: BLE001 - the last frame before the user: anything else would be a traceback
        return errors.report_internal(error, given, as_json=as_json)


def _has_working_folder() -> bool:
    try:
        return bool(Path.cwd())
    except OSError:
        return False


def _run(arguments: list[str]) -> int:
    answer = typer.main.get_command(app).main(arguments, prog_name=NAME, standalone_mode=False)
    code = int(answer or 0)
    if loss := console.take_loss():
        errors.tell_error(f"The results could not be written to stdout: {loss}", "free some space, then run it again")
        return code or ExitCode.FAILED
    return code


def _message_of(error: Any) -> str:
    return str(error.format_message())


def _command_of(error: Any) -> str:
    context = getattr(error, "ctx", None)
    return str(context.command_path) if context else NAME


if __name__ == "__main__":
    sys.exit(main())
