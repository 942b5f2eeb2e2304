"""The ledger: every change with its event, nothing lost between threads and processes, and clear words for a broken file."""

from __future__ import annotations

import contextlib
import importlib
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from checkpoints.job_states import OPEN_STATES
from checkpoints.ledger import database, ledger
from checkpoints.ledger.database import driver, wal_is_sound
from checkpoints.ledger.ledger import EventRow, JobRow, Ledger
from checkpoints.ledger.schema import MIGRATIONS, VERSION
from checkpoints.ownership.leases import Lease
from checkpoints.ownership.processes import Owner
from checkpoints.records import Artifact, Record
from config.errors import DiskFullError, StoreError, TimedOutError
from tests.old_ledgers import first_ledger

BRIEF = {"title": "Tides", "scenes": [{"text": "Größe 🎬"}]}
OPTIONS = {"exports": ["youtube"], "levels": {}}
ME = Owner.here()


class Wall:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def book(tmp_path: Path, wall: Wall) -> Iterator[Ledger]:
    made = Ledger(tmp_path / "ledger.db", wall=wall)
    yield made
    made.close()


@pytest.fixture
def with_job(book: Ledger) -> Ledger:
    book.put_job("tides-1", "Tides", BRIEF, OPTIONS)
    return book


def record(key: str = "k1", fact: int = 1) -> Record:
    artifacts = {"line": Artifact(digest="ab" * 32, size=7)}
    return Record(key=key, stage="speech", artifacts=artifacts, facts={"n": fact}, degradations=({"stage": "speech"},))


def lease_of(book: Ledger, key: str = "k1") -> Lease:
    return book.leases()[key]


def kinds(book: Ledger, job: str = "tides-1") -> list[str]:
    return [event.kind for event in book.events(job)]


# Jobs


def test_a_job_is_kept_with_all_that_was_said_of_it(book: Ledger, wall: Wall) -> None:
    book.put_job("tides-1", "Tides", BRIEF, OPTIONS)
    wall.now = 1_010.0
    book.set_state("tides-1", "running")
    wall.now = 1_020.0
    error = {"code": "TIMEOUT", "message": "slow", "hint": "wait"}
    book.set_state("tides-1", "failed", report={"status": "failed"}, error=error)
    assert book.job("tides-1") == JobRow(
        "tides-1", "Tides", "failed", BRIEF, OPTIONS, 1_000.0, 1_020.0, {"status": "failed"}, error
    )
    assert book.events("tides-1") == [
        EventRow(1_000.0, "job_queued", {}),
        EventRow(1_010.0, "job_running", {}),
        EventRow(1_020.0, "job_failed", error),
    ]
    assert book.job("tides-2") is None


def test_a_job_put_again_keeps_its_birth_and_history_and_loses_its_error_once_it_runs(book: Ledger, wall: Wall) -> None:
    book.put_job("tides-1", "Tides", BRIEF, OPTIONS)
    book.step_started("tides-1", "s1", "speech", 1, "k1", ME)
    book.set_state("tides-1", "failed", error={"code": "X", "message": "", "hint": ""})
    wall.now = 2_000.0
    book.put_job("tides-1", "Tides II", {**BRIEF, "n": 1}, OPTIONS)
    book.set_state("tides-1", "running")
    job = book.job("tides-1")
    assert job is not None
    assert (job.title, job.state, job.created_at, job.updated_at, job.error) == (
        "Tides II",
        "running",
        1_000.0,
        2_000.0,
        None,
    )
    assert kinds(book) == ["job_queued", "step_started", "job_failed", "job_queued", "job_running"]
    assert len(book.steps("tides-1")) == 1


def test_jobs_come_latest_first_and_by_state(book: Ledger, wall: Wall) -> None:
    for number, state in enumerate(["done", "failed", "running", "degraded", "parked", "interrupted"]):
        wall.now = 1_000.0 + number
        book.put_job(f"j{number}", "", {}, {})
        book.set_state(f"j{number}", state)
    assert [job.id for job in book.jobs()] == ["j5", "j4", "j3", "j2", "j1", "j0"]
    assert [job.id for job in book.jobs(OPEN_STATES)] == ["j5", "j4", "j2", "j1"]


