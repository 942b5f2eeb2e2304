"""From files, environment and flags to `Settings`: defaults < profile < file < environment < flags.

Every problem is reported at once, with where it stands and the nearest known name. Where each value came from is kept, so that
`framekeep config show` can say it.
"""

from __future__ import annotations

import difflib
import json
import os
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from config.errors import SettingsError
from config.settings import Settings

PREFIX = "FRAMEKEEP_"
NOT_SETTINGS = {"HOME", "CONFIG", "PROFILE", "FFMPEG"}
PROFILES = ("production", "development")
DEFAULT_FILES = ("framekeep.toml", "framekeep.yaml", "framekeep.yml", "framekeep.json")
_SHORT_BLOCKS = {"circuitbreaker": "resilience", "retry": "resilience"}

SettingPath = tuple[str, ...]


@dataclass
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
    merged: dict[str, Any] = {}
    loaded_origins: dict[SettingPath, str] = {}
    problems: list[str] = []

    def take(data: Mapping[str, Any], source: str) -> None:
        cleaned = _clean(Settings, data, (), source, problems)
        _merge(merged, cleaned, (), source, loaded_origins)

    profile = profile or environ.get(f"{PREFIX}PROFILE")
    if profile:
        take(_read_profile(profile), f"profile {profile}")
    file = file or _default_file(environ, folder)
    if file:
        take(_read_file(file), str(file))
    for name, value in sorted(environ.items()):
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in NOT_SETTINGS:
            take(_nest(name.removeprefix(PREFIX).split("__"), _scalar(value)), f"environment {name}")
    for path, value in (flags or {}).items():
        take(_nest(list(path), value), "command line")

    settings = _validate(merged, loaded_origins, problems)
    if problems or settings is None:
        raise SettingsError(
            "The settings cannot be used:\n" + "\n".join(f"  {problem}" for problem in problems),
            problems=problems,
            hint="framekeep config show",
        )
    return Loaded(settings, loaded_origins)


def validate_file(file: Path) -> None:
    """Check one settings file alone. Raises SettingsError with every problem."""
    load_settings(file=file, environ={}, folder=None)


def guide_path(path: SettingPath) -> str:
    """A path of attribute names as a settings file spells it: `Resilience.Retry.InitialDelay`."""
    parts: list[str] = []
    model: Any = Settings
    for name in path:
        info = model.model_fields.get(name) if _is_model(model) else None
        parts.append((info.alias or name) if info else name)
        model = _inner(info.annotation) if info else None
    return ".".join(parts)


def _read_profile(name: str) -> dict[str, Any]:
    if name not in PROFILES:
        raise SettingsError(
            f"There is no profile '{name}'", problems=[f"profile: {name}"], hint=f"one of: {', '.join(PROFILES)}"
        )
    return tomllib.loads((resources.files("config") / "profiles" / f"{name}.toml").read_text())


def _default_file(environ: Mapping[str, str], folder: Path | None) -> Path | None:
    if named := environ.get(f"{PREFIX}CONFIG"):
        return Path(named)
    for name in DEFAULT_FILES if folder else ():
        if folder and (folder / name).is_file():
            return folder / name
    return None


