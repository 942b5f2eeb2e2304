"""Three of ten calls fail on purpose, in every stage and every way: each run makes its video, and accounts for what happened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chaos import SMALL, Account, Ended, World

from config.watching import FAULT_KINDS

SAMPLE = Path(__file__).parents[2] / "sample_media" / "brief.md"
PARTS = 3
# Together they fail in every way and at every stage.
SEEDS = (4, 7, 13)

Make = Callable[..., World]
Record = Callable[[str, Any], None]


@pytest.fixture
def short(tmp_path: Path) -> Path:
    """The sample brief's beginning, its words handed to the writer: so that every stage has something to do."""
    _, head, text = SAMPLE.read_text(encoding="utf-8").split("---\n", 2)
    said = [part for part in text.split("\n\n") if not part.strip().startswith(("#", "!"))][:PARTS]
    music = SAMPLE.parent / "music" / "harbour-lights.ogg"
    path = tmp_path / "short.md"
    path.write_text(f"---\n{head.replace('music/harbour-lights.ogg', str(music))}---\n\n" + "\n\n".join(said) + "\n")
    return path


@pytest.fixture
def make_world(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., World]:
    # A slow answer is one all the same, and nobody has to wait for it here.
    monkeypatch.setattr("pipeline.resilience.fault_injection._SLOW_S", 0.0)

    def make(brief: Path, name: str = "world", settings: dict[str, Any] = SMALL) -> World:
        return World(tmp_path / name, brief, capsys, settings)

    return make


def shaken(world: World, seed: int, record: Record) -> Ended:
    """One shaken run, every word of which is true."""
    ended = world.shaken(seed)
    account = Account(ended)
    problems = account.problems(world.asked("metrics"), world.asked("breakers")["circuitBreakers"])
    record("shaken", (ended.code, len(account.faults), len(ended.report["degradations"])))
    assert problems == []
    return ended


def test_shaken_runs_of_a_short_brief_end_well_and_leave_a_home_that_is_as_good_as_new(
    make_world: Make, short: Path, record_property: Record
) -> None:
    worlds = {seed: make_world(short, f"world-{seed}") for seed in SEEDS}
    ended = [shaken(world, seed, record_property) for seed, world in worlds.items()]
    assert {fault["kind"] for one in ended for fault in one.of("fault_injected")} == set(FAULT_KINDS)
    failed = {row["operation"] for one in ended for row in one.attempts if row["outcome"] == "failed"}
    assert failed >= {"write", "speak", "draw", "encode", "mix"}
    assert {event["new"] for one in ended for event in one.of("circuit_changed")} >= {"open", "half-open"}
    assert {item["got"] for one in ended for item in one.report["degradations"]} >= {"template", "text", "placeholder"}
    world = worlds[SEEDS[-1]]
    restored = world.undisturbed("--restore-quality")
    assert (restored.code, restored.report["degradations"]) == (0, [])
    assert restored.digests == make_world(short, "fresh").undisturbed().digests


@pytest.mark.faults
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(50))
def test_the_sample_brief_ends_well_with_any_seed(make_world: Make, seed: int, record_property: Record) -> None:
    world = make_world(SAMPLE)
    shaken(world, seed, record_property)
    if seed % 10 == 0:
        restored = world.undisturbed("--restore-quality")
        assert (restored.code, restored.report["degradations"]) == (0, [])
        assert restored.digests == make_world(SAMPLE, "fresh").undisturbed().digests


@pytest.mark.faults
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(100, 120))
def test_a_script_that_is_still_to_be_written_ends_well_with_any_seed(
    make_world: Make, short: Path, seed: int, record_property: Record
) -> None:
    shaken(make_world(short), seed, record_property)


@pytest.mark.faults
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_sample_brief_at_its_full_size_ends_well(make_world: Make, seed: int, record_property: Record) -> None:
    shaken(make_world(SAMPLE, settings={}), seed, record_property)
