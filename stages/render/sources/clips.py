"""Video clips as scene visuals: the right picture of the clip for each output frame, whatever its frame rate.

Which one it is follows from the output frame's number alone, so slices of a scene agree with the whole.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import BriefError
from stages.render.motion import canvas_size
from stages.render.sources.clip_files import (
    ClipFacts,
    clip_facts,
    enter,
    is_counted_from_start,
    is_entered_at_start,
    opened,
    pictures,
    time_base,
)
from stages.render.sources.clip_frames import converted, has_alpha, on_ground, small_rgba, turned
from stages.render.sources.planes import Planes
from stages.render.sources.srgb import ground_for, over
from stages.render.specs import Motion

if TYPE_CHECKING:
    import numpy as np
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

# Matroska rounds times to a millisecond: a picture that is a hair late is on time.
_ROUNDED_S = Fraction(1, 500)
# The ground under transparent parts is chosen by so many small pictures of the whole clip.
_GROUND_MOMENTS, _GROUND_SIDE = 5, 64


def sample_pictures(path: Path, count: int, side: int) -> list[NDArray[np.uint8]]:
    """Pictures of a clip at `count` moments spread over it: upright, sRGB, the longer side about `side`. Raises BriefError."""
    facts = clip_facts(path)
    samples = _samples(path, facts, count, side)
    ground = ground_for(samples) if facts.has_alpha else (0, 0, 0)
    return [over(sample, ground) for sample in samples]


def _samples(path: Path, facts: ClipFacts, count: int, side: int) -> list[NDArray[np.uint8]]:
    """Small RGBA pictures: key pictures at or before their moments, so that hardly more is decoded than is taken."""
    scale = min(1.0, side / max(facts.width, facts.height))
    size = (_even(facts.width * scale), _even(facts.height * scale))
    with opened(path) as (container, stream):
        start = stream.start_time or 0
        moments = [start + int(facts.length * Fraction(2 * n + 1, 2 * count) / time_base(stream)) for n in range(count)]
        found: dict[int, NDArray[np.uint8]] = {}
        if is_entered_at_start(container):
            for frame in pictures(container, stream):
                for number, moment in enumerate(moments):
                    if (frame.pts or 0) <= moment:
                        found[number] = small_rgba(frame, size, facts.upright)
            return list(found.values())
        stream.codec_context.skip_frame = "NONKEY"
        for moment in moments:
            container.seek(moment, stream=stream, backward=True)
            key = next(pictures(container, stream), None)
            if key is not None and (key.pts or 0) not in found:
                found[key.pts or 0] = small_rgba(key, size, facts.upright)
    return list(found.values())


class ClipSource:
    """Canvases of a clip, one for each output frame. Close it after use."""

    def __init__(self, path: Path, motion: Motion, out: tuple[int, int], fps: int) -> None:
        self._path = path
        self._fps = fps
        facts = clip_facts(path)
        self._shown = (facts.width, facts.height)
        self._facts = facts
        self._ground: tuple[int, int, int] | None = None
        self.canvas = canvas_size(motion, *self._shown, *out)
        self._contained = motion.fit == "contain"
        self._stack = contextlib.ExitStack()
        self._open()
        self._base = time_base(self._stream)
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
                f"the clip cannot be decoded at {float(moment):.1f} s: {error}",
                hint="convert it to MP4 with H.264, then render the brief again",
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
        if not is_counted_from_start(self._container, self._stream):
            enter(self._container, self._stream, wanted)
            self._begin()
            if self._now is not None and _pts(self._now) <= wanted:
                return
        # An index that leads past the picture, or none: from the file's first byte, then.
        self._container.close()
        self._open()
        self._begin()

    def _open(self) -> None:
        self._container, self._stream = self._stack.enter_context(opened(self._path))
        self._stream.thread_type = "NONE"

    def _begin(self) -> None:
        self._frames = (frame for frame in pictures(self._container, self._stream) if frame.pts is not None)
        self._now, self._next = next(self._frames, None), next(self._frames, None)

    def _canvas_of(self, frame: VideoFrame) -> Planes:
        size = self._inner()
        if has_alpha(frame):
            frame = on_ground(frame, self._ground_colour())
        planes = turned(converted(frame, self._facts.upright.size(size)), self._facts.upright)
        if not self._contained:
            return planes
        from stages.render.sources.fill import over_fill

        return over_fill(planes, self.canvas)

    def _inner(self) -> tuple[int, int]:
        if not self._contained:
            return self.canvas
        from stages.render.sources.fill import inner_size

        return inner_size(self._shown, self.canvas)

    def _ground_colour(self) -> tuple[int, int, int]:
        """One for the whole clip, whichever of its frames are asked for."""
        if self._ground is None:
            self._ground = ground_for(_samples(self._path, self._facts, _GROUND_MOMENTS, _GROUND_SIDE))
        return self._ground


def _even(pixels: float) -> int:
    return max(2, round(pixels / 2) * 2)


def _pts(frame: VideoFrame) -> int:
    assert frame.pts is not None
    return frame.pts
