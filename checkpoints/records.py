"""A checkpoint's record: which step made which artifacts, and what was measured about them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class Artifact(BaseModel):
    """One file in the store: hex SHA-256 and size in bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest: str
    size: int


class Record(BaseModel):
    """A finished step. `facts` is the stage's own JSON; `degradations` are reported again whenever the result is reused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    stage: str
    artifacts: dict[str, Artifact] = {}
    facts: dict[str, Any] = {}
    provider: str = ""
    degradations: tuple[dict[str, Any], ...] = ()
    schema_version: Literal[1] = 1
