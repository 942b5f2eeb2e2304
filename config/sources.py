"""Where settings come from: a profile, a file, the environment, the command line; each by its name and how to read it."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from config.documents import read_document
from config.names import SettingPath, find, guide_path, takes_nothing, takes_text
from config.paths import expanded
from config.texts import plain_value

PREFIX = "FRAMEKEEP_"
NOT_SETTINGS = {"HOME", "CONFIG", "PROFILE", "FFMPEG"}
PROFILES = ("production", "development")
DEFAULT_FILES = ("framekeep.toml", "framekeep.yaml", "framekeep.yml", "framekeep.json")
COMMAND_LINE = "command line"

#: Settings by path: a mapping, or pairs in the order in which they were given.
Flags = Mapping[SettingPath, Any] | Sequence[tuple[SettingPath, Any]]


@dataclass(frozen=True)
class Source:
    """One source. `read` raises ValueError; a `repeatable` one may name a list several times, and it grows."""

    name: str
    read: Callable[[], dict[str, Any]]
    repeatable: bool = False


def all_sources(
    file: Path | None, profile: str | None, environ: Mapping[str, str], flags: Flags, folder: Path | None
) -> Iterator[Source]:
    """The sources in use, the weakest first. `folder` is searched for a default settings file."""
    if name := profile or environ.get(f"{PREFIX}PROFILE"):
        yield Source(f"profile {name}", lambda: _read_profile(name))
    if found := file or default_file(environ, folder):
        yield Source(str(found), lambda: read_document(found))
    yield from _environment(environ)
    for path, value in flags.items() if isinstance(flags, Mapping) else flags:
        yield Source(COMMAND_LINE, _reader(path, value), repeatable=True)


def _environment(environ: Mapping[str, str]) -> Iterator[Source]:
    given: dict[SettingPath, str] = {}
    variables = [(name, name.removeprefix(PREFIX)) for name in environ if name.startswith(PREFIX)]
    # A variable of a block stands before those of what is in it; places in a list are in order.
    for variable, rest in sorted(variables, key=lambda pair: [_in_order(part) for part in pair[1].split("__")]):
        if rest in NOT_SETTINGS:
            continue
        path = tuple(rest.lower().split("__"))
        before = given.setdefault(find(path)[0], variable)
        if before == variable:
            yield Source(f"environment {variable}", _reader(path, environ[variable]))
        else:
            yield Source(f"environment {variable}", _refused(f"{guide_path(find(path)[0])}: {before} sets it as well"))


def _in_order(part: str) -> tuple[int, str]:
    return (int(part), "") if part.isdecimal() else (-1, part)


def _refused(problem: str) -> Callable[[], dict[str, Any]]:
    def read() -> dict[str, Any]:
        raise ValueError(problem)

    return read


def _reader(path: SettingPath, value: Any) -> Callable[[], dict[str, Any]]:
    """Reads one setting by its path; a text is what somebody typed for it."""

    def read() -> dict[str, Any]:
        known, annotation = find(path)
        inner: Any = value
        if isinstance(value, str) and not value.strip() and annotation is not None and not takes_nothing(annotation):
            raise ValueError(f"{guide_path(known)}: is empty; give a value, or leave it out")
        if isinstance(value, str) and not takes_text(annotation):
            try:
                inner = plain_value(value)
            except ValueError as error:
                raise ValueError(f"{guide_path(known)}: {error}") from None
        for name in reversed(known):
            inner = {name: inner}
        found: dict[str, Any] = inner
        return found

    return read


def _read_profile(name: str) -> dict[str, Any]:
    if name not in PROFILES:
        raise ValueError(f"there is no such profile; one of: {', '.join(PROFILES)}")
    return tomllib.loads((resources.files("config") / "profiles" / f"{name}.toml").read_text(encoding="utf-8"))


def default_file(environ: Mapping[str, str], folder: Path | None) -> Path | None:
    """The file that the environment names, or the first that `folder` has under a default name."""
    if named := environ.get(f"{PREFIX}CONFIG"):
        return expanded(named)
    for name in DEFAULT_FILES if folder else ():
        if folder and (folder / name).is_file():
            return folder / name
    return None
