"""What the C library and Python's collector are told about memory."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from stages import process_memory

ON_GLIBC = pytest.mark.skipif(
    process_memory._glibc() is None, reason="only glibc keeps what was freed, and gives it back"
)


@pytest.fixture(autouse=True)
def _collector_stays_on() -> Iterator[None]:
    yield
    gc.enable()


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


# Of 1080p, in bytes: as it comes in, and as an encoder keeps it, with its copy at half the size.
RAW_FRAME = 1920 * 1080 * 3 // 2
ENCODERS_FRAME = RAW_FRAME + 1920 * 1080


@ON_GLIBC
def test_freed_blocks_below_one_that_stays_are_given_back() -> None:
    blocks = [bytes(2000) for _ in range(40_000)]
    full = resident_bytes()
    # Held, the last one keeps the heap from shrinking by itself.
    last = blocks[-1]
    blocks.clear()
    process_memory.give_back()
    assert full - resident_bytes() > 50_000_000
    assert len(last) == 2000


@ON_GLIBC
@pytest.mark.parametrize("of_user", [None, "5000000"])
def test_children_are_told_what_to_keep_unless_the_user_has_said_otherwise(of_user: str | None) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    if of_user:
        environ["MALLOC_MMAP_THRESHOLD_"] = of_user
    script = """import os; from stages.process_memory import be_frugal; be_frugal()
print(os.environ["MALLOC_MMAP_THRESHOLD_"], os.environ["MALLOC_TRIM_THRESHOLD_"])"""
    said = subprocess.run([sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=True)
    keeps, trims = map(int, said.stdout.split())
    assert keeps == int(of_user or 0) or (not of_user and RAW_FRAME < keeps < ENCODERS_FRAME)
    assert trims > RAW_FRAME


def test_without_glibc_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_memory, "_glibc", lambda: None)
    monkeypatch.delenv("MALLOC_MMAP_THRESHOLD_", raising=False)
    process_memory.give_back()
    process_memory.be_frugal()
    assert "MALLOC_MMAP_THRESHOLD_" not in os.environ


def test_the_collector_rests_and_is_on_again_afterwards_whatever_happens() -> None:
    gc.enable()
    seen = []

    @process_memory.uncollected()
    def fail() -> None:
        seen.append(gc.isenabled())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [*seen, gc.isenabled()] == [False, True]


def test_the_collector_rests_until_the_one_who_stopped_it_is_done() -> None:
    gc.enable()
    with process_memory.uncollected():
        with process_memory.uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_many_objects_made_meanwhile_count_as_old_and_are_still_collected() -> None:
    class Knot:
        def __init__(self) -> None:
            self.itself = self

    gc.enable()
    with process_memory.uncollected():
        knots = [Knot() for _ in range(process_memory._MANY_OBJECTS + 1)]
    assert gc.get_count()[0] < process_memory._MANY_OBJECTS
    assert gc.get_freeze_count() == 0
    last = weakref.ref(knots.pop())
    del knots
    gc.collect()
    assert last() is None


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    with process_memory.uncollected():
        pass
    assert not gc.isenabled()
