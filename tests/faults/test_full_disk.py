"""A disk that fills up in the middle of a run, for real: a small tmpfs under the store, the ledger, the output, the temporaries."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Undisturbed
from harness import Kill, World

from config.errors import DiskFullError

# More than the reserve that a run insists on before it begins.
ROOMY = "96m"
SMALL = "4m"
DONE, DEGRADED, PARKED = 0, 3, DiskFullError.exit_code

MakeWorld = Callable[..., World]


def _can_mount() -> str:
    """Why nothing can be mounted here; empty where it can."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            subprocess.run(["umount", folder], check=True)
    return done.stderr.strip() if done.returncode else ""


@pytest.fixture(scope="session")
def mounting() -> None:
    try:
        reason = _can_mount()
    except FileNotFoundError:
        reason = "there is no `mount`"
    if reason:
        pytest.skip(f"no tmpfs can be mounted here: {reason}")


@contextlib.contextmanager
def tmpfs(folder: Path, size: str) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextlib.contextmanager
def small(world: World, place: str) -> Iterator[Path]:
    """The world with one of its places on a disk of its own; that disk's folder."""
    with contextlib.ExitStack() as stack:
        if place == "home":
            stack.enter_context(tmpfs(world.home, ROOMY))
            yield world.home
        elif place == "store":
            stack.enter_context(tmpfs(world.home / "store", ROOMY))
            yield world.home / "store"
        elif place == "ledger":
            stack.enter_context(tmpfs(world.home, SMALL))
            stack.enter_context(tmpfs(world.home / "store", ROOMY))
            yield world.home
        elif place == "output":
            stack.enter_context(tmpfs(world.out, SMALL))
            yield world.out
        else:
            stack.enter_context(tmpfs(world.folder / "temp", SMALL))
            world.environment["TMPDIR"] = str(world.folder / "temp")
            yield world.folder / "temp"


# Where the disk is, at which pass of which point it fills up, and how many bytes are left then.
CASES = [
    ("store", "artifact.sync:before", 3, 0),
    ("store", "scratch.make:after", 12, 4096),
    ("store", "ledger.step_executed:after", 8, 0),
    ("store", "ledger.step_executed:after", 8, 40_000),
    ("store", "record.write:before", 4, 0),
    ("home", "ledger.step_started:before", 5, 0),
    ("home", "ledger.step_started:before", 9, 20_000),
    ("home", "ledger.step_started:before", 9, 120_000),
    ("home", "note.write:before", 1, 0),
    ("home", "job.note:before", 1, 0),
    ("ledger", "ledger.put_job:before", 1, 0),
    ("ledger", "ledger.step_started:before", 4, 0),
    ("ledger", "ledger.step_executed:before", 6, 0),
    ("ledger", "ledger.step_executed:before", 6, 8192),
    ("output", "output.copy:before", 1, 0),
    ("output", "output.copy:before", 1, 30_000),
    ("output", "output.copy:before", 6, 4096),
    ("temp", "job.lock:before", 1, 0),
]


@pytest.mark.usefixtures("mounting")
@pytest.mark.parametrize(("place", "point", "nth", "leave"), [CASES[2], CASES[12], CASES[15]])
def test_a_disk_that_fills_up_parks_the_job_which_then_resumes_to_the_same_bytes(
    place: str, point: str, nth: int, leave: int, make_world: MakeWorld, undisturbed: Undisturbed
) -> None:
    _fill_and_resume(place, point, nth, leave, make_world(), undisturbed)


@pytest.mark.faults
@pytest.mark.usefixtures("mounting")
@pytest.mark.parametrize(("place", "point", "nth", "leave"), CASES)
def test_a_disk_that_fills_up_anywhere_costs_nothing_that_was_finished(
    place: str, point: str, nth: int, leave: int, make_world: MakeWorld, undisturbed: Undisturbed
) -> None:
    _fill_and_resume(place, point, nth, leave, make_world(), undisturbed)


@pytest.mark.faults
@pytest.mark.usefixtures("mounting")
@pytest.mark.parametrize(
    "point",
    [f"ledger.{write}:{when}" for write in ("step_failed", "set_options") for when in ("before", "commit", "after")],
)
def test_a_run_that_is_killed_while_it_copes_with_a_full_disk_resumes(
    point: str, make_world: MakeWorld, undisturbed: Undisturbed
) -> None:
    world = make_world()
    with small(world, "store") as disk:
        # As the last step begins, which joins an export's segments: it is planned again, one level lower.
        full = Kill(f"fill {disk} 0", "ledger.step_started:after", undisturbed.passes["ledger.step_started:after"])
        ended = world.run("render", str(world.brief), "--out", str(world.out), kill=full, then=Kill("process", point))
        assert ended.code == -signal.SIGKILL, ended
        known = world.verified()
        (disk / "ballast").unlink()
        _finish(world, undisturbed)
        assert known <= world.verified()


def test_a_disk_that_is_too_small_from_the_start_is_told_before_any_work(make_world: MakeWorld, mounting: None) -> None:
    world = make_world()
    with tmpfs(world.home, SMALL):
        ended = world.render()
        assert ended.code == PARKED
        assert ended.document["error"]["code"] == DiskFullError.code
        assert "MB are needed" in ended.document["error"]["message"]
        assert world.executed() == []


def _fill_and_resume(place: str, point: str, nth: int, leave: int, world: World, undisturbed: Undisturbed) -> None:
    with small(world, place) as disk:
        ended = world.render(Kill(f"fill {disk} {leave}", point, nth))
        assert ended.delivered, "the disk was never filled"
        assert ended.left_behind == ()
        assert "Traceback" not in ended.err, ended.err
        if place == "temp":
            assert ended.code == DONE, ended
        else:
            assert ended.code in (PARKED, DEGRADED, DONE), (ended.document.get("error"), ended)
        if ended.code == PARKED:
            assert ended.document["error"]["code"] == DiskFullError.code, ended
            assert "framekeep resume" in ended.err or "run the same command again" in ended.err
        assert [path for path in world.temporaries() if "ballast" not in path.name] == []
        known = world.verified()
        (disk / "ballast").unlink()
        _finish(world, undisturbed)
        assert known <= world.verified()


def _finish(world: World, undisturbed: Undisturbed) -> None:
    """With space again: to the end, and where quality stepped down, back to what was asked for."""
    ended = world.resume()
    assert ended.code in (DONE, DEGRADED), ended
    if ended.code == DEGRADED:
        levels = {item["got"] for item in ended.document["degradations"]}
        assert levels <= {"Medium", "Low"}, ended.document["degradations"]
        ended = world.run("render", str(world.brief), "--out", str(world.out), "--restore-quality")
        assert ended.code == DONE, ended
    assert world.outputs() == undisturbed.outputs
    assert world.problems() == []
