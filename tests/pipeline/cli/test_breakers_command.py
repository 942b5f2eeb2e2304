"""`framekeep breakers`: who is left alone, until when, and how to end it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from checkpoints.ledger.circuits import Circuits
from checkpoints.ledger.cooldowns import RestRows
from checkpoints.ledger.ledger import Ledger
from checkpoints.ownership.clocks import Timeline
from config.errors import QuotaError, RateLimitedError, TransientError
from config.settings import Settings
from pipeline.cli.app import main
from pipeline.resilience.breakers.registry import Breakers
from pipeline.resilience.cooldowns import Rests
from pipeline.resilience.policy import policy_for


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """OpenAI-LLM has failed five times, OpenAI-TTS once, and Anthropic rests."""
    path = tmp_path / "ledger.db"
    Ledger(path).close()
    breakers = Breakers(circuits=Circuits(path))
    for operation, times in (("write", 5), ("speak", 1)):
        for _ in range(times):
            with pytest.raises(TransientError), breakers.admit(policy_for(Settings(), operation, "OpenAI"), "OpenAI"):
                raise TransientError("down")
    breakers.close()
    rests = Rests(RestRows(path))
    rests.begin("Anthropic", RateLimitedError("slow down", retry_after_s=900), lambda: "account")
    rests.close()
    return tmp_path


def test_the_table_tells_state_failures_and_the_next_attempt(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["breakers", "--home", str(home)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].split()[:2] == ["STATE", "CIRCUIT"]
    assert out[1].split()[:3] == ["Open", "OpenAI-LLM", "5"]
    assert "(in " in out[1]
    assert out[2].split()[:3] == ["Closed", "OpenAI-TTS", "1"]
    assert out[3] == ""
    assert out[4].split() == ["PROVIDER", "SINCE", "RESTS", "WHY"]
    assert out[5].startswith("Anthropic")
    assert "(in 900 s)" in out[5] or "(in 899 s)" in out[5]
    assert out[5].endswith("slow down")
    assert "framekeep breakers --reset Anthropic" in out[6]


def test_json_is_the_guides_document(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["breakers", "--home", str(home), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert list(document) == ["circuitBreakers", "rests"]
    (rest,) = document["rests"]
    assert (rest["provider"], rest["kind"], rest["message"]) == ("Anthropic", "RateLimitExceeded", "slow down")
    assert rest["until"] > rest["since"]
    first = document["circuitBreakers"][0]
    assert list(first) == ["name", "state", "failureCount", "lastFailure", "nextAttempt"]
    assert (first["name"], first["state"], first["failureCount"]) == ("OpenAI-LLM", "Open", 5)
    assert first["nextAttempt"] > first["lastFailure"]


@pytest.mark.parametrize("name", ["OpenAI-LLM", "openai-llm", "OpenAI"])
def test_a_circuit_is_reset_by_its_name_or_its_providers(
    home: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert main(["breakers", "--home", str(home), "--json", "--reset", name]) == 0
    states = {row["name"]: row["state"] for row in json.loads(capsys.readouterr().out)["circuitBreakers"]}
    assert states == {"OpenAI-LLM": "Closed", "OpenAI-TTS": "Closed"}
    breakers = Breakers(circuits=Circuits(home / "ledger.db"))
    with breakers.admit(policy_for(Settings(), "write", "OpenAI"), "OpenAI"):
        pass
    breakers.close()


def test_a_rest_is_ended_by_its_providers_name(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["breakers", "--home", str(home), "--reset", "anthropic"]) == 0
    out = capsys.readouterr().out
    assert "Anthropic" not in out
    assert "Open " in out, "the circuit of another provider is left as it is"


@pytest.mark.parametrize("name", ["OpenAI-LLM", "OpenAI", " openai-tts "])
def test_a_rest_of_the_provider_is_lifted_with_its_circuit(
    home: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    rests = Rests(RestRows(home / "ledger.db"))
    rests.begin("OpenAI", QuotaError("the quota is used up"), lambda: "account")
    rests.close()
    assert main(["breakers", "--home", str(home), "--json", "--reset", name]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [rest["provider"] for rest in document["rests"]] == ["Anthropic"], "the rest of somebody else stays"


def test_a_resting_provider_without_a_circuit_is_found_by_the_name_that_its_circuit_would_have(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["breakers", "--home", str(home), "--json", "--reset", "Anthropic-LLM"]) == 0
    assert json.loads(capsys.readouterr().out)["rests"] == []


def test_all_unknown_names_are_named_at_once(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["breakers", "--home", str(home), "--reset", "OpenIA-LLM", "--reset", "nobody"]) == 2
    told = capsys.readouterr().err
    assert "'OpenIA-LLM'" in told
    assert "'nobody'" in told
    assert "did you mean OpenAI-LLM?" in told


@pytest.mark.parametrize(("passed_s", "state"), [(10, "Open"), (31, "Half-Open"), (90_000, "Half-Open")])
def test_an_attempt_that_could_have_been_made_long_ago_is_not_shown_as_to_come(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, passed_s: float, state: str
) -> None:
    later = Timeline(lambda: time.monotonic() + passed_s, lambda: time.time() + passed_s)
    monkeypatch.setattr("checkpoints.ownership.clocks.Timeline", lambda: later)
    assert main(["breakers", "--home", str(home), "--json"]) == 0
    first = json.loads(capsys.readouterr().out)["circuitBreakers"][0]
    assert (first["state"], first["nextAttempt"] is None) == (state, state == "Half-Open")
    assert main(["breakers", "--home", str(home)]) == 0
    line = capsys.readouterr().out.splitlines()[1]
    assert line.startswith(state)
    assert ("(in " in line) == (state == "Open")
    assert ("with the next call" in line) == (state == "Half-Open")


def test_an_unknown_name_changes_nothing_and_names_the_nearest(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["breakers", "--home", str(home), "--reset", "OpenAI-LLM", "--reset", "OpenAI-TTZ"]) == 2
    assert "did you mean OpenAI-TTS?" in capsys.readouterr().err
    assert main(["breakers", "--home", str(home)]) == 0
    assert "Open " in capsys.readouterr().out


def test_a_home_where_nobody_was_asked_says_so_and_is_not_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "none"
    assert main(["breakers", "--home", str(home), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"circuitBreakers": [], "rests": []}
    assert main(["breakers", "--home", str(home)]) == 0
    assert "No provider has a circuit" in capsys.readouterr().err
    assert main(["breakers", "--home", str(home), "--reset", "OpenAI-LLM"]) == 2
    assert not home.exists()
