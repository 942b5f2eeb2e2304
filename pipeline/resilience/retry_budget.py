"""How many retries a provider gets from all steps together: one in trouble is not buried under them.

With a folder they are counted for all processes of a home, as calls are (`limits`); while it cannot be used, for this process.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from pathlib import Path

from checkpoints.ownership.clocks import Timeline
from config.providers import RateLimit
from config.resilience import RetryBudget
from pipeline.resilience.rate_limits import Count, file_name

_log = logging.getLogger(__name__)


class Budgets:
    """The retries that were made lately, by provider. Times are monotonic. Safe to share between threads; nothing raises."""

    def __init__(self, folder: Path | None = None, timeline: Timeline | None = None) -> None:
        self._folder = folder
        self._timeline = timeline or Timeline()
        self._counts: dict[tuple[str, int, float], Count] = {}
        self._made: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let go of the files; the next retry opens them again."""
        with self._lock:
            for count in self._counts.values():
                count.close()
            self._counts.clear()

    def take(self, provider: str, budget: RetryBudget, now_s: float) -> bool:
        """Count one more retry; False, and not counted, where the budget has none left."""
        if not budget.max_retries:
            return True
        with self._lock:
            if self._folder:
                try:
                    return self._count(self._folder, provider, budget).add() == 0
                except Exception as failure:  # noqa: BLE001 - whatever is wrong with the folder, the provider is asked again
                    _log.warning("%s: its retries are counted in this process only: %s", provider, failure)
            return self._take_here(provider, budget, now_s)

    def _take_here(self, provider: str, budget: RetryBudget, now_s: float) -> bool:
        made = self._made.setdefault(provider, deque())
        while made and made[0] <= now_s - budget.window_s:
            made.popleft()
        if len(made) >= budget.max_retries:
            return False
        made.append(now_s)
        return True

    def _count(self, folder: Path, provider: str, budget: RetryBudget) -> Count:
        key = (provider, budget.max_retries, budget.window_s)
        if key not in self._counts:
            limit = RateLimit(requests=budget.max_retries, period_s=budget.window_s)
            self._counts[key] = Count(folder / f"{file_name(provider)}.retries.db", limit, self._timeline)
        return self._counts[key]
