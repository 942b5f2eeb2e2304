"""Makes docs/commands.md and docs/settings.md from the commands and the settings themselves. A test compares."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import typer
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from config.exit_codes import MEANINGS
from config.names import section_in
from config.section import Section
from config.settings import Chain, Settings
from pipeline.cli.app import NAME, app
from pipeline.cli.commands.config_command import unit_of, value_text
from pipeline.cli.commands.settings_schema import descriptions

_MADE = "<!-- Made by docs/generate.py: change the code, then run `make reference`. -->"


def write(folder: Path) -> None:
    """Write both pages into a folder."""
    (folder / "commands.md").write_text(commands_page(), encoding="utf-8")
    (folder / "settings.md").write_text(settings_page(), encoding="utf-8")


# Commands


def commands_page() -> str:
    """The page of all commands."""
    lines = [
        "# Commands",
        "",
        _MADE,
        "",
        "Results go to stdout and everything else to stderr, so `video=$(framekeep render brief.md)` works. With `--json`,",
        "stdout holds one JSON document and nothing else; where something went wrong it has an `error` with `code`, `message`",
        "and `hint`. Options of every command may stand before it or after it. A terminal shows live progress; a pipe or a file",
        "gets plain lines. `NO_COLOR` and `TERM=dumb` are respected.",
        "",
        "## Exit codes",
        "",
        "| code | meaning |",
        "|---|---|",
        *(f"| {int(code)} | {meaning} |" for code, meaning in MEANINGS.items()),
        "",
        "The first Ctrl-C (or SIGTERM, or SIGHUP) stops a run within two seconds and leaves it resumable; the second one ends it",
        "at once.",
        "",
    ]
    root: Any = typer.main.get_command(app)
    shared = tuple(parameter.name for parameter in root.params if parameter.name != "version")
    lines += [f"## {NAME}", "", root.help, "", *_parameters(root, ())]
    for name, command in _commands(root, NAME):
        lines += [f"## {name}", "", *_about(name, command), *_parameters(command, shared)]
    return "\n".join(lines).rstrip() + "\n"


def _commands(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        here = f"{path} {name}"
        if hasattr(command, "commands"):
            yield from _commands(command, here)
        else:
            yield here, command


def _about(name: str, command: Any) -> list[str]:
    arguments = [_argument(parameter) for parameter in command.params if parameter.param_type_name == "argument"]
    example = command.epilog.removeprefix("Example: ")
    usage = " ".join([name, "[OPTIONS]", *arguments])
    return [inspect.cleandoc(command.help), "", "```console", f"$ {usage}", f"$ {example}", "```", ""]


def _argument(parameter: Any) -> str:
    text = str(parameter.metavar)
    return f"{text}..." if parameter.nargs == -1 and not text.endswith("...") and text != "BRIEF" else text


def _parameters(command: Any, shared: tuple[str, ...]) -> list[str]:
    """A table of a command's own options; those that `framekeep` itself explains are only named."""
    rows, also = [], []
    for parameter in command.params:
        if parameter.name in ("help", "install_completion", "show_completion"):
            continue
        names = sorted(parameter.opts, key=len, reverse=True)
        if parameter.name in shared:
            also.append(f"`{names[0]}`")
            continue
        value = "" if parameter.param_type_name == "argument" or parameter.is_flag else f" {parameter.metavar or 'N'}"
        shown = [parameter.metavar] if parameter.param_type_name == "argument" else [f"{name}{value}" for name in names]
        rows.append(f"| {_cell(', '.join(f'`{name}`' for name in shown))} | {_cell(parameter.help or '')} |")
    table = ["| option | what it does |", "|---|---|", *rows, ""] if rows else []
    return [*table, *([f"Also: {', '.join(also)}.", ""] if also else [])]


# Settings


def settings_page() -> str:
    """The page of all settings."""
    lines = [
        "# Settings",
        "",
        _MADE,
        "",
        "Defaults < profile < file < environment < command line. A file is TOML, YAML or JSON: `framekeep.toml`, `.yaml` or",
        "`.json` in the working directory, or named by `--config` or `FRAMEKEEP_CONFIG`. In the environment a setting is called",
        "`FRAMEKEEP_`, its name, and `__` for each dot: `FRAMEKEEP_RENDERING__CRF=18`; on the command line it is",
        "`--set Rendering.Crf=18`. Names are the same in upper and lower case, with or without underscores.",
        "",
        "A JSON file may have comments, trailing commas and what else JSON5 allows. A list in the environment or on the",
        'command line is `A,B`, `["A", "B"]`, or one item for each `--set`; an empty text empties it;',
        "`Quality.Levels.0.Bitrate=6M`, or `__0` in the environment, changes one place of it or adds to its end. Blocks are",
        "given as JSON. A list replaces a weaker source's list; everything else adds up, and defaults fill what nobody gave.",
        "",
        "`framekeep config show` lists what is in effect and where it comes from; `framekeep config schema` prints a JSON Schema.",
        "",
    ]
    for model, places in _places().items():
        rows = list(_rows(model))
        if rows:
            paths = [path for path, _ in places]
            lines += [f"## {', '.join(f'`{path}`' for path in paths)}", "", inspect.cleandoc(model.__doc__ or ""), ""]
            lines += ["| setting | type | default | unit | what it does |", "|---|---|---|---|---|", *rows, ""]
            lines += [line for path, info in places for line in _start(path, info)]
    return "\n".join(lines).rstrip() + "\n"


