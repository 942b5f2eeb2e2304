"""Settings that cannot be used: every problem at once, where it stands, with the name that was meant, and no secret shown."""

from __future__ import annotations

import json
import os
import traceback
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from config.errors import SettingsError
from config.loader import load_settings, validate_file
from config.settings import LlmAccount, Settings

SECRET = "sk-do-not-show-0451"


def problems(folder: Path, data: Any, name: str = "f.json", **more: Any) -> list[str]:
    """What is reported of a file, without the file's name."""
    file = folder / name
    file.write_text(data if isinstance(data, str) else json.dumps(data))
    with pytest.raises(SettingsError) as caught:
        load_settings(file=file, environ=more.pop("environ", {}), **more)
    error = caught.value
    assert error.exit_code == 2
    assert error.hint
    assert all(problem in error.message for problem in error.problems)
    return [problem.removeprefix(f"{file}: ") for problem in error.problems]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (
            {"Resilience": {"Retry": {"MaxRetrys": 3}}},
            "Resilience.Retry.MaxRetrys: unknown setting; did you mean MaxRetryAttempts?",
        ),
        (
            {"Retry": {"MaxRetryAttempt": 3}},
            "Resilience.Retry.MaxRetryAttempt: unknown setting; did you mean MaxRetryAttempts?",
        ),
        ({"rendering": {"treads": 3}}, "Rendering.treads: unknown setting; did you mean Threads?"),
        ({"CircuitBraker": {}}, "CircuitBraker: unknown setting; did you mean Resilience.CircuitBreaker?"),
        (
            {"FailureThreshold": 3},
            "FailureThreshold: unknown setting; did you mean Resilience.CircuitBreaker.FailureThreshold?",
        ),
        (
            {"break_durations": 3},
            "break_durations: unknown setting; did you mean Resilience.CircuitBreaker.BreakDuration?",
        ),
        (
            {"Exports": {"wide": {"Aspect": "1:1", "Ratio": 1}}},
            "Exports.wide.Ratio: unknown setting; known here: Aspect",
        ),
        (
            {"Providers": {"LLM": [{"Name": "a", "Prio": 1}]}},
            "Providers.LLM.Providers.0.Prio: unknown setting; did you mean Priority?",
        ),
    ],
)
def test_an_unknown_setting_is_named_with_its_place_and_the_nearest_known_one(
    tmp_path: Path, data: Any, problem: str
) -> None:
    found = problems(tmp_path, data)
    assert len(found) == 1
    assert found[0].startswith(problem)


def test_every_problem_of_every_source_is_reported_at_once(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        {"Rendering": {"Fps": 31, "Crf": "soft"}, "Colour": 1},
        profile="nowhere",
        environ={"FRAMEKEEP_TIMEOUTS__JOB": "-1", "FRAMEKEEP_TYPO": "1"},
        flags={("rendering", "preset"): "quick"},
    )
    assert [problem.split(";")[0] for problem in found] == [
        "profile nowhere: there is no such profile",
        "Colour: unknown setting",
        "Rendering.Fps: Input should be 24, 25, 30, 50 or 60",
        "Rendering.Crf: Input should be a valid integer, unable to parse string as an integer",
        "environment FRAMEKEEP_TIMEOUTS__JOB: Timeouts.Job: Input should be greater than or equal to 0",
        "environment FRAMEKEEP_TYPO: typo: unknown setting",
        "command line: Rendering.Preset: Input should be 'ultrafast', 'superfast', 'veryfast', 'faster', 'fast', "
        "'medium', 'slow', 'slower' or 'veryslow'",
    ]


