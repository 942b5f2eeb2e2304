"""What a media file really holds, read through PyAV: counts by packet, tags by codec, faults by decoding.

A container's own word is not taken where it can be counted: a stopped encoder leaves a short file that looks whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.errors import CheckFailedError

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_HINT = "framekeep resume"
# A fault is to be an error, not something to be painted over.
_STRICT = {"err_detect": "crccheck+bitstream+buffer+explode"}


@dataclass(frozen=True)
class ColourTags:
    """H.273 numbers: BT.709 is 1 and 2 is unknown. `range` is 1 for limited ("tv"), 2 for full and 0 for unknown."""

    primaries: int
    transfer: int
    matrix: int
    range: int


BT709 = ColourTags(1, 1, 1, 1)


@dataclass(frozen=True)
class VideoFacts:
    """The first video stream. `frames` are counted packets; `start_pts` and all times are in `time_base` units.

    `is_even` says that every frame lasts equally long.
    """

    frames: int
    width: int
    height: int
    fps: Fraction
    codec: str
    tag: str
    profile: str
    pix_fmt: str
    extradata: bytes
    start_pts: int
    duration_pts: int
    time_base: Fraction
    colour: ColourTags
    key_frames: int
    is_even: bool
    begins_with_key: bool = True

    @property
    def duration_s(self) -> Fraction:
        return self.duration_pts * self.time_base


@dataclass(frozen=True)
class AudioFacts:
    """The first audio stream. `samples` are those that a player presents: priming and padding do not count."""

    samples: int
    sample_rate_hz: int
    channels: int
    codec: str
    profile: str
    start_pts: int
    time_base: Fraction


class Fingerprint:
    """SHA-256 over packets: their order, their lengths and their bytes, so that no two series of packets share one."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, packet: Packet[Any]) -> None:
        self._hash.update(packet.size.to_bytes(8, "big"))
        self._hash.update(packet)

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


def probe_video(path: Path, on_packet: Callable[[Packet[Any]], None] = lambda packet: None) -> VideoFacts:
    """Read every packet of the first video stream, decoding none. Raises CheckFailedError."""
    with _opened(path) as container:
        stream = _video(container, path)
        context = stream.codec_context
        keys = 0
        begins_with_key = False
        times: list[int] = []
        end = 0
        for packet in _packets(container, stream, path):
            pts = packet.pts if packet.pts is not None else packet.dts
            if pts is None:
                raise CheckFailedError(f"{path.name}: frame {len(times) + 1} has no time stamp", hint=_HINT)
            begins_with_key |= packet.is_keyframe and not times
            times.append(pts)
            keys += packet.is_keyframe
            on_packet(packet)
            end = max(end, pts + (packet.duration or 0))
        if not times:
            raise CheckFailedError(f"{path.name} holds no frame", hint=_HINT)
        times.sort()
        return VideoFacts(
            frames=len(times),
            width=context.width,
            height=context.height,
            fps=Fraction(stream.average_rate or 0),
            codec=context.codec.canonical_name,
            tag=context.codec_tag,
            profile=str(context.profile or ""),
            pix_fmt=str(context.pix_fmt or ""),
            extradata=bytes(context.extradata or b""),
            start_pts=times[0],
            duration_pts=end - times[0],
            time_base=_time_base(stream),
            colour=ColourTags(
                int(context.color_primaries),
                int(context.color_trc),
                int(context.colorspace),
                int(context.color_range),
            ),
            key_frames=keys,
            is_even=len({after - before for before, after in pairwise([*times, end])}) == 1,
            begins_with_key=begins_with_key,
        )


def probe_audio(path: Path) -> AudioFacts:
    """Decode the first audio stream and count what its edit list lets through. Raises CheckFailedError."""
    with _opened(path) as container:
        stream = _audio(container, path)
        context = stream.codec_context
        context.options = _STRICT
        first: int | None = None
        samples = end = 0
        time_base = _time_base(stream)
        for packet in _packets(container, stream, path, flush=True):
            for frame in stream.codec_context.decode(packet):
                if first is None:
                    first = frame.pts or 0
                samples += frame.samples
                end = max(end, (frame.pts or 0) + round(frame.samples / (context.sample_rate * time_base)))
        if first is None:
            raise CheckFailedError(f"{path.name} holds no sound", hint=_HINT)
        # The demuxer drops priming by itself, but leaves the last packet's padding to the player.
        if stream.duration:
            samples -= max(0, round((end - first - stream.duration) * context.sample_rate * time_base))
        return AudioFacts(
            samples=samples,
            sample_rate_hz=context.sample_rate,
            channels=context.channels,
            codec=context.codec.canonical_name,
            profile=str(context.profile or ""),
            start_pts=first,
            time_base=time_base,
        )


def decode_all(
    path: Path,
    on_frame: Callable[[int], None] = lambda number: None,
    on_picture: Callable[[VideoFrame], None] = lambda picture: None,
    *,
    threads: int = 1,
) -> int:
    """Decode every stream to its end and return the number of pictures. Any fault raises CheckFailedError.

    Pictures are left unsmoothed, which costs a sixth less and finds the same faults: those are found where the codes are
    read. `threads` other than 1 decode frames side by side; 0 is one for each core.
    """
    from av.video.frame import VideoFrame

    with _opened(path) as container:
        streams = [stream for stream in container.streams if stream.type in ("video", "audio")]
        if not streams:
            raise CheckFailedError(f"{path.name} holds neither pictures nor sound", hint=_HINT)
        for stream in streams:
            stream.codec_context.options = _STRICT | ({"skip_loop_filter": "all"} if stream.type == "video" else {})
            stream.codec_context.thread_count = threads
            if threads != 1:
                stream.codec_context.thread_type = "AUTO"
        pictures = 0
        for packet in container.demux(streams):
            _refuse_corrupt(packet, path)
            for frame in packet.decode():
                if isinstance(frame, VideoFrame):
                    pictures += 1
                    if frame.is_corrupt:
                        raise CheckFailedError(f"{path.name}: picture {pictures} is damaged", hint=_HINT)
                    on_picture(frame)
                    on_frame(pictures)
        return pictures


@contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    """The file; whatever libav finds wrong with it becomes a CheckFailedError that names the file."""
    import av

    try:
        with av.open(str(path.absolute()), options={"err_detect": "explode"}) as container:
            yield container
    except av.FFmpegError as error:
        raise CheckFailedError(f"{path.name} cannot be read as media: {error.strerror or error}", hint=_HINT) from error


def _video(container: InputContainer, path: Path) -> VideoStream:
    if not container.streams.video:
        raise CheckFailedError(f"{path.name} holds no video stream", hint=_HINT)
    return container.streams.video[0]


def _audio(container: InputContainer, path: Path) -> AudioStream:
    if not container.streams.audio:
        raise CheckFailedError(f"{path.name} holds no audio stream", hint=_HINT)
    return container.streams.audio[0]


def _packets(
    container: InputContainer, stream: VideoStream | AudioStream, path: Path, *, flush: bool = False
) -> Iterator[Packet[Any]]:
    """The stream's packets; with `flush` also the empty one that makes the decoder give up what it holds."""
    for packet in container.demux(stream):
        _refuse_corrupt(packet, path)
        if packet.size or flush:
            yield packet


def _refuse_corrupt(packet: Packet[Any], path: Path) -> None:
    if packet.is_corrupt:
        raise CheckFailedError(f"{path.name}: the data ends or breaks in the middle of a packet", hint=_HINT)


def _time_base(stream: VideoStream | AudioStream) -> Fraction:
    return stream.time_base or Fraction(1, 1)
