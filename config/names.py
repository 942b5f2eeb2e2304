"""Finding the setting that a name means, in the guide's spelling or ours, and advice where it means none."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import SecretStr

from config.section import Section, public_name, squashed
from config.settings import Settings
from config.texts import items_of, printable, shown_name

SettingPath = tuple[str, ...]

# `{"CircuitBreaker": …}` at the top means the same as under `Resilience`.
SHORT_BLOCKS = {"circuitbreaker": "resilience", "retry": "resilience", "fallback": "resilience"}


class Items(dict[str, Any]):
    """Some items of a list by their places (`{"0": …}`): they change a weaker source's list, or add to its end."""


def guide_path(path: SettingPath) -> str:
    """A path of attribute names as a settings file spells it: `Resilience.Retry.InitialDelay`."""
    parts: list[str] = []
    model: type[Section] | None = Settings
    for name in path:
        known = model is not None and (name in model.model_fields or name in model.short_names)
        parts.append(_spelling(model, name) if model and known else printable(name))
        if model and known:
            model = section_in(_type_of(model, name))
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


def item_in(annotation: Any) -> Any:
    """The type of one item where the annotation is that of a list, or of a list that may be left out; else None."""
    if get_origin(annotation) in (typing.Union, types.UnionType, typing.Annotated):
        return next(filter(None, map(item_in, get_args(annotation))), None)
    arguments = get_args(annotation)
    return arguments[0] if get_origin(annotation) is tuple and arguments[1:] == (...,) else None


def find(path: SettingPath) -> tuple[SettingPath, Any]:
    """The attribute names that a path of names in any spelling means, and the setting's type; None where there is none."""
    rest, found = list(_full(path)), list[str]()
    annotation: Any = Settings
    while rest:
        if get_origin(annotation) is dict:
            inner = get_args(annotation)[1]
            # An area such as `Framekeep.Resilience` holds dots.
            found.append(rest.pop(0) if section_in(inner) else ".".join(rest))
            rest, annotation = (rest if section_in(inner) else []), inner
        elif (item := item_in(annotation)) is not None:
            found.append(rest.pop(0))
            annotation = item
        else:
            model = section_in(annotation)
            name = _known(model).get(squashed(rest[0])) if model else None
            if model is None or name is None:
                return (*found, *rest), None
            found.append(name)
            rest.pop(0)
            annotation = _type_of(model, name)
    return tuple(found), annotation


def takes_text(annotation: Any) -> bool:
    """Whether a typed text stays as it is for a setting of this type: `123` for a text, `A,B` for a list."""
    is_optional = get_origin(annotation) in (typing.Union, types.UnionType)
    kinds = set(get_args(annotation)) if is_optional else {annotation}
    return item_in(annotation) is not None or bool({str, SecretStr, Path} & kinds)


def takes_nothing(annotation: Any) -> bool:
    """Whether an empty text means something for a setting of this type: an empty text, list or chain."""
    return takes_text(annotation) or section_in(annotation) is not None


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
            fresh = self._value(_type_of(model, name), value, (*path, name))
            if name in cleaned:
                self._join(cleaned[name], fresh, (*path, name))
            else:
                cleaned[name] = fresh
        return cleaned

    def _value(self, annotation: Any, value: Any, path: SettingPath) -> Any:
        if (item := item_in(annotation)) is not None:
            return self._list(section_in(item), value, path)
        model = section_in(annotation)
        if get_origin(annotation) is dict and isinstance(value, Mapping):
            if model is None:
                return dict(_dotted(value, ""))
            return {str(key): self._item(model, item, (*path, str(key))) for key, item in value.items()}
        return value if model is None else self._item(model, value, path)

    def _list(self, model: type[Section] | None, value: Any, path: SettingPath) -> Any:
        if isinstance(value, str):
            try:
                value = items_of(value)
            except ValueError as error:
                self.problems.append(f"{guide_path(path)}: {error}")
                return []
        if isinstance(value, Mapping) and value and all(str(key).isdecimal() for key in value):
            return Items({str(int(key)): self._entry(model, item, (*path, str(key))) for key, item in value.items()})
        if isinstance(value, Mapping) and model:
            value = [value]
        if isinstance(value, list | tuple):
            return [self._entry(model, item, (*path, str(rank))) for rank, item in enumerate(value)]
        return value

    def _entry(self, model: type[Section] | None, value: Any, path: SettingPath) -> Any:
        return self._item(model, value, path) if model else value

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


def _dotted(block: Mapping[Any, Any], before: str) -> Iterator[tuple[str, Any]]:
    """A mapping's values under names with dots, where blocks were opened at them."""
    for key, value in block.items():
        if isinstance(value, Mapping):
            yield from _dotted(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _type_of(model: type[Section], name: str) -> Any:
    return model.short_names[name] if name in model.short_names else model.model_fields[name].annotation


def _known(model: type[Section]) -> dict[str, str]:
    """Attribute names, and short names, by the squashed spellings that mean them."""
    known = {squashed(name): name for name in (*model.model_fields, *model.short_names)}
    return known | {squashed(info.alias or name): name for name, info in model.model_fields.items()}


def _unknown(key: str, model: type[Section], path: SettingPath) -> str:
    place = ".".join(filter(None, (guide_path(path), shown_name(key))))
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
        return _spelling(model, field)
    return next(place for place in _places(Settings, ()) if squashed(place.rpartition(".")[2]) == name)


def _spelling(model: type[Section], name: str) -> str:
    """One attribute as files spell it."""
    info = model.model_fields.get(name)
    return (info.alias or name) if info else public_name(name)


def _places(model: type[Section], path: SettingPath) -> Iterator[str]:
    """Every setting's full name as files spell it, blocks before what they hold."""
    for name, info in model.model_fields.items():
        here = (*path, info.alias or name)
        yield ".".join(here)
        if (inner := section_in(info.annotation)) and get_origin(info.annotation) is not tuple:
            yield from _places(inner, (*here, "<name>") if get_origin(info.annotation) is dict else here)
