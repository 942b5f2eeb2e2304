"""Video clips as scene visuals: the right picture of the clip for each output frame, whatever its frame rate.

Which one it is follows from the output frame's number alone, so slices of a scene agree with the whole.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import BriefError
from stages.render.clip_frames import converted, small_rgb, square_size, turn_of, turned
from stages.render.hdr import TRANSFERS
from stages.render.models import Motion
from stages.render.motion import canvas_size
from stages.render.planes import Planes

if TYPE_CHECKING:
    import numpy as np
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

_REPLACE = "replace or convert it (MP4 with H.264 always works)"
_MOST_PIXELS = 8192 * 4320
# A file whose last picture comes this much before its announced end was cut off.
_MISSING_S = 1.0
# Demuxers that take single pictures or plain text: neither is a clip.
_NO_CLIPS = ("_pipe", "image2", "tty", "gif", "apng", "concat", "hls", "dash", "sdp", "lavfi", "webp")
# Matroska rounds times to a millisecond: a picture that is a hair late is on time.
_ROUNDED_S = Fraction(1, 500)
# Kinds of files without an index. Times just behind where such a file is entered are guesses, so that is done well before.
_UNINDEXED = ("mpeg", "mpegts")
_WELL_BEFORE_S = 3


@dataclass(frozen=True)
class ClipFacts:
    """Size as shown (turned upright, square pixels) and length in seconds; `turn` is the clockwise quarter turns to upright.

    `is_hdr`: its light is brought down to what a BT.709 screen shows.
    """

    width: int
    height: int
    length: Fraction
    turn: int
    is_hdr: bool = False


def clip_facts(path: Path) -> ClipFacts:
    """Read the clip's head and its end, decoding one picture. Raises BriefError."""
    with _opened(path) as (container, stream):
        first = next(container.decode(stream), None)
        if first is None:
            raise BriefError(f"{path.name} holds no picture that can be decoded", hint=_REPLACE)
        if first.width * first.height > _MOST_PIXELS:
            raise BriefError(
                f"{path.name} is too large: {first.width} × {first.height}", hint="make it smaller: 1080p or 4K"
            )
        length = _length(path, container, stream)
        if length <= 0:
            raise BriefError(f"{path.name} has no length", hint=_REPLACE)
        width, height = square_size(first, stream)
        turn = turn_of(first)
        if turn % 2:
            width, height = height, width
        return ClipFacts(width, height, length, turn, int(first.color_trc) in TRANSFERS)


def sample_pictures(path: Path, count: int, side: int) -> list[NDArray[np.uint8]]:
    """Pictures of a clip at `count` moments spread over it: upright, sRGB, the longer side about `side`. Raises BriefError.

    They are key pictures at or before these moments, so that hardly more is decoded than is taken.
    """
    facts = clip_facts(path)
    scale = min(1.0, side / max(facts.width, facts.height))
    size = (_even(facts.width * scale), _even(facts.height * scale))
    found: dict[int, NDArray[np.uint8]] = {}
    with _opened(path) as (container, stream):
        stream.codec_context.skip_frame = "NONKEY"
        start = stream.start_time or 0
        for number in range(count):
            moment = start + int(facts.length * Fraction(2 * number + 1, 2 * count) / _base(stream))
            container.seek(moment, stream=stream, backward=True)
            frame = next(container.decode(stream), None)
            if frame is not None:
                found.setdefault(frame.pts or 0, small_rgb(frame, size, facts.turn))
    return list(found.values())


