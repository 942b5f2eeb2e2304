"""Two to four real processes on one home: what they share is made once, and none harms another, however it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from checkpoints.ledger.ledger import Ledger
from checkpoints.ownership.locks import job_lock
from config.settings import Settings
from pipeline import Pipeline

pytestmark = pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")

# The command line as it is installed, but it tells its events on stderr, and stands still at the first that begins like `hold`.
PROCESS = """
import sys
from pipeline.events import Bus

hold, holding, send = sys.argv.pop(1), [], Bus.send

def telling(self, kind, job_id, /, **data):
    told = f"{kind} {data.get('step', '')}"
    print("event", told, flush=True, file=sys.stderr)
    send(self, kind, job_id, **data)
    if hold and told.startswith(hold) and not holding:
        holding.append(told)
        print("holding", flush=True, file=sys.stderr)
        sys.stdin.readline()

Bus.send = telling
from pipeline.cli.app import main
sys.exit(main())
"""

LEVELS = [{"name": "High", "resolution": "160x90", "bitrate_bps": "200k", "priority": 1}]
PATIENCE_S = 60
LIT, SEEN, SAIL = "A lamp is lit.", "Ships see it.", "They sail on."

Alone = Callable[["Town", Path], list[str]]


class Process:
    """One command in a session of its own, followed by its events."""

    def __init__(self, town: Town, arguments: Sequence[str], hold: str) -> None:
        self._out = town.folder / f"out-{len(town.processes)}"
        self._news, self._told, self._closed = threading.Condition(), [""], False
        with self._out.open("w") as out:
            self.child = subprocess.Popen(
                [sys.executable, "-c", PROCESS, hold, *arguments],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.PIPE,
                text=True,
                cwd=town.folder,
                env=os.environ | {"FRAMEKEEP_HOME": str(town.home), "FRAMEKEEP_CONFIG": str(town.settings)},
                start_new_session=True,
            )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    @property
    def told(self) -> str:
        return "\n".join(self._told)

    @property
    def document(self) -> Any:
        return json.loads(self._out.read_text())

    def wait_for(self, text: str) -> Process:
        def is_told() -> bool:
            return any(line.startswith(text) for line in self._told)

        with self._news:
            assert self._news.wait_for(lambda: is_told() or self._closed, PATIENCE_S), f"no '{text}': {self.told}"
            assert is_told(), f"ended without '{text}': {self.told}"
        return self

    def go_on(self) -> Process:
        assert self.child.stdin
        self.child.stdin.write("\n")
        self.child.stdin.flush()
        return self

    def end(self) -> Process:
        self.child.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        assert self.child.stdin
        self.child.stdin.close()
        return self

    def kill(self) -> None:
        if self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGKILL)
        self.end()

    def done(self) -> Process:
        self.end()
        assert self.child.returncode == 0, self.told
        return self

    def _read(self) -> None:
        assert self.child.stderr
        with self.child.stderr as stderr:
            for line in stderr:
                with self._news:
                    self._told.append(line.rstrip("\n"))
                    self._news.notify_all()
        with self._news:
            self._closed = True
            self._news.notify_all()


class Town:
    """One home and the processes on it."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.folder, self.home, self.out = folder, folder / "home", folder / "out"
        self.settings = folder / "settings.json"
        self.settings.write_text(json.dumps(settings))
        self.processes: list[Process] = []

    def brief(self, name: str, *texts: str) -> Path:
        path = self.folder / f"{name}.md"
        scenes = "".join(f"\n## Scene\n{text}\n" for text in texts)
        path.write_text(f"---\ntitle: A small light\nseed: 3\ntransition: cut\n---\n{scenes}")
        return path

    def run(self, *arguments: str | Path, hold: str = "") -> Process:
        self.processes.append(Process(self, [str(argument) for argument in arguments], hold))
        return self.processes[-1]

    def render(self, *briefs: Path, command: str = "render", hold: str = "") -> Process:
        return self.run(command, *briefs, "--out", self.out, "--json", hold=hold)

    def ledger(self) -> Ledger:
        return Ledger(self.home / "ledger.db")

    def check(self) -> None:
        """Nothing was made twice, and nothing is left of those who made it."""
        ledger = self.ledger()
        try:
            executed = Counter(
                event.data["key"]
                for job in ledger.jobs()
                for event in ledger.events(job.id)
                if event.kind == "step_executed"
            )
            assert {key for key, times in executed.items() if times > 1} == set(), "a shared step was made twice"
            assert ledger.leases() == {}
            assert ledger.is_sound()
        finally:
            ledger.close()
        assert list((self.home / "store" / "tmp").iterdir()) == []
        assert list(self.home.rglob("*.part")) == []
        assert list(self.home.rglob("*.owner.json")) == []


@pytest.fixture
def town(tmp_path: Path, tiny_settings: Settings) -> Iterator[Town]:
    settings = tiny_settings.model_dump(mode="json")
    made = Town(tmp_path, {"rendering": settings["rendering"], "quality": {"levels": LEVELS}})
    yield made
    for process in made.processes:
        process.kill()


def digests_of(document: Any) -> list[str]:
    return [output["sha256"] for output in document["outputs"]]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Town, Path], list[str]]:
    """What a brief's videos are where nobody else is; made once for each."""
    made: dict[str, list[str]] = {}

    def digests(town: Town, brief: Path) -> list[str]:
        text = brief.read_text()
        if text not in made:
            folder = tmp_path_factory.mktemp("alone")
            (folder / brief.name).write_text(text)
            with Pipeline(Settings.model_validate_json(town.settings.read_text()), home=folder / "home") as pipeline:
                made[text] = digests_of(pipeline.render(folder / brief.name, output=folder / "out").as_json())
        return made[text]

    return digests


