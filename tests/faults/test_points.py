"""The crash points: none is missing from the list, none in the list is passed by, and those off the usual way are killed at too."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Undisturbed
from harness import Kill, World, kill_and_resume
from known_points import PASSED, PASSED_ELSEWHERE

from checkpoints import crash_points
from tests.old_ledgers import first_ledger

PRODUCT = ("config", "checkpoints", "stages", "pipeline")
ROOT = Path(crash_points.__file__).parents[1]
# What publishes under a name that its caller gives, and the points that it passes.
NAMED_BY_CALLER = {
    "replace_durably": ("sync", "replace", "sync_folder"),
    "write_atomically": ("write", "sync", "replace", "sync_folder"),
    "copy_atomically": ("copy", "sync", "replace", "sync_folder"),
}


def is_known(name: str) -> bool:
    return name in PASSED or name.startswith(tuple(PASSED_ELSEWHERE))


def named_in(source: str) -> Iterator[str]:
    """The names of the points that a module passes, as far as it names them itself."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        values = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
        for name in [value for value in values if isinstance(value, str)][-1:]:
            if function == "reach":
                yield name
            elif function == "around":
                yield from (f"{name}:before", f"{name}:after")
            elif function in ("_write", "writing"):
                yield from (f"ledger.{name}:{when}" for when in ("before", "commit", "after"))
            elif function in NAMED_BY_CALLER:
                yield from (
                    f"{name}.{part}:{when}" for part in NAMED_BY_CALLER[function] for when in ("before", "after")
                )


def test_every_point_in_the_code_is_in_the_list() -> None:
    found = {
        name: path.relative_to(ROOT)
        for package in PRODUCT
        for path in (ROOT / package).rglob("*.py")
        for name in named_in(path.read_text(encoding="utf-8"))
    }
    assert len(found) > 40
    assert {name: path for name, path in found.items() if not is_known(name)} == {}


def test_a_run_passes_every_point_of_the_list_and_no_other(undisturbed: Undisturbed) -> None:
    assert [name for name in PASSED if name not in undisturbed.passes] == []
    assert [name for name in undisturbed.passes if not is_known(name)] == []


def test_nothing_is_noted_and_nothing_is_slow_where_nobody_listens() -> None:
    heard: list[str] = []
    crash_points.listen(heard.append)
    try:
        with crash_points.around("here"):
            crash_points.reach("there")
        with pytest.raises(ValueError), crash_points.around("where"):
            raise ValueError
    finally:
        crash_points.listen(None)
    crash_points.reach("nowhere")
    assert heard == ["here:before", "there", "here:after", "where:before"]


def forget_all_records(world: World) -> set[str]:
    """As after a lost ledger whose store lost its records: the artifacts alone are there."""
    shutil.rmtree(world.home / "store" / "records")
    for path in world.home.glob("ledger.db*"):
        path.unlink()
    return set()


def damage_artifacts(world: World) -> set[str]:
    """One bit is wrong in a segment and in each finished video. Returns the keys of the steps that made them."""
    records = world.records()
    damaged = {key for key, record in records.items() if record["stage"] == "mux"}
    damaged.add(min(key for key, record in records.items() if record["stage"] == "segment"))
    for key in damaged:
        path = world.artifact(max(records[key]["artifacts"].values(), key=lambda one: one["size"])["digest"])
        path.chmod(0o644)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    return damaged


def age_the_ledger(world: World) -> set[str]:
    """As a former version left it: the first schema, empty."""
    for path in world.home.glob("ledger.db*"):
        path.unlink()
    first_ledger(world.home / "ledger.db")
    return set()


@pytest.mark.faults
@pytest.mark.parametrize(
    ("prepare", "point"),
    [
        (forget_all_records, "artifact.drop_equal:before"),
        (forget_all_records, "artifact.drop_equal:after"),
        *((damage_artifacts, f"ledger.forget_result:{when}") for when in ("before", "commit", "after")),
        *((damage_artifacts, f"ledger.event:{when}") for when in ("before", "commit", "after")),
        *((damage_artifacts, f"ledger.steps_reused:{when}") for when in ("before", "commit", "after")),
        *((age_the_ledger, f"ledger.back_up:{when}") for when in ("before", "after")),
        *((age_the_ledger, f"ledger.upgrade:{when}") for when in ("before", "commit", "after")),
    ],
)
def test_a_run_that_is_killed_off_the_usual_way_resumes_to_the_same_bytes(
    prepare: Callable[[World], set[str]], point: str, make_world: Callable[..., Any], undisturbed: Undisturbed
) -> None:
    world = make_world()
    assert world.render().code == 0
    shutil.rmtree(world.out)
    lost = prepare(world)
    kill_and_resume(world, [Kill("process", point)], undisturbed.outputs, lost=lost)
    assert world.kills == 1
