"""Cleaning up: what is finished and old goes, what anybody may still need stays."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from checkpoints.job_states import OPEN_STATES
from checkpoints.ledger.responses import Responses, put
from checkpoints.ownership.locks import job_lock
from checkpoints.ownership.processes import Owner
from checkpoints.records import Record
from checkpoints.store.store import Store
from config.errors import UsageError
from pipeline.home import Home
from pipeline.maintenance import gc
from pipeline.maintenance.gc import ORPHAN_S, RECENT_S, CleanupReport, collect

DAY = 86_400
NOW = 2_000_000_000.0


class House:
    """A home whose clock a test sets. Steps are named by their content: `a` makes the artifact `a`."""

    def __init__(self, root: Path) -> None:
        self.now = NOW
        self.home = Home(root)
        store = Store(root / "store", wall=lambda: self.now)
        store.prepare()
        self.home.__dict__["store"] = store
        self.home.ledger._wall = lambda: self.now

    def at(self, days_ago: float) -> House:
        self.now = NOW - days_ago * DAY
        return self

    def result(self, name: str, *more: str, in_ledger: bool = True) -> Record:
        """A result of one or more artifacts, made at this time."""
        artifacts = {}
        for content in (name, *more):
            with self.home.store.scratch() as folder:
                (folder / "out").write_text(content * 100)
                os.utime(folder / "out", (self.now, self.now))
                artifacts[content] = self.home.store.publish(folder / "out")
        record = Record(key=key_of(name), stage="images", artifacts=artifacts)
        self.home.store.put_record(record)
        path = self.home.store.root / "records" / record.key[:2] / f"{record.key}.json"
        os.utime(path, (self.now, self.now))
        if in_ledger:
            self.home.ledger.results.adopt(record)
        return record

    def job(self, job_id: str, state: str, *names: str) -> None:
        """A job that used results of these names at this time."""
        self.home.ledger.put_job(job_id, job_id, {}, {})
        rows = [(f"step-{name}", "images", 1, self.result(name)) for name in names]
        self.home.ledger.steps_reused(job_id, rows)
        self.home.ledger.set_state(job_id, state)

    def collect(
        self,
        *,
        older_than_s: float | None = None,
        max_bytes: int | None = None,
        keep_last: int = 0,
        dry_run: bool = False,
        answers_since: float | None = None,
    ) -> CleanupReport:
        self.now = NOW
        return collect(
            self.home,
            older_than_s=older_than_s,
            max_bytes=max_bytes,
            keep_last=keep_last,
            dry_run=dry_run,
            now=NOW,
            answers_since=answers_since,
        )

    def answer(self, name: str) -> None:
        """A provider's answer, made at this time; no job names it."""
        record = self.result(name).model_copy(update={"request": f"request {name}", "provider": "OpenAI"})
        with self.home.ledger.writing("test") as connection:
            put(connection, record, self.now)

    def answers(self) -> set[str]:
        """The keys of all answers that are known."""
        return Responses(self.home.ledger).keys_since(0)

    def jobs(self) -> list[str]:
        return sorted(job.id for job in self.home.ledger.jobs())

    def contents(self) -> str:
        """The artifacts that stand, one letter each."""
        return "".join(
            sorted(self.home.store.path(digest).read_text()[0] for digest, _, _ in self.home.store.artifacts())
        )

    def known(self) -> list[str]:
        """The keys that ledger and store know, which must be the same."""
        in_ledger = sorted(record.key for record, _ in self.home.ledger.results.all())
        assert in_ledger == [record.key for record in self.home.store.records()]
        return in_ledger


def key_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def keys_of(names: str) -> list[str]:
    return sorted(map(key_of, names))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "home")
    yield made
    made.home.close()


def test_a_finished_job_goes_with_its_results_and_files(house: House) -> None:
    house.at(9).job("tides-1", "done", "a", "b")
    house.at(8).job("moss-1", "degraded", "c")
    report = house.collect(keep_last=1)
    assert house.jobs() == ["moss-1"]
    assert house.contents() == "c"
    assert house.known() == keys_of("c")
    assert report == CleanupReport(
        dry_run=False,
        jobs=("tides-1",),
        results=2,
        artifacts=2,
        bytes_freed=200,
        jobs_kept=1,
        results_kept=1,
        artifacts_kept=1,
        bytes_kept=100,
    )