def test_options_are_kept_for_resuming(with_job: Ledger) -> None:
    with_job.set_options("tides-1", {"exports": ["shorts"]})
    job = with_job.job("tides-1")
    assert job is not None
    assert job.options == {"exports": ["shorts"]}


def test_forgetting_a_job_takes_its_steps_attempts_and_events_and_leaves_results(with_job: Ledger) -> None:
    with_job.step_started("tides-1", "s1", "speech", 1, "k1", ME)
    with_job.step_executed("tides-1", "s1", record(), lease_of(with_job))
    note_attempt(with_job)
    with_job.put_job("other-1", "Other", {}, {})
    with_job.forget_job("tides-1")
    assert with_job.job("tides-1") is None
    assert (with_job.steps("tides-1"), with_job.events("tides-1"), with_job.attempts("tides-1")) == ([], [], [])
    assert with_job.results.get("k1") == record()
    assert kinds(with_job, "other-1") == ["job_queued"]


# Steps and results


def test_a_step_counts_its_runs_and_ends_executed_with_its_result(with_job: Ledger, wall: Wall) -> None:
    with_job.step_started("tides-1", "s1", "speech", 3, "k1", ME)
    with_job.step_failed("tides-1", "s1", TimedOutError("pico: too slow", hint="wait", provider="pico"))
    (step,) = with_job.steps("tides-1")
    assert (step.state, step.runs, step.error) == ("failed", 1, "TIMEOUT: pico: too slow")
    wall.now = 1_100.0
    with_job.step_started("tides-1", "s1", "speech", 3, "k2", ME)
    with_job.step_executed("tides-1", "s1", record("k2"), lease_of(with_job, "k2"))
    (step,) = with_job.steps("tides-1")
    assert vars(step) == {
        "id": "s1",
        "stage": "speech",
        "scene": 3,
        "key": "k2",
        "state": "executed",
        "runs": 2,
        "updated_at": 1_100.0,
        "error": None,
    }
    assert with_job.results.all() == [(record("k2"), 1_100.0)]
    assert kinds(with_job) == ["job_queued", "step_started", "step_failed", "step_started", "step_executed"]
    assert with_job.events("tides-1")[2].data == {
        "step": "s1",
        "code": "TIMEOUT",
        "message": "pico: too slow",
        "hint": "wait",
    }


def test_reused_steps_are_noted_together_and_their_results_count_as_used(with_job: Ledger, wall: Wall) -> None:
    with_job.step_started("tides-1", "s1", "speech", 1, "old", ME)
    wall.now = 1_500.0
    with_job.steps_reused("tides-1", [("s1", "speech", 1, record("k1")), ("s2", "images", 2, record("k2", 5))])
    assert [(step.id, step.key, step.state, step.runs) for step in with_job.steps("tides-1")] == [
        ("s1", "k1", "reused", 1),
        ("s2", "k2", "reused", 0),
    ]
    assert with_job.results.all() == [(record("k1"), 1_500.0), (record("k2", 5), 1_500.0)]
    assert with_job.results.keys_by_job() == {"tides-1": {"k1", "k2"}}


def test_steps_that_the_plan_no_longer_has_are_dropped_and_their_results_stay(with_job: Ledger) -> None:
    with_job.put_job("other-1", "Other", {}, {})
    with_job.steps_reused("tides-1", [(f"s{n}", "speech", n, record(f"k{n}")) for n in range(4)])
    with_job.steps_reused("other-1", [("s9", "speech", 9, record("k9"))])
    with_job.keep_only_steps("tides-1", ["s1", "s3", "s7"])
    assert [step.id for step in with_job.steps("tides-1")] == ["s1", "s3"]
    assert [step.id for step in with_job.steps("other-1")] == ["s9"]
    assert len(with_job.results.all()) == 5


def test_a_result_may_be_adopted_and_forgotten(book: Ledger, wall: Wall) -> None:
    book.results.adopt(record())
    wall.now = 1_300.0
    book.results.adopt(record(fact=2))
    assert book.results.all() == [(record(fact=2), 1_300.0)]
    book.results.forget("k1")
    book.results.forget("k1")
    assert book.results.get("k1") is None


