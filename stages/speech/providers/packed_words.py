"""Large tables of words, packed: as Python's own objects a dictionary of a hundred thousand words takes ten times its text."""

from __future__ import annotations

import marshal
from array import array
from collections.abc import Mapping
from itertools import accumulate
from typing import Any

_LARGE = 10_000
# About so many entries are packed, and unpacked, together: fewer take more memory, more take longer to look up.
_SHELF = 12


class FrozenTable:
    """What a mapping of strings to plain values held when this was made. A look-up takes some microseconds.

    It answers `get`, `in`, `[]` and `len`. Values come out as new objects each time, so none can be changed in here.
    """

    __slots__ = ("_ends", "_length", "_packed")

    def __init__(self, mapping: Mapping[str, Any]) -> None:
        self._length = len(mapping)
        shelves: list[dict[str, Any]] = [{} for _ in range(len(mapping) // _SHELF + 1)]
        for word, value in mapping.items():
            shelves[hash(word) % len(shelves)][word] = value
        packed = [marshal.dumps(shelf) for shelf in shelves]
        # In one piece: thousands of small ones would keep the pages between which they stand.
        self._packed = b"".join(packed)
        self._ends = array("L", accumulate(map(len, packed), initial=0))

    def __len__(self) -> int:
        return self._length

    def __contains__(self, key: str) -> bool:
        return key in self._shelf(key)

    def __getitem__(self, key: str) -> Any:
        return self._shelf(key)[key]

    def get(self, key: str, default: Any = None) -> Any:
        return self._shelf(key).get(key, default)

    def _shelf(self, key: str) -> dict[str, Any]:
        """The entries among which `key` is, if it is anywhere."""
        at = hash(key) % (len(self._ends) - 1)
        found: dict[str, Any] = marshal.loads(self._packed[self._ends[at] : self._ends[at + 1]])  # noqa: S302 - bytes that we made
        return found


def pack(value: Any) -> Any:
    """A large dictionary as a frozen table; a small one with the large ones that it holds packed; else what was given."""
    if type(value) is not dict:
        return value
    if len(value) >= _LARGE:
        return FrozenTable(value)
    return {key: pack(item) for key, item in value.items()}
