"""What keeps a provider from being asked at any time and as often as one likes, besides its circuit."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from checkpoints.ledger.cooldowns import RestRows
from checkpoints.ownership.clocks import Timeline
from pipeline.resilience.cooldowns import Rests
from pipeline.resilience.demotions import Ailments
from pipeline.resilience.rate_limits import Limits
from pipeline.resilience.retry_budget import Budgets


@dataclass(frozen=True)
class Restraints:
    """Rests, limits and budgets of retries are a home's, and heeded by all its processes; ailments are what this one found."""

    rests: Rests
    limits: Limits
    budgets: Budgets
    ailments: Ailments = field(default_factory=Ailments)

    @classmethod
    def of_home(cls, ledger_file: Path, folder: Path, *, shaken: bool = False) -> Self:
        """Those of a home: its ledger, and the folder for its limits. Neither is opened before it is needed.

        A run that is `shaken` by failures on purpose uses up nobody else's retries.
        """
        return cls(Rests(RestRows(ledger_file)), Limits(folder), Budgets(None if shaken else folder))

    @classmethod
    def in_memory(cls, timeline: Timeline | None = None) -> Self:
        """Those of nobody else."""
        return cls(Rests(None, timeline), Limits(None, timeline), Budgets())

    def close(self) -> None:
        """Let go of the files; the next call opens them again."""
        self.rests.close()
        self.limits.close()
        self.budgets.close()
