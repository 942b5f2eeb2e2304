"""Clips of unusual light, fields and containers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from config.errors import BriefError
from stages.render.clips import ClipSource, clip_facts
from stages.render.motion import plan_motion
from stages.render.planes import Planes, inspect_visual
from stages.render.process import ffmpeg_path

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


def test_a_song_s_cover_is_no_clip(tmp_path: Path) -> None:
    Image.new("RGB", (32, 32), "teal").save(tmp_path / "cover.jpg")
    command = [*FFMPEG, "-f", "lavfi", "-i", "sine=d=0.2", "-i", str(tmp_path / "cover.jpg"), "-map", "0", "-map", "1"]
    command += ["-c:v", "copy", "-disposition:v:0", "attached_pic", str(tmp_path / "a.m4a")]
    subprocess.run(command, check=True)
    with pytest.raises(BriefError, match="no moving picture"):
        inspect_visual(tmp_path / "a.m4a")
