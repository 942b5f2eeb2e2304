"""`framekeep config`: its commands and their options. What each does is in `settings.py`, imported when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.command_options import ConfigOption, HomeOption, JsonOption, ProfileOption, SetOption, gather

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
    from pipeline.cli.commands.config_command import show_settings

    return show_settings(gather(context, home, as_json, config, profile, sets), key)


@config_app.command("validate", epilog="Example: framekeep config validate framekeep.toml")
def config_validate(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A settings file.")],
    as_json: JsonOption = False,
    profile: ProfileOption = None,
) -> int:
    """Check a settings file over the profile in use; every problem is shown at once."""
    from pipeline.cli.commands.config_command import validate

    return validate(gather(context, None, as_json, profile=profile), file)


@config_app.command("schema", epilog="Example: framekeep config schema > framekeep.schema.json")
def config_schema(context: typer.Context, as_json: JsonOption = False) -> int:
    """Print the JSON Schema of a settings file, for editors that complete and check."""
    from pipeline.cli.commands.config_command import print_schema

    return print_schema()


@config_app.command("path", epilog="Example: framekeep config path")
def config_path(
    context: typer.Context, home: HomeOption = None, as_json: JsonOption = False, config: ConfigOption = None
) -> int:
    """Show which settings file and which home are in use."""
    from pipeline.cli.commands.config_command import show_paths

    return show_paths(gather(context, home, as_json, config))


@config_app.command("policy", epilog="Example: framekeep config policy LLM.OpenAI")
def config_policy(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="KIND.PROVIDER", help="LLM, TTS, Images or Render, and who does it: TTS.hibari, Render.libx264."
        ),
    ],
    home: HomeOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    profile: ProfileOption = None,
    sets: SetOption = None,
) -> int:
    """Show all that guards one provider's calls: circuit, retries, limits, fallback, and whether it is asked now."""
    from pipeline.cli.commands.policy_command import show_policy

    return show_policy(gather(context, home, as_json, config, profile, sets), name)


@config_app.command("keys", epilog="Example: framekeep config keys --set OpenAI")
def config_keys(
    context: typer.Context,
    set_for: Annotated[
        str | None,
        typer.Option(
            "--set", metavar="PROVIDER", help="Keep this provider's key, typed or from stdin, in the keyring."
        ),
    ] = None,
    remove_for: Annotated[
        str | None, typer.Option("--remove", metavar="PROVIDER", help="Remove this provider's key from the keyring.")
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    profile: ProfileOption = None,
) -> int:
    """Show where each provider's API key comes from, or keep one in the system's keyring. Keys are never shown."""
    from config.errors import UsageError
    from pipeline.cli.commands import keys_command

    common = gather(context, None, as_json, config, profile)
    if set_for and remove_for:
        raise UsageError("Either --set or --remove", hint="framekeep config keys --help")
    if set_for:
        return keys_command.set_key(common, set_for)
    return keys_command.remove_key(common, remove_for) if remove_for else keys_command.list_keys(common)
