"""A ledger that is lost or damaged is made again from the store, and the jobs in it go on as if nothing had been."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from checkpoints.ledger.database import driver
from checkpoints.ownership.locks import job_lock
from checkpoints.store.job_manifests import JobNote
from config.errors import BusyError, DiskFullError, StoreError, UsageError
from config.settings import Settings
from pipeline import Event, Pipeline
from pipeline.cli.app import main
from pipeline.home import Home
from pipeline.maintenance import rebuild
from pipeline.maintenance.gc import collect
from pipeline.maintenance.lost_jobs import TAKEN_UP, lost_jobs
from pipeline.maintenance.rebuild import RebuildReport
from tests.conftest import TINY

NOW = 1_795_000_000.0
BRIEF = """---
title: {title}
seed: 3
---

## One
![](one.png)
{title}: a lamp is lit.

## Two
![](two.png)
Ships see it.
"""
SETTINGS = Settings.model_validate(TINY)


class World:
    """A home with one finished and one interrupted job, and what the interrupted one makes if it is not disturbed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for number, colour in (("one", "navy"), ("two", "teal")):
            Image.new("RGB", (320, 180), colour).save(root / f"{number}.png")
        self.done = self._brief("done", "Done")
        self.open = self._brief("open", "A small light")
        self.digest = self._render(root / "undisturbed").outputs[0].sha256
        with Pipeline(SETTINGS, home=root / "home") as pipeline:
            self.done_id = pipeline.render(self.done, output=root / "out").job_id
        self.executed = 0

        def stop(event: Event) -> None:
            self.executed += event.kind == "step_executed"
            if event.data.get("stage") == "segment" and event.kind == "step_executed":
                pipeline.cancel()

        with Pipeline(SETTINGS, home=root / "home", on_event=stop) as pipeline:
            result = pipeline.render(self.open, output=root / "out")
        assert result.status == "interrupted", result
        self.open_id = result.job_id

    def _brief(self, name: str, title: str) -> Path:
        path = self.root / f"{name}.md"
        path.write_text(BRIEF.format(title=title))
        return path

    def _render(self, home: Path) -> Any:
        with Pipeline(SETTINGS, home=home) as pipeline:
            return pipeline.render(self.open, output=self.root / "undisturbed-out")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("world"))


@pytest.fixture
def home(world: World, tmp_path: Path) -> Iterator[Home]:
    """A copy of the world's home."""
    shutil.copytree(world.root / "home", tmp_path / "home")
    made = Home(tmp_path / "home")
    yield made
    made.close()


def remove(path: Path) -> None:
    for part in path.parent.glob("ledger.db*"):
        part.unlink()


