"""The user's own files over the whole way: what is wrong with them is said before the work, with file and scene."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from config.errors import BriefError
from pipeline import Event, Pipeline, load_brief
from pipeline.engine.preflight import notices
from stages.speech.sound import SAMPLE_RATE_HZ, write_wav
from tests.stages.render.test_clips import X264, holed, noisy

MakePipeline = Callable[..., Pipeline]


def warnings(events: list[Event]) -> list[str]:
    return [str(event.data["message"]) for event in events if event.kind == "warning"]


def test_a_clip_that_breaks_in_the_middle_is_named_with_scene_and_second_before_the_work(
    make_pipeline: MakePipeline, tmp_path: Path, events: list[Event]
) -> None:
    noisy(tmp_path / "good.mp4", *X264)
    holed(noisy(tmp_path / "hole.mp4", *X264))
    brief = tmp_path / "b.md"
    brief.write_text("---\ntitle: T\n---\n## One\n![a](good.mp4)\nOne.\n## Two\n![b](hole.mp4)\nTwo.\n")
    with pytest.raises(BriefError, match=r"scene 2: hole\.mp4 is damaged at 0\.[4-9] s") as caught:
        make_pipeline().render(brief, output=tmp_path / "out")
    assert len(caught.value.problems) == 1
    assert "ffmpeg -i hole.mp4" in caught.value.problems[0]
    assert not events


def test_all_files_of_a_brief_that_cannot_be_used_are_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "zero.jpg").touch()
    (tmp_path / "page.jpg").write_text("<!doctype html><html></html>")
    (tmp_path / "noise.wav").write_bytes(b"no sound at all")
    Image.effect_noise((64, 64), 50).save(tmp_path / "half.png")
    (tmp_path / "half.png").write_bytes((tmp_path / "half.png").read_bytes()[:2000])
    Image.new("RGB", (64, 36), "teal").save(tmp_path / "good.png")
    brief = tmp_path / "b.md"
    named = ["zero.jpg", "page.jpg", "absent.png", "half.png", "good.png"]
    scenes = "".join(f"## A\n![a]({name})\nThe sea is wide.\n" for name in named)
    brief.write_text(f"---\ntitle: T\nmusic: noise.wav\n---\n{scenes}## B\n{{recording=noise.wav}}\nIt is deep.\n")
    with pytest.raises(BriefError) as caught:
        load_brief(brief)
    told = "\n".join(caught.value.problems)
    assert [name in told for name in named] == [True, True, True, True, False]
    assert "noise.wav is no sound" in told
    assert len(caught.value.problems) == 5


def test_files_of_a_folder_that_are_not_shown_are_named_with_a_way_out(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.new("RGB", (64, 36), "teal").save(photos / "1.gif")
    for name in ("2.CR2", "3.mp4", "4.docx", "notes.txt", ".hidden"):
        (photos / name).write_bytes(b"x")
    brief = tmp_path / "b.md"
    brief.write_text("---\ntitle: T\npictures: photos\n---\n## One\n{hold=1}\nA lamp is lit.\n")
    told = notices(load_brief(brief))
    assert [any(name in message for message in told) for name in ("1.gif", "2.CR2", "3.mp4", "4.docx")] == [
        False,
        True,
        True,
        True,
    ]
    assert not any("notes.txt" in message or "hidden" in message for message in told)
    assert any("magick 2.CR2 -auto-orient 2.jpg" in message for message in told)


def test_silent_music_is_said_before_the_work_and_the_film_is_made_without_it(
    make_pipeline: MakePipeline, tmp_path: Path, events: list[Event]
) -> None:
    hum = np.random.default_rng(1).normal(0, 0.00002, 5 * SAMPLE_RATE_HZ)
    write_wav(tmp_path / "silent.wav", hum)
    brief = tmp_path / "b.md"
    brief.write_text("---\ntitle: T\nmusic: silent.wav\ncaptions: none\n---\n## One\n{hold=6}\n")
    result = make_pipeline().render(brief, output=tmp_path / "out")
    assert result.status == "done", result.error
    assert "Music: silent.wav is silent: the film has no music" in warnings(events)
    first_step = next(number for number, event in enumerate(events) if event.kind == "step_started")
    assert any(event.kind == "warning" for event in events[:first_step])
