"""One owner for one job, who is named, and whose lock goes with him."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from checkpoints.ownership.locks import is_locked, job_lock, remove_lock
from config.errors import BusyError, StoreError

HOLDER = """
import sys, time
from pathlib import Path
from checkpoints.ownership.locks import job_lock
with job_lock(Path(sys.argv[1]), "tides-1"):
    print("mine", flush=True)
    time.sleep(60)
"""


def test_a_busy_job_names_its_owner_and_is_free_once_he_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        assert child.stdout.readline() == "mine\n"
        assert is_locked(tmp_path, "tides-1")
        with pytest.raises(BusyError) as caught, job_lock(tmp_path, "tides-1"):
            pass
        error = caught.value
        today = datetime.datetime.now().astimezone().strftime("%Y-%m-%d")
        assert error.message.startswith(
            f"Job tides-1 is being worked on by process {child.pid} on {socket.gethostname()} since {today} "
        )
        assert error.hint.endswith("framekeep show tides-1")
        assert error.exit_code == 75
        child.kill()
        child.wait()
    assert not is_locked(tmp_path, "tides-1")
    with job_lock(tmp_path, "tides-1"):
        note = json.loads((tmp_path / "tides-1.owner.json").read_text())
        assert note["pid"] == os.getpid()


def test_no_note_of_an_owner_is_left_behind(tmp_path: Path) -> None:
    with contextlib.suppress(KeyError), job_lock(tmp_path, "tides-1"):
        assert (tmp_path / "tides-1.owner.json").exists()
        raise KeyError
    assert not (tmp_path / "tides-1.owner.json").exists()
    with job_lock(tmp_path, "tides-1"):
        pass


def test_the_same_process_and_thread_cannot_own_a_job_twice(tmp_path: Path) -> None:
    with job_lock(tmp_path, "tides-1"):
        with pytest.raises(BusyError, match=f"process {os.getpid()} on "), job_lock(tmp_path, "tides-1"):
            pass
        assert is_locked(tmp_path, "tides-1")
        assert (tmp_path / "tides-1.owner.json").exists()
    with job_lock(tmp_path, "tides-1"):
        pass


def test_different_jobs_do_not_wait_for_each_other(tmp_path: Path) -> None:
    with job_lock(tmp_path, "tides-1"), job_lock(tmp_path, "tides-2"):
        assert not is_locked(tmp_path, "tides-3")
        assert not (tmp_path / "tides-3.lock").exists()


@pytest.mark.parametrize(
    "note", ["", "{", "[]", "{}", '{"pid": 1, "host": "h", "since": "then"}', '{"pid": 1, "host": "h", "since": 1e300}']
)
def test_an_unreadable_note_does_not_hide_that_the_job_is_busy(tmp_path: Path, note: str) -> None:
    with job_lock(tmp_path, "tides-1"):
        (tmp_path / "tides-1.owner.json").write_text(note)
        with pytest.raises(BusyError, match="worked on by another process"), job_lock(tmp_path, "tides-1"):
            pass


def test_a_lock_is_let_go_even_when_its_note_cannot_be_removed(tmp_path: Path) -> None:
    with job_lock(tmp_path, "tides-1"):
        (tmp_path / "tides-1.owner.json").unlink()
        (tmp_path / "tides-1.owner.json").mkdir()
    assert not is_locked(tmp_path, "tides-1")


def test_of_many_threads_one_at_a_time_owns_the_job(tmp_path: Path) -> None:
    inside, most, owned = [0], [0], [0]
    counting = threading.Lock()

    def work() -> None:
        for _ in range(5):
            try:
                with job_lock(tmp_path, "tides-1"):
                    with counting:
                        inside[0] += 1
                        owned[0] += 1
                        most[0] = max(most[0], inside[0])
                    with counting:
                        inside[0] -= 1
            except BusyError:
                pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert owned[0] >= 5


def test_a_removed_lock_can_be_taken_again(tmp_path: Path) -> None:
    with job_lock(tmp_path, "tides-1"):
        remove_lock(tmp_path, "tides-1")
    assert list(tmp_path.iterdir()) == []
    with job_lock(tmp_path, "tides-1"):
        assert is_locked(tmp_path, "tides-1")


def test_a_place_where_no_lock_can_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="Cannot use") as caught, job_lock(tmp_path / "file" / "locks", "tides-1"):
        pass
    assert caught.value.hint
