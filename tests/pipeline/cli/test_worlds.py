"""The world changes between two runs: clocks, folders, users, inputs. Each ends in the right video or in a clear error."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import wave
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import pipeline.home
from checkpoints import files
from checkpoints.ledger.ledger import Ledger
from checkpoints.ledger.mirrored import NotedLedger
from checkpoints.ownership.locks import job_lock
from checkpoints.store.store import Store
from config.settings import Settings
from pipeline import Event, Pipeline, Result
from pipeline.cli.app import main
from pipeline.home import Home
from pipeline.maintenance.gc import collect
from tests.conftest import TINY

SETTINGS = Settings.model_validate(TINY | {"rendering": TINY["rendering"] | {"jobs": 1}})
BRIEF = """---
title: Two lamps
seed: 3
music: hum.wav
pictures: photos/
---

## One
![](one.png)
A lamp is lit.

## Two
Ships see it.
"""
YEARS = 31_557_600.0
CLOCKS = {"an hour later": 3600.0, "an hour earlier": -3600.0, "1980": -46 * YEARS, "2040": 14 * YEARS}


class World:
    """A folder of inputs, and a home in which a render of them was interrupted after its first segment."""

    def __init__(self, root: Path) -> None:
        self.inputs, self.out, self.home = root / "inputs", root / "out", root / "home"
        (self.inputs / "photos").mkdir(parents=True)
        picture(self.inputs / "one.png", "navy")
        picture(self.inputs / "photos" / "two.png", "teal")
        with wave.open(str(self.inputs / "hum.wav"), "wb") as hum:
            hum.setparams((1, 2, 48_000, 0, "NONE", ""))
            hum.writeframes(b"\x00\x01" * 48_000)
        self.brief = self.inputs / "two.md"
        self.brief.write_text(BRIEF)

    def render(self, home: Path | None = None, stop: bool = False) -> tuple[Result, Counter[str]]:
        return self.run(lambda pipeline: pipeline.render(self.brief, output=self.out), home, stop)

    def resume(self, home: Path | None = None) -> tuple[Result, Counter[str]]:
        return self.run(lambda pipeline: pipeline.resume(), home)

    def run(
        self, work: Callable[[Pipeline], Result], home: Path | None = None, stop: bool = False
    ) -> tuple[Result, Counter[str]]:
        """Do `work`; its result and the executed steps by stage. With `stop`, cancel after the first segment."""
        made: Counter[str] = Counter()

        def note(event: Event) -> None:
            if event.kind == "step_executed":
                made[event.data["stage"]] += 1
                if stop and event.data["stage"] == "segment":
                    pipeline.cancel()

        with Pipeline(SETTINGS, home=home or self.home, on_event=note) as pipeline:
            return work(pipeline), made


def picture(path: Path, colour: str) -> None:
    Image.new("RGB", (320, 180), colour).save(path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, str, Counter[str]]:
    """The world, what its brief makes undisturbed, and what its interrupted run left to do."""
    world = World(tmp_path_factory.mktemp("world"))
    whole, steps = world.render(home=world.home.with_name("undisturbed"))
    assert whole.status == "done", whole.error
    stopped, done = world.render(stop=True)
    assert stopped.status == "interrupted"
    shutil.copytree(world.inputs, world.inputs.with_name("inputs-kept"))
    return world, whole.outputs[0].sha256, steps - done


@pytest.fixture
def world(made: tuple[World, str, Counter[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The world with a copy of its home; its inputs are put back afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FRAMEKEEP_HOME", str(tmp_path / "home"))
    world = made[0]
    shutil.rmtree(world.out, ignore_errors=True)
    shutil.copytree(world.home, tmp_path / "home")
    mine = World.__new__(World)
    mine.inputs, mine.out, mine.home, mine.brief = world.inputs, world.out, tmp_path / "home", world.brief
    yield mine
    for gone in (world.inputs, world.out):
        shutil.rmtree(gone, ignore_errors=True)
        gone.unlink(missing_ok=True)
    shutil.copytree(world.inputs.with_name("inputs-kept"), world.inputs)


@pytest.fixture
def goes_on(made: tuple[World, str, Counter[str]]) -> Callable[[Result, Counter[str]], None]:
    """Asserts that a run made the undisturbed video, and exactly what was left to do."""

    def check(result: Result, steps: Counter[str]) -> None:
        assert result.status == "done", result.error
        assert result.outputs[0].sha256 == made[1]
        assert steps == made[2]

    return check


# Clocks


class Clock:
    """The time of day of everything under test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.offset = 0.0
        real = time.time
        now: Callable[[], float] = lambda: real() + self.offset  # noqa: E731 - handed on three times
        monkeypatch.setattr(time, "time", now)
        monkeypatch.setattr(pipeline.home, "NotedLedger", lambda path, notes: NotedLedger(path, notes, now))
        monkeypatch.setattr(pipeline.home, "Store", lambda root: Store(root, wall=now))


