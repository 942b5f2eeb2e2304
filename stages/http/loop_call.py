"""A coroutine called from plain code: bounded in time, and given up at once when the run is to stop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Any, TypeVar

from config.errors import CancelledError
from stages.base import CancelToken

T = TypeVar("T")


def call_in_loop(make: Callable[[], Coroutine[Any, Any, T]], cancel: CancelToken, timeout_s: float) -> T:
    """What the coroutine returns or raises; `TimeoutError` after `timeout_s` (0 is no limit), `CancelledError` on cancel.

    It runs in an event loop on a thread of its own. The caller is freed the moment the token is cancelled, even while the
    loop still waits for something that cannot be interrupted, such as the system's name lookup.
    """
    cancel.check()
    answer: Future[T] = Future()
    stop = threading.Event()
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []

    async def main() -> None:
        task = asyncio.current_task()
        assert task
        running.append((asyncio.get_running_loop(), task))
        if stop.is_set():
            return
        try:
            async with asyncio.timeout(timeout_s or None):
                result = await make()
        except BaseException as error:
            _settle(answer, error=error)
            if not isinstance(error, Exception):
                raise
        else:
            _settle(answer, result)

    def run() -> None:
        # A cancelled task ends its loop with CancelledError; whoever cancelled it knows.
        with suppress(asyncio.CancelledError):
            asyncio.run(main())

    def give_up() -> None:
        stop.set()
        try:
            cancel.check()
        except CancelledError as error:
            _settle(answer, error=error)
        for loop, task in running:
            with suppress(RuntimeError):  # the loop has closed in the meantime: nothing is left to cancel
                loop.call_soon_threadsafe(task.cancel)

    forget = cancel.on_cancel(give_up)
    try:
        threading.Thread(target=run, name="framekeep-call", daemon=True).start()
        return answer.result()
    finally:
        forget()


def _settle(answer: Future[T], result: T | None = None, error: BaseException | None = None) -> None:
    """The first outcome counts: an answer that arrives while the call is being given up must not raise."""
    with suppress(InvalidStateError):
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)  # type: ignore[arg-type] # a result is there when there is no error
