"""API keys: where they are looked for, in which order, and that none of them is ever shown."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.errors import PasswordDeleteError

from config.errors import SettingsError
from config.loader import load_settings
from config.secret_keys import find_key
from config.settings import Settings
from pipeline.cli.app import main
from pipeline.planning.toolbox import Toolbox
from stages.models import Brief

SECRET = "sk-very-secret-1234567890"


class MemoryKeyring(KeyringBackend):
    """A keyring that is gone with the test."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError("not there")


@pytest.fixture
def ring() -> Iterator[MemoryKeyring]:
    before, memory = keyring.get_keyring(), MemoryKeyring()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(before)


@pytest.fixture
def no_ring() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(NoKeyring())
    yield
    keyring.set_keyring(before)


def settings_with(**account: object) -> Settings:
    return Settings.model_validate({"providers": {"openai": account}})


def found(settings: Settings, environ: dict[str, str]) -> tuple[str, str]:
    key, source = find_key("OpenAI", settings.providers.openai, environ)
    return (key.get_secret_value() if key else "", source)


def test_settings_beat_a_file_beats_the_environment_beats_the_keyring(tmp_path: Path, ring: MemoryKeyring) -> None:
    file = tmp_path / "key"
    file.write_text("from-file\n")
    ring.kept["framekeep", "openai"] = "from-keyring"
    environ = {"OPENAI_API_KEY": "from-environment"}
    assert found(settings_with(api_key="own", api_key_file=file), environ) == ("own", "settings")
    assert found(settings_with(api_key_file=file), environ) == ("from-file", str(file))
    assert found(Settings(), environ) == ("from-environment", "environment OPENAI_API_KEY")
    assert found(Settings(), {}) == ("from-keyring", "keyring")
    ring.kept.clear()
    assert found(Settings(), {}) == ("", "")


def test_a_key_for_the_makers_service_is_not_sent_to_another_server(ring: MemoryKeyring) -> None:
    ring.kept["framekeep", "openai"] = "from-keyring"
    own = settings_with(base_url="http://127.0.0.1:8000/v1")
    assert found(own, {"OPENAI_API_KEY": "from-environment"}) == ("", "")


def test_a_machine_without_a_keyring_has_no_key_and_no_error(no_ring: None) -> None:
    assert found(Settings(), {}) == ("", "")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "No such file"),
        (b"", "is empty"),
        (b"two words", "its character 4 is U+0020 (SPACE), which no key has"),
        (b"\xff\xfe\x00", "not text"),
    ],
)
def test_a_key_file_that_cannot_be_used_is_named_and_its_content_is_not(
    tmp_path: Path, content: bytes | None, problem: str
) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        found(settings_with(api_key_file=file), {})
    assert problem in caught.value.message
    assert "two words" not in caught.value.message
    assert caught.value.problems[0].startswith(f"the file {file}: the key of OpenAI: ")


def test_the_writer_that_is_made_holds_the_key_of_the_keyring(
    ring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    ring.kept["framekeep", "openai"] = SECRET
    settings = load_settings(environ={}, flags={("providers", "llm"): ["OpenAI"]}).settings
    writer = Toolbox(Brief(name="b", base=Path("/nowhere"), title="T", text="x"), settings).writers()[0]
    assert writer._account.key == SECRET  # type: ignore[attr-defined]
    assert SECRET not in repr(writer) + repr(writer._account) + repr(vars(writer))  # type: ignore[attr-defined]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main([*arguments])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_a_key_is_kept_listed_and_removed_without_being_shown(
    ring: MemoryKeyring,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.endswith("_API_KEY")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{SECRET}\n"))
    code, out, err = run(capsys, "config", "keys", "--set", "openai")
    assert (code, ring.kept) == (0, {("framekeep", "openai"): SECRET})
    shown = out + err
    code, out, err = run(capsys, "config", "keys", "--json")
    sources = {row["provider"]: row["source"] for row in json.loads(out)["keys"]}
    assert sources["OpenAI"] == "keyring"
    assert sources["Anthropic"] == ""
    shown += out + err
    code, out, err = run(capsys, "config", "keys", "--remove", "OpenAI")
    assert (code, ring.kept) == (0, {})
    assert SECRET not in shown + out + err


def test_a_key_that_cannot_be_kept_says_what_to_do_instead(
    no_ring: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(SECRET))
    code, out, err = run(capsys, "config", "keys", "--set", "OpenAI")
    assert code == 2
    assert "this machine has none" in err
    assert "environment variable" in err
    assert SECRET not in out + err


def test_a_provider_that_takes_no_key_is_told_from_those_that_do(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(SECRET))
    code, _out, err = run(capsys, "config", "keys", "--set", "card")
    assert code == 2
    assert "OpenAI, Anthropic, LocalLLM, ElevenLabs" in err
