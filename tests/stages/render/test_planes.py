"""Pictures and clips of every kind become the right planes, or a clear error."""

from __future__ import annotations

import struct
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from config.errors import BriefError
from stages.render.ffmpeg.process import ffmpeg_path
from stages.render.motion import plan_motion
from stages.render.sources.clips import ClipSource
from stages.render.sources.planes import Planes, inspect_visual, load_planes
from stages.render.specs import Motion

OUT = (160, 90)
RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)
# ITU-R BT.709, limited range.
CODES = {WHITE: (235, 128, 128), BLACK: (16, 128, 128), RED: (63, 102, 240), GREEN: (173, 42, 26), BLUE: (32, 240, 118)}


def corners(size: tuple[int, int] = (160, 90)) -> Image.Image:
    """Red top left, green top right, blue bottom left, white bottom right."""
    width, height = size
    image = Image.new("RGB", size, WHITE)
    image.paste(RED, (0, 0, width // 2, height // 2))
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    return image


def held(path: Path, out: tuple[int, int] = OUT) -> Motion:
    _, width, height, _ = inspect_visual(path)
    return plan_motion("hold", 30, width, height, *out, (0.5, 0.5), 1, False)


def loaded(path: Path, out: tuple[int, int] = OUT) -> Planes:
    return load_planes(path, held(path, out), *out)


def at(planes: Planes, x: float, y: float) -> tuple[int, int, int]:
    """Y, U, V at a place given in parts of the picture."""
    width, height = planes.size
    row, column = int(y * height), int(x * width)
    chroma = row // 2, column // 2
    return int(planes.y[row, column]), *map(int, planes.uv[chroma])


def assert_near(found: tuple[int, ...], wanted: tuple[int, ...], slack: int = 2) -> None:
    assert max(abs(a - b) for a, b in zip(found, wanted, strict=True)) <= slack, (found, wanted)


def saved(image: Image.Image, path: Path, **options: Any) -> Path:
    image.save(path, **options)
    return path


@pytest.mark.parametrize("colour", list(CODES))
def test_colours_are_bt709_of_limited_range(tmp_path: Path, colour: tuple[int, int, int]) -> None:
    planes = loaded(saved(Image.new("RGB", (160, 90), colour), tmp_path / "a.png"))
    assert_near(at(planes, 0.5, 0.5), CODES[colour], 1)


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "bmp", "tif", "gif", "avif"])
def test_every_picture_format_is_read_by_its_content(tmp_path: Path, ending: str) -> None:
    saved(corners(), tmp_path / f"a.{ending}")
    nameless = (tmp_path / f"a.{ending}").rename(tmp_path / "copy")
    assert inspect_visual(nameless) == ("picture", 160, 90, 0.0)
    planes = loaded(nameless)
    assert planes.size == OUT
    for (x, y), colour in zip([(0.2, 0.2), (0.8, 0.2), (0.2, 0.8), (0.8, 0.8)], [RED, GREEN, BLUE, WHITE], strict=True):
        assert_near(at(planes, x, y), CODES[colour], 9)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["jpg", "png", "tif"])
def test_pictures_stand_upright_whatever_the_camera_held(tmp_path: Path, orientation: int, ending: str) -> None:
    upright = corners()
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    stored = upright.transpose(Image.Transpose(back[orientation])) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 95, "subsampling": 0} if ending == "jpg" else {}
    path = saved(stored, tmp_path / f"a.{ending}", exif=exif, **options)
    assert inspect_visual(path)[1:3] == (160, 90)
    planes = loaded(path)
    for (x, y), colour in zip([(0.2, 0.2), (0.8, 0.2), (0.2, 0.8), (0.8, 0.8)], [RED, GREEN, BLUE, WHITE], strict=True):
        assert_near(at(planes, x, y), CODES[colour], 8)


