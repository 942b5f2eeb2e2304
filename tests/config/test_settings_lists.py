"""Lists and other values as people type them on the command line and in the environment, and how sources add up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from config.errors import SettingsError, UsageError
from config.loader import Loaded, load_settings
from config.settings import Settings
from pipeline.cli.command_options import Common

MAIL = "mailto://me:pass=word@example.org?to=a@example.org,b@example.org"
HOOK = "json://example.org/hook?a=1,2&b=3"
KINDS = ("Timeout", "RateLimitExceeded")


def by_flags(*texts: str) -> Settings:
    return by_common(*texts).settings


def by_common(*texts: str) -> Loaded:
    return Common(sets=texts).load()


def by_environment(**variables: str) -> Settings:
    return load_settings(environ={f"FRAMEKEEP_{name}": text for name, text in variables.items()}).settings


def addresses(settings: Settings) -> list[str]:
    return [address.get_secret_value() for address in settings.monitoring.alert_urls]


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "Timeout,RateLimitExceeded",
        " Timeout , RateLimitExceeded ",
        "Timeout,RateLimitExceeded,",
        "Timeout\nRateLimitExceeded",
        '["Timeout", "RateLimitExceeded"]',
        "['Timeout', 'RateLimitExceeded',]",
        "[Timeout,RateLimitExceeded]",
        '"Timeout","RateLimitExceeded"',
    ],
)
def test_a_list_is_taken_as_people_type_it(text: str, tmp_path: Path) -> None:
    assert by_flags(f"Retry.RetryableErrors={text}").resilience.retry.retryable_errors == KINDS
    assert by_environment(RETRY__RETRYABLEERRORS=text).resilience.retry.retryable_errors == KINDS
    file = tmp_path / "f.json"
    file.write_text(json.dumps({"Retry": {"RetryableErrors": text}}))
    assert load_settings(file=file, environ={}).settings.resilience.retry.retryable_errors == KINDS


@pytest.mark.parametrize("text", ["", "[]", "  ", "[ ]"])
def test_a_list_can_be_emptied(text: str) -> None:
    retry = by_flags(f"Resilience.Retry.RetryableErrors={text}").resilience.retry
    assert retry.retryable_errors == ()
    assert by_environment(RESILIENCE__RETRY__RETRYABLE_ERRORS=text).resilience.retry.retryable_errors == ()


def test_addresses_keep_their_commas_and_equals_signs() -> None:
    for text in (f"{MAIL},{HOOK}", f"{MAIL} {HOOK}", f"{MAIL}, {HOOK},", json.dumps([MAIL, HOOK]), f"[{MAIL},{HOOK}]"):
        assert addresses(by_flags(f"Monitoring.AlertUrls={text}")) == [MAIL, HOOK]
        assert addresses(by_environment(MONITORING__ALERTURLS=text)) == [MAIL, HOOK]


def test_a_list_that_is_given_again_on_the_command_line_grows() -> None:
    settings = by_flags(
        f"Monitoring.AlertUrls={MAIL}",
        "Testing.Kinds=error,slow",
        f"monitoring.alert_urls={HOOK}",
        "testing.kinds=quota",
    )
    assert addresses(settings) == [MAIL, HOOK]
    assert settings.testing.kinds == ("error", "slow", "quota")


def test_the_last_word_counts_for_what_is_no_list() -> None:
    assert by_flags("Rendering.Crf=20", "Rendering.Crf=30").rendering.crf == 30


def test_one_list_does_not_reset_another_that_was_given_beside_it() -> None:
    given = ("Retry.RetryableErrors=Timeout,QuotaExceeded", "Retry.NonRetryableErrors=InvalidInput")
    for flags in (given, given[::-1]):
        retry = by_flags(*flags).resilience.retry
        assert retry.retryable_errors == ("Timeout", "QuotaExceeded")
        assert retry.non_retryable_errors == ("InvalidInput",)


def test_one_list_does_not_reset_another_of_a_weaker_source(tmp_path: Path) -> None:
    file = tmp_path / "f.toml"
    file.write_text('[Retry]\nNonRetryableErrors = ["ContentRefused"]\n')
    loaded = load_settings(
        file=file, environ={"FRAMEKEEP_RETRY__RETRYABLEERRORS": "Timeout"}, flags={("retry", "jitter"): False}
    )
    retry = loaded.settings.resilience.retry
    assert (retry.retryable_errors, retry.non_retryable_errors) == (("Timeout",), ("ContentRefused",))


def test_one_list_alone_takes_what_it_names_out_of_the_others_default() -> None:
    retry = by_flags("Retry.NonRetryableErrors=Timeout").resilience.retry
    assert retry.non_retryable_errors == ("Timeout",)
    assert retry.retryable_errors == ("TransientNetworkFailure", "RateLimitExceeded", "ServiceUnavailable")


def test_a_list_replaces_a_weaker_sources(tmp_path: Path) -> None:
    file = tmp_path / "f.json"
    file.write_text(json.dumps({"Monitoring": {"AlertUrls": [MAIL]}}))
    for more in (
        {"environ": {"FRAMEKEEP_MONITORING__ALERTURLS": HOOK}},
        {"environ": {}, "flags": [(("monitoring", "alerturls"), HOOK)]},
    ):
        assert addresses(load_settings(file=file, **more).settings) == [HOOK]  # type: ignore[arg-type]


def test_rules_between_settings_hold_for_all_sources_together(tmp_path: Path) -> None:
    assert by_flags("Rendering.Encoder=libx265", "Rendering.Codec=hevc").rendering.codec == "hevc"
    (tmp_path / "f.toml").write_text('[Rendering]\nCodec = "hevc"\n')
    loaded = load_settings(file=tmp_path / "f.toml", environ={"FRAMEKEEP_RENDERING__ENCODER": "libx265"})
    assert (loaded.settings.rendering.codec, loaded.settings.rendering.encoder) == ("hevc", "libx265")
    with pytest.raises(SettingsError) as caught:
        by_flags("Rendering.Encoder=libx265")
    assert caught.value.problems == ("command line: Rendering: the encoder libx265 makes hevc, but the codec is h264",)


# Lists of blocks, chains


LEVELS = [{"Name": "Only", "Resolution": "640x360", "Bitrate": "900k", "Priority": 1}]


@pytest.mark.parametrize(
    "text",
    [json.dumps(LEVELS), json.dumps(LEVELS[0]), "[{Name:'Only',Resolution:'640x360',Bitrate:'900k',Priority:1,},]"],
)
def test_a_list_of_blocks_is_given_in_json(text: str) -> None:
    for settings in (by_flags(f"Quality.Levels={text}"), by_environment(QUALITY__LEVELS=text)):
        assert [(level.name, level.resolution) for level in settings.quality.levels] == [("Only", (640, 360))]


def test_blocks_that_are_given_one_at_a_time_add_up() -> None:
    other = json.dumps(LEVELS[0] | {"Name": "Other"})
    settings = by_flags(f"Quality.Levels={json.dumps(LEVELS[0])}", f"Quality.Levels={other}")
    assert [level.name for level in settings.quality.levels] == ["Only", "Other"]


@pytest.mark.parametrize(
    "flags",
    [
        ["Providers.LLM=OpenAI,Anthropic,LocalLLM"],
        ["Providers.LLM=OpenAI,Anthropic", "Providers.LLM=LocalLLM"],
        ["Providers.LLM=OpenAI", "Providers.LLM=Anthropic", "Providers.LLM=LocalLLM"],
        ['Providers.LLM=["OpenAI", "Anthropic", "LocalLLM"]'],
        ["Providers.LLM.Providers=OpenAI,Anthropic,LocalLLM"],
        ["Providers.LLM.Providers=OpenAI", "Providers.LLM.Providers=Anthropic", "Providers.LLM.Providers=LocalLLM"],
        ["Providers.LLM.Primary=OpenAI", "Providers.LLM.Fallback=Anthropic,LocalLLM"],
        ["Providers.LLM.Fallback=Anthropic", "Providers.LLM.Primary=OpenAI", "Providers.LLM.Fallback=LocalLLM"],
        ['Providers.LLM={"Primary": "OpenAI", "Fallback": ["Anthropic", "LocalLLM"]}'],
        [
            "Providers.LLM.Providers.0.Name=OpenAI",
            "Providers.LLM.Providers.1.Name=Anthropic",
            "Providers.LLM.Providers.2=LocalLLM",
        ],
    ],
)
def test_a_chain_is_named_in_every_way_that_a_file_has(flags: list[str]) -> None:
    assert by_flags(*flags).providers.llm.names() == ("OpenAI", "Anthropic", "LocalLLM")
    variables: dict[str, str] = {}
    for name, _, value in (flag.partition("=") for flag in flags):
        variables[name.upper().replace(".", "__")] = value
    if len(variables) == len(flags):
        assert by_environment(**variables).providers.llm.names() == ("OpenAI", "Anthropic", "LocalLLM")


def test_an_entry_of_a_chain_may_say_its_priority() -> None:
    text = '[{"Name": "OpenAI", "Priority": 2}, {"Name": "LocalLLM", "Priority": 1}]'
    assert by_flags(f"Providers.LLM.Providers={text}").providers.llm.names() == ("LocalLLM", "OpenAI")


def test_a_stronger_primary_keeps_the_weaker_fallback_and_the_other_way_round(tmp_path: Path) -> None:
    for name, text in [
        ("short.yaml", "Providers: {LLM: {Primary: OpenAI, Fallback: [Anthropic, LocalLLM]}}"),
        ("long.yaml", "Providers: {LLM: {Providers: [{Name: OpenAI}, {Name: Anthropic}, {Name: LocalLLM}]}}"),
    ]:
        (tmp_path / name).write_text(text)

        def chain(flag: str, value: str, file: Path = tmp_path / name) -> tuple[str, ...]:
            loaded = load_settings(file=file, environ={}, flags=[(("providers", "llm", flag), value)])
            return loaded.settings.providers.llm.names()

        assert chain("primary", "LocalLLM") == ("LocalLLM", "Anthropic")
        assert chain("fallback", "LocalLLM") == ("OpenAI", "LocalLLM")
        assert chain("fallback", "") == ("OpenAI",)
        assert chain("providers", "outline") == ("outline",)
        assert chain("fallback_enabled", "no") == ("OpenAI",)
        second = {"FRAMEKEEP_PROVIDERS__LLM__PROVIDERS__1__ENABLED": "false"}
        assert load_settings(file=tmp_path / name, environ=second).settings.providers.llm.names() == (
            "OpenAI",
            "LocalLLM",
        )


def test_a_fallback_without_a_primary_anywhere_is_refused_once() -> None:
    with pytest.raises(SettingsError) as caught:
        by_environment(PROVIDERS__LLM__FALLBACK="OpenAI")
    assert caught.value.problems == (
        "environment FRAMEKEEP_PROVIDERS__LLM__FALLBACK: Providers.LLM: Fallback needs a Primary before it",
    )


# One place of a list


def test_a_place_in_a_list_is_changed_or_added(tmp_path: Path) -> None:
    levels = by_flags("Quality.Levels.1.Bitrate=2M").quality.levels
    assert levels == by_flags("Quality.Levels[1].Bitrate=2M").quality.levels
    assert [(level.name, level.bitrate_bps) for level in levels] == [
        ("High", 5_000_000),
        ("Medium", 2_000_000),
        ("Low", 1_000_000),
    ]
    settings = by_environment(MONITORING__ALERTURLS__0=MAIL, MONITORING__ALERTURLS__1=HOOK)
    assert addresses(settings) == [MAIL, HOOK]
    many = {f"MONITORING__ALERTURLS__{place}": f"json://host{place}" for place in range(12)}
    assert addresses(by_environment(**many)) == [f"json://host{place}" for place in range(12)]


def test_a_place_far_beyond_the_end_of_a_list_is_refused() -> None:
    with pytest.raises(SettingsError) as caught:
        by_environment(MONITORING__ALERTURLS__3=MAIL)
    assert caught.value.problems == (
        "environment FRAMEKEEP_MONITORING__ALERTURLS__3: Monitoring.AlertUrls.3: the list has 0 items; the next is 0",
    )
    assert "pass=word" not in str(caught.value)


# Values that are no lists


@pytest.mark.parametrize("text", ["true", "True", "yes", "on", "1", "FALSE", "no", "off", "0"])
def test_truth_values_have_their_usual_spellings(text: str) -> None:
    value = text in ("true", "True", "yes", "on", "1")
    assert by_flags(f"Features.GracefulDegradation.Enabled={text}").features.graceful_degradation.enabled is value
    assert by_environment(RETRY__JITTER=text).resilience.retry.jitter is value


def test_numbers_texts_and_nothing_have_their_usual_spellings() -> None:
    settings = by_flags(
        "Timeouts.Job=1e3", "Providers.LocalLLM.Model=123", "Rendering.JobTimeout=null", "Rendering.Crf= 21 "
    )
    assert settings.timeouts.job_ms == 1000
    assert settings.providers.local_llm.model == "123"
    assert settings.rendering.job_timeout_ms is None
    assert settings.rendering.crf == 21


def test_areas_of_the_log_hold_dots() -> None:
    expected = {"Framekeep.Resilience": "debug", "Default": "warning"}
    for flags in (
        ["Logging.LogLevel.Framekeep.Resilience=Debug", "Logging.LogLevel.Default=Warning"],
        ['Logging.LogLevel={"Framekeep.Resilience": "Debug", "Default": "Warning"}'],
        ['Logging={LogLevel: {Framekeep: {Resilience: "Debug"}, Default: "Warning"}}'],
    ):
        assert by_flags(*flags).logging.log_level == expected
    origins = by_common("Logging.LogLevel.fallback=Debug").origins
    assert origins == {("logging", "log_level", "fallback"): "command line"}
    found = by_environment(LOGGING__LOGLEVEL__FRAMEKEEP__RESILIENCE="Debug").logging.log_level
    assert found == {"framekeep.resilience": "debug"}


def test_a_block_is_given_in_json_and_single_settings_go_over_it() -> None:
    retry = by_flags("Retry={InitialDelay: 5, MaxDelay: 50}", "Resilience.Retry.MaxDelay=60").resilience.retry
    assert (retry.initial_delay_ms, retry.max_delay_ms) == (5, 60)


@pytest.mark.parametrize(
    ("flag", "problem"),
    [
        ("Testing.Kinds=[error", "Testing.Kinds: is a list that begins with [ and does not end with ]"),
        ("Retry.RetryableErrors=null", 'Resilience.Retry.RetryableErrors: must be a list, as in A,B or ["A", "B"]'),
        ("Rendering.Crf=", "Rendering.Crf: is empty; give a value, or leave it out"),
        ("Rendering.Crf=soft", "Rendering.Crf: Input should be a valid integer, unable to parse string as an integer"),
        ("Rendering.Crf=[18]", "Rendering.Crf: Input should be a valid integer"),
        ("Quality.Levels=High,Low", "Quality.Levels.0: must be a block of settings"),
        ("Quality.Levels=", "Quality.Levels: Tuple should have at least 1 item after validation, not 0"),
        ("Rendering=5", "Rendering: must be a block of settings"),
        ("Retry={InitialDelay: 1", "Resilience.Retry: is not JSON: it ends too early (line 1, column 17)"),
        ("Quality.Levels.0.Resolution=wide", "Quality.Levels.0.Resolution: must be width and height, as in 1920x1080"),
        ("Quality.Levels.0.Bitrate=fast", "Quality.Levels.0.Bitrate: must be bits a second, as in 5000000, 5M or 900k"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_by_its_name_and_source(flag: str, problem: str) -> None:
    with pytest.raises(SettingsError) as caught:
        by_flags(flag)
    assert caught.value.problems[0] == f"command line: {problem}"


def test_a_variable_under_two_spellings_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"Rendering\.Crf: FRAMEKEEP_RENDERING__CRF sets it as well"):
        by_environment(RENDERING__CRF="18", Rendering__Crf="19")


# Addresses of alerts


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("hunter2-hunter2", "is no address"),
        ("jsn://user:hunter2@host", "did you mean json://?"),
        ("hunter2-hunter2://host", "begins with no service that Apprise knows"),
        ("slack://hunter2", "is not complete, or not as the service slack:// writes it"),
        ("", "is no address"),
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_used_is_named_by_source_and_place_alone(
    address: str, why: str, tmp_path: Path
) -> None:
    file = tmp_path / "f.json"
    file.write_text(json.dumps({"Monitoring": {"AlertUrls": [HOOK, address]}}))
    tries: list[tuple[str, dict[str, Any]]] = [
        (str(file), {"file": file, "environ": {}}),
        ("command line", {"environ": {}, "flags": [(("monitoring", "alert_urls"), json.dumps([HOOK, address]))]}),
        (
            "environment FRAMEKEEP_MONITORING__ALERT_URLS",
            {"environ": {"FRAMEKEEP_MONITORING__ALERT_URLS": json.dumps([HOOK, address])}},
        ),
    ]
    for source, given in tries:
        with pytest.raises(SettingsError) as caught:
            load_settings(**given)
        (problem,) = caught.value.problems
        assert problem.startswith(f"{source}: Monitoring.AlertUrls.1: ")
        assert why in problem
        assert "hunter2" not in str(caught.value)


def test_config_show_says_who_set_each_list(capsys: pytest.CaptureFixture[str]) -> None:
    from pipeline.cli.app import main

    assert (
        main(
            [
                "config",
                "show",
                "--json",
                "--set",
                "Providers.LLM.Primary=OpenAI",
                "--set",
                "Quality.Levels.0.Bitrate=6M",
            ]
        )
        == 0
    )
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["settings"]}
    assert rows["Providers.LLM.Providers.0.Name"]["source"] == "command line"
    assert rows["Quality.Levels.0.Bitrate"]["source"] == "command line"
    assert rows["Quality.Levels.0.Name"]["source"] == "default"


def test_all_that_is_no_setting_on_the_command_line_is_named_at_once() -> None:
    with pytest.raises(UsageError, match=r"--set needs KEY=VALUE, not 'Rendering', '\.Crf'"):
        by_flags("Rendering", "Rendering.Fps=25", ".Crf=18")
