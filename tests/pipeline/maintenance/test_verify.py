"""`framekeep verify`: a whole file passes, wherever it lies; what is wrong with another is named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from config.settings import Settings
from pipeline import Pipeline
from pipeline.cli.app import main
from stages.base import CancelToken
from stages.render.ffmpeg.process import FfmpegRun, run_ffmpeg

BRIEF = """---
title: A small light
---

## One
A lamp is lit and burns.

## Two
Ships see it from the sea.
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home, and beside it `out` with one delivered video."""
    folder = tmp_path_factory.mktemp("verify")
    (folder / "small.md").write_text(BRIEF)
    levels = [
        {"name": name, "resolution": size, "bitrate_bps": "300k", "priority": rank}
        for rank, (name, size) in enumerate([("High", "320x180"), ("Medium", "192x108"), ("Low", "128x72")], 1)
    ]
    sound = {"target_lufs": -20.0}
    settings = Settings.model_validate(
        {"rendering": {"fps": 24, "preset": "superfast", "sound": sound}, "quality": {"levels": levels}}
    )
    with Pipeline(settings, home=folder / "home") as pipeline:
        result = pipeline.render(folder / "small.md", output=folder / "out")
    assert result.status == "done", result.error
    return folder


@pytest.fixture
def world(made: Path, tmp_path: Path) -> Path:
    """A copy of the home; the files stand where they were delivered."""
    shutil.copytree(made / "home", tmp_path / "home")
    shutil.copytree(made / "out", tmp_path / "out")
    return tmp_path


VIDEO = "small-youtube.mp4"


def verify(capsys: pytest.CaptureFixture[str], home: Path, *files: Path) -> tuple[int, dict[str, object]]:
    code = main(["verify", "--json", "--home", str(home), *map(str, files)])
    document: dict[str, object] = json.loads(capsys.readouterr().out)
    return code, document


def messages(document: dict[str, object]) -> list[str]:
    files = document["files"]
    assert isinstance(files, list)
    return [f"{item['check']}: {item['message']}" for file in files for item in file["findings"] if not item["note"]]


def change(source: Path, target: Path, *arguments: str) -> Path:
    run_ffmpeg(["-i", str(source), *arguments, str(target)], FfmpegRun("a test file", target.parent, CancelToken()))
    return target


def test_a_file_of_ours_is_known_by_its_bytes_and_held_to_what_was_planned(
    world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = Path(shutil.copy(world / "out" / VIDEO, world / "elsewhere.mp4"))
    code, document = verify(capsys, world / "home", world / "out" / VIDEO, moved)
    assert (code, document["ok"], messages(document)) == (0, True, [])
    files = document["files"]
    assert isinstance(files, list)
    assert [(file["export"], file["job"][:6]) for file in files] == [("youtube", "small-")] * 2
    assert files[0]["facts"]["frames"] * 2000 == files[0]["facts"]["samples"]


def test_a_file_of_unknown_origin_is_held_to_the_targets_in_effect(
    world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, document = verify(capsys, world / "nowhere", world / "out" / VIDEO)
    assert code == 1
    (message,) = messages(document)
    assert message.startswith("loudness: it has a loudness of -20")
    assert main(["verify", str(world / "out" / VIDEO), "--set", "Rendering.Sound.TargetLufs=-20"]) == 0
    assert not (world / "nowhere").exists()


def test_a_bit_that_changed_after_delivery_is_found(
    world: Path, capsys: pytest.CaptureFixture[str], made: Path
) -> None:
    video = made / "out" / VIDEO
    whole = video.read_bytes()
    data = bytearray(whole)
    data[data.find(b"mdat") + 900] ^= 8
    try:
        video.write_bytes(data)
        code, document = verify(capsys, made / "home", video)
    finally:
        video.write_bytes(whole)
    assert code == 1
    found = messages(document)
    assert any(message.startswith("decode: ") for message in found)
    assert any("delivered here: its bytes have changed" in message for message in found)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("-c", "copy"), "layout: it has its parts in the order ftyp, free, mdat, moov"),
        (("-c", "copy", "-movflags", "+faststart", "-t", "1", "-an"), "decode: changed.mp4 holds no audio stream"),
        (("-c:v", "copy", "-c:a", "aac", "-ac", "1", "-movflags", "+faststart"), "sound: the number of channels is 1"),
        (("-c:a", "copy", "-c:v", "libx264", "-profile:v", "main", "-movflags", "+faststart"), "the profile is Main"),
        (("-c:a", "copy", "-c:v", "mpeg4", "-movflags", "+faststart"), "codec: the video codec is mpeg4"),
        (("-c:v", "copy", "-af", "volume=-6dB", "-movflags", "+faststart"), "loudness: it has a loudness of -2"),
        (("-c:a", "copy", "-r", "23", "-c:v", "libx264", "-movflags", "+faststart"), "rate: the frame rate is 23"),
    ],
)
def test_what_is_wrong_with_any_other_file_is_named(
    world: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], says: str
) -> None:
    changed = change(world / "out" / VIDEO, world / "changed.mp4", *arguments)
    code, document = verify(capsys, world / "nowhere", changed)
    assert code == 1
    assert any(says in message for message in messages(document)), messages(document)


def test_captions_beside_the_file_are_read_as_well(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    captions = (world / "out" / VIDEO).with_suffix(".srt")
    long = "x" * 60
    captions.write_text(f"1\n00:00:00,500 --> 00:00:02,000\n{long}\n\n2\n00:00:01,500 --> 01:00:00,000\nb\n")
    code, document = verify(capsys, world / "home", world / "out" / VIDEO)
    assert code == 1
    found = "; ".join(messages(document))
    assert "caption 1 has a line of 60 characters, wanted at most 42" in found
    assert "caption 2 ends at 3600.000 s" in found
    assert "captions 1 and 2 overlap" in found


def test_what_is_no_video_is_wrong_use_and_does_not_stop_the_others(
    world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (world / "text.mp4").write_text("<html>")
    code, document = verify(capsys, world / "home", world / "text.mp4", world / "gone.mp4", world / "out" / VIDEO)
    assert code == 2
    files = document["files"]
    assert isinstance(files, list)
    assert [file["ok"] for file in files] == [False, False, True]
    assert "is not an mp4 file" in files[0]["error"]["message"]


def test_the_lines_on_the_screen_say_what_the_document_says(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--home", str(world / "home"), str(world / "out" / VIDEO)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("ok   ")
    assert "320 x 180" in said
    assert "youtube)" in said
