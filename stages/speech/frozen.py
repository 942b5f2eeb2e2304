"""Large tables of words, packed: as Python's own objects a dictionary of a hundred thousand words takes ten times its text."""

from __future__ import annotations

import marshal
from array import array
from collections.abc import Mapping
from itertools import accumulate
from typing import Any

_LARGE = 10_000


class FrozenTable:
    """What a mapping of strings to plain values held when this was made. A look-up takes some microseconds.

    It answers `get`, `in`, `[]` and `len`. Values come out as new objects each time, so none can be changed in here.
    """

    __slots__ = ("_key_ends", "_keys", "_value_ends", "_values")

    def __init__(self, mapping: Mapping[str, Any]) -> None:
        # Texts and their UTF-8 sort alike.
        ordered = sorted(mapping)
        keys, values = [key.encode() for key in ordered], [marshal.dumps(mapping[key]) for key in ordered]
        self._keys, self._values = b"".join(keys), b"".join(values)
        self._key_ends, self._value_ends = _ends(keys), _ends(values)

    def __len__(self) -> int:
        return len(self._key_ends) - 1

    def __contains__(self, key: str) -> bool:
        return self._place(key) is not None

    def __getitem__(self, key: str) -> Any:
        if (place := self._place(key)) is None:
            raise KeyError(key)
        return self._at(place)

    def get(self, key: str, default: Any = None) -> Any:
        return default if (place := self._place(key)) is None else self._at(place)

    def _at(self, place: int) -> Any:
        return marshal.loads(self._values[self._value_ends[place] : self._value_ends[place + 1]])  # noqa: S302 - bytes that we made

    def _place(self, key: str) -> int | None:
        keys, ends, wanted = self._keys, self._key_ends, key.encode(errors="surrogatepass")
        low, high = 0, len(ends) - 1
        while low < high:
            middle = (low + high) // 2
            if keys[ends[middle] : ends[middle + 1]] < wanted:
                low = middle + 1
            else:
                high = middle
        return low if low < len(ends) - 1 and keys[ends[low] : ends[low + 1]] == wanted else None


def freeze(owner: object, *names: str) -> None:
    """Put frozen tables in place of an object's large dictionaries; what is not there, or is none, or is small, is left alone."""
    for name in names:
        found = getattr(owner, name, None)
        if type(found) is dict and len(found) >= _LARGE:
            setattr(owner, name, FrozenTable(found))


def _ends(parts: list[bytes]) -> array[int]:
    return array("L", accumulate(map(len, parts), initial=0))