def _read_file(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8-sig")
        data = _parsers()[file.suffix.lower()](text)
    except KeyError:
        reason = "its name must end in .toml, .yaml, .yml or .json"
    except OSError as error:
        reason = error.strerror or str(error)
    except ValueError as error:
        reason = str(error)
    else:
        if isinstance(data, dict):
            return data
        reason = "it must hold named blocks"
    raise SettingsError(
        f"Cannot read the settings file {file}: {reason}",
        problems=[f"{file}: {reason}"],
        hint=f"framekeep config validate {file}",
    )


def _parsers() -> dict[str, Any]:
    def parse_yaml(text: str) -> Any:
        import yaml

        try:
            return yaml.safe_load(text) or {}
        except yaml.YAMLError as error:
            raise ValueError(str(error)) from error

    return {".toml": tomllib.loads, ".json": json.loads, ".yaml": parse_yaml, ".yml": parse_yaml}


def _scalar(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def _nest(path: list[str], value: Any) -> dict[str, Any]:
    for name in reversed(path):
        value = {name: value}
    return typing.cast(dict[str, Any], value)


def _squash(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _inner(annotation: Any) -> Any:
    """The model inside an annotation: itself, or what a tuple, mapping or optional of it holds."""
    if _is_model(annotation):
        return annotation
    if get_origin(annotation) in (tuple, dict, list, typing.Union, types.UnionType, typing.Annotated):
        for part in get_args(annotation):
            if found := _inner(part):
                return found
    return None


def _clean(
    model: type[BaseModel], data: Mapping[str, Any], path: SettingPath, source: str, problems: list[str]
) -> dict[str, Any]:
    """The same data under attribute names; unknown names become problems."""
    known = {_squash(name): name for name in model.model_fields}
    known |= {_squash(info.alias or name): name for name, info in model.model_fields.items()}
    cleaned: dict[str, Any] = {}
    for key, value in data.items():
        name = known.get(_squash(str(key)))
        if name is None and not path and (block := _SHORT_BLOCKS.get(_squash(str(key)))):
            _merge(cleaned, _clean(model, {block: {key: value}}, path, source, problems), (), source, {})
        elif name is None:
            problems.append(f"{source}: {_unknown(str(key), model, path)}")
        else:
            fresh = _clean_value(model.model_fields[name].annotation, value, (*path, name), source, problems)
            cleaned[name] = _deep(cleaned[name], fresh) if isinstance(cleaned.get(name), dict) else fresh
    return cleaned


def _deep(old: dict[str, Any], new: Any) -> Any:
    if isinstance(new, dict):
        _merge(old, new, (), "", {})
        return old
    return new


def _clean_value(annotation: Any, value: Any, path: SettingPath, source: str, problems: list[str]) -> Any:
    inner = _inner(annotation)
    if inner is None:
        return value
    if get_origin(annotation) is dict and isinstance(value, dict):
        return {
            key: _clean(inner, item, (*path, key), source, problems) if isinstance(item, dict) else item
            for key, item in value.items()
        }
    if isinstance(value, dict):
        return _clean(inner, value, path, source, problems)
    if isinstance(value, list):
        return [
            _clean(inner, item, (*path, str(i)), source, problems) if isinstance(item, dict) else item
            for i, item in enumerate(value)
        ]
    return value


def _unknown(key: str, model: type[BaseModel], path: SettingPath) -> str:
    names = {info.alias or name: name for name, info in model.model_fields.items()}
    near = difflib.get_close_matches(key.lower(), [name.lower() for name in names], n=1, cutoff=0.4)
    nearest = next((name for name in names if near and name.lower() == near[0]), None)
    place = ".".join(filter(None, (guide_path(path), key)))
    advice = f"did you mean {nearest}?" if nearest else f"known here: {', '.join(sorted(names))}"
    return f"{place}: unknown setting; {advice}"


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


def _validate(merged: dict[str, Any], origins: Mapping[SettingPath, str], problems: list[str]) -> Settings | None:
    if isinstance(merged.get("exports"), dict):
        known = {name: {"aspect": form.aspect} for name, form in Settings().exports.items()}
        merged["exports"] = known | merged["exports"]
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        for item in error.errors(include_url=False, include_input=False):
            place = guide_path(tuple(str(part) for part in item["loc"]))
            problems.append(f"{_source(item['loc'], origins)}: {place}: {item['msg']}")
        return None


def _source(loc: tuple[int | str, ...], origins: Mapping[SettingPath, str]) -> str:
    squashed = [_squash(str(part)) for part in loc]
    best, length = "settings", 0
    for path, source in origins.items():
        names = [_squash(guide_path(path[: i + 1]).split(".")[-1]) for i in range(len(path))]
        common = len(os.path.commonprefix([squashed, names]))
        if common > length:
            best, length = source, common
    return best
