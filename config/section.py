"""The base of all settings: frozen, strict, and named both ways.

A file says `InitialDelay: 1000`, as the guide does; code says `initial_delay_ms`, unit included.
One declaration makes both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, get_args

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


def _is_number(annotation: Any) -> bool:
    """Whether a setting is a number, or a number that may be left out."""
    kinds = {getattr(kind, "__origin__", kind) for kind in (get_args(annotation) or (annotation,))}
    return bool(kinds & {int, float}) and bool not in kinds and kinds <= {int, float, type(None)}


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

    short_names: ClassVar[Mapping[str, Any]] = {}
    """Names that a source may use in place of settings, and the type of each: `filled` turns them into settings."""

    @classmethod
    def spread(cls, value: Any) -> Any:
        """A short form of this block that is no block itself, written out; anything else as it came. Raises ValueError."""
        return value

    @classmethod
    def filled(cls, given: dict[str, Any]) -> dict[str, Any]:
        """The block with what follows from all that is given of it, once all sources are merged. Raises ValueError."""
        return given

    @classmethod
    def outranked(cls, weaker: dict[str, Any], stronger: Mapping[str, Any]) -> dict[str, Any]:
        """What a weaker source gives of this block, brought to the form in which a stronger one gives the same.

        All names are attribute names or short names.
        """
        return weaker

    @model_validator(mode="before")
    @classmethod
    def _completed(cls, value: Any) -> Any:
        value = cls.spread(value)
        return cls.filled(value) if isinstance(value, dict) else value

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        # Python counts True as 1, so `MaxRetryAttempts: true` would be taken for one retry.
        if isinstance(value, bool) and _is_number(cls.model_fields[str(info.field_name)].annotation):
            raise ValueError("must be a number, not true or false")
        return value