def test_a_dry_run_says_the_same_and_changes_nothing(house: House) -> None:
    house.at(9).job("tides-1", "done", "a", "b")
    house.at(8).job("moss-1", "done", "b", "c")
    house.at(3).result("o")
    before = sorted((path, path.stat().st_mtime_ns) for path in house.home.store.root.rglob("*"))
    foretold = house.collect(keep_last=1, dry_run=True)
    assert sorted((path, path.stat().st_mtime_ns) for path in house.home.store.root.rglob("*")) == before
    assert house.jobs() == ["moss-1", "tides-1"]
    assert not house.home.locks.exists()
    done = house.collect(keep_last=1)
    assert foretold.dry_run
    assert done == foretold.model_copy(update={"dry_run": False})
    assert (done.results, done.artifacts) == (2, 2)


def test_what_two_jobs_share_stays_with_the_one_that_stays(house: House) -> None:
    house.at(9).job("tides-1", "done", "a", "b")
    house.at(8).job("moss-1", "done", "b", "c")
    house.collect(keep_last=1)
    assert house.contents() == "bc"
    assert house.known() == keys_of("bc")


def test_an_artifact_that_two_results_share_stays_with_the_one_that_stays(house: House) -> None:
    house.at(9).job("tides-1", "done")
    house.home.ledger.steps_reused("tides-1", [("s", "images", 1, house.result("x", "s"))])
    house.home.ledger.set_state("tides-1", "done")
    house.at(8).job("moss-1", "done")
    house.home.ledger.steps_reused("moss-1", [("s", "images", 1, house.result("y", "s"))])
    house.home.ledger.set_state("moss-1", "done")
    report = house.collect(keep_last=1)
    assert house.contents() == "sy"
    assert (report.results, report.artifacts) == (1, 1)


@pytest.mark.parametrize("state", OPEN_STATES)
def test_nothing_of_a_job_that_can_be_resumed_goes(house: House, state: str) -> None:
    house.at(900).job("tides-1", state, "a", "b")
    report = house.collect(older_than_s=0, max_bytes=0)
    assert (house.jobs(), house.contents(), house.known()) == (["tides-1"], "ab", keys_of("ab"))
    assert (report.jobs, report.bytes_freed, report.over_bytes) == ((), 0, 200)


def test_a_finished_job_of_the_same_name_stays_while_its_edited_brief_waits(house: House) -> None:
    house.at(9).job("tides-1", "done", "a", "b")
    house.at(9).job("tides-high-1", "done", "c")
    house.at(5).job("tides-2", "interrupted", "a")
    house.collect()
    assert house.jobs() == ["tides-1", "tides-2"]
    assert house.contents() == "ab"
    house.home.ledger.set_state("tides-2", "superseded")
    house.collect()
    assert house.jobs() == ["tides-2"]  # it has just been looked at


def test_age_and_number_must_both_be_exceeded(house: House) -> None:
    for days, name in zip(range(6, 0, -1), "fedcba", strict=True):
        house.at(days).job(f"{name}-1", "done", name)
    assert house.collect(older_than_s=4 * DAY, keep_last=5).jobs == ("f-1",)
    assert house.collect(older_than_s=30 * DAY).jobs == ()
    assert house.collect(older_than_s=4 * DAY).jobs == ("d-1", "e-1")
    assert house.contents() == "abc"


def test_the_oldest_go_until_the_rest_fits(house: House) -> None:
    for days, name in zip(range(6, 0, -1), "fedcba", strict=True):
        house.at(days).job(f"{name}-1", "done", name)
    report = house.collect(max_bytes=350)
    assert report.jobs == ("d-1", "e-1", "f-1")
    assert (report.bytes_kept, report.over_bytes) == (300, 0)
    report = house.collect(max_bytes=50, keep_last=2)
    assert house.contents() == "ab"
    assert (report.bytes_kept, report.over_bytes) == (200, 150)


def test_a_limit_of_bytes_comes_after_the_limit_of_age(house: House) -> None:
    for days, name in zip(range(6, 0, -1), "fedcba", strict=True):
        house.at(days).job(f"{name}-1", "done", name)
    assert house.collect(older_than_s=5 * DAY, max_bytes=300).jobs == ("d-1", "e-1", "f-1")