@pytest.mark.faults
def test_jobs_that_share_work_share_it_and_every_video_is_right(town: Town, alone: Alone) -> None:
    others = [("a", SEEN), ("b", SAIL), ("c", "Fog."), ("d", "Nobody is there.")]
    briefs = [town.brief(name, LIT, text) for name, text in others]
    runs = [town.render(brief) for brief in briefs]
    for run in runs:
        run.done()
    town.check()
    documents = [run.document for run in runs]
    # The line, the picture and the encode of the first scene, at least.
    assert sum(document["steps"]["reused"] for document in documents) >= 3 * 3
    for brief, document in zip(briefs, documents, strict=True):
        assert digests_of(document) == alone(town, brief)


def test_of_one_job_one_run_works_and_the_others_are_told_who_does(town: Town) -> None:
    brief = town.brief("a", LIT)
    owner = town.render(brief, hold="step_started speech").wait_for("holding")
    ledger = town.ledger()
    (job,) = ledger.jobs()
    ledger.close()
    others = [town.render(brief), town.run("resume", job.id, "--json")]
    unnamed = town.run("resume", "--json").end()
    for other in others:
        other.end()
        assert other.child.returncode == 75
        assert (other.document["job_id"], other.document["error"]["code"]) == (job.id, "JOB_BUSY")
        who = f"is being worked on by process {owner.child.pid} on {socket.gethostname()} since 20"
        assert who in other.document["error"]["message"]
    # Where none is named, the latest that nobody works on is meant: there is none.
    assert (unnamed.child.returncode, unnamed.document["error"]["message"]) == (2, "No job waits to be resumed")
    owner.kill()
    # It goes with its owner, whatever he died of.
    ledger = town.ledger()
    with job_lock(town.home / "locks", job.id):
        assert ledger.leases()
    ledger.close()


def test_what_a_killed_process_was_making_is_taken_over_at_once(town: Town, alone: Alone) -> None:
    victim = town.render(town.brief("a", LIT, SEEN), hold="step_started speech")
    victim.wait_for("holding")
    heir = town.render(town.brief("b", LIT, SAIL))
    heir.wait_for("event step_waiting speech/0001/01")
    victim.kill()
    # Less than the time of a lease, by far: it was seen that the process is gone.
    heir.done()
    resumed = town.run("resume", "--json").done()
    town.check()
    assert resumed.document["steps"]["reused"] >= 2
    assert digests_of(heir.document) == alone(town, town.folder / "b.md")
    assert digests_of(resumed.document) == alone(town, town.folder / "a.md")


def test_a_script_that_costs_money_is_bought_by_one_process_for_all(town: Town) -> None:
    brief = town.folder / "text.md"
    brief.write_text("---\ntitle: A small light\nseed: 3\n---\nA lamp was lit on the cliff. Ships could see it.\n")
    runs = [town.run("render", brief, "--out", town.out, "--json", hold="step_started script").wait_for("holding")]
    exports = ("shorts", "square")
    runs += [town.run("render", brief, "--out", town.out, "--export", name, "--json") for name in exports]
    for run in runs[1:]:
        run.wait_for("event step_waiting script")
    runs[0].go_on()
    for run in runs:
        run.wait_for("event step_executed script" if run is runs[0] else "event step_reused script")
        run.kill()
    ledger = town.ledger()
    written = [
        attempt for job in ledger.jobs() for attempt in ledger.attempts(job.id) if attempt["operation"] == "write"
    ]
    ledger.close()
    assert [attempt["outcome"] for attempt in written] == ["ok"]


def test_every_other_command_works_beside_a_running_batch(town: Town, alone: Alone) -> None:
    """And the clean-up takes nothing that the batch still needs."""
    brief = town.brief("a", LIT, SEEN)
    batch = town.render(brief, command="batch", hold="step_started mux").wait_for("holding")
    (row,) = town.run("jobs", "--json").done().document["jobs"]
    assert row["state"] == "running"
    show, doctor = town.run("show", row["job_id"], "--json"), town.run("doctor", "--json")
    clean_up = town.run("gc", "--keep-last", "0", "--max-size", "0", "--json")
    for run in (show, doctor, clean_up):
        run.done()
    assert (show.document["job_id"], clean_up.document["artifacts"]) == (row["job_id"], 0)
    batch.go_on().done()
    town.check()
    assert batch.document["counts"] == {"done": 1}
    assert digests_of(batch.document["jobs"][0]) == alone(town, brief)


def test_two_pipelines_in_one_process_share_their_work_too(town: Town, alone: Alone) -> None:
    settings = Settings.model_validate_json(town.settings.read_text())
    briefs = [town.brief("a", LIT, SEEN), town.brief("b", LIT, SAIL)]

    def render(brief: Path) -> Any:
        with Pipeline(settings, home=town.home) as pipeline:
            return pipeline.render(brief, output=town.out).as_json()

    with ThreadPoolExecutor(2) as pool:
        documents = list(pool.map(render, briefs))
    town.check()
    for brief, document in zip(briefs, documents, strict=True):
        assert document["status"] == "done"
        assert digests_of(document) == alone(town, brief)
