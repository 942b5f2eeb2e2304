"""Named points before and after everything that must survive a crash, so that a test can crash there.

In a program nobody listens, and reaching a point does nothing. A test installs a listener from Python; no setting and no
environment variable can.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

Listener = Callable[[str], None]

_listener: Listener | None = None


def reach(name: str) -> None:
    """Tell the listener, if there is one, that `name` is reached. It runs on the thread that reaches the point."""
    if _listener is not None:
        _listener(name)


@contextlib.contextmanager
def around(name: str) -> Iterator[None]:
    """`name:before` and, unless the block raises, `name:after`."""
    reach(f"{name}:before")
    yield
    reach(f"{name}:after")


def listen(listener: Listener | None) -> None:
    """Call `listener` with the name of each point of this process from now on; None ends that. For tests."""
    global _listener
    _listener = listener
