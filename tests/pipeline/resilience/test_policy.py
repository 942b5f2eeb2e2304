"""One call's policy is one value: the rules for all providers, what is different for one, and where each rule comes from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from checkpoints.ledger.circuits import Circuits
from checkpoints.ledger.cooldowns import RestRows
from checkpoints.ledger.ledger import Ledger
from config.errors import RateLimitedError, TransientError
from config.kinds import KINDS
from config.settings import Settings
from pipeline.cli.app import main
from pipeline.resilience.breakers.registry import Breakers
from pipeline.resilience.cooldowns import Rests
from pipeline.resilience.guard import Guard
from pipeline.resilience.policy import policy_for
from stages.base import CancelToken, Clock
from tests.guarding import Named, settings_of

FILE = """
[Providers.LLM]
Primary = "OpenAI"
Fallback = ["Anthropic"]
FallbackTriggers = ["ServiceUnavailable", "CircuitOpen"]

[Providers.OpenAI]
RequestTimeout = 60000
RateLimit = { Requests = 10, Period = 30, Concurrency = 2 }

[Providers.OpenAI.Retry]
MaxRetryAttempts = 5
InitialDelay = 2000
RetryableErrors = ["QuotaExceeded", "Timeout"]

[Providers.OpenAI.CircuitBreaker]
FailureThreshold = 9

