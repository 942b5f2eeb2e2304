"""A brief as the ledger keeps it: plain JSON, and back without a difference."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from pydantic import ValidationError

from config.errors import BriefError
from stages.models import Brief

_NOT_KEPT: Any = {"base": True, "warnings": True, "scenes": {"__all__": {"line"}}}


def canonical(brief: Brief) -> dict[str, Any]:
    """The brief as JSON values. Paths are absolute posix text; `base`, `line` and `warnings` are left out."""
    kept: dict[str, Any] = _plain(brief.model_dump(exclude=_NOT_KEPT))
    return kept


def brief_from_canonical(data: dict[str, Any]) -> Brief:
    """The brief that `canonical` was given, but for `base`, `line` and `warnings`. Raises BriefError."""
    try:
        return Brief.model_validate(data)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
        raise BriefError(
            f"the kept brief cannot be read: {problems[0]}", problems=problems, hint="render the brief anew"
        ) from None


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value.as_posix() if isinstance(value, PurePath) else value
