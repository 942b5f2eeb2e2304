"""Paid calls: noted before, kept after, never made twice for one answer; and what nobody knows is said."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest
from PIL import Image
from pydantic import SecretStr

import pipeline.engine.purchase_journal
from checkpoints.keys import step_key
from checkpoints.ledger.ledger import Ledger
from checkpoints.ledger.purchases import Purchase, Purchases
from checkpoints.records import Record
from config.errors import DiskFullError, ProviderError, RejectedError, StoreError, TimedOutError, TransientError
from config.settings import Settings
from pipeline import Pipeline
from pipeline.cli.commands.show_command import document_of
from pipeline.planning import step_keys
from pipeline.planning.steps import Step
from pipeline.report import possible_charges
from pipeline.resilience.breakers.registry import Breakers
from pipeline.resilience.guard import Attempt, Guard
from stages.base import CancelToken, Clock
from stages.images.picture_provider import ImageProvider, PictureRequest
from stages.script.llm.account import ModelAccount
from stages.script.llm.writer import LlmWriter

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Workbench

PICTURE = PictureRequest("One", "A lamp.", "A lamp", 1, 3, "Lighthouses", "auto", 0, 160, 90, True)
SETTINGS = Settings.model_validate(
    {
        "resilience": {"retry": {"max_retry_attempts": 1, "initial_delay_ms": 1}},
        "features": {"graceful_degradation": {"enabled": False}},
    }
)


class PaidPainter(ImageProvider):
    """Charges for each id once, and remembers ids if it is told to. `before` runs in each call, and may raise."""

    name = "Stability"
    paid = True

    def __init__(self, before: Callable[[], None] = lambda: None, *, remembers: bool = False) -> None:
        self.before = before
        self.remembers = remembers
        self.asked: list[str] = []
        self.charged: Counter[str] = Counter()
        self._id = ""

    def identity(self) -> dict[str, str]:
        return {}

    def asking(self, request_id: str) -> Self:
        self._id = request_id
        return self

    def draw(self, request: PictureRequest, cancel: CancelToken, folder: Path) -> Path:
        self.asked.append(self._id)
        if not (self.remembers and self.charged[self._id]):
            self.charged[self._id] += 1
        self.before()
        Image.new("RGB", (request.width, request.height), "red").save(folder / "drawn.png")
        return folder / "drawn.png"


def draw(bench: Workbench, painter: PaidPainter) -> Record:
    toolbox = bench.toolbox(SETTINGS, painters=[painter])
    return bench.run(step_of(bench, painter), SETTINGS, toolbox)


def step_of(bench: Workbench, painter: PaidPainter) -> Step:
    toolbox = bench.toolbox(SETTINGS, painters=[painter])
    return Step("images/0001/16:9", "images", 1, step_key("images", step_keys.picture(PICTURE, toolbox)), PICTURE)


def calls(bench: Workbench) -> list[Purchase]:
    return Purchases(bench.ledger).of_job("job")


def crash_in_a_call(bench: Workbench, painter: PaidPainter) -> Purchase:
    """What a run leaves that was killed between a call and its record."""
    step = step_of(bench, painter)
    found, _ = Purchases(bench.ledger).begin(
        key=step.key, job_id="job", step_id=step.id, scene=1, operation="draw", provider=painter.name, now=1.0
    )
    painter.charged[found.request] += 1
    return found


def test_the_intent_is_on_the_disk_before_the_call_and_its_end_with_the_result(workbench: Workbench) -> None:
    seen: list[str] = []

    def look() -> None:
        other = Ledger(workbench.ledger.path)
        seen.extend(call.state for call in Purchases(other).of_job("job"))
        other.close()

    painter = PaidPainter(look)
    draw(workbench, painter)
    assert seen == ["begun"]
    (call,) = calls(workbench)
    assert (call.state, call.provider, call.step_id, call.request) == (
        "answered",
        "Stability",
        "images/0001/16:9",
        painter.asked[0],
    )
    assert possible_charges([call], running=False) == ()


def test_a_provider_that_costs_nothing_is_not_noted(workbench: Workbench) -> None:
    painter = PaidPainter()
    painter.paid = False
    draw(workbench, painter)
    assert (calls(workbench), painter.asked) == ([], [""])


def test_an_answer_that_nobody_can_use_ends_the_call_so_the_next_has_an_id_of_its_own(workbench: Workbench) -> None:
    def refuse() -> None:
        raise RejectedError("no", provider="Stability")

    painter = PaidPainter(refuse)
    with pytest.raises(ProviderError):
        draw(workbench, painter)
    painter.before = lambda: None
    draw(workbench, painter)
    assert [call.state for call in calls(workbench)] == ["failed", "answered"]
    assert len(set(painter.asked)) == 2


def test_a_call_without_an_answer_in_time_is_asked_again_under_its_id_and_is_possibly_charged(
    workbench: Workbench,
) -> None:
    outcomes = iter([TimedOutError("late", provider="Stability"), None])

    def late_once() -> None:
        if error := next(outcomes):
            raise error

    painter = PaidPainter(late_once)
    draw(workbench, painter)
    assert [call.state for call in calls(workbench)] == ["cut off", "answered"]
    assert len(set(painter.asked)) == 1
    (charge,) = possible_charges(calls(workbench), running=True)
    assert (charge.provider, charge.scene, charge.request_id) == ("Stability", 1, painter.asked[0])


def test_several_calls_under_one_id_are_one_possible_charge_with_their_number(workbench: Workbench) -> None:
    def late() -> None:
        raise TimedOutError("late", provider="Stability")

    painter = PaidPainter(late)
    with pytest.raises(ProviderError):
        draw(workbench, painter)
    assert [call.state for call in calls(workbench)] == ["cut off", "cut off"]
    (charge,) = possible_charges(calls(workbench), running=False)
    assert (charge.calls, charge.begun_at) == (2, calls(workbench)[0].begun_at)


@pytest.mark.parametrize("error", [TimedOutError("late"), TransientError("no connection"), RejectedError("no")])
def test_a_call_whose_request_never_left_is_charged_for_nothing_and_keeps_its_id(
    workbench: Workbench, error: ProviderError
) -> None:
    outcomes = iter([error, None])

    def fail_once() -> None:
        if failure := next(outcomes):
            raise failure

    class ShutIn(PaidPainter):
        def may_have_asked(self) -> bool:
            return False

    painter = ShutIn(fail_once)
    if isinstance(error, RejectedError):
        with pytest.raises(RejectedError):
            draw(workbench, painter)
    draw(workbench, painter)
    assert [call.state for call in calls(workbench)] == ["unsent", "answered"]
    assert len(set(painter.asked)) == 1
    assert possible_charges(calls(workbench), running=False) == ()


def test_loading_a_client_is_no_call_and_takes_nothing_from_the_time_of_one() -> None:
    now = [0.0]

    class Slow(PaidPainter):
        def prepare(self, cancel: CancelToken) -> None:
            now[0] += 3600

    settings = Settings.model_validate({"timeouts": {"request_ms": 500, "operation_ms": 1000}})
    attempts: list[Attempt] = []
    guard = Guard(settings, Breakers(), Clock(monotonic=lambda: now[0], sleep=lambda seconds: None))
    answer, _ = guard.bind(CancelToken(), attempts.append)("draw", [Slow()], lambda painter, cancel: "drawn")
    assert answer == "drawn"
    assert [(attempt.outcome, attempt.elapsed_s) for attempt in attempts] == [("ok", 0.0)]


def test_a_connection_that_breaks_is_asked_again_under_its_id(workbench: Workbench) -> None:
    outcomes = iter([TransientError("reset by peer", provider="Stability"), None])

    def break_once() -> None:
        if error := next(outcomes):
            raise error

    painter = PaidPainter(break_once, remembers=True)
    draw(workbench, painter)
    assert [call.state for call in calls(workbench)] == ["unheard", "answered"]
    assert len(set(painter.asked)) == 1
    assert sum(painter.charged.values()) == 1


def test_a_crash_in_a_call_is_reported_as_possibly_charged_and_asked_again_under_the_same_id(
    workbench: Workbench,
) -> None:
    painter = PaidPainter()
    lost = crash_in_a_call(workbench, painter)
    draw(workbench, painter)
    assert [call.state for call in calls(workbench)] == ["lost", "answered"]
    assert painter.asked == [lost.request]
    (warning,) = [event.data["message"] for event in workbench.told if event.kind == "warning"]
    assert warning.startswith("possibly charged")
    assert "Stability" in warning
    assert lost.request in warning
    assert [event.kind for event in workbench.ledger.events("job")].count("warning") == 1
    assert len(possible_charges(calls(workbench), running=False)) == 1


def test_a_provider_that_remembers_ids_is_asked_for_its_answer_and_not_paid_again(workbench: Workbench) -> None:
    painter = PaidPainter(remembers=True)
    lost = crash_in_a_call(workbench, painter)
    draw(workbench, painter)
    assert painter.charged == {lost.request: 1}
    assert any("asked for its answer" in event.data.get("message", "") for event in workbench.told)


def test_a_call_that_is_under_way_is_no_possible_charge_while_its_job_runs(workbench: Workbench) -> None:
    crash_in_a_call(workbench, PaidPainter())
    assert possible_charges(calls(workbench), running=True) == ()
    assert len(possible_charges(calls(workbench), running=False)) == 1


def test_nothing_is_bought_when_the_intent_cannot_be_noted(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter = PaidPainter()
    locked = StoreError("The ledger is locked")
    monkeypatch.setattr(Purchases, "begin", lambda *_, **__: (_ for _ in ()).throw(locked))
    with pytest.raises(StoreError):
        draw(workbench, painter)
    assert painter.asked == []


def test_nothing_is_bought_when_there_is_no_room_for_the_answer(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int, size: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pipeline.engine.purchase_journal, "_allocate", full)
    painter = PaidPainter()
    with pytest.raises(DiskFullError):
        draw(workbench, painter)
    assert (painter.asked, calls(workbench)) == ([], [])


def test_a_disk_that_fills_up_during_the_call_does_not_cost_its_answer(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = workbench.store.publish
    scratch = workbench.store.root / "tmp"

    def publish_if_there_is_room(source: Path) -> Any:
        if list(scratch.glob("*/reserve")):
            raise DiskFullError("full")
        return publish(source)

    monkeypatch.setattr(workbench.store, "publish", publish_if_there_is_room)
    record = draw(workbench, PaidPainter())
    assert workbench.store.verify(record.artifacts["picture"])


def test_the_room_is_set_aside_for_real_and_given_back(workbench: Workbench) -> None:
    sizes: list[int] = []

    def look() -> None:
        (reserve,) = (workbench.store.root / "tmp").glob("*/reserve")
        found = reserve.stat()
        sizes.extend((found.st_size, found.st_blocks * 512))

    draw(workbench, PaidPainter(look))
    assert min(sizes) >= pipeline.engine.purchase_journal.RESERVE_BYTES
    assert list((workbench.store.root / "tmp").glob("*/*")) == []


def test_a_ledger_that_fails_after_the_call_does_not_cost_its_answer(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = workbench.ledger._write
    broken = threading.Event()

    def failing(what: str = "write") -> Any:
        if broken.is_set():
            raise StoreError("The ledger was kept locked")
        return write(what)

    monkeypatch.setattr(workbench.ledger, "_write", failing)
    painter = PaidPainter(broken.set)
    with pytest.raises(StoreError):
        draw(workbench, painter)
    broken.clear()
    step = step_of(workbench, painter)
    record = workbench.checkpoints().load(step)
    assert record
    assert record.provider == "Stability"
    # The next run finds it, and with it the end of the call.
    workbench.ledger.steps_reused("job", [(step.id, step.stage, step.scene, record)])
    assert [call.state for call in calls(workbench)] == ["answered"]
    assert len(painter.asked) == 1


def test_notes_that_a_locked_ledger_refused_are_written_with_the_next(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = workbench.ledger.attempt
    outcomes = iter([StoreError("locked"), None, None])

    def refuse_once(*args: Any, **columns: Any) -> None:
        if error := next(outcomes):
            raise error
        attempt(*args, **columns)

    monkeypatch.setattr(workbench.ledger, "attempt", refuse_once)
    executor = workbench.executor(SETTINGS, workbench.toolbox(SETTINGS, painters=[PaidPainter()]))
    step = step_of(workbench, PaidPainter())
    executor.execute(step, CancelToken())
    assert workbench.ledger.attempts("job") == []
    executor.execute(step, CancelToken())
    assert [row["outcome"] for row in workbench.ledger.attempts("job")] == ["ok", "ok"]


# Who is paid


@pytest.mark.parametrize(
    ("account", "paid"),
    [
        (ModelAccount("openai", "m", SecretStr("k")), True),
        (ModelAccount("anthropic", "m", SecretStr("k")), True),
        (ModelAccount("compatible", "m", SecretStr("k"), "https://api.example.com/v1"), True),
        (ModelAccount("compatible", "m", None, "http://127.0.0.1:11434/v1"), False),
    ],
)
def test_a_model_is_paid_unless_it_runs_on_a_server_that_wants_no_key(account: ModelAccount, paid: bool) -> None:
    assert LlmWriter("X", account).paid == paid


# The whole way, with a server that counts


class Till(ThreadingHTTPServer):
    """An OpenAI-compatible server. `ids` are the idempotency keys of its requests; while `held`, it does not answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.ids: list[str | None] = []
        self.arrived = threading.Event()
        self.held = False
        self.closing = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients are killed here on purpose."""


class _Handler(BaseHTTPRequestHandler):
    server: Till

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.ids.append(self.headers["Idempotency-Key"])
        held = self.server.held
        self.server.arrived.set()
        if held:
            self.server.closing.wait(30)
            return
        scenes = [
            {
                "heading": "A lamp",
                "narration": f"{part} lamps were lit on the cliff, and all the sailors steered home by them.",
                "picture_prompt": "x",
            }
            for part in ("Three", "Four")
        ]
        message = {"role": "assistant", "content": json.dumps({"scenes": scenes})}
        body = json.dumps(
            {
                "id": "x",
                "object": "chat.completion",
                "created": 1,
                "model": "m",
                "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
            }
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def till() -> Iterator[Till]:
    server = Till()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.closing.set()
    server.shutdown()
    server.server_close()
    thread.join()


CHILD = """
import os, signal, sys
from pathlib import Path
from checkpoints import crash_points as points
from config.settings import Settings
from pipeline import Pipeline
point = sys.argv[4]
if point:
    points.listen(lambda name: os.kill(os.getpid(), signal.SIGKILL) if name == point else None)
