"""Circuit breakers by name, over pybreaker.

Only what speaks against the provider's health counts as a failure: a rejected request, a missing key or a cancelled run does not.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

import pybreaker

from config.errors import CircuitOpenError, TransientError
from pipeline.resilience.policy import Policy

OPEN_MESSAGE = "Service temporarily unavailable due to repeated failures. It will automatically recover."

_LABELS = {"open": "Open", "half-open": "Half-Open", "closed": "Closed (recovered)"}


class Breakers:
    """All circuits of one process. `log` gets a line for each change of state."""

    def __init__(self, log: Callable[[str], None] = lambda line: None) -> None:
        self._log = log
        self._circuits: dict[str, pybreaker.CircuitBreaker] = {}
        self._lock = threading.Lock()

    def tell(self, log: Callable[[str], None]) -> None:
        """Send what is told from now on elsewhere: the circuits outlive the run that they report to."""
        self._log = log

    @contextlib.contextmanager
    def admit(self, policy: Policy, provider: str) -> Iterator[None]:
        """Run the block as one call through the circuit. Raises CircuitOpenError without running it when it is open."""
        if not policy.breaker.enabled:
            yield
            return
        circuit = self._circuit(policy)
        try:
            with circuit.calling():
                yield
        except pybreaker.CircuitBreakerError as error:
            raise CircuitOpenError(
                f"{policy.name}: {OPEN_MESSAGE}",
                provider=provider,
                hint=f"wait {policy.breaker.break_duration_s:g} s, then: framekeep resume",
                retry_after_s=policy.breaker.break_duration_s,
            ) from error

    def states(self) -> dict[str, str]:
        """Each circuit's state: `closed`, `open` or `half-open`."""
        with self._lock:
            return {name: circuit.current_state for name, circuit in self._circuits.items()}

    def _circuit(self, policy: Policy) -> pybreaker.CircuitBreaker:
        with self._lock:
            if policy.name not in self._circuits:
                self._circuits[policy.name] = pybreaker.CircuitBreaker(
                    fail_max=policy.breaker.failure_threshold,
                    reset_timeout=policy.breaker.break_duration_s,
                    success_threshold=policy.breaker.success_threshold,
                    exclude=[lambda error: not isinstance(error, TransientError)],
                    listeners=[_Listener(policy, lambda line: self._log(line))],
                    name=policy.name,
                    # Otherwise the call that trips the circuit would lose its own error.
                    throw_new_error_on_trip=False,
                )
            return self._circuits[policy.name]


class _Listener(pybreaker.CircuitBreakerListener):
    def __init__(self, policy: Policy, log: Callable[[str], None]) -> None:
        self._policy = policy
        self._log = log

    def state_change(self, cb: object, old_state: object, new_state: object) -> None:
        name = getattr(new_state, "name", "closed")
        if old_state is None:
            return
        prefix = f"[Circuit Breaker] {self._policy.name}: "
        if name == "half-open":
            self._log(f"{prefix}Entering Half-Open state")
            return
        self._log(f"{prefix}State changed to {_LABELS[name]}")
        if name == "open":
            self._log(f"{prefix}Will attempt recovery in {self._policy.breaker.break_duration_s:g}s")
