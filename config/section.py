"""The base of all settings: frozen, strict, and named both ways.

A file says `InitialDelay: 1000`, as the guide does; code says `initial_delay_ms`, unit included.
One declaration makes both.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator, model_validator

_UNITS = {"ms", "s", "bps", "db", "lufs", "dbtp"}


def public_name(attribute: str) -> str:
    """The settings-file name of an attribute: Pascal case, unit left out (`initial_delay_ms` → `InitialDelay`)."""
    words = attribute.split("_")
    if len(words) > 1 and words[-1] in _UNITS:
        words = words[:-1]
    return "".join(word[:1].upper() + word[1:] for word in words)


def squashed(name: str) -> str:
    """A name as it is compared: `MaxDelay`, `max_delay` and `MAX-DELAY` are one."""
    return name.replace("_", "").replace("-", "").lower()


class Section(BaseModel):
    """One block of settings."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        alias_generator=public_name,
        hide_input_in_errors=True,
        allow_inf_nan=False,
    )

    @classmethod
    def spread(cls, value: Any) -> Any:
        """A short form of this block, written out; anything else as it came. Raises ValueError."""
        return value

    @model_validator(mode="before")
    @classmethod
    def _spread(cls, value: Any) -> Any:
        return cls.spread(value)

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        # Python counts True as 1, so `MaxRetryAttempts: true` would be taken for one retry.
        if isinstance(value, bool) and cls.model_fields[str(info.field_name)].annotation in (int, float):
            raise ValueError("must be a number, not true or false")
        return value
