"""Transitions: what their frames show, and that a film joined over them misses no frame and repeats none."""

from __future__ import annotations

import hashlib
from math import ceil, floor
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

from config.errors import BriefError
from stages.base import CancelToken, Context
from stages.brief import brief_from_dict
from stages.models import MotionName, Picture, TransitionName
from stages.render.encoders.encoder import Libx264
from stages.render.encoders.nv12 import Frame, blank_frame
from stages.render.frames.painter import Painter
from stages.render.frames.segment import render_segment
from stages.render.frames.transitions import PaintLayer, Slide
from stages.render.motion import plan_motion
from stages.render.output.join import check_segments
from stages.render.specs import BlendName, Encoding, Layer, MuxSpec, SegmentSpec

SIZE = (160, 90)
LUMA = SIZE[0] * SIZE[1]
ENCODING = Encoding(level="low", width=160, height=90, fps=30, bitrate_bps=400_000, preset="ultrafast")
BLENDS: tuple[BlendName, ...] = get_args(BlendName)
Painted = list[NDArray[np.uint8]]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for name, seed in (("one", 1), ("two", 2)):
        noise = np.random.default_rng(seed).integers(0, 255, (60, 100, 3), dtype=np.uint8)
        soft = ImageOps.autocontrast(Image.fromarray(noise).filter(ImageFilter.GaussianBlur(2)), cutoff=2)
        soft.resize((320, 180)).save(folder / name, "png")
    return folder


def layer(name: str, motion: MotionName = "hold", *, offset: int = 0) -> Layer:
    picture = Picture(kind="picture", digest=name, width=320, height=180)
    move = plan_motion(motion, 40, 320, 180, *SIZE, (0.5, 0.5), 1, False)
    return Layer(picture=picture, motion=move, offset=offset)


def spec(*layers: Layer, frames: int, blend: BlendName = "crossfade", rightward: bool = False) -> SegmentSpec:
    kind: Literal["body", "transition"] = "body" if len(layers) == 1 else "transition"
    return SegmentSpec(kind=kind, frames=frames, layers=layers, blend=blend, right_to_left=rightward, encoding=ENCODING)


def painted(what: SegmentSpec, pictures: Path) -> Painted:
    with Painter(what, lambda name: pictures / name) as painter:
        return [np.frombuffer(bytes(frame), np.uint8).astype(np.int16) for frame in painter.frames()]


def between(
    blend: BlendName, pictures: Path, *, frames: int = 9, motion: MotionName = "hold", rightward: bool = False
) -> tuple[Painted, Painted, Painted]:
    """The transition's frames, and the same frames of either scene alone."""
    before, after = layer("one", motion, offset=40 - frames), layer("two", motion)
    mixed = painted(spec(before, after, frames=frames, blend=blend, rightward=rightward), pictures)
    return mixed, painted(spec(before, frames=frames), pictures), painted(spec(after, frames=frames), pictures)


