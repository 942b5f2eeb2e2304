"""A segment: its frames, its bytes, and what is checked before it counts."""

from __future__ import annotations

import hashlib
import subprocess
import threading
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from config.errors import BriefError, CancelledError, DiskFullError, TransientError
from stages.base import CancelToken, Context, P, T
from stages.models import MotionName, Picture
from stages.render.encoders.encoder import Encoder, Libx264
from stages.render.encoders.nv12 import blank_frame
from stages.render.ffmpeg.process import ffmpeg_path
from stages.render.frames.painter import Painter
from stages.render.frames.segment import render_segment
from stages.render.motion import affine_at, canvas_size, plan_motion
from stages.render.sources.probe import probe_video
from stages.render.specs import Cue, Encoding, Layer, Motion, SegmentSpec

SIZE = (160, 90)
ENCODING = Encoding(level="low", width=160, height=90, fps=30, bitrate_bps=400_000, preset="ultrafast", gop_s=0.5)
CUE = Cue(start=4, end=9, lines=("It’s 50% {\\an8}",))


class World:
    """A folder of pictures that stands in for the store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.scratch = folder / "scratch"
        self.scratch.mkdir()
        for name, seed in (("one", 1), ("two", 2)):
            noise = np.random.default_rng(seed).integers(0, 255, (60, 100, 3), dtype=np.uint8)
            soft = Image.fromarray(noise).filter(ImageFilter.GaussianBlur(2)).resize((320, 192))
            soft.save(folder / name, "png")

    def find(self, digest: str) -> Path:
        return self.folder / digest

    def layer(self, name: str = "one", motion: MotionName = "zoom-in", *, frames: int = 24, offset: int = 0) -> Layer:
        picture = Picture(kind="picture", digest=name, width=320, height=192)
        move = plan_motion(motion, frames, 320, 192, *SIZE, (0.5, 0.5), 1, False)
        return Layer(picture=picture, motion=move, offset=offset)

    def spec(self, *layers: Layer, frames: int = 24, cues: tuple[Cue, ...] = (), **encoding: Any) -> SegmentSpec:
        return SegmentSpec(
            kind="body" if len(layers) < 2 else "transition",
            frames=frames,
            layers=layers or (self.layer(frames=frames),),
            cues=cues,
            encoding=ENCODING.model_copy(update=encoding),
        )

    def painted(self, spec: SegmentSpec) -> list[NDArray[np.uint8]]:
        with Painter(spec, self.find) as painter:
            return [np.frombuffer(bytes(frame), np.uint8) for frame in painter.frames()]

    def context(self, **changes: Any) -> Context:
        return Context(scratch=self.scratch, artifact=self.find, **changes)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def luma(frame: NDArray[np.uint8]) -> NDArray[np.int16]:
    return frame[: SIZE[0] * SIZE[1]].reshape(SIZE[1], SIZE[0]).astype(np.int16)


def same(one: Sequence[NDArray[np.uint8]], other: Sequence[NDArray[np.uint8]]) -> bool:
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


# Painting


def test_a_scene_in_slices_is_frame_for_frame_the_scene_at_once(world: World) -> None:
    whole = world.painted(world.spec(cues=(CUE,)))
    first = world.spec(world.layer(), frames=7, cues=(CUE.model_copy(update={"end": 7}),))
    second = world.spec(world.layer(offset=7), frames=17, cues=(CUE.model_copy(update={"start": 0, "end": 2}),))
    assert same(whole, world.painted(first) + world.painted(second))
    assert len({frame.tobytes() for frame in whole}) == 24


def test_a_crossfade_goes_on_with_both_moves_and_repeats_neither_end(world: World) -> None:
    before = world.layer("one", offset=14)
    after = world.layer("two", "pan-left")
    faded = world.painted(world.spec(before, after, frames=9))
    one = world.painted(world.spec(before, frames=9))
    two = world.painted(world.spec(after, frames=9))
    for number, (mixed, a, b) in enumerate(zip(faded, one, two, strict=True)):
        share = (number + 1) / 10
        wanted = a * (1 - share) + b * share
        assert np.abs(mixed - wanted).max() <= 0.51
    assert not np.array_equal(faded[0], one[0])
    assert not np.array_equal(faded[-1], two[-1])


def test_captions_are_there_in_their_frames_and_change_nothing_else(world: World) -> None:
    bare, shown = world.painted(world.spec()), world.painted(world.spec(cues=(CUE,)))
    for number, (a, b) in enumerate(zip(bare, shown, strict=True)):
        changed = luma(a) != luma(b)
        assert changed.any() == (4 <= number < 9)
        assert not changed[:45].any()
    plate = luma(shown[5])[60:]
    assert plate.max() > luma(bare[5]).max() + 25
    assert (luma(bare[5])[60:] - plate).max() > 40


def test_caption_colours_are_exact_where_they_cover_all() -> None:
    from stages.render.captions import art
    from stages.render.frames import painter

    yellow = np.zeros((20, 40, 4), np.uint8)
    yellow[:] = (255, 209, 64, 255)
    bitmap = art.CaptionBitmap(0, 1, 60, 40, yellow)
    target = blank_frame(SIZE)
    target.whole[:] = 90
    painter._lay(painter._overlay(bitmap), target)
    assert target.y[50, 80] == round(16 + 219 * (0.2126 * 255 + 0.7152 * 209 + 0.0722 * 64) / 255)
    assert int(target.uv[25, 40, 0]) == pytest.approx(128 + 224 * (64 - 208.3) / 255 / 1.8556, abs=1)
    assert int(target.uv[25, 40, 1]) == pytest.approx(128 + 224 * (255 - 208.3) / 255 / 1.5748, abs=1)
    assert target.y[39, 59] == 90


def test_a_move_follows_its_path_to_a_hundredth_of_a_pixel(world: World) -> None:
    """Round spots of light are painted; their centres must lie where the closed form puts them."""
    out, picture = (480, 270), (1920, 1080)
    spots = np.array([(520.0, 300.0), (1400.0, 380.0), (960.0, 560.0), (560.0, 820.0), (1380.0, 760.0)])
    columns, rows = np.arange(picture[0]), np.arange(picture[1])
    light = np.zeros((picture[1], picture[0]), np.float32)
    for x, y in spots:
        light += np.outer(np.exp(-(((rows + 0.5 - y) / 20) ** 2)), np.exp(-(((columns + 0.5 - x) / 20) ** 2)))
    Image.fromarray((light * 200 + 20).astype(np.uint8)).convert("RGB").save(world.folder / "spots", "png")
    for name in ("zoom-in", "pan-right"):
        motion: Motion = plan_motion(name, 90, *picture, *out, (0.5, 0.5), 1, False)
        layer = Layer(picture=Picture(kind="picture", digest="spots", width=1920, height=1080), motion=motion, offset=0)
        spec = world.spec(layer, frames=90, width=out[0], height=out[1])
        canvas = canvas_size(motion, *picture, *out)
        errors = []
        for number, frame in enumerate(world.painted(spec)):
            seen = affine_at(motion, number, canvas, out, picture)
            grey = frame[: out[0] * out[1]].reshape(out[1], out[0]).astype(np.float64)
            for at in spots:
                x = (at[0] / picture[0] * canvas[0] - 0.5 - seen.x) / seen.scale_x
                y = (at[1] / picture[1] * canvas[1] - 0.5 - seen.y) / seen.scale_y
                box = grey[round(y) - 14 : round(y) + 15, round(x) - 14 : round(x) + 15] - grey.min()
                offsets = np.arange(-14, 15)
                errors.append(round(x) + (box.sum(0) * offsets).sum() / box.sum() - x)
                errors.append(round(y) + (box.sum(1) * offsets).sum() / box.sum() - y)
        assert float(np.sqrt(np.mean(np.square(errors)))) < 0.03


def test_a_frame_stays_as_it_is_while_the_next_one_is_painted(world: World) -> None:
    spec = world.spec(world.layer("one"), world.layer("two"), frames=5)
    whole = world.painted(spec)
    with Painter(spec, world.find) as painter:
        last: memoryview | None = None
        for number, frame in enumerate(painter.frames()):
            if last is not None:
                assert np.array_equal(np.frombuffer(last, np.uint8), whole[number - 1])
            last = frame
        assert last is not None
        assert np.array_equal(np.frombuffer(last, np.uint8), whole[-1])


# Encoding


def test_a_segment_holds_what_was_planned_and_is_tagged(world: World) -> None:
    path, facts = render_segment(world.spec(cues=(CUE,)), world.context(), (Libx264(),))
    found = probe_video(path)
    assert (facts.frames, facts.width, facts.height) == (found.frames, found.width, found.height) == (24, 160, 90)
    assert facts.bytes == path.stat().st_size
    assert facts.duration_s == pytest.approx(0.8)
    assert (found.fps, found.start_pts, found.time_base) == (Fraction(30), 0, Fraction(1, 90_000))
    assert (found.codec, found.profile, found.pix_fmt) == ("h264", "High", "yuv420p")
    assert (found.colour.primaries, found.colour.transfer, found.colour.matrix, found.colour.range) == (1, 1, 1, 1)
    # Two groups of half a second, each begun by a key frame.
    assert found.key_frames == 2
    assert [item.name for item in world.scratch.iterdir()] == [path.name]


def test_the_same_segment_is_the_same_bytes(world: World) -> None:
    digests = set()
    for _ in range(2):
        path, _facts = render_segment(world.spec(cues=(CUE,)), world.context(), (Libx264(),))
        digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(digests) == 1


def test_segments_of_an_export_can_be_joined(world: World) -> None:
    specs = [world.spec(), world.spec(world.layer(), world.layer("two"), frames=5), world.spec(frames=1)]
    extradata = set()
    for spec in specs:
        path, facts = render_segment(spec, world.context(), (Libx264(),))
        assert facts.frames == spec.frames
        extradata.add(probe_video(path).extradata)
    assert len(extradata) == 1


def test_what_is_decoded_is_what_was_painted(world: World) -> None:
    spec = world.spec(cues=(CUE,), crf=4, bitrate_bps=20_000_000)
    path, _facts = render_segment(spec, world.context(), (Libx264(),))
    command = [
        str(ffmpeg_path()),
        "-v",
        "error",
        "-nostdin",
        "-i",
        str(path),
        "-f",
        "rawvideo",
        "-pix_fmt",
        "nv12",
        "-",
    ]
    raw = np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, np.uint8)
    frames = raw.reshape(24, -1)
    for decoded, painted in zip(frames, world.painted(spec), strict=True):
        assert np.abs(decoded.astype(int) - painted).mean() < 1.5


def test_progress_reaches_the_end_and_never_goes_back(world: World) -> None:
    seen: list[tuple[int, int, str]] = []
    context = world.context(progress=lambda done, total, unit: seen.append((done, total, unit)))
    render_segment(world.spec(), context, (Libx264(),))
    assert seen[-1] == (24, 24, "frames")
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)


class Short(Libx264):
    """Leaves a valid file with fewer frames, with a zero exit code, the first `times` times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.calls = 0
        self._times = times

    def arguments(self, encoding: Encoding, out: Path) -> list[str]:
        arguments = super().arguments(encoding, out)
        self.calls += 1
        return [*arguments[:-1], "-frames:v", "9", arguments[-1]] if self.calls <= self._times else arguments


