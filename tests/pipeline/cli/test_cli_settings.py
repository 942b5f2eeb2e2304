"""`framekeep config`, and the pages that are made from commands and settings."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings
from pipeline.cli import reference
from pipeline.cli.app import main
from pipeline.cli.commands.config_command import leaves
from pipeline.cli.commands.settings_schema import descriptions, schema

ROOT = Path(__file__).parents[3]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command line in an empty folder."""
    for name in list(os.environ):
        if name.startswith("FRAMEKEEP_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(list(arguments))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def rows(out: str) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in json.loads(out)["settings"]}


def test_every_setting_is_shown_with_value_unit_and_source(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("framekeep.toml").write_text("[Rendering]\nCrf = 25\n[Timeouts]\nJob = 1\n")
    monkeypatch.setenv("FRAMEKEEP_RENDERING__FPS", "25")
    code, out, _ = run("config", "show", "--json", "--profile", "production", "--set", "Timeouts.Job=9000")
    found = rows(out)
    assert code == 0
    assert found["Rendering.Crf"]["value"] == 25
    assert found["Rendering.Crf"]["source"].endswith("framekeep.toml")
    assert (found["Rendering.Fps"]["value"], found["Rendering.Fps"]["source"]) == (
        25,
        "environment FRAMEKEEP_RENDERING__FPS",
    )
    assert (found["Timeouts.Job"]["value"], found["Timeouts.Job"]["source"]) == (9000, "command line")
    assert found["Resilience.Retry.InitialDelay"]["source"] == "profile production"
    assert (found["Timeouts.Request"]["unit"], found["Timeouts.Request"]["source"]) == ("ms", "default")
    assert found["Exports.shorts.Aspect"]["value"] == "9:16"
    assert found["Quality.Levels.0.Resolution"]["value"] == [1920, 1080]
    assert len(found) == len(list(leaves(Settings(), ())))


def test_the_table_says_values_as_a_file_does(run: Run) -> None:
    code, out, _ = run("config", "show", "quality")
    assert code == 0
    (line,) = [line for line in out.splitlines() if line.startswith("Quality.Levels.1.Resolution")]
    assert line.split() == ["Quality.Levels.1.Resolution", "1280x720", "default"]
    assert "Rendering" not in out


def test_a_secret_is_never_shown(run: Run) -> None:
    secret = "sk-not-for-eyes"
    for form in ((), ("--json",)):
        _, out, err = run("config", "show", "--set", f"Providers.OpenAI.ApiKey={secret}", *form)
        assert secret not in out + err
        assert "********" in out


def test_a_file_is_checked_with_all_its_problems(run: Run) -> None:
    Path("good.yaml").write_text("Retry: {MaxRetryAttempts: 2}\n")
    Path("bad.toml").write_text("[Rendering]\nCrv = 1\nFps = 31\n")
    assert run("config", "validate", "good.yaml")[:2] == (0, "good.yaml is valid\n")
    code, out, err = run("config", "validate", "bad.toml", "--json")
    assert code == 2
    assert len(json.loads(out)["error"]["problems"]) == 2
    assert "Crv" in err
    assert "Fps" in err


def test_paths_say_which_file_and_home_are_used(run: Run, tmp_path: Path) -> None:
    assert "no file" in run("config", "path")[1]
    Path("framekeep.json").write_text("{}")
    _, out, _ = run("config", "path", "--json", "--home", "elsewhere")
    assert json.loads(out) == {"file": str(tmp_path / "framekeep.json"), "home": str(tmp_path / "elsewhere")}


def test_the_schema_names_every_setting_as_files_do_and_describes_it(run: Run) -> None:
    code, out, _ = run("config", "schema")
    document = json.loads(out)
    assert code == 0
    retry = document["$defs"]["Retry"]["properties"]
    assert retry["MaxRetryAttempts"]["maximum"] == 100
    assert retry["MaxRetryAttempts"]["description"]
    assert document["$defs"]["Retry"]["additionalProperties"] is False
    assert document["properties"]["CircuitBreaker"] == {"$ref": "#/$defs/CircuitBreaker"}
    bitrate, text = document["$defs"]["QualityLevel"]["properties"]["Bitrate"]["anyOf"]
    assert (bitrate["minimum"], text["type"]) == (50_000, "string")


def test_the_schema_takes_the_short_forms_of_a_chain() -> None:
    kinds = [form.get("type") for form in schema()["$defs"]["Chain"]["anyOf"]]
    assert kinds == ["object", "string", "array", "object"]


def test_every_setting_says_what_it_is_for() -> None:
    silent = [
        f"{model.__name__}.{name}"
        for model in reference._places()
        for name in model.model_fields
        if not descriptions(model).get(name)
    ]
    assert silent == []


@pytest.mark.parametrize("page", ["commands", "settings"])
def test_the_committed_reference_is_what_the_code_makes(page: str) -> None:
    made = getattr(reference, f"{page}_page")()
    assert (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8") == made, "run: make reference"


def test_the_pages_name_every_command_and_setting() -> None:
    commands = reference.commands_page()
    for command in ("render", "resume", "batch", "jobs", "show", "doctor", "gc", "config show", "config schema"):
        assert f"\n## framekeep {command}\n" in commands
    page = reference.settings_page()
    for model in reference._places():
        for name, info in model.model_fields.items():
            assert f"`{info.alias or name}`" in page or f".{info.alias or name}" in page
