"""Camera moves: inside the picture, smooth, and the same from whatever frame one starts."""

from __future__ import annotations

from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.models import MotionName
from stages.render.motion import affine_at, canvas_size, crop_at, is_still, plan_motion
from stages.render.specs import Motion

WIDE, TALL, SQUARE = (1920, 1080), (1080, 1920), (1080, 1080)
NAMES = get_args(MotionName)


def planned(
    name: MotionName = "auto",
    picture: tuple[int, int] = (3000, 2000),
    out: tuple[int, int] = WIDE,
    *,
    frames: int = 180,
    focus: tuple[float, float] = (0.5, 0.5),
    seed: int = 1,
    is_card: bool = False,
    is_clip: bool = False,
) -> Motion:
    return plan_motion(name, frames, *picture, *out, focus, seed, is_card, is_clip=is_clip)


def window(motion: Motion, frame: int, picture: tuple[int, int], out: tuple[int, int]) -> tuple[float, ...]:
    """Left, top, right, bottom of what a frame shows, in parts of the canvas."""
    canvas = canvas_size(motion, *picture, *out)
    at = affine_at(motion, frame, canvas, out, picture)
    left, top = at.x + 0.5 - at.scale_x / 2, at.y + 0.5 - at.scale_y / 2
    return (
        left / canvas[0],
        top / canvas[1],
        (left + at.scale_x * out[0]) / canvas[0],
        (top + at.scale_y * out[1]) / canvas[1],
    )


pictures = st.tuples(st.integers(1, 12_000), st.integers(1, 12_000))
parts = st.floats(0, 1)
inner = st.floats(0.05, 0.95)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(NAMES),
    pictures,
    st.sampled_from([WIDE, TALL, SQUARE, (320, 180)]),
    st.integers(1, 900),
    st.tuples(parts, parts),
    st.integers(0, 1000),
    st.booleans(),
)
def test_no_frame_shows_anything_beyond_the_picture(
    name: MotionName,
    picture: tuple[int, int],
    out: tuple[int, int],
    frames: int,
    focus: tuple[float, float],
    seed: int,
    is_card: bool,
) -> None:
    motion = plan_motion(name, frames, *picture, *out, focus, seed, is_card)
    for frame in {0, frames // 3, frames - 1}:
        left, top, right, bottom = window(motion, frame, picture, out)
        assert min(left, top) > -1e-9
        assert max(right, bottom) < 1 + 1e-9


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(NAMES), pictures, st.sampled_from([WIDE, TALL, SQUARE]), st.tuples(inner, inner))
def test_the_focus_stays_in_the_frame(
    name: MotionName, picture: tuple[int, int], out: tuple[int, int], focus: tuple[float, float]
) -> None:
    motion = planned(name, picture, out, focus=focus)
    if motion.fit == "contain":
        return
    for frame in (0, 60, 179):
        left, top, right, bottom = window(motion, frame, picture, out)
        assert left - 1e-6 <= focus[0] <= right + 1e-6
        assert top - 1e-6 <= focus[1] <= bottom + 1e-6


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("out", [WIDE, TALL, SQUARE])
def test_the_canvas_never_has_to_be_enlarged(name: MotionName, out: tuple[int, int]) -> None:
    for picture in ((3000, 2000), (1000, 1000), (2000, 3000), (5000, 1000)):
        motion = planned(name, picture, out)
        canvas = canvas_size(motion, *picture, *out)
        assert all(side % 2 == 0 for side in canvas)
        scales = [affine_at(motion, frame, canvas, out, picture).scale_x for frame in range(180)]
        assert min(scales) >= 1 - 1e-6
        assert min(scales) < 1.01


@pytest.mark.parametrize("name", ["zoom-in", "zoom-out", "pan-left", "pan-down"])
def test_a_move_never_stops_and_never_jerks(name: MotionName) -> None:
    canvas = canvas_size(planned(name), 3000, 2000, *WIDE)
    corners = [affine_at(planned(name), frame, canvas, WIDE, (3000, 2000)) for frame in range(180)]
    path = [at.x + at.y for at in corners]
    steps = [after - before for before, after in pairwise(path)]
    assert len({step > 0 for step in steps}) == 1
    speeds = [abs(step) for step in steps]
    assert min(speeds) > 0.4 * max(speeds)
    changes = [abs(after - before) for before, after in pairwise(speeds)]
    assert max(changes) < 0.03 * max(speeds)


