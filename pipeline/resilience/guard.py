"""The guarded call: provider after provider, each behind everything that guards one.

From the outside in:

    next provider → operation timeout → retry → rest and rate limit → circuit breaker → request timeout → injected failure → work

Retry stands outside the breaker, so that a failing provider trips its circuit after five calls and not after five times four. The
job's time is the run's business: it cancels the token, and no pause is begun that would outlast it.

A call that is refused before it is made (circuit open, provider at rest, limit used up) is never tried again: the next provider is
asked, or the error of the one that can be asked first says when that is (`retry_after_s`), and the job waits.

Seams, all given to `Guard.bind` for one step:

- `note` is told of each attempt, as the ledger keeps them; `observe` of everything in `observing`, attempts included. What they
  raise is logged and costs nothing.
- `inject(operation, work)` gives what is called in place of the work: failures on purpose. Nothing else stands between it and the
  provider but the journal of paid calls, which is part of the work: `Journal` is a call around this one.
- `Restraints.ailments` puts who failed the health check behind the others of its chain.
- When every provider has failed, the error of this call is the sign for last resorts: whoever made the call asks the cache and
  then other providers, each by another guarded call.
"""

from __future__ import annotations

import contextlib
import logging
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Literal, Protocol, TypeVar

from checkpoints.ownership.clocks import Timeline
from config.errors import FramekeepError, ProviderError
from config.exit_codes import ExitCode
from config.settings import Settings
from pipeline.resilience.attempt_events import AttemptEnded, CallEnded, FellBack, GuardEvent, Observer, nobody
from pipeline.resilience.breakers.registry import Breakers
from pipeline.resilience.call_limits import Restraints
from pipeline.resilience.cooldowns import account_in_use
from pipeline.resilience.exhausted import EXHAUSTED_MESSAGE
from pipeline.resilience.policy import Policy, policy_for
from pipeline.resilience.provider_call import Asking, Surroundings
from stages.base import CancelToken, Clock, Provider

__all__ = ["EXHAUSTED_MESSAGE", "Attempt", "FallbackUsed", "Guard", "GuardedCall", "Injector"]

T = TypeVar("T")
P = TypeVar("P", bound=Provider)


_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Attempt:
    """One call that was made or refused. `outcome`: `ok`, `failed`, or `refused` (circuit open, at rest, no turn in time).

    `number` counts from 1 for each provider of a guarded call: from 2 on it is a retry.
    """

    operation: str
    provider: str
    number: int
    outcome: str
    code: str
    message: str
    elapsed_s: float


_ATTEMPT_FIELDS = tuple(field.name for field in fields(Attempt))


@dataclass(frozen=True)
class FallbackUsed:
    """A provider that was wanted, the one that answered, and why."""

    operation: str
    wanted: str
    got: str
    reason: str


class Injector(Protocol):
    """Gives what is called in place of an operation's work."""

    def __call__(self, operation: str, work: Callable[[P, CancelToken], T], /) -> Callable[[P, CancelToken], T]: ...


class Guard:
    """Makes guarded calls. One for a run; circuits and restraints are shared by all its steps, and outlive it.

    `job_left_s` tells what is left of the run's time, None for no limit.
    """

    def __init__(
        self,
        settings: Settings,
        breakers: Breakers,
        clock: Clock | None = None,
        rng: random.Random | None = None,
        *,
        restraints: Restraints | None = None,
        job_left_s: Callable[[], float | None] = lambda: None,
    ) -> None:
        self.settings = settings
        self.breakers = breakers
        self.clock = clock
        self.rng = rng or random.Random()  # noqa: S311 - spreads delays
        timeline = Timeline(clock.monotonic, clock.wall) if clock else None
        self.restraints = restraints or Restraints.in_memory(timeline)
        self.job_left_s = job_left_s
        self._policies: dict[tuple[str, str], Policy] = {}
        self._accounts: dict[str, str] = {}

    def bind(
        self,
        cancel: CancelToken,
        note: Callable[[Attempt], None],
        *,
        job_id: str = "",
        observe: Observer = nobody,
        inject: Injector | None = None,
    ) -> GuardedCall:
        """The call that one step is handed."""
        return GuardedCall(self, cancel, note, job_id, observe, inject)

    def policy(self, operation: str, provider: str) -> Policy:
        """The policy of a provider's operation. Settings do not change during a run."""
        known = self._policies.get((operation, provider))
        if known is None:
            known = self._policies.setdefault((operation, provider), policy_for(self.settings, operation, provider))
        return known

    def account(self, provider: str) -> str:
        """What tells the provider's account from others. Looked up once, and only for one that rests: keyrings are slow."""
        if provider not in self._accounts:
            self._accounts[provider] = account_in_use(self.settings, provider)
        return self._accounts[provider]

    def forget_accounts(self) -> None:
        """Look the accounts up again: somebody may have changed a key."""
        self._accounts.clear()


