"""Ctrl-C and friends: the run is told to stop from a thread of its own, and is not waited for for ever.

A Python signal handler runs between two instructions of the main thread, which may hold the very lock that cancelling needs. So the
handlers do nothing; the interpreter writes each signal's number to a socket, and a thread that reads it does the rest.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from config.exit_codes import ExitCode

# Within two seconds of the signal the command has ended, whatever it was doing: a kill at any moment is safe.
GRACE_S = 1.0
_END = b"\0"


def _wanted() -> list[signal.Signals]:
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    found = [getattr(signal, name) for name in names if hasattr(signal, name)]
    # `nohup` means it: a hang-up that is ignored stays ignored.
    return [one for one in found if one.name != "SIGHUP" or signal.getsignal(one) is not signal.SIG_IGN]


class Stopper:
    """While entered, the first signal calls `cancel(reason)`; a second one, or `grace_s` without an end, calls `give_up()`.

    Signals can only be caught by the main thread; elsewhere this does nothing.
    """

    def __init__(self, cancel: Callable[[str], None], give_up: Callable[[], None], *, grace_s: float = GRACE_S) -> None:
        self._cancel = cancel
        self._give_up = give_up
        self._grace_s = grace_s
        self._previous: dict[signal.Signals, Any] = {}
        self._thread: threading.Thread | None = None
        self.caught: signal.Signals | None = None

    def __enter__(self) -> Stopper:
        if threading.current_thread() is not threading.main_thread():
            return self
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        self._old_wakeup = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for one in _wanted():
            self._previous[one] = signal.signal(one, _nothing)
        self._thread = threading.Thread(target=self._watch, name="framekeep-signals", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread is None:
            return
        for one, handler in self._previous.items():
            signal.signal(one, handler)
        signal.set_wakeup_fd(self._old_wakeup)
        with contextlib.suppress(OSError):
            self._writer.send(_END)
        self._thread.join()
        self._reader.close()
        self._writer.close()

    def _watch(self) -> None:
        if not self._next():
            return
        assert self.caught
        # Cancelling kills children; should it hang, the grace still runs.
        threading.Thread(target=self._cancel, args=(_reason(self.caught),), daemon=True).start()
        self._reader.settimeout(self._grace_s)
        try:
            if not self._next():
                return
        except TimeoutError:
            pass
        self._give_up()

    def _next(self) -> bool:
        """Wait for a signal of ours; False when watching is over."""
        while True:
            for number in self._reader.recv(64):
                if number == _END[0]:
                    return False
                if number in list(self._previous):
                    self.caught = signal.Signals(number)
                    return True


def _reason(caught: signal.Signals) -> str:
    return "Stopped by Ctrl-C" if caught is signal.SIGINT else f"Stopped by {caught.name}"


def _nothing(number: int, frame: FrameType | None) -> None:
    """Only so that the interpreter notices the signal."""


def exit_at_once() -> None:
    """End this process and its children now. What was finished is in the store; the rest is made again."""
    import psutil

    with contextlib.suppress(psutil.Error, OSError):
        for child in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                child.kill()
    os._exit(ExitCode.INTERRUPTED)