def test_a_result_that_another_version_wrote_counts_as_none(book: Ledger) -> None:
    book.results.adopt(record("k1"))
    book.results.adopt(record("k2"))
    with sqlite3.connect(book.path) as raw:
        raw.execute(
            "UPDATE results SET record = replace(record, '\"schema_version\":1', '\"schema_version\":2') WHERE key='k1'"
        )
    raw.close()
    assert book.results.get("k1") is None
    assert [found.key for found, _ in book.results.all()] == ["k2"]


def test_only_results_that_no_step_names_and_that_rest_long_enough_are_forgotten(with_job: Ledger, wall: Wall) -> None:
    for number, key in enumerate(["named", "resting", "young"]):
        wall.now = 1_000.0 + 100 * number
        with_job.results.adopt(record(key))
    with_job.step_started("tides-1", "s1", "speech", 1, "named", ME)
    with_job.step_started("tides-1", "s2", "speech", 1, "being made", ME)
    keys = ["being made", "named", "resting", "unknown", "young"]
    assert with_job.results.forget_unused(keys, 1_100.0) == ["resting", "unknown"]
    assert [found.key for found, _ in with_job.results.all()] == ["named", "young"]


# Attempts and events


def note_attempt(book: Ledger, provider: str = "pico") -> None:
    book.attempt(
        "tides-1", "s1", operation="speak", provider=provider, outcome="failed", code="TIMEOUT", message="m", elapsed_s=1.5
    )  # fmt: skip


def test_attempts_are_kept_in_order(with_job: Ledger, wall: Wall) -> None:
    note_attempt(with_job)
    wall.now = 1_001.0
    note_attempt(with_job, "text")
    first, second = with_job.attempts("tides-1")
    assert (first["provider"], first["at"], first["elapsed_s"], first["code"]) == ("pico", 1_000.0, 1.5, "TIMEOUT")
    assert (second["provider"], second["at"]) == ("text", 1_001.0)


def test_an_event_keeps_its_data(with_job: Ledger, wall: Wall) -> None:
    wall.now = 1_005.0
    with_job.event("tides-1", "warning", {"scene": 3, "message": "Größe"})
    assert with_job.events("tides-1")[-1] == EventRow(1_005.0, "warning", {"scene": 3, "message": "Größe"})


# One transaction


def snapshot(book: Ledger) -> tuple[Any, ...]:
    return (
        book.jobs(),
        book.steps("tides-1"),
        book.events("tides-1"),
        book.results.all(),
        book.attempts("tides-1"),
    )


