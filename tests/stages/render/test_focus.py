"""What a picture is found to be of, and that every shape of frame keeps it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from config.errors import BriefError
from stages.images.picture_stage import take_visual, visual_notes
from stages.models import Picture, Visual
from stages.render.ffmpeg.process import ffmpeg_path
from stages.render.motion import affine_at, canvas_size, plan_motion
from stages.render.sources.focus import NAMED_REACH, Focus, find_focus, focus_of
from stages.render.specs import Motion

SHAPES = ((320, 180), (180, 320), (180, 180))
SAMPLES = Path(__file__).parents[3] / "sample_media" / "pictures"


def texture(seed: int = 1, size: tuple[int, int] = (384, 256), level: int = 100) -> NDArray[np.float64]:
    """Soft coloured noise in which nothing stands out."""
    import cv2

    soft = cv2.GaussianBlur(np.random.default_rng(seed).normal(0, 90, (size[1], size[0], 3)), (0, 0), 1.5)
    return np.asarray(soft + level, np.float64)


def with_disc(pixels: NDArray[np.float64], x: float, y: float, radius: float = 0.08) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width]
    pixels = pixels.copy()
    pixels[(columns - x * width) ** 2 + (rows - y * height) ** 2 < (radius * height) ** 2] = (240, 200, 60)
    return np.asarray(np.clip(pixels, 0, 255), np.uint8)


def shown(motion: Motion, frame: int, picture: tuple[int, int], out: tuple[int, int]) -> tuple[float, ...]:
    """Left, top, right and bottom of what a frame shows, in parts of the picture."""
    canvas = canvas_size(motion, *picture, *out)
    at = affine_at(motion, frame, canvas, out, picture)
    left, top = at.x + 0.5 - at.scale_x / 2, at.y + 0.5 - at.scale_y / 2
    return (
        left / canvas[0],
        top / canvas[1],
        (left + at.scale_x * out[0]) / canvas[0],
        (top + at.scale_y * out[1]) / canvas[1],
    )


@pytest.mark.parametrize("place", [(0.15, 0.3), (0.85, 0.7), (0.5, 0.5), (0.7, 0.2), (0.1, 0.88)])
def test_a_bright_thing_on_texture_is_found(place: tuple[float, float]) -> None:
    found = focus_of([with_disc(texture(), *place)])
    assert found.at == pytest.approx(place, abs=0.08)


@pytest.mark.parametrize("place", [(0.2, 0.3), (0.8, 0.7)])
@pytest.mark.parametrize("out", SHAPES)
@pytest.mark.parametrize("seed", [1, 2, 4])
def test_every_shape_keeps_what_was_found_from_the_first_frame_to_the_last(
    place: tuple[float, float], out: tuple[int, int], seed: int
) -> None:
    pixels = with_disc(texture(), *place)
    size = (pixels.shape[1], pixels.shape[0])
    found = focus_of([pixels])
    motion = plan_motion("auto", 180, *size, *out, found.at, seed, False, reach=found.reach)
    if motion.fit == "contain":
        return
    for frame in (0, 90, 179):
        left, top, right, bottom = shown(motion, frame, size, out)
        assert left - 0.005 < place[0] - 0.053
        assert place[0] + 0.053 < right + 0.005
        assert top - 0.005 < place[1] - 0.08
        assert place[1] + 0.08 < bottom + 0.005


def test_a_clear_subject_fills_a_tall_frame_and_a_spread_one_is_shown_whole() -> None:
    clear = focus_of([with_disc(texture(), 0.7, 0.5)])
    assert plan_motion("auto", 90, 384, 256, 180, 320, clear.at, 1, False, reach=clear.reach).fit == "cover"
    spread = focus_of([np.asarray(np.clip(texture(), 0, 255), np.uint8)])
    assert plan_motion("auto", 90, 384, 256, 180, 320, spread.at, 1, False, reach=spread.reach).fit == "contain"


@pytest.mark.parametrize("kind", ["texture", "grey", "ramp", "squares", "black"])
def test_where_nothing_stands_out_the_middle_is_used(kind: str) -> None:
    rows, columns = np.mgrid[0:170, 0:256]
    planes = {
        "texture": np.clip(texture(3, (256, 170)), 0, 255),
        "grey": np.full((170, 256, 3), 120.0),
        "ramp": np.repeat((columns / 256 * 255)[..., None], 3, 2),
        "squares": np.repeat(((rows // 16 + columns // 16) % 2 * 200 + 20)[..., None], 3, 2),
        "black": np.zeros((170, 256, 3)),
    }
    found = focus_of([np.asarray(planes[kind], np.uint8)])
    assert found.at == pytest.approx((0.5, 0.5), abs=0.01)
    assert max(found.reach) > 0.98


def test_bars_at_the_rim_and_a_caption_do_not_draw_the_eye() -> None:
    pixels = with_disc(texture(), 0.3, 0.4, 0.1)
    pixels[:24], pixels[-24:], pixels[:, :12] = 0, 0, 0
    for letter in range(12):
        pixels[205:220, 60 + letter * 14 : 68 + letter * 14] = 250
    assert focus_of([pixels]).at == pytest.approx((0.3, 0.4), abs=0.1)


def test_a_thing_on_plain_ground_is_the_subject_itself() -> None:
    pixels = np.full((200, 300, 3), 250, np.uint8)
    pixels[30:110, 200:280] = (30, 90, 160)
    found = focus_of([pixels])
    assert found.at == pytest.approx((0.8, 0.35), abs=0.02)
    assert found.reach == pytest.approx((80 / 300, 80 / 200), abs=0.03)


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (500, 3), (11, 11)])
def test_tiny_and_thin_pictures_have_their_focus_in_the_middle(size: tuple[int, int]) -> None:
    assert focus_of([np.zeros((size[1], size[0], 3), np.uint8)]).at == (0.5, 0.5)
    assert focus_of([]) == Focus()


@pytest.mark.parametrize(
    ("name", "left", "top", "right", "bottom"),
    [
        ("night.jpg", 0.6, 0.45, 0.72, 0.62),
        ("storm.jpg", 0.52, 0.38, 0.66, 0.58),
        ("lens.jpg", 0.44, 0.42, 0.62, 0.6),
        ("harbour.jpg", 0.25, 0.4, 0.75, 0.6),
    ],
)
def test_the_sample_pictures_are_of_what_they_show(
    name: str, left: float, top: float, right: float, bottom: float
) -> None:
    x, y = find_focus(SAMPLES / name, "picture").at
    assert left < x < right
    assert top < y < bottom


@pytest.mark.parametrize(("name", "place"), [("coast.jpg", (0.64, 0.42)), ("islands.jpg", (0.68, 0.75))])
@pytest.mark.parametrize("out", SHAPES)
def test_a_small_thing_among_greater_ones_stays_in_every_frame(
    name: str, place: tuple[float, float], out: tuple[int, int]
) -> None:
    with Image.open(SAMPLES / name) as image:
        size = image.size
    found = find_focus(SAMPLES / name, "picture")
    motion = plan_motion("zoom-in", 180, *size, *out, found.at, 1, False, reach=found.reach)
    left, top, right, bottom = shown(motion, 179, size, out)
    assert motion.fit == "contain" or (left < place[0] < right and top < place[1] < bottom)


def test_the_same_picture_has_the_same_focus(tmp_path: Path) -> None:
    Image.fromarray(with_disc(texture(), 0.3, 0.6)).save(tmp_path / "a.png")
    first = take_visual(Visual(path=tmp_path / "a.png", kind="picture"))
    assert first.focus == pytest.approx((0.3, 0.6), abs=0.06)
    assert take_visual(Visual(path=tmp_path / "a.png", kind="picture")) == first


def test_a_picture_s_focus_is_that_of_the_picture_as_shown(tmp_path: Path) -> None:
    stored = Image.fromarray(with_disc(texture(), 0.2, 0.3)).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    stored.save(tmp_path / "a.jpg", quality=95, exif=exif)
    picture = take_visual(Visual(path=tmp_path / "a.jpg", kind="picture"))
    assert (picture.width, picture.height) == (384, 256)
    assert picture.focus == pytest.approx((0.2, 0.3), abs=0.06)


def test_a_named_focus_is_kept(tmp_path: Path) -> None:
    Image.fromarray(with_disc(texture(), 0.2, 0.3)).save(tmp_path / "a.png")
    picture = take_visual(Visual(path=tmp_path / "a.png", kind="picture", focus=(0.9, 0.1)))
    assert (picture.focus, picture.reach) == ((0.9, 0.1), NAMED_REACH)


def clip_of(path: Path, frames: list[NDArray[np.uint8]], *options: str) -> Path:
    height, width = frames[0].shape[:2]
    command = [str(ffmpeg_path()), "-v", "error", "-nostdin", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    command += ["-s", f"{width}x{height}", "-r", "10", "-i", "pipe:0", *options, "-pix_fmt", "yuv420p", str(path)]
    subprocess.run(command, input=b"".join(frame.tobytes() for frame in frames), check=True)
    return path


def test_a_clip_is_judged_over_its_whole_length(tmp_path: Path) -> None:
    ground = texture()
    frames = [np.asarray(np.clip(ground, 0, 255), np.uint8)] * 3 + [with_disc(ground, 0.75, 0.6, 0.1)] * 12
    path = clip_of(tmp_path / "a.mp4", frames, "-g", "3", "-crf", "12")
    found = find_focus(path, "clip")
    assert found.at == pytest.approx((0.75, 0.6), abs=0.1)
    assert find_focus(path, "clip") == found
    assert take_visual(Visual(path=path, kind="clip")) == Picture(
        kind="clip", digest="", width=384, height=256, focus=found.at, reach=found.reach, provider="brief", length_s=1.5
    )


def test_an_animated_picture_moves_and_of_one_that_stays_a_picture_it_is_said_that_it_will_not(tmp_path: Path) -> None:
    pictures = [Image.new("RGB", (40, 30), colour) for colour in ((9, 9, 9), (99, 0, 0))]
    for name in ("a.gif", "a.webp"):
        pictures[0].save(tmp_path / name, save_all=True, append_images=pictures[1:], duration=500)
    pictures[0].save(tmp_path / "still.gif")
    kinds = [take_visual(Visual(path=tmp_path / name, kind="picture")).kind for name in ("a.gif", "still.gif")]
    assert kinds == ["clip", "picture"]
    assert "only its first image" in visual_notes(tmp_path / "a.webp", "picture")[0]
    assert visual_notes(tmp_path / "still.gif", "picture") == ()


def test_a_broken_picture_has_no_focus_but_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(BriefError, match=r"a\.png"):
        find_focus(tmp_path / "a.png", "picture")
