"""Finding the setting that a name means, in the guide's spelling or ours, and advice where it means none."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

from pydantic import SecretStr

from config.section import Section, squashed
from config.settings import Settings

SettingPath = tuple[str, ...]

# `{"CircuitBreaker": …}` at the top means the same as under `Resilience`.
SHORT_BLOCKS = {"circuitbreaker": "resilience", "retry": "resilience", "fallback": "resilience"}


def guide_path(path: SettingPath) -> str:
    """A path of attribute names as a settings file spells it: `Resilience.Retry.InitialDelay`."""
    parts: list[str] = []
    model: type[Section] | None = Settings
    for name in path:
        info = model.model_fields.get(name) if model else None
        parts.append((info.alias or name) if info else name)
        if info:
            model = section_in(info.annotation)
    return ".".join(parts)


def section_in(annotation: Any) -> type[Section] | None:
    """The section inside an annotation: itself, or what a tuple, mapping or optional of it holds."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    if get_origin(annotation) in (tuple, dict, list, typing.Union, types.UnionType, typing.Annotated):
        for part in get_args(annotation):
            if found := section_in(part):
                return found
    return None


def takes_text(path: SettingPath) -> bool:
    """Whether the setting that a path of names in any spelling leads to is text, so that `123` stays as it is."""
    model: type[Section] | None = Settings
    annotation: Any = None
    in_mapping = False
    for name in _full(path):
        if in_mapping:
            in_mapping = False
            continue
        field = _known(model).get(squashed(name)) if model else None
        if model is None or field is None:
            return False
        annotation = model.model_fields[field].annotation
        in_mapping = get_origin(annotation) is dict
        model = section_in(annotation)
    return annotation is str or SecretStr in (annotation, *get_args(annotation))


class Cleaner:
    """Brings one source's data under attribute names. `problems` gathers what has no place."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def clean(self, data: Mapping[Any, Any]) -> dict[str, Any]:
        """The same data under attribute names."""
        return self._block(Settings, data, ())

    def _block(self, model: type[Section], data: Mapping[Any, Any], path: SettingPath) -> dict[str, Any]:
        known = _known(model)
        cleaned: dict[str, Any] = {}
        for key, value in data.items():
            key = str(key)
            name = known.get(squashed(key))
            if name is None and not path and (block := SHORT_BLOCKS.get(squashed(key))):
                name, value = block, {key: value}
            if name is None:
                self.problems.append(_unknown(key, model, path))
                continue
            fresh = self._value(model.model_fields[name].annotation, value, (*path, name))
            if name in cleaned:
                self._join(cleaned[name], fresh, (*path, name))
            else:
                cleaned[name] = fresh
        return cleaned

    def _value(self, annotation: Any, value: Any, path: SettingPath) -> Any:
        model = section_in(annotation)
        if model is None:
            return value
        if get_origin(annotation) is dict and isinstance(value, Mapping):
            return {str(key): self._item(model, item, (*path, str(key))) for key, item in value.items()}
        if get_origin(annotation) is tuple and isinstance(value, list | tuple):
            return [self._item(model, item, (*path, str(rank))) for rank, item in enumerate(value)]
        return self._item(model, value, path)

    def _item(self, model: type[Section], value: Any, path: SettingPath) -> Any:
        if value is None:
            # A YAML block whose lines are all commented out.
            return {}
        try:
            value = model.spread(value)
        except ValueError as error:
            self.problems.append(f"{guide_path(path)}: {error}")
            return {}
        return self._block(model, value, path) if isinstance(value, Mapping) else value

    def _join(self, old: Any, fresh: Any, path: SettingPath) -> None:
        """Add to a block that the same source has begun elsewhere; nothing may be said twice."""
        if not (isinstance(old, dict) and isinstance(fresh, dict)):
            self.problems.append(f"{guide_path(path)}: is set twice, under different names")
            return
        for key, value in fresh.items():
            if key in old:
                self._join(old[key], value, (*path, key))
            else:
                old[key] = value


def _full(path: SettingPath) -> SettingPath:
    block = SHORT_BLOCKS.get(squashed(path[0])) if path else None
    return (block, *path) if block else path


def _known(model: type[Section]) -> dict[str, str]:
    """Attribute names by the squashed spellings that mean them."""
    known = {squashed(name): name for name in model.model_fields}
    return known | {squashed(info.alias or name): name for name, info in model.model_fields.items()}


def _unknown(key: str, model: type[Section], path: SettingPath) -> str:
    place = ".".join(filter(None, (guide_path(path), key)))
    return f"{place}: unknown setting; {_advice(squashed(key), model, path)}"


def _advice(wanted: str, model: type[Section], path: SettingPath) -> str:
    here = {**_known(model), **({} if path else SHORT_BLOCKS)}
    everywhere: dict[str, str] = {}
    for place in _places(Settings, ()):
        everywhere.setdefault(squashed(place.rpartition(".")[2]), place)
    if wanted in everywhere:
        return f"did you mean {everywhere[wanted]}?"
    if near := difflib.get_close_matches(wanted, here, n=1, cutoff=0.65):
        return f"did you mean {_spelled(near[0], model)}?"
    if near := difflib.get_close_matches(wanted, everywhere, n=1, cutoff=0.85):
        return f"did you mean {everywhere[near[0]]}?"
    return f"known here: {', '.join(sorted(info.alias or name for name, info in model.model_fields.items()))}"


def _spelled(name: str, model: type[Section]) -> str:
    if field := _known(model).get(name):
        return model.model_fields[field].alias or field
    return next(place for place in _places(Settings, ()) if squashed(place.rpartition(".")[2]) == name)


def _places(model: type[Section], path: SettingPath) -> Iterator[str]:
    """Every setting's full name as files spell it, blocks before what they hold."""
    for name, info in model.model_fields.items():
        here = (*path, info.alias or name)
        yield ".".join(here)
        if (inner := section_in(info.annotation)) and get_origin(info.annotation) is not tuple:
            yield from _places(inner, (*here, "<name>") if get_origin(info.annotation) is dict else here)
