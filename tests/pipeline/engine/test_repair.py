"""What a check finds is made again once; what cannot be mended fails with the evidence kept."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config.errors import CheckFailedError
from pipeline import Event, Pipeline, Result
from pipeline.engine import evidence
from stages.render.frames import segment
from stages.render.output import join
from stages.render.specs import MuxSpec

Make = Callable[..., Pipeline]


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[data.find(b"mdat") + 700] ^= 16
    path.chmod(0o644)
    path.write_bytes(data)


def digest(result: Result) -> str:
    (output,) = result.outputs
    return hashlib.sha256(output.path.read_bytes()).hexdigest()


def counted(events: list[Event], kind: str) -> Counter[str]:
    return Counter(event.data["step"] for event in events if event.kind == kind)


def damaging(monkeypatch: pytest.MonkeyPatch, numbers: tuple[int, ...], times: int) -> list[MuxSpec]:
    """Before the first `times` joins, segments (from 0) lose a bit on the disk. Returns what was to be joined."""
    real, seen = join.mux, []

    def mux(spec: MuxSpec, out: Path, artifact: Callable[[str], Path], *rest: Any, **named: Any) -> Any:
        seen.append(spec)
        if len(seen) <= times:
            for number in numbers:
                flip_a_bit(artifact(spec.segments[number]))
        return real(spec, out, artifact, *rest, **named)

    monkeypatch.setattr(join, "mux", mux)
    return seen


@pytest.fixture
def undisturbed(make_pipeline: Make, tiny_brief: Path, tmp_path: Path, events: list[Event]) -> str:
    """The digest of the video as it should be, made in a home of its own."""
    pipeline = make_pipeline(home="undisturbed")
    result = pipeline.render(tiny_brief, output=tmp_path / "undisturbed-out")
    assert result.status == "done", result.error
    events.clear()
    return digest(result)


@pytest.fixture
def make_pipeline(tmp_path: Path, tiny_settings: Any, events: list[Event]) -> Any:
    """Pipelines, each in the home that is named."""
    opened: list[Pipeline] = []

    def make(home: str = "home") -> Pipeline:
        opened.append(Pipeline(tiny_settings, home=tmp_path / home, on_event=events.append))
        return opened[-1]

    yield make
    for pipeline in opened:
        pipeline.close()


def test_a_segment_that_is_damaged_before_the_join_is_made_again_and_no_other(
    undisturbed: str,
    make_pipeline: Make,
    tiny_brief: Path,
    tmp_path: Path,
    events: list[Event],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    joins = damaging(monkeypatch, (1,), times=1)
    result = make_pipeline().render(tiny_brief, output=tmp_path / "out")
    assert result.status == "done", result.error
    assert digest(result) == undisturbed
    executed = counted(events, "step_executed")
    (again,) = [step for step, count in executed.items() if count > 1]
    assert again.startswith("segment/youtube/high/")
    assert counted(events, "repaired") == {again: 1}
    assert counted(events, "step_failed") == {"mux/youtube/high": 1}
    assert len(joins) == 2
    assert joins[0] == joins[1]


def test_what_is_damaged_again_fails_and_names_the_evidence(
    make_pipeline: Make, tiny_brief: Path, tmp_path: Path, events: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    joins = damaging(monkeypatch, (0, 2), times=99)
    pipeline = make_pipeline()
    result = pipeline.render(tiny_brief, output=tmp_path / "out")
    assert (result.status, result.exit_code, len(joins)) == ("failed", 1, 2)
    assert result.error
    assert result.error.code == "SEGMENT_DAMAGED"
    assert "Segment 1 of 5 is broken" in result.error.message
    assert "Segment 3 of 5 is broken" in result.error.message
    folders = sorted((tmp_path / "home" / "evidence").glob("*/*"))
    assert str(folders[-1]) in result.error.hint
    assert f"framekeep resume {result.job_id}" in result.error.hint
    found = json.loads((folders[-1] / "findings.json").read_text())
    assert (found["job"], found["step"], len(found["findings"])) == (result.job_id, "mux/youtube/high", 2)
    assert sorted(item.name for item in folders[-1].iterdir()) == sorted(["findings.json", *found["files"]])
    assert len(found["files"]) == 2
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())
    for _ in range(2):
        pipeline.resume(result.job_id)
    assert len(list((tmp_path / "home" / "evidence").glob("*/*"))) == evidence.KEPT
    monkeypatch.undo()
    assert pipeline.resume(result.job_id).status == "done"


def test_a_finished_file_that_fails_a_check_is_kept_for_a_look_at_it(
    make_pipeline: Make, tiny_brief: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(out: Path, *_: object) -> None:
        raise CheckFailedError(
            f"{out.name} has no chapters", hint="Run `framekeep resume`: what is wrong is made again."
        )

    monkeypatch.setattr(join, "check_chapters", fail)
    result = make_pipeline().render(tiny_brief, output=tmp_path / "out")
    assert result.status == "failed"
    assert result.error
    assert result.error.message == "video.mp4 has no chapters"
    (folder,) = (tmp_path / "home" / "evidence").glob("*/*")
    assert (folder / "video.mp4").read_bytes()[4:8] == b"ftyp"
    assert json.loads((folder / "findings.json").read_text())["findings"] == ["video.mp4 has no chapters"]


def test_an_encoder_that_writes_a_wrong_bit_once_is_asked_again(
    undisturbed: str,
    make_pipeline: Make,
    tiny_brief: Path,
    tmp_path: Path,
    events: list[Event],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real, done = segment._encode, list[Any]()

    def encode(spec: Any, encoder: Any, out: Path, *rest: Any) -> Any:
        painted = real(spec, encoder, out, *rest)
        if spec.kind == "body" and not done:
            done.append(spec)
            flip_a_bit(out)
        return painted

    monkeypatch.setattr(segment, "_encode", encode)
    result = make_pipeline().render(tiny_brief, output=tmp_path / "out")
    assert result.status == "done", result.error
    assert digest(result) == undisturbed
    failed = [event.data for event in events if event.kind == "attempt" and event.data["outcome"] == "failed"]
    assert [(one["operation"], one["code"]) for one in failed] == [("encode", "PROVIDER_TRANSIENT")]
    assert max(counted(events, "step_executed").values()) == 1


def test_evidence_that_cannot_be_kept_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "evidence").write_text("not a folder")
    error = CheckFailedError("no", hint="framekeep resume")
    assert evidence.keep(tmp_path / "evidence", "job", "mux/a", [], error) is None
    assert error.hint == "framekeep resume"
