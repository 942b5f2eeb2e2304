"""A run looks after its services and ffmpeg: what it notices, and what each setting makes it do about that."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from checkpoints.ledger.ledger import Ledger
from config.errors import FramekeepError, QuotaError, TimedOutError, TransientError, UnavailableError
from config.settings import Settings
from config.watching import Monitoring
from pipeline import Event, Pipeline
from pipeline.cli.terminal.event_text import Watcher
from pipeline.engine import run_services
from pipeline.events import Bus
from pipeline.health import tool_checks
from pipeline.health.monitor import HealthWatch
from pipeline.observability.alerts import Alerts
from pipeline.observability.logs import log_event
from pipeline.observability.telemetry import Telemetry
from pipeline.planning.toolbox import Toolbox
from pipeline.resilience.attempt_events import FellBack
from pipeline.resilience.policy import policy_for
from stages.base import CancelToken
from stages.models import Brief, SceneBrief
from tests.guarding import Desk, Named, Time, desk, settings_of
from tests.services import Service, served

SECRET = "sk-secret-0123456789"
FAULT = TransientError("its encoder crashed", provider="ffmpeg", hint="framekeep doctor")


@pytest.fixture
def service() -> Iterator[Service]:
    with served() as service:
        yield service


class Ward:
    """A watch over one language model on this machine and over a stand-in for ffmpeg, and all that came of it."""

    def __init__(
        self, folder: Path, service: Service, checks: dict[str, Any], brief: Brief | None, **more: Any
    ) -> None:
        self.key_file = folder / "key"
        self.key_file.write_text(SECRET)
        account = {"BaseUrl": f"{service.url}/v1", "Model": "small", "ApiKeyFile": str(self.key_file)}
        providers = {"LLM": ["LocalLLM", "outline"], "LocalLLM": account, **more.pop("Providers", {})}
        settings = settings_of(HealthChecks=checks, Providers=providers, **more)
        self.time = Time()
        self.desk: Desk = desk(settings, time=self.time)
        self.toolbox = Toolbox(brief or Brief(title="T", text="A lamp is lit."), settings)
        self.ledger = Ledger(folder / "ledger.db")
        self.ledger.put_job("job", "T", {}, {})
        self.told: list[Event] = []
        self.alerts: list[tuple[str, ...]] = []
        alerts = Alerts(Monitoring(), lambda *alert: not self.alerts.append(alert))
        bus = Bus(self.told.append, log_event)
        self.telemetry = Telemetry("job", settings.monitoring.resilience, self.ledger, bus, alerts)
        self._close = alerts.close
        self.watch = self.watching()

    def watching(self, wait: Callable[[float], bool] | None = None) -> HealthWatch:
        return HealthWatch(self.desk.guard, self.toolbox, self.telemetry, wait)

    @property
    def changes(self) -> list[tuple[str, str, str]]:
        return [(event.data["name"], event.data["old"], event.data["new"]) for event in self.told]

    @property
    def actions(self) -> list[str]:
        """Those of the last change."""
        found: list[str] = self.told[-1].data["actions"]
        return found

    def first_asked(self, *names: str) -> str:
        """Who is asked first of these providers."""
        self.desk.asked.clear()
        self.desk.call("write", [Named(name) for name in names], self.desk.work({}))
        return self.desk.asked[0]

    def close(self) -> None:
        self.watch.stop()
        self._close()
        self.ledger.close()


@pytest.fixture
def trials(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How ffmpeg was tried, which is not done really."""
    found: list[str] = []

    def tried(how: str) -> None:
        found.append(how)

    monkeypatch.setattr(tool_checks, "try_ffmpeg", lambda cancel: tried("encode"))
    monkeypatch.setattr(tool_checks, "ask_ffmpeg", lambda: tried("version"))
    return found


