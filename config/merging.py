"""Merging sources, the weaker first, and remembering who set what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from config.names import Items, SettingPath, find, guide_path
from config.section import Section
from config.settings import Settings


class Merged:
    """What all sources give, under attribute names. `origins` says for each path that was set which source set it."""

    def __init__(self) -> None:
        self.data: dict[str, Any] = {}
        self.origins: dict[SettingPath, str] = {}
        self.problems: list[str] = []
        self._sources: list[str] = []

    def add(self, cleaned: Mapping[str, Any], source: str, *, repeatable: bool = False) -> None:
        """Put a stronger source's data over what there is. A list that a repeatable source gives again grows."""
        self._sources = list(dict.fromkeys([*self._sources, source]))
        self._block(self.data, cleaned, (), source, repeatable)

    def source_of(self, path: SettingPath) -> str:
        """Who set a path, or a block around it; else all that gave something in the nearest block around it."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.origins:
                return self.origins[path[:end]]
        for end in range(len(path), -1, -1):
            if inside := [source for place, source in self.origins.items() if place[:end] == path[:end]]:
                return ", ".join(dict.fromkeys(inside))
        return ", ".join(self._sources)

    def settle(self) -> None:
        """Note short names under the setting that they become: of a chain, `Primary` and `Fallback` become `Providers`."""
        for path in [path for path in self.origins if path[-1] in getattr(find(path[:-1])[1], "short_names", ())]:
            source, whole = self.origins.pop(path), (*path[:-1], "providers")
            before = self.origins.get(whole)
            self.origins[whole] = source if before in (None, source) else f"{before}, {source}"

    def _block(
        self, into: dict[str, Any], data: Mapping[str, Any], path: SettingPath, source: str, repeatable: bool
    ) -> None:
        self._make_way(into, data, path)
        for key, value in data.items():
            here = (*path, key)
            if isinstance(value, Items):
                self._items(into, value, here, source)
            elif isinstance(value, Mapping) and isinstance(into.get(key, {}), dict):
                self._block(into.setdefault(key, {}), value, here, source, repeatable)
            elif repeatable and isinstance(value, list) and value and self.origins.get(here) == source:
                into[key] = [*into[key], *value]
            else:
                self._forget(here)
                into[key] = value
                self.origins[here] = source

    def _make_way(self, into: dict[str, Any], data: Mapping[str, Any], path: SettingPath) -> None:
        """Bring a weaker source's block to the form of the stronger one's, where a block has several forms."""
        model = find(path)[1]
        if not (isinstance(model, type) and issubclass(model, Section)):
            return
        kept = dict(model.outranked(into, data))
        lost, gained = [name for name in into if name not in kept], [name for name in kept if name not in into]
        source = next((self.source_of((*path, name)) for name in lost), "default")
        for name in lost:
            self._forget((*path, name))
        self.origins |= {(*path, name): source for name in gained}
        into.clear()
        into.update(kept)

    def _items(self, into: dict[str, Any], items: Items, here: SettingPath, source: str) -> None:
        """Change single items of a list, a weaker source's or the default one, or add to its end."""
        key = here[-1]
        whole = list(into[key] if isinstance(into.get(key), list | tuple) else _default_items(here))
        for place, value in sorted(items.items(), key=lambda item: int(item[0])):
            index, path = int(place), (*here, place)
            if index > len(whole):
                self.problems.append(
                    f"{source}: {guide_path(path)}: the list has {len(whole)} items; the next is {len(whole)}"
                )
                return
            if index == len(whole):
                whole.append(value)
            elif isinstance(value, dict) and isinstance(whole[index], dict):
                whole[index] = {**whole[index], **value}
            else:
                whole[index] = value
            self.origins |= dict.fromkeys(_leaves(value, path), source)
        into[key] = whole

    def _forget(self, path: SettingPath) -> None:
        for place in [place for place in self.origins if place[: len(path)] == path]:
            del self.origins[place]


def _default_items(path: SettingPath) -> list[Any]:
    """The list that holds where no source gives one."""
    value: Any = Settings().model_dump()
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return list(value or ())


def _leaves(value: Any, path: SettingPath) -> Iterator[SettingPath]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    else:
        yield path
