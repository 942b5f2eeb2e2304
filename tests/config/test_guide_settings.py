"""Every block that the guide shows loads, alone and all together, and each value lands where it is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from config.loader import load_settings
from config.settings import Settings

RESILIENCE: dict[str, Any] = {
    "CircuitBreaker": {
        "FailureThreshold": 5,
        "SamplingDuration": 60,
        "MinimumThroughput": 3,
        "BreakDuration": 30,
        "SuccessThreshold": 2,
    }
}

BLOCKS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"Providers": {"LLM": {"Primary": "OpenAI", "Fallback": ["Anthropic", "LocalLLM"]}}},
        {"providers.llm.names": ("OpenAI", "Anthropic", "LocalLLM")},
    ),
    (
        {"Resilience": RESILIENCE},
        {"resilience.circuit_breaker.sampling_duration_s": 60, "resilience.circuit_breaker.minimum_throughput": 3},
    ),
    (
        {"CircuitBreaker": {"FailureThreshold": 10, "BreakDuration": 60}},
        {"resilience.circuit_breaker.failure_threshold": 10, "resilience.circuit_breaker.break_duration_s": 60},
    ),
    (
        {"CircuitBreaker": {"FailureThreshold": 3, "BreakDuration": 15}},
        {"resilience.circuit_breaker.failure_threshold": 3, "resilience.circuit_breaker.break_duration_s": 15},
    ),
    ({"Resilience": {"CircuitBreaker": {"Enabled": False}}}, {"resilience.circuit_breaker.enabled": False}),
    (
        {"Logging": {"LogLevel": {"Aura.Core.Resilience": "Debug"}}},
        {"logging.log_level": {"Aura.Core.Resilience": "debug"}},
    ),
    (
        {
            "Resilience": {
                "Retry": {"MaxRetryAttempts": 5, "InitialDelay": 1000, "MaxDelay": 60000, "BackoffMultiplier": 2}
            }
        },
        {"resilience.retry.max_retry_attempts": 5, "resilience.retry.max_delay_ms": 60_000},
    ),
    (
        {"Retry": {"InitialDelay": 5000, "BackoffMultiplier": 3}},
        {"resilience.retry.initial_delay_ms": 5000, "resilience.retry.backoff_multiplier": 3},
    ),
    (
        {"Retry": {"InitialDelay": 500, "BackoffMultiplier": 1.5}},
        {"resilience.retry.initial_delay_ms": 500, "resilience.retry.backoff_multiplier": 1.5},
    ),
    (
        {
            "Providers": {
                "OpenAI": {"Retry": {"MaxRetryAttempts": 5, "InitialDelay": 2000}},
                "Anthropic": {"Retry": {"MaxRetryAttempts": 3, "InitialDelay": 5000}},
            }
        },
        {"providers.openai.retry.max_retry_attempts": 5, "providers.anthropic.retry.initial_delay_ms": 5000},
    ),
    (
        {
            "Resilience": {
                "Retry": {
                    "RetryableErrors": [
                        "TransientNetworkFailure",
                        "Timeout",
                        "RateLimitExceeded",
                        "ServiceUnavailable",
                    ],
                    "NonRetryableErrors": ["InvalidApiKey", "InvalidInput", "QuotaExceeded"],
                }
            }
        },
        {"resilience.retry.non_retryable_errors": ("InvalidApiKey", "InvalidInput", "QuotaExceeded")},
    ),
    (
        {"Features": {"GracefulDegradation": {"Enabled": True, "FallbackToBasic": True}}},
        {"features.graceful_degradation.enabled": True, "features.graceful_degradation.fallback_to_basic": True},
    ),
    (
        {"Resilience": {"PartialSuccess": {"Enabled": True, "ReturnPartialResults": True, "RetryFailedOnly": True}}},
        {"resilience.partial_success.enabled": True, "resilience.partial_success.retry_failed_only": True},
    ),
    (
        {"Resilience": {"StatePersistence": {"Enabled": True, "SaveInterval": 30, "AutoResume": True}}},
        {"resilience.state_persistence.save_interval_s": 30, "resilience.state_persistence.auto_resume": True},
    ),
    (
        {"Rendering": {"Checkpoints": {"Enabled": True, "Interval": 60, "ResumeFromCheckpoint": True}}},
        {"rendering.checkpoints.interval_s": 60, "rendering.checkpoints.resume_from_checkpoint": True},
    ),
    (
        {
            "Providers": {
                "LLM": {
                    "FallbackEnabled": True,
                    "Providers": [
                        {"Name": "OpenAI", "Priority": 1, "Enabled": True},
                        {"Name": "Anthropic", "Priority": 2, "Enabled": True},
                        {"Name": "LocalLLM", "Priority": 3, "Enabled": True},
                    ],
                    "FallbackTriggers": ["ServiceUnavailable", "RateLimitExceeded", "CircuitOpen"],
                }
            }
        },
        {
            "providers.llm.names": ("OpenAI", "Anthropic", "LocalLLM"),
            "providers.llm.fallback_triggers": ("ServiceUnavailable", "RateLimitExceeded", "CircuitOpen"),
        },
    ),
    (
        {
            "Quality": {
                "FallbackEnabled": True,
                "Levels": [
                    {"Name": "High", "Resolution": "1920x1080", "Bitrate": "5M", "Priority": 1},
                    {"Name": "Medium", "Resolution": "1280x720", "Bitrate": "3M", "Priority": 2},
                    {"Name": "Low", "Resolution": "854x480", "Bitrate": "1M", "Priority": 3},
                ],
            }
        },
        {"quality": Settings().quality},
    ),
    (
        {"Providers": {"CacheFallback": {"Enabled": True, "UseCacheOnError": True, "CacheExpiration": 86400}}},
        {"providers.cache_fallback.cache_expiration_s": 86_400, "providers.cache_fallback.use_cache_on_error": True},
    ),
    (
        {"Timeouts": {"Request": 30000, "Operation": 300000, "Job": 3600000}},
        {"timeouts.request_ms": 30_000, "timeouts.operation_ms": 300_000, "job_timeout_s": 3600},
    ),
    (
        {"Providers": {"OpenAI": {"RequestTimeout": 30000, "OperationTimeout": 60000}}},
        {"providers.openai.request_timeout_ms": 30_000, "providers.openai.operation_timeout_ms": 60_000},
    ),
    (
        {"Providers": {"ElevenLabs": {"RequestTimeout": 120000, "OperationTimeout": 300000}}},
        {"providers.elevenlabs.request_timeout_ms": 120_000, "providers.elevenlabs.operation_timeout_ms": 300_000},
    ),
    ({"Rendering": {"JobTimeout": 7200000}}, {"job_timeout_s": 7200}),
    ({"Timeouts": {"Job": 0}}, {"job_timeout_s": 0}),
    (
        {
            "HealthChecks": {
                "Enabled": True,
                "Interval": 60000,
                "Providers": {"Enabled": True, "TestConnection": True},
                "FFmpeg": {"Enabled": True, "TestExecution": True},
            }
        },
        {"health_checks": Settings().health_checks, "health_checks.interval_ms": 60_000},
    ),
    (
        {
            "HealthChecks": {
                "AutomaticRecovery": {
                    "Enabled": True,
                    "Actions": {
                        "RestartOnUnhealthy": False,
                        "SwitchProvider": True,
                        "NotifyUser": True,
                        "LogErrors": True,
                    },
                }
            }
        },
        {
            "health_checks.automatic_recovery": Settings().health_checks.automatic_recovery,
            "health_checks.automatic_recovery.actions.restart_on_unhealthy": False,
        },
    ),
    (
        {
            "Monitoring": {
                "Resilience": {
                    "Enabled": True,
                    "TrackCircuitBreakerState": True,
                    "TrackRetryAttempts": True,
                    "TrackFallbacks": True,
                    "AlertOnCircuitOpen": True,
                    "AlertOnRetriesExhausted": True,
                }
            }
        },
        {"monitoring.resilience.alert_on_retries_exhausted": True},
    ),
    (
        {
            "CircuitBreaker": {"Enabled": True, "FailureThreshold": 5, "BreakDuration": 30},
            "Retry": {"MaxRetryAttempts": 5, "InitialDelay": 2000},
            "Fallback": {"Enabled": True},
        },
        {"resilience.retry.initial_delay_ms": 2000, "resilience.fallback.enabled": True},
    ),
    (
        {"CircuitBreaker": {"Enabled": False}, "Retry": {"MaxRetryAttempts": 1}},
        {"resilience.circuit_breaker.enabled": False, "resilience.retry.max_retry_attempts": 1},
    ),
    (
        {"Testing": {"SimulateFailures": True, "FailureRate": 0.1}},
        {"testing.simulate_failures": True, "testing.failure_rate": 0.1},
    ),
]


def value_at(settings: Settings, path: str) -> Any:
    value: Any = settings
    for name in path.split("."):
        value = getattr(value, name)
    return value() if callable(value) else value


@pytest.mark.parametrize(("block", "expected"), BLOCKS)
def test_each_block_of_the_guide_lands_where_it_is_read(
    tmp_path: Path, block: dict[str, Any], expected: dict[str, Any]
) -> None:
    file = tmp_path / "framekeep.json"
    file.write_text(json.dumps(block))
    settings = load_settings(file=file, profile="development", environ={}).settings
    assert {path: value_at(settings, path) for path in expected} == expected


def pasted(block: dict[str, Any]) -> str:
    """A block as people paste it: notes of every kind, a comma after each last item."""
    lines = ["// appsettings.json", "/* what we", "   changed */"]
    for line in json.dumps(block, indent=2).splitlines():
        bare = line.rstrip(",")
        ends_item = bare != "}" and not bare.endswith(("{", "["))
        lines.append(f'{bare}{"," if ends_item else ""} // a note: {{, [ and "')
    return "\n".join(lines)


@pytest.mark.parametrize(("block", "expected"), BLOCKS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_each_block_loads_as_it_is_pasted(
    tmp_path: Path, block: dict[str, Any], expected: dict[str, Any], end: str
) -> None:
    file = tmp_path / "framekeep.json"
    file.write_bytes(pasted(block).replace("\n", end).encode("utf-8-sig"))
    settings = load_settings(file=file, profile="development", environ={}).settings
    assert {path: value_at(settings, path) for path in expected} == expected


def test_a_file_is_validated_over_the_profile_that_every_command_goes_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from pipeline.cli.app import main

    file = tmp_path / "testing.json"
    file.write_text(pasted({"Testing": {"SimulateFailures": True, "FailureRate": 0.1}}))
    monkeypatch.delenv("FRAMEKEEP_PROFILE", raising=False)
    assert main(["config", "validate", str(file)]) == 2
    assert "--profile development" in capsys.readouterr().err
    assert main(["config", "validate", str(file), "--profile", "production"]) == 2
    assert "it is production" in capsys.readouterr().err
    assert main(["config", "validate", str(file), "--profile", "development"]) == 0
    assert main(["--profile", "development", "config", "validate", str(file)]) == 0
    monkeypatch.setenv("FRAMEKEEP_PROFILE", "development")
    assert main(["config", "validate", str(file)]) == 0
    assert main(["config", "validate", str(file), "--profile", "nowhere"]) == 2


def merged(into: dict[str, Any], block: dict[str, Any]) -> dict[str, Any]:
    for key, value in block.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merged(into[key], value)
        else:
            into[key] = value
    return into


def test_all_blocks_of_the_guide_together_are_one_file(tmp_path: Path) -> None:
    whole: dict[str, Any] = {}
    for block, _ in BLOCKS:
        copy = json.loads(json.dumps(block))
        short = {name: copy.pop(name) for name in ("CircuitBreaker", "Retry", "Fallback") if name in copy}
        merged(whole, copy)
        merged(whole, {"Resilience": short})
    # The guide shows two ways of naming a chain; one file takes one of them.
    for name in ("Primary", "Fallback"):
        whole["Providers"]["LLM"].pop(name)
    file = tmp_path / "framekeep.json"
    file.write_text(json.dumps(whole))
    settings = load_settings(file=file, profile="development", environ={}).settings
    assert settings.resilience.retry.max_retry_attempts == 1
    assert settings.providers.llm.names() == ("OpenAI", "Anthropic", "LocalLLM")


def test_failures_on_purpose_are_refused_outside_the_development_profile(tmp_path: Path) -> None:
    from config.errors import SettingsError

    flags = {("testing", "simulate_failures"): True}
    with pytest.raises(SettingsError) as caught:
        load_settings(profile="production", environ={}, flags=flags)
    assert caught.value.problems == (
        "command line: Testing.SimulateFailures: only in the profile development (it is production; choose it with "
        "--profile development or FRAMEKEEP_PROFILE=development), or with Testing.Force",
    )
    with pytest.raises(SettingsError):
        load_settings(environ={}, flags=flags)
    assert load_settings(profile="development", environ={}, flags=flags).settings.testing.simulate_failures
    assert load_settings(environ={}, flags={**flags, ("testing", "force"): True}).settings.testing.simulate_failures
