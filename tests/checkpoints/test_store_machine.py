"""Store and ledger against a model: whatever is done to a home, and wherever it is cut short.

What was acknowledged is never lost unless the clean-up may take it or somebody took it away; what is damaged is never handed out.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from checkpoints import crash_points
from checkpoints.job_states import OPEN_STATES
from checkpoints.keys import text_digest
from checkpoints.ownership.leases import Held, Lease
from checkpoints.ownership.processes import Owner
from checkpoints.records import Record
from config.settings import Settings
from pipeline.engine.step_results import StepResults
from pipeline.home import Home
from pipeline.maintenance.gc import collect
from pipeline.maintenance.rebuild import rebuild
from pipeline.planning.steps import Step, StepOutcome
from stages.models import Music

DAY = 86_400.0
# What each step makes: the last two make the same.
CONTENTS = {"a": b"a" * 40, "b": b"b" * 30_000, "c": b"the same", "d": b"the same"}
STEPS = {name: Step(name, "images", 1, text_digest(name), Music(path=Path(name))) for name in CONTENTS}
# What each job needs. The first is an earlier edition of the second.
JOBS = {"tides-1": "ab", "tides-2": "ac", "moss-1": "bd"}

jobs, steps = st.sampled_from(sorted(JOBS)), st.sampled_from(sorted(STEPS))
# How many points a run passes before it is killed. A whole one passes about a hundred.
fuses = st.none() | st.integers(0, 110)


class KilledError(BaseException):
    """A process dies here. No handler of ours may catch it."""


class HomeMachine(RuleBasedStateMachine):
    """`sure` maps a step to where its record must be found: in the ledger, in the store, or both."""

    empty: Path

    @initialize()
    def start(self) -> None:
        base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.root = Path(tempfile.mkdtemp(dir=base))
        self.sure: dict[str, set[str]] = {name: set() for name in STEPS}
        self.damaged: set[str] = set()
        self.acknowledged: dict[str, set[str]] = {}
        self.finished: set[str] = set()
        self._put_empty_ledger()
        self._open()

    # Doing

    @rule(job=jobs, fuse=fuses, ending=st.sampled_from(["done", "degraded", "parked", "interrupted"]))
    def run(self, job: str, fuse: int | None, ending: str) -> None:
        """A whole run, or as much of one as there is before it is killed."""

        def begin() -> None:
            self.home.ledger.put_job(job, job, {"title": job}, {})
            self.home.ledger.set_state(job, "running")

        self.finished.discard(job)
        left = [fuse]
        if self._until_killed(begin, left):
            self.acknowledged.setdefault(job, set())
            if all(self._run_step(job, name, left) for name in JOBS[job]):
                ended = self._until_killed(lambda: self.home.ledger.set_state(job, ending), left)
                if ending not in OPEN_STATES:
                    self.finished.add(job)
                    if not ended:
                        # It may or may not be finished: what it needs is for nobody to count on.
                        self.acknowledged[job] = set()
        self._look()

    def _run_step(self, job: str, name: str, left: list[int | None]) -> bool:
        step, made = STEPS[name], []

        def work() -> None:
            if record := self._load(name):
                self.home.ledger.steps_reused(job, [(name, step.stage, 1, record)])
                return
            made.append(name)
            self._make(job, step)

        if not self._until_killed(work, left):
            return False
        self.damaged -= {CONTENTS[name].decode()}
        self.sure[name] = {"ledger", "store"} if made else self.sure[name] | {"ledger"}
        self.acknowledged[job].add(name)
        return True

    @precondition(lambda self: self._open_jobs())
    @rule(data=st.data(), commits=st.booleans())
    def come_too_late(self, data: st.DataObject, commits: bool) -> None:
        """A run is stopped in the middle of a step, another takes the step over, and then the first goes on."""
        job = data.draw(st.sampled_from(self._open_jobs()))
        name = data.draw(st.sampled_from(JOBS[job]))
        assume(not self._load(name))
        step, ledger = STEPS[name], self.home.ledger
        late = ledger.step_started(job, name, step.stage, 1, step.key, Owner.here())
        if isinstance(late, Held):
            late = ledger.step_started(job, name, step.stage, 1, step.key, Owner.here(), over=late.lease)
        assert isinstance(late, Lease)
        taken = ledger.step_started(job, name, step.stage, 1, step.key, Owner.here(), over=late)
        assert isinstance(taken, Lease)
        assert isinstance(ledger.step_started(job, name, step.stage, 1, step.key, Owner.here(), over=late), Held)
        record = self._publish(step)
        assert not ledger.step_executed(job, name, record, late)
        assert ledger.results.get(step.key) is None
        if commits:
            assert ledger.step_executed(job, name, record, taken)
            self.sure[name] = {"ledger", "store"}
            self.acknowledged[job].add(name)
        self.damaged -= {CONTENTS[name].decode()}

    # Harm

    @rule(name=steps, harm=st.sampled_from(["cut", "flip", "swap", "delete"]), other=steps, of_record=st.booleans())
    def damage(self, name: str, harm: str, other: str, of_record: bool) -> None:
        where = self._record_path if of_record else self._path
        path, source = where(name), where(other)
        if not path.exists() or (harm == "swap" and (source == path or not source.exists())):
            return
        content = path.read_bytes()
        harmed = {"cut": content[:-1], "flip": bytes([content[0] ^ 1]) + content[1:], "delete": b""}
        if of_record and harm == "flip":
            harmed["flip"] = content.replace(b'"stage":"images"', b'"stage":"speech"')
        _overwrite(path, source.read_bytes() if harm == "swap" else harmed[harm])
        if harm == "delete":
            path.unlink()
        if of_record:
            self.sure[name].discard("store")
        else:
            self.damaged.add(CONTENTS[name].decode())

    @rule(harm=st.sampled_from(["empty", "delete", "letter", "cut", "rebuild", "reopen"]))
    def lose_ledger(self, harm: str) -> None:
        """And make it again from the store; or go on with an empty one, as somebody might who knows no better; or lose nothing."""
        self.home.close()
        path = self.root / "ledger.db"
        if harm not in ("rebuild", "reopen"):
            for part in ("-wal", "-shm"):
                (self.root / f"ledger.db{part}").unlink(missing_ok=True)
            for found in self.sure.values():
                found.discard("ledger")
        if harm == "empty":
            self._put_empty_ledger()
        elif harm == "delete":
            path.unlink()
        elif harm == "letter":
            path.write_bytes(b"a letter, and no ledger" * 300)
        elif harm == "cut":
            path.write_bytes(path.read_bytes()[:9000])
        if harm not in ("empty", "reopen"):
            rebuild(self.home, Settings(), now=time.time())
        self._open()

    # Mending

    @rule(
        days=st.sampled_from([100.0, 2.0, 0.1, 0.0]),
        limits=st.sampled_from([(None, None), (0.0, None), (None, 0), (5 * DAY, 100)]),
        keep_last=st.sampled_from([0, 0, 1, 2]),
        dry_run=st.sampled_from([False, False, False, True]),
        fuse=fuses,
    )
    def clean_up(
        self, days: float, limits: tuple[float | None, int | None], keep_last: int, dry_run: bool, fuse: int | None
    ) -> None:
        now = time.time() + days * DAY

        def work() -> None:
            collect(
                self.home,
                older_than_s=limits[0],
                max_bytes=limits[1],
                keep_last=keep_last,
                dry_run=dry_run,
                now=now,
            )

        self._until_killed(work, [fuse])
        needed = {name for job in self._open_jobs() for name in self.acknowledged[job]}
        if dry_run or not days:
            needed = set(STEPS)
        for name in set(STEPS) - needed:
            self.sure[name] = set()
        needed_jobs = set(self._open_jobs())
        self._look()
        assert needed_jobs <= self.known, "the clean-up forgot a job that can be resumed"

    def teardown(self) -> None:
        crash_points.listen(None)
        if not hasattr(self, "home"):
            return
        try:
            for name in STEPS:
                self._load(name)
            assert self.home.ledger.is_sound()
            self.home.store.sweep()
            # A lock alone may be that of a process which is about to make its folder, and this process lives.
            assert [path for path in (self.root / "store" / "tmp").iterdir() if path.is_dir()] == []
        finally:
            self.home.close()
            shutil.rmtree(self.root)

    @invariant()
    def nothing_wrong_is_recalled(self) -> None:
        if not hasattr(self, "home"):
            return
        for name, step in STEPS.items():
            record = self.checkpoints.recall(step)
            assert record is None or (record.key, record.stage) == (step.key, step.stage), (
                "an altered record was believed"
            )
            if self.sure[name]:
                assert record, f"{name} was acknowledged, and is not known any more"

    # Helpers

    def _open(self) -> None:
        if hasattr(self, "home"):
            self.home.close()
        self.home = Home(self.root)
        self._forget_memory()

    def _forget_memory(self) -> None:
        """What a process knows beyond its files. The ledger's connections are kept: to open new ones costs more than all else."""
        self.home.__dict__.pop("store", None)
        self.checkpoints = StepResults(self.home.ledger, self.home.store, lambda step, what: None)
        self._look()

    def _put_empty_ledger(self) -> None:
        """An empty ledger, made once and copied: its tables take longer to make than all else."""
        if not hasattr(HomeMachine, "empty"):
            made = Path(tempfile.mkdtemp()) / "home"
            Home(made).ledger.close()
            HomeMachine.empty = made / "ledger.db"
        for part in ("", "-wal", "-shm"):
            (self.root / f"ledger.db{part}").unlink(missing_ok=True)
        shutil.copy(HomeMachine.empty, self.root / "ledger.db")

    def _until_killed(self, work: Any, left: list[int | None]) -> bool:
        """Run `work` until `left` has run down; whether it came to its end. After a kill, only files remember."""

        def burn(name: str) -> None:
            if left[0] is not None:
                if not left[0]:
                    raise KilledError(name)
                left[0] -= 1

        crash_points.listen(burn)
        try:
            work()
        except KilledError:
            crash_points.listen(None)
            self._forget_memory()
            return False
        finally:
            crash_points.listen(None)
        return True

    def _make(self, job: str, step: Step) -> None:
        ledger, owner = self.home.ledger, Owner.here()
        lease = ledger.step_started(job, step.id, step.stage, 1, step.key, owner, counts=lambda found: True)
        if isinstance(lease, Held):
            # Of a run that was killed here: in its own process, so only the test knows that it is gone.
            lease = ledger.step_started(job, step.id, step.stage, 1, step.key, owner, over=lease.lease)
        assert isinstance(lease, Lease)
        assert ledger.step_executed(job, step.id, self._publish(step), lease)

    def _publish(self, step: Step) -> Record:
        with self.home.store.scratch() as folder:
            path = folder / "made"
            path.write_bytes(CONTENTS[step.id])
            return self.checkpoints.keep(step, StepOutcome({"picture": path}, {}, "stub"), [])

    def _load(self, name: str) -> Record | None:
        """What a run would reuse: whole, or it is not handed out; and there, if it was acknowledged and nobody took it."""
        record = self.checkpoints.load(STEPS[name])
        if record:
            (artifact,) = record.artifacts.values()
            assert self.home.store.path(artifact.digest).read_bytes() == CONTENTS[name], (
                f"{name} was damaged, and reused"
            )
        else:
            assert not self.sure[name] or self._is_damaged(name), f"{name} was acknowledged, and is lost"
            # What it found damaged it has removed, and the records with it.
            self.sure[name] = set()
        return record

    def _open_jobs(self) -> list[str]:
        return sorted(job for job in self.acknowledged if job not in self.finished and job in self.known)

    def _look(self) -> None:
        self.known = {row.id for row in self.home.ledger.jobs()}

    def _is_damaged(self, name: str) -> bool:
        return CONTENTS[name].decode() in self.damaged

    def _path(self, name: str) -> Path:
        return self.home.store.path(hashlib.sha256(CONTENTS[name]).hexdigest())

    def _record_path(self, name: str) -> Path:
        key = STEPS[name].key
        return self.root / "store" / "records" / key[:2] / f"{key}.json"


