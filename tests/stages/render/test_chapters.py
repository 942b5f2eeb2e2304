"""Chapters and tags: which scenes begin one, what a description field takes, and that text stays data inside the video."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkpoints.keys import file_digest
from config.errors import CheckFailedError
from stages.base import CancelToken
from stages.render.ffmpeg.process import FfmpegRun, run_ffmpeg
from stages.render.output.chapters import LEAST_S, MOST_BYTES, chapters_of, check_chapters, description_lines
from stages.render.output.join import mux
from stages.render.specs import Chapter, Encoding, MuxSpec, SceneCut

FPS, FRAMES = 30, 270
NASTY = (
    "a=b; #c \\ d",
    "trailing \\",
    "two trailing \\\\",
    "[CHAPTER]",
    ";not a comment",
    "#nor this",
    "===",
    "\\n",
    "\"q\" 's' <b> & %d {\\an8}",
    "ä 漢字 😀 עברית",
    "x" * 255,
)


def cuts(*scenes: tuple[int, int]) -> tuple[list[SceneCut], list[int]]:
    """Scenes of so many frames, of which so many are shared with the one before; and their starts."""
    made, starts, end = [], [], 0
    for index, (frames, head) in enumerate(scenes, 1):
        made.append(SceneCut(index=index, fps=FPS, frames=frames, head=head, tail=0))
        starts.append(end - head)
        end += frames - head
    return made, starts


def of(headings: Sequence[str], *scenes: tuple[int, int], title: str = "The film") -> list[tuple[int, str]]:
    return [(chapter.start, chapter.title) for chapter in chapters_of(*cuts(*scenes), headings, title)]


# Which there are


def test_a_scene_without_a_heading_belongs_to_the_chapter_before() -> None:
    scenes = [(100, 0), (100, 15), (100, 0), (100, 15)]
    assert of(["One", "", "Two", "  "], *scenes) == [(0, "One"), (185, "Two")]


def test_a_chapter_begins_behind_the_transition_where_the_new_scene_is_alone() -> None:
    assert of(["One", "Two"], (100, 0), (100, 15)) == [(0, "One"), (100, "Two")]


def test_what_comes_before_the_first_heading_bears_the_films_title() -> None:
    assert of(["", "One"], (100, 0), (100, 0)) == [(0, "The film"), (100, "One")]


def test_the_same_heading_again_goes_on_with_its_chapter() -> None:
    scenes = [(100, 0)] * 3
    assert of(["One", "One", "Two"], *scenes) == [(0, "One"), (200, "Two")]


def test_a_film_of_one_chapter_has_none() -> None:
    assert of(["One", ""], (100, 0), (100, 0)) == of(["", ""], (100, 0), (100, 0)) == []


def test_a_title_too_long_for_mp4_is_cut_between_characters() -> None:
    (_, first), _ = of(["é" * 300, "Two"], (100, 0), (100, 0))
    assert len(first.encode()) <= 255
    assert first == "é" * 126 + "…"


# For a description field


def lines(starts_s: Sequence[float], end_s: float, titles: Sequence[str] | None = None) -> list[str]:
    named = titles or [f"No {number}" for number in range(1, len(starts_s) + 1)]
    chapters = [Chapter(start=round(at * FPS), title=title) for at, title in zip(starts_s, named, strict=True)]
    text = description_lines(chapters, "The film", round(end_s * FPS), FPS)
    assert text.endswith("\n")
    return text.splitlines()


def test_long_chapters_are_all_listed_by_whole_seconds_rounded_down() -> None:
    assert lines([0, 12.9, 70.5, 3605], 3700) == ["0:00 No 1", "0:12 No 2", "1:10 No 3", "1:00:05 No 4"]


def test_short_chapters_become_one_with_the_longest_ones_title() -> None:
    assert lines([0, 4, 40, 60], 90) == ["0:00 No 2", "0:40 No 3", "1:00 No 4"]


def test_a_short_end_joins_the_last_chapter() -> None:
    assert lines([0, 20, 40, 60], 65) == ["0:00 No 1", "0:20 No 2", "0:40 No 3"]


def test_a_chapter_is_as_long_as_its_whole_seconds_say() -> None:
    """A platform sees 0:10 and 0:20, not that nine seconds and a bit lie between."""
    assert lines([0, 10.9, 20.1], 40) == ["0:00 No 1", "0:10 No 2", "0:20 No 3"]
    assert lines([0, 10.1, 19.9], 40) == ["0:00 No 1", "0:10 No 3"]


@pytest.mark.parametrize(("starts_s", "end_s"), [([], 30), ([0, 3, 6], 9), ([0, 9], 18)])
def test_a_film_without_chapters_worth_listing_is_one_under_its_title(starts_s: list[float], end_s: float) -> None:
    assert lines(starts_s, end_s) == ["0:00 The film"]


def test_angle_brackets_which_description_fields_refuse_are_replaced() -> None:
    assert lines([0, 20], 60, ["a <b> c", "d > e"]) == ["0:00 a ‹b› c", "0:20 d › e"]


def test_a_list_too_large_for_the_field_is_made_of_longer_chapters() -> None:
    starts_s = list(range(0, 30_000, 15))
    found = lines(starts_s, 30_000, ["A rather long title, as titles go, of some chapter"] * len(starts_s))
    assert 20 < len(found) < 100
    assert len("\n".join(found).encode()) <= MOST_BYTES


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.1, 60), min_size=1, max_size=40))
def test_every_list_begins_at_zero_and_has_no_chapter_that_a_platform_refuses(lengths_s: list[float]) -> None:
    starts_s = [sum(lengths_s[:number]) for number in range(len(lengths_s))]
    seconds = []
    for line in lines(starts_s, sum(lengths_s)):
        found = re.match(r"(?:(\d+):)?(\d+):(\d\d) \S", line)
        assert found
        seconds.append(int(found[1] or 0) * 3600 + int(found[2]) * 60 + int(found[3]))
    assert seconds[0] == 0
    if len(seconds) > 1:
        assert all(after - before >= LEAST_S for before, after in pairwise([*seconds, int(sum(lengths_s) + 0.02)]))


# In the video


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One segment and a sound track."""
    folder = tmp_path_factory.mktemp("chapters")
    run = FfmpegRun("a test file", folder, CancelToken())
    tags = "format=yuv420p,setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv"
    video = ["-f", "lavfi", "-i", f"testsrc2=size=160x90:rate={FPS}", "-vf", tags, "-frames:v", str(FRAMES)]
    coding = ["-c:v", "libx264", "-preset", "veryfast", "-bf", "0", "-threads", "1", "-video_track_timescale", "90000"]
    run_ffmpeg([*video, *coding, "-fflags", "+bitexact", str(folder / "video.mp4")], run)
    tone = f"aevalsrc='sin(2*PI*1000*t)|sin(2*PI*1000*t)':s=48000,volume=-14dB,atrim=end_sample={FRAMES * 1600}"
    run_ffmpeg(["-f", "lavfi", "-i", tone, "-c:a", "aac", "-fflags", "+bitexact", str(folder / "sound.m4a")], run)
    return folder


