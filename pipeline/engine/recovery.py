"""What a run does in place of a step that failed for good: damaged segments again, another encoder, a lower level."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from config.errors import (
    CheckFailedError,
    DamagedSegmentError,
    FramekeepError,
    OutOfMemoryError,
    ProviderError,
    RenderExhaustedError,
    ResourceError,
)
from pipeline.planning.plan import Plan
from pipeline.planning.steps import Step
from stages.models import Degradation
from stages.render.specs import MuxSpec, SegmentSpec


@dataclass(frozen=True)
class Remedy:
    """What is made in place of a step that failed for good.

    `steps`: to be made now. `again`: keys among them that are made even if this run has made them before. `export`, `kind` and
    `worse` are set where the export steps down: its other steps are superseded, and the degradation is an event of that kind.
    """

    steps: list[Step]
    again: frozenset[str] = frozenset()
    export: str = ""
    kind: str = ""
    worse: Degradation | None = None


class Remedies:
    """Chooses the remedies of one run; each is used once. `discard(step, why)` drops a step's result."""

    def __init__(self, plan: Plan, discard: Callable[[Step, str], None]) -> None:
        self._plan = plan
        self._discard = discard
        # Joins by id, and segments by key: each is repaired once in a run. What fails twice is no accident.
        self._repaired: set[str] = set()

    def find(self, step: Step, error: FramekeepError) -> Remedy | None:
        """The remedy for this failure, or None where there is none."""
        return self._repair(step, error) or self._to_software(step, error) or self._step_down(step, error)

    def _repair(self, step: Step, error: FramekeepError) -> Remedy | None:
        """After a join that found segments damaged: make these again, and then it."""
        if not isinstance(error, DamagedSegmentError) or step.id in self._repaired:
            return None
        self._repaired.add(step.id)
        segments = self._plan.undo(step, error.digests)
        # Another export's join may have found the same, and its segment may be new already.
        damaged = {segment.key: segment for segment in segments if segment.key not in self._repaired}
        for segment in damaged.values():
            self._discard(segment, error.message)
        self._repaired.update(damaged)
        return Remedy(segments, again=frozenset(damaged)) if segments else None

    def _to_software(self, step: Step, error: FramekeepError) -> Remedy | None:
        """After an encoder in hardware has failed for good: plan the export again with the one in software."""
        # Memory is often the card's own. What is wrong with a brief or a disk is so with any encoder.
        of_encoder = isinstance(error, ProviderError | CheckFailedError | OutOfMemoryError)
        if not of_encoder or not isinstance(step.work, SegmentSpec | MuxSpec):
            return None
        steps = self._plan.to_software(step.export, error.message)
        if steps is None:
            return None
        return Remedy(steps, export=step.export, kind="encoder_change", worse=self._plan.encoder_changes[step.export])

    def _step_down(self, step: Step, error: FramekeepError) -> Remedy | None:
        """After a shortage: plan the export again one level lower.

        So too after an encoder that failed every time: what kills one is mostly a shortage that nobody names.
        """
        if not isinstance(error, ResourceError | RenderExhaustedError) or not step.export:
            return None
        steps = self._plan.step_down(step.export, error.message)
        if steps is None:
            return None
        return Remedy(steps, export=step.export, kind="step_down", worse=self._plan.step_downs[step.export])