def test_colour_profiles_are_honoured(tmp_path: Path) -> None:
    """A profile made from sRGB's, its red and green exchanged: red values mean green."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exchanged = profile.replace(b"rXYZ", b"tmpX").replace(b"gXYZ", b"rXYZ").replace(b"tmpX", b"gXYZ")
    red = Image.new("RGB", (160, 90), RED)
    assert_near(at(loaded(saved(red, tmp_path / "a.jpg", icc_profile=exchanged)), 0.5, 0.5), CODES[GREEN], 4)
    assert_near(at(loaded(saved(red, tmp_path / "b.jpg", icc_profile=b"no profile")), 0.5, 0.5), CODES[RED], 4)


def test_transparency_lies_on_a_ground_that_contrasts(tmp_path: Path) -> None:
    for name, ink in (("dark", 20), ("light", 230)):
        drawing = Image.new("RGBA", (160, 90), (0, 0, 0, 0))
        drawing.paste((ink, ink, ink, 255), (60, 30, 100, 60))
        planes = loaded(saved(drawing, tmp_path / f"{name}.png"))
        assert abs(at(planes, 0.5, 0.5)[0] - at(planes, 0.1, 0.1)[0]) > 120


def test_an_empty_drawing_is_only_ground(tmp_path: Path) -> None:
    planes = loaded(saved(Image.new("RGBA", (160, 90), (0, 0, 0, 0)), tmp_path / "a.png"))
    assert planes.y.min() == planes.y.max()


def test_other_modes_come_out_right(tmp_path: Path) -> None:
    grey16 = Image.fromarray(np.full((90, 160), 65535 // 2, np.uint16))
    assert_near(at(loaded(saved(grey16, tmp_path / "a.png")), 0.5, 0.5), (126, 128, 128))
    palette = corners().quantize(8)
    assert_near(at(loaded(saved(palette, tmp_path / "b.png")), 0.2, 0.2), CODES[RED], 4)
    transparent = saved(palette, tmp_path / "c.png", transparency=palette.getpixel((10, 10)))
    assert at(loaded(transparent), 0.2, 0.2)[2] < 140
    cmyk = Image.new("CMYK", (160, 90), (0, 255, 255, 0))
    assert_near(at(loaded(saved(cmyk, tmp_path / "d.jpg", quality=95)), 0.5, 0.5), CODES[RED], 6)
    two = Image.new("1", (160, 90), 1)
    assert_near(at(loaded(saved(two, tmp_path / "e.png")), 0.5, 0.5), CODES[WHITE])


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (400, 1), (3, 2), (33, 1999)])
@pytest.mark.parametrize("out", [(160, 90), (90, 160), (90, 90)])
def test_tiny_and_thin_pictures_fill_a_frame(tmp_path: Path, size: tuple[int, int], out: tuple[int, int]) -> None:
    path = saved(Image.new("RGB", size, RED), tmp_path / "a.png")
    for name in ("auto", "pan-left", "pan-up", "zoom-in"):
        motion = plan_motion(name, 30, *size, *out, (0.5, 0.5), 1, False)
        planes = load_planes(path, motion, *out)
        assert planes.size[0] >= out[0]
        assert planes.size[1] >= out[1]


def test_a_picture_of_another_shape_is_whole_over_a_dim_fill(tmp_path: Path) -> None:
    planes = loaded(saved(corners(), tmp_path / "a.png"), (90, 160))
    assert planes.size == (90, 160)
    middle = 0.42 * (160 - 50) / 160 + 25 / 160
    for (x, y), colour in zip(
        [(0.05, -0.1), (0.95, -0.1), (0.05, 0.1), (0.95, 0.1)], [RED, GREEN, BLUE, WHITE], strict=True
    ):
        assert_near(at(planes, x, middle + y), CODES[colour], 6)
    assert at(planes, 0.9, 0.95)[0] < 170
    assert at(planes, 0.1, 0.05)[2] > 180


def test_planes_are_made_once_and_again_when_the_file_changes(tmp_path: Path) -> None:
    path = saved(Image.new("RGB", (160, 90), RED), tmp_path / "a.png")
    first = loaded(path)
    assert loaded(path) is first
    saved(corners(), path)
    assert loaded(path) is not first


def test_a_large_photo_is_reduced_while_it_is_read(tmp_path: Path) -> None:
    path = saved(corners((6000, 4000)), tmp_path / "a.jpg")
    planes = load_planes(path, plan_motion("zoom-in", 180, 6000, 4000, *OUT, (0.5, 0.5), 1, False), *OUT)
    assert planes.size[0] < 3 * OUT[0]
    assert_near(at(planes, 0.25, 0.25), CODES[RED], 4)


# Errors


def png_header(width: int, height: int) -> bytes:
    data = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = struct.pack(">I", 13) + data + struct.pack(">I", zlib.crc32(data))
    empty = b"IDAT" + zlib.compress(b"")
    return (
        b"\x89PNG\r\n\x1a\n" + chunks + struct.pack(">I", len(empty) - 4) + empty + struct.pack(">I", zlib.crc32(empty))
    )


def noise(size: tuple[int, int]) -> Image.Image:
    return Image.fromarray(np.random.default_rng(1).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8))


def cut(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def test_what_cannot_be_shown_is_named_before_the_work(tmp_path: Path) -> None:
    bad: dict[str, str] = {}
    for ending in ("jpg", "png", "webp", "tif"):
        cut(saved(noise((200, 100)), tmp_path / f"cut.{ending}"))
        bad[f"cut.{ending}"] = "cut off" if ending == "jpg" else "damaged"
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("This is no picture at all.\n" * 50)
    (tmp_path / "bomb.png").write_bytes(png_header(50_000, 50_000))
    (tmp_path / "folder.png").mkdir()
    bad |= {
        "empty.jpg": "is empty",
        "text.jpg": "neither a picture nor a clip",
        "bomb.png": "too large: 50000 × 50000",
        "folder.png": "Cannot read folder.png",
        "none.png": "Cannot read none.png",
    }
    for name, said in bad.items():
        with pytest.raises(BriefError) as caught:
            inspect_visual(tmp_path / name)
        assert name in caught.value.message
        assert said in caught.value.message, name
        assert caught.value.hint


def test_damage_found_while_loading_is_a_clear_error(tmp_path: Path) -> None:
    path = saved(noise((200, 100)), tmp_path / "a.png")
    motion = held(path)
    cut(path)
    with pytest.raises(BriefError, match=r"a\.png is damaged"):
        load_planes(path, motion, *OUT)


# Clips


@pytest.fixture
def clip(tmp_path: Path) -> Callable[..., Path]:
    """Makes a clip whose picture number n is grey of level 20 + 10 n; `times` are the pictures' times in 1/30 s."""

    def make(name: str, times: list[int], *options: str, before: tuple[str, ...] = ()) -> Path:
        expression = "+".join(f"eq(N,{number})*{time}" for number, time in enumerate(times))
        path = tmp_path / name
        frames = b"".join(
            bytes([20 + 10 * number]) * (160 * 90) + bytes([128]) * (160 * 90 // 2) for number in range(len(times))
        )
        command = [str(ffmpeg_path()), "-v", "error", "-nostdin", *before]
        command += ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "160x90", "-r", "30", "-color_range", "tv"]
        command += ["-colorspace", "bt709", "-i", "pipe:0", "-vf", f"setpts='({expression})/30/TB'"]
        command += ["-fps_mode", "passthrough", "-colorspace", "bt709", "-color_range", "tv", *options, str(path)]
        subprocess.run(command, input=frames, check=True)
        return path

    return make


