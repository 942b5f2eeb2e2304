"""The poster: the film's own colours, without captions, of a scene in which there is something to see."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stages.models import Picture
from stages.render.motion import plan_motion
from stages.render.output.poster import write_poster
from stages.render.specs import Encoding, Layer, SegmentSpec

SIZE = (320, 180)
ENCODING = Encoding(level="low", width=320, height=180, fps=30, bitrate_bps=400_000)
# Corners of the sRGB cube and what lies between; each a tile of 40 × 45.
COLOURS = (
    (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (255, 255, 0), (0, 255, 255), (255, 0, 255),
    (200, 60, 60), (60, 200, 60), (60, 60, 200), (128, 128, 128), (30, 20, 10), (240, 180, 90), (90, 180, 240), (12, 90, 70),
)  # fmt: skip


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    tiles = np.array(COLOURS * 2, np.uint8).reshape(4, 8, 3).repeat(45, 0).repeat(40, 1)
    Image.fromarray(tiles).save(tmp_path / "tiles", "png")
    Image.new("RGB", SIZE, (8, 8, 8)).save(tmp_path / "dark", "png")
    Image.new("RGB", SIZE, (250, 250, 250)).save(tmp_path / "light", "png")
    return tmp_path


def frame(name: str) -> SegmentSpec:
    picture = Picture(kind="picture", digest=name, width=SIZE[0], height=SIZE[1])
    motion = plan_motion("hold", 30, *SIZE, *SIZE, (0.5, 0.5), 1, False)
    return SegmentSpec(
        kind="body", frames=1, layers=(Layer(picture=picture, motion=motion, offset=0),), encoding=ENCODING
    )


def poster(pictures: Path, *names: str) -> Image.Image:
    out = pictures / "poster.jpg"
    write_poster([frame(name) for name in names], lambda name: pictures / name, out)
    with Image.open(out) as image:
        image.load()
        return image


def test_a_poster_has_the_pictures_own_colours(pictures: Path) -> None:
    image = poster(pictures, "tiles")
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", SIZE)
    found = np.asarray(image).astype(int)
    for number, colour in enumerate(COLOURS * 2):
        row, column = divmod(number, 8)
        tile = found[row * 45 + 8 : row * 45 + 37, column * 40 + 8 : column * 40 + 32]
        assert np.abs(tile.mean((0, 1)) - colour).max() <= 3, colour


def test_colours_stand_where_they_belong(pictures: Path) -> None:
    """Between red and blue of equal grey only the colour changes: half way must be on the edge."""
    edge = np.zeros((180, 320, 3), np.uint8)
    edge[:, :160], edge[:, 160:] = (180, 60, 90), (30, 95, 205)
    Image.fromarray(edge).save(pictures / "edge", "png")
    found = np.asarray(poster(pictures, "edge")).astype(float)[90]
    difference = found[:, 0] - found[:, 2]
    low, high = difference[300:].mean(), difference[:20].mean()
    place = ((difference[120:200] - low) / (high - low)).sum() + 120
    assert place == pytest.approx(160, abs=0.3)


def test_a_scene_in_which_there_is_nothing_to_see_is_passed_over(pictures: Path) -> None:
    assert np.asarray(poster(pictures, "dark", "tiles", "light")).std() > 50
    assert np.asarray(poster(pictures, "dark", "light")).max() < 30


def test_the_same_poster_is_the_same_bytes(pictures: Path) -> None:
    poster(pictures, "tiles")
    first = (pictures / "poster.jpg").read_bytes()
    poster(pictures, "tiles")
    assert (pictures / "poster.jpg").read_bytes() == first


def test_a_poster_says_nothing_of_when_or_by_what_it_was_made(pictures: Path) -> None:
    assert not {"exif", "icc_profile", "comment"} & set(poster(pictures, "tiles").info)