def test_a_short_segment_never_counts(world: World) -> None:
    # So few frames that all of them fit into the pipe: nothing but the count tells.
    with pytest.raises(TransientError) as caught:
        render_segment(world.spec(frames=12), world.context(), (Short(9),))
    assert "9 frames" in caught.value.message
    assert "12 frames" in caught.value.message or "exit code 0" in caught.value.message


def test_a_short_segment_is_rendered_again(world: World) -> None:
    def twice(operation: str, providers: Sequence[P], work: Callable[[P, CancelToken], T]) -> tuple[T, P]:
        with pytest.raises(TransientError):
            work(providers[0], CancelToken())
        return work(providers[0], CancelToken()), providers[0]

    encoder = Short(1)
    path, facts = render_segment(world.spec(frames=12), world.context(call=twice), (encoder,))
    assert encoder.calls == 2
    assert facts.frames == probe_video(path).frames == 12


class Elsewhere(Libx264):
    """Writes where there is never any room."""

    def arguments(self, encoding: Encoding, out: Path) -> list[str]:
        return [*super().arguments(encoding, out)[:-1], "-movflags", "frag_keyframe+empty_moov", "/dev/full"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_while_encoding_is_said_so(world: World) -> None:
    with pytest.raises(DiskFullError, match="a body segment of 300 frames"):
        render_segment(world.spec(frames=300), world.context(), (Elsewhere(),))


def test_a_damaged_picture_is_the_briefs_fault_not_the_encoders(world: World) -> None:
    whole = (world.folder / "one").read_bytes()
    (world.folder / "one").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BriefError, match="one is damaged"):
        render_segment(world.spec(), world.context(), (Libx264(),))
    assert list(world.scratch.iterdir()) == []