@pytest.mark.parametrize("jump", CLOCKS.values(), ids=CLOCKS.keys())
def test_a_clock_that_is_set_between_two_runs_changes_nothing(
    world: World, goes_on: Any, monkeypatch: pytest.MonkeyPatch, jump: float, capsys: pytest.CaptureFixture[str]
) -> None:
    Clock(monkeypatch).offset = jump
    goes_on(*world.resume())
    assert main(["jobs"]) == 0
    assert "done" in capsys.readouterr().out


@pytest.mark.parametrize("jump", [CLOCKS["1980"], CLOCKS["2040"]], ids=["1980", "2040"])
def test_a_clock_that_is_set_during_a_run_changes_nothing(
    world: World, goes_on: Any, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    clock = Clock(monkeypatch)
    steps: Counter[str] = Counter()

    def note(event: Event) -> None:
        if event.kind == "step_executed":
            steps[event.data["stage"]] += 1
            clock.offset = jump * (steps.total() % 2)

    with Pipeline(SETTINGS, home=world.home, on_event=note) as running:
        result = running.resume()
        row = running.job(result.job_id)
    goes_on(result, steps)
    assert row.state == "done"


def test_the_latest_job_is_the_one_that_ran_last_whatever_the_clock_said(tmp_path: Path) -> None:
    times = iter([2e9, 2e9, 3e8, 3e8, 1e9, 1e9])
    ledger = Ledger(tmp_path / "ledger.db", wall=lambda: next(times))
    for job in ("a-1", "b-2", "c-3"):
        ledger.put_job(job, job, {}, {})
        ledger.set_state(job, "interrupted")
    assert [row.id for row in ledger.jobs()] == ["c-3", "b-2", "a-1"]
    ledger.close()


@pytest.mark.parametrize("jump", CLOCKS.values(), ids=CLOCKS.keys())
def test_a_clean_up_by_a_wrong_clock_takes_nothing_from_a_running_job(world: World, jump: float) -> None:
    """Not even what it has published and not yet noted."""
    home = Home(world.home)
    (job,) = home.ledger.jobs()
    home.ledger.set_state(job.id, "running")
    with home.store.scratch() as folder:
        (folder / "fresh").write_text("just made")
        fresh = home.store.publish(folder / "fresh")
    before = {digest for digest, _, _ in home.store.artifacts()}
    with job_lock(home.locks, job.id):
        report = collect(home, older_than_s=0, max_bytes=0, keep_last=0, dry_run=False, now=time.time() + jump)
    assert report.artifacts == 0
    assert {digest for digest, _, _ in home.store.artifacts()} == before
    assert fresh.digest in before
    home.close()


@pytest.mark.parametrize("jump", CLOCKS.values(), ids=CLOCKS.keys())
def test_a_temporary_file_is_stale_when_its_writer_is_gone_and_not_by_the_clock(tmp_path: Path, jump: float) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    others = tmp_path / f".v.mp4.{files._OWNER}-{child.pid}-{'0' * 32}.part"
    mine = tmp_path / f".v.mp4.{files._OWNER}-{os.getpid()}-{'1' * 32}.part"
    before_me = tmp_path / f".v.mp4.{files._OWNER}-{os.getpid()}-{'2' * 32}.part"
    for part in (others, mine, before_me):
        part.write_text("half")
    files._being_written.add(mine.name)
    try:
        assert files.remove_stale_parts(tmp_path, ".v.mp4.*", time.time() + jump) == 1
        assert (others.exists(), mine.exists(), before_me.exists()) == (True, True, False)
    finally:
        files._being_written.discard(mine.name)
        child.communicate(b"\n")
    assert files.remove_stale_parts(tmp_path, ".v.mp4.*", time.time() + jump) == 2


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system cannot change a process's time zone")
def test_another_time_zone_changes_what_is_shown_and_nothing_else(
    world: World, goes_on: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told, listed = set(), set()
    for zone in ("Pacific/Auckland", "America/Los_Angeles"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        assert main(["jobs", "--json"]) == 0
        told.add(capsys.readouterr().out)
        assert main(["jobs"]) == 0
        listed.add(capsys.readouterr().out)
    try:
        goes_on(*world.resume())
    finally:
        monkeypatch.undo()
        time.tzset()
    assert (len(told), len(listed)) == (1, 2)


# Folders


def test_a_home_that_was_moved_goes_on_where_it_is(world: World, goes_on: Any, tmp_path: Path) -> None:
    moved = tmp_path / "another disk" / "home"
    moved.parent.mkdir()
    world.home.rename(moved)
    goes_on(*world.resume(home=moved))
    assert not world.home.exists()


RESUME = """
import json, sys
from pathlib import Path
import pipeline
from config.settings import Settings
assert Path(pipeline.__file__).is_relative_to(sys.argv[1]), pipeline.__file__
assert sys.prefix == sys.argv[2], sys.prefix
with pipeline.Pipeline(Settings.model_validate(json.loads(sys.argv[3])), home=sys.argv[4]) as running:
    print(running.resume().model_dump_json())
"""


@pytest.mark.skipif(os.name == "nt", reason="symbolic links need a privilege there")
def test_a_program_that_stands_elsewhere_finds_all_that_was_made(
    world: World, made: tuple[World, str, Counter[str]], tmp_path: Path
) -> None:
    checkout = Path(pipeline.__file__).parent.parent
    elsewhere = tmp_path / "other checkout"
    for package in ("config", "checkpoints", "stages", "pipeline"):
        shutil.copytree(checkout / package, elsewhere / package, ignore=shutil.ignore_patterns("__pycache__"))
    prefix = tmp_path / "other venv"
    prefix.symlink_to(sys.prefix)
    answer = subprocess.run(
        [prefix / "bin" / "python", "-c", RESUME, elsewhere, prefix, SETTINGS.model_dump_json(), world.home],
        env=os.environ | {"PYTHONPATH": str(elsewhere)},
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    result = Result.model_validate_json(answer.stdout)
    assert (result.outputs[0].sha256, result.steps.executed) == (made[1], made[2].total())


# Users


@pytest.mark.skipif(os.name == "nt", reason="there is no umask")
def test_the_umask_says_who_may_read_and_nobody_may_write_an_artifact(
    world: World, made: tuple[World, str, Counter[str]]
) -> None:
    before = os.umask(0o077)
    try:
        strict = World.__new__(World)
        vars(strict).update(vars(world) | {"home": world.home.with_name("strict")})
        stopped, _ = strict.render(stop=True)
        assert stopped.status == "interrupted"
        private = [path for path in strict.home.rglob("*") if path.is_file()]
        assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in private} == {0}
        os.umask(0)
        result, _ = strict.resume()
        assert (result.status, result.outputs[0].sha256) == ("done", made[1])
    finally:
        os.umask(before)
    artifacts = [path for path in (strict.home / "store" / "objects").rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in artifacts} == {0o400, 0o444}
    assert {stat.S_IMODE(path.stat().st_mode) for path in world.out.iterdir()} == {0o666}


@pytest.fixture
def anothers_home(world: World) -> Iterator[tuple[Path, list[str]]]:
    """A home that may only be read, where everybody may come, and what to put before a command so that this holds for it."""
    root = Path(tempfile.mkdtemp())
    root.chmod(0o755)
    shutil.copytree(world.home, root / "home")
    for path in root.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    prefix: list[str] = []
    if os.geteuid() == 0:
        # The program itself may stand where only root may look.
        prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        prefix += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
        if not shutil.which("setpriv"):
            pytest.skip("root needs setpriv to become somebody else")
    yield root / "home", prefix
    for path in (root / "home", *(root / "home").rglob("*")):
        path.chmod(0o755)
    shutil.rmtree(root)


@pytest.mark.skipif(os.name == "nt", reason="access is another matter there")
def test_who_may_only_read_a_home_may_look_at_its_jobs_and_is_told_why_not_more(
    anothers_home: tuple[Path, list[str]],
) -> None:
    home, prefix = anothers_home

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*prefix, sys.executable, "-m", "pipeline.cli.app", *arguments, "--home", str(home)]
        return subprocess.run(command, capture_output=True, text=True, cwd=home)

    jobs = run("jobs", "--json")
    assert (jobs.returncode, jobs.stderr) == (0, "")
    (job,) = json.loads(jobs.stdout)["jobs"]
    assert (job["state"], job["title"]) == ("interrupted", "Two lamps")
    assert run("gc", "--dry-run").returncode == 0
    for refused in (run("resume"), run("gc")):
        assert (refused.returncode, "Traceback" in refused.stderr) == (1, False)
        assert str(home) in refused.stderr
        assert "--home" in refused.stderr


def test_a_user_without_a_home_folder_is_asked_for_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import platformdirs

    def unknown(*_: object, **__: object) -> str:
        raise RuntimeError("could not determine the home directory")

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FRAMEKEEP_HOME", raising=False)
    monkeypatch.setattr(platformdirs, "user_data_dir", unknown)
    assert main(["jobs"]) == 2
    error = capsys.readouterr().err
    assert "no home folder" in error
    assert "FRAMEKEEP_HOME" in error
    assert main(["jobs", "--home", str(tmp_path / "named")]) == 0


# Inputs


def remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def put_a_folder_there(path: Path) -> None:
    remove(path)
    path.mkdir()


def empty(path: Path) -> None:
    if path.is_dir():
        put_a_folder_there(path)
    else:
        path.write_bytes(b"")


@pytest.mark.parametrize("name", ["one.png", "hum.wav", "photos/two.png"])
@pytest.mark.parametrize("change", [remove, put_a_folder_there, empty], ids=lambda change: change.__name__)
def test_an_input_that_is_gone_or_unreadable_is_named_and_the_job_stays_resumable(
    world: World, goes_on: Any, name: str, change: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    path = world.inputs / name
    kept = path.read_bytes()
    change(path)
    assert main(["resume", "--json"]) == 2
    told, error = capsys.readouterr()
    assert json.loads(told)["job_id"].startswith("two-")
    assert path.name in error or str(path.parent) in error
    assert "→" in error or "->" in error
    assert "Traceback" not in error
    remove(path) if path.exists() else None
    path.write_bytes(kept)
    if (name, change) == ("one.png", remove):
        goes_on(*world.resume())


def test_a_picture_that_was_replaced_is_shown_as_it_is_now_and_only_its_scene_is_made_again(
    world: World, made: tuple[World, str, Counter[str]]
) -> None:
    picture(world.inputs / "one.png", "maroon")
    result, steps = world.resume()
    assert result.status == "done"
    assert result.outputs[0].sha256 != made[1]
    assert (steps["images"], steps["speech"]) == (1, 0)
    picture(world.inputs / "one.png", "navy")
    again, steps = world.render()
    assert again.outputs[0].sha256 == made[1]
    assert steps["images"] == 0


def test_music_that_was_replaced_is_mixed_again_and_no_picture_is(world: World) -> None:
    with wave.open(str(world.inputs / "hum.wav"), "wb") as hum:
        hum.setparams((1, 2, 48_000, 0, "NONE", ""))
        hum.writeframes(b"\x01\x02" * 24_000)
    result, steps = world.resume()
    assert (result.status, steps["music"], steps["mix"]) == ("done", 1, 1)
    assert (steps["images"], steps["speech"]) == (0, 0)


def test_a_folder_of_pictures_counts_as_it_is_now(world: World, made: tuple[World, str, Counter[str]]) -> None:
    """The first one in it is now another: it is the second scene's, and of the first nothing is made again."""
    picture(world.inputs / "photos" / "a-new-one.png", "white")
    result, steps = world.resume()
    assert (result.status, steps["images"], steps["speech"]) == ("done", 1, 0)
    assert result.outputs[0].sha256 != made[1]
    assert steps["segment"] == made[2]["segment"]


def test_a_brief_that_was_moved_with_its_pictures_is_rendered_from_there_without_any_new_work(
    world: World, goes_on: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = world.inputs.with_name("moved")
    world.inputs.rename(moved)
    try:
        assert main(["resume"]) == 2
        assert str(world.inputs / "photos") in capsys.readouterr().err
        goes_on(*world.run(lambda running: running.render(moved / "two.md", output=world.out)))
    finally:
        moved.rename(world.inputs)


# The output folder


def test_an_output_folder_that_became_a_file_is_named_and_one_that_was_removed_is_made_again(
    world: World, goes_on: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(world.out, ignore_errors=True)
    world.out.write_text("not a folder")
    assert main(["resume"]) == 2
    assert f"Cannot write into the output folder {world.out}" in capsys.readouterr().err
    world.out.unlink()
    goes_on(*world.resume())


def test_an_output_folder_that_becomes_a_file_while_the_job_runs_costs_no_work(world: World, goes_on: Any) -> None:
    steps: Counter[str] = Counter()

    def spoil(event: Event) -> None:
        if event.kind == "step_executed":
            steps[event.data["stage"]] += 1
        if event.kind == "step_started" and event.data["stage"] == "mux":
            shutil.rmtree(world.out)
            world.out.write_text("not a folder")

    with Pipeline(SETTINGS, home=world.home, on_event=spoil) as running:
        failed = running.resume()
    assert (failed.status, failed.error and failed.error.code) == ("failed", "STORE_UNUSABLE")
    assert failed.error
    assert str(world.out) in failed.error.message
    assert f"framekeep resume {failed.job_id}" in failed.error.hint
    world.out.unlink()
    result, more = world.resume()
    assert more == Counter()
    goes_on(result, steps)


def test_an_output_folder_that_is_removed_while_the_job_runs_is_made_again(world: World, goes_on: Any) -> None:
    steps: Counter[str] = Counter()

    def spoil(event: Event) -> None:
        if event.kind == "step_executed":
            steps[event.data["stage"]] += 1
        if event.kind == "step_started" and event.data["stage"] == "mux":
            shutil.rmtree(world.out)

    with Pipeline(SETTINGS, home=world.home, on_event=spoil) as running:
        goes_on(running.resume(), steps)
    assert (world.out / "two-youtube.mp4").exists()
