"""Keys and addresses with characters that cannot be meant: cleaned at their ends, else refused by place, never shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from config.errors import SettingsError
from config.loader import load_settings
from config.redaction import MASK, Redactor
from config.secret_keys import find_key
from config.secret_text import clean_address, clean_key
from config.settings import Settings
from pipeline.cli.app import main

KEY = "sk-S3CR3TKEY-0123456789"


@pytest.mark.parametrize(
    "given",
    [
        f"{KEY}\n",
        f"  {KEY}\t\r\n",
        f"\ufeff{KEY}",
        f"{KEY}\u200b",
        f"\u200b{KEY}\u200d\u00a0",
        f"{KEY}\u2060\u00ad",
        f'"{KEY}"',
        f"'{KEY}'\n",
        f"“{KEY}”",
        f'\u200b"\u200b{KEY}"',
        f"{KEY}\x00",
    ],
)
def test_what_surrounds_a_key_is_taken_away(given: str) -> None:
    assert clean_key(given) == KEY


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("sk-S3CR\u200b3TKEY-0123456789", "its character 8 is U+200B (ZERO WIDTH SPACE)"),
        ("  sk-S3CR’3TKEY-0123456789", "its character 10 is U+2019 (RIGHT SINGLE QUOTATION MARK)"),
        (f"{KEY}”", "its character 24 is U+201D (RIGHT DOUBLE QUOTATION MARK)"),
        ("sk-S3CR3T\nKEY-0123456789", "its character 10 is U+000A (line feed)"),
        ("sk-S3CR3T\rKEY-0123456789", "its character 10 is U+000D (carriage return)"),
        (f"Bearer {KEY}", "its character 7 is U+0020 (SPACE)"),
        ("sk\u2011S3CR3TKEY-0123456789", "its character 3 is U+2011 (NON-BREAKING HYPHEN)"),
        ("sk-S3CR3TKE\u028b-0123456789", "its character 12 is U+028B (LATIN SMALL LETTER V WITH HOOK)"),
        ("sk-S3CR3TKEY\udcff-0123456789", "its character 13 is U+DCFF (a byte that is no UTF-8 text)"),
        (f"“{KEY}", "its character 1 is U+201C (LEFT DOUBLE QUOTATION MARK)"),
    ],
)
def test_a_character_that_no_key_has_is_named_by_its_place_and_the_key_is_not(given: str, told: str) -> None:
    with pytest.raises(ValueError) as caught:
        clean_key(given)
    assert str(caught.value) == f"{told}, which no key has; copy it again"


def test_addresses_of_alerts_are_cleaned_and_checked_alike() -> None:
    assert clean_address(" json://u:pä55@host/t\u200b\n") == "json://u:pä55@host/t"
    with pytest.raises(ValueError, match=r"its character 9 is U\+200B .*which no address has"):
        clean_address("json://u\u200b:pass@host/t")


PROVIDERS = ("OpenAI", "Anthropic", "LocalLLM", "ElevenLabs")
BAD = "sk-S3CR3T\u200bKEY-0123456789"


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("source", ["file", "environment", "flag"])
def test_every_source_of_settings_is_named_and_the_key_is_not(tmp_path: Path, name: str, source: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(f'[Providers.{name}]\nApiKey = "{BAD}"\n' if source == "file" else "", encoding="utf-8")
    variable = f"FRAMEKEEP_PROVIDERS__{name.upper()}__APIKEY"
    with pytest.raises(SettingsError) as caught:
        load_settings(
            file=file,
            environ={variable: BAD} if source == "environment" else {},
            flags={("Providers", name, "ApiKey"): BAD} if source == "flag" else {},
        )
    named = {"file": str(file), "environment": f"environment {variable}", "flag": "command line"}[source]
    assert caught.value.exit_code == 2
    (problem,) = caught.value.problems
    assert problem.startswith(f"{named}: Providers.{name}.ApiKey: its character 10 is U+200B (ZERO WIDTH SPACE)")
    assert "S3CR3T" not in caught.value.message + caught.value.hint + repr(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("name", ["OpenAI", "Anthropic", "ElevenLabs"])
def test_the_makers_variable_is_named_and_its_value_is_not(name: str) -> None:
    account = Settings().providers.account_of(name)
    assert account
    with pytest.raises(SettingsError) as caught:
        find_key(name, account, {account.key_variable: BAD})
    assert f"the environment variable {account.key_variable}" in caught.value.message
    assert "character 10 is U+200B" in caught.value.message
    assert "S3CR3T" not in caught.value.message + str(caught.value.problems)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_a_key_file_may_be_written_by_any_shell(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "key"
    file.write_bytes((f"\ufeff{KEY}\r\n" if encoding == "utf-16-le" else f"{KEY}\r\n").encode(encoding))
    settings = Settings.model_validate({"providers": {"openai": {"api_key_file": file}}})
    key, _source = find_key("OpenAI", settings.providers.openai, {})
    assert key is not None
    assert key.get_secret_value() == KEY


def test_a_key_where_the_name_of_its_file_belongs_is_not_shown() -> None:
    settings = Settings.model_validate({"providers": {"openai": {"api_key_file": "sk-S3CR3TKEY-0123456789"}}})
    with pytest.raises(SettingsError) as caught:
        find_key("OpenAI", settings.providers.openai, {})
    assert "S3CR3T" not in caught.value.message + str(caught.value.problems)
    assert "ApiKeyFile names a file" in caught.value.hint


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (f'OPENAI_API_KEY="{KEY}"', "is a line that names the key, as in NAME=key; give the key alone"),
        (f"export OPENAI_API_KEY={KEY}\n", "is a line that names the key, as in NAME=key; give the key alone"),
        (f"api_key: {KEY}", "is a line that names the key, as in NAME=key; give the key alone"),
        (f'{{"key":"{KEY}"}}', "stands between { and }; give the key alone"),
        (f'["{KEY}"]', "stands between [ and ]; give the key alone"),
        (f"<{KEY}>", "stands between < and >; give the key alone"),
        (f"Bearer {KEY}", "its character 7 is U+0020 (SPACE), which no key has; copy it again"),
        (f"{KEY}’x", "its character 24 is U+2019 (RIGHT SINGLE QUOTATION MARK), which no key has; copy it again"),
        (f"{KEY}\nx", "its character 24 is U+000A (line feed), which no key has; copy it again"),
    ],
)
@pytest.mark.parametrize("source", ["variable", "file", "setting"])
def test_what_is_no_key_is_refused_when_settings_load_whoever_uses_it(
    tmp_path: Path, given: str, told: str, source: str
) -> None:
    file = tmp_path / "key"
    file.write_text(given if source == "file" else KEY, encoding="utf-8", newline="")
    flags = {
        "variable": {},
        "file": {("providers", "openai", "api_key_file"): str(file)},
        "setting": {("providers", "openai", "api_key"): given},
    }[source]
    with pytest.raises(SettingsError) as caught:
        load_settings(environ={"OPENAI_API_KEY": given if source == "variable" else ""}, flags=flags)
    (problem,) = caught.value.problems
    named = {
        "variable": "the environment variable OPENAI_API_KEY: the key of OpenAI",
        "file": f"command line: the file {file}: the key of OpenAI",
        "setting": "command line: Providers.OpenAI.ApiKey",
    }[source]
    assert problem == f"{named}: {told}"
    assert "S3CR3T" not in caught.value.message + caught.value.hint


def test_a_key_that_is_not_used_keeps_no_settings_from_loading(tmp_path: Path) -> None:
    load_settings(environ={"OPENAI_API_KEY": BAD}, flags={("providers", "openai", "api_key"): KEY})
    load_settings(environ={"OPENAI_API_KEY": BAD}, flags={("providers", "openai", "base_url"): "http://127.0.0.1:9/v1"})
    load_settings(environ={"OPENAI_API_KEY": BAD}, check_keys=False)


def test_learning_a_line_that_names_a_key_hides_no_name_of_a_variable() -> None:
    redactor = Redactor()
    redactor.learn(f'OPENAI_API_KEY="{KEY}"')
    assert redactor.redact(f"set OPENAI_API_KEY: {KEY}") == f"set OPENAI_API_KEY: {MASK}"


@pytest.mark.parametrize(
    "key", ["xS3CR3TZZ9911Qw", "sk-S3CR3T-0123456789", "S3CR3T/De6+Gh9=Jk2", "S3CR3T.abcdefgh1234"]
)
def test_a_key_where_a_name_belongs_is_not_shown(tmp_path: Path, key: str) -> None:
    documents = {
        "a.yaml": f"Providers:\n  OpenAI:\n    ApiKey: *{key}\n",
        "b.yaml": f"Providers:\n  OpenAI:\n    ApiKey: !{key} x\n",
        "c.yaml": f"Providers:\n  OpenAI:\n    {key}: x\n",
        "d.toml": f'[Providers.OpenAI]\n"{key}" = 1\n',
        "e.toml": f'[Providers."{key}"]\nApiKey = "x"\n',
        "f.json": f'{{"Providers": {{"OpenAI": {{"{key}": 1, "{key}": 2}}}}}}',
        "g.toml": f'[Providers.OpenAI]\nApiKeyFile = "{key}"\n',
    }
    for name, text in documents.items():
        file = tmp_path / name
        file.write_text(text)
        with pytest.raises(SettingsError) as caught:
            load_settings(file=file, environ={})
        assert name in caught.value.message
        assert "S3CR3T" not in caught.value.message, caught.value.message


def test_a_login_in_the_address_of_a_server_is_refused_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ={}, flags={("providers", "openai", "base_url"): "http://me:S3CR3T-pass@host/v1"})
    assert "no user or password" in caught.value.message
    assert "S3CR3T" not in caught.value.message


def test_a_command_with_a_bad_key_ends_with_2_and_shows_no_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.endswith("_API_KEY")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OPENAI_API_KEY", BAD)
    brief = tmp_path / "b.md"
    brief.write_text("---\ntitle: Tides\n---\nWhy there are tides, and why there are two of them each day.\n")
    arguments = ["--home", str(tmp_path / "home"), "--set", "Providers.LLM=OpenAI", "render", str(brief)]
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert "the environment variable OPENAI_API_KEY" in shown.err
    assert "U+200B" in shown.err
    assert "S3CR3T" not in shown.out + shown.err
    found = [path for path in tmp_path.rglob("*") if path.is_file() and b"S3CR3T" in path.read_bytes()]
    assert found == []