settings = Settings.model_validate_json(sys.argv[1])
with Pipeline(settings, home=Path(sys.argv[2])) as pipeline:
    pipeline.render(Path(sys.argv[3]), output=Path(sys.argv[2]) / "out")
"""


def paying_settings(tiny: Settings, till: Till) -> Settings:
    account = {
        "model": "m",
        "api_key": "secret-key-0123456789",
        "base_url": f"http://127.0.0.1:{till.server_port}/v1",
    }
    given = {"llm": {"providers": [{"name": "LocalLLM"}]}, "local_llm": account}
    document = tiny.model_dump(mode="json")
    return Settings.model_validate({**document, "providers": given})


def start_child(given: Settings, home: Path, brief: Path, point: str = "") -> subprocess.Popen[bytes]:
    document = given.model_dump(mode="json", exclude={"providers"})
    account = given.providers.local_llm
    document["providers"] = {
        "llm": {"providers": [{"name": "LocalLLM"}]},
        "local_llm": {"model": "m", "api_key": "secret-key-0123456789", "base_url": account.base_url},
    }
    arguments = [sys.executable, "-c", CHILD, json.dumps(document), str(home), str(brief), point]
    return subprocess.Popen(arguments, cwd=Path(__file__).parents[3], start_new_session=True)


@pytest.fixture
def topic(tmp_path: Path) -> Path:
    path = tmp_path / "lamps.md"
    path.write_text("---\ntitle: Lamps\nlength: 10s\n---\nThe history of lighthouse lamps\n")
    return path


def test_a_run_killed_during_a_paid_call_says_so_when_it_is_resumed(
    tmp_path: Path, tiny_settings: Settings, till: Till, topic: Path
) -> None:
    given, home = paying_settings(tiny_settings, till), tmp_path / "home"
    till.held = True
    child = start_child(given, home, topic)
    assert till.arrived.wait(30)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    till.held = False
    with Pipeline(given, home=home) as pipeline:
        shown = document_of(pipeline.home, pipeline.jobs()[0])
        assert [call["possibly_charged"] for call in shown["paid_calls"]] == [True]
        result = pipeline.resume()
        assert result.status == "done", result.error
        assert len(till.ids) == 2
        assert till.ids[0] == till.ids[1]
        assert till.ids[0]
        (charge,) = result.possibly_charged
        assert (charge.provider, charge.step, charge.request_id) == ("LocalLLM", "script", till.ids[0])
        shown = document_of(pipeline.home, pipeline.jobs()[0])
        assert [call["state"] for call in shown["paid_calls"]] == ["lost", "answered"]
        assert any("possibly charged" in item.get("message", "") for item in shown["news"])
    assert "secret-key" not in json.dumps(shown)


def test_a_run_killed_after_the_answer_is_in_the_store_never_asks_again(
    tmp_path: Path, tiny_settings: Settings, till: Till, topic: Path
) -> None:
    given, home = paying_settings(tiny_settings, till), tmp_path / "home"
    child = start_child(given, home, topic, "ledger.step_executed:before")
    assert child.wait(60) == -signal.SIGKILL
    with Pipeline(given, home=home) as pipeline:
        result = pipeline.resume()
        assert result.status == "done", result.error
        assert len(till.ids) == 1
        assert result.possibly_charged == ()
        shown = document_of(pipeline.home, pipeline.jobs()[0])
        assert [call["state"] for call in shown["paid_calls"]] == ["answered"]
