"""Leases on steps in the making: one maker at a time, found out when dead, and fenced off when he was too late."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from checkpoints import crash_points
from checkpoints.ledger.ledger import Ledger
from checkpoints.ownership.leases import LEASE_S, Heart, Held, Lease, Watch
from checkpoints.ownership.processes import Owner, is_gone, place, started
from checkpoints.records import Record
from config.errors import TimedOutError

ME, OTHER = Owner.here(), Owner.here()
# Of another machine, or another container: whether it lives cannot be told from here.
FAR = Owner("far", "elsewhere", "elsewhere/boot/pid:[1]", 1, "5")


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path / "ledger.db")
    for job in ("a", "b"):
        made.put_job(job, job, {}, {})
    yield made
    made.close()


def start(book: Ledger, job: str = "a", owner: Owner = ME, key: str = "k1", over: Lease | None = None) -> Lease:
    lease = book.step_started(job, "s", "speech", 1, key, owner, over=over)
    assert isinstance(lease, Lease)
    return lease


def record(key: str = "k1", fact: int = 1) -> Record:
    return Record(key=key, stage="speech", artifacts={}, facts={"n": fact})


def kinds(book: Ledger, job: str) -> list[str]:
    return [event.kind for event in book.events(job)][1:]


def test_a_step_in_the_making_is_not_begun_by_another_run_and_nothing_is_noted(book: Ledger) -> None:
    lease = start(book)
    answer = book.step_started("b", "s", "speech", 1, "k1", OTHER)
    assert answer == Held(lease)
    assert (lease.job_id, lease.owner, lease.pid) == ("a", ME.token, os.getpid())
    assert (book.steps("b"), kinds(book, "b")) == ([], [])
    assert start(book, "b", OTHER, "k2").key == "k2"


@pytest.mark.parametrize("end", ["executed", "failed", "stopped"])
def test_a_lease_ends_with_its_step(book: Ledger, end: str) -> None:
    lease = start(book)
    if end == "executed":
        assert book.step_executed("a", "s", record(), lease)
    elif end == "failed":
        book.step_failed("a", "s", TimedOutError("slow"), lease)
    else:
        book.let_go(lease)
    assert book.leases() == {}
    assert start(book, "b", OTHER).fence > lease.fence


def test_a_result_that_came_in_between_is_handed_out_in_place_of_a_lease(book: Ledger) -> None:
    book.step_executed("a", "s", record(), start(book))
    assert book.step_started("b", "s", "speech", 1, "k1", OTHER, counts=lambda found: True) == record()
    assert (book.steps("b"), book.leases()) == ([], {})
    # One that this run does not go by is made again.
    assert isinstance(book.step_started("b", "s", "speech", 1, "k1", OTHER, counts=lambda found: False), Lease)


def test_whoever_lost_his_lease_cannot_commit_and_the_new_owner_can(book: Ledger) -> None:
    late = start(book)
    new = start(book, "b", OTHER, over=late)
    assert new.fence > late.fence
    before = (book.steps("a"), kinds(book, "a"))
    assert book.step_executed("a", "s", record(fact=1), late) is False
    assert (book.steps("a"), kinds(book, "a"), book.results.get("k1")) == (*before, None)
    assert book.leases() == {"k1": new}
    assert book.step_executed("b", "s", record(fact=2), new)
    assert book.step_executed("a", "s", record(fact=1), late) is False
    assert book.results.get("k1") == record(fact=2)


def test_the_failure_of_a_late_owner_does_not_end_the_new_owners_lease(book: Ledger) -> None:
    late = start(book)
    new = start(book, "b", OTHER, over=late)
    book.step_failed("a", "s", TimedOutError("slow"), late)
    book.let_go(late)
    assert book.leases() == {"k1": new}


def test_a_lease_that_showed_life_since_it_was_seen_is_not_taken_over(book: Ledger) -> None:
    seen = start(book)
    assert book.renew_leases(ME) == {seen.fence}
    assert isinstance(book.step_started("b", "s", "speech", 1, "k1", OTHER, over=seen), Held)
    book.let_go(seen)
    again = start(book)
    assert isinstance(book.step_started("b", "s", "speech", 1, "k1", OTHER, over=seen), Held)
    assert book.leases() == {"k1": again}


def test_renewing_is_for_all_leases_of_one_owner_and_tells_which_are_left(book: Ledger) -> None:
    first, second = start(book, key="k1"), start(book, key="k2")
    foreign = start(book, "b", OTHER, "k3")
    start(book, "b", OTHER, "k2", over=second)
    assert book.renew_leases(ME) == {first.fence}
    assert {key: lease.beats for key, lease in book.leases().items()} == {"k1": 1, "k2": 0, "k3": 0}
    book.let_go_all(ME)
    assert book.leases().keys() == {"k2", "k3"}
    assert book.leases()["k3"] == foreign


def test_a_job_that_runs_again_lets_go_what_its_dead_run_held_and_nothing_else(book: Ledger) -> None:
    start(book, "a", ME, "k1")
    other = start(book, "b", OTHER, "k2")
    book.put_job("a", "a", {}, {})
    assert book.leases() == {"k2": other}


def test_the_leases_of_a_forgotten_job_go_with_it(book: Ledger) -> None:
    lease = start(book)
    book.forget_job("a")
    assert book.leases() == {}
    assert start(book, "b", OTHER).fence > lease.fence, "a fence was given out twice"


def test_a_lease_costs_no_commit_of_its_own(book: Ledger) -> None:
    reached: list[str] = []
    crash_points.listen(reached.append)
    try:
        book.step_executed("a", "s", record(), start(book))
    finally:
        crash_points.listen(None)
    assert [name for name in reached if name.endswith(":commit")] == [
        "ledger.step_started:commit",
        "ledger.step_executed:commit",
    ]


def test_of_many_threads_that_want_a_step_one_gets_it(book: Ledger) -> None:
    got: list[Lease | Held | Record] = []
    gate = threading.Barrier(8, timeout=10)

    def want() -> None:
        gate.wait()
        got.append(book.step_started("a", "s", "speech", 1, "k1", Owner.here()))

    threads = [threading.Thread(target=want) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (lease,) = [answer for answer in got if isinstance(answer, Lease)]
    assert [answer for answer in got if isinstance(answer, Held)] == [Held(lease)] * 7


# Whether an owner lives


def lease_of(owner: Owner, **columns: int) -> Lease:
    who = dataclasses.asdict(owner)
    token = who.pop("token")
    return Lease(**{"key": "k1", "fence": 1, "owner": token, **who, "job_id": "a", "since": 0.0, "beats": 0, **columns})


def test_the_lease_of_a_live_process_is_waited_for(tmp_path: Path) -> None:
    lease = lease_of(ME)
    watch = Watch(lease, 0.0)
    assert not watch.may_take_over(lease, LEASE_S - 0.1)


def test_a_lease_that_shows_no_life_is_taken_over_after_its_time_and_not_before() -> None:
    assert LEASE_S >= 30
    lease = lease_of(FAR)
    watch = Watch(lease, 100.0)
    assert not watch.may_take_over(lease, 100.0 + LEASE_S - 0.1)
    assert watch.may_take_over(lease, 100.0 + LEASE_S)


@pytest.mark.parametrize("change", [{"beats": 1}, {"fence": 2}])
def test_every_sign_of_life_begins_the_time_anew(change: dict[str, int]) -> None:
    watch = Watch(lease_of(FAR), 0.0)
    alive = lease_of(FAR, **change)
    assert not watch.may_take_over(alive, LEASE_S + 5)
    assert not watch.may_take_over(alive, 2 * LEASE_S)
    assert watch.may_take_over(alive, 2 * LEASE_S + 5)


def test_the_lease_of_a_process_that_is_gone_is_taken_over_at_once() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        dead = dataclasses.replace(ME, pid=child.pid, started=started(child.pid))
        assert dead.started
        lease = lease_of(dead)
        watch = Watch(lease, 0.0)
        assert not watch.may_take_over(lease, 0.1)
        child.kill()
        # Not waited for yet: its number is still taken, by what is left of it.
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert watch.may_take_over(lease, 0.2)
    assert watch.may_take_over(lease, 0.3)


def test_a_later_process_of_the_same_number_does_not_pass_for_the_owner() -> None:
    assert not is_gone(ME.place, ME.pid, ME.started)
    assert is_gone(ME.place, ME.pid, "1")
    assert is_gone(ME.place, ME.pid, "")


def test_nothing_is_proven_by_process_numbers_of_another_place() -> None:
    assert not is_gone(FAR.place, 2**22 + 1, "1")
    assert is_gone(place(), 2**22 + 1, "1")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_a_process_start_is_not_told_by_the_time_of_day() -> None:
    # Ticks since the machine was switched on: setting the clock cannot make a live owner look dead.
    ticks = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    assert started(os.getpid()) == ticks
    assert int(ticks) / os.sysconf("SC_CLK_TCK") < float(Path("/proc/uptime").read_text().split()[0]) + 1


def test_a_heart_beats_until_it_is_stopped() -> None:
    beats, three = [0], threading.Event()

    def beat() -> None:
        beats[0] += 1
        if beats[0] == 3:
            three.set()

    heart = Heart(beat, interval_s=0.001)
    heart.start()
    assert three.wait(10)
    heart.stop()
    after = beats[0]
    assert not heart._thread.is_alive()
    assert beats[0] == after
    Heart(beat).stop()
