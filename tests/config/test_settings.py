"""Settings: sources and their order, both spellings, short forms, and where values came from."""

from __future__ import annotations

import json
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any, get_origin

import pytest
import yaml
from pydantic import ValidationError

from config.errors import SettingsError
from config.loader import DEFAULT_FILES, Loaded, guide_path, load_settings
from config.names import section_in
from config.section import Section, public_name
from config.settings import Chain, Rendering, Settings


def load(folder: Path, data: dict[str, Any], suffix: str = "json", **more: Any) -> Loaded:
    file = folder / f"settings.{suffix}"
    file.write_text(json.dumps(data) if suffix == "json" else yaml.safe_dump(data))
    return load_settings(file=file, environ=more.pop("environ", {}), **more)


def test_defaults_are_the_guides() -> None:
    settings = load_settings(environ={}).settings
    breaker, retry = settings.resilience.circuit_breaker, settings.resilience.retry
    assert (breaker.enabled, breaker.failure_threshold, breaker.break_duration_s) == (True, 5, 30)
    assert breaker.success_threshold == 2
    assert (retry.max_retry_attempts, retry.initial_delay_ms, retry.max_delay_ms) == (3, 1000, 30_000)
    assert retry.backoff_multiplier == 2
    timeouts = settings.timeouts
    assert (timeouts.request_ms, timeouts.operation_ms, timeouts.job_ms) == (30_000, 300_000, 3_600_000)
    assert settings.rendering.checkpoints.interval_s == 60
    assert [(level.name, level.resolution, level.bitrate_bps) for level in settings.quality.ladder()] == [
        ("High", (1920, 1080), 5_000_000),
        ("Medium", (1280, 720), 3_000_000),
        ("Low", (854, 480), 1_000_000),
    ]


def test_each_source_beats_the_one_before_it_and_says_so(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[Resilience.Retry]\nInitialDelay = 10\nMaxDelay = 20\nBackoffMultiplier = 3\n")
    loaded = load_settings(
        file=file,
        profile="production",
        environ={
            "FRAMEKEEP_RESILIENCE__RETRY__MAX_DELAY": "21",
            "FRAMEKEEP_RESILIENCE__RETRY__BACKOFF_MULTIPLIER": "4",
        },
        flags={("resilience", "retry", "backoff_multiplier"): 5},
    )
    retry = loaded.settings.resilience.retry
    assert retry.jitter is True
    assert (retry.max_retry_attempts, retry.initial_delay_ms) == (5, 10)
    assert (retry.max_delay_ms, retry.backoff_multiplier) == (21, 5)
    block = ("resilience", "retry")
    assert {path[-1]: source for path, source in loaded.origins.items() if path[:2] == block} == {
        "max_retry_attempts": "profile production",
        "initial_delay_ms": str(file),
        "max_delay_ms": "environment FRAMEKEEP_RESILIENCE__RETRY__MAX_DELAY",
        "backoff_multiplier": "command line",
    }


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        ("toml", "[Rendering]\nFps = 25\n[Rendering.Checkpoints]\nInterval = 7\n"),
        ("yaml", "Rendering:\n  Fps: 25\n  Checkpoints: {Interval: 7}\n"),
        ("yml", "\ufeffrendering:\n  fps: 25\n  checkpoints:\n    interval_s: 7\n"),
        ("json", '{"rendering": {"Fps": 25, "checkpoints": {"interval-s": 7}}}'),
    ],
)
def test_every_kind_of_file_takes_the_guides_names_and_ours(tmp_path: Path, suffix: str, text: str) -> None:
    file = tmp_path / f"f.{suffix}"
    file.write_text(text, encoding="utf-8")
    rendering = load_settings(file=file, environ={}).settings.rendering
    assert (rendering.fps, rendering.checkpoints.interval_s) == (25, 7)


