"""What all fault runs share: one undisturbed run to compare with, and a count of the kills that were delivered."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from harness import World

_KILLS = "kills delivered"


@dataclass(frozen=True)
class Undisturbed:
    """What a run makes that nobody disturbs: its outputs' digests, each point's passes, the seconds of work, its steps' keys."""

    outputs: dict[str, str]
    passes: dict[str, int]
    work_s: float
    keys: frozenset[str]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.name != "posix":
        here = Path(__file__).parent
        for item in items:
            if here in item.path.parents:
                item.add_marker(pytest.mark.skip(reason="process groups, SIGKILL and flock are POSIX"))


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """Made once for a session."""
    world = World(tmp_path_factory.mktemp("undisturbed"))
    ended = world.render()
    assert ended.code == 0, ended
    assert world.problems() == []
    assert len(world.outputs()) >= 2
    return Undisturbed(world.outputs(), ended.passes, ended.work_s, frozenset(world.executed()))


@pytest.fixture
def make_world(tmp_path: Path, record_property: Callable[[str, Any], None]) -> Iterator[Callable[..., World]]:
    """Worlds of this test; their kills are counted."""
    worlds: list[World] = []

    def make(name: str = "world", **more: Any) -> World:
        worlds.append(World(tmp_path / name, **more))
        return worlds[-1]

    yield make
    record_property(_KILLS, sum(world.kills for world in worlds))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The sums over all tests, those of other workers included."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    shaken = [value for report in reports for name, value in report.user_properties if name == "shaken"]
    if shaken:
        codes = ", ".join(f"{count} × {code}" for code, count in sorted(Counter(item[0] for item in shaken).items()))
        faults, degradations = sum(item[1] for item in shaken), sum(item[2] for item in shaken)
        terminalreporter.write_line(
            f"{len(shaken)} shaken runs: exits {codes}; {faults} failures on purpose, {degradations} degradations"
        )
    # They are counted when a test's worlds are done with, which the report of its end alone tells.
    ends = [report for report in terminalreporter.stats.get("", []) if report.when == "teardown"]
    kills = sum(value for report in ends for name, value in report.user_properties if name == _KILLS)
    if kills:
        terminalreporter.write_line(f"{kills} kills delivered")
