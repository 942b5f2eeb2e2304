"""Kill it anywhere: the real command, killed at every crash point and at any instant, resumes to the same bytes."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from conftest import Undisturbed
from harness import Kill, World, drawn, kill_and_resume
from known_points import PASSED

MakeWorld = Callable[..., World]

# The default sample: chains of kills through one run, early points first, since a resumed run no longer comes by them.
CHAINS = {
    "before there is a job": [
        Kill("process", "ledger.upgrade:commit"),
        Kill("process", "job.note:before"),
        Kill("group", "ledger.put_job:commit"),
        Kill("SIGTERM", "ledger.set_state:after"),
    ],
    "between artifact, record and row": [
        Kill("process", "artifact.replace:after", 1),
        Kill("process", "record.replace:before", 1),
        Kill("process", "record.sync_folder:after", 2),
        Kill("process", "ledger.step_executed:commit", 2),
    ],
    "while segments are encoded": [
        Kill("group", "ledger.step_executed:after", 6),
        Kill("process", "scratch.make:after", 4),
        Kill("SIGINT", "ledger.attempt:before", 2),
        Kill("encoder", "scratch.lock:after", 1),
    ],
    "while the videos are handed over": [
        Kill("process", "output.copy:after", 2),
        Kill("group", "output.replace:after", 3),
        Kill("process", "ledger.set_state:commit"),
        Kill("process", "job.forget_note:before"),
    ],
}


@pytest.mark.parametrize("kills", CHAINS.values(), ids=CHAINS)
def test_a_run_that_is_killed_again_and_again_resumes_to_the_same_bytes(
    kills: list[Kill], make_world: MakeWorld, undisturbed: Undisturbed
) -> None:
    world = make_world()
    kill_and_resume(world, kills, undisturbed.outputs)
    assert world.kills == len(kills), "a kill of the sample came too late"
    assert world.verified() == undisturbed.keys


@pytest.mark.parametrize("seed", [1, 2])
def test_a_run_that_is_killed_at_any_instant_resumes_to_the_same_bytes(
    seed: int, make_world: MakeWorld, undisturbed: Undisturbed
) -> None:
    _run_seed(seed, make_world, undisturbed)


def test_the_encoder_dies_with_its_parent(make_world: MakeWorld) -> None:
    world = make_world()
    plan = Kill("process", "ledger.step_executed:after", 7)
    ended = world.render(plan)
    assert ended.delivered
    assert ended.left_behind == ()


@pytest.mark.faults
@pytest.mark.parametrize("point", PASSED)
@pytest.mark.parametrize("which", ["first", "any"])
def test_a_run_that_is_killed_at_a_crash_point_resumes_to_the_same_bytes(
    which: str, point: str, make_world: MakeWorld, undisturbed: Undisturbed
) -> None:
    chance = random.Random(f"{which} {point}")
    count = undisturbed.passes[point]
    nth = 1 if which == "first" else chance.randint(1, count)
    first = Kill(chance.choice(("process", "group")), point, nth)
    # The resumed run comes by again where there is more to do, and is killed there in half of the worlds.
    again = [Kill("process", point, 1)] if which == "any" else []
    print(*(str(kill) for kill in (first, *again)), sep="; ")
    world = make_world()
    kill_and_resume(world, [first, *again], undisturbed.outputs)
    assert world.kills >= 1


@pytest.mark.faults
@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT"])
@pytest.mark.parametrize(
    "point", [point for point in PASSED if point.endswith((":commit", "replace:before", "make:after"))]
)
def test_a_run_that_is_stopped_at_a_crash_point_ends_in_two_seconds_and_resumes(
    how: str, point: str, make_world: MakeWorld, undisturbed: Undisturbed
) -> None:
    nth = random.Random(f"{how} {point}").randint(1, undisturbed.passes[point])
    world = make_world()
    kill_and_resume(world, [Kill(how, point, nth)], undisturbed.outputs)
    assert world.kills == 1


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(100, 180))
def test_a_run_that_is_killed_by_chance_resumes_to_the_same_bytes(
    seed: int, make_world: MakeWorld, undisturbed: Undisturbed
) -> None:
    _run_seed(seed, make_world, undisturbed)


def _run_seed(seed: int, make_world: MakeWorld, undisturbed: Undisturbed) -> None:
    kills = drawn(seed, undisturbed.passes, undisturbed.work_s)
    print(f"seed {seed}: {'; '.join(str(kill) for kill in kills)}")
    world = make_world()
    kill_and_resume(world, kills, undisturbed.outputs)
    assert world.verified() == undisturbed.keys