def test_whatever_was_used_within_the_hour_stays(house: House) -> None:
    house.at(9).job("tides-1", "done", "a")
    house.now = NOW - RECENT_S + 1
    house.job("moss-1", "done", "b")
    house.home.ledger.results.adopt(house.result("a"))  # a job that is not noted yet has found it
    report = house.collect(older_than_s=0, max_bytes=0)
    assert (house.jobs(), house.contents()) == (["moss-1", "tides-1"], "ab")
    assert report.over_bytes == 200


def test_an_artifact_that_was_verified_a_moment_ago_outlives_its_result(house: House) -> None:
    house.at(9).job("tides-1", "done", "a", "b")
    house.now = NOW - 60
    assert house.home.store.verify(house.home.store.get_record(key_of("a")).artifacts["a"])  # type: ignore[union-attr]
    house.collect()
    assert house.jobs() == []
    assert house.contents() == "a"


def test_files_and_results_that_nobody_names_go_after_a_day(house: House) -> None:
    house.now = NOW - ORPHAN_S - 1
    house.result("o")
    house.result("r", in_ledger=False)
    house.home.store.forget(house.result("f", in_ledger=False).key)
    house.now = NOW - ORPHAN_S + 60
    house.result("y")
    house.home.store.forget(house.result("z", in_ledger=False).key)
    report = house.collect()
    assert house.contents() == "yz"
    assert house.known() == keys_of("y")
    assert (report.results, report.artifacts, report.jobs) == (2, 3, ())


def test_a_result_that_only_the_store_knows_is_kept_while_a_step_names_it(house: House) -> None:
    # The step was killed between its record and its row.
    house.at(9).job("tides-1", "interrupted")
    house.home.ledger.step_started("tides-1", "s", "images", 1, key_of("a"), Owner.here())
    house.result("a", in_ledger=False)
    house.collect()
    assert house.contents() == "a"
    assert house.home.store.get_record(key_of("a")) is not None


OWNER = """
import sys, time
from pathlib import Path
from checkpoints.ownership.locks import job_lock
with job_lock(Path(sys.argv[1]), "tides-1"):
    print("mine", flush=True)
    time.sleep(60)
"""