[Timeouts]
Operation = 90000
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "framekeep.toml"
    path.write_text(FILE)
    return path


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["config", "policy", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_usual_policy_is_the_guides() -> None:
    policy = policy_for(Settings(), "write", "OpenAI")
    assert (policy.name, policy.request_timeout_s, policy.operation_timeout_s) == ("OpenAI-LLM", 30, 300)
    assert policy.delays_s() == [1.0, 2.0, 4.0]
    assert (policy.breaker.failure_threshold, policy.breaker.break_duration_s) == (5, 30)
    assert policy.triggers == frozenset(KINDS)
    assert policy.fallback


@pytest.mark.parametrize(
    ("given", "delays"),
    [
        ({"MaxRetryAttempts": 5, "MaxDelay": 60_000}, [1, 2, 4, 8, 16]),
        ({"InitialDelay": 5000, "BackoffMultiplier": 3}, [5, 15, 30]),
        ({"InitialDelay": 500, "BackoffMultiplier": 1.5}, [0.5, 0.75, 1.125]),
        ({"MaxRetryAttempts": 0}, []),
    ],
)
def test_delays_are_spelled_out(given: dict[str, Any], delays: list[float]) -> None:
    assert policy_for(settings_of(Resilience={"Retry": given}), "write", "OpenAI").delays_s() == delays


def test_what_is_given_for_a_provider_stands_in_the_place_of_what_holds_for_all() -> None:
    own = {
        "Retry": {"MaxRetryAttempts": 1, "Budget": {"MaxRetries": 7}},
        "CircuitBreaker": {"BreakDuration": 5},
        "RequestTimeout": 0,
        "RateLimit": {"Concurrency": 3},
    }
    settings = settings_of(Providers={"OpenAI": own}, Resilience={"Retry": {"InitialDelay": 10}})
    policy, other = policy_for(settings, "write", "OpenAI"), policy_for(settings, "write", "Anthropic")
    assert (policy.retry.max_retry_attempts, policy.retry.initial_delay_ms, policy.retry.budget.max_retries) == (
        1,
        10,
        7,
    )
    assert (policy.breaker.break_duration_s, policy.breaker.failure_threshold) == (5, 5)
    assert (policy.request_timeout_s, policy.operation_timeout_s) == (0, 300)
    assert policy.rate_limit.concurrency == 3
    assert (other.retry.max_retry_attempts, other.retry.initial_delay_ms, other.breaker.break_duration_s) == (3, 10, 30)


def test_a_list_of_a_providers_own_takes_its_kinds_out_of_the_other_list() -> None:
    settings = settings_of(Providers={"OpenAI": {"Retry": {"RetryableErrors": ["QuotaExceeded"]}}})
    policy = policy_for(settings, "write", "OpenAI")
    assert policy.retries("QuotaExceeded")
    assert not policy.retries("Timeout")
    assert "QuotaExceeded" not in policy.retry.non_retryable_errors


def test_local_media_have_no_limits_of_time_and_no_chain() -> None:
    settings = settings_of(Resilience={"Fallback": {"Enabled": True}}, Providers={"LLM": {"FallbackEnabled": False}})
    for operation in ("encode", "mix", "mux"):
        policy = policy_for(settings, operation, "libx264")
        assert (policy.name, policy.request_timeout_s, policy.operation_timeout_s) == ("libx264-Render", 0, 0)
        assert policy.fallback


def test_encoders_in_software_have_a_circuit_as_all_others(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("Render.libx264", "Render.h264_nvenc"):
        code, out, _err = shown(capsys, name)
        assert code == 0
        assert "Resilience.CircuitBreaker.FailureThreshold" in out


def test_the_command_shows_each_rule_and_where_it_comes_from(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _err = shown(capsys, "llm.openai", "--config", str(file), "--set", "Timeouts.Operation=45000")
    assert code == 0
    lines = {line.split()[0]: " ".join(line.split()[1:]) for line in out.splitlines() if line}
    assert out.startswith("OpenAI-LLM: number 1 of the chain (OpenAI → Anthropic → outline)")
    assert lines["Providers.OpenAI.Retry.MaxRetryAttempts"] == f"5 {file}"
    assert lines["Providers.OpenAI.CircuitBreaker.FailureThreshold"] == f"9 {file}"
    assert lines["Resilience.CircuitBreaker.BreakDuration"] == "30 s default"
    assert lines["Providers.OpenAI.RequestTimeout"] == f"60000 ms {file}"
    assert lines["Timeouts.Operation"] == "45000 ms command line"
    assert lines["Providers.OpenAI.RateLimit.Requests"] == f"10 {file}"
    assert lines["Providers.LLM.FallbackTriggers"] == f"ServiceUnavailable, CircuitOpen {file}"
    assert "2 s, 4 s, 8 s, 16 s, 30 s, each varied by a quarter" in out


def test_the_document_holds_the_same(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _err = shown(capsys, "LLM.Anthropic", "--json", "--config", str(file), "--home", str(tmp_path / "none"))
    document = json.loads(out)
    assert code == 0
    assert (document["name"], document["position"], document["chain"]) == (
        "Anthropic-LLM",
        2,
        ["OpenAI", "Anthropic", "outline"],
    )
    assert document["delays_s"] == [1, 2, 4]
    assert (document["request_timeout_s"], document["operation_timeout_s"]) == (30, 90)
    assert document["triggers"] == ["CircuitOpen", "ServiceUnavailable"]
    assert (document["circuit"], document["rest"]) == (None, None)
    assert not (tmp_path / "none").exists(), "asking makes no home"


def test_the_command_says_who_is_not_asked_now(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = tmp_path / "ledger.db"
    Ledger(ledger).close()
    rests = Rests(RestRows(ledger))
    rests.begin("OpenAI", RateLimitedError("OpenAI answered 429", retry_after_s=500), lambda: "")
    breakers = Breakers(circuits=Circuits(ledger))
    settings = settings_of(Resilience={"CircuitBreaker": {"FailureThreshold": 1, "MinimumThroughput": 1}})
    call = Guard(settings, breakers, Clock(sleep=lambda seconds: None)).bind(CancelToken(), lambda note: None)

    def fail(_one: Named, _cancel: CancelToken) -> None:
        raise TransientError("down")

    with pytest.raises(Exception, match=r"Before that: down"):
        call("write", [Named("OpenAI")], fail)
    breakers.close()
    rests.close()
    _code, out, _err = shown(capsys, "LLM.OpenAI", "--home", str(tmp_path))
    assert "Circuit: Open" in out
    assert "OpenAI answered 429" in out
    _code, out, _err = shown(capsys, "LLM.OpenAI", "--home", str(tmp_path), "--json")
    document = json.loads(out)
    assert (document["circuit"]["state"], document["rest"]["kind"]) == ("Open", "RateLimitExceeded")
    assert main(["breakers", "--reset", "OpenAI", "--home", str(tmp_path)]) == 0
    capsys.readouterr()
    _code, out, _err = shown(capsys, "LLM.OpenAI", "--home", str(tmp_path), "--json")
    document = json.loads(out)
    assert (document["circuit"]["state"], document["rest"]) == ("Closed", None)


@pytest.mark.parametrize(
    ("name", "problem", "remedy"),
    [
        ("LM.OpenAI", "There is no kind of work 'LM'", "did you mean LLM?"),
        ("LLM", "'LLM' names no provider", "known for LLM: OpenAI"),
        ("TTS.OpenAI", "There is no provider 'OpenAI' for TTS", "known: hibari"),
        ("Render.x264", "There is no provider 'x264' for Render", "libx264"),
    ],
)
def test_a_name_that_means_nothing_is_answered_with_what_does(
    name: str, problem: str, remedy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _out, err = shown(capsys, name)
    assert code == 2
    assert problem in err
    assert remedy in err


@pytest.mark.parametrize("name", ["LLM.outline", "TTS.hibari", "TTS.text", "Images.card", "Render.hevc_nvenc"])
def test_every_kind_of_provider_has_a_policy_to_show(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _err = shown(capsys, name, "--json")
    assert code == 0
    assert json.loads(out)["provider"] == name.partition(".")[2]
