"""Finding and keeping a step's verified result: the ledger and the store as one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence, Set
from pathlib import Path
from typing import TypeVar

from checkpoints.ledger.ledger import Ledger
from checkpoints.records import PassingRecord, Record, StandIn
from checkpoints.store.store import Store
from config.errors import DiskFullError
from pipeline.planning.steps import Step, StepOutcome
from stages.models import Degradation
from stages.render.specs import MuxSpec

PASSING_STAGES = frozenset({"segment", "mix"})
RENDER_STAGES = frozenset({*PASSING_STAGES, "mux"})

A = TypeVar("A")
R = TypeVar("R")


class StepResults:
    """Verified results of steps by key, from the ledger and the store.

    Args of the constructor:
        repaired: called with the step and the reason for every artifact that turned out damaged or missing.
        insist: results of a fallback from an earlier run do not count, so that the wanted provider is asked again.
        accepts: whether a record may be used; one that is refused is made again.
        anew: stages whose results from earlier runs do not count.
        shelf: a store that lasts only as long as the run (`Checkpoints.Enabled` is false). Segments and sound are kept in it
            until their video is finished, so that a killed run leaves none.
    """

    def __init__(
        self,
        ledger: Ledger,
        store: Store,
        repaired: Callable[[Step, str], None],
        *,
        insist: bool = False,
        accepts: Callable[[Record], bool] = lambda record: True,
        anew: Collection[str] = (),
        shelf: Store | None = None,
    ) -> None:
        self.ledger = ledger
        self.store = store
        self._repaired = repaired
        self._insist = insist
        self._accepts = accepts
        self._anew = frozenset(anew)
        self._shelf = shelf
        self._passing: dict[str, Record] = {}
        self._kept: set[str] = set()

    def recall(self, step: Step, *, finished: bool = False) -> Record | None:
        """The record of a step's key, its artifacts not looked at. A `finished` job's is one though its stage is in `anew`."""
        record = self._passing.get(step.key) or self.ledger.results.get(step.key) or self.store.get_record(step.key)
        return record if record and self.counts(step, record, finished=finished) else None

    def counts(self, step: Step, record: Record, *, finished: bool = False) -> bool:
        """Whether this run may go by a record of the step's key."""
        if step.key in self._kept:
            return True
        is_old = step.stage in self._anew and not finished
        return not (is_old or (record.degradations and self._insist)) and self._accepts(record)

    def artifact(self, digest: str) -> Path:
        """Where an artifact stands."""
        return self._place(digest).path(digest)

    def _place(self, digest: str) -> Store:
        return self._shelf if self._shelf and self._shelf.path(digest).exists() else self.store

    def accept(self, key: str) -> None:
        """Go by what is there under a key, as if it had been made for this run."""
        self._kept.add(key)

    def load(self, step: Step) -> Record | None:
        """The record of a step whose artifacts all verify; None when it must be executed.

        A result with a damaged artifact is removed and reported as repaired: it is made again now.
        """
        record = self.recall(step)
        if record is None:
            return None
        damaged = [name for name, made in record.artifacts.items() if not self._place(made.digest).verify(made)]
        if not damaged:
            return record
        for name in damaged:
            self._place(record.artifacts[name].digest).discard_damaged(record.artifacts[name])
        self._forget(step, record)
        self._repaired(step, ", ".join(damaged))
        return None

    def discard(self, step: Step, why: str) -> None:
        """Let go of a step's result, though its artifacts verify: it was found to be wrong in itself. Reported as repaired."""
        if record := self.recall(step):
            for artifact in record.artifacts.values():
                self._place(artifact.digest).discard(artifact.digest)
            self._forget(step, record)
        self._repaired(step, why)

    def _forget(self, step: Step, record: Record) -> None:
        """Delete the record if it still equals `record`: another run may have repaired it meanwhile (compare and delete)."""
        self._passing.pop(step.key, None)
        self.ledger.results.forget(step.key, only=record)
        self.store.forget(step.key, only=record)

    def keep(
        self,
        step: Step,
        outcome: StepOutcome,
        degradations: Sequence[Degradation],
        *,
        request: str = "",
        stand_in: StandIn = "",
        make_room: Callable[[], bool] = lambda: False,
    ) -> Record:
        """Publish what a step made: first the artifacts, then their record. The ledger's row is the caller's.

        `make_room` is asked when the disk is full: where it says that there is more room now, all goes on.
        """
        shelf = self._shelf if step.stage in PASSING_STAGES else None
        publish = (shelf or self.store).publish
        kind = PassingRecord if shelf else Record
        record = kind(
            key=step.key,
            stage=step.stage,
            artifacts={name: _with_room(make_room, publish, path) for name, path in outcome.files.items()},
            facts=dict(outcome.facts),
            provider=outcome.provider,
            degradations=tuple(item.model_dump(mode="json") for item in degradations),
            request=request,
            stand_in=stand_in,
        )
        self._kept.add(record.key)
        if shelf:
            self._passing[record.key] = record
            return record
        _with_room(make_room, self.store.put_record, record)
        if isinstance(step.work, MuxSpec):
            self._settle({*step.work.segments, step.work.audio})
        return record

    def _settle(self, digests: Set[str]) -> None:
        """Put what made a finished video into the store, where it serves the next edit."""
        lasting: list[Record] = []
        for key, record in list(self._passing.items()):
            if digests.isdisjoint(artifact.digest for artifact in record.artifacts.values()):
                continue
            for artifact in record.artifacts.values():
                if (place := self._place(artifact.digest)) is not self.store:
                    self.store.publish(place.path(artifact.digest))
            lasting.append(Record.model_validate(record.model_dump()))
            self.store.put_record(lasting[-1])
            del self._passing[key]
        if lasting:
            self.ledger.results.adopt(*lasting)

    def keep_record(self, record: Record) -> Record:
        """Write down a step's result whose artifacts are in the store."""
        self.store.put_record(record)
        self._kept.add(record.key)
        return record


def _with_room(make_room: Callable[[], bool], write: Callable[[A], R], what: A) -> R:
    try:
        return write(what)
    except DiskFullError:
        if not make_room():
            raise
        return write(what)