def luma(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return frame[:LUMA].reshape(SIZE[1], SIZE[0])


def light(frame: NDArray[np.uint8]) -> float:
    return float(luma(frame).mean()) - 16


@pytest.mark.parametrize("blend", BLENDS)
@pytest.mark.parametrize("frames", [1, 2, 23, 24])
def test_a_transition_begins_near_the_one_scene_and_ends_near_the_other_and_repeats_neither(
    blend: BlendName, frames: int, pictures: Path
) -> None:
    mixed, one, two = between(blend, pictures, frames=frames, motion="zoom-in")
    assert len(mixed) == frames
    assert len({frame.tobytes() for frame in mixed}) >= frames - 1
    assert not np.array_equal(mixed[0], one[0])
    assert not np.array_equal(mixed[-1], two[-1])
    if frames > 2:
        far = np.abs(one[0] - two[0]).mean()
        assert np.abs(mixed[0] - one[0]).mean() < far / 3
        assert np.abs(mixed[-1] - two[-1]).mean() < far / 3


@pytest.mark.parametrize("blend", BLENDS)
def test_a_transition_is_the_same_each_time_it_is_painted(blend: BlendName, pictures: Path) -> None:
    first, second = (between(blend, pictures, motion="pan-left")[0] for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(("frames", "black"), [(9, [4]), (10, [4, 5]), (1, [0]), (2, [0, 1])])
def test_a_fade_is_wholly_black_in_the_middle_and_only_there(frames: int, black: list[int], pictures: Path) -> None:
    mixed, _, _ = between("fade", pictures, frames=frames)
    assert [number for number, frame in enumerate(mixed) if (luma(frame) == 16).all()] == black
    for number in black:
        assert (mixed[number][LUMA:] == 128).all()


def test_a_fade_goes_down_with_the_one_scene_and_up_with_the_other_in_equal_steps(pictures: Path) -> None:
    mixed, one, two = between("fade", pictures, frames=9)
    for number, share in enumerate([0.8, 0.6, 0.4, 0.2]):
        assert light(mixed[number]) == pytest.approx(light(one[number]) * share, abs=0.6)
        assert light(mixed[8 - number]) == pytest.approx(light(two[8 - number]) * share, abs=0.6)
        chroma = 128 + (one[number][LUMA:] - 128) * share
        assert np.abs(mixed[number][LUMA:] - chroma).max() <= 0.51


def test_a_slide_shows_the_next_scene_unchanged_where_it_has_come_to(pictures: Path) -> None:
    """Half way, half of the width is the next scene's left half, to the pixel: it moves as a whole."""
    mixed, _, two = between("slide", pictures, frames=9)
    middle = luma(mixed[4])
    assert np.array_equal(middle[:, 80:], luma(two[4])[:, :80])
    for plane in (0, 1):
        shown, whole = (frame[LUMA:].reshape(45, 80, 2)[..., plane] for frame in (mixed[4], two[4]))
        assert np.array_equal(shown[:, 41:], whole[:, 1:40])


def test_a_slide_comes_from_where_reading_goes_on(pictures: Path) -> None:
    mixed, _, two = between("slide", pictures, frames=9, rightward=True)
    assert np.array_equal(luma(mixed[4])[:, :80], luma(two[4])[:, 80:])


@pytest.mark.parametrize("rightward", [False, True])
def test_the_last_scene_gives_way_to_a_slide_without_showing_what_is_behind_it(rightward: bool) -> None:
    def before(number: int, target: Frame, shift: float) -> None:
        target.y[:] = 255
        target.y[:, max(floor(shift), 0) : SIZE[0] + ceil(min(shift, 0))] = 100
        target.uv[:] = 128

    def after(number: int, target: Frame, shift: float) -> None:
        target.y[:] = 100

    slide = Slide(24, SIZE, before, after, rightward=rightward)
    target = blank_frame(SIZE)
    for number in range(24):
        slide.paint(number, target)
        assert target.y.max() <= 100


def test_the_edge_of_a_slide_moves_by_parts_of_a_pixel_in_every_plane() -> None:
    """Light slides over black: the light of a row tells where the edge is."""

    def flat(level: int, red: int) -> PaintLayer:
        def paint(number: int, target: Frame, shift: float) -> None:
            target.y[:], target.uv[:] = level, (128, red)

        return paint

    frames = 60
    for rightward in (False, True):
        slide = Slide(frames, SIZE, flat(16, 128), flat(216, 228), rightward=rightward)
        target = blank_frame(SIZE)
        for number in range(frames):
            slide.paint(number, target)
            share = (number + 1) / (frames + 1)
            covered = SIZE[0] * share * share * (3 - 2 * share)
            assert (target.y[40].astype(float) - 16).sum() / 200 == pytest.approx(covered, abs=0.01)
            # Half a pixel at the rim lies outside the first chroma sample's two, or the last one's.
            rim = 0.25 if rightward else -0.25
            chroma = (target.uv[20, :, 1].astype(float) - 128).sum() / 100
            assert chroma == pytest.approx(min(max(covered / 2 + rim, 0), 80), abs=0.26)


@pytest.mark.parametrize("blend", BLENDS)
def test_a_film_of_segments_around_a_transition_has_exactly_its_frames(
    blend: BlendName, pictures: Path, tmp_path: Path
) -> None:
    parts = [
        spec(layer("one", "zoom-in"), frames=31),
        spec(layer("one", "zoom-in", offset=31), layer("two", "zoom-out"), frames=9, blend=blend),
        spec(layer("two", "zoom-out", offset=9), frames=31),
    ]
    paths = []
    for number, part in enumerate(parts):
        scratch = tmp_path / str(number)
        scratch.mkdir()
        context = Context(scratch=scratch, artifact=lambda name: pictures / name, cancel=CancelToken())
        path, facts = render_segment(part, context, (Libx264(),))
        assert facts.frames == part.frames
        paths.append(path)
    film = MuxSpec(
        segments=tuple(path.parent.name for path in paths),
        segment_frames=(31, 9, 31),
        audio="",
        samples=71 * 1600,
        encoding=ENCODING,
        title="",
        language="en",
    )
    assert len(set(check_segments(film, paths, CancelToken()))) == 3
    again, _ = render_segment(parts[1], context, (Libx264(),))
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(paths[1].read_bytes()).digest()


def test_a_brief_takes_every_transition_and_names_them_where_one_is_unknown() -> None:
    for name in get_args(TransitionName):
        brief = brief_from_dict(
            {"transition": name, "scenes": [{"narration": "One.", "transition": name}]}, Path(), "t"
        )
        assert (brief.transition, brief.scenes[0].transition) == (name, name)
    with pytest.raises(BriefError, match="'slid' is not one of crossfade, cut, fade, slide; did you mean 'slide'"):
        brief_from_dict({"transition": "slid", "scenes": [{"narration": "One."}]}, Path(), "t")