def _places() -> dict[type[Section], list[tuple[str, FieldInfo]]]:
    """Each block in the order of its declaration, with everywhere it stands."""
    found: dict[type[Section], list[tuple[str, FieldInfo]]] = {}
    for path, model, info in _blocks(Settings, ""):
        found.setdefault(model, []).append((path, info))
    return found


def _blocks(model: type[Section], path: str) -> Iterator[tuple[str, type[Section], FieldInfo]]:
    """Blocks with their paths; `[]` stands for a list's places, `<name>` for a mapping's names."""
    for name, info in model.model_fields.items():
        if inner := section_in(info.annotation):
            kind = get_origin(info.annotation)
            suffix = "[]" if kind is tuple else ".<name>" if kind is dict else ""
            here = f"{path}.{info.alias or name}{suffix}".lstrip(".")
            yield here, inner, info
            yield from _blocks(inner, here)


def _start(path: str, info: FieldInfo) -> list[str]:
    """What stands there unless something else is set, where the table cannot say it."""
    value = info.get_default(call_default_factory=True) if not info.is_required() else None
    if isinstance(value, dict):
        return [f"Known without being set: {_default(info)}.", ""]
    if isinstance(value, Chain) and value.providers:
        return [f"`{path}` starts as {', '.join(value.names())}.", ""]
    return []


def _rows(model: type[Section]) -> Iterator[str]:
    for name, info in model.model_fields.items():
        if section_in(info.annotation) and get_origin(info.annotation) is None:
            continue
        cells = (
            f"`{info.alias or name}`",
            _type(info),
            _default(info),
            unit_of(name),
            descriptions(model).get(name, ""),
        )
        yield f"| {' | '.join(map(_cell, cells))} |"


def _type(info: FieldInfo) -> str:
    annotation = info.annotation
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(annotation))
    if inner := section_in(annotation):
        return f"{'list' if get_origin(annotation) is tuple else 'blocks by name'}: {inner.__name__}"
    if SecretStr in (annotation, *get_args(annotation)):
        return "text, secret"
    if get_origin(annotation) is tuple:
        return _tuple_type(get_args(annotation))
    kinds: dict[Any, str] = {bool: "true or false", int: "whole number", float: "number", str: "text"}
    kind = next((kinds[part] for part in (annotation, *get_args(annotation)) if part in kinds), "")
    return f"{kind}{_range(info)}"


def _tuple_type(parts: tuple[Any, ...]) -> str:
    """A size, or a list whose items may be anything of a kind or some of a few."""
    if Ellipsis not in parts:
        return "width x height"
    if get_origin(parts[0]) is Literal:
        return "list of " + ", ".join(f"`{choice}`" for choice in get_args(parts[0]))
    return "list"


def _range(info: FieldInfo) -> str:
    bounds: dict[str, Any] = {}
    for rule in info.metadata:
        for name in ("ge", "gt", "le", "lt"):
            if (bound := getattr(rule, name, None)) is not None:
                bounds[name] = bound
    low = f"from {bounds['ge']}" if "ge" in bounds else f"above {bounds['gt']}" if "gt" in bounds else ""
    high = f"to {bounds['le']}" if "le" in bounds else f"below {bounds['lt']}" if "lt" in bounds else ""
    return f", {' '.join(part for part in (low, high) if part)}" if low or high else ""


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "(required)"
    value = info.get_default(call_default_factory=True)
    if isinstance(value, dict):
        return ", ".join(f"{name} ({item.aspect})" for name, item in value.items())
    if isinstance(value, tuple) and value and isinstance(value[0], Section):
        return ", ".join(str(getattr(item, "name", item)) for item in value)
    if value in ("", None):
        return "(none)"
    return f"`{value_text(value)}`" if value_text(value) != "(none)" else "(none)"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