def test_a_mistake_in_a_file_shows_even_where_a_flag_overrides_it(tmp_path: Path) -> None:
    found = problems(tmp_path, {"Rendering": {"Fps": "many"}}, flags={("rendering", "fps"): 25})
    assert found == ["Rendering.Fps: Input should be 24, 25, 30, 50 or 60"]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"Rendering": 5}, "Rendering: must be a block of settings"),
        ({"Exports": ["wide"]}, "Exports: must be a block of settings"),
        ({"Exports": {"wide": {}}}, "Exports.wide.Aspect: is needed and not given"),
        ({"Exports": {"wide": "16:9"}}, "Exports.wide: must be a block of settings"),
        (
            {"Retry": {"Jitter": "perhaps"}},
            "Resilience.Retry.Jitter: Input should be a valid boolean, unable to interpret input",
        ),
        (
            {"Retry": {"MaxRetryAttempts": True}},
            "Resilience.Retry.MaxRetryAttempts: must be a number, not true or false",
        ),
        (
            {"Retry": {"MaxRetryAttempts": 2.5}},
            "Resilience.Retry.MaxRetryAttempts: Input should be a valid integer, got a number with a fractional part",
        ),
        ({"Timeouts": {"Job": None}}, "Timeouts.Job: Input should be a valid number"),
        ({"Quality": {"Levels": []}}, "Quality.Levels: Tuple should have at least 1 item after validation, not 0"),
        (
            {"Quality": {"Levels": [{"Name": "A", "Resolution": "853x480", "Bitrate": "1M", "Priority": 1}]}},
            "Quality.Levels.0.Resolution.0: Input should be a multiple of 2",
        ),
        (
            {
                "Quality": {
                    "Levels": [{"Name": n, "Resolution": "640x360", "Bitrate": "1M", "Priority": 1} for n in "Aa"]
                }
            },
            "Quality: two levels have the same name",
        ),
        ({"Providers": {"LLM": ["a", "A"]}}, "Providers.LLM: a provider is named twice"),
        ({"Providers": {"LLM": {"Fallback": ["a"]}}}, "Providers.LLM: Fallback needs a Primary before it"),
        (
            {"Providers": {"LLM": {"Primary": "a", "Providers": []}}},
            "Providers.LLM: takes either Providers, or Primary and Fallback",
        ),
        ({"Providers": {"LLM": [3]}}, "Providers.LLM.Providers.0: must be a block of settings"),
        ({"Providers": {"LLM": [""]}}, "Providers.LLM.Providers.0.Name: String should have at least 1 character"),
        (
            {"Providers": {"OpenAI": {"BaseUrl": "localhost:1"}}},
            "Providers.OpenAI.BaseUrl: must be http:// or https:// with a host, and no user or password (use ApiKey)",
        ),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_in_words(tmp_path: Path, data: Any, problem: str) -> None:
    assert problems(tmp_path, data) == [problem]


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("f.toml", "[Timeouts]\nJob = inf", "Timeouts.Job: Input should be a finite number"),
        ("f.json", '{"Timeouts": {"Job": NaN}}', "Timeouts.Job: Input should be a finite number"),
        ("f.toml", "[Rendering]\nFps = 2026-01-01", "Rendering.Fps: Input should be 24, 25, 30, 50 or 60"),
        ("f.yaml", "- Rendering", "must hold named blocks, such as Rendering"),
        ("f.yaml", "[]", "must hold named blocks, such as Rendering"),
        ("f.json", "7", "must hold named blocks, such as Rendering"),
        (
            "f.json",
            '{"Retry": {},',
            "is not JSON: it ends too early (line 1, column 14)",
        ),
        ("f.toml", "[Retry\n", "is not TOML: Expected ']' at the end of a table declaration (at line 1, column 7)"),
        ("f.yaml", "Retry: [1\nx", "is not YAML: expected ',' or ']', but got '<stream end>' (line 2, column 2)"),
        ("f.yaml", "a: 1\n\tb: 2", "is not YAML: found character '\\t' that cannot start any token (line 2, column 1)"),
        (
            "f.yaml",
            "Retry: !!python/object/apply:os.getcwd []",
            "is not YAML: could not determine a constructor for the tag '(a name of 47 characters)' (line 1, column 8)",
        ),
        (
            "f.yaml",
            "Retry: {Jitter: true, Jitter: false}",
            "is not YAML: 'Jitter' is given twice in one block (line 1, column 23)",
        ),
        (
            "f.json",
            '{"Retry": {"Jitter": true,\n "Jitter": false}}',
            "is not JSON: 'Jitter' is given twice in one block (line 2, column 2)",
        ),
        ("f.json", "[" * 100_000, "is nested too deeply"),
        (
            "f.json",
            '{\n  // a note\n  "Rendering": {"Fps": 25,},\n  oops oops\n}',
            "is not JSON: an unexpected character (line 4, column 8)",
        ),
        ("f.json", '{"Rendering": {"Fps": 25}', "is not JSON: it ends too early (line 1, column 26)"),
        (
            "f.json",
            '{"Retry": {},\r\n // again\r\n "Retry": {}}',
            "is not JSON: 'Retry' is given twice in one block (line 3, column 2)",
        ),
        (
            "f.json",
            '{"\\ud800": 1}',
            "\\ud800: unknown setting; known here: Exports, Features, HealthChecks, Logging, "
            "Monitoring, Providers, Quality, Rendering, Resilience, Testing, Timeouts",
        ),
        ("f.yaml", "a: &a [*a]", "is not YAML: an alias stands inside what it names (line 1, column 4)"),
        ("f.yaml", "a: 'x\x00'", "is not YAML: a character that YAML does not allow (line 1, column 6)"),
        (
            "f.yaml",
            "Providers: {OpenAI: {ApiKey: *sk-do-not-show-0451}}",
            "is not YAML: found undefined alias '(a name of 19 characters)' (line 1, column 30)",
        ),
        (
            "f.yaml",
            "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)),
            "is not YAML: grows too large once its aliases are written out (line 5, column 5)",
        ),
        *(
            (
                "f.yaml",
                f'Rendering: {{Fps: !!{tag} "{SECRET}"}}',
                "is not YAML: a value that cannot be what its tag or its form says (line 1, column 18)",
            )
            for tag in ("int", "float", "bool", "timestamp")
        ),
        (
            "f.yaml",
            f"Rendering: {{Fps: {'9' * 5000}}}",
            "is not YAML: a value that cannot be what its tag or its form says (line 1, column 18)",
        ),
        ("f.toml", f"Rendering.Fps = {'9' * 5000}", "is not TOML: a number that is too long"),
        ("f.json", f'{{"Rendering": {{"Fps": {"9" * 5000}}}}}', "is not JSON: a value that cannot be read"),
        ("f.ini", "[Rendering]", "its name must end in .toml, .yaml, .yml or .json"),
        (
            "f.yaml",
            "1: {a: b}",
            "1: unknown setting; known here: Exports, Features, HealthChecks, Logging, Monitoring, Providers, Quality, "
            "Rendering, Resilience, Testing, Timeouts",
        ),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, name: str, text: str, problem: str) -> None:
    assert problems(tmp_path, text, name) == [problem]


