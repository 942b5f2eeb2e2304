"""What is remembered of installed files: never longer than they stay as they were."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from checkpoints import digests
from checkpoints.digests import Digests

LONG_AGO_S = 1_600_000_000


def make(path: Path, content: bytes = b"a program") -> str:
    path.write_bytes(content)
    os.utime(path, (LONG_AGO_S, LONG_AGO_S))
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program"
    make(path)
    return path


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of a test have been there for long: their time of change cannot be set."""
    monkeypatch.setattr(digests, "_SETTLED_NS", -10_000_000_000)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Files that were read whole, one after the other."""
    found: list[Path] = []
    real = digests.file_digest

    def counting(path: Path) -> tuple[str, int]:
        found.append(path)
        return real(path)

    monkeypatch.setattr(digests, "file_digest", counting)
    return found


def started(home: Path) -> Digests:
    """As a new process has it."""
    made = Digests()
    made.keep_in(home / "digests.json")
    return made


def test_another_process_does_not_read_it_again(tmp_path: Path, program: Path, reads: list[Path]) -> None:
    digest = started(tmp_path).of(program)
    assert digest == hashlib.sha256(b"a program").hexdigest()
    assert started(tmp_path).of(program) == digest
    assert reads == [program]


def test_another_home_reads_it_once(tmp_path: Path, program: Path, reads: list[Path]) -> None:
    other = tmp_path / "other"
    other.mkdir()
    assert started(tmp_path).of(program) == started(other).of(program) == started(other).of(program)
    assert reads == [program, program]


def test_a_file_of_the_same_size_and_age_in_its_place_is_read(tmp_path: Path, program: Path) -> None:
    started(tmp_path).of(program)
    newer = tmp_path / "newer"
    digest = make(newer, b"b program")
    newer.replace(program)
    assert started(tmp_path).of(program) == digest


def test_a_file_written_over_is_read(tmp_path: Path, program: Path) -> None:
    memory = started(tmp_path)
    memory.of(program)
    digest = make(program, b"another program")
    assert memory.of(program) == digest
    assert started(tmp_path).of(program) == digest


def test_what_was_changed_just_now_is_not_remembered(
    tmp_path: Path, program: Path, reads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "_SETTLED_NS", 3_600_000_000_000)
    started(tmp_path).of(program)
    started(tmp_path).of(program)
    assert reads == [program, program]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"files": {}}', b'{"files": [], "sha256": ""}', b"\xff"])
def test_a_memory_that_is_torn_counts_as_none(tmp_path: Path, program: Path, content: bytes) -> None:
    (tmp_path / "digests.json").write_bytes(content)
    assert started(tmp_path).of(program) == hashlib.sha256(b"a program").hexdigest()


def test_a_memory_that_was_altered_counts_as_none(tmp_path: Path, program: Path, reads: list[Path]) -> None:
    digest = started(tmp_path).of(program)
    file = tmp_path / "digests.json"
    file.write_text(file.read_text().replace(digest, "0" * 64, 1))
    assert started(tmp_path).of(program) == digest
    assert reads == [program, program]


def test_what_is_gone_is_not_kept(tmp_path: Path, program: Path) -> None:
    started(tmp_path).of(program)
    other = tmp_path / "other"
    make(other)
    program.unlink()
    started(tmp_path).of(other)
    assert list(json.loads((tmp_path / "digests.json").read_text())["files"]) == [str(other)]


def test_a_home_that_cannot_be_written_costs_a_reading(tmp_path: Path, program: Path, reads: list[Path]) -> None:
    (tmp_path / "digests.json").mkdir()
    assert started(tmp_path).of(program) == started(tmp_path).of(program)
    assert reads == [program, program]
