"""How many retries a provider gets from all steps together: one in trouble is not buried under them."""

from __future__ import annotations

import threading
from collections import deque

from config.resilience import RetryBudget


class Budgets:
    """The retries that this process has made lately, by provider. Times are monotonic. Safe to share between threads."""

    def __init__(self) -> None:
        self._made: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def take(self, provider: str, budget: RetryBudget, now_s: float) -> bool:
        """Count one more retry; False, and not counted, where the budget has none left."""
        if not budget.max_retries:
            return True
        with self._lock:
            made = self._made.setdefault(provider, deque())
            while made and made[0] <= now_s - budget.window_s:
                made.popleft()
            if len(made) >= budget.max_retries:
                return False
            made.append(now_s)
            return True

    def left(self, provider: str, budget: RetryBudget, now_s: float) -> int | None:
        """How many retries are left now; None for no limit."""
        if not budget.max_retries:
            return None
        with self._lock:
            made = self._made.get(provider, ())
            return max(0, budget.max_retries - sum(at > now_s - budget.window_s for at in made))
