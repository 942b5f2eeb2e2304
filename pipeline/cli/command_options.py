"""The options that every command takes, and what they mean together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from config.errors import UsageError
from config.texts import shown_name

if TYPE_CHECKING:
    from config.loader import Loaded, SettingPath

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        metavar="FOLDER",
        help="Folder of all state: ledger, store, logs. Default: FRAMEKEEP_HOME, else the platform's user data folder.",
    ),
]
JsonOption = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON document on stdout and nothing else there."),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="Settings file (.toml, .yaml, .json). Default: FRAMEKEEP_CONFIG, else framekeep.toml, .yaml or .json here.",
    ),
]
ProfileOption = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="Settings to start from: production or development. Default: FRAMEKEEP_PROFILE, else none.",
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change one setting, as in Rendering.Crf=18. May be repeated; a list is A,B or one item each time.",
    ),
]


_PLACE = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True)
class Common:
    """What was given before the command and after it; what stands after it wins."""

    home: Path | None = None
    json: bool = False
    config: Path | None = None
    profile: str | None = None
    sets: tuple[str, ...] = ()

    def over(self, earlier: Common) -> Common:
        """These options, completed by earlier ones."""
        return Common(
            home=self.home or earlier.home,
            json=self.json or earlier.json,
            config=self.config or earlier.config,
            profile=self.profile or earlier.profile,
            sets=(*earlier.sets, *self.sets),
        )

    def load(self, *, check_keys: bool = True, **flags: Any) -> Loaded:
        """The settings that hold; `flags` name rendering settings that have an option of their own. Raises SettingsError."""
        from config.loader import load_settings

        given: list[tuple[SettingPath, Any]] = parse_sets(self.sets)
        given += [(("rendering", name), value) for name, value in flags.items() if value is not None]
        return load_settings(
            file=self.config, profile=self.profile, flags=given, folder=Path.cwd(), check_keys=check_keys
        )


def gather(
    context: typer.Context,
    home: Path | None,
    as_json: bool,
    config: Path | None = None,
    profile: str | None = None,
    sets: list[str] | None = None,
) -> Common:
    """A command's own options over those given before it."""
    earlier = context.obj if isinstance(context.obj, Common) else Common()
    return Common(home, as_json, config, profile, tuple(sets or ())).over(earlier)


def parse_sets(texts: Sequence[str]) -> list[tuple[tuple[str, ...], str]]:
    """`Rendering.Crf=18` as a path and a text, which the loader reads as it reads an environment variable's.

    `Levels[0]` is a place in a list, as `Levels.0` is. Raises UsageError that names all that are not so.
    """
    found = [
        (_PLACE.sub(r".\1", name), equals, value) for name, equals, value in (text.partition("=") for text in texts)
    ]
    paths = [tuple(part.strip() for part in name.split(".")) for name, _, _ in found]
    # The value may be a secret: only what stands before the equals sign is repeated.
    wrong = [name for path, (name, equals, _) in zip(paths, found, strict=True) if not equals or not all(path)]
    if wrong:
        named = ", ".join(f"'{shown_name(name)}'" for name in wrong)
        raise UsageError(f"--set needs KEY=VALUE, not {named}", hint="for example: --set Rendering.Crf=18")
    return [(path, value) for path, (_, _, value) in zip(paths, found, strict=True)]


def parse_size(text: str) -> int:
    """`10G`, `500M` or a number of bytes; decimal. Raises UsageError."""
    units = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000, "t": 1_000_000_000_000}
    bare = text.strip().lower().removesuffix("b")
    number, unit = (bare[:-1], bare[-1]) if bare and bare[-1] in units else (bare, "")
    return round(_positive(number, text, "10G or 500M") * units[unit])


def parse_age(text: str) -> float:
    """`30d`, `12h`, `45m` or `90s` in seconds. Raises UsageError."""
    units = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
    bare = text.strip().lower()
    if not bare or bare[-1] not in units:
        raise UsageError(f"'{text}' is not an age", hint="write it like 30d, 12h or 45m")
    return _positive(bare[:-1], text, "30d, 12h or 45m") * units[bare[-1]]


def _positive(number: str, text: str, examples: str) -> float:
    try:
        value = float(number)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e15:
        raise UsageError(f"'{text}' cannot be read", hint=f"write it like {examples}")
    return value