def shown(path: Path, frames: list[int], out: tuple[int, int] = OUT, fps: int = 30) -> list[int]:
    """The numbers of the clip's pictures that output frames show."""
    source = ClipSource(path, held(path, out), out, fps)
    try:
        return [round((float(np.median(source.at(frame).y)) - 20) / 10) for frame in frames]
    finally:
        source.close()


X264 = ("-c:v", "libx264", "-qp", "4", "-g", "5", "-bf", "2", "-video_track_timescale", "30")


def test_each_frame_shows_the_clips_picture_of_its_time(clip: Callable[..., Path]) -> None:
    path = clip("a.mp4", list(range(12)), *X264)
    assert inspect_visual(path)[:3] == ("clip", 160, 90)
    assert inspect_visual(path)[3] == pytest.approx(0.4)
    assert shown(path, list(range(12))) == list(range(12))
    assert shown(path, list(range(6)), fps=15) == [0, 2, 4, 6, 8, 10]
    assert shown(path, list(range(8)), fps=60) == [0, 0, 1, 1, 2, 2, 3, 3]


def test_a_short_clip_starts_again(clip: Callable[..., Path]) -> None:
    path = clip("a.mp4", list(range(6)), *X264)
    assert shown(path, list(range(14))) == [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 0, 1]


def test_uneven_picture_times_are_kept(clip: Callable[..., Path]) -> None:
    path = clip("a.mp4", [0, 1, 4, 5, 9, 10], *X264)
    assert shown(path, list(range(11))) == [0, 1, 1, 1, 2, 3, 3, 3, 3, 4, 5]


