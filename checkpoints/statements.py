"""SQL by names of columns, which are the names of the parameters too, and of the fields of what is made from a row."""

from __future__ import annotations

import dataclasses
from typing import Any


def columns(kind: type[Any]) -> str:
    """The fields of a dataclass as columns, so that a row is its arguments."""
    return ", ".join(field.name for field in dataclasses.fields(kind))


def adding(table: str, *names: str) -> str:
    """A statement that adds a row."""
    values = ", ".join(f":{name}" for name in names)
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({values})"  # noqa: S608 - names of our own


def putting(table: str, *names: str, key: tuple[str, ...], keep: tuple[str, ...] = ()) -> str:
    """A statement that adds a row, or brings the one with this `key` up to date but for the columns in `keep`."""
    changed = ", ".join(f"{name} = excluded.{name}" for name in names if name not in (*key, *keep))
    return f"{adding(table, *names)} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changed}"


ADD_EVENT = adding("events", "job_id", "at", "kind", "data")