def all_fields(model: type[Section], path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for name, info in model.model_fields.items():
        inner = section_in(info.annotation)
        if inner and get_origin(info.annotation) not in (tuple, dict):
            found += all_fields(inner, (*path, name))
        else:
            found.append((*path, name))
    return found


@pytest.mark.parametrize("path", all_fields(Settings), ids=".".join)
def test_every_setting_can_be_set_by_the_name_that_is_shown_for_it(tmp_path: Path, path: tuple[str, ...]) -> None:
    value: Any = load_settings(environ={}).settings.model_dump(mode="json")
    for name in path:
        value = value.get(name) if value else None
    samples = {"base_url": "http://127.0.0.1:8000/v1", "api_key": "text", "api_key_file": "key.txt", "model": "text"}
    samples |= {"log_level": {"Default": "Debug"}, "jitter": True, "enabled": True, "retryable_errors": ["Timeout"]}
    if value in (None, "", {}):
        value = samples.get(path[-1], ["QuotaExceeded"] if path[-1] == "non_retryable_errors" else 3)
    flags = {("testing", "force"): True} if path == ("testing", "simulate_failures") else {}
    data = value
    for name in reversed(guide_path(path).split(".")):
        data = {name: data}
    loaded = load(tmp_path, data, flags=flags, check_keys=False)
    beside = {(*path[:-1], name) for name in ("retryable_errors", "non_retryable_errors") if name != path[-1]}
    assert {origin[: len(path)] for origin in loaded.origins} - set(flags) - beside == {path}


def test_short_blocks_mean_the_same_as_under_resilience(tmp_path: Path) -> None:
    short = load(tmp_path, {"CircuitBreaker": {"FailureThreshold": 9}, "Retry": {"InitialDelay": 500}})
    full = load(tmp_path, {"Resilience": {"CircuitBreaker": {"FailureThreshold": 9}, "Retry": {"InitialDelay": 500}}})
    assert short.settings == full.settings != Settings()
    assert short.origins == full.origins


def test_a_short_block_and_a_long_one_add_up(tmp_path: Path) -> None:
    data = {"CircuitBreaker": {"FailureThreshold": 9}, "Resilience": {"CircuitBreaker": {"BreakDuration": 8}}}
    breaker = load(tmp_path, data).settings.resilience.circuit_breaker
    assert (breaker.failure_threshold, breaker.break_duration_s) == (9, 8)


def test_the_environment_sets_settings_and_leaves_the_other_variables_alone() -> None:
    environ = {
        "FRAMEKEEP_RENDERING__FPS": "25",
        "FRAMEKEEP_CIRCUITBREAKER__ENABLED": "false",
        "FRAMEKEEP_PROVIDERS__TTS": "pico",
        "FRAMEKEEP_PROVIDERS__LLM": '["OpenAI", "LocalLLM"]',
        "FRAMEKEEP_PROVIDERS__OPENAI__API_KEY": "12345",
        "FRAMEKEEP_PROVIDERS__LOCAL_LLM__MODEL": "7",
        "FRAMEKEEP_EXPORTS__TALL__ASPECT": "9:16",
        "FRAMEKEEP_HOME": "/somewhere",
        "FRAMEKEEP_FFMPEG": "/usr/bin/ffmpeg",
        "PATH": "/bin",
    }
    settings = load_settings(environ=environ).settings
    assert settings.rendering.fps == 25
    assert settings.resilience.circuit_breaker.enabled is False
    assert settings.providers.tts.names() == ("pico",)
    assert settings.providers.llm.names() == ("OpenAI", "LocalLLM")
    assert settings.providers.openai.api_key is not None
    assert settings.providers.openai.api_key.get_secret_value() == "12345"
    assert settings.providers.local_llm.model == "7"
    assert settings.exports["tall"].aspect == "9:16"
    assert sorted(settings.exports) == ["shorts", "square", "tall", "youtube"]


def test_the_environment_names_profile_and_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine.yaml").write_text("Rendering: {Crf: 21}")
    environ = {"FRAMEKEEP_PROFILE": "development", "FRAMEKEEP_CONFIG": "~/mine.yaml"}
    settings = load_settings(environ=environ).settings
    assert settings.rendering.crf == 21
    assert settings.resilience.circuit_breaker.enabled is False


@pytest.mark.parametrize("name", DEFAULT_FILES)
def test_a_file_in_the_working_folder_is_found(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text({"toml": "[Rendering]\nCrf=22", "json": '{"Rendering":{"Crf":22}}'}.get(
        name.rpartition(".")[2], "Rendering: {Crf: 22}"
    ))  # fmt: skip
    loaded = load_settings(environ={}, folder=tmp_path)
    assert loaded.settings.rendering.crf == 22
    assert loaded.origins == {("rendering", "crf"): str(tmp_path / name)}


def test_yaml_texts_that_look_like_something_else_stay_texts(tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_text(
        "Providers:\n  LocalLLM: {Model: no}\n  OpenAI: {Model: 2026-01-01}\n  ElevenLabs: {Model: 16:9, Voice: off}\n"
        "Retry: {Jitter: no}\nTimeouts: {Job: 1e3}\nRendering: {Checkpoints: {Enabled: Off}}\n"
    )
    settings = load_settings(file=file, environ={}).settings
    providers = settings.providers
    assert (providers.local_llm.model, providers.openai.model) == ("no", "2026-01-01")
    assert (providers.elevenlabs.model, providers.elevenlabs.voice) == ("16:9", "off")
    assert (settings.resilience.retry.jitter, settings.rendering.checkpoints.enabled) == (False, False)
    assert settings.timeouts.job_ms == 1000


@pytest.mark.parametrize("suffix", ["toml", "yaml", "json"])
@pytest.mark.parametrize("text", ["", "\n  \n"])
def test_an_empty_file_changes_nothing(tmp_path: Path, suffix: str, text: str) -> None:
    file = tmp_path / f"empty.{suffix}"
    file.write_text(text)
    assert load_settings(file=file, environ={}).settings == Settings()


def test_a_file_of_notes_alone_changes_nothing(tmp_path: Path) -> None:
    for name, text in [("a.json", "// nothing\n/* yet */"), ("a.yaml", "# nothing"), ("a.toml", "# nothing")]:
        (tmp_path / name).write_text(text)
        assert load_settings(file=tmp_path / name, environ={}).settings == Settings()


def test_a_yaml_block_with_all_its_lines_commented_out_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_text("Rendering:\n  # Fps: 25\nExports:\n  wide:\n    Aspect: 16:9\n")
    settings = load_settings(file=file, environ={}).settings
    assert settings.rendering == Rendering()
    assert settings.exports["wide"].aspect == "16:9"


@pytest.mark.parametrize(
    "form",
    [
        ["OpenAI", "Anthropic", "LocalLLM"],
        {"Primary": "OpenAI", "Fallback": ["Anthropic", "LocalLLM"]},
        {"primary": "OpenAI", "fallback": ["Anthropic", {"Name": "LocalLLM"}]},
        {"Providers": ["OpenAI", "Anthropic", "LocalLLM"]},
        {"Providers": [{"Name": "LocalLLM", "Priority": 3}, {"Name": "OpenAI"}, {"name": "Anthropic"}]},
    ],
)
def test_a_chain_can_be_written_in_several_ways(tmp_path: Path, form: Any) -> None:
    if isinstance(form, dict) and isinstance(form.get("Providers"), list):
        form["Providers"] = [{"Name": item} if isinstance(item, str) else item for item in form["Providers"]]
    chain = load(tmp_path, {"Providers": {"LLM": form}}).settings.providers.llm
    assert chain.names() == ("OpenAI", "Anthropic", "LocalLLM")
    assert Chain.model_validate(form) == chain


def test_one_fallback_may_be_a_name_and_a_switch_may_stand_beside_it(tmp_path: Path) -> None:
    form = {"Primary": "OpenAI", "Fallback": "LocalLLM", "FallbackEnabled": False}
    chain = load(tmp_path, {"Providers": {"LLM": form}}).settings.providers.llm
    assert [entry.name for entry in chain.providers] == ["OpenAI", "LocalLLM"]
    assert chain.names() == ("OpenAI",)


def test_a_chain_of_a_stronger_source_replaces_the_weaker_one_whole(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        {"Providers": {"TTS": {"Primary": "hibari", "Fallback": ["pico"]}}},
        environ={"FRAMEKEEP_PROVIDERS__TTS": "text"},
    )
    assert loaded.settings.providers.tts.names() == ("text",)
    assert loaded.origins == {("providers", "tts", "providers"): "environment FRAMEKEEP_PROVIDERS__TTS"}


def test_disabled_providers_are_left_out(tmp_path: Path) -> None:
    entries = [{"Name": "a", "Enabled": False}, {"Name": "b", "Priority": 9}, {"Name": "c", "Priority": 2}]
    chain = load(tmp_path, {"Providers": {"Images": {"Providers": entries}}}).settings.providers.images
    assert chain.names() == ("c", "b")


@pytest.mark.parametrize(
    ("text", "bits"), [("900k", 900_000), ("2.5M", 2_500_000), (640_000, 640_000), ("8Mbps", 8_000_000)]
)
def test_bitrates_take_the_usual_suffixes(tmp_path: Path, text: Any, bits: int) -> None:
    level = {"Name": "One", "Resolution": "640 × 360", "Bitrate": text, "Priority": 1}
    quality = load(tmp_path, {"Quality": {"Levels": [level]}}).settings.quality
    assert [(item.resolution, item.bitrate_bps) for item in quality.levels] == [((640, 360), bits)]


def test_profiles_hold_only_settings_that_exist() -> None:
    for name in ("production", "development"):
        text = (resources.files("config") / "profiles" / f"{name}.toml").read_text()
        assert tomllib.loads(text)
        assert load_settings(profile=name, environ={}).settings != Settings()


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Settings().rendering.fps = 60


def test_public_names_leave_units_out() -> None:
    assert [public_name(name) for name in ("initial_delay_ms", "true_peak_dbtp", "crf", "s")] == [
        "InitialDelay",
        "TruePeak",
        "Crf",
        "S",
    ]


def test_loading_twice_gives_equal_values_that_share_nothing(tmp_path: Path) -> None:
    first, second = (load(tmp_path, {"Exports": {"wide": {"Aspect": "16:9"}}}) for _ in range(2))
    assert first.settings == second.settings
    assert first.settings.exports is not second.settings.exports


def test_an_unknown_profile_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        SettingsError, match="profile staging: there is no such profile; one of: production, development"
    ):
        load_settings(profile="staging", environ={})
