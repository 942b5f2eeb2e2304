"""Caption files beside a video."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import StoreError
from stages.render.output.sidecars import write_sidecars
from stages.render.specs import TimedCue

AWKWARD = r"it" + r"'" + r's 50% {\an8} C:\x; [a]=b, "q"'
_TIME = r"(\d\d):(\d\d):(\d\d)[,.](\d\d\d)"


def parsed(path: Path) -> list[tuple[int, int, tuple[str, ...]]]:
    """(start ms, end ms, lines) of every cue, read as the format's own rules say."""
    found = []
    for block in path.read_text(encoding="utf-8").strip().split("\n\n"):
        lines = block.split("\n")
        at = next((at for at, line in enumerate(lines) if re.match(_TIME + " --> ", line)), None)
        if at is None:
            continue
        numbers = [int(number) for number in re.findall(r"\d+", lines[at])]
        start, end = (((h * 60 + m) * 60 + s) * 1000 + ms for h, m, s, ms in (numbers[:4], numbers[4:8]))
        shown = lines[at + 1 :]
        found.append((start, end, tuple(map(html.unescape, shown) if path.suffix == ".vtt" else shown)))
    return found


@pytest.mark.parametrize("kind", ["srt", "vtt"])
@pytest.mark.parametrize(
    "text",
    [
        AWKWARD,
        r"C:\new\nothing\hard",
        "{braces} and }{",
        "<b>not bold</b> & so on",
        "a --> b",
        "שלום, עולם 12.",
        "日本語。",
    ],
)
def test_text_stands_in_the_files_as_typed(tmp_path: Path, kind: str, text: str) -> None:
    cues = [TimedCue(start=0, end=30, lines=(text,)), TimedCue(start=30, end=75, lines=("first", text))]
    path = write_sidecars(cues, 30, tmp_path, "captions")[kind]
    assert parsed(path) == [(0, 1000, (text,)), (1000, 2500, ("first", text))]


def test_the_web_file_starts_with_its_signature_and_both_end_lines_with_line_feeds(tmp_path: Path) -> None:
    paths = write_sidecars([TimedCue(start=0, end=30, lines=("Hi",))], 30, tmp_path, "x")
    assert paths == {"srt": tmp_path / "x.srt", "vtt": tmp_path / "x.vtt"}
    assert paths["vtt"].read_bytes().startswith(b"WEBVTT\n")
    assert not any(b"\r" in path.read_bytes() for path in paths.values())


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 20 * 3600 * 60), st.integers(1, 400), st.sampled_from([24, 25, 30, 50, 60]))
def test_times_are_the_nearest_whole_milliseconds(
    tmp_path_factory: pytest.TempPathFactory, start: int, frames: int, fps: int
) -> None:
    folder = tmp_path_factory.mktemp("cues")
    cue = TimedCue(start=start, end=start + frames, lines=("x",))
    for path in write_sidecars([cue], fps, folder, "x").values():
        ((from_ms, to_ms, _),) = parsed(path)
        assert abs(from_ms - start * 1000 / fps) <= 0.5
        assert abs(to_ms - (start + frames) * 1000 / fps) <= 0.5


def test_no_captions_make_empty_but_valid_files(tmp_path: Path) -> None:
    paths = write_sidecars([], 30, tmp_path, "x")
    assert parsed(paths["srt"]) == parsed(paths["vtt"]) == []
    assert paths["vtt"].read_text().startswith("WEBVTT")


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.srt").mkdir()
    with pytest.raises(StoreError, match=r"x\.srt") as caught:
        write_sidecars([], 30, tmp_path, "x")
    assert "framekeep resume" in caught.value.hint
