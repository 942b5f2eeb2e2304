"""Keeps a circuit's sheet and the ledger in step, and lets the circuit work on in memory while the ledger cannot be used."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from checkpoints.ledger.circuits import CLOSED, CircuitRow, Circuits, Turn
from checkpoints.ownership.clocks import Timeline
from pipeline.resilience.breakers.window import CircuitSheet

T = TypeVar("T")

# How long the ledger is left alone after it could not be used.
_LEDGER_REST_S = 1.0

_log = logging.getLogger(__name__)


class Keeper:
    """`is_unsaved` while the ledger lacks what happened here. `lock` is held during every step."""

    def __init__(self, sheet: CircuitSheet, timeline: Timeline, circuits: Circuits | None) -> None:
        self.lock = threading.RLock()
        self.is_unsaved = False
        self.written_at = 0.0
        self._sheet = sheet
        self._timeline = timeline
        self._circuits = circuits
        self._is_known = circuits is None
        self._seen_generation: int | None = None
        self._rests_until = 0.0

    def closed_generation(self) -> int | None:
        """One look, for nearly every call: the generation of a closed circuit. None where more is to be done."""
        if not self._is_known or self.is_unsaved:
            return None
        if self._circuits is None:
            row = self._sheet.row
            return row.generation if row.state == CLOSED else None
        now = self._timeline.now()
        if now.monotonic_s < self._rests_until:
            return None
        try:
            seen = self._circuits.glimpse(self._sheet.name)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the ledger, the circuit works on
            self._rest(error)
            return None
        if seen is None or seen.state != CLOSED or seen.boot != now.boot or seen.since > now.monotonic_s:
            return None
        return seen.generation

    def in_turn(self, step: Callable[[], T]) -> T:
        """Take a step on the state in the ledger, alone among all processes; on that in memory, if that cannot be."""
        with self.lock:
            if self._circuits is None:
                return self._on_memory(step)
            if self._timeline.now().monotonic_s < self._rests_until:
                self.is_unsaved = True
                return self._on_memory(step)
            answers: list[T] = []
            try:
                with self._circuits.turn(self._sheet.name) as turn:
                    before = self._load(turn)
                    answers.append(self._on_memory(step))
                    self._save(turn, before)
            except Exception as error:  # noqa: BLE001 - whatever is wrong with the ledger, the circuit works on
                self._rest(error)
                self.is_unsaved = True
                return answers[0] if answers else self._on_memory(step)
            self._sheet.added = []
            self._is_known, self.is_unsaved = True, False
            self._seen_generation = self._sheet.row.generation
            return answers[0]

    def _on_memory(self, step: Callable[[], T]) -> T:
        self._sheet.row = self._sheet.row.anchored(self._timeline.now())
        return step()

    def _load(self, turn: Turn) -> CircuitRow | None:
        """Take over what the ledger has, unless it could not be told of what happened here and nothing happened elsewhere."""
        sheet, now = self._sheet, self._timeline.now()
        found = turn.row()
        if found is None:
            return None
        if self.is_unsaved and self._is_as_seen(found):
            generation = found.generation + (sheet.row.state != found.state)
            sheet.row = replace(sheet.row, generation=max(sheet.row.generation, generation))
        else:
            if found.generation != sheet.row.generation:
                sheet.added = []
            sheet.row = found.anchored(now)
        edge = sheet.forget_old(now)
        sheet.outcomes = [*turn.outcomes(sheet.row, edge), *sheet.added]
        return found

    def _is_as_seen(self, found: CircuitRow) -> bool:
        """Whether no other process has changed the state since this one looked last."""
        if self._seen_generation is None:
            return found.state == CLOSED
        return found.generation == self._seen_generation

    def _save(self, turn: Turn, before: CircuitRow | None) -> None:
        now = self._timeline.now()
        edge = self._sheet.forget_old(now)
        if self._sheet.row != before or self._sheet.added:
            turn.put(self._sheet.row, self._sheet.added, edge)
        self.written_at = now.monotonic_s

    def _rest(self, error: Exception) -> None:
        """Leave the ledger alone for a moment: no call shall wait for it again and again."""
        self._rests_until = self._timeline.now().monotonic_s + _LEDGER_REST_S
        _log.warning("%s: kept in memory for now: %s", self._sheet.name, error)
