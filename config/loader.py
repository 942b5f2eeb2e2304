"""From files, environment and flags to `Settings`: defaults < profile < file < environment < flags.

Every source is checked by itself, so that a mistake in a file shows even where a flag overrides it; rules between
settings hold for all sources together. Every problem is reported at once with where it stands. Where each value came
from is kept: `framekeep config show` says it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from config.alert_addresses import wrong_addresses
from config.errors import SettingsError
from config.merging import Merged
from config.names import Cleaner, Items, SettingPath, find, guide_path
from config.redaction import SECRETS
from config.secret_keys import problems_of_keys
from config.settings import Settings
from config.sources import DEFAULT_FILES, PREFIX, Flags, Source, all_sources, default_file

__all__ = ["DEFAULT_FILES", "Loaded", "SettingPath", "default_file", "guide_path", "load_settings", "validate_file"]


@dataclass(frozen=True)
class Loaded:
    """Settings and, for each path of attribute names that was set, the source that set it."""

    settings: Settings
    origins: dict[SettingPath, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Flaw:
    """What pydantic found: where, and whether it is a rule between settings of a block rather than one value."""

    path: SettingPath
    problem: str
    is_rule: bool


def load_settings(
    *,
    file: Path | None = None,
    profile: str | None = None,
    environ: Mapping[str, str] | None = None,
    flags: Flags | None = None,
    folder: Path | None = None,
    check_keys: bool = True,
) -> Loaded:
    """Gather all sources. `folder` is searched for a default settings file. Raises SettingsError with every problem.

    `check_keys` is off for the commands that tell about keys, and mend them.
    """
    environ = os.environ if environ is None else environ
    SECRETS.learn_environment(environ)
    merged = Merged()
    all_read = True
    problems: list[str] = []
    known: set[str] = set()
    for source in all_sources(file, profile, environ, flags or {}, folder):
        try:
            found = _add(source, merged)
        except ValueError as error:
            problems.append(f"{source.name}: {error}")
            all_read = False
            continue
        known |= set(found)
        problems += [f"{source.name}: {problem}" for problem in found]
    problems += merged.problems
    settings, flaws = _validate(merged.data)
    # Each value was looked at with its source; what remains are rules between settings, and lists put together.
    if all_read:
        problems += [f"{merged.source_of(flaw.path)}: {flaw.problem}" for flaw in flaws if flaw.problem not in known]
    merged.settle()
    if settings and not problems:
        problems += _simulation_refused(settings, merged, profile or environ.get(f"{PREFIX}PROFILE") or "")
    if settings and not problems and check_keys:
        problems += _wrong_keys(settings, merged, environ)
    if problems or settings is None:
        raise SettingsError(
            "The settings cannot be used:\n" + "\n".join(f"  {problem}" for problem in problems),
            problems=problems,
            hint="correct them, then: framekeep config show",
        )
    return Loaded(settings, merged.origins)


def validate_file(file: Path, profile: str | None = None) -> None:
    """Check one settings file over a profile, and nothing else. Raises SettingsError with every problem."""
    load_settings(file=file, profile=profile, environ={}, folder=None)


def _add(source: Source, merged: Merged) -> list[str]:
    """Merge one source; returns what is wrong with it. Raises ValueError where it cannot be read."""
    cleaner = Cleaner()
    cleaned = cleaner.clean(source.read())
    _, flaws = _validate(_without_items(cleaned))
    merged.add(cleaned, source.name, repeatable=source.repeatable)
    return [*cleaner.problems, *(flaw.problem for flaw in flaws if not flaw.is_rule), *wrong_addresses(cleaned)]


def _without_items(data: Mapping[str, Any]) -> dict[str, Any]:
    """Without single items of lists, which mean something only together with a weaker source's."""
    return {
        key: _without_items(value) if isinstance(value, dict) else value
        for key, value in data.items()
        if not isinstance(value, Items)
    }


def _wrong_keys(settings: Settings, merged: Merged, environ: Mapping[str, str]) -> list[str]:
    """What is wrong with keys outside the settings; for a file, who names it."""
    problems = []
    for name, problem in problems_of_keys(settings.providers, environ):
        path, _ = find(("providers", name, "api_key_file"))
        problems.append(f"{merged.origins[path]}: {problem}" if path in merged.origins else problem)
    return problems


def _simulation_refused(settings: Settings, merged: Merged, profile: str) -> list[str]:
    if not settings.testing.simulate_failures or settings.testing.force or profile == "development":
        return []
    source = merged.source_of(("testing", "simulate_failures"))
    return [
        f"{source}: Testing.SimulateFailures: only in the profile development (it is {profile or 'none'}; choose it with "
        "--profile development or FRAMEKEEP_PROFILE=development), or with Testing.Force"
    ]


def _validate(data: Mapping[str, Any]) -> tuple[Settings | None, list[_Flaw]]:
    if isinstance(exports := data.get("exports"), dict):
        known = {name: {"aspect": form.aspect} for name, form in Settings().exports.items()}
        data = {**data, "exports": known | exports}
    try:
        return Settings.model_validate(data), []
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        # A block's own rules are looked at once what it holds is right: "no levels" of three wrong ones says nothing.
        deeper = {item["loc"][:depth] for item in found for depth in range(len(item["loc"]))}
        return None, [
            _flaw(tuple(str(name) for name in item["loc"] if name != "[key]"), item["type"], item["msg"], data)
            for item in found
            if item["loc"] not in deeper
        ]


def _flaw(path: SettingPath, kind: str, message: str, data: Any) -> _Flaw:
    for name in path:
        data = data.get(name) if isinstance(data, dict) else None
    message = {
        "model_type": "must be a block of settings",
        "dict_type": "must be a block of settings",
        "tuple_type": 'must be a list, as in A,B or ["A", "B"]',
        "missing": "is needed and not given",
        "string_type": "must be text (in quotes)",
    }.get(kind, message.removeprefix("Value error, "))
    is_rule = kind == "missing" or (kind == "value_error" and isinstance(data, dict))
    return _Flaw(path, f"{guide_path(path)}: {message}", is_rule)
