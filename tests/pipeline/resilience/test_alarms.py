"""One thread watches all limits of time."""

from __future__ import annotations

import threading
import time

from pipeline.resilience.deadlines import Alarms


def alarm_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "framekeep-alarm"]


def test_an_alarm_rings_when_its_time_is_up_though_a_later_one_was_set_first() -> None:
    alarms, rung = Alarms(), threading.Event()
    later = alarms.after(600, lambda: None)
    began = time.monotonic()
    alarms.after(0.05, rung.set)
    assert rung.wait(5)
    assert 0.05 <= time.monotonic() - began < 1
    assert later.is_set


def test_a_cancelled_alarm_does_not_ring() -> None:
    alarms, rung, over = Alarms(), threading.Event(), threading.Event()
    alarms.after(0.02, rung.set).cancel()
    alarms.after(0.06, over.set)
    assert over.wait(5)
    assert not rung.is_set()


def test_an_alarm_that_takes_long_holds_up_no_other() -> None:
    alarms, gate, rung = Alarms(), threading.Event(), threading.Event()
    alarms.after(0.0, gate.wait)
    alarms.after(0.02, rung.set)
    assert rung.wait(5)
    gate.set()


def test_time_that_is_already_up_rings_at_once() -> None:
    alarms, rung = Alarms(), threading.Event()
    alarms.after(-1, rung.set)
    assert rung.wait(5)


def test_cancelled_alarms_do_not_pile_up() -> None:
    alarms = Alarms()
    for _ in range(5000):
        alarms.after(600, lambda: None).cancel()
    assert len(alarms._waiting) <= 64


def test_many_alarms_take_one_thread() -> None:
    alarms, before = Alarms(), threading.active_count()
    for _ in range(50):
        alarms.after(600, lambda: None)
    assert threading.active_count() == before + 1
    assert not alarm_threads()
