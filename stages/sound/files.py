"""Sound of any file that FFmpeg reads, at 48 kHz, piece by piece, each at its place in time. What is damaged is passed over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from stages.sound.lengths import stated_seconds

if TYPE_CHECKING:
    import numpy as np
    from av.audio.frame import AudioFrame
    from av.audio.resampler import AudioResampler
    from av.container import InputContainer
    from numpy.typing import NDArray

    Samples = NDArray[np.floating[Any]]

SAMPLE_RATE_HZ = 48_000
# Times that are off by less are rounding; beyond it something is missing, or there twice.
_JUMP_S = 0.1
# What cannot be decoded there is a tag or the rest of a packet.
_ENDS_S = 0.5
# Padding of a codec and rounding; what is missing beyond it was cut off.
_MISSING_S = 0.25


class UnreadableSoundError(Exception):
    """The file is no sound, or has none in it."""


@dataclass
class SoundFile:
    """The first sound of a file. After `pieces`, `seconds` is its length and `damaged_s` where it could not be decoded.

    `precision` is that of the samples: `flt` or `dbl`.
    """

    path: Path
    precision: Literal["flt", "dbl"] = "flt"
    seconds: float = 0.0
    _broken_s: list[float] = field(default_factory=list)
    _stated_s: float | None = None

    @property
    def cut_from_s(self) -> float | None:
        """Seconds that the file says it has, where it ends before them; None for a whole one."""
        is_cut = self._stated_s is not None and self.seconds < self._stated_s - _MISSING_S
        return self._stated_s if is_cut else None

    @property
    def damaged_s(self) -> list[float]:
        """Seconds at which it is damaged, rising. What is wrong at its very ends does not count."""
        return [at for at in self._broken_s if _ENDS_S < at < self.seconds - _ENDS_S]

    def pieces(self, origin_s: float | None = None) -> Iterator[tuple[int, Samples]]:
        """Samples (n, channels) with the place of the first; one channel where the file has one, else two, mixed down from more.

        Place 0 is the first sample, or the file's own time `origin_s`: what lies before has a place below 0. Raises
        UnreadableSoundError.
        """
        import av

        try:
            with av.open(str(self.path), options={"protocol_whitelist": "file"}) as container:
                if not container.streams.audio:
                    raise UnreadableSoundError("it has no sound")
                self._stated_s = stated_seconds(self.path, container, container.streams.audio[0])
                yield from self._placed(self._frames(container), origin_s)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise UnreadableSoundError(getattr(error, "strerror", None) or str(error)) from error

    def _frames(self, container: InputContainer) -> Iterator[AudioFrame]:
        import av

        stream = container.streams.audio[0]
        had_any, last_error = False, None
        for packet in container.demux(stream):
            try:
                for frame in packet.decode():
                    had_any = True
                    yield frame
            except av.FFmpegError as error:
                last_error = error
                self._broken_s.append(self.seconds)
        if not had_any and last_error is not None:
            raise last_error

    def _placed(self, frames: Iterator[AudioFrame], origin_s: float | None) -> Iterator[tuple[int, Samples]]:
        resampler: AudioResampler | None = None
        shape: tuple[object, ...] = ()
        at = 0
        begun_s = origin_s
        for frame in frames:
            time_s = None if frame.pts is None or frame.time_base is None else float(frame.pts * frame.time_base)
            begun_s = (time_s or 0.0) if begun_s is None else begun_s
            found = (frame.format.name, frame.layout.name, frame.sample_rate)
            if resampler is None or found != shape:
                # Some streams change in the middle.
                if resampler is not None:
                    for piece in _samples(resampler, None):
                        yield at, piece
                        at += len(piece)
                resampler, shape = _resampler(frame, self.precision), found
                if time_s is not None and self.seconds == 0.0:
                    at = round((time_s - begun_s) * SAMPLE_RATE_HZ)
                    self.seconds = time_s - begun_s
            if origin_s is not None and time_s is not None and abs(time_s - begun_s - self.seconds) > _JUMP_S:
                for piece in _samples(resampler, None):
                    yield at, piece
                resampler = _resampler(frame, self.precision)
                self.seconds = time_s - begun_s
                at = round(self.seconds * SAMPLE_RATE_HZ)
            self.seconds += frame.samples / frame.sample_rate
            for piece in _samples(resampler, frame):
                yield at, piece
                at += len(piece)
        if resampler is not None:
            for piece in _samples(resampler, None):
                yield at, piece


def _resampler(frame: AudioFrame, precision: str) -> AudioResampler:
    import av

    layout = "mono" if frame.layout.nb_channels == 1 else "stereo"
    return av.AudioResampler(format=precision, layout=layout, rate=SAMPLE_RATE_HZ)


def _samples(resampler: AudioResampler, frame: AudioFrame | None) -> Iterator[Samples]:
    if frame is not None:
        # Times are ours to keep: the resampler would stumble over those that jump.
        frame.pts = None
    for piece in resampler.resample(frame):
        samples: NDArray[Any] = piece.to_ndarray()
        yield samples.reshape(-1, piece.layout.nb_channels)
