"""Executing one step: a scratch folder, a guarded call, the stage's work, and its result in the store."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from checkpoints.files import mapped
from checkpoints.ledger.ledger import Ledger
from checkpoints.ledger.purchases import Purchases
from checkpoints.ledger.request_styles import RequestStyles
from checkpoints.records import Record
from checkpoints.store.store import Store
from config.codecs import SOFTWARE
from config.errors import CheckFailedError, FramekeepError, OutOfMemoryError, ProviderError, RenderExhaustedError
from config.watching import FaultKind
from pipeline.engine import evidence
from pipeline.engine.last_resort import last_resorts
from pipeline.engine.purchase_journal import Journal
from pipeline.engine.response_cache import AnswerCache
from pipeline.engine.stage_dispatch import perform, perform_by
from pipeline.engine.step_results import StepResults
from pipeline.events import Bus
from pipeline.job.options import next_lower
from pipeline.observability.telemetry import Telemetry
from pipeline.planning.steps import Step
from pipeline.planning.toolbox import Toolbox
from pipeline.resilience.fault_injection import Simulator, StepFaults
from pipeline.resilience.guard import Attempt, Guard, GuardedCall
from stages.base import CancelToken, Context, Provider
from stages.models import Degradation
from stages.process_memory import give_back
from stages.render.specs import MixSpec, MuxSpec, SegmentSpec

__all__ = ["Executor", "perform"]

T = TypeVar("T")
P = TypeVar("P", bound=Provider)

_LOG = logging.getLogger("framekeep")

# What a degradation's stage is called in reports.
_STAGE_NAMES = {"segment": "render", "mix": "render", "mux": "render"}


class Executor:
    """Executes steps of one job. Safe to use from several threads."""

    def __init__(
        self,
        job_id: str,
        store: Store,
        ledger: Ledger,
        checkpoints: StepResults,
        guard: Guard,
        toolbox: Toolbox,
        bus: Bus,
        evidence_folder: Path | None = None,
        wall: Callable[[], float] = time.time,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._job_id = job_id
        self._store = store
        self._ledger = ledger
        self._checkpoints = checkpoints
        self._guard = guard
        self._toolbox = toolbox
        self._bus = bus
        self._evidence = evidence_folder
        self._wall = wall
        self._purchases = Purchases(ledger)
        self._request_styles = RequestStyles(ledger)
        self._cache = AnswerCache(ledger, store, guard.settings.providers.cache_fallback, wall)
        monitoring = guard.settings.monitoring.resilience
        self._telemetry = telemetry or Telemetry(job_id, monitoring, ledger, bus)
        self._tracks_attempts = monitoring.enabled and monitoring.track_retry_attempts
        self._simulator = Simulator(guard.settings.testing)
        self._unwritten: list[Callable[[], None]] = []
        self._turn = threading.Lock()

    def execute(self, step: Step, cancel: CancelToken) -> Record:
        """Do a step's work and publish its result. Raises FramekeepError; nothing half-made is left behind."""
        faults = self._faults(step) if self._simulator.is_on else None
        call = self._guard.bind(
            cancel,
            self._note(step),
            job_id=self._job_id,
            observe=lambda event: self._telemetry.take(step.id, event, step.scene),
            inject=faults,
        )
        with self._store.scratch() as folder:
            journal = Journal(
                call, self._purchases, self._job_id, step, folder, lambda message: self._warn(step, message), self._wall
            )
            context = Context(
                scratch=folder,
                artifact=self._checkpoints.artifact,
                call=journal,
                cancel=cancel,
                progress=self._progress(step),
                warn=lambda message: self._warn(step, message),
                noted=journal.noted,
                request_style_of=self._request_styles.find,
                learn_request_style=self._learn_request_style,
            )
            with self._keeping_evidence(step, folder), _naming_shortages(step, folder):
                try:
                    outcome = perform(step, context, self._toolbox)
                except ProviderError as error:
                    return self._stand_in(step, context, journal, error, faults)
            # Before anything else: it may have been paid for.
            record = self._checkpoints.keep(
                step,
                outcome,
                _degradations(step, call),
                request=self._cache.request(step),
                make_room=journal.give_room,
            )
        for note in outcome.notes:
            self._warn(step, note)
        give_back()
        return record

    def lines_are_spoken(self) -> None:
        """No voice is needed any more: its memory is for those who encode."""
        self._toolbox.rest_speakers()
        give_back()

    def _stand_in(
        self, step: Step, context: Context, journal: Journal, error: ProviderError, faults: StepFaults | None
    ) -> Record:
        """What is there in place of a result that nobody gave: an earlier answer, else a last resort's. Else the error."""
        wanted = self._toolbox.wanted(step.stage)
        if earlier := self._cache.answer(step, wanted, error):
            return self._checkpoints.keep_record(earlier)
        for resort in last_resorts(step.work, self._toolbox, self._guard.settings):
            if faults:
                faults.tries = 1 if resort.kind == "basic" else None
            try:
                outcome = perform_by(resort.provider, resort.work, context)
            except ProviderError as another:
                _LOG.info("%s: %s cannot stand in: %s", step.id, resort.provider.name, another)
                continue
            told = Degradation(
                stage=step.stage, scene=step.scene, wanted=wanted, got=resort.provider.name, reason=str(error)
            )
            return self._checkpoints.keep(step, outcome, [told], stand_in=resort.kind, make_room=journal.give_room)
        raise error

    @contextlib.contextmanager
    def _keeping_evidence(self, step: Step, folder: Path) -> Iterator[None]:
        """What fails its checks for good is moved out of the scratch folder, which goes with the step."""
        try:
            yield
        except (CheckFailedError, RenderExhaustedError) as error:
            if self._evidence:
                blamed = [self._checkpoints.artifact(digest) for digest in evidence.segments_of(error)]
                files = [*folder.glob("*.mp4"), *folder.glob("*.m4a"), *evidence.copied(blamed, folder)]
                evidence.keep(self._evidence, self._job_id, step.id, files, error)
            raise

    def _note(self, step: Step) -> Callable[[Attempt], None]:
        def note(attempt: Attempt) -> None:
            told = vars(attempt)
            if self._tracks_attempts:
                columns = {name: value for name, value in told.items() if name != "number"}
                self._write_down(lambda: self._ledger.attempt(self._job_id, step.id, **columns))
            self._bus.send("attempt", self._job_id, step=step.id, scene=step.scene, **told)

        return note

    def _faults(self, step: Step) -> StepFaults:
        def told(kind: FaultKind, operation: str, provider: str) -> None:
            self._telemetry.note(
                "fault_injected",
                {"step": step.id, "scene": step.scene, "kind": kind, "operation": operation, "provider": provider},
            )

        return StepFaults(self._simulator, step.id, told, self._tries(step))

    def _tries(self, step: Step) -> int | None:
        """How many calls an encoder has for a step where that is all there is; None where a lower level or another comes after."""
        settings, work = self._guard.settings, step.work
        if isinstance(work, SegmentSpec | MuxSpec):
            encoding = work.encoding
            if encoding.encoder not in SOFTWARE.values() or next_lower(settings.quality, encoding.level):
                return None
        elif not isinstance(work, MixSpec):
            return None
        return settings.resilience.retry.max_retry_attempts + 1

    def _write_down(self, write: Callable[[], None]) -> None:
        """A note in the ledger, now or with a later one: a ledger that is locked or full never costs a provider's answer."""
        with self._turn:
            self._unwritten.append(write)
            try:
                while self._unwritten:
                    self._unwritten[0]()
                    self._unwritten.pop(0)
            except FramekeepError as error:
                _LOG.warning("%d notes wait for the ledger: %s", len(self._unwritten), error)

    def _learn_request_style(self, server: str, style: str) -> None:
        self._write_down(lambda: self._request_styles.put(server, style))

    def _progress(self, step: Step) -> Callable[[int, int, str], None]:
        def progress(done: int, total: int, unit: str) -> None:
            self._bus.send("step_progress", self._job_id, step=step.id, done=done, total=total, unit=unit)

        return progress

    def _warn(self, step: Step, message: str) -> None:
        told = {"step": step.id, "scene": step.scene, "message": message}
        self._write_down(lambda: self._ledger.event(self._job_id, "warning", told))
        self._bus.send("warning", self._job_id, **told)


@contextlib.contextmanager
def _naming_shortages(step: Step, folder: Path) -> Iterator[None]:
    """What the system says of a full disk or of no memory, wherever in a stage it says so, becomes our error."""
    try:
        yield
    except (ConnectionError, TimeoutError):
        raise
    except OSError as error:
        named = Path(error.filename) if isinstance(error.filename, str) else folder
        raise mapped(error, named) from error
    except Exception as error:
        # OpenCV has no exception of its own for it.
        if isinstance(error, MemoryError) or "Insufficient memory" in str(error):
            raise OutOfMemoryError(
                f"Memory ran out at {step.id}", hint="close other programs, then: framekeep resume"
            ) from error
        raise


def _degradations(step: Step, call: GuardedCall) -> list[Degradation]:
    stage = _STAGE_NAMES.get(step.stage, step.stage)
    return [
        Degradation(stage=stage, scene=step.scene, wanted=item.wanted, got=item.got, reason=item.reason)
        for item in call.fallbacks
    ]
