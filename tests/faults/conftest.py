"""What all fault runs share: one undisturbed run to compare with."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from harness import World


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
    record_property("kills", sum(world.kills for world in worlds))