def film(chapters: tuple[Chapter, ...] = (), **tags: str) -> MuxSpec:
    return MuxSpec(
        segments=("video.mp4",),
        segment_frames=(FRAMES,),
        audio="sound.m4a",
        samples=FRAMES * 1600,
        encoding=Encoding(level="Low", width=160, height=90, fps=FPS, bitrate_bps=100_000),
        language="en",
        chapters=chapters,
        **{"title": "The film"} | tags,  # type: ignore[arg-type]
    )


def joined(store: Path, folder: Path, spec: MuxSpec) -> Path:
    out = folder / "out.mp4"
    digest = file_digest(store / "video.mp4")[0]
    files = {digest: store / "video.mp4", "sound.m4a": store / "sound.m4a"}
    spec = spec.model_copy(update={"segments": (digest,)})
    mux(spec, out, files.__getitem__, CancelToken(), lambda done, total, unit: None)
    return out


def read(path: Path) -> list[tuple[float, float, str]]:
    with av.open(str(path)) as container:
        return [
            (float(one["start"] * one["time_base"]), float(one["end"] * one["time_base"]), one["metadata"]["title"])  # type: ignore[operator]
            for one in container.chapters()
        ]


def test_titles_that_look_like_syntax_come_back_as_they_were(store: Path, tmp_path: Path) -> None:
    chapters = tuple(Chapter(start=number * 13, title=title) for number, title in enumerate(NASTY))
    found = read(joined(store, tmp_path, film(chapters)))
    assert [title for _, _, title in found] == list(NASTY)
    assert [start_s for start_s, _, _ in found] == pytest.approx([one.start / FPS for one in chapters], abs=0.001)
    assert [end_s for _, end_s, _ in found] == pytest.approx(
        [*(one.start / FPS for one in chapters[1:]), FRAMES / FPS], abs=0.001
    )


def test_a_player_sees_more_chapters_than_the_old_table_holds(store: Path, tmp_path: Path) -> None:
    chapters = tuple(Chapter(start=number, title=f"No {number}") for number in range(260))
    assert len(read(joined(store, tmp_path, film(chapters)))) == 260


def test_tags_are_data_and_nothing_else_is_tagged(store: Path, tmp_path: Path) -> None:
    told = {"title": "T; #1 = \\", "author": "[CHAPTER]", "description": "One\n\n;two = \\\n#three\\"}
    with av.open(str(joined(store, tmp_path, film((), **told)))) as container:
        found = {name: value for name, value in container.metadata.items() if not name.endswith(("brand", "brands"))}
        assert not container.chapters()
    found.pop("minor_version")
    assert found == {"title": told["title"], "artist": told["author"], "description": told["description"]}


def test_the_same_film_with_chapters_is_the_same_bytes(store: Path, tmp_path: Path) -> None:
    spec = film((Chapter(start=0, title="One"), Chapter(start=70, title="Two")), author="Somebody")
    first = joined(store, tmp_path, spec).read_bytes()
    assert joined(store, tmp_path, spec).read_bytes() == first


def test_chapters_that_are_not_the_planned_ones_are_named(store: Path, tmp_path: Path) -> None:
    planned = (Chapter(start=0, title="One"), Chapter(start=70, title="Two"))
    path = joined(store, tmp_path, film(planned))
    check_chapters(path, planned, FRAMES, FPS)
    with pytest.raises(CheckFailedError, match=r"chapter 2 is 'Two' from 2.333 .*wanted 'Zwei' from 2.333 to 9.000"):
        check_chapters(path, (planned[0], Chapter(start=70, title="Zwei")), FRAMES, FPS)
    with pytest.raises(CheckFailedError, match=r"chapter 1 is 'One' from 0.000 to 2.333 s, wanted .* to 2.367 s"):
        check_chapters(path, (planned[0], Chapter(start=71, title="Two")), FRAMES, FPS)
    with pytest.raises(CheckFailedError, match="has 2 chapters, wanted 3"):
        check_chapters(path, (*planned, Chapter(start=FRAMES, title="Three")), FRAMES, FPS)
    with pytest.raises(CheckFailedError, match="has 2 chapters, wanted 0"):
        check_chapters(path, (), FRAMES, FPS)