@pytest.mark.parametrize("ending", ["mp4", "mkv", "mov", "webm"])
def test_any_frame_is_the_same_from_wherever_one_starts(clip: Callable[..., Path], ending: str) -> None:
    codec = ("-c:v", "libvpx-vp9", "-crf", "10", "-g", "5") if ending == "webm" else X264
    path = clip(f"a.{ending}", list(range(12)), *codec)
    whole = shown(path, list(range(30)))
    assert whole[:12] == list(range(12))
    for start in (3, 7, 11, 12, 17):
        assert shown(path, list(range(start, 30))) == whole[start:]
    assert shown(path, [20, 4, 11, 0]) == [whole[frame] for frame in (20, 4, 11, 0)]


def test_a_clip_that_was_filmed_upright_is_turned(tmp_path: Path) -> None:
    upright = np.asarray(corners((90, 160)))
    stored = np.rot90(upright)
    command = [str(ffmpeg_path()), "-v", "error", "-nostdin", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "160x90"]
    command += ["-r", "10", "-i", "pipe:0", "-vf", "scale=out_color_matrix=bt709", "-colorspace", "bt709"]
    command += ["-c:v", "libx264", "-qp", "4", "-pix_fmt", "yuv420p", str(tmp_path / "stored.mp4")]
    subprocess.run(command, input=np.ascontiguousarray(stored).tobytes() * 3, check=True)
    path = tmp_path / "a.mp4"
    command = [str(ffmpeg_path()), "-v", "error", "-nostdin", "-display_rotation", "-90"]
    subprocess.run([*command, "-i", str(tmp_path / "stored.mp4"), "-c", "copy", str(path)], check=True)
    assert inspect_visual(path)[1:3] == (90, 160)
    source = ClipSource(path, held(path, (90, 160)), (90, 160), 10)
    planes = source.at(0)
    source.close()
    assert planes.size == (90, 160)
    for (x, y), colour in zip([(0.2, 0.2), (0.8, 0.2), (0.2, 0.8), (0.8, 0.8)], [RED, GREEN, BLUE, WHITE], strict=True):
        assert_near(at(planes, x, y), CODES[colour], 8)


def test_older_and_wider_colours_become_bt709(tmp_path: Path) -> None:
    for name, options in {
        "601": ["-vf", "scale=out_color_matrix=bt601:out_range=tv", "-colorspace", "smpte170m", "-color_range", "tv"],
        "untagged": ["-vf", "scale=out_color_matrix=bt601:out_range=tv"],
        "full": ["-vf", "scale=out_color_matrix=bt709:out_range=pc", "-colorspace", "bt709", "-color_range", "pc"],
    }.items():
        path = tmp_path / f"{name}.mp4"
        command = [str(ffmpeg_path()), "-v", "error", "-nostdin", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "160x90"]
        command += ["-r", "10", "-i", "pipe:0", *options, "-c:v", "libx264", "-qp", "4", "-pix_fmt", "yuv420p"]
        subprocess.run([*command, str(path)], input=np.asarray(corners()).tobytes() * 3, check=True)
        source = ClipSource(path, held(path), OUT, 10)
        planes = source.at(1)
        source.close()
        for (x, y), colour in zip([(0.2, 0.2), (0.8, 0.2), (0.2, 0.8)], [RED, GREEN, BLUE], strict=True):
            assert_near(at(planes, x, y), CODES[colour], 8)


def test_clips_that_cannot_be_shown_are_named(clip: Callable[..., Path], tmp_path: Path) -> None:
    command = [str(ffmpeg_path()), "-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc2=s=160x90:d=4"]
    whole = tmp_path / "whole.mp4"
    subprocess.run([*command, "-movflags", "+faststart", str(whole)], check=True)
    (tmp_path / "half.mp4").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(BriefError, match=r"half\.mp4 is cut off: it announces 4\.0 s"):
        inspect_visual(tmp_path / "half.mp4")
    (tmp_path / "head.mp4").write_bytes(clip("a.mp4", [0, 1, 2], *X264).read_bytes()[:200])
    with pytest.raises(BriefError, match=r"head\.mp4 is a damaged clip: it was cut off"):
        inspect_visual(tmp_path / "head.mp4")
    sound = tmp_path / "sound.mp4"
    subprocess.run([*command[:4], "-f", "lavfi", "-i", "sine=d=0.2", str(sound)], check=True)
    with pytest.raises(BriefError, match="no moving picture"):
        inspect_visual(sound)
