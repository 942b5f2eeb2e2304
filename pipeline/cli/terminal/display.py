"""Showing a run while it goes on: a live block on a terminal, one plain line for each meaningful change elsewhere.

A display never costs a render: what goes wrong in it is kept in `fault`, and the run goes on unseen.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from pipeline.cli.terminal import console
from pipeline.cli.terminal.console import Tone, clean, say
from pipeline.cli.terminal.event_text import View, Watcher
from pipeline.events import Event

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live

_REFRESHES_PER_S = 5
_BAR = 32
_MOST_LINES = 4
_SHOW_CURSOR = "\x1b[?25h"


class Display(ABC):
    """Hears of every event, on any thread. `position` says which of several jobs is running (`2 of 5`)."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.watcher = Watcher(clock=clock)
        self._clock = clock
        self._started = clock()
        self.fault: Exception | None = None
        self.is_gone = False

    def __enter__(self) -> Display:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def take(self, event: Event) -> None:
        """Show an event."""
        self._safely(lambda: self._show(event))

    def _show(self, event: Event) -> None:
        if sentence := self.watcher.take(event):
            self.message(*sentence)
        self._after(event)

    def _safely(self, show: Callable[[], None]) -> None:
        if self.fault or self.is_gone:
            return
        try:
            show()
        except OSError:
            # The terminal was closed.
            self.is_gone = True
        except Exception as fault:  # noqa: BLE001 - whatever it is, the render is worth more; it is reported at the end
            self.fault = fault

    def set_position(self, position: str) -> None:
        """Say which of several jobs is running."""
        self.watcher.position = position

    @abstractmethod
    def message(self, text: str, tone: Tone = "plain") -> None:
        """A line that stays."""

    @abstractmethod
    def _after(self, event: Event) -> None:
        """Whatever this display does once an event is counted in."""

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Room for lines that are written past the display."""
        yield

    def abandon(self) -> None:
        """The process ends here and now: leave the terminal usable, wait for nobody."""
        return


class QuietDisplay(Display):
    """Only what makes the result worse."""

    def message(self, text: str, tone: Tone = "plain") -> None:
        if tone in ("warn", "bad"):
            say(text, tone)

    def _after(self, event: Event) -> None:
        return None


class PlainDisplay(Display):
    """Lines for logs: a new stage, news, and how far it is every `interval_s` seconds.

    While nothing happens, as one long call is waited for, a line every `silence_s` says that, and for what.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, *, interval_s: float = 5.0, silence_s: float = 15.0
    ) -> None:
        super().__init__(clock)
        self._interval_s = interval_s
        self._silence_s = silence_s
        self._last, self._place = float("-inf"), ""
        self._spoke = clock()
        self._seen: set[str] = set()
        self._lock = threading.RLock()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch_silence, name="framekeep-display", daemon=True)

    def __enter__(self) -> Display:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _watch_silence(self) -> None:
        while not self._is_over.wait(1.0):
            self.break_silence()

    def break_silence(self) -> None:
        """Say what is being done, if nothing was said for long and anything is."""
        with self._lock:
            if self._clock() - self._spoke >= self._silence_s:
                self._safely(self._say_place)

    def message(self, text: str, tone: Tone = "plain") -> None:
        self._spoke = self._clock()
        say(f"[{console.clock_text(self._clock() - self._started)}] {text}", tone)

    def _after(self, event: Event) -> None:
        with self._lock:
            if event.kind == "job_started":
                self._seen.clear()
                self._begin(self.watcher.view())
            elif event.kind == "planned" and "planned" not in self._seen:
                self._seen.add("planned")
                self._tell_reused(self.watcher.view())
            elif event.kind in ("attempt_started", "step_progress", "step_executed"):
                self._tell_progress(event)

    def _begin(self, view: View) -> None:
        where = f"{view.position}: " if view.position else ""
        self.message(f"{where}job {view.job_id}: {view.title}: {', '.join(view.exports)} into {view.output}")

    def _tell_reused(self, view: View) -> None:
        if view.steps_reused:
            self.message(f"{console.count_text(view.steps_reused, 'step')} already done, going on from there")

    def _tell_progress(self, event: Event) -> None:
        """The first time that somebody is at something at once; from then on only as often as the interval allows."""
        doing = f"{event.data['operation']} by {event.data['provider']}" if event.kind == "attempt_started" else ""
        is_new = bool(doing) and doing not in self._seen
        if not is_new and self._clock() - self._last < self._interval_s:
            return
        self._seen.add(doing)
        if self.watcher.view().place != self._place or self._clock() - self._last >= self._interval_s:
            self._say_place()

    def _say_place(self) -> None:
        view = self.watcher.view()
        if view.activities:
            self._last, self._place = self._clock(), view.place
            self.message(" · ".join(part for part in (view.place, view.figures) if part))