CHANGES: dict[str, Callable[[Ledger], None]] = {
    "put_job": lambda book: book.put_job("tides-1", "Again", {}, {}),
    "set_state": lambda book: book.set_state("tides-1", "done", report={"a": 1}),
    "step_started": lambda book: book.step_started("tides-1", "s2", "speech", 2, "k2", ME),
    "step_executed": lambda book: book.step_executed("tides-1", "s1", record(), lease_of(book)),
    "steps_reused": lambda book: book.steps_reused("tides-1", [("s1", "speech", 1, record())]),
    "step_failed": lambda book: book.step_failed("tides-1", "s1", TimedOutError("slow")),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_whose_event_cannot_be_written_did_not_happen(
    with_job: Ledger, change: Callable[[Ledger], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_job.step_started("tides-1", "s1", "speech", 1, "k1", ME)
    before = snapshot(with_job)

    def failing(*_: Any) -> None:
        raise RuntimeError("killed here")

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "_add_event", failing)
        with pytest.raises(RuntimeError, match="killed here"):
            change(with_job)
    assert snapshot(with_job) == before
    change(with_job)
    assert len(with_job.events("tides-1")) == len(before[2]) + 1


def test_an_event_of_a_change_that_cannot_be_made_is_not_there(with_job: Ledger) -> None:
    changes: list[Callable[[], None]] = [
        lambda: with_job.set_state("nobody", "done"),
        lambda: with_job.step_started("nobody", "s1", "speech", 1, "k", ME),
        lambda: with_job.event("nobody", "warning", {}),
    ]
    for change in changes:
        with pytest.raises(StoreError, match="FOREIGN KEY"):
            change()
    assert with_job.events("nobody") == []


# Opening


def test_everything_is_there_after_opening_again(with_job: Ledger) -> None:
    with_job.step_started("tides-1", "s1", "speech", 1, "k1", ME)
    with_job.step_executed("tides-1", "s1", record(), lease_of(with_job))
    note_attempt(with_job)
    before = snapshot(with_job)
    with_job.close()
    again = Ledger(with_job.path)
    assert snapshot(again) == before
    assert again.is_sound()
    again.close()


def described(path: Path) -> dict[str, dict[str, Any]]:
    """All that SQLite knows of a ledger's tables, and the schema's number."""
    with contextlib.closing(sqlite3.connect(path)) as raw:
        made = raw.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
        tables = [name for kind, name, _ in made if kind == "table"]
        return {
            "tables": {
                name: [raw.execute(f"PRAGMA {what}({name})").fetchall() for what in ("table_info", "foreign_key_list")]
                for name in tables
            },
            "statements": {name: "".join((sql or "").split()) for _, name, sql in made},
            "version": {"": raw.execute("PRAGMA user_version").fetchall()},
        }


@pytest.mark.parametrize("version", [1, 2])
def test_an_older_ledger_ends_with_exactly_the_tables_of_a_new_one(book: Ledger, tmp_path: Path, version: int) -> None:
    older = first_ledger(tmp_path / "older.db", version)
    Ledger(older).close()
    assert described(older) == described(book.path)
    assert described(older)["version"][""] == [(VERSION,)]


def test_the_log_is_written_ahead_only_where_sqlite_does_that_safely(book: Ledger) -> None:
    assert [
        version for version in [(3, 40, 1), (3, 44, 5), (3, 45, 0), (3, 50, 6), (3, 51, 2)] if wal_is_sound(version)
    ] == []
    assert all(wal_is_sound(version) for version in [(3, 44, 6), (3, 50, 7), (3, 51, 3), (3, 53, 4), (4, 0, 0)])
    expected = "wal" if wal_is_sound(driver().sqlite_version_info) else "delete"
    assert database._journal(book._database) == expected


def test_a_ledger_moves_to_the_rollback_journal_where_only_an_affected_sqlite_is_there(
    with_job: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_job.close()
    monkeypatch.setattr(database, "wal_is_sound", lambda _: False)
    again = Ledger(with_job.path)
    assert database._journal(again._database) == "delete"
    assert kinds(again) == ["job_queued"]
    again.close()


def test_without_the_newer_driver_pythons_own_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pysqlite3", None)
    assert driver() is importlib.import_module("sqlite3")
    book = Ledger(tmp_path / "ledger.db")
    book.put_job("tides-1", "Tides", BRIEF, OPTIONS)
    assert kinds(book) == ["job_queued"]
    book.close()


def test_opening_a_ledger_loads_nothing_heavy(book: Ledger) -> None:
    code = (
        "import sys; from pathlib import Path; from checkpoints.ledger.ledger import Ledger\n"
        "Ledger(Path(sys.argv[1])).close()\n"
        "print([name for name in ('psutil', 'numpy') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code, str(book.path)], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["50% of it", "what? a#b", "Ä & ü", "a=b;c"])
def test_a_home_may_have_any_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name / "ledger.db"
    book = Ledger(path)
    book.put_job("tides-1", "Tides", BRIEF, OPTIONS)
    book.close()
    assert path.is_file()
    assert [item.name for item in tmp_path.iterdir()] == [name]


def set_version(path: Path, version: int) -> None:
    with contextlib.closing(sqlite3.connect(path)) as raw:
        raw.execute(f"PRAGMA user_version = {version}")


def test_a_ledger_of_a_newer_version_is_refused_and_left_as_it_is(with_job: Ledger) -> None:
    with_job.close()
    set_version(with_job.path, 99)
    before = with_job.path.read_bytes()
    with pytest.raises(StoreError, match=rf"newer Framekeep \(schema 99; this one knows {VERSION}\)") as caught:
        Ledger(with_job.path)
    assert "--home" in caught.value.hint
    assert with_job.path.read_bytes() == before
    assert [path.name for path in with_job.path.parent.glob("*before*")] == []


def test_an_older_ledger_is_backed_up_whole_before_it_is_changed(with_job: Ledger) -> None:
    # Still open, so that the latest rows stand in the write-ahead log alone.
    with_job.event("tides-1", "warning", {"message": "latest"})
    with with_job._write() as connection:
        connection.execute("PRAGMA user_version = 1")
    with pytest.raises(
        StoreError, match=f"cannot be brought to schema {VERSION}: table leases already exists"
    ) as caught:
        Ledger(with_job.path)
    assert caught.value.hint
    backup = with_job.path.with_name(f"ledger.db.before-{VERSION}")
    raw = sqlite3.connect(backup)
    assert raw.execute("SELECT kind FROM events ORDER BY id").fetchall() == [("job_queued",), ("warning",)]
    assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    raw.close()


def test_a_ledger_of_the_first_schema_is_brought_up_to_date_with_all_that_it_holds(tmp_path: Path) -> None:
    path = first_ledger(tmp_path / "ledger.db")
    with contextlib.closing(sqlite3.connect(path)) as raw:
        raw.execute(
            "INSERT INTO jobs (id, title, state, brief, options, created_at, updated_at) "
            "VALUES ('tides-1', 'Tides', 'interrupted', '{}', '{}', 1, 2)"
        )
        raw.execute("INSERT INTO events (job_id, at, kind, data) VALUES ('tides-1', 1, 'e', '{}')")
        raw.commit()
    book = Ledger(path)
    assert [(job.id, job.state) for job in book.jobs()] == [("tides-1", "interrupted")]
    assert isinstance(book.step_started("tides-1", "s1", "speech", 1, "k1", ME), Lease)
    assert kinds(book) == ["e", "step_started"]
    assert book.is_sound()
    book.close()
    raw = sqlite3.connect(path.with_name(f"ledger.db.before-{VERSION}"))
    assert raw.execute("SELECT id FROM jobs").fetchall() == [("tides-1",)]
    assert "leases" not in [name for (name,) in raw.execute("SELECT name FROM sqlite_master")]
    raw.close()


@pytest.mark.parametrize("older", [True, False])
def test_a_migration_that_fails_leaves_no_half_made_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, older: bool
) -> None:
    path = tmp_path / "ledger.db"
    if older:
        first_ledger(path)
    else:
        sqlite3.connect(path).close()
    before = described(path)
    with monkeypatch.context() as patch:
        patch.setattr(database, "MIGRATIONS", (*MIGRATIONS[:-1], (*MIGRATIONS[-1], "CREATE TABLE of nothing")))
        with pytest.raises(StoreError, match="syntax error"):
            Ledger(path)
    assert described(path) == before
    Ledger(path).close()
    assert described(path)["version"][""] == [(VERSION,)]


# Broken files


@pytest.mark.parametrize(
    "content", [b"this is not a database, it is a letter\n" * 200, b"SQLite format 3\0" + b"\1" * 5000]
)
def test_a_file_that_is_no_ledger_is_refused_in_words_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=rf"The ledger {path} cannot be used: ") as caught:
        Ledger(path)
    assert caught.value.hint.startswith("framekeep doctor")
    assert path.read_bytes() == content


def test_a_ledger_that_is_damaged_in_the_middle_is_noticed(with_job: Ledger) -> None:
    for number in range(50):
        with_job.event("tides-1", "warning", {"message": "x" * 1000, "n": number})
    with_job.close()
    size = with_job.path.stat().st_size
    with with_job.path.open("r+b") as file:
        # The last pages were made last: the events' own, and none of the schema's.
        file.seek(size - 4096 * 8)
        file.write(b"\xff" * 4096 * 7)
    book = Ledger(with_job.path)
    assert not book.is_sound()
    with pytest.raises(StoreError, match=r"cannot be used: .*malformed"):
        book.events("tides-1")
    book.close()


def test_a_place_where_no_ledger_can_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"Not a directory|File exists"):
        Ledger(tmp_path / "file" / "ledger.db")
    (tmp_path / "ledger.db").mkdir()
    with pytest.raises(StoreError, match="unable to open database file"):
        Ledger(tmp_path / "ledger.db")


def test_a_full_disk_is_called_that(with_job: Ledger) -> None:
    with with_job._read() as connection:
        connection.execute("PRAGMA max_page_count = 1")
        with (
            pytest.raises(DiskFullError, match="No space left for the ledger"),
            with_job._database.mapping_errors(),
        ):
            connection.execute("CREATE TABLE big (x)")


def test_a_lock_that_is_never_let_go_is_not_mistaken_for_damage(
    with_job: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 20)
    waiting = Ledger(with_job.path)
    with with_job._write(), pytest.raises(StoreError, match=r"kept locked by another process for 0\.02 s") as caught:
        waiting.event("tides-1", "warning", {})
    assert "move" not in caught.value.hint
    waiting.close()


# Several at once

WRITER = """
import sys
from pathlib import Path
from checkpoints.ledger.ledger import Ledger
book = Ledger(Path(sys.argv[1]))
for number in range(40):
    book.event("tides-1", "from a process", {"n": number})
book.close()
"""


def test_threads_and_processes_on_one_file_lose_nothing(with_job: Ledger) -> None:
    second = Ledger(with_job.path)
    child = subprocess.Popen([sys.executable, "-c", WRITER, str(with_job.path)])

    def write(rank: int) -> None:
        book = (with_job, second)[rank % 2]
        for number in range(50):
            book.event("tides-1", f"thread {rank}", {"n": number})
            book.steps("tides-1")

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(write, range(4))) == [None] * 4
    assert child.wait(timeout=60) == 0
    for name, count in {**{f"thread {n}": 50 for n in range(4)}, "from a process": 40}.items():
        found = [event.data["n"] for event in with_job.events("tides-1") if event.kind == name]
        assert found == list(range(count)), name
    second.close()


