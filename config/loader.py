"""From files, environment and flags to `Settings`: defaults < profile < file < environment < flags.

Every source is checked by itself, so that a mistake in a file shows even where a flag overrides it, and every problem
is reported at once with where it stands. Where each value came from is kept: `framekeep config show` says it.
"""

from __future__ import annotations

import json
import os
import tomllib
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from config.documents import read_document
from config.errors import SettingsError
from config.names import Cleaner, SettingPath, guide_path, takes_text
from config.paths import expanded
from config.redaction import SECRETS
from config.settings import Settings

__all__ = ["Loaded", "SettingPath", "default_file", "guide_path", "load_settings", "validate_file"]

PREFIX = "FRAMEKEEP_"
NOT_SETTINGS = {"HOME", "CONFIG", "PROFILE", "FFMPEG"}
PROFILES = ("production", "development")
DEFAULT_FILES = ("framekeep.toml", "framekeep.yaml", "framekeep.yml", "framekeep.json")


@dataclass(frozen=True)
class Loaded:
    """Settings and, for each path of attribute names that was set, the source that set it."""

    settings: Settings
    origins: dict[SettingPath, str] = field(default_factory=dict)


def load_settings(
    *,
    file: Path | None = None,
    profile: str | None = None,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[SettingPath, Any] | None = None,
    folder: Path | None = None,
) -> Loaded:
    """Gather all sources. `folder` is searched for a default settings file. Raises SettingsError with every problem."""
    environ = os.environ if environ is None else environ
    SECRETS.learn_environment(environ)
    merged: dict[str, Any] = {}
    origins: dict[SettingPath, str] = {}
    problems: list[str] = []
    for source, read in _sources(file, profile, environ, flags or {}, folder):
        try:
            data = read()
        except ValueError as error:
            problems.append(f"{source}: {error}")
            continue
        cleaner = Cleaner()
        cleaned = cleaner.clean(data)
        _, wrong = _validate(cleaned)
        problems += [f"{source}: {problem}" for problem in (*cleaner.problems, *wrong)]
        _merge(merged, cleaned, (), source, origins)
    settings = None
    if not problems:
        # Each source holds by itself; what remains is a rule between settings of different sources.
        settings, wrong = _validate(merged)
        problems += [f"{', '.join(dict.fromkeys(origins.values()))}: {problem}" for problem in wrong]
    if settings and settings.testing.simulate_failures and not settings.testing.force:
        name = profile or environ.get(f"{PREFIX}PROFILE") or "none"
        if name != "development":
            source = origins.get(("testing", "simulate_failures"), "default")
            problems.append(
                f"{source}: Testing.SimulateFailures: only in the profile development (it is {name}), or with Testing.Force"
            )
    if problems or settings is None:
        raise SettingsError(
            "The settings cannot be used:\n" + "\n".join(f"  {problem}" for problem in problems),
            problems=problems,
            hint="correct them, then: framekeep config show",
        )
    return Loaded(settings, origins)


def validate_file(file: Path) -> None:
    """Check one settings file alone. Raises SettingsError with every problem."""
    load_settings(file=file, environ={}, folder=None)


_Source = tuple[str, typing.Callable[[], dict[str, Any]]]


def _sources(
    file: Path | None,
    profile: str | None,
    environ: Mapping[str, str],
    flags: Mapping[SettingPath, Any],
    folder: Path | None,
) -> Iterator[_Source]:
    """Each source's name and how to read it (raises ValueError), the weakest first."""
    if name := profile or environ.get(f"{PREFIX}PROFILE"):
        yield f"profile {name}", lambda: _read_profile(name)
    if found := file or default_file(environ, folder):
        yield str(found), lambda: read_document(found)
    for variable, text in sorted(environ.items()):
        rest = variable.removeprefix(PREFIX)
        if rest != variable and rest not in NOT_SETTINGS:
            yield f"environment {variable}", _reader(rest.lower().split("__"), text)
    for path, value in flags.items():
        yield "command line", _reader(list(path), value)


def _reader(path: list[str], value: Any) -> typing.Callable[[], dict[str, Any]]:
    def read() -> dict[str, Any]:
        inner: Any = value
        if isinstance(value, str) and not takes_text(tuple(path)):
            inner = _scalar(value)
        for name in reversed(path):
            inner = {name: inner}
        return typing.cast(dict[str, Any], inner)

    return read


def _read_profile(name: str) -> dict[str, Any]:
    if name not in PROFILES:
        raise ValueError(f"there is no such profile; one of: {', '.join(PROFILES)}")
    return tomllib.loads((resources.files("config") / "profiles" / f"{name}.toml").read_text(encoding="utf-8"))


def default_file(environ: Mapping[str, str], folder: Path | None) -> Path | None:
    if named := environ.get(f"{PREFIX}CONFIG"):
        return expanded(named)
    for name in DEFAULT_FILES if folder else ():
        if folder and (folder / name).is_file():
            return folder / name
    return None


def _scalar(text: str) -> Any:
    """A number, a truth value or a list where the text is one in JSON; else the text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _merge(
    into: dict[str, Any], data: Mapping[str, Any], path: SettingPath, source: str, origins: dict[SettingPath, str]
) -> None:
    for key, value in data.items():
        here = (*path, key)
        if isinstance(value, dict) and (isinstance(into.get(key), dict) or key not in into):
            _merge(into.setdefault(key, {}), value, here, source, origins)
        else:
            into[key] = value
            origins[here] = source


def _validate(data: Mapping[str, Any]) -> tuple[Settings | None, list[str]]:
    if isinstance(exports := data.get("exports"), dict):
        known = {name: {"aspect": form.aspect} for name, form in Settings().exports.items()}
        data = {**data, "exports": known | exports}
    try:
        return Settings.model_validate(data), []
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        # A block's own rules are looked at once what it holds is right: "no levels" of three wrong ones says nothing.
        deeper = {item["loc"][:depth] for item in found for depth in range(len(item["loc"]))}
        found = [item for item in found if item["loc"] not in deeper]
        return None, [_in_words(tuple(map(str, item["loc"])), item["type"], item["msg"]) for item in found]


def _in_words(path: SettingPath, kind: str, message: str) -> str:
    if kind in ("model_type", "dict_type"):
        message = "must be a block of settings"
    return f"{guide_path(path)}: {message.removeprefix('Value error, ')}"
