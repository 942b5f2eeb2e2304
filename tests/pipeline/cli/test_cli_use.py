"""The command line: wrong use, help, quantities, and readers that go away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from config.errors import UsageError
from pipeline.cli.app import main
from pipeline.cli.command_options import parse_age, parse_size
from pipeline.cli.commands.batch_command import documents_beside, find_briefs

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def quiet_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, a home of its own, and no settings from outside."""
    for name in list(os.environ):
        if name.startswith("FRAMEKEEP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("FRAMEKEEP_HOME", str(tmp_path / "home"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line: exit code, stdout, stderr."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(list(arguments))
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return code, captured.out, captured.err

    return call


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["render"], "BRIEF"),
        (["render", "a.md", "--nonsense"], "--nonsense"),
        (["rendr", "a.md"], "render"),
        (["render", "a.md", "--jobs", "many"], "--jobs"),
        (["render", "a.md", "b c.md"], "framekeep batch a.md 'b c.md'"),
        (["render", "a.md", "--set", "Rendering"], "KEY=VALUE"),
        (["render", "a.md", "--set", "Rendering.Crv=1"], "Rendering.Crv"),
        (["render", "a.md", "--config", "nowhere.toml"], "nowhere.toml"),
        (["resume", "a-job", "--all"], "--all"),
        (["show", "nobody"], "nobody"),
        (["jobs", "--state", "sleeping"], "sleeping"),
        (["gc", "--older-than", "old"], "old"),
        (["gc", "--max-size", "-3G"], "-3G"),
        (["config", "show", "Nothing"], "Nothing"),
        (["config", "validate", "nowhere.toml"], "nowhere.toml"),
        (["batch", "no*.md"], "no*.md"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_use_is_exit_2_with_one_message_and_a_document(run: Run, arguments: list[str], said: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("✗") == 1
    assert "→ " in err
    code, out, _ = run(*arguments, "--json")
    assert code == 2
    assert set(json.loads(out)["error"]) >= {"code", "message", "hint"}


def test_a_batch_takes_folders_and_patterns_and_each_brief_once(tmp_path: Path) -> None:
    folder = tmp_path / "briefs"
    (folder / "deep").mkdir(parents=True)
    for name in ("b.md", "a.txt", "notes.docx", "README.md", ".hidden.md", "framekeep.yaml", "deep/c.md"):
        (folder / name).write_text("x")
    found = find_briefs([str(folder / "b.md"), str(folder), str(folder / "**" / "*.md")])
    names = [path.relative_to(folder).as_posix() for path in found]
    assert names[:2] == ["b.md", "a.txt"]
    assert "deep/c.md" in names
    assert "notes.docx" not in names
    assert len(names) == len(set(names))
    assert [path.name for path, _ in documents_beside([str(folder)])] == ["notes.docx"]
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UsageError, match="no brief in the folder"):
        find_briefs([str(empty)])
    (empty / "only.rst").write_text("x")
    with pytest.raises(UsageError, match="no brief in the folder") as caught:
        find_briefs([str(empty)])
    assert str(caught.value.hint).endswith(f"pandoc {empty}/only.rst -o {empty}/only.md")
    assert find_briefs(["not-there.md"]) == [Path("not-there.md")]


@pytest.mark.parametrize(("text", "value"), [("10G", 10e9), ("500M", 5e8), ("1.5kb", 1500), ("12", 12), ("2TB", 2e12)])
def test_sizes_are_read_as_people_write_them(text: str, value: float) -> None:
    assert parse_size(text) == value


@pytest.mark.parametrize(("text", "seconds"), [("30d", 2_592_000), ("12h", 43_200), ("45m", 2700), ("1.5w", 907_200)])
def test_ages_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert parse_age(text) == seconds


@pytest.mark.parametrize("text", ["", "d", "3", "-1d", "nan d", "infd", "30 days"])
def test_an_age_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_age(text)


def test_every_command_has_an_example_and_says_its_defaults(run: Run) -> None:
    for command in (["render"], ["resume"], ["batch"], ["jobs"], ["show"], ["doctor"], ["gc"], ["config", "show"]):
        code, out, _ = run(*command, "--help")
        assert code == 0
        assert f"Example: framekeep {' '.join(command)}" in " ".join(out.split())
    assert "Default: ./videos" in " ".join(run("render", "-h")[1].split())


def test_help_loads_nothing_that_only_work_needs() -> None:
    check = (
        "import sys; from pipeline.cli.app import main; main(['render', '--help']); "
        "heavy = {'numpy', 'rich.console', 'PIL', 'av', 'yaml', 'psutil'}; "
        "sys.exit(' '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    started = time.monotonic()
    answer = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, timeout=60)
    assert (answer.returncode, answer.stderr) == (0, "")
    # 0.1 s on an idle machine; the bound only catches an import of everything on a busy one.
    assert time.monotonic() - started < 5


def test_a_reader_that_has_gone_is_no_error(tmp_path: Path) -> None:
    code = "import sys; from pipeline.cli.app import main; sys.exit(main(['config', 'show']))"
    command = f'"{sys.executable}" -c "{code}" | head -n 1; echo "${{PIPESTATUS[0]}}"'
    answer = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert answer.stdout.splitlines()[-1] == "0"
    assert answer.stderr == ""


def test_the_version_is_printed(run: Run) -> None:
    code, out, _ = run("--version")
    assert code == 0
    assert out.startswith("framekeep ")
    assert run()[1].startswith("Usage: framekeep")