@pytest.fixture
def ward(tmp_path: Path, service: Service, trials: list[str]) -> Iterator[Callable[..., Ward]]:
    made: list[Ward] = []

    def make(checks: dict[str, Any] | None = None, brief: Brief | None = None, **more: Any) -> Ward:
        made.append(Ward(tmp_path, service, checks or {}, brief, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


def has_ended(watch: HealthWatch) -> bool:
    """Long before a connection test would have given up by itself."""
    if watch._thread.ident:
        watch._thread.join(5)
    return not watch._thread.is_alive()


def failing(monkeypatch: pytest.MonkeyPatch, error: FramekeepError | None) -> None:
    def tried(cancel: CancelToken) -> None:
        if error:
            raise error

    monkeypatch.setattr(tool_checks, "try_ffmpeg", tried)


# When, and at whom


def test_it_looks_after_each_interval_and_not_before(ward: Callable[..., Ward], service: Service) -> None:
    at = ward({"Interval": 5000})
    waits: list[float] = []
    asked: list[int] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        asked.append(len(service.asked))
        return len(waits) > 2

    at.watching(wait).watch()
    assert waits == [5.0, 5.0, 5.0]
    assert asked == [0, 1, 2], "nobody is asked before the first interval is over"
    assert at.told == []


def test_the_interval_is_a_minute_and_never_under_a_second() -> None:
    assert Settings().health_checks.interval_ms == 60_000
    with pytest.raises(FramekeepError, match="Interval"):
        settings_of(HealthChecks={"Interval": 999})


@pytest.mark.parametrize(
    ("checks", "requests", "tried", "runs"),
    [
        ({}, 1, ["encode"], True),
        ({"Enabled": False}, 0, [], False),
        ({"Providers": {"Enabled": False}}, 0, ["encode"], True),
        ({"Providers": {"TestConnection": False}}, 0, ["encode"], True),
        ({"FFmpeg": {"Enabled": False}}, 1, [], True),
        ({"FFmpeg": {"TestExecution": False}}, 1, ["version"], True),
        ({"FFmpeg": {"Enabled": False}, "Providers": {"Enabled": False}}, 0, [], False),
    ],
)
def test_it_looks_at_what_settings_let_it_look_at(
    ward: Callable[..., Ward],
    service: Service,
    trials: list[str],
    checks: dict[str, Any],
    requests: int,
    tried: list[str],
    runs: bool,
) -> None:
    at = ward(checks)
    at.watch.look()
    assert (len(service.asked), trials) == (requests, tried)
    at.watch.start()
    assert at.watch._thread.is_alive() == runs
    at.watch.stop()
    assert has_ended(at.watch)


def test_a_brief_that_needs_no_writer_has_none_looked_at(ward: Callable[..., Ward], service: Service) -> None:
    ward(brief=Brief(title="T", scenes=(SceneBrief(narration="A lamp."),))).watch.look()
    assert service.asked == []


# What it notices


def test_each_change_of_state_is_told_once_and_kept(ward: Callable[..., Ward], service: Service) -> None:
    at = ward()
    for status in (200, 503, 503, 429, 200, 200):
        service.answer = (status, {}, {})
        at.watch.look()
    assert at.changes == [
        ("LocalLLM", "Healthy", "Unhealthy"),
        ("LocalLLM", "Unhealthy", "Degraded"),
        ("LocalLLM", "Degraded", "Healthy"),
    ]
    assert "answered 503" in at.told[0].data["message"]
    assert at.told[0].data["hint"] == "wait until it is up"
    kept = [event.data for event in at.ledger.events("job") if event.kind == "health"]
    assert kept == [event.data for event in at.told]


def test_ffmpeg_that_fails_and_works_again_is_told(ward: Callable[..., Ward], monkeypatch: pytest.MonkeyPatch) -> None:
    at = ward({"AutomaticRecovery": {"Actions": {"RestartOnUnhealthy": True}}})
    failing(monkeypatch, FAULT)
    at.watch.look()
    assert at.changes == [("ffmpeg", "Healthy", "Unhealthy")]
    assert at.actions == ["NotifyUser", "LogErrors"], "there is nobody to switch to"
    failing(monkeypatch, None)
    at.watch.look()
    assert at.changes[-1] == ("ffmpeg", "Unhealthy", "Healthy")


def test_who_rests_is_not_asked(ward: Callable[..., Ward], service: Service) -> None:
    at = ward()
    rests, account = at.desk.guard.restraints.rests, lambda: at.desk.guard.account("LocalLLM")
    rests.begin("LocalLLM", QuotaError("spent", retry_after_s=100), account)
    at.watch.look()
    assert (service.asked, at.changes) == ([], [("LocalLLM", "Healthy", "Unhealthy")])
    assert "it rests until" in at.told[0].data["message"]
    at.time.now += 101
    at.watch.look()
    assert (len(service.asked), at.changes[-1]) == (1, ("LocalLLM", "Unhealthy", "Healthy"))


def trip(at: Ward) -> None:
    policy = policy_for(at.desk.guard.settings, "write", "LocalLLM")
    for _ in range(5):
        with pytest.raises(TransientError), at.desk.guard.breakers.admit(policy, "LocalLLM"):
            raise TransientError("down")


@pytest.mark.parametrize("test_connection", [True, False])
def test_a_provider_whose_circuit_is_open_is_degraded(ward: Callable[..., Ward], test_connection: bool) -> None:
    at = ward({"Providers": {"TestConnection": test_connection}})
    trip(at)
    at.watch.look()
    assert at.changes == [("LocalLLM", "Healthy", "Degraded")]
    assert "LocalLLM-LLM" in at.told[0].data["message"]


def test_a_look_that_breaks_costs_nothing_but_a_line_in_the_log(
    ward: Callable[..., Ward], caplog: pytest.LogCaptureFixture
) -> None:
    at = ward()
    at.toolbox.services = lambda: 1 / 0  # type: ignore[method-assign, assignment, return-value]
    turns = iter([False, False, True])
    at.watching(lambda seconds: next(turns)).watch()
    assert caplog.text.count("the health checks failed") == 2


# What it does


def test_an_unhealthy_provider_is_asked_after_the_others_until_it_is_healthy_again(
    ward: Callable[..., Ward], service: Service
) -> None:
    at = ward()
    service.answer = (503, {}, {})
    at.watch.look()
    assert "SwitchProvider" in at.actions
    assert at.first_asked("LocalLLM", "other") == "other"
    (fallback,) = at.desk.call.fallbacks
    assert (fallback.wanted, fallback.got) == ("LocalLLM", "other")
    assert "LocalLLM is unhealthy: LocalLLM answered 503" in fallback.reason
    assert [(event.provider, event.next_provider) for event in at.desk.of(FellBack)] == [("LocalLLM", "other")]
    service.answer = (200, {}, {})
    at.watch.look()
    assert "SwitchProvider" in at.actions
    assert at.first_asked("LocalLLM", "other") == "LocalLLM"
    assert len(at.desk.call.fallbacks) == 1


def test_it_is_asked_all_the_same_where_nobody_else_is_left(ward: Callable[..., Ward], service: Service) -> None:
    at = ward()
    service.answer = (503, {}, {})
    at.watch.look()
    assert at.first_asked("LocalLLM") == "LocalLLM"
    at.desk.asked.clear()
    refusing = at.desk.work({"other": [UnavailableError("not now")]})
    assert at.desk.call("write", [Named("LocalLLM"), Named("other")], refusing)[1].name == "LocalLLM"
    assert at.desk.asked == ["other", "LocalLLM"]
    assert at.desk.call.fallbacks == [], "who was wanted has answered"


@pytest.mark.parametrize(
    "more",
    [
        {"checks": {"AutomaticRecovery": {"Actions": {"SwitchProvider": False}}}},
        {"checks": {"AutomaticRecovery": {"Enabled": False}}},
        {"Resilience": {"Fallback": {"Enabled": False}}},
        {"Providers": {"LLM": {"Providers": [{"Name": "LocalLLM"}], "FallbackTriggers": ["Timeout"]}}},
    ],
)
def test_nobody_is_passed_over_against_the_settings(
    ward: Callable[..., Ward], service: Service, more: dict[str, Any]
) -> None:
    at = ward(**more)
    service.answer = (503, {}, {})
    at.watch.look()
    assert at.changes == [("LocalLLM", "Healthy", "Unhealthy")]
    assert at.first_asked("LocalLLM", "other") == "LocalLLM"


def test_nothing_is_done_where_recovery_is_off(
    ward: Callable[..., Ward], service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    at = ward({"AutomaticRecovery": {"Enabled": False, "Actions": {"RestartOnUnhealthy": True}}})
    service.answer = (503, {}, {})
    with caplog.at_level(logging.DEBUG, logger="framekeep"):
        at.watch.look()
    at.close()
    assert at.actions == []
    assert (at.alerts, caplog.text, Watcher().take(at.told[0])) == ([], "", None)


def test_the_user_is_told_on_the_terminal_and_by_an_alert_if_that_is_wanted(
    ward: Callable[..., Ward], service: Service
) -> None:
    watcher = Watcher()
    at = ward()
    for status in (503, 200):
        service.answer = (status, {}, {})
        at.watch.look()
    at.close()
    ((first, tone), (second, good)) = [watcher.take(event) or ("", "plain") for event in at.told]
    assert (tone, good) == ("warn", "good")
    assert first.startswith("LocalLLM is unhealthy since ")
    assert first.endswith("answered 503: the service is down; it is asked after all others")
    assert second.startswith("LocalLLM is healthy again")
    assert [(title, kind) for title, _, kind in at.alerts] == [
        ("LocalLLM: Unhealthy", "failure"),
        ("LocalLLM: Healthy", "success"),
    ]
    assert at.alerts[0][1].endswith("answered 503: the service is down; job job")


def test_the_user_is_left_alone_if_that_is_wanted(ward: Callable[..., Ward], service: Service) -> None:
    at = ward({"AutomaticRecovery": {"Actions": {"NotifyUser": False}}})
    service.answer = (503, {}, {})
    at.watch.look()
    at.close()
    assert (at.alerts, Watcher().take(at.told[0])) == ([], None)
    assert at.actions == ["SwitchProvider", "LogErrors"]


@pytest.mark.parametrize("wanted", [True, False])
def test_changes_go_to_the_log_if_that_is_wanted(
    ward: Callable[..., Ward], service: Service, caplog: pytest.LogCaptureFixture, wanted: bool
) -> None:
    at = ward({"AutomaticRecovery": {"Actions": {"LogErrors": wanted}}})
    with caplog.at_level(logging.DEBUG, logger="framekeep"):
        for status in (503, 200):
            service.answer = (status, {}, {})
            at.watch.look()
    assert [record.levelname for record in caplog.records] == (["WARNING", "INFO"] if wanted else [])
    assert SECRET not in caplog.text


@pytest.mark.parametrize("wanted", [True, False])
def test_a_restart_reads_the_key_again(ward: Callable[..., Ward], service: Service, wanted: bool) -> None:
    at = ward({"AutomaticRecovery": {"Actions": {"RestartOnUnhealthy": wanted}}})
    service.answer = (401, {}, {})
    at.watch.look()
    assert ("RestartOnUnhealthy" in at.actions) == wanted
    at.key_file.write_text("sk-corrected")
    at.watch.look()
    sent = [headers["authorization"] for _, _, headers in service.asked]
    assert sent == [f"Bearer {SECRET}", "Bearer sk-corrected" if wanted else f"Bearer {SECRET}"]


def test_a_restart_ends_the_rest_of_a_key_that_was_corrected(ward: Callable[..., Ward], service: Service) -> None:
    at = ward({"AutomaticRecovery": {"Actions": {"RestartOnUnhealthy": True}}})
    rests, guard = at.desk.guard.restraints.rests, at.desk.guard
    rests.begin("LocalLLM", UnavailableError("401", kind="InvalidApiKey"), lambda: guard.account("LocalLLM"))
    at.watch.look()
    assert service.asked == []
    at.key_file.write_text("sk-corrected")
    at.watch.look()
    assert at.changes[-1] == ("LocalLLM", "Unhealthy", "Healthy")
    assert rests.all() == []


@pytest.mark.parametrize("wanted", [True, False])
def test_a_restart_lets_the_next_call_test_an_open_circuit(
    ward: Callable[..., Ward], service: Service, wanted: bool
) -> None:
    at = ward({"AutomaticRecovery": {"Actions": {"RestartOnUnhealthy": wanted}}})
    trip(at)
    service.answer = (503, {}, {})
    at.watch.look()
    policy = policy_for(at.desk.guard.settings, "write", "LocalLLM")
    if not wanted:
        with (
            pytest.raises(FramekeepError, match="temporarily unavailable"),
            at.desk.guard.breakers.admit(policy, "LocalLLM"),
        ):
            raise AssertionError
        return
    for _ in range(2):
        with at.desk.guard.breakers.admit(policy, "LocalLLM"):
            pass
    assert at.desk.guard.breakers.states() == {"LocalLLM-LLM": "closed"}


# The end


def test_it_ends_at_once_with_the_run_even_in_the_middle_of_a_test(ward: Callable[..., Ward], service: Service) -> None:
    at = ward()
    service.answer = (503, {}, {})
    at.watch.look()
    service.hold.clear()
    before, cancelled = len(service.asked), threading.Event()
    watch = at.watching(lambda seconds: cancelled.is_set())
    watch._cancel.on_cancel(cancelled.set)
    watch.start()
    while len(service.asked) == before:
        cancelled.wait(0.01)
    watch.stop()
    assert has_ended(watch)
    assert len(at.told) == 1, "what was being tested then is not told"
    at.watch.stop()
    assert at.first_asked("LocalLLM", "other") == "LocalLLM", "nobody looks any more, so nobody is passed over"


def test_what_a_test_finds_after_the_run_has_ended_is_not_told(
    ward: Callable[..., Ward], monkeypatch: pytest.MonkeyPatch
) -> None:
    at = ward()

    def too_late(cancel: CancelToken) -> None:
        at.watch.stop()
        raise FAULT

    monkeypatch.setattr(tool_checks, "try_ffmpeg", too_late)
    at.watch.look()
    assert at.told == []


def test_a_run_is_told_of_a_service_that_is_down_while_it_waits_for_it(
    make_pipeline: Callable[..., Pipeline],
    tiny_settings: Settings,
    tmp_path: Path,
    events: list[Event],
    service: Service,
    trials: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The writer's call is held until the health check, which is not, has told what it found."""
    service.answer, service.held = (503, {}, {}), ("POST",)
    service.hold.clear()
    watched: list[HealthWatch] = []

    class Eager(HealthWatch):
        def __init__(self, *given: Any) -> None:
            looks = iter([False])
            super().__init__(*given, lambda seconds: next(looks, None) is None and self._cancel.wait(30))
            watched.append(self)

    monkeypatch.setattr(run_services, "HealthWatch", Eager)
    account = {"base_url": f"{service.url}/v1", "model": "small"}
    data = {**tiny_settings.model_dump(), "providers": {"llm": ["LocalLLM"], "local_llm": account}}
    pipeline = make_pipeline(Settings.model_validate(data))
    monkeypatch.setattr(
        pipeline,
        "_listener",
        lambda event: (events.append(event), service.hold.set() if event.kind == "health" else None),
    )
    brief = tmp_path / "brief.md"
    brief.write_text("---\ntitle: A lamp\n---\nA lamp is lit at dusk. Ships see it and turn away from the rocks.\n")
    result = pipeline.render(brief, output=tmp_path / "out")
    assert result.status == "degraded"
    health = [event.data for event in events if event.kind == "health"]
    assert [(item["name"], item["new"]) for item in health] == [("LocalLLM", "Unhealthy")]
    assert trials == ["encode"]
    assert has_ended(watched[0])
    assert {path for method, path, _ in service.asked if method == "GET"} == {"/v1/models"}


def test_a_run_that_is_over_before_the_interval_asks_nobody(
    make_pipeline: Callable[..., Pipeline],
    tiny_settings: Settings,
    tiny_brief: Path,
    tmp_path: Path,
    service: Service,
    trials: list[str],
) -> None:
    data = {**tiny_settings.model_dump(), "providers": {"tts": ["text", "ElevenLabs"]}}
    data["providers"]["elevenlabs"] = {"base_url": service.url, "api_key": SECRET}
    result = make_pipeline(Settings.model_validate(data)).render(tiny_brief, output=tmp_path / "out")
    assert result.ok
    assert (service.asked, trials) == ([], [])
    assert not [thread for thread in threading.enumerate() if thread.name == "framekeep-health"]
    assert json.dumps(result.as_json()).count(SECRET) == 0


def test_a_time_out_is_unhealthy_too(ward: Callable[..., Ward], monkeypatch: pytest.MonkeyPatch) -> None:
    at = ward()
    failing(monkeypatch, TimedOutError("no progress", provider="ffmpeg"))
    at.watch.look()
    assert at.changes == [("ffmpeg", "Healthy", "Unhealthy")]
