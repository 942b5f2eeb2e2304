"""Connection tests that cost nothing, what settings switch off, and the guide's health document."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from checkpoints.ledger.circuits import Circuits
from checkpoints.ledger.cooldowns import RestRows
from checkpoints.ledger.ledger import Ledger
from config.errors import (
    CancelledError,
    FramekeepError,
    ProviderError,
    QuotaError,
    RateLimitedError,
    RejectedError,
    TimedOutError,
    TransientError,
    UnavailableError,
)
from config.loader import Loaded
from config.settings import Settings
from pipeline.cli.app import main
from pipeline.health import doctor, provider_checks, tool_checks
from pipeline.health.doctor import Finding
from pipeline.health.findings import health_document
from pipeline.resilience.breakers.registry import Breakers
from pipeline.resilience.cooldowns import Rests, account_in_use
from pipeline.resilience.policy import policy_for
from stages.base import CancelToken, Provider
from stages.script.llm.account import ModelAccount
from stages.script.llm.writer import LlmWriter
from stages.speech.providers.elevenlabs_provider import ElevenLabsProvider
from tests.services import Service, served

SECRET = "sk-secret-0123456789"


@pytest.fixture
def service() -> Iterator[Service]:
    with served() as service:
        yield service


def writer(kind: Any, url: str, model: str = "small") -> LlmWriter:
    name = {"openai": "OpenAI", "anthropic": "Anthropic", "compatible": "LocalLLM"}[kind]
    return LlmWriter(name, ModelAccount(kind, model, SecretStr(SECRET), url))


def all_kinds(url: str) -> list[Provider]:
    return [
        writer("openai", f"{url}/v1"),
        writer("anthropic", url),
        writer("compatible", f"{url}/v1"),
        ElevenLabsProvider(SecretStr(SECRET), "m", "v", url),
    ]


def failure(provider: Provider, timeout_s: float = 5) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        provider.connect(CancelToken(), timeout_s)
    assert SECRET not in str(caught.value) + caught.value.hint
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value


def test_a_connection_test_is_one_get_of_a_list_with_the_accounts_key(service: Service) -> None:
    for provider in all_kinds(service.url):
        provider.connect(CancelToken(), 5)
    assert [(method, path) for method, path, _ in service.asked] == [
        ("GET", "/v1/models"),
        ("GET", "/v1/models?limit=1"),
        ("GET", "/v1/models"),
        ("GET", "/v1/models"),
    ]
    openai, anthropic, local, elevenlabs = (headers for _, _, headers in service.asked)
    assert openai["authorization"] == local["authorization"] == f"Bearer {SECRET}"
    assert anthropic["x-api-key"] == SECRET
    assert anthropic["anthropic-version"]
    assert elevenlabs["xi-api-key"] == SECRET


@pytest.mark.parametrize(
    ("status", "error", "kind", "do"),
    [
        (401, UnavailableError, "InvalidApiKey", "framekeep config keys"),
        (403, UnavailableError, "InvalidApiKey", "framekeep config keys"),
        (402, QuotaError, "QuotaExceeded", "top up"),
        (429, RateLimitedError, "RateLimitExceeded", "wait 7 s"),
        (404, RejectedError, "InvalidInput", "BaseUrl"),
        (408, TimedOutError, "Timeout", "wait until"),
        (500, TransientError, "ServiceUnavailable", "wait until it is up"),
        (503, TransientError, "ServiceUnavailable", "wait until it is up"),
        (504, TimedOutError, "Timeout", "wait until"),
    ],
)
def test_each_answer_is_the_error_that_it_means_and_says_what_to_do(
    service: Service, status: int, error: type[Exception], kind: str, do: str
) -> None:
    service.answer = (status, {"error": {"message": f"no {SECRET}"}}, {"Retry-After": "7"})
    for provider in all_kinds(service.url):
        found = failure(provider)
        assert (type(found), found.kind, found.provider) == (error, kind, provider.name)
        assert do in found.hint
        assert str(status) in found.message


def test_a_quota_that_is_used_up_is_told_from_too_many_requests(service: Service) -> None:
    service.answer = (429, {"error": {"code": "insufficient_quota"}}, {})
    assert failure(writer("openai", service.url)).kind == "QuotaExceeded"
    service.answer = (401, {"detail": {"status": "quota_exceeded"}}, {})
    assert failure(ElevenLabsProvider(SecretStr(SECRET), "m", "v", service.url)).kind == "QuotaExceeded"


def test_a_key_that_may_not_see_the_list_was_taken(service: Service) -> None:
    service.answer = (401, {"detail": {"status": "missing_permissions", "message": "models_read"}}, {})
    ElevenLabsProvider(SecretStr(SECRET), "m", "v", service.url).connect(CancelToken(), 5)


def test_a_model_that_is_not_listed_is_named_with_those_that_are(service: Service) -> None:
    found = failure(writer("compatible", service.url, model="huge"))
    assert "does not list a model 'huge'" in found.message
    assert "small, large" in found.hint
    for other in ([], {"data": "?"}, {"data": [1, {}]}, "text"):
        service.answer = (200, other, {})
        writer("compatible", service.url, model="huge").connect(CancelToken(), 5)


def test_a_server_that_is_not_there_or_does_not_answer_is_told_apart(service: Service) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        refused = failure(writer("compatible", f"http://127.0.0.1:{unused.getsockname()[1]}/v1"))
    assert (refused.kind, "connection refused" in refused.message) == ("TransientNetworkFailure", True)
    service.hold.clear()
    late = failure(writer("compatible", service.url), timeout_s=0.2)
    assert (late.kind, "within 0.2 s" in late.message) == ("Timeout", True)


def test_a_connection_test_ends_with_the_run(service: Service) -> None:
    service.hold.clear()
    token = CancelToken()
    token.cancel()
    with pytest.raises(CancelledError):
        writer("openai", service.url).connect(token, 60)


def test_a_voice_of_this_machine_is_tried_by_loading_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from stages.speech.providers import hibari_engine
    from stages.speech.providers.hibari_provider import HibariProvider
    from stages.speech.providers.pico_provider import PicoProvider

    loaded: list[str] = []
    monkeypatch.setattr(hibari_engine, "engine", loaded.append)
    HibariProvider().connect(CancelToken(), 1)
    assert loaded == ["heart"]

    def broken(voice: str) -> None:
        raise OSError("no such file")

    monkeypatch.setattr(hibari_engine, "engine", broken)
    assert "cannot load its voice heart" in failure(HibariProvider()).message
    monkeypatch.setattr("stages.speech.providers.pico_provider._CHILD", "raise ImportError('no library')")
    assert "cannot be loaded" in failure(PicoProvider()).message


# What settings switch off


def settings_of(checks: dict[str, Any], **providers: Any) -> Settings:
    return Settings.model_validate({"HealthChecks": checks, "Providers": providers})


def examined(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Finding]]:
    """What the doctor finds; encoders are not really probed."""
    monkeypatch.setattr(tool_checks, "check_encoders", lambda _settings: iter([Finding("encoders", "ok", "tried")]))
    found: dict[str, list[Finding]] = {}
    doctor.examine(tmp_path, lambda: Loaded(settings), lambda item: found.setdefault(item.check, []).append(item))
    return found


LOCAL = {"LLM": ["LocalLLM"], "TTS": ["text"]}


def local(service: Service, model: str = "small") -> dict[str, Any]:
    return {**LOCAL, "LocalLLM": {"BaseUrl": f"{service.url}/v1", "Model": model}}


@pytest.mark.parametrize(
    ("checks", "ffmpeg", "encoders", "script"),
    [
        ({}, "ok", "ok", "ok"),
        (
            {"Enabled": False},
            "HealthChecks.Enabled is off",
            "HealthChecks.Enabled is off",
            "HealthChecks.Enabled is off",
        ),
        ({"FFmpeg": {"Enabled": False}}, "HealthChecks.FFmpeg.Enabled", "HealthChecks.FFmpeg.Enabled", "ok"),
        ({"FFmpeg": {"TestExecution": False}}, "ok", "HealthChecks.FFmpeg.TestExecution", "ok"),
        ({"Providers": {"Enabled": False}}, "ok", "ok", "HealthChecks.Providers.Enabled is off"),
    ],
)
def test_the_doctor_checks_what_settings_let_it_check(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    service: Service,
    checks: dict[str, Any],
    ffmpeg: str,
    encoders: str,
    script: str,
) -> None:
    tried: list[str] = []
    monkeypatch.setattr(tool_checks, "try_ffmpeg", lambda cancel: tried.append("ffmpeg"))
    found = examined(tmp_path, settings_of(checks, **local(service)), monkeypatch)
    for name, wanted in (("ffmpeg", ffmpeg), ("encoders", encoders), ("script", script), ("pictures", script)):
        first = found[name][0]
        if wanted == "ok":
            assert first.status == "ok", name
        else:
            assert (first.status, wanted in first.message) == ("skip", True), name
    assert bool(tried) == (ffmpeg == "ok" and checks.get("FFmpeg") != {"TestExecution": False})
    assert len(service.asked) == (script == "ok")
    assert {"home", "ledger", "memory"} <= set(found)


def test_without_the_connection_test_nobody_is_asked(service: Service) -> None:
    service.answer = (401, {}, {})
    off = settings_of({"Providers": {"TestConnection": False}}, **local(service))
    assert next(provider_checks.check_script(off)).message == "LocalLLM is set up; it was not tried"
    assert service.asked == []
    on = next(provider_checks.check_script(settings_of({}, **local(service))))
    assert (on.status, on.provider, on.health) == ("warn", "LocalLLM", "Unhealthy")
    assert "answered 401" in on.message


def test_a_stage_whose_only_provider_is_down_does_not_work(service: Service) -> None:
    service.answer = (503, {}, {})
    settings = Settings.model_validate(
        {"Providers": local(service), "Features": {"GracefulDegradation": {"Enabled": False}}}
    )
    down, failed = provider_checks.check_script(settings)
    assert (down.status, failed.status) == ("warn", "fail")
    service.answer = (429, {}, {})
    busy, order = provider_checks.check_script(settings)
    assert (busy.health, order.message) == ("Degraded", "in this order: LocalLLM")


# The document


def of(provider: str, health: Any, check: str = "script") -> Finding:
    return Finding(check, "ok" if health == "Healthy" else "warn", "", "", provider, health)


def test_the_guides_example_is_what_such_a_home_gives() -> None:
    findings = [
        Finding("ledger", "ok", ""),
        Finding("ffmpeg", "ok", ""),
        of("OpenAI", "Healthy"),
        of("Anthropic", "Healthy"),
        of("OpenAI", "Degraded", "circuits"),
        Finding("encoders", "skip", ""),
    ]
    assert health_document(findings) == {
        "status": "Healthy",
        "checks": {"database": "Healthy", "ffmpeg": "Healthy", "openai": "Degraded", "anthropic": "Healthy"},
    }


@pytest.mark.parametrize(
    ("findings", "status"),
    [
        ([of("a", "Healthy"), of("b", "Unhealthy")], "Degraded"),
        ([of("a", "Degraded")], "Degraded"),
        ([of("a", "Healthy"), of("b", "Degraded")], "Degraded"),
        ([of("a", "Healthy"), of("b", "Healthy"), of("b", "Unhealthy", "rests")], "Degraded"),
        ([of("a", "Healthy"), of("a", "Degraded", "rests")], "Degraded"),
        ([of("a", "Healthy"), of("b", "Healthy"), of("a", "Degraded", "rests")], "Healthy"),
        ([of("a", "Healthy", "script"), of("b", "Degraded", "speech")], "Degraded"),
        ([of("a", "Degraded", "circuits")], "Healthy"),
        ([Finding("disk", "warn", "")], "Degraded"),
        ([Finding("disk", "warn", ""), Finding("ffmpeg", "fail", "")], "Unhealthy"),
    ],
)
def test_the_whole_is_as_well_as_renders_are(findings: list[Finding], status: str) -> None:
    assert health_document(findings)["status"] == status


def test_doctor_shows_who_is_left_alone_until_when_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    home, settings_file = tmp_path / "home", tmp_path / "framekeep.json"
    home.mkdir()
    Ledger(home / "ledger.db").close()
    given = {
        "HealthChecks": {"FFmpeg": {"Enabled": False}},
        "Providers": {
            **local(service),
            "LLM": ["LocalLLM", "OpenAI"],
            "OpenAI": {"ApiKey": SECRET, "BaseUrl": service.url},
        },
    }
    service.answer = (200, {}, {})
    settings_file.write_text(json.dumps(given))
    settings = Settings.model_validate(given)
    breakers = Breakers(circuits=Circuits(home / "ledger.db"))
    for _ in range(5):
        with pytest.raises(TransientError), breakers.admit(policy_for(Settings(), "write", "LocalLLM"), "LocalLLM"):
            raise TransientError("down")
    breakers.close()
    rests = Rests(RestRows(home / "ledger.db"))
    rests.begin("OpenAI", QuotaError("spent"), lambda: account_in_use(settings, "OpenAI"))
    rests.begin("Anthropic", QuotaError("spent"), lambda: "an account of before")
    rests.close()
    assert main(["doctor", "--home", str(home), "--config", str(settings_file), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["checks"]["localllm"], document["checks"]["openai"]) == ("Degraded", "Unhealthy")
    assert "anthropic" not in document["checks"], "its rest is another account's"
    assert document["checks"]["database"] == "Healthy"
    assert "ffmpeg" not in document["checks"]
    by_check = {item["check"]: item for item in document["findings"]}
    circuit, rest = by_check["circuits"], by_check["rests"]
    assert "LocalLLM-LLM is Open after 5 failures: not asked before" in circuit["message"]
    assert "framekeep breakers --reset LocalLLM-LLM" in circuit["hint"]
    assert "OpenAI rests until" in rest["message"]
    assert "spent" in rest["message"]
    assert "framekeep breakers --reset OpenAI" in rest["hint"]
    assert by_check["ffmpeg"]["status"] == "skip"
    assert main(["doctor", "--home", str(home), "--config", str(settings_file)]) == 0
    out = capsys.readouterr().out
    assert "warn  rests      OpenAI rests until" in out
    assert "skip  ffmpeg     not checked: HealthChecks.FFmpeg.Enabled is off" in out
    assert SECRET not in out + json.dumps(document)


def test_a_trial_of_ffmpeg_that_gives_too_few_frames_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool_checks, "_encode", lambda scratch, cancel: 3)
    with pytest.raises(FramekeepError, match="a test encode of 12 frames has 3"):
        tool_checks.try_ffmpeg(CancelToken())
    (finding,) = tool_checks.check_ffmpeg()
    assert (finding.status, bool(finding.hint)) == ("fail", True)