def fill_with_garbage(path: Path) -> None:
    path.write_bytes(b"garbage " * 1000)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def tear_pages(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for page in range(2, len(data) // 4096, 3):
        data[page * 4096 + 2048 : (page + 1) * 4096] = bytes(2048)
    path.write_bytes(bytes(data))


def garble_a_row(path: Path) -> None:
    """What SQLite itself does not notice."""
    database = driver().connect(str(path))
    database.execute("UPDATE jobs SET brief = x'00ff00'")
    database.commit()
    database.close()


DAMAGES = [remove, fill_with_garbage, truncate, tear_pages, garble_a_row]


def rebuilt(home: Home) -> RebuildReport:
    return rebuild.rebuild(home, SETTINGS, now=NOW)


@pytest.mark.parametrize("damage", [*DAMAGES, empty], ids=lambda damage: damage.__name__)
def test_jobs_and_results_are_restored_whatever_happened_to_the_ledger(
    world: World, home: Home, damage: Callable[[Path], None]
) -> None:
    before = {record.key: record for record, _ in home.ledger.results.all()}
    steps = {step.id: step.key for step in home.ledger.steps(world.done_id)}
    done = home.ledger.job(world.done_id)
    waiting = home.ledger.job(world.open_id)
    home.close()
    damage(home.ledger_file)
    report = rebuilt(home)
    assert set(report.jobs) == {world.done_id, world.open_id}
    assert report.resumable == (world.open_id,)
    assert report.results == len(before)
    assert (report.damaged, report.unreadable) == ((), ())
    assert home.ledger.is_sound()
    assert {record.key: record for record, _ in home.ledger.results.all()} == before
    assert {step.id: step.key for step in home.ledger.steps(world.done_id)} == steps
    restored = home.ledger.job(world.done_id)
    assert done
    assert restored
    assert (restored.state, restored.report, restored.options) == ("done", done.report, done.options)
    assert restored.updated_at == pytest.approx(done.updated_at, abs=1)
    again = home.ledger.job(world.open_id)
    assert waiting
    assert again
    assert (again.brief, again.options) == (waiting.brief, waiting.options)
    assert again.created_at == pytest.approx(waiting.created_at, abs=1)
    assert home.ledger.jobs()[0].id == world.open_id


@pytest.mark.parametrize("damage", [remove, tear_pages], ids=lambda damage: damage.__name__)
def test_a_restored_job_goes_on_to_the_same_bytes_and_makes_nothing_twice(
    world: World, home: Home, damage: Callable[[Path], None]
) -> None:
    home.close()
    there = sum(1 for _ in home.store.records())
    damage(home.ledger_file)
    rebuilt(home)
    keys = {record.key for record in home.store.records()}
    executed: list[str] = []

    def note(event: Event) -> None:
        if event.kind == "step_executed":
            executed.append(event.data["step"])

    with Pipeline(SETTINGS, home=home.root, on_event=note) as pipeline:
        result = pipeline.resume()
        made_again = [step.id for step in pipeline.home.ledger.steps(result.job_id) if step.key in keys and step.runs]
    assert (result.status, result.job_id) == ("done", world.open_id)
    assert result.outputs[0].sha256 == world.digest
    assert made_again == []
    assert result.steps.executed == len(executed) > 0
    assert there == len(keys)


def test_the_old_ledger_is_kept_with_the_date_in_its_name(home: Home) -> None:
    home.close()
    fill_with_garbage(home.ledger_file)
    report = rebuilt(home)
    assert report.ledger == "damaged"
    assert [path.read_bytes()[:7] for path in report.kept_aside] == [b"garbage"]
    assert report.kept_aside[0].name.startswith("ledger.db.damaged-2026")
    fill_with_garbage(home.ledger_file)
    again = rebuilt(home)
    assert set(again.kept_aside).isdisjoint(report.kept_aside)
    assert all(path.exists() for path in (*report.kept_aside, *again.kept_aside))
    assert {path.name for path in home.root.iterdir()} - {
        path.name for path in (*report.kept_aside, *again.kept_aside)
    } == {*("ledger.db", "ledger.db.lock", "locks", "store")}


def test_only_what_the_store_proves_is_restored_and_the_rest_is_named(world: World, home: Home) -> None:
    records = list(home.store.records())
    victim = next(record for record in records if record.stage == "segment")
    path = home.store.path(victim.artifacts["segment"].digest)
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    torn = next(record for record in records if record.stage == "speech")
    (home.store.root / "records" / torn.key[:2] / f"{torn.key}.json").write_text('{"record"')
    note = home.store.root / "jobs" / f"{world.done_id}.json"
    note.write_text(note.read_text().replace("Done", "Gone"))
    home.close()
    remove(home.ledger_file)
    report = rebuilt(home)
    assert report.ledger == "missing"
    assert report.jobs == (world.open_id,)
    shared = [record for record in records if record.artifacts.get("segment") == victim.artifacts["segment"]]
    assert report.damaged == tuple(f"segment {record.key[:12]}" for record in shared)
    assert report.unreadable == (world.done_id, torn.key)
    assert report.results == len(records) - len(shared) - 1
    assert {victim.key, torn.key}.isdisjoint(record.key for record, _ in home.ledger.results.all())
    assert "circuits" in " ".join(report.not_restored)


def test_a_whole_ledger_is_completed_and_keeps_what_it_has(world: World, home: Home) -> None:
    events = home.ledger.events(world.done_id)
    with home.ledger.writing("test") as connection:
        connection.execute("DELETE FROM jobs WHERE id = ?", (world.open_id,))
    report = rebuilt(home)
    assert (report.ledger, report.jobs, report.kept_aside) == ("sound", (world.open_id,), ())
    assert "paid calls" in " ".join(report.not_restored)
    assert "circuits" not in " ".join(report.not_restored)
    assert home.ledger.events(world.done_id) == events
    again = rebuilt(home)
    assert (again.jobs, again.not_restored) == ((), ())


OWNER = """
import sys, time
from pathlib import Path
from checkpoints.ownership.locks import job_lock
with job_lock(Path(sys.argv[1]), sys.argv[2]):
    print("mine", flush=True)
    time.sleep(60)
"""


def test_nothing_is_touched_while_a_run_is_going(world: World, home: Home) -> None:
    home.close()
    fill_with_garbage(home.ledger_file)
    command = [sys.executable, "-c", OWNER, str(home.locks), world.open_id]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        assert child.stdout.readline() == "mine\n"
        with pytest.raises(BusyError, match=f"while a run is going: Job {world.open_id}"):
            rebuilt(home)
        child.kill()
    assert home.ledger_file.read_bytes().startswith(b"garbage")
    assert rebuilt(home).jobs


def test_no_run_of_a_known_job_starts_while_the_ledger_is_made(
    world: World, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.close()
    remove(home.ledger_file)
    real = rebuild._fill

    def meanwhile(*args: Any) -> Any:
        with pytest.raises(BusyError), job_lock(home.locks, world.open_id):
            pass
        return real(*args)

    monkeypatch.setattr(rebuild, "_fill", meanwhile)
    rebuilt(home)
    with job_lock(home.locks, world.open_id):
        pass


@pytest.mark.parametrize("place", ["_fill", "_set_aside", "replace_durably"])
def test_a_rebuild_that_is_killed_is_finished_by_the_next(
    world: World, home: Home, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    home.close()
    truncate(home.ledger_file)

    def kill(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(rebuild, place, kill)
        with pytest.raises(KeyboardInterrupt):
            rebuilt(home)
    assert set(rebuilt(home).jobs) == {world.done_id, world.open_id}
    assert len(list(home.root.glob("ledger.db.damaged-*"))) == 1


def test_the_ledger_of_a_newer_version_is_not_damaged(home: Home) -> None:
    with home.ledger.writing("test") as connection:
        connection.execute("PRAGMA user_version = 9999")
    home.close()
    with pytest.raises(StoreError, match="newer Framekeep") as caught:
        rebuilt(home)
    assert "upgrade" in caught.value.hint


def test_a_ledger_that_somebody_keeps_locked_is_not_damaged(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checkpoints.ledger.database.BUSY_TIMEOUT_MS", 50)
    home.close()
    blocker = driver().connect(str(home.ledger_file), isolation_level=None)
    blocker.execute("PRAGMA locking_mode=EXCLUSIVE")
    blocker.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(StoreError, match="kept locked"):
            rebuilt(home)
    finally:
        blocker.close()
    assert list(home.root.glob("*damaged*")) == []


def test_without_a_store_there_is_nothing_to_go_by(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no store"):
        rebuild.rebuild(Home(tmp_path / "none"), SETTINGS, now=NOW)
    assert list(tmp_path.iterdir()) == []


def test_the_clean_up_leaves_all_while_a_restored_job_waits(world: World, home: Home) -> None:
    home.close()
    remove(home.ledger_file)
    # Other settings than those of the run: not one step of the jobs is found.
    rebuild.rebuild(home, Settings.model_validate(TINY | {"quality": {}}), now=NOW)
    far = NOW + 90 * 86_400
    report = collect(home, older_than_s=0, max_bytes=0, keep_last=0, dry_run=False, now=far)
    assert (report.held_by, report.lost, report.jobs, report.artifacts) == ((world.open_id,), False, (), 0)
    home.ledger.set_state(world.open_id, "done")
    report = collect(home, older_than_s=0, max_bytes=0, keep_last=0, dry_run=False, now=far)
    assert report.held_by == ()
    assert set(report.jobs) == {world.open_id, world.done_id}
    assert list(home.notes.all()) == []


def test_the_clean_up_leaves_all_while_the_ledger_lacks_a_job_that_waits(world: World, home: Home) -> None:
    with home.ledger.writing("test") as connection:
        connection.execute("DELETE FROM jobs WHERE id = ?", (world.open_id,))
    report = collect(home, older_than_s=0, max_bytes=0, keep_last=0, dry_run=False, now=NOW + 90 * 86_400)
    assert (report.held_by, report.lost, report.jobs) == ((world.open_id,), True, ())


def test_every_command_and_the_doctor_name_the_remedy_and_it_works(
    world: World, home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FRAMEKEEP_HOME", str(home.root))
    monkeypatch.chdir(home.root.parent)
    home.close()
    fill_with_garbage(home.ledger_file)
    for command in (["jobs"], ["show", "open"], ["resume"], ["gc"]):
        assert main(command) == 1
        assert "framekeep doctor --rebuild" in capsys.readouterr().err
    assert main(["doctor", "--rebuild"]) == 0
    told = capsys.readouterr().out
    assert "The ledger was damaged" in told
    assert "Restored: 2 jobs (1 to be resumed)" in told
    assert "Not restored: the history of calls" in told
    assert main(["jobs"]) == 0
    assert world.open_id in capsys.readouterr().out
    remove(home.ledger_file)
    assert main(["doctor", "--rebuild", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["ledger"], document["resumable"]) == ("missing", [world.open_id])


@pytest.mark.parametrize("damage", [remove, empty], ids=lambda damage: damage.__name__)
def test_a_job_that_only_the_store_knows_is_never_passed_over_in_silence(
    world: World,
    home: Home,
    damage: Callable[[Path], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("FRAMEKEEP_HOME", str(home.root))
    monkeypatch.chdir(home.root.parent)
    home.close()
    damage(home.ledger_file)
    told = {}
    for command in (["jobs"], ["show", "open"], ["render", "--only-failed"]):
        code = main(command)
        told[" ".join(command)] = (code, capsys.readouterr().err)
    assert [code for code, _ in told.values()] == [0, 1, 0]
    for command, (_, text) in told.items():
        assert world.open_id in text, command
        assert "framekeep doctor --rebuild" in text, command
    assert main(["doctor", "--rebuild"]) == 0
    assert main(["jobs"]) == 0
    assert "doctor" not in capsys.readouterr().err


@pytest.mark.parametrize("named", [None, "open", "all"])
def test_resume_goes_on_with_a_job_that_only_the_store_knows_and_makes_nothing_twice(
    world: World, home: Home, named: str | None
) -> None:
    home.close()
    remove(home.ledger_file)
    told: list[str] = []
    with Pipeline(SETTINGS, home=home.root, on_event=lambda event: told.append(event.data.get("message", ""))) as again:
        result = again.resume_all()[0] if named == "all" else again.resume(named)
        news = [event.data["message"] for event in again.home.ledger.events(world.open_id) if event.kind == "warning"]
    assert (result.job_id, result.status, result.outputs[0].sha256) == (world.open_id, "done", world.digest)
    assert result.steps.reused >= world.executed > 0
    assert TAKEN_UP in told
    assert TAKEN_UP in news
    # What was finished is not begun again for that: it waits for a rebuild.
    assert [note.id for note in lost_jobs(home)] == [world.done_id]


def test_a_job_that_is_just_being_noted_is_not_called_lost(world: World, home: Home) -> None:
    with home.ledger.writing("test") as connection:
        connection.execute("DELETE FROM jobs WHERE id = ?", (world.open_id,))
    assert [note.id for note in lost_jobs(home)] == [world.open_id]
    with job_lock(home.locks, world.open_id):
        assert lost_jobs(home) == []


def test_a_note_that_cannot_be_written_keeps_nothing_out_of_the_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    home = Home(tmp_path / "home")
    home.ledger.put_job("j1", "A job", {}, {"levels": {}})

    def full(note: JobNote) -> None:
        raise DiskFullError("No space left", hint="free some")

    monkeypatch.setattr(home.ledger.notes, "put", full)
    home.ledger.set_options("j1", {"levels": {"youtube": "Low"}})
    home.ledger.set_state("j1", "parked", error={"code": "DISK_FULL"})
    row = home.ledger.job("j1")
    assert row is not None
    assert (row.state, row.options) == ("parked", {"levels": {"youtube": "Low"}})
    assert caplog.text.count("the note of job j1 is not up to date") == 2
    home.close()
