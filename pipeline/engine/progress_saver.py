"""Saves a run's progress to the ledger: at once when a step has ended or another stage begins, else at every interval.

`Resilience.StatePersistence.SaveInterval` is how stale the saved progress may become while one step goes on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from checkpoints.ledger.job_progress import SavedProgress, save_progress
from checkpoints.ledger.ledger import Ledger
from config.errors import FramekeepError
from pipeline.events import Event
from pipeline.observability.progress import Progress

# After these the plan or the count of what is done is another.
_TURNS = frozenset({"planned", "step_executed", "step_failed"})


class Saver:
    """A listener of one job's events that keeps its progress saved between `start` and `stop`."""

    def __init__(self, ledger: Ledger, job_id: str, interval_s: float, wall: Callable[[], float] = time.time) -> None:
        self._ledger = ledger
        self._job_id = job_id
        self._interval_s = interval_s
        self._wall = wall
        self._started_at = wall()
        self._progress = Progress()
        self._turn = threading.Lock()
        self._saved: tuple[object, ...] | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="framekeep-saving", daemon=True)

    def start(self) -> None:
        """Save at every interval from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Save what is not saved yet, and nothing afterwards."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        self.save()

    def take(self, event: Event) -> None:
        """Count an event in, and save if it is a turn."""
        if event.job_id != self._job_id:
            return
        with self._turn:
            stage = self._progress.stage
            self._progress.take(event)
            is_turn = event.kind in _TURNS or self._progress.stage != stage
        if is_turn and not self._stopped.is_set():
            self.save()

    def save(self) -> None:
        """Save where the run stands, if that has changed. What keeps the ledger from it will stop the run elsewhere."""
        with self._turn:
            state = self._progress
            now = (
                state.stage,
                state.scene,
                state.steps_done + state.steps_reused,
                state.steps_total,
                state.frames_done,
                state.frames_total,
            )
            if now == self._saved:
                return
            try:
                save_progress(self._ledger, self._job_id, SavedProgress(*now, self._started_at, self._wall()))
            except FramekeepError:
                return
            self._saved = now

    def _run(self) -> None:
        while not self._stopped.wait(self._interval_s):
            self.save()