class GuardedCall:
    """`stages.base.Call`, guarded. `fallbacks` lists what was not answered by the provider asked first."""

    def __init__(
        self,
        guard: Guard,
        cancel: CancelToken,
        note: Callable[[Attempt], None],
        job_id: str = "",
        observe: Observer = nobody,
        inject: Injector | None = None,
    ) -> None:
        self._guard = guard
        self._note = note
        self._observe = observe
        self._inject = inject
        self._around = Surroundings(
            breakers=guard.breakers,
            restraints=guard.restraints,
            clock=guard.clock or Clock(sleep=_waiting_on(cancel)),
            rng=guard.rng,
            cancel=cancel,
            account=guard.account,
            job_left_s=guard.job_left_s,
            observe=self._tell,
            job_id=job_id,
        )
        self.fallbacks: list[FallbackUsed] = []

    def __call__(self, operation: str, providers: Sequence[P], work: Callable[[P, CancelToken], T]) -> tuple[T, P]:
        if not providers:
            raise ProviderError(f"No provider is set up for '{operation}'", hint="framekeep doctor")
        if self._inject:
            work = self._inject(operation, work)
        asked: list[Asking[P, T]] = []
        with self._telling_end(operation, asked):
            return self._ask_each(operation, providers, work, asked)

    def _ask_each(
        self,
        operation: str,
        providers: Sequence[P],
        work: Callable[[P, CancelToken], T],
        asked: list[Asking[P, T]],
    ) -> tuple[T, P]:
        errors: list[ProviderError] = []
        order, passed_over = self._healthy_first(operation, providers)
        for place, provider in enumerate(order):
            policy = self._guard.policy(operation, provider.name)
            is_last = place + 1 == len(order) or not policy.fallback
            asked.append(Asking(self._around, operation, provider, policy, work, is_last))
            try:
                answer = asked[-1].run()
            except ProviderError as error:
                errors.append(error)
                if is_last:
                    break
                if not policy.passes_on(error.kind):
                    raise
                self._tell(FellBack(operation, provider.name, order[place + 1].name, error.kind, str(error)))
                continue
            if provider is not providers[0]:
                reason = "; ".join([*passed_over, *(str(error) for error in errors)])
                self.fallbacks.append(FallbackUsed(operation, providers[0].name, provider.name, reason))
            return answer, provider
        raise _final(errors)

    def _healthy_first(self, operation: str, providers: Sequence[P]) -> tuple[list[P], list[str]]:
        """The order to ask them in, and why some come last."""
        order, ill = self._guard.restraints.ailments.healthy_first(
            providers, lambda name: self._guard.policy(operation, name)
        )
        for provider, ailment in ill:
            self._tell(FellBack(operation, provider.name, order[0].name, ailment.kind, ailment.message))
        return order, [f"{provider.name} is unhealthy: {ailment.message}" for provider, ailment in ill]

    @contextlib.contextmanager
    def _telling_end(self, operation: str, asked: Sequence[Asking[P, T]]) -> Iterator[None]:
        started_s = self._around.clock.monotonic()

        def tell(outcome: Literal["ok", "failed"], provider: str, code: str) -> None:
            elapsed_s = self._around.clock.monotonic() - started_s
            calls, retries, failed = (
                sum(getattr(asking, name) for asking in asked) for name in ("calls", "retries", "failed_retries")
            )
            self._tell(CallEnded(operation, provider, outcome, code, calls, retries, failed, elapsed_s))

        try:
            yield
        except BaseException as error:
            tell("failed", "", error.code if isinstance(error, FramekeepError) else type(error).__name__)
            raise
        tell("ok", asked[-1].provider.name, "")

    def _tell(self, event: GuardEvent) -> None:
        """Must not raise: an answer that was paid for would be lost, or an error covered by another."""
        try:
            if isinstance(event, AttemptEnded):
                told = {name: getattr(event, name) for name in _ATTEMPT_FIELDS}
                self._note(Attempt(**told))
            self._observe(event)
        except Exception:  # noqa: BLE001 - see above
            _log.exception("a call's %s could not be told", type(event).__name__)


def _waiting_on(cancel: CancelToken) -> Callable[[float], None]:
    """Sleeping that ends when the run is to stop."""

    def sleep(seconds: float) -> None:
        cancel.wait(seconds)

    return sleep


def _final(errors: Sequence[ProviderError]) -> ProviderError:
    """Where waiting may mend one of them the job waits, for the one that can be asked first; else the last says what is wrong."""
    waiting = [error for error in errors if error.exit_code == ExitCode.PARKED]
    final = min(waiting, key=_when) if waiting else errors[-1]
    final.message = "; ".join(error.message for error in errors)
    return final


def _when(error: ProviderError) -> float:
    return float("inf") if error.retry_after_s is None else error.retry_after_s
