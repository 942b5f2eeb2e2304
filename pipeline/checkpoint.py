"""Finding and keeping a step's verified result: the ledger and the store as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from checkpoints.ledger import Ledger
from checkpoints.records import Record
from checkpoints.store import Store
from pipeline.steps import Outcome, Step
from stages.models import Degradation


class Checkpoints:
    """Results by key. `repaired` is told of every artifact that turned out damaged or missing.

    With `insist`, what a fallback gave in an earlier run counts as not there: the provider that was wanted is asked again.
    """

    def __init__(
        self, ledger: Ledger, store: Store, repaired: Callable[[Step, str], None], *, insist: bool = False
    ) -> None:
        self.ledger = ledger
        self.store = store
        self._repaired = repaired
        self._insist = insist
        self._kept: set[str] = set()

    def recall(self, step: Step) -> Record | None:
        """The record of a step's key, its artifacts not looked at."""
        record = self.ledger.result(step.key) or self.store.get_record(step.key)
        if record and record.degradations and self._insist and step.key not in self._kept:
            return None
        return record

    def load(self, step: Step) -> Record | None:
        """The record of a step whose artifacts all verify; None when it must be executed.

        A result with a damaged artifact is removed and reported as repaired: it is made again now.
        """
        record = self.recall(step)
        if record is None:
            return None
        damaged = [name for name, artifact in record.artifacts.items() if not self.store.verify(artifact)]
        if not damaged:
            return record
        self._forget(step, record, damaged)
        self._repaired(step, ", ".join(damaged))
        return None

    def discard(self, step: Step, why: str) -> None:
        """Let go of a step's result, though its artifacts verify: it was found to be wrong in itself. Reported as repaired."""
        if record := self.recall(step):
            self._forget(step, record, list(record.artifacts))
        self._repaired(step, why)

    def _forget(self, step: Step, record: Record, names: Sequence[str]) -> None:
        for name in names:
            self.store.discard(record.artifacts[name].digest)
        self.ledger.forget_result(step.key)
        self.store.forget(step.key)

    def keep(self, step: Step, outcome: Outcome, degradations: list[Degradation]) -> Record:
        """Publish what a step made: first the artifacts, then their record. The ledger's row is the caller's."""
        record = Record(
            key=step.key,
            stage=step.stage,
            artifacts={name: self.store.publish(path) for name, path in outcome.files.items()},
            facts=dict(outcome.facts),
            provider=outcome.provider,
            degradations=tuple(item.model_dump(mode="json") for item in degradations),
        )
        self.store.put_record(record)
        self._kept.add(record.key)
        return record
