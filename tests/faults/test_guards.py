"""Guards that no room's own tests reach: each fails when its guard is taken away (mutants.py)."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from conftest import Undisturbed
from harness import World

from checkpoints.ledger.ledger import Ledger
from pipeline.planning import step_keys
from stages.base import CancelToken
from stages.render.ffmpeg import process
from stages.render.ffmpeg.process import FfmpegRun, ffmpeg_path, run_ffmpeg

MakeWorld = Callable[..., World]


def test_a_commit_is_on_the_disk_when_it_returns(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    with ledger.writing("a_test") as connection:
        level = connection.execute("PRAGMA synchronous").fetchone()[0]
    ledger.close()
    assert level == 2, "FULL is what syncs the log at every commit"


def swapped(world: World, path: Path) -> None:
    """Another artifact of the store stands in its place."""
    other = next(one for one in sorted(path.parents[1].glob("*/*")) if one != path)
    data = other.read_bytes()
    path.write_bytes(data)


def torn(world: World, path: Path) -> None:
    """Its second half never reached the disk: zeros, as after a power cut."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(size // 2)
        file.truncate(size)


def flipped(world: World, path: Path) -> None:
    """One bit, with size and time as they were."""
    before = path.stat()
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 0x20
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def truncated(world: World, path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def missing(world: World, path: Path) -> None:
    path.unlink()


@pytest.mark.faults
@pytest.mark.parametrize("stage", ["speech", "images", "segment", "mix"])
@pytest.mark.parametrize("damage", [swapped, torn, flipped, truncated, missing])
def test_a_damaged_artifact_is_found_out_and_its_step_alone_is_made_again(
    damage: Callable[[World, Path], None], stage: str, make_world: MakeWorld, undisturbed: Undisturbed
) -> None:
    _damage_and_render(make_world(), damage, stage, undisturbed)


def test_a_flipped_bit_is_found_out_and_its_step_alone_is_made_again(
    make_world: MakeWorld, undisturbed: Undisturbed
) -> None:
    _damage_and_render(make_world(), flipped, "segment", undisturbed)


def _damage_and_render(
    world: World, damage: Callable[[World, Path], None], stage: str, undisturbed: Undisturbed
) -> None:
    """Damage the first artifact of a stage, and the videos that are made of it: else nobody would ask for it."""
    assert world.render().code == 0
    records = world.records()
    victim = min(key for key, record in records.items() if record["stage"] == stage)
    finals = {key for key, record in records.items() if record["stage"] == "mux"}
    for key in (victim, *finals):
        path = world.artifact(max(records[key]["artifacts"].values(), key=lambda one: one["size"])["digest"])
        path.chmod(0o644)
        (damage if key == victim else flipped)(world, path)
    last = max(number for number, _, _ in world.events())
    ended = world.render()
    assert ended.code == 0, ended
    assert world.outputs() == undisturbed.outputs
    assert world.problems(lost={victim, *finals}) == []
    told = world.events("step_executed", "repaired")
    begun = {data["key"] for number, kind, data in told if number > last and kind == "step_executed"}
    assert begun == {victim, *finals}
    repaired = [data["stage"] for number, kind, data in told if number > last and kind == "repaired"]
    assert sorted(repaired) == sorted([stage, *("mux" for _ in finals)])


def test_an_output_that_was_changed_is_delivered_again(make_world: MakeWorld, undisturbed: Undisturbed) -> None:
    world = make_world()
    assert world.render().code == 0
    video = next(world.out.glob("*-youtube.mp4"))
    flipped(world, video)
    assert world.outputs() != undisturbed.outputs
    ended = world.render()
    assert ended.document["steps"]["executed"] == 0
    assert world.outputs() == undisturbed.outputs


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process say that it may go first")
def test_an_encoder_is_the_first_to_go_where_memory_runs_out(tmp_path: Path) -> None:
    seen: list[int] = []

    def look(frame: int) -> None:
        children = psutil.Process().children()
        seen.extend(int(Path(f"/proc/{child.pid}/oom_score_adj").read_text()) for child in children)

    run = FfmpegRun("frames", tmp_path, CancelToken(), on_frame=look)
    # It tells of frames twice a second by itself: so short a film may be over before the first time.
    run_ffmpeg(["-stats_period", "0.05", "-re", "-f", "lavfi", "-i", "testsrc=s=64x36:d=0.8", "-f", "null", "-"], run)
    own = int(Path("/proc/self/oom_score_adj").read_text())
    assert seen
    assert min(seen) > own


def test_a_trial_that_is_killed_does_not_change_the_ffmpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    import imageio_ffmpeg

    monkeypatch.delenv("FRAMEKEEP_FFMPEG", raising=False)
    monkeypatch.delenv("IMAGEIO_FFMPEG_EXE", raising=False)
    known = ffmpeg_path()
    # What the package answers when its own trial run of the binary did not end well.
    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", lambda: "ffmpeg")
    process.ffmpeg_path.cache_clear()
    try:
        assert ffmpeg_path() == known
    finally:
        process.ffmpeg_path.cache_clear()


def test_another_version_of_our_code_makes_its_own_results(
    monkeypatch: pytest.MonkeyPatch, stub_toolbox: object
) -> None:
    from stages.render.specs import MuxSpec

    spec = MuxSpec.model_construct()
    monkeypatch.setattr(MuxSpec, "model_dump", lambda *_, **__: {})
    before = step_keys.mux(spec, stub_toolbox)  # type: ignore[arg-type]
    monkeypatch.setattr(step_keys, "code_digest", lambda *packages: f"the next version of {packages}")
    assert step_keys.mux(spec, stub_toolbox) != before  # type: ignore[arg-type]