class ClipSource:
    """Canvases of a clip, one for each output frame. Close it after use."""

    def __init__(self, path: Path, motion: Motion, out: tuple[int, int], fps: int) -> None:
        self._path = path
        self._fps = fps
        facts = clip_facts(path)
        self._shown = (facts.width, facts.height)
        self._turn = facts.turn
        self.canvas = canvas_size(motion, *self._shown, *out)
        self._contained = motion.fit == "contain"
        self._stack = contextlib.ExitStack()
        self._open()
        self._base = _base(self._stream)
        self._start = self._stream.start_time or 0
        self._length = facts.length
        self._frames: Iterator[VideoFrame] = iter(())
        self._now: VideoFrame | None = None
        self._next: VideoFrame | None = None
        self._shown_pts: int | None = None
        self._planes: Planes | None = None

    def at(self, frame: int) -> Planes:
        """The canvas at a scene frame; the clip starts again at its end. Raises BriefError for data that cannot be decoded."""
        import av

        moment = Fraction(frame, self._fps) % self._length
        wanted = self._start + int((moment + _ROUNDED_S) / self._base)
        try:
            picture = self._picture(wanted)
            if picture.pts != self._shown_pts or self._planes is None:
                self._planes = self._canvas_of(picture)
                self._shown_pts = picture.pts
        except (av.FFmpegError, ValueError) as error:
            raise BriefError(
                f"{self._path.name}: the clip cannot be decoded at {float(moment):.2f} s: {error}", hint=_REPLACE
            ) from error
        return self._planes

    def close(self) -> None:
        """Let go of the file."""
        self._stack.close()

    def _picture(self, wanted: int) -> VideoFrame:
        """The last picture whose time is not after `wanted`; the first one where there is none."""
        far = self._now is None or wanted < _pts(self._now) or (wanted - _pts(self._now)) * self._base > 5
        if far and not (self._next is None and self._now is not None and wanted >= _pts(self._now)):
            self._seek(wanted)
        while self._next is not None and _pts(self._next) <= wanted:
            self._now, self._next = self._next, next(self._frames, None)
        if self._now is None:
            raise ValueError("it holds no picture there")
        return self._now

    def _seek(self, wanted: int) -> None:
        self._container.seek(_entry(self._container, self._stream, wanted), stream=self._stream, backward=True)
        self._begin()
        if self._now is not None and _pts(self._now) <= wanted:
            return
        # An index that leads past the picture: from the file's first byte, then.
        self._container.close()
        self._open()
        self._begin()

    def _open(self) -> None:
        self._container, self._stream = self._stack.enter_context(_opened(self._path))
        self._stream.thread_type = "NONE"

    def _begin(self) -> None:
        self._frames = (frame for frame in self._container.decode(self._stream) if frame.pts is not None)
        self._now, self._next = next(self._frames, None), next(self._frames, None)

    def _canvas_of(self, frame: VideoFrame) -> Planes:
        size = self._inner()
        laid = (size[1], size[0]) if self._turn % 2 else size
        planes = turned(converted(frame, laid), self._turn)
        if not self._contained:
            return planes
        from stages.render.fill import over_fill

        return over_fill(planes, self.canvas)

    def _inner(self) -> tuple[int, int]:
        if not self._contained:
            return self.canvas
        from stages.render.fill import inner_size

        return inner_size(self._shown, self.canvas)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    import av
    from av.stream import Disposition

    try:
        if path.stat().st_size == 0:
            raise BriefError(f"{path.name} is empty", hint="replace it")
        container = av.open(str(path.absolute()), options={"protocol_whitelist": "file"})
    except (OSError, ValueError) as error:
        raise BriefError(f"{path.name} is neither a picture nor a clip that can be read", hint=_REPLACE) from error
    with container:
        if any(part in container.format.name for part in _NO_CLIPS):
            raise BriefError(f"{path.name} is neither a picture nor a clip that can be read", hint=_REPLACE)
        # Sound files carry their cover as a stream.
        moving = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
        if not moving:
            raise BriefError(f"{path.name} holds no moving picture", hint=_REPLACE)
        try:
            yield container, moving[0]
        except av.FFmpegError as error:
            raise BriefError(
                f"{path.name} is damaged or of a kind that cannot be decoded: {error.strerror or error}",
                hint=_REPLACE,
            ) from error


def _length(path: Path, container: InputContainer, stream: VideoStream) -> Fraction:
    """Seconds from the first picture to the end of the last, by the packets at the end: headers round, and count sound in."""
    base, start = _base(stream), stream.start_time or 0
    announced = stream.duration or 0
    seconds = announced * base or Fraction(container.duration or 0, 1_000_000)
    end = _last_end(container, stream, start + int(seconds / base))
    missing = (start + announced - end) * base
    if announced and missing > _MISSING_S and missing > seconds / 4:
        raise BriefError(
            f"{path.name} is cut off: it announces {float(seconds):.1f} s and ends at {float((end - start) * base):.1f} s",
            hint="copy or download it again",
        )
    return (end - start) * base


def _last_end(container: InputContainer, stream: VideoStream, near: int) -> int:
    """Where the last picture ends, in the stream's time base; `near` is a place not far before or behind it."""
    step = int(1 / stream.average_rate / _base(stream)) if stream.average_rate else 0
    start = last = stream.start_time or 0
    length = 0
    try:
        container.seek(_entry(container, stream, near), stream=stream, backward=True)
    except (OSError, ValueError):
        # Not every kind of file can be entered behind its last picture.
        container.seek(start, stream=stream, backward=True)
    for packet in container.demux(stream):
        if packet.pts is not None and packet.pts >= last:
            last, length = packet.pts, packet.duration or step
    return last + length


def _entry(container: InputContainer, stream: VideoStream, wanted: int) -> int:
    """Where to enter the file for the picture at `wanted`. A place before the first picture is the file's first byte."""
    if container.format.name in _UNINDEXED:
        return wanted - int(_WELL_BEFORE_S / _base(stream))
    return max(wanted, stream.start_time or 0)


def _even(pixels: float) -> int:
    return max(2, round(pixels / 2) * 2)


def _base(stream: VideoStream) -> Fraction:
    return stream.time_base or Fraction(1, 90_000)


def _pts(frame: VideoFrame) -> int:
    assert frame.pts is not None
    return frame.pts
