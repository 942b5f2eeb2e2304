"""The doctor finds what is wrong, says what to do, and makes nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from checkpoints.records import Artifact, Record
from config.errors import SettingsError, UnavailableError
from config.loader import Loaded
from config.settings import Settings
from pipeline.cli.app import main
from pipeline.health import doctor, home_checks, provider_checks, tool_checks
from pipeline.health.doctor import Finding
from pipeline.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "home")
    yield home
    home.close()


# Voices are not loaded.
UNTRIED = Settings.model_validate({"HealthChecks": {"Providers": {"TestConnection": False}}})


def examined(root: Path, load: Callable[[], Loaded] = lambda: Loaded(UNTRIED)) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    doctor.examine(root, load, lambda finding: found.setdefault(finding.check, []).append(finding))
    return found


def test_a_sound_machine_has_nothing_that_does_not_work_and_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = examined(tmp_path / "home", lambda: Loaded(Settings()))
    assert [one for findings in found.values() for one in findings if one.status == "fail"] == []
    assert set(found) == {
        *("python", "names", "settings", "home", "disk", "memory", "clock", "ledger", "store", "encoders"),
        *("circuits", "rests", "ffmpeg", "fonts", "script", "speech", "pictures"),
    }
    assert "a test encode of 12 frames is right" in found["ffmpeg"][0].message
    assert list(tmp_path.iterdir()) == []


def test_bad_settings_are_one_finding_and_the_rest_is_still_examined(tmp_path: Path) -> None:
    def load() -> Loaded:
        raise SettingsError("Rendering.Crv: unknown setting", hint="correct it")

    found = examined(tmp_path, load)
    assert found["settings"] == [Finding("settings", "fail", "Rendering.Crv: unknown setting", "correct it")]
    assert found["ffmpeg"][0].status == "ok"


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a shell script")
def test_an_ffmpeg_that_lacks_an_encoder_or_makes_nothing_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stages.render.ffmpeg import process

    fake = tmp_path / "ffmpeg"
    fake.write_text("#!/bin/sh\necho ' V..... mpeg4  MPEG-4'\n")
    fake.chmod(0o755)
    monkeypatch.setattr(process, "ffmpeg_path", lambda: fake)
    (finding,) = tool_checks.check_ffmpeg()
    assert finding.status == "fail"
    assert "no encoder libx264, aac" in finding.message
    fake.write_text(
        '#!/bin/sh\nfor word in libx264 aac aformat aresample ebur128; do echo " V $word x"; done\nexit 1\n'
    )
    with pytest.raises(Exception, match="ffmpeg failed"):
        list(tool_checks.check_ffmpeg())


def test_a_named_ffmpeg_that_is_not_there_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Path:
        raise UnavailableError("FRAMEKEEP_FFMPEG names /no/ffmpeg", hint="unset it")

    monkeypatch.setattr("stages.render.ffmpeg.process.ffmpeg_path", missing)
    found = examined(tmp_path)
    assert found["ffmpeg"] == [Finding("ffmpeg", "fail", "FRAMEKEEP_FFMPEG names /no/ffmpeg", "unset it")]


@pytest.mark.parametrize("name", ["config.py", "pipeline.py", "stages/__init__.py", "checkpoints/__init__.py"])
def test_a_file_with_the_name_of_a_package_of_ours_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("")
    (finding,) = doctor.check_names(tmp_path)
    assert finding.status == "warn"
    assert Path(name).name in finding.message
    assert "rename it" in finding.hint


def test_a_folder_of_settings_files_called_config_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "app.toml").write_text("")
    assert [finding.status for finding in doctor.check_names(tmp_path)] == ["ok"]


def test_a_home_that_is_a_file_cannot_hold_state(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    (finding,) = doctor.check_home(Home(tmp_path / "home"))
    assert (finding.status, finding.hint) == ("fail", "choose another with --home")


def test_a_home_on_a_network_disk_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_disk_kind", lambda path: "nfs4")
    assert [finding.status for finding in doctor.check_home(Home(tmp_path))] == ["ok", "warn"]


@pytest.mark.parametrize(("now", "status"), [(0.0, "fail"), (1_800_000_000.0, "warn"), (4_000_000_000.0, "ok")])
def test_a_clock_that_cannot_be_right_is_found(home: Home, now: float, status: str) -> None:
    home.ledger._wall = lambda: 1_900_000_000.0
    home.ledger.put_job("a-1", "A", {}, {})
    (finding,) = home_checks.check_clock(home, now)
    assert finding.status == status


def test_the_least_of_all_control_groups_counts_as_memory(tmp_path: Path) -> None:
    groups = tmp_path / "groups"
    inner = groups / "outer" / "inner"
    inner.mkdir(parents=True)
    own = tmp_path / "own"
    own.write_text("0::/outer/inner\n")
    (inner / "memory.max").write_text("max\n")
    (inner / "memory.current").write_text("5\n")
    (groups / "outer" / "memory.max").write_text("400000000\n")
    (groups / "outer" / "memory.current").write_text("350000000\n")
    (groups / "outer" / "memory.stat").write_text("anon 1\ninactive_file 20000000\n")
    assert doctor.available_memory(groups, own) == 70_000_000
    assert doctor.available_memory(groups, tmp_path / "none") > 70_000_000


@pytest.mark.parametrize(("free", "status"), [(1e8, "fail"), (6e8, "warn"), (8e9, "ok")])
def test_little_memory_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch, free: float, status: str) -> None:
    monkeypatch.setattr(doctor, "available_memory", lambda: free)
    (finding,) = doctor.check_memory()
    assert finding.status == status
    assert ("--quality low" in finding.hint) == (status != "ok")


def test_a_damaged_ledger_is_found(home: Home) -> None:
    home.root.mkdir()
    (home.root / "ledger.db").write_bytes(b"this is no database, whatever its name says" * 100)
    found = examined(home.root)
    assert found["ledger"][0].status == "fail"
    assert [found[name][0].status for name in ("circuits", "rests")] == ["skip", "skip"], "one fault, told once"
    assert found["ffmpeg"][0].status == "ok"


def test_missing_artifacts_are_found_at_once_and_altered_ones_by_reading_all(home: Home, tmp_path: Path) -> None:
    sources = []
    with home.store.scratch() as scratch:
        for number in range(2):
            path = scratch / f"{number}"
            path.write_text(f"artifact {number}")
            sources.append(home.store.publish(path))
    home.ledger.results.adopt(Record(key="k" * 64, stage="speech", artifacts={"a": sources[0], "b": sources[1]}))
    assert [one.status for one in home_checks.check_store(home, deep=True)] == ["ok"]
    altered = home.store.path(sources[0].digest)
    altered.chmod(0o644)
    altered.write_text("ARTIFACT 0")
    assert [one.status for one in home_checks.check_store(home, deep=False)] == ["ok"]
    (finding,) = home_checks.check_store(home, deep=True)
    assert (finding.status, finding.message[:6]) == ("warn", "1 of 2")
    home.store.discard(sources[1].digest)
    (finding,) = home_checks.check_store(home, deep=False)
    assert finding.message.startswith("1 of 2")
    assert isinstance(sources[0], Artifact)


def test_a_writer_without_a_key_is_a_warning_beside_those_that_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    settings = Settings.model_validate({"Providers": {"LLM": ["OpenAI"]}})
    missing, works, order = provider_checks.check_script(settings)
    assert (missing.status, works.status, order.status) == ("warn", "ok", "ok")
    assert (missing.provider, missing.health) == ("OpenAI", "Unhealthy")
    assert "no API key" in missing.message
    assert works.message == "outline works"
    assert order.message == "in this order: outline"


def test_an_unknown_provider_is_named_and_a_stage_without_any_is_a_failure() -> None:
    settings = Settings.model_validate({"Providers": {"TTS": ["nobody"]}})
    unknown, failure = provider_checks.check_speech(settings)
    assert "nobody" in unknown.message
    assert failure.status == "fail"


def test_a_check_that_breaks_is_a_finding() -> None:
    found: list[Finding] = []

    def broken() -> Iterator[Finding]:
        raise ZeroDivisionError("oops")

    doctor._run("odd", broken, found.append)
    assert found == [Finding("odd", "fail", "the check itself failed: ZeroDivisionError: oops")]


def test_the_command_shows_findings_and_fails_when_something_does_not_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    def examine(root: Path, load: object, found: Callable[[Finding], None], *, deep: bool) -> None:
        assert (root, deep) == (Path("h"), True)
        found(Finding("ffmpeg", "ok", "works\n/path"))
        found(Finding("fonts", "fail", "none", "pip install fontpkg-inter"))

    monkeypatch.setattr(doctor, "examine", examine)
    assert main(["doctor", "--home", "h", "--deep"]) == 1
    out = capsys.readouterr().out
    assert "ok    ffmpeg     works\n                 /path\n" in out
    assert "→ pip install fontpkg-inter" in out
    assert "1 ok, 0 to look at, 1 not working" in out
    assert main(["doctor", "--home", "h", "--deep", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["counts"] == {"ok": 1, "warn": 0, "fail": 1}
    assert document["findings"][1]["hint"] == "pip install fontpkg-inter"