def test_a_job_that_another_process_works_on_is_spared_and_named(house: House) -> None:
    house.at(9).job("tides-1", "done", "a")
    house.at(9).job("moss-1", "done", "b")
    command = [sys.executable, "-c", OWNER, str(house.home.locks)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        assert child.stdout.readline() == "mine\n"
        report = house.collect()
        child.kill()
    assert (report.jobs, report.busy, house.jobs(), house.contents()) == (("moss-1",), ("tides-1",), ["tides-1"], "a")
    assert house.collect().jobs == ("tides-1",)


def test_a_forgotten_job_leaves_no_lock_behind(house: House) -> None:
    house.at(9).job("tides-1", "done", "a")
    with job_lock(house.home.locks, "tides-1"):
        pass
    house.collect()
    assert list(house.home.locks.iterdir()) == []


def interrupting(monkeypatch: pytest.MonkeyPatch, place: str, act: Callable[[], object]) -> None:
    """Let something happen just before the clean-up does its step `place`."""
    real = getattr(gc, place)

    def later(*args: object) -> object:
        act()
        return real(*args)

    monkeypatch.setattr(gc, place, later)


def test_a_job_that_starts_again_while_things_are_looked_at_is_not_forgotten(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.at(9).job("tides-1", "done", "a")
    interrupting(monkeypatch, "_forget_job", lambda: house.home.ledger.set_state("tides-1", "running"))
    report = house.collect()
    assert (report.busy, house.jobs(), house.contents()) == (("tides-1",), ["tides-1"], "a")


def test_a_result_that_a_new_job_takes_up_while_things_are_removed_stays(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.at(9).job("tides-1", "done", "a", "b")
    kept = house.home.store.get_record(key_of("a"))
    assert kept

    def new_job() -> None:
        house.home.ledger.put_job("new-1", "New", {}, {})
        house.home.ledger.steps_reused("new-1", [("s", "images", 1, kept)])

    interrupting(monkeypatch, "_remove", new_job)
    report = house.collect()
    assert house.contents() == "a"
    assert house.known() == keys_of("a")
    assert (report.results, report.artifacts, report.bytes_freed) == (1, 1, 100)


def test_an_artifact_that_is_verified_while_things_are_removed_stays(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whoever looked is about to note in the ledger that it uses it.
    house.at(9).job("tides-1", "done", "a", "b")
    found = house.home.store.get_record(key_of("a"))
    assert found
    interrupting(monkeypatch, "_remove", lambda: house.home.store.verify(found.artifacts["a"]))
    report = house.collect()
    assert (house.contents(), report.results, report.artifacts) == ("a", 2, 1)


@pytest.mark.parametrize("place", ["_remove", "_batches"])
def test_a_clean_up_that_is_killed_is_finished_by_the_next(
    house: House, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    house.at(9).job("tides-1", "done", "a", "b")
    house.at(8).job("moss-1", "failed", "b")

    def kill() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        interrupting(patch, place, kill)
        with pytest.raises(KeyboardInterrupt):
            house.collect()
    house.collect()
    assert (house.jobs(), house.contents(), house.known()) == (["moss-1"], "b", keys_of("b"))


def test_scratch_of_killed_runs_goes_too(house: House) -> None:
    (house.home.store.root / "tmp" / f"1-{'0' * 32}").mkdir()
    assert house.collect(dry_run=True).scratch_folders == 0
    assert house.collect().scratch_folders == 1


def test_an_empty_home_is_clean(house: House) -> None:
    assert house.collect(older_than_s=1, max_bytes=1) == CleanupReport(dry_run=False)


@pytest.mark.parametrize("limits", [{"keep_last": -1}, {"older_than_s": -1}, {"max_bytes": -1}])
def test_a_negative_limit_is_refused(house: House, limits: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="negative"):
        house.collect(**limits)  # type: ignore[arg-type]


def test_a_report_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        CleanupReport(dry_run=True).results = 3


JOBS = st.lists(
    st.tuples(
        st.sampled_from(["done", "degraded", "failed", "running", "superseded"]),
        st.floats(0, 5),
        st.lists(st.sampled_from("abcdefg"), max_size=4, unique=True),
    ),
    max_size=4,
)


@settings(max_examples=12, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(jobs=JOBS, age=st.none() | st.floats(0, 5), size=st.none() | st.integers(0, 700), keep=st.integers(0, 2))
def test_every_job_that_stays_has_all_its_results_whole(
    tmp_path_factory: pytest.TempPathFactory,
    jobs: list[tuple[str, float, list[str]]],
    age: float | None,
    size: int | None,
    keep: int,
) -> None:
    house = House(tmp_path_factory.mktemp("home"))
    needed: dict[str, list[str]] = {}
    for number, (state, days, names) in enumerate(jobs):
        house.at(days).job(f"{'xy'[number % 2]}-{number}", state, *names)
        needed[f"{'xy'[number % 2]}-{number}"] = names
    report = house.collect(older_than_s=None if age is None else age * DAY, max_bytes=size, keep_last=keep)
    fresh = Store(house.home.store.root)
    for job in house.home.ledger.jobs():
        for name in needed[job.id]:
            record = house.home.ledger.results.get(key_of(name))
            assert record == fresh.get_record(key_of(name))
            assert record is not None
            assert all(fresh.verify(artifact) for artifact in record.artifacts.values())
    gone = set(needed) - set(house.jobs())
    assert gone == set(report.jobs)
    assert not any(jobs[int(job[2:])][0] in OPEN_STATES for job in gone)
    assert sum(file_size for _, file_size, _ in fresh.artifacts()) == report.bytes_kept
    house.home.close()


def test_answers_that_may_still_stand_in_for_a_provider_stay_and_the_others_go(house: House) -> None:
    house.at(5).answer("a")
    house.at(2).answer("b")
    assert house.collect(max_bytes=0, answers_since=NOW - 3 * DAY, dry_run=True).artifacts == 1
    assert house.answers() == {key_of("a"), key_of("b")}
    house.collect(max_bytes=0, answers_since=NOW - 3 * DAY)
    assert house.contents() == "b"
    assert house.answers() == {key_of("b")}
    house.collect()
    assert (house.contents(), house.answers()) == ("", set())
