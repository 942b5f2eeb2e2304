"""Pictures of unusual colours, depths and kinds, and many opened at once."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from config.errors import BriefError
from stages.base import CancelToken, Context
from stages.images.picture_provider import ImageProvider, PictureRequest
from stages.images.picture_stage import draw_picture, visual_notes
from stages.render.sources.animations import as_clip
from stages.render.sources.planes import inspect_visual
from stages.render.sources.stills import load_rgb
from tests.heic_files import write_heic

RED, BLUE, ORANGE = (255, 0, 0), (0, 0, 255), (200, 100, 50)


def saved(image: Image.Image, path: Path, **options: Any) -> Path:
    image.save(path, **options)
    return path


def middle(path: Path) -> list[int]:
    rgb = load_rgb(path, 32, 32)
    return [int(value) for value in rgb[rgb.shape[0] // 2, rgb.shape[1] // 2]]


def profile(space: bytes, tags: list[tuple[bytes, bytes]]) -> bytes:
    """A small ICC profile of version 2."""
    description = b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(78)
    tags = [(b"desc", description), (b"wtpt", xyz(0.9642, 1, 0.8249)), *tags]
    table, data, start = b"", b"", 132 + 12 * len(tags)
    for name, value in tags:
        table += name + struct.pack(">II", start + len(data), len(value))
        data += value + b"\0" * (-len(value) % 4)
    head = struct.pack(">I4sI4s4s4s", start + len(data), b"test", 0x02400000, b"mntr", space, b"XYZ ")
    head += struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + xyz(0.9642, 1, 0.8249)[8:]
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data


def xyz(*values: float) -> bytes:
    return b"XYZ " + bytes(4) + b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def gamma(value: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(value * 256))


def rgb_profile(red: bytes, green: bytes, blue: bytes) -> bytes:
    colours = [(b"rXYZ", red), (b"gXYZ", green), (b"bXYZ", blue)]
    return profile(b"RGB ", [*colours, *((name, gamma(2.2)) for name in (b"rTRC", b"gTRC", b"bTRC"))])


P3 = rgb_profile(xyz(0.51512, 0.2412, -0.00105), xyz(0.29198, 0.69225, 0.04189), xyz(0.1571, 0.06657, 0.78407))
ADOBE = rgb_profile(xyz(0.60974, 0.31111, 0.01947), xyz(0.20528, 0.62567, 0.06087), xyz(0.14919, 0.06322, 0.74457))
LINEAR_GREY = profile(b"GRAY", [(b"kTRC", gamma(1.0))])


@pytest.mark.parametrize("ending", ["png", "jpg"])
@pytest.mark.parametrize(
    ("mode", "colour", "icc", "wanted"),
    [
        ("RGB", ORANGE, P3, (216, 93, 24)),
        ("RGB", ORANGE, ADOBE, (227, 100, 42)),
        ("L", 128, LINEAR_GREY, (188, 188, 188)),
        ("RGB", ORANGE, P3[:200], ORANGE),
        ("RGB", ORANGE, bytes(200), ORANGE),
        ("RGB", ORANGE, LINEAR_GREY, ORANGE),
    ],
    ids=["p3", "adobe", "grey", "cut-off", "zeros", "of-another-mode"],
)
def test_colours_of_a_profile_become_srgb_and_a_useless_one_is_left_out_of_account(
    tmp_path: Path, ending: str, mode: str, colour: Any, icc: bytes, wanted: tuple[int, ...]
) -> None:
    path = saved(Image.new(mode, (32, 32), colour), tmp_path / f"a.{ending}", icc_profile=icc)
    assert middle(path) == pytest.approx(wanted, abs=2)


def test_transparent_greys_and_palettes_have_their_profile_too(tmp_path: Path) -> None:
    grey = saved(Image.new("LA", (32, 32), (128, 255)), tmp_path / "a.png", icc_profile=LINEAR_GREY)
    assert middle(grey) == pytest.approx([188] * 3, abs=1)
    palette = saved(Image.new("RGB", (32, 32), ORANGE).quantize(4), tmp_path / "b.png", icc_profile=ADOBE)
    assert middle(palette) == pytest.approx([227, 100, 42], abs=2)


@pytest.mark.parametrize("kind", ["uint16", "int32", "float32"])
def test_deep_greys_keep_their_scale_and_are_reduced_strip_by_strip(tmp_path: Path, kind: str) -> None:
    ramp = np.linspace(0, 65535, 900)[:, None].repeat(64, 1)
    values = (ramp / 65535).astype(np.float32) if kind == "float32" else ramp.astype(kind)
    rgb = load_rgb(saved(Image.fromarray(values), tmp_path / "a.tif"), 16, 225)
    assert rgb.shape == (225, 16, 3)
    assert rgb[:, 8, 0].tolist() == pytest.approx(np.linspace(0, 255, 225).tolist(), abs=2)


def test_sixteen_bits_of_colour_are_read(tmp_path: Path) -> None:
    import cv2

    bgr = np.full((32, 32, 3), (50 * 257, 100 * 257, 200 * 257), np.uint16)
    for ending in ("png", "tif"):
        cv2.imwrite(str(tmp_path / f"a.{ending}"), bgr)
        assert middle(tmp_path / f"a.{ending}") == pytest.approx(ORANGE, abs=1)


def test_one_grey_of_a_picture_may_be_transparent(tmp_path: Path) -> None:
    assert min(middle(saved(Image.new("L", (32, 32), 7), tmp_path / "a.png", transparency=7))) > 20


@pytest.mark.parametrize("ending", ["webp", "avif"])
def test_animations_that_ffmpeg_does_not_read_move_unless_they_are_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    later = Image.new("RGB", (32, 32), BLUE)
    first = Image.new("RGB", (32, 32), RED)
    path = saved(first, tmp_path / f"a.{ending}", save_all=True, append_images=[later], duration=[200, 300])
    kind, width, height, seconds = inspect_visual(as_clip(path))
    assert (kind, width, height) == ("clip", 32, 32)
    assert seconds == pytest.approx(0.5, abs=0.01)
    monkeypatch.setattr("stages.render.sources.animations._MOST_PIXELS", 1500)
    assert as_clip(path) == path
    assert "only its first image is shown" in visual_notes(path, "picture")[0]
    assert inspect_visual(path) == ("picture", 32, 32, 0.0)
    assert middle(path) == pytest.approx(RED, abs=3)


@pytest.mark.parametrize("ending", ["png", "tif", "webp", "jpg"])
def test_more_pixels_than_pillow_likes_are_taken_and_its_limit_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    path = saved(Image.new("RGB", (32, 32), RED), tmp_path / f"a.{ending}")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50)
    assert inspect_visual(path)[1:3] == (32, 32)
    assert middle(path) == pytest.approx(RED, abs=3)
    assert Image.MAX_IMAGE_PIXELS == 50


def test_kinds_that_take_too_much_memory_have_a_lower_limit(tmp_path: Path) -> None:
    path = saved(Image.new("RGB", (16, 16), RED), tmp_path / "a.webp", lossless=True)
    data = bytearray(path.read_bytes())
    at = data.index(b"VP8L") + 9
    # 14 bits each of width − 1 and height − 1.
    size = int.from_bytes(data[at : at + 4], "little") & ~0xFFFFFFF | 9999 | 9999 << 14
    data[at : at + 4] = size.to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(BriefError, match=r"10000 × 10000 is 100 megapixels, the most is 50 for WEBP"):
        inspect_visual(path)


@pytest.mark.parametrize(
    ("head", "said", "way_out"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a damaged HEIC picture", "save it as JPEG"),
        (
            b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>',
            "an SVG drawing",
            "rsvg-convert -w 1920 a.jpg",
        ),
        (b"%PDF-1.7\n", "a PDF", "pdftoppm"),
        (b"8BPS\0\1", "a damaged Photoshop picture", "save it as JPEG"),
        (b"\0\0\0\x1cftypavif\0\0\0\0", "a damaged AVIF picture", "save it as JPEG"),
        (b"II*\0\x10\0\0\0CR\x02\0", "a raw photo", "magick a.jpg -auto-orient a.jpg"),
        (b"\xff\x0a\xfa\x1f", "a JPEG XL picture", "djxl a.jpg a.png"),
    ],
)
def test_what_cannot_be_read_is_called_by_its_name_and_the_way_out_is_said(
    tmp_path: Path, head: bytes, said: str, way_out: str
) -> None:
    (tmp_path / "a.jpg").write_bytes(head + b"\xff" * 4)
    with pytest.raises(BriefError, match=rf"a\.jpg is {said}") as caught:
        inspect_visual(tmp_path / "a.jpg")
    assert way_out in caught.value.hint


# Where red, green, blue and black corners come to stand, for each of the ways a camera may be held.
UPRIGHT = "RGBK"
HELD = {1: "RGBK", 2: "GRKB", 3: "KBGR", 4: "BKRG", 5: "RBGK", 6: "BRKG", 7: "KGBR", 8: "GKRB"}


def corners(path: Path) -> str:
    """The colours at the upper left, upper right, lower left and lower right."""
    rgb = load_rgb(path, 64, 64)
    height, width = rgb.shape[:2]
    return "".join(
        "K" if rgb[y, x].max() < 80 else "RGB"[int(rgb[y, x].argmax())]
        for y in (height // 4, 3 * height // 4)
        for x in (width // 4, 3 * width // 4)
    )


def four_colours(size: tuple[int, int] = (64, 32)) -> Image.Image:
    image = Image.new("RGB", (2, 2))
    for at, colour in (((0, 0), (255, 0, 0)), ((1, 0), (0, 255, 0)), ((0, 1), (0, 0, 255))):
        image.putpixel(at, colour)
    return image.resize(size, Image.Resampling.NEAREST)


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif", "avif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_shown_as_the_camera_was_held(tmp_path: Path, ending: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(four_colours(), tmp_path / f"a.{ending}", exif=exif)
    assert corners(path) == HELD[orientation]
    assert inspect_visual(path)[1:3] == ((32, 64) if orientation > 4 else (64, 32))


@pytest.mark.parametrize(
    ("properties", "wanted"),
    [
        ({}, HELD[1]),
        ({"quarter_turns": 1}, HELD[8]),
        ({"quarter_turns": 3, "exif_orientation": 6}, HELD[6]),
        ({"quarter_turns": 2, "exif_orientation": 3}, HELD[3]),
        ({"mirror": 1, "exif_orientation": 2}, HELD[2]),
        ({"mirror": 0}, HELD[4]),
        # The file's own properties count, and nothing else.
        ({"exif_orientation": 6}, HELD[1]),
    ],
)
def test_a_heic_picture_is_read_and_turned_once(tmp_path: Path, properties: dict[str, int], wanted: str) -> None:
    path = write_heic(tmp_path / "IMG_0001.jpg", four_colours(), **properties)
    assert corners(path) == wanted
    assert inspect_visual(path)[1:3] == ((32, 64) if properties.get("quarter_turns", 0) % 2 else (64, 32))


@pytest.mark.parametrize("ending", ["gif", "bmp", "tif", "jp2", "ppm", "qoi", "avif", "webp"])
def test_whatever_pillow_reads_is_a_picture_whatever_its_name(tmp_path: Path, ending: str) -> None:
    path = saved(four_colours(), tmp_path / f"a.{ending}").rename(tmp_path / "a.jpg")
    assert inspect_visual(path) == ("picture", 64, 32, 0.0)
    assert corners(path) == UPRIGHT


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_without_its_last_two_bytes_is_read_and_half_a_one_is_not(tmp_path: Path, progressive: bool) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (30, 40, 3), dtype=np.uint8)
    image = Image.fromarray(noise).resize((400, 300))
    whole = saved(image, tmp_path / "a.jpg", quality=90, progressive=progressive)
    data = whole.read_bytes()
    endless, half = tmp_path / "endless.jpg", tmp_path / "half.jpg"
    endless.write_bytes(data[:-2])
    half.write_bytes(data[: len(data) // 2])
    assert inspect_visual(endless) == ("picture", 400, 300, 0.0)
    assert np.array_equal(load_rgb(endless, 400, 300), load_rgb(whole, 400, 300))
    with pytest.raises(BriefError, match=r"half\.jpg is cut off" + ("" if progressive else ": the lower 5")):
        inspect_visual(half)


def test_a_png_without_its_end_mark_is_read_and_half_a_one_is_not(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    data = saved(Image.fromarray(noise), tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(data[:-12])
    assert inspect_visual(tmp_path / "a.png")[1:3] == (64, 64)
    assert np.array_equal(load_rgb(tmp_path / "a.png", 64, 64), noise)
    (tmp_path / "a.png").write_bytes(data[: len(data) // 2])
    with pytest.raises(BriefError, match=r"a\.png is damaged"):
        inspect_visual(tmp_path / "a.png")


def test_the_preview_in_a_raw_photo_does_not_pass_for_the_photo(tmp_path: Path) -> None:
    preview = saved(four_colours(), tmp_path / "a.tif", tiffinfo={254: 1})
    with pytest.raises(BriefError, match="raw photo of a camera"):
        inspect_visual(preview)


def test_first_pictures_may_be_opened_by_many_threads_at_once(tmp_path: Path) -> None:
    """In a process of its own, where Pillow has loaded no format yet."""
    for ending in ("jpg", "png", "webp", "tif", "gif", "avif"):
        saved(Image.new("RGB", (160, 90), RED), tmp_path / f"a.{ending}")
    pair = [Image.new("RGB", (160, 90), colour) for colour in (RED, BLUE)]
    pair[0].save(tmp_path / "two.jpg", "MPO", save_all=True, append_images=pair[1:])
    program = (
        "import pathlib, sys, threading\n"
        "from stages.images.picture_stage import take_visual\n"
        "from stages.models import Visual\n"
        "found, paths = [], sorted(pathlib.Path(sys.argv[1]).iterdir()) * 2\n"
        "start = threading.Barrier(len(paths))\n"
        "def take(path):\n"
        "    start.wait()\n"
        "    found.append(take_visual(Visual(path=path, kind='picture')).width)\n"
        "threads = [threading.Thread(target=take, args=(path,)) for path in paths]\n"
        "[thread.start() for thread in threads]; [thread.join() for thread in threads]\n"
        "print(found)\n"
    )
    command = [sys.executable, "-W", "error", "-c", program, str(tmp_path)]
    done = subprocess.run(command, cwd=Path(__file__).parents[3], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.strip() == str([160] * 14)


class Camera(ImageProvider):
    """Hands over a photograph that is to be turned."""

    name = "camera"

    def identity(self) -> dict[str, str]:
        return {}

    def draw(self, request: PictureRequest, cancel: CancelToken, folder: Path) -> Path:
        exif = Image.Exif()
        exif[0x0112] = 6
        ground = Image.new("RGB", (160, 90), (40, 60, 50))
        ground.paste((250, 220, 40), (120, 20, 140, 40))
        return saved(ground.transpose(Image.Transpose.ROTATE_90), folder / "made.png", exif=exif)


def test_a_drawn_picture_that_is_no_card_has_its_size_and_focus_as_shown(tmp_path: Path) -> None:
    request = PictureRequest("", "", "", 1, 1, "", "auto", 0, 160, 90, False)
    context = Context(scratch=tmp_path, artifact=lambda digest: tmp_path / digest)
    _, picture = draw_picture(request, context, [Camera()])
    assert (picture.width, picture.height) == (160, 90)
    assert picture.focus == pytest.approx((130 / 160, 30 / 90), abs=0.05)
    assert max(picture.reach) < 0.5
