"""`framekeep config`: what the settings are, where each comes from, and what a file of them may hold."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from config.errors import UsageError
from config.exit_codes import ExitCode
from config.section import Section, squashed
from pipeline.cli.command_options import Common
from pipeline.cli.terminal import console

if TYPE_CHECKING:
    from config.loader import Loaded, SettingPath

UNITS = {"ms": "ms", "s": "s", "bps": "bit/s", "db": "dB", "lufs": "LUFS", "dbtp": "dBTP"}
_MASK = "********"


@dataclass(frozen=True)
class SettingRow:
    """One setting in effect. `source` says who set it; `default` where nobody did."""

    name: str
    value: Any
    unit: str
    source: str


def show_settings(common: Common, key: str) -> int:
    """Show the settings below `key`, all for an empty one."""
    from pipeline.home import Home

    rows = list(effective(common.load()))
    if key:
        wanted = squashed(key).rstrip(".")
        below = [row for row in rows if squashed(row.name) == wanted or squashed(row.name).startswith(f"{wanted}.")]
        if not below:
            raise UsageError(f"There is no setting '{key}'", hint="framekeep config show")
        rows = below
    if common.json:
        paths = {"file": _text(settings_file(common)), "home": str(Home(common.home).root)}
        console.out_json({**paths, "settings": [vars(row) for row in rows]})
    else:
        table = [(row.name, value_text(row.value), row.unit, row.source) for row in rows]
        console.out_table(("SETTING", "VALUE", "UNIT", "SOURCE"), table)
    return ExitCode.DONE


def effective(loaded: Loaded) -> Iterator[SettingRow]:
    """Every setting in the order of its declaration."""
    from config.loader import guide_path

    for path, value in leaves(loaded.settings, ()):
        origin = next(
            (loaded.origins[path[:end]] for end in range(len(path), 0, -1) if path[:end] in loaded.origins), "default"
        )
        yield SettingRow(guide_path(path), _shown(value), unit_of(path[-1]), origin)


def leaves(section: Section, path: SettingPath) -> Iterator[tuple[SettingPath, Any]]:
    """Paths of attribute names and values, blocks, lists and mappings opened."""
    for name in type(section).model_fields:
        value, here = getattr(section, name), (*path, name)
        inner: dict[str, Any] = {}
        if isinstance(value, dict):
            inner = value
        elif isinstance(value, tuple) and value and isinstance(value[0], Section):
            inner = {str(place): item for place, item in enumerate(value)}
        if isinstance(value, Section):
            yield from leaves(value, here)
        elif inner:
            for key, item in inner.items():
                yield from leaves(item, (*here, key))
        else:
            yield here, value


def unit_of(attribute: str) -> str:
    """The unit that an attribute's name carries."""
    return UNITS.get(attribute.rpartition("_")[2], "")


def value_text(value: Any) -> str:
    """A value as a settings file would say it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        is_size = len(value) == 2 and all(isinstance(side, int) for side in value)
        return ("x" if is_size else ", ").join(map(str, value)) or "(none)"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def _shown(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return _MASK if value.get_secret_value() else ""
    if isinstance(value, tuple):
        return [_shown(item) for item in value]
    return value


def settings_file(common: Common) -> Path | None:
    """The settings file in use."""
    from config.loader import default_file

    return common.config or default_file(os.environ, Path.cwd())


def validate(common: Common, file: Path) -> int:
    """Check a file. Raises SettingsError with every problem."""
    from config.loader import validate_file

    validate_file(file, common.profile or os.environ.get("FRAMEKEEP_PROFILE"))
    if common.json:
        console.out_json({"file": str(file), "valid": True})
    else:
        console.out(f"{file} is valid")
    return ExitCode.DONE


def show_paths(common: Common) -> int:
    """Show where settings and state are."""
    from pipeline.home import Home

    file, home = settings_file(common), Home(common.home)
    if common.json:
        console.out_json({"file": _text(file), "home": str(home.root)})
    else:
        console.out(f"settings  {file.absolute() if file else 'no file: defaults, environment and flags'}")
        console.out(f"home      {home.root}")
    return ExitCode.DONE


def _text(path: Path | None) -> str | None:
    return str(path.absolute()) if path else None


def print_schema() -> int:
    """Print the JSON Schema of a settings file."""
    from pipeline.cli.commands.settings_schema import schema

    console.out_json(schema())
    return ExitCode.DONE
