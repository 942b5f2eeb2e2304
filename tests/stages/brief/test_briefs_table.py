"""The table of briefs: what tools write comes in; narration, captions, pictures, warnings and problems come out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml

from config.errors import BriefError
from stages.brief import parse_brief
from stages.models import Brief, Narration, ScriptScene, Word
from stages.render.captions.cues import build_cues
from stages.render.specs import RenderPacing
from stages.render.timing import cut_scene
from stages.speech.normalise.split_lines import split_lines

Format = Literal["md", "txt", "yaml", "json"]
_TABLE = yaml.safe_load((Path(__file__).parents[2] / "tables" / "briefs.yaml").read_text(encoding="utf-8"))
_BODIES = [row for row in _TABLE if "body" in row]
_FILES = [row for row in _TABLE if "brief" in row]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "reef.jpg").write_bytes(b"x")
    return tmp_path


def in_format(body: str, format: Format) -> str:
    if format in ("md", "txt"):
        return f"---\ntitle: A film\n---\n## One\n\n{body}\n"
    data = {"title": "A film", "scenes": [{"heading": "One", "narration": body}]}
    return json.dumps(data) if format == "json" else yaml.safe_dump(data)


def read(text: str, format: Format, folder: Path) -> Brief | tuple[str, ...]:
    try:
        return parse_brief(text, format=format, base=folder, name="b")
    except BriefError as error:
        return error.problems


def picture_of(brief: Brief, number: int) -> str:
    visual = brief.scenes[number].visual
    return visual.path.name if visual else ""


def captioned(narration: str) -> Iterator[str]:
    """The words of a narration's captions."""
    for line in split_lines(narration, "en"):
        words = tuple(Word(text=word, start_s=at / 2, end_s=at / 2 + 0.4) for at, word in enumerate(line.split()))
        spoken = Narration(text=line, words=words, samples=24_000 * (len(words) + 1))
        cut = cut_scene(
            1, ScriptScene(narration=line), [("d", spoken)], 30, RenderPacing(), first=True, last=True,
            transition_in="cut", transition_out="cut",
        )  # fmt: skip
        for cue in build_cues(cut, max_chars=42, language="en"):
            yield from " ".join(cue.lines).split()


@pytest.mark.parametrize("format", ["md", "txt", "yaml", "json"])
@pytest.mark.parametrize("row", _BODIES, ids=lambda row: row["case"])
def test_a_scene_is_the_same_in_every_format(row: dict[str, Any], format: Format, folder: Path) -> None:
    found = read(in_format(row["body"], format), format, folder)
    if "problems" in row:
        assert not isinstance(found, Brief)
        assert len(found) == len(row["problems"])
        for wanted in row["problems"]:
            assert any(wanted in problem for problem in found)
        return
    assert isinstance(found, Brief), found
    scene = found.scenes[0]
    assert (scene.heading, scene.narration, picture_of(found, 0)) == ("One", row["narration"], row.get("picture", ""))
    assert [warning.split(": ", 1)[1] for warning in found.warnings] == row.get("warnings", [])


@pytest.mark.parametrize("row", _FILES, ids=lambda row: row["case"])
def test_a_file_as_a_tool_writes_it(row: dict[str, Any], folder: Path) -> None:
    found = read(row["brief"], row["format"], folder)
    if "problems" in row:
        assert found == tuple(row["problems"])
        return
    assert isinstance(found, Brief), found
    scenes = [[scene.heading, scene.narration, picture_of(found, number)] for number, scene in enumerate(found.scenes)]
    assert (found.title, scenes, found.text) == (row["title"], row.get("scenes", []), row.get("text", ""))
    assert list(found.warnings) == row.get("warnings", [])


@pytest.mark.parametrize("row", [row for row in _BODIES if "narration" in row], ids=lambda row: row["case"])
def test_captions_show_what_is_spoken_and_nothing_else(row: dict[str, Any], folder: Path) -> None:
    found = read(in_format(row["body"], "md"), "md", folder)
    assert isinstance(found, Brief)
    assert list(captioned(found.scenes[0].narration)) == row["narration"].split()