def test_one_point_of_the_picture_stands_still_in_a_zoom() -> None:
    motion = planned("zoom-in", (3840, 2160), focus=(0.7, 0.4))
    (_, x, y), (zoom, end_x, end_y) = motion.start, motion.end
    # The point that start and end show at the same place of the frame.
    still_x = (end_x * zoom - x) / (zoom - 1)
    still_y = (end_y * zoom - y) / (zoom - 1)
    for frame in range(0, 180, 7):
        zoom, at_x, at_y = crop_at(motion, frame)
        assert (still_x - at_x) * zoom == pytest.approx(still_x - x, abs=1e-6)
        assert (still_y - at_y) * zoom == pytest.approx(still_y - y, abs=1e-6)


def test_cards_move_little_and_pictures_more() -> None:
    for frames in (30, 180, 1800):
        card = planned("zoom-in", WIDE, frames=frames, is_card=True)
        assert 1 < card.end[0] <= 1.04
        assert planned("zoom-in", WIDE, frames=frames).end[0] > card.end[0]


def test_pans_go_where_their_names_say() -> None:
    wide, tall = (4000, 1500), (1500, 2000)
    assert planned("pan-left", wide).end[1] < planned("pan-left", wide).start[1]
    assert planned("pan-right", wide).end[1] > planned("pan-right", wide).start[1]
    assert planned("pan-up", tall).end[2] < planned("pan-up", tall).start[2]
    assert planned("pan-down", tall).end[2] > planned("pan-down", tall).start[2]


def test_a_pan_without_room_zooms_in_a_little_to_have_some() -> None:
    motion = planned("pan-right", (3840, 2160))
    assert motion.start[0] == motion.end[0] == pytest.approx(1.1)
    assert motion.end[1] - motion.start[1] > 0.05


def test_a_picture_of_quite_another_shape_is_shown_whole() -> None:
    assert planned("auto", (3000, 2000), TALL).fit == "contain"
    assert planned("auto", (1080, 1920), WIDE).fit == "contain"
    assert planned("auto", (1000, 1000), TALL).fit == "cover"
    assert planned("auto", (3000, 2000), WIDE).fit == "cover"


def test_a_named_pan_along_a_long_picture_fills_the_frame() -> None:
    motion = planned("pan-right", (3000, 2000), TALL)
    assert motion.fit == "cover"
    assert motion.end[1] > motion.start[1]
    assert planned("pan-up", (3000, 2000), TALL).fit == "contain"
    assert planned("pan-right", (9000, 10), WIDE).fit == "contain"


def test_neighbouring_scenes_move_differently() -> None:
    for picture in ((3000, 2000), (1920, 1080), (2000, 1500), (1000, 1000)):
        moves = [planned("auto", picture, seed=seed) for seed in range(1, 9)]
        assert all(one != other for one, other in pairwise(moves))


def test_clips_are_held_unless_a_move_is_named() -> None:
    assert is_still(planned("auto", is_clip=True))
    assert not is_still(planned("zoom-in", is_clip=True))


def test_a_held_picture_lies_on_whole_pixels() -> None:
    motion = planned("hold", (3001, 2003), focus=(0.31, 0.42))
    canvas = canvas_size(motion, 3001, 2003, *WIDE)
    at = affine_at(motion, 0, canvas, WIDE, (3001, 2003))
    assert at.scale_x == at.scale_y == 1
    assert at.x % 2 == at.y % 2 == 0


@pytest.mark.parametrize("picture", [(3001, 2003), (1999, 1201), (17, 10)])
def test_a_canvas_of_whole_pixels_is_not_shown_stretched(picture: tuple[int, int]) -> None:
    motion = planned("zoom-in", picture)
    canvas = canvas_size(motion, *picture, *WIDE)
    for frame in (0, 90, 179):
        at = affine_at(motion, frame, canvas, WIDE, picture)
        across = at.scale_x * picture[0] / canvas[0]
        down = at.scale_y * picture[1] / canvas[1]
        assert across == pytest.approx(down, rel=1e-9)
