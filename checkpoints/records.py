"""A checkpoint's record: which step made which artifacts, and what was measured about them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class Artifact(BaseModel):
    """One file in the store: hex SHA-256 and size in bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest: str
    size: int


StandIn = Literal["", "cached", "other", "basic"]


class Record(BaseModel):
    """A finished step. `facts` is the stage's own JSON; `degradations` are reported again whenever the result is reused.

    `request` says what was asked, whoever was; empty where nobody is asked, or the answer is not to be used again. `stand_in`
    says that none of those who were asked gave this: it is an earlier answer, another provider's, or something plain.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    stage: str
    artifacts: dict[str, Artifact] = {}
    facts: dict[str, Any] = {}
    provider: str = ""
    degradations: tuple[dict[str, Any], ...] = ()
    request: str = ""
    stand_in: StandIn = ""
    schema_version: Literal[1] = 1


class PassingRecord(Record):
    """A step whose artifacts last only as long as the run that made them: no ledger and no store has it for a later one."""