def test_a_job_that_goes_on_after_its_ledger_was_lost_keeps_all_that_it_may_need(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.ledger.put_job("moss-1", "Moss", {}, {})
    checkpoints = StepResults(home.ledger, home.store, lambda step, what: None)
    for name in JOBS["moss-1"]:
        lease = home.ledger.step_started("moss-1", name, "images", 1, STEPS[name].key, Owner.here())
        assert isinstance(lease, Lease)
        with home.store.scratch() as folder:
            (folder / "made").write_bytes(CONTENTS[name])
            record = checkpoints.keep(STEPS[name], StepOutcome({"picture": folder / "made"}, {}, "stub"), [])
        home.ledger.step_executed("moss-1", name, record, lease)
    home.close()
    for path in tmp_path.glob("ledger.db*"):
        path.unlink()
    # Somebody renders the same brief again, and that run is killed before it has looked for what is there.
    home.ledger.put_job("moss-1", "Moss", {}, {})
    later = time.time() + 100 * DAY
    report = collect(home, older_than_s=0, max_bytes=0, keep_last=0, dry_run=False, now=later)
    assert (report.held_by, report.artifacts, report.results) == (("moss-1",), 0, 0)
    checkpoints = StepResults(home.ledger, home.store, lambda step, what: None)
    assert all(checkpoints.load(STEPS[name]) for name in JOBS["moss-1"])
    home.close()


def _overwrite(path: Path, content: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(content)
    stamp = path.stat().st_mtime_ns + 1_000_000
    os.utime(path, ns=(stamp, stamp))


HomeMachine.TestCase.settings = settings(
    max_examples=int(os.environ.get("N", "150")),
    stateful_step_count=12,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
test_a_home_keeps_what_was_acknowledged = HomeMachine.TestCase