def test_a_file_that_is_missing_or_a_folder_or_no_text_says_so(tmp_path: Path) -> None:
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "bytes.toml").write_bytes(b"[Rendering]\n\xff")
    (tmp_path / "wide.json").write_bytes('{"Rendering": {"Fps": 25}}'.encode("utf-16"))
    for name, reason in [
        ("gone.toml", "cannot be read: No such file or directory"),
        ("folder.toml", "cannot be read: Is a directory"),
        ("bytes.toml", "is not UTF-8 text (byte 12, line 2)"),
        ("wide.json", "is UTF-16 text; save it as UTF-8"),
    ]:
        with pytest.raises(SettingsError) as caught:
            validate_file(tmp_path / name)
        assert caught.value.problems == (f"{tmp_path / name}: {reason}",)


@pytest.mark.parametrize(
    "data",
    [
        {"Retry": {"MaxDelay": 1, "max_delay_ms": 2}},
        {"Retry": {"MaxDelay": 1}, "Resilience": {"Retry": {"max_delay": 2}}},
        {"Resilience": {"Retry": {"MaxDelay": 1}}, "retry": {"MaxDelay": 1}},
    ],
)
def test_a_setting_given_under_two_names_is_refused(tmp_path: Path, data: Any) -> None:
    assert problems(tmp_path, data) == ["Resilience.Retry.MaxDelay: is set twice, under different names"]


def test_validating_a_file_does_not_look_at_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAMEKEEP_NONSENSE", "1")
    (tmp_path / "f.toml").write_text("[Rendering]\nFps = 25\n")
    validate_file(tmp_path / "f.toml")
    with pytest.raises(SettingsError, match="environment FRAMEKEEP_NONSENSE"):
        load_settings(file=tmp_path / "f.toml")
    assert os.environ["FRAMEKEEP_NONSENSE"] == "1"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("f.json", f'{{"Providers": {{"OpenAI": {{"ApiKey": ["{SECRET}"]}}}}}}'),
        ("f.json", f'{{"Providers": {{"OpenAI": {{"ApiKey": "{SECRET}" {SECRET}}}}}}}'),
        ("f.json", f'{{"Providers": {{"OpenAI": {{"ApiKey": "{SECRET}", "Modle": "{SECRET}"}}}}}}'),
        ("f.yaml", f'Providers:\n  OpenAI:\n    ApiKey: "{SECRET}\n  x: ['),
        ("f.yaml", f"Providers:\n  OpenAI:\n    ApiKey: {SECRET}: {SECRET}\n"),
        ("f.toml", f'[Providers.OpenAI]\nApiKey = "{SECRET}\n'),
        ("f.yaml", f"Providers: {{LocalLLM: {{BaseUrl: 'https://me:{SECRET}@example.invalid/v1'}}}}"),
        ("f.yaml", f"Providers: {{LocalLLM: {{BaseUrl: 'https://example.invalid/v1?key={SECRET}'}}}}"),
        ("f.yaml", f"Providers: {{LLM: {{Providers: [{{Name: a, Priority: {SECRET}}}]}}}}"),
    ],
)
def test_no_message_and_no_traceback_shows_a_secret(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_settings(file=tmp_path / name, environ={})
    error = caught.value
    shown = "".join([*traceback.format_exception(error), repr(error), error.hint, *error.problems])
    assert SECRET not in shown
    assert name in error.message


def test_settings_do_not_show_a_secret(tmp_path: Path) -> None:
    settings = load_settings(environ={"FRAMEKEEP_PROVIDERS__ANTHROPIC__API_KEY": SECRET}).settings
    assert settings.providers.anthropic.api_key is not None
    assert settings.providers.anthropic.api_key.get_secret_value() == SECRET
    for shown in (repr(settings), str(settings), settings.model_dump_json(), repr(settings.model_dump())):
        assert SECRET not in shown


def test_python_callers_are_held_to_the_same_rules() -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"providers": {"openai": {"api_key": {"key": SECRET}}}})
    assert SECRET not in str(caught.value)
    with pytest.raises(ValidationError, match="must be http"):
        LlmAccount(base_url="ftp://example.invalid")
    with pytest.raises(ValidationError, match="not true or false"):
        Settings.model_validate({"rendering": {"crf": True}})
