"""A small world in which the real command is started, killed, resumed, and looked at from outside.

What is checked is read without the product's help where that is possible: raw SQL, raw files, the kernel's own locks.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil

from checkpoints.ledger.database import driver
from config.errors import CancelledError, UsageError

VICTIM = Path(__file__).with_name("victim.py")
PATIENCE_S = 120
# From a signal to the end of the command, as the command promises it.
STOP_S = 2.0

# A script is written, lines are spoken, music is taken, cards are drawn, and each of two shapes is cut into several segments.
BRIEF = """---
title: A small light
seed: 3
exports: [youtube, shorts]
music: hum.wav
---
A lamp was lit. Ships could see it.
"""

SETTINGS: dict[str, Any] = {
    "resilience": {"retry": {"max_retry_attempts": 1, "initial_delay_ms": 1}},
    "rendering": {
        "fps": 24,
        "preset": "ultrafast",
        "jobs": 2,
        "checkpoints": {"interval_s": 2},
        "pacing": {
            "lead_s": 0.05,
            "line_gap_s": 0.05,
            "tail_s": 0.05,
            "intro_s": 0.05,
            "outro_s": 0.05,
            "transition_s": 0.1,
            "empty_scene_s": 0.5,
        },
    },
    "quality": {
        "levels": [
            {"name": "High", "resolution": "192x108", "bitrate_bps": "300k", "priority": 1},
            {"name": "Medium", "resolution": "160x90", "bitrate_bps": "200k", "priority": 2},
            {"name": "Low", "resolution": "128x72", "bitrate_bps": "100k", "priority": 3},
        ]
    },
}


@dataclass(frozen=True)
class Kill:
    """One kill: `how` as the victim knows it, at the `nth` pass of a point, or `after_s` seconds from the first point on."""

    how: str
    at: str = ""
    nth: int = 1
    after_s: float = 0.0

    def __str__(self) -> str:
        return f"{self.how} at {self.at}#{self.nth}" if self.at else f"{self.how} after {self.after_s:.3f} s"


@dataclass(frozen=True)
class Ended:
    """How one command ended. `delivered` tells whether its kill reached it; `stop_s` is the time from there to the end."""

    code: int
    out: str
    err: str
    delivered: bool
    stop_s: float
    work_s: float
    left_behind: tuple[str, ...]
    passes: dict[str, int] = field(repr=False)

    @property
    def document(self) -> dict[str, Any]:
        return dict(json.loads(self.out))

    @property
    def was_over(self) -> bool:
        """Whether a signal found a run that had said its last word: nobody heeds it while the interpreter shuts down."""
        return (
            self.code in (-signal.SIGTERM, -signal.SIGINT)
            and self.out.endswith("}\n")
            and self.document["status"] == "done"
        )


class World:
    """A brief, settings, a home and an output folder. `home`, `out` or `tmp` may be set to stand elsewhere."""

    def __init__(self, folder: Path, brief: str = BRIEF, settings: dict[str, Any] | None = None) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.out = folder / "out"
        self.brief = folder / "small.md"
        self.environment: dict[str, str] = {}
        self.prefix: tuple[str, ...] = ()
        self.kills = 0
        self._runs = 0
        self._settings = folder / "settings.json"
        folder.mkdir(exist_ok=True)
        self.brief.write_text(brief)
        self._settings.write_text(json.dumps(settings or SETTINGS))
        write_hum(folder / "hum.wav")

    # Running the command

    def render(self, kill: Kill | None = None) -> Ended:
        return self.run("render", str(self.brief), "--out", str(self.out), kill=kill)

    def resume(self, kill: Kill | None = None) -> Ended:
        """`framekeep resume`; a run that was killed before its job was noted, or after it was finished, is rendered again."""
        ended = self.run("resume", kill=kill)
        nothing_to_resume = "No job waits to be resumed" in ended.err
        if nothing_to_resume:
            assert ended.code == UsageError.exit_code, ended
            return self.render(kill)
        return ended

    def run(self, command: str, *arguments: str, kill: Kill | None = None, then: Kill | None = None) -> Ended:
        """One command in a session of its own, to its end, which may come by `kill`, or after it by `then`."""
        self._runs += 1
        notes = self.folder / f"run-{self._runs}"
        notes.mkdir()
        deeds = [{"at": one.at, "nth": one.nth, "how": one.how} for one in (kill, then) if one and one.at]
        plan = {"folder": str(notes), "deeds": deeds}
        options = ["--home", str(self.home), "--config", str(self._settings), "--json"]
        with (notes / "out").open("wb") as out, (notes / "err").open("wb") as err:
            child = subprocess.Popen(
                [*self.prefix, sys.executable, str(VICTIM), json.dumps(plan), command, *arguments, *options],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
                env={**os.environ, "NO_COLOR": "1", **self.environment},
                cwd=self.folder,
            )
            fired = 0.0
            if kill and not kill.at:
                fired = _kill_later(child, notes / "begun", kill)
            try:
                child.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                _kill_session(child.pid)
                raise AssertionError(f"{command} hung; {kill}:\n{(notes / 'err').read_text()}") from None
        ended_at = time.monotonic()
        fired = fired or _time_in(notes / "fired")
        delivered = bool(fired)
        self.kills += delivered
        return Ended(
            code=child.returncode,
            out=(notes / "out").read_text(),
            err=(notes / "err").read_text(),
            delivered=delivered,
            stop_s=ended_at - fired if delivered else 0.0,
            work_s=ended_at - (_time_in(notes / "begun") or ended_at),
            left_behind=_survivors(child.pid),
            passes=Counter((notes / "points").read_text().split("\n")[:-1]) if (notes / "points").exists() else {},
        )

    # Looking at what it left

    def outputs(self) -> dict[str, str]:
        """SHA-256 of every file in the output folder by name, hidden ones included."""
        return {path.name: digest(path) for path in sorted(self.out.iterdir())} if self.out.exists() else {}

    def verified(self) -> set[str]:
        """Keys of the steps whose record is whole, and whose artifacts are there with their sizes and hashes."""
        found = set()
        for path in (self.home / "store" / "records").glob("*/*.json"):
            with contextlib.suppress(OSError, ValueError, KeyError):
                body = json.loads(path.read_bytes())["record"]
                artifacts = body["artifacts"].values()
                if all(self._is_whole(item["digest"], item["size"]) for item in artifacts):
                    found.add(path.stem)
        return found

    def _is_whole(self, name: str, size: int) -> bool:
        path = self.artifact(name)
        return path.stat().st_size == size and digest(path) == name

    def records(self) -> dict[str, dict[str, Any]]:
        """The ledger's results by key, as they stand there."""
        with self.ledger() as connection:
            return {key: json.loads(text) for key, text in connection.execute("SELECT key, record FROM results")}

    def artifact(self, name: str) -> Path:
        return self.home / "store" / "objects" / name[:2] / name

    def events(self, *kinds: str) -> list[tuple[int, str, dict[str, Any]]]:
        """Number, kind and content of the ledger's events of all jobs, oldest first."""
        if not (self.home / "ledger.db").exists():
            return []
        with self.ledger() as connection:
            try:
                rows = connection.execute("SELECT id, kind, data FROM events ORDER BY id").fetchall()
            except driver().OperationalError:
                return []  # killed before the first table was made
        return [(number, kind, json.loads(data)) for number, kind, data in rows if not kinds or kind in kinds]

    @contextlib.contextmanager
    def ledger(self) -> Iterator[Any]:
        """A plain connection to the ledger's file."""
        connection = driver().connect(self.home / "ledger.db", timeout=30)
        try:
            yield connection
        finally:
            connection.close()

    def problems(self, lost: Collection[str] = ()) -> list[str]:
        """What a finished run must not leave: temporaries, held locks, leases, damaged artifacts, a ledger that is not sound."""
        found = [f"temporary left: {path}" for path in self.temporaries()]
        found += [f"lock held: {path}" for path in self.home.rglob("*.lock") if _is_held(path)]
        found += [f"owner left: {path}" for path in (self.home / "locks").glob("*.owner.json")]
        objects = (self.home / "store" / "objects").glob("*/*")
        found += [f"damaged artifact: {path.name}" for path in objects if digest(path) != path.name]
        with self.ledger() as connection:
            found += [f"ledger: {row[0]}" for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
            found += [f"ledger: dangling {tuple(row)}" for row in connection.execute("PRAGMA foreign_key_check")]
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if "leases" in tables:
                found += [f"lease left: {row[0]}" for row in connection.execute("SELECT key FROM leases")]
        if not lost:
            found += [f"repaired, though nothing was damaged: {data}" for _, _, data in self.events("repaired")]
        twice = [key for key, count in Counter(self.executed()).items() if count > 1 + (key in lost)]
        found += [f"a verified step was executed twice: {key}" for key in twice]
        return found

    def executed(self) -> list[str]:
        """Keys of the steps that were executed, once for each time."""
        return [data["key"] for _, _, data in self.events("step_executed")]

    def temporaries(self) -> list[Path]:
        """Files of a run's own that a run must not leave."""
        places = [
            *(self.home / "store" / "tmp").glob("*"),
            *self.home.rglob("*.part"),
            *self.home.rglob("ffmpeg-*.log"),
        ]
        return [*places, *(path for path in self.out.glob(".*"))]


def kill_and_resume(world: World, kills: list[Kill], wanted: dict[str, str], *, lost: Collection[str] = ()) -> Ended:
    """Render under the first kill, resume under the others, resume to the end; check all that must hold, after each.

    `lost` are the keys of steps whose artifacts were damaged before: they are executed once more. Returns how the last
    command ended.
    """
    begin: Callable[[Kill | None], Ended] = world.render
    for kill in kills:
        _checked(world, begin, kill)
        begin = world.resume
    ended = _checked(world, begin, None)
    assert ended.code == 0, ended
    assert ended.document["status"] == "done", ended
    assert world.outputs() == wanted
    problems = world.problems(lost)
    assert not problems, problems
    return ended


def _checked(world: World, begin: Callable[[Kill | None], Ended], kill: Kill | None) -> Ended:
    """One command, and what must hold of it alone: nothing verified is begun again, nothing lives on, and signals are obeyed."""
    known = world.verified()
    last = max((number for number, _, _ in world.events()), default=0)
    ended = begin(kill)
    assert ended.left_behind == (), f"alive after {kill}: {ended.left_behind}"
    begun = {data["key"] for number, _, data in world.events("step_started") if number > last}
    assert not begun & known, f"verified before, and executed again after {kill}: {begun & known}"
    assert known <= world.verified(), f"verified before, and gone after {kill}"
    if not ended.delivered or kill is None:
        return ended
    if kill.how in ("process", "group"):
        assert ended.code in (-signal.SIGKILL, 0), ended
    elif kill.how in ("SIGTERM", "SIGINT"):
        assert ended.code in (CancelledError.exit_code, 0) or ended.was_over, ended
        assert ended.stop_s < STOP_S, f"{kill}: stopped after {ended.stop_s:.2f} s"
        assert "Traceback" not in ended.err, ended.err
    else:
        # The run itself lives on, and begins the encode again.
        assert ended.code == 0, ended
    return ended


def drawn(seed: int, passes: dict[str, int], work_s: float) -> list[Kill]:
    """One to three kills: how and when by chance, at instants and at points; all that chance gave is told by the seed."""
    chance = random.Random(seed)
    ways = ("process", "process", "group", "group", "encoder", "SIGTERM", "SIGINT")
    kills = []
    for _ in range(chance.choice((1, 1, 2, 3))):
        how = chance.choice(ways)
        at = chance.choice(sorted(passes))
        kill = Kill(how, at, chance.randint(1, passes[at]))
        kills.append(kill if chance.random() < 0.3 else Kill(how, after_s=chance.uniform(0.0, 0.9 * work_s)))
    # The first comes at an instant at which there is sure to be work.
    return [replace(kills[0], at="", after_s=chance.uniform(0.0, 0.8 * work_s)), *kills[1:]]


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_hum(path: Path) -> None:
    """A second of a quiet tone."""
    import wave

    import numpy as np

    samples = (2000 * np.sin(np.arange(48_000) * 2 * np.pi * 220 / 48_000)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(samples.tobytes())


def _kill_later(child: subprocess.Popen[bytes], begun: Path, kill: Kill) -> float:
    """Kill from outside, `after_s` after the child has begun. Returns when, or 0 when it had ended before."""
    deadline = time.monotonic() + PATIENCE_S
    while not _time_in(begun) and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(max(0.0, _time_in(begun) + kill.after_s - time.monotonic()))
        return 0.0
    if kill.how == "encoder":
        return _kill_an_encoder(child)
    fired = time.monotonic()
    with contextlib.suppress(ProcessLookupError):
        if kill.how == "group":
            _kill_session(child.pid)
        else:
            child.send_signal(signal.SIGKILL if kill.how == "process" else signal.Signals[kill.how])
    return fired


def _kill_an_encoder(child: subprocess.Popen[bytes]) -> float:
    """The next ffmpeg that is seen; 0 when there is none any more."""
    while child.poll() is None:
        with contextlib.suppress(psutil.Error):
            for process in psutil.Process(child.pid).children(recursive=True):
                if "ffmpeg" in process.name():
                    process.kill()
                    return time.monotonic()
        time.sleep(0.002)
    return 0.0


def _session(leader: int) -> list[int]:
    found = []
    for pid in psutil.pids():
        with contextlib.suppress(OSError):
            if os.getsid(pid) == leader:
                found.append(pid)
    return found


def _kill_session(leader: int) -> None:
    for pid in _session(leader):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _survivors(leader: int) -> tuple[str, ...]:
    """Processes of a command's session that outlive it by more than five seconds; they are ended."""
    deadline = time.monotonic() + 5
    while True:
        alive = []
        for pid in _session(leader):
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(pid)
                if process.status() != psutil.STATUS_ZOMBIE:
                    alive.append(" ".join(process.cmdline()[:3]))
        if not alive or time.monotonic() > deadline:
            _kill_session(leader)
            return tuple(alive)
        time.sleep(0.02)


def _time_in(note: Path) -> float:
    try:
        return float(note.read_text() or 0)
    except FileNotFoundError:
        return 0.0


def _is_held(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