def test_painting_stops_when_it_is_told_to(world: World) -> None:
    token = CancelToken()
    begun = threading.Event()

    def cancelled(operation: str, providers: Sequence[P], work: Callable[[P, CancelToken], T]) -> tuple[T, P]:
        return work(providers[0], token), providers[0]

    def watch(done: int, total: int, unit: str) -> None:
        begun.set()

    def stop() -> None:
        begun.wait(20)
        token.cancel("the user stopped it")

    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(CancelledError, match="the user stopped it"):
        # An hour of frames: it can only end early.
        render_segment(world.spec(frames=108_000), world.context(call=cancelled, progress=watch), (Libx264(),))
    stopper.join()


def test_the_encoder_says_what_its_bytes_depend_on() -> None:
    encoder: Encoder = Libx264()
    assert set(encoder.identity()) == {"ffmpeg", "encoder"}
    arguments = encoder.arguments(ENCODING, Path("out.mp4"))
    assert arguments == encoder.arguments(ENCODING, Path("out.mp4"))
    assert arguments[arguments.index("-threads") + 1] == "1"
    # Raw frames without tags, or tagged on one side only, are silently converted.
    given = arguments[: arguments.index("-i")]
    assert given[given.index("-colorspace") + 1] == "bt709"
    assert given[given.index("-color_range") + 1] == "tv"


