"""Memory that runs out, for real: the command in a control group with a limit, and the kernel's own killer."""

from __future__ import annotations

import contextlib
import copy
import signal
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import SETTINGS, World

MakeWorld = Callable[..., World]

ROOT = Path("/sys/fs/cgroup")
MB = 1_000_000
# Enough for the run by itself (340 MB at most), not for it and an encoder of large frames (another 170 MB).
LIMIT = 420 * MB
TOO_LITTLE = 100 * MB
PLENTY = 4000 * MB
DONE, DEGRADED, PARKED = 0, 3, 75

# One shape, one scene, a second of speech: large frames are what needs memory.
BRIEF = """---
title: A small light
seed: 3
exports: [youtube]
---

## One
A lamp was lit.
"""


class Group:
    """A control group with a limit of memory; version 1 and version 2 of the kernel's interface."""

    def __init__(self, folder: Path, limit: str) -> None:
        self._folder = folder
        self._limit = limit
        # Enters the group, then becomes the command.
        self.prefix = ("sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', str(folder))

    def set_limit(self, size: int) -> None:
        (self._folder / self._limit).write_text(str(size))

    @property
    def kills(self) -> int:
        for name in ("memory.oom_control", "memory.events"):
            with contextlib.suppress(OSError):
                lines = (self._folder / name).read_text().splitlines()
                return next(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
        return 0


@pytest.fixture
def group() -> Iterator[Group]:
    name = f"framekeep-test-{uuid.uuid4().hex[:8]}"
    version_1 = ROOT / "memory" / "memory.limit_in_bytes"
    parent = ROOT / "memory" if version_1.exists() else ROOT
    folder = parent / name
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made below {parent}: {error.strerror}")
    try:
        limit = next((one for one in ("memory.limit_in_bytes", "memory.max") if (folder / one).exists()), "")
        if not limit:
            pytest.skip(f"control groups below {parent} have no limit of memory")
        yield Group(folder, limit)
    finally:
        folder.rmdir()


def settings_at(*resolutions: str) -> dict[str, Any]:
    settings = copy.deepcopy(SETTINGS)
    settings["rendering"] |= {"preset": "slower", "jobs": 1}
    settings["quality"]["levels"] = [
        {"name": name, "resolution": resolution, "bitrate_bps": "1M", "priority": number}
        for number, (name, resolution) in enumerate(zip(("High", "Medium", "Low"), resolutions, strict=False), 1)
    ]
    return settings


@pytest.mark.faults
def test_an_encoder_that_the_kernel_kills_for_its_memory_is_replaced_by_a_smaller_one(
    group: Group, make_world: MakeWorld
) -> None:
    world = make_world(brief=BRIEF, settings=settings_at("2560x1440", "320x180"))
    world.prefix = group.prefix
    group.set_limit(LIMIT)
    ended = world.render()
    assert group.kills >= 1
    assert ended.code == DEGRADED, ended
    (degradation,) = ended.document["degradations"]
    assert (degradation["wanted"], degradation["got"]) == ("High", "Medium")
    assert "Memory ran out" in degradation["reason"]
    assert world.problems() == []
    assert ended.left_behind == ()


@pytest.mark.faults
def test_a_job_for_which_there_is_never_enough_memory_parks_and_goes_on_with_more(
    group: Group, make_world: MakeWorld
) -> None:
    world = make_world(brief=BRIEF, settings=settings_at("2560x1440"))
    world.prefix = group.prefix
    group.set_limit(LIMIT)
    ended = world.render()
    assert ended.code == PARKED, ended
    assert ended.document["error"]["code"] == "OUT_OF_MEMORY"
    known = world.verified()
    assert known
    group.set_limit(PLENTY)
    again = world.resume()
    assert again.code == DONE, again
    assert known <= world.verified()
    assert world.problems() == []


@pytest.mark.faults
def test_a_run_that_the_kernel_kills_itself_for_its_memory_resumes(group: Group, make_world: MakeWorld) -> None:
    world = make_world(brief=BRIEF, settings=settings_at("320x180"))
    world.prefix = group.prefix
    group.set_limit(TOO_LITTLE)
    ended = world.render()
    assert ended.code == -signal.SIGKILL, ended
    assert ended.left_behind == ()
    known = world.verified()
    group.set_limit(PLENTY)
    again = world.resume()
    assert again.code == DONE, again
    assert known <= world.verified()
    assert world.problems() == []
