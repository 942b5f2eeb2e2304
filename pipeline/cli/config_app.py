"""`framekeep config`: its commands and their options. What each does is in `settings.py`, imported when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.common import ConfigOption, HomeOption, JsonOption, ProfileOption, SetOption, gather

config_app = typer.Typer(
    rich_markup_mode=None, help="Show, check and describe the settings.", epilog="Example: framekeep config show"
)


@config_app.command("show", epilog="Example: framekeep config show Resilience.Retry")
def config_show(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="[KEY]", help="Only settings below this name. Default: all")] = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    profile: ProfileOption = None,
    sets: SetOption = None,
) -> int:
    """Show every setting's value, its unit, and where it comes from. Secrets are masked."""
    from pipeline.cli.settings import show_settings

    return show_settings(gather(context, home, as_json, config, profile, sets), key)


@config_app.command("validate", epilog="Example: framekeep config validate framekeep.toml")
def config_validate(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A settings file.")],
    as_json: JsonOption = False,
) -> int:
    """Check a settings file; every problem is shown at once."""
    from pipeline.cli.settings import validate

    return validate(gather(context, None, as_json), file)


@config_app.command("schema", epilog="Example: framekeep config schema > framekeep.schema.json")
def config_schema(context: typer.Context, as_json: JsonOption = False) -> int:
    """Print the JSON Schema of a settings file, for editors that complete and check."""
    from pipeline.cli.settings import print_schema

    return print_schema()


@config_app.command("path", epilog="Example: framekeep config path")
def config_path(
    context: typer.Context, home: HomeOption = None, as_json: JsonOption = False, config: ConfigOption = None
) -> int:
    """Show which settings file and which home are in use."""
    from pipeline.cli.settings import show_paths

    return show_paths(gather(context, home, as_json, config))