def test_a_clip_moves_through_slices_and_a_crossfade(world: World) -> None:
    command = [str(ffmpeg_path()), "-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=1"]
    subprocess.run([*command, "-g", "10", "-f", "mp4", str(world.folder / "clip")], check=True)
    motion = plan_motion("auto", 60, 160, 90, *SIZE, (0.5, 0.5), 1, False, is_clip=True)
    clip = Layer(picture=Picture(kind="clip", digest="clip", width=160, height=90), motion=motion, offset=0)
    whole = world.painted(world.spec(clip, frames=60))
    parts = [
        frame
        for start, end in ((0, 11), (11, 44), (44, 60))
        for frame in world.painted(world.spec(clip.model_copy(update={"offset": start}), frames=end - start))
    ]
    assert same(whole, parts)
    assert len({frame.tobytes() for frame in whole}) == 25
    assert np.array_equal(whole[0], whole[30])
    faded = world.painted(world.spec(clip, world.layer("two"), frames=6))
    assert len({frame.tobytes() for frame in faded}) == 6


class Filtered(Libx264):
    """Puts every frame through a filter on its way: what comes out is whole, and not what was painted."""

    def __init__(self, filters: str) -> None:
        super().__init__()
        self._filters = filters

    def arguments(self, encoding: Encoding, out: Path) -> list[str]:
        arguments = super().arguments(encoding, out)
        return [*arguments[:-1], "-vf", self._filters, arguments[-1]]


@pytest.mark.parametrize(
    ("filters", "says"),
    [
        ("lutyuv=y=16:u=128:v=128", "frame 1 is black, and is not meant to be"),
        ("lutyuv=y='if(eq(val,0),0,val)':u=0:v=0", "frame 1 is not the one that was painted"),
        ("hflip", "frame 1 is not the one that was painted"),
        ("loop=loop=23:size=1:start=0,trim=end_frame=24", "the picture stands still, and is meant to move"),
        ("lutyuv=enable='eq(n,20)':y=16", "frame 21 is black"),
    ],
)
def test_a_picture_that_is_not_the_painted_one_never_counts_though_it_decodes(
    world: World, filters: str, says: str
) -> None:
    lamp = np.full((192, 320, 3), 60, np.uint8)
    lamp[40:110, 60:150] = 220
    Image.fromarray(lamp).save(world.folder / "lamp", "png")
    spec = world.spec(world.layer("lamp", "pan-left"))
    assert render_segment(spec, world.context(), (Filtered("null"),))[1].frames == 24
    with pytest.raises(TransientError, match=says):
        render_segment(spec, world.context(), (Filtered(filters),))


def test_what_is_painted_black_or_still_may_be_so(world: World) -> None:
    Image.new("RGB", (320, 192)).save(world.folder / "dark", "png")
    faded = world.spec(world.layer("one"), world.layer("dark"), frames=12).model_copy(update={"blend": "fade"})
    for spec in (world.spec(world.layer("dark")), world.spec(world.layer("one", "hold")), faded):
        assert render_segment(spec, world.context(), (Libx264(),))[1].frames == spec.frames


@pytest.mark.parametrize("bitrate", [20_000, 400_000])
def test_a_poor_picture_is_still_the_painted_one(world: World, bitrate: int) -> None:
    noise = np.random.default_rng(4).integers(0, 255, (24, 40, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((320, 192), Image.Resampling.NEAREST).save(world.folder / "noise", "png")
    faded = world.spec(world.layer("noise"), world.layer("one", "pan-left"), frames=10, bitrate_bps=bitrate, crf=40)
    assert render_segment(faded, world.context(), (Libx264(),))[1].frames == 10
