"""Moving a plane into a frame: what the quick way paints is what the slow one would, to a thirtieth of a sample."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from stages.render.sources.resample import ROOM, Mover

SIZE = (96, 64)
Pair = tuple[float, float]


def source(width: int, height: int) -> NDArray[np.uint8]:
    """Soft noise: a quarter of a sample beside its place it is another."""
    noise = np.random.default_rng(3).integers(0, 255, (height, width), dtype=np.uint8)
    soft = cv2.GaussianBlur(noise, (0, 0), 2.5).astype(np.float32)
    return np.clip((soft - soft.mean()) * 4 + 128, 0, 255).astype(np.uint8)


def roomy(plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.copyMakeBorder(plane, ROOM, 0, ROOM, 0, cv2.BORDER_REPLICATE), np.uint8)


def bilinear(plane: NDArray[np.uint8], scale: Pair, at: Pair) -> NDArray[np.float64]:
    """By the definition, in floating point."""
    points = []
    for axis in (0, 1):
        length = plane.shape[1 - axis]
        where = np.clip(np.arange(SIZE[axis]) * scale[axis] + at[axis], 0, length - 1)
        whole = np.minimum(where.astype(int), length - 2)
        points.append((whole, where - whole))
    (x, right), (y, down) = points
    high, low = plane[y].astype(float), plane[y + 1].astype(float)
    down = down[:, None]
    rows = high * (1 - down) + low * down
    return np.asarray(rows[:, x] * (1 - right) + rows[:, x + 1] * right)


def moved(plane: NDArray[np.uint8], scale: Pair, at: Pair, room: int = 0) -> NDArray[np.float64]:
    target = np.full((SIZE[1], SIZE[0]), 99, np.uint8)
    Mover(SIZE).move(plane, target, scale, at, room)
    return target.astype(float)


def no_slow_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("the slow way was taken")

    monkeypatch.setattr(cv2, "warpAffine", refused)


@pytest.mark.parametrize("scale", [1.53, 1.62, 2.05, 2.137, 2.31])
@pytest.mark.parametrize("at", [(0.5, 0.5), (0.03, 7.77), (12.345, 0.6), (21.0, 15.5)])
def test_the_quick_way_is_bilinear_sampling_at_the_very_place(
    scale: float, at: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_slow_way(monkeypatch)
    plane = source(300, 200)
    painted, wanted = moved(roomy(plane), (scale, scale), at, ROOM), bilinear(plane, (scale, scale), at)
    steepest = max(np.abs(np.diff(wanted, axis=0)).max(), np.abs(np.diff(wanted, axis=1)).max())
    assert steepest > 25
    # Off by a fiftieth of a sample on each axis, and rounding.
    assert np.abs(painted - wanted).max() < 2 * 0.02 * steepest + 1.5
    assert abs((painted - wanted).mean()) < 0.3


def test_a_scale_that_finds_no_place_near_enough_takes_the_slow_way() -> None:
    plane = source(300, 200)
    painted = moved(roomy(plane), (2.0, 2.0), (10.25, 9.75), ROOM)
    assert np.abs(painted - bilinear(plane, (2.0, 2.0), (10.25, 9.75))).max() <= 0.51


@pytest.mark.parametrize("at", [(-40.3, 3.2), (170.6, 3.2), (3.3, -20.4), (3.3, 120.2), (104.0, 70.4)])
def test_beyond_the_rim_there_is_the_rim(at: Pair) -> None:
    plane = source(300, 200)
    painted = moved(roomy(plane), (2.05, 2.05), at, ROOM)
    wanted = bilinear(plane, (2.05, 2.05), at)
    assert np.abs(painted - wanted).max() < 4


def test_a_frame_at_the_end_of_its_plane_shows_it_to_the_last_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    no_slow_way(monkeypatch)
    scale = 2.0625
    width, height = round(SIZE[0] * scale), round(SIZE[1] * scale)
    plane = source(width, height)
    at = (scale - 1) / 2
    painted = moved(roomy(plane), (scale, scale), (at, at), ROOM)
    wanted = bilinear(plane, (scale, scale), (at, at))
    assert np.abs(painted - wanted)[-4:].max() < 3
    assert np.abs(painted - wanted)[:, -4:].max() < 3


def test_whole_samples_at_full_size_are_copied() -> None:
    plane = source(300, 200)
    assert np.array_equal(moved(plane, (1.0, 1.0), (13.0, 21.0)), plane[21 : 21 + SIZE[1], 13 : 13 + SIZE[0]])


def test_a_plane_without_room_is_moved_just_the_same() -> None:
    plane = source(300, 200)
    for at in ((0.5, 0.5), (20.2, 10.7)):
        bare, with_room = (moved(*given) for given in ((plane, (2.1, 2.1), at), (roomy(plane), (2.1, 2.1), at, ROOM)))
        assert np.abs(bare - with_room).max() < 4


def test_two_channels_of_half_the_size_move_like_each_alone() -> None:
    """Of a small frame they need more memory than its one plane does: what is cut off counts twice."""
    pair = np.random.default_rng(5).integers(0, 256, (20 + ROOM, 20 + ROOM, 2), np.uint8)
    planes = [np.ascontiguousarray(pair[..., channel]) for channel in range(2)]
    target, alone = np.full((8, 8, 2), 99, np.uint8), np.empty((8, 8), np.uint8)
    # Near 5/3 many samples have to be cut off.
    scale = (1.6655, 1.6655)
    for at in np.linspace(0.0, 3.0, 100):
        Mover((16, 16)).move(pair, target, scale, (at, at), ROOM)
        for channel, plane in enumerate(planes):
            Mover((8, 8)).move(plane, alone, scale, (at, at), ROOM)
            # The slow way does not round both alike.
            assert np.abs(target[..., channel].astype(int) - alone).max() <= 6
