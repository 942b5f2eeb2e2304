"""What the walk over the guide's settings is made of: two values of one setting, and what the product does with each."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from config.loader import SettingPath, load_settings
from config.settings import Settings


@dataclass(frozen=True)
class Lab:
    """Where a case may work."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch


Observe = Callable[[Settings, Lab], Any]


@dataclass(frozen=True)
class Case:
    """`observe` runs the product by settings with each of two `values` of one setting, and `seen` is what comes of each.

    `around` is the rest of the settings file. A setting of a list's items is set in the list's first item.
    """

    values: tuple[Any, Any]
    seen: tuple[Any, Any]
    observe: Observe
    around: Mapping[str, Any] = field(default_factory=dict)

    def document(self, path: SettingPath, which: int) -> dict[str, Any]:
        """The settings file with one of the two values."""
        whole: Any = copy.deepcopy(dict(self.around))
        block = whole
        for name in path[:-1]:
            block = block[name[:-2]][0] if name.endswith("[]") else block.setdefault(name, {})
        block[path[-1]] = self.values[which]
        return dict(whole)


def leaves(block: Mapping[str, Any], above: SettingPath = ()) -> Iterator[SettingPath]:
    """Every setting of a settings file, by the names that lead to it; `Levels[]` are a list's items."""
    for name, value in block.items():
        if isinstance(value, Mapping):
            yield from leaves(value, (*above, name))
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            yield from leaves(value[0], (*above, f"{name}[]"))
        else:
            yield (*above, name)


def load(document: Mapping[str, Any], folder: Path) -> Settings:
    """Settings as the command reads them from a file."""
    file = folder / "framekeep.json"
    file.write_text(json.dumps(document))
    return load_settings(file=file, environ={}).settings