class LiveDisplay(Display):
    """A block at the bottom of the terminal that is drawn again a few times a second, and lines that scroll above it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, terminal: Console | None = None) -> None:
        super().__init__(clock)
        from rich.console import Console

        self._terminal = terminal or Console(stderr=True, markup=False, highlight=False, emoji=False)
        self._live: Live | None = None
        self._told_of = ""

    def __enter__(self) -> Display:
        from rich.live import Live

        # A new one each time: an old one would first erase as many lines as it last drew, whatever stands there now.
        self._live = Live(
            console=self._terminal,
            get_renderable=self._draw,
            refresh_per_second=_REFRESHES_PER_S,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        # The terminal may be gone (SIGHUP).
        with contextlib.suppress(OSError):
            if self._live:
                self._live.stop()

    def message(self, text: str, tone: Tone = "plain") -> None:
        from rich.text import Text

        self._terminal.print(Text(clean(text), style=_STYLES[tone]), soft_wrap=True)

    def _after(self, event: Event) -> None:
        if event.kind != "planned" or event.job_id == self._told_of:
            return
        self._told_of = event.job_id
        if reused := self.watcher.view().steps_reused:
            self.message(f"{console.count_text(reused, 'step')} already done, going on from there")

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        self.__exit__()
        try:
            yield
        finally:
            self.__enter__()

    def _draw(self) -> RenderableType:
        return draw(self.watcher.view(), self._clock() - self._started)

    def abandon(self) -> None:
        self._terminal.quiet = True
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(_SHOW_CURSOR + "\n")
            sys.stderr.flush()


_STYLES: dict[Tone, str] = {"plain": "", "good": "green", "warn": "yellow", "bad": "red", "dim": "dim"}


def draw(view: View, elapsed_s: float) -> RenderableType:
    """The live block: what, how far, and who is at it."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    title = " · ".join(part for part in (view.position, clean(view.title), view.job_id) if part)
    fraction = view.fraction
    bar = ProgressBar(total=1.0, completed=fraction or 0.0, width=_BAR, complete_style="cyan", finished_style="green")
    row = Table.grid(padding=(0, 1))
    percent = f"{fraction:4.0%}" if fraction is not None else "    "
    row.add_row(bar, Text(percent), Text(console.clock_text(elapsed_s), style="dim"))
    return Group(
        Text(title or "Framekeep", style="bold", no_wrap=True, overflow="ellipsis"),
        row,
        *(Text(clean(line), style="cyan", no_wrap=True, overflow="ellipsis") for line in _few(view.activities)),
        Text(clean(view.figures), no_wrap=True, overflow="ellipsis"),
    )


def _few(activities: Sequence[str]) -> list[str]:
    """The first lines, and how many there are besides: the block must not grow beyond a small terminal."""
    shown = list(activities[:_MOST_LINES]) or ["starting"]
    more = len(activities) - len(shown)
    return [*shown, f"and {more} more"] if more > 0 else shown


def make_display(*, quiet: bool = False) -> Display:
    """The display that fits stderr."""
    if quiet:
        return QuietDisplay()
    return LiveDisplay() if console.is_terminal(sys.stderr) else PlainDisplay()
