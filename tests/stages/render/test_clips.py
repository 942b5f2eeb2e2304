"""Clips of unusual light, fields and containers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from config.errors import BriefError
from stages.render.ffmpeg.process import ffmpeg_path
from stages.render.motion import plan_motion
from stages.render.sources.clip_check import check_clip
from stages.render.sources.clip_files import clip_facts
from stages.render.sources.clips import ClipSource, sample_pictures
from stages.render.sources.planes import Planes, inspect_visual

FFMPEG = [str(ffmpeg_path()), "-v", "error", "-nostdin"]
X264 = ("-c:v", "libx264", "-qp", "4", "-g", "5", "-bf", "2")


def numbered(path: Path, count: int, *options: str) -> Path:
    """A clip of 30 frames a second whose picture number n is grey of level 20 + 10 n."""
    frames = b"".join(bytes([20 + 10 * number]) * (160 * 90) + bytes([128]) * (160 * 45) for number in range(count))
    command = [*FFMPEG, "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "160x90", "-r", "30", "-color_range", "tv"]
    command += ["-colorspace", "bt709", "-i", "pipe:0", "-colorspace", "bt709", *options, str(path)]
    subprocess.run(command, input=frames, check=True)
    return path


def planes_of(path: Path, frames: list[int], out: tuple[int, int] = (160, 90), fps: int = 30) -> list[Planes]:
    facts = clip_facts(path)
    motion = plan_motion("hold", 300, facts.width, facts.height, *out, (0.5, 0.5), 1, False, is_clip=True)
    source = ClipSource(path, motion, out, fps)
    try:
        return [source.at(frame) for frame in frames]
    finally:
        source.close()


def shown(path: Path, frames: list[int]) -> list[int]:
    return [round((float(np.median(planes.y)) - 20) / 10) for planes in planes_of(path, frames)]


@pytest.mark.parametrize("ending", ["ts", "mpg"])
def test_streams_without_an_index_are_shown_from_their_first_picture(tmp_path: Path, ending: str) -> None:
    codec = ("-c:v", "mpeg2video", "-qscale", "1", "-g", "5", "-bf", "2") if ending == "mpg" else X264
    path = numbered(tmp_path / f"a.{ending}", 12, *codec, "-output_ts_offset", "60")
    whole = shown(path, list(range(26)))
    assert whole[:12] == list(range(12))
    assert whole[12:24] == list(range(12))
    assert shown(path, [9, 10, 25, 3, 0]) == [whole[frame] for frame in (9, 10, 25, 3, 0)]


@pytest.mark.parametrize(("ending", "codec"), [("mp4", X264), ("mkv", ("-c:v", "ffv1"))])
def test_one_picture_is_a_clip_that_stands_still(tmp_path: Path, ending: str, codec: tuple[str, ...]) -> None:
    assert shown(numbered(tmp_path / f"a.{ending}", 1, *codec), list(range(5))) == [0] * 5


def test_sound_longer_than_the_pictures_does_not_lengthen_a_clip(tmp_path: Path) -> None:
    silent = numbered(tmp_path / "silent.mp4", 6, *X264)
    path = tmp_path / "a.mp4"
    command = [*FFMPEG, "-i", str(silent), "-f", "lavfi", "-i", "sine=d=2", "-c:v", "copy", "-c:a", "aac", str(path)]
    subprocess.run(command, check=True)
    assert shown(path, list(range(8))) == [0, 1, 2, 3, 4, 5, 0, 1]


def test_of_an_interlaced_clip_each_frame_is_one_moment(tmp_path: Path) -> None:
    """A white bar that jumps from field to field: of two moments at once it would leave a comb."""
    width, height = 160, 96
    frames = b""
    for number in range(6):
        frame = np.full((height, width), 16, np.uint8)
        frame[0::2, 8 * number : 8 * number + 24] = 235
        frame[1::2, 8 * number + 40 : 8 * number + 64] = 235
        frames += frame.tobytes() + bytes([128]) * (width * height // 2)
    path = tmp_path / "a.mp4"
    command = [*FFMPEG, "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{width}x{height}", "-r", "10", "-i", "pipe:0"]
    command += ["-vf", "setfield=tff", "-c:v", "libx264", "-qp", "2", "-flags", "+ildct+ilme", str(path)]
    subprocess.run(command, input=frames, check=True)
    (planes,) = planes_of(path, [2], (width, height), 10)
    y = planes.y.astype(int)
    assert y.shape == (height, width)
    assert y[48, 20:36].min() > 200
    assert y[48, 60:76].max() < 40
    assert abs(y[1:] - y[:-1]).max() < 20


def hdr_clip(path: Path, light: NDArray[np.float64], transfer: str, header: str = "") -> Path:
    """Patches in a row, given in nits of BT.709 primaries, as PQ or HLG in BT.2020."""
    nits = light @ np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.088, 0.8956]]).T
    weights = np.array([0.2627, 0.678, 0.0593])
    if transfer == "smpte2084":
        power = (nits / 10_000) ** (2610 / 16384)
        signal = ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)
    else:
        screen = (np.maximum(nits @ weights, 1e-6) / 1000) ** (1 / 1.2)
        scene = nits / 1000 / screen[:, None] ** 0.2
        high = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
        signal = np.where(scene <= 1 / 12, np.sqrt(3 * scene), high)
    luma = signal @ weights
    chroma = [(signal[:, 2] - luma) / 1.8814, (signal[:, 0] - luma) / 1.4746]
    planes = [np.rint(64 + 876 * luma)[None].repeat(32, 0).repeat(16, 1)]
    planes += [np.rint(512 + 896 * plane)[None].repeat(16, 0).repeat(8, 1) for plane in chroma]
    tags = ["-color_primaries", "bt2020", "-color_trc", transfer, "-colorspace", "bt2020nc", "-color_range", "tv"]
    command = [*FFMPEG, "-f", "rawvideo", "-pix_fmt", "yuv420p10le", "-s", f"{16 * len(light)}x32", "-r", "10", *tags]
    command += ["-i", "pipe:0", "-c:v", "libx265", "-x265-params", f"log-level=error:qp=2{header}", *tags, str(path)]
    subprocess.run(command, input=b"".join(plane.astype("<u2").tobytes() for plane in planes) * 2, check=True)
    return path


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_hdr_clips_look_as_bright_as_others(tmp_path: Path, transfer: str) -> None:
    greys = [0, 5, 20, 50, 100, 203, 300, 1000]
    light = np.array([[value] * 3 for value in greys] + [[100, 0, 0], [0, 100, 0]], np.float64)
    path = hdr_clip(tmp_path / "a.mp4", light, transfer)
    assert clip_facts(path).is_hdr
    (planes,) = planes_of(path, [0], (160, 32), 10)
    found = [(int(planes.y[16, 8 + 16 * patch]), *map(int, planes.uv[8, 4 + 8 * patch])) for patch in range(10)]
    # Below the shoulder, what a screen of gamma 2.4 shows for light in parts of paper white.
    for seen, nits in zip(found[:5], greys, strict=False):
        assert seen == pytest.approx((16 + 219 * (nits / 203) ** (1 / 2.4), 128, 128), abs=3)
    assert 210 < found[5][0] < found[6][0] < found[7][0] <= 235
    part = (100 / 203) ** (1 / 2.4)
    for seen, full in zip(found[8:], [(102, 240), (42, 26)], strict=True):
        assert seen[1:] == pytest.approx([128 + (code - 128) * part for code in full], abs=12)


def test_what_an_hdr_clip_s_header_announces_does_not_darken_it(tmp_path: Path) -> None:
    light = np.full((10, 3), 100.0)
    header = (
        ":hdr10=1:max-cll=4000,400:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(40000000,1)"
    )
    plain = hdr_clip(tmp_path / "a.mp4", light, "smpte2084")
    announced = hdr_clip(tmp_path / "b.mp4", light, "smpte2084", header)
    levels = [int(np.median(planes_of(path, [0], (160, 32), 10)[0].y)) for path in (plain, announced)]
    assert abs(levels[0] - levels[1]) <= 1


def test_a_hole_in_a_clip_is_found_before_it_is_shown(tmp_path: Path) -> None:
    path = holed(noisy(tmp_path / "hole.mp4", *X264))
    with pytest.raises(BriefError, match=r"^hole\.mp4 is damaged at 0\.[4-9] s$") as caught:
        check_clip(path, 10.0)
    assert "ffmpeg -i hole.mp4" in caught.value.hint
    # What is never shown may be as it likes.
    check_clip(path, 0.3)
    with pytest.raises(BriefError, match=r"the clip cannot be decoded at 0\.[4-9] s"):
        planes_of(path, list(range(0, 40, 4)))


def test_what_is_wrong_at_a_clip_s_very_end_does_not_count(tmp_path: Path) -> None:
    path = noisy(tmp_path / "a.mkv", *X264)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - 1200])
    check_clip(path, 10.0)
    assert len(planes_of(path, [0, 20, 38])) == 3


def test_a_clip_that_was_cut_off_is_said_to_be(tmp_path: Path) -> None:
    command = [*FFMPEG, "-f", "lavfi", "-i", "testsrc=s=320x180:r=30:d=6", "-f", "lavfi", "-i", "sine=d=6", *X264]
    for ending, said in (("mkv", "is cut off: it announces 6.0 s"), ("mp4", "damaged clip: it was cut off")):
        path = tmp_path / f"a.{ending}"
        subprocess.run([*command, "-c:a", "aac", str(path)], check=True)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(BriefError, match=said) as caught:
            inspect_visual(path)
        assert caught.value.hint == "copy or download it again"


def noisy(path: Path, *options: str) -> Path:
    """40 frames in which every byte counts."""
    frames = np.random.default_rng(1).integers(16, 235, 40 * 64 * 48 * 3 // 2, dtype=np.uint8).tobytes()
    command = [*FFMPEG, "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "64x48", "-r", "30", "-i", "pipe:0", *options]
    subprocess.run([*command, str(path)], input=frames, check=True)
    return path


def holed(path: Path) -> Path:
    """A file whose middle a failing card has filled with zeros."""
    data = path.read_bytes()
    middle = len(data) // 2
    path.write_bytes(data[:middle] + bytes(8000) + data[middle + 8000 :])
    return path


# As in pictures: where red, green, blue and black corners come to stand.
MATRICES = [
    ((), "RGBK"),
    (("-display_hflip",), "GRKB"),
    (("-display_rotation", "180"), "KBGR"),
    (("-display_vflip",), "BKRG"),
    (("-display_rotation", "270", "-display_hflip"), "RBGK"),
    (("-display_rotation", "270"), "BRKG"),
    (("-display_rotation", "90", "-display_hflip"), "KGBR"),
    (("-display_rotation", "90"), "GKRB"),
]


@pytest.mark.parametrize(("matrix", "wanted"), MATRICES)
def test_a_clip_is_turned_and_mirrored_as_its_display_matrix_says(
    tmp_path: Path, matrix: tuple[str, ...], wanted: str
) -> None:
    image = Image.new("RGB", (2, 2))
    for at, colour in (((0, 0), (255, 0, 0)), ((1, 0), (0, 255, 0)), ((0, 1), (0, 0, 255))):
        image.putpixel(at, colour)
    image.resize((64, 32), Image.Resampling.NEAREST).save(tmp_path / "a.png")
    stored, path = tmp_path / "stored.mp4", tmp_path / "a.mp4"
    command = [*FFMPEG, "-loop", "1", "-framerate", "10", "-t", "0.3", "-i", str(tmp_path / "a.png")]
    subprocess.run([*command, *X264, "-pix_fmt", "yuv420p", str(stored)], check=True)
    subprocess.run([*FFMPEG, *matrix, "-i", str(stored), "-c", "copy", str(path)], check=True)
    size = (32, 64) if wanted in ("RBGK", "BRKG", "KGBR", "GKRB") else (64, 32)
    assert inspect_visual(path)[1:3] == size
    (planes,) = planes_of(path, [1], size, 10)
    assert seen_corners(planes) == wanted
    (picture,) = sample_pictures(path, 1, 64)
    assert picture.shape[1::-1] == size


def as_rgb(planes: Planes) -> NDArray[np.float64]:
    y, (cb, cr) = (
        planes.y.astype(float) - 16,
        np.moveaxis(planes.uv.repeat(2, 0).repeat(2, 1).astype(float) - 128, 2, 0),
    )
    luma = y * 255 / 219
    cb, cr = cb * 255 / 224, cr * 255 / 224
    return np.stack([luma + 1.5748 * cr, luma - 0.1873 * cb - 0.4681 * cr, luma + 1.8556 * cb], -1)


def seen_corners(planes: Planes) -> str:
    rgb = as_rgb(planes)
    height, width = rgb.shape[:2]
    return "".join(
        "K" if rgb[y, x].max() < 80 else "RGB"[int(rgb[y, x].argmax())]
        for y in (height // 4, 3 * height // 4)
        for x in (width // 4, 3 * width // 4)
    )


TRANSPARENT = {
    "vp9.webm": ("-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p", "-b:v", "2M"),
    "vp8.webm": ("-c:v", "libvpx", "-pix_fmt", "yuva420p", "-auto-alt-ref", "0", "-b:v", "2M"),
    "prores.mov": ("-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le"),
    "png.mov": ("-c:v", "png", "-pix_fmt", "rgba"),
    "animation.mov": ("-c:v", "qtrle", "-pix_fmt", "argb"),
}


@pytest.mark.parametrize(("colour", "ground"), [((120, 20, 20), (244, 243, 240)), ((255, 230, 200), (24, 25, 28))])
@pytest.mark.parametrize("name", TRANSPARENT)
def test_transparent_parts_of_a_clip_get_the_ground_that_pictures_get(
    tmp_path: Path, name: str, colour: tuple[int, int, int], ground: tuple[int, int, int]
) -> None:
    image = Image.new("RGBA", (64, 32), (0, 0, 0, 0))
    image.paste((*colour, 255), (16, 8, 48, 24))
    image.save(tmp_path / "a.png")
    path = tmp_path / name
    command = [*FFMPEG, "-loop", "1", "-framerate", "10", "-t", "0.5", "-i", str(tmp_path / "a.png")]
    subprocess.run([*command, *TRANSPARENT[name], str(path)], check=True)
    (planes,) = planes_of(path, [3], (64, 32), 10)
    rgb = as_rgb(planes)
    assert rgb[2, 2] == pytest.approx(ground, abs=4)
    assert rgb[16, 32] == pytest.approx(colour, abs=8)


@pytest.mark.parametrize("ending", ["gif", "png"])
def test_animated_pictures_move_over_their_ground(tmp_path: Path, ending: str) -> None:
    frames = []
    for number in range(6):
        frames.append(Image.new("RGBA", (64, 32), (0, 0, 0, 0)))
        frames[-1].paste((120, 20, 20, 255), (8 * number, 8, 8 * number + 16, 24))
    path = tmp_path / f"a.{ending}"
    frames[0].save(
        path, save_all=True, append_images=frames[1:], duration=100, loop=0, disposal=2 if ending == "gif" else 1
    )
    kind, width, height, seconds = inspect_visual(path)
    assert (kind, width, height) == ("clip", 64, 32)
    assert seconds == pytest.approx(0.6)
    shown_at = [5, 0, 3, 8]
    for frame, planes in zip(shown_at, planes_of(path, shown_at, (64, 32), 10), strict=True):
        rgb = as_rgb(planes)
        if ending == "gif":
            assert rgb[2, 2] == pytest.approx((244, 243, 240), abs=4)
        red = np.flatnonzero((rgb[16, :, 0] < 180) & (rgb[16, :, 1] < 100))
        assert red[-1] == pytest.approx(8 * (frame % 6) + 15, abs=1)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("xvid.avi", ("-c:v", "mpeg4", "-bf", "2", "-q:v", "1", "-g", "6")),
        ("b-frames.avi", X264),
        ("webcam.avi", ("-c:v", "mjpeg", "-q:v", "1", "-pix_fmt", "yuvj420p")),
        ("a.wmv", ("-c:v", "wmv2", "-q:v", "1", "-g", "6")),
        ("a.flv", X264),
        ("a.m4v", X264),
        ("a.3gp", X264),
        ("a.mkv", X264),
        ("live.webm", ("-c:v", "libvpx", "-b:v", "4M", "-g", "6", "-live", "1")),
    ],
)
def test_clips_of_all_kinds_show_each_picture_in_its_place(tmp_path: Path, name: str, codec: tuple[str, ...]) -> None:
    path = numbered(tmp_path / name, 12, *codec)
    assert shown(path, [0, 3, 6, 11, 5, 13, 2]) == [0, 3, 6, 11, 5, 1, 2]
    assert clip_facts(path).length == pytest.approx(0.4, abs=0.002)


def test_a_song_s_cover_is_no_clip(tmp_path: Path) -> None:
    Image.new("RGB", (32, 32), "teal").save(tmp_path / "cover.jpg")
    command = [*FFMPEG, "-f", "lavfi", "-i", "sine=d=0.2", "-i", str(tmp_path / "cover.jpg"), "-map", "0", "-map", "1"]
    command += ["-c:v", "copy", "-disposition:v:0", "attached_pic", str(tmp_path / "a.m4a")]
    subprocess.run(command, check=True)
    with pytest.raises(BriefError, match="no moving picture"):
        inspect_visual(tmp_path / "a.m4a")