OPENER = """
import sys
from pathlib import Path
from checkpoints.ledger.ledger import Ledger
print("ready", flush=True)
sys.stdin.readline()
book = Ledger(Path(sys.argv[1]))
book.put_job(sys.argv[2], "Job", {}, {})
book.close()
"""


def test_a_fresh_ledger_may_be_opened_by_several_processes_at_once(tmp_path: Path) -> None:
    path = tmp_path / "new" / "ledger.db"
    children = [
        subprocess.Popen(
            [sys.executable, "-c", OPENER, str(path), f"job-{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    for child in children:
        assert child.stdout
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin
        child.stdin.write("go\n")
        child.stdin.flush()
    assert [child.communicate(timeout=60) for child in children] == [("", "")] * 4
    assert [child.returncode for child in children] == [0] * 4
    book = Ledger(path)
    assert sorted(job.id for job in book.jobs()) == [f"job-{number}" for number in range(4)]
    book.close()


KILLED = """
import os, sys
from pathlib import Path
from checkpoints.ledger.ledger import Ledger
book = Ledger(Path(sys.argv[1]))
for number in range(1_000_000):
    book.event("tides-1", "kept", {"n": number})
    os.write(1, b"%d\\n" % number)
"""


def test_what_was_acknowledged_before_a_kill_is_there(with_job: Ledger) -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED, str(with_job.path)], stdout=subprocess.PIPE) as child:
        assert child.stdout
        acknowledged = [int(child.stdout.readline()) for _ in range(25)]
        child.kill()
        acknowledged += [int(line) for line in child.stdout.read().split(b"\n")[:-1]]
    found = [event.data["n"] for event in with_job.events("tides-1") if event.kind == "kept"]
    assert found[: len(acknowledged)] == acknowledged == list(range(len(acknowledged)))
    assert with_job.is_sound()


def test_a_copied_ledger_works(with_job: Ledger, tmp_path: Path) -> None:
    with_job.close()
    shutil.copy(with_job.path, tmp_path / "copy.db")
    copy = Ledger(tmp_path / "copy.db")
    assert kinds(copy) == ["job_queued"]
    copy.close()
