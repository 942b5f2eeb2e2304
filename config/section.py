"""The base of all settings: frozen, strict, and named both ways.

A file says `InitialDelay: 1000`, as the guide does; code says `initial_delay_ms`, unit included. One declaration makes both.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

_UNITS = {"ms", "s", "bps", "db", "lufs", "dbtp"}


def public_name(attribute: str) -> str:
    """The settings-file name of an attribute: Pascal case, unit left out (`initial_delay_ms` → `InitialDelay`)."""
    words = attribute.split("_")
    if len(words) > 1 and words[-1] in _UNITS:
        words = words[:-1]
    return "".join(word[:1].upper() + word[1:] for word in words)


class Section(BaseModel):
    """One block of settings."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, alias_generator=public_name, hide_input_in_errors=True
    )
