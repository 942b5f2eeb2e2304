"""Files of moving pictures: opened, their facts read, their pictures decoded in order, and damage found."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.errors import BriefError
from stages.render.sources.clip_frames import AS_STORED, Upright, has_alpha, square_size, upright_of
from stages.render.sources.hdr import TRANSFERS

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

REPLACE = "copy it again, or convert it: ffmpeg -i {name} -c:v libx264 -c:a aac new.mp4"
_MOST_PIXELS = 8192 * 4320
# A file whose last picture comes this much before its announced end was cut off.
_MISSING_S = 1.0
_COPY_AGAIN = "copy or download it again"
_CLIP_MARKS = ((4, b"ftyp"), (0, b"\x1a\x45\xdf\xa3"), (0, b"RIFF"), (0, b"\x30\x26\xb2\x75"), (0, b"FLV"))
# Demuxers that take single pictures or plain text: neither is a clip.
_NO_CLIPS = ("_pipe", "image2", "tty", "concat", "hls", "dash", "sdp", "lavfi", "webp")
# Kinds of files without an index. Times just behind where such a file is entered are guesses, so that is done well before.
_UNINDEXED = ("mpeg", "mpegts")
_WELL_BEFORE_S = 3
# Each picture of these is drawn over the one before: they are entered at their beginning only.
_FROM_START = ("gif", "apng")
# These number their pictures in the order of decoding, which is not that of showing.
_IN_DECODING_ORDER = ("avi",)
# What cannot be decoded so close to the end was cut off there: the picture before it stands.
ENDS_S = 0.5
# WebM keeps transparency beside the pictures, and only these decoders read it.
_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}


@dataclass(frozen=True)
class ClipFacts:
    """Size as shown (upright, square pixels), length in seconds, and what turns a stored picture upright.

    `is_hdr`: its light is brought down to what a BT.709 screen shows. `has_alpha`: parts may be transparent.
    """

    width: int
    height: int
    length: Fraction
    upright: Upright = AS_STORED
    is_hdr: bool = False
    has_alpha: bool = False


def clip_facts(path: Path) -> ClipFacts:
    """Read the clip's head and its end, decoding one picture. Raises BriefError."""
    with opened(path) as (container, stream):
        first = next(pictures(container, stream), None)
        if first is None:
            raise BriefError(f"{path.name} holds no picture that can be decoded", hint=replace_hint(path))
        if first.width * first.height > _MOST_PIXELS:
            raise BriefError(
                f"{path.name} is too large: {first.width} × {first.height}", hint="make it smaller: 1080p or 4K"
            )
        length = _length(path, container, stream)
        if length <= 0:
            raise BriefError(f"{path.name} has no length", hint=replace_hint(path))
        upright = upright_of(first)
        width, height = upright.size(square_size(first, stream))
        return ClipFacts(width, height, length, upright, int(first.color_trc) in TRANSFERS, has_alpha(first))


def replace_hint(path: Path) -> str:
    """What to do about a clip that cannot be used."""
    import shlex

    return REPLACE.format(name=shlex.quote(path.name))


def pictures(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """All pictures from where the file stands, their transparency too.

    What cannot be decoded before the first of them, or at the file's very end, is passed over, as players do.
    Raises av.FFmpegError for damage between.
    """
    import av

    decoder = _alpha_decoder(stream) or stream.codec_context
    renumbers = container.format.name in _IN_DECODING_ORDER
    end = (stream.start_time or 0) + (stream.duration or 0)
    times: deque[int] = deque()
    has_begun = False
    # The last packet is empty: the decoder gives what it still holds.
    for packet in container.demux(stream):
        if packet.size and packet.dts is not None:
            times.append(packet.dts)
        try:
            frames = decoder.decode(packet)
        except av.FFmpegError:
            is_tail = packet.pts is None or (end and (end - packet.pts) * time_base(stream) < ENDS_S)
            if has_begun and not is_tail:
                raise
            continue
        for frame in frames:
            # They come out in the order of showing: each takes the next of the times that its file has.
            frame.pts = times.popleft() if renumbers and times else frame.pts
            has_begun = True
            yield frame


def _alpha_decoder(stream: VideoStream) -> VideoCodecContext | None:
    import av

    name = _ALPHA_DECODERS.get(stream.codec_context.name, "")
    tags = {key.lower(): value for key, value in stream.metadata.items()}
    if not name or tags.get("alpha_mode") != "1" or name not in av.codecs_available:
        return None
    decoder: Any = av.CodecContext.create(name, "r")
    decoder.extradata = stream.codec_context.extradata
    decoder.thread_count = 1
    return decoder  # type: ignore[no-any-return]


def enter(container: InputContainer, stream: VideoStream, wanted: int) -> None:
    """Go to where the picture at `wanted` (in the stream's time base) can be decoded from. Raises OSError or ValueError."""
    start = stream.start_time or 0
    place = max(wanted, start)
    if container.format.name in _UNINDEXED:
        place = wanted - int(_WELL_BEFORE_S / time_base(stream))
    elif is_entered_at_start(container):
        place = start
    container.seek(place, stream=stream, backward=True)


def is_entered_at_start(container: InputContainer) -> bool:
    """Whether every picture needs all before it."""
    return container.format.name in _FROM_START


def is_counted_from_start(container: InputContainer, stream: VideoStream) -> bool:
    """Whether a picture's time is known only by counting from the first one."""
    return is_entered_at_start(container) or (
        container.format.name in _IN_DECODING_ORDER and bool(stream.codec_context.has_b_frames)
    )


def time_base(stream: VideoStream) -> Fraction:
    return stream.time_base or Fraction(1, 90_000)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The file and its moving picture; whatever libav finds wrong with it becomes a BriefError that names the file."""
    import av
    from av.stream import Disposition

    try:
        if path.stat().st_size == 0:
            raise BriefError(f"{path.name} is empty", hint="replace it")
        container = av.open(str(path.absolute()), options={"protocol_whitelist": "file"})
    except (OSError, ValueError) as error:
        raise _no_clip(path) from error
    with container:
        if any(part in container.format.name for part in _NO_CLIPS):
            raise _no_clip(path)
        # Sound files carry their cover as a stream.
        moving = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
        if not moving:
            raise BriefError(f"{path.name} holds no moving picture", hint="name a picture or clip")
        try:
            yield container, moving[0]
        except av.FFmpegError as error:
            raise BriefError(
                f"{path.name} is damaged or of a kind that cannot be decoded: {error.strerror or error}",
                hint=replace_hint(path),
            ) from error


def _no_clip(path: Path) -> BriefError:
    with path.open("rb") as file:
        head = file.read(16)
    if any(head[at:].startswith(mark) for at, mark in _CLIP_MARKS):
        return BriefError(
            f"{path.name} is a damaged clip: it was cut off, or its recording never finished", hint=_COPY_AGAIN
        )
    return BriefError(
        f"{path.name} is neither a picture nor a clip that can be read",
        hint="see whether it opens elsewhere, and save it from there as JPEG, PNG or MP4",
    )


def _length(path: Path, container: InputContainer, stream: VideoStream) -> Fraction:
    """Seconds from the first picture to the end of the last, by the packets at the end: headers round, and count sound in."""
    base, start = time_base(stream), stream.start_time or 0
    announced = stream.duration or 0
    seconds = announced * base or Fraction(container.duration or 0, 1_000_000)
    end = _last_end(container, stream, start + int(seconds / base))
    ends_s = (end - start) * base
    missing_s = seconds - ends_s
    if missing_s > _MISSING_S and missing_s > seconds / 4 and (announced or _is_short(container, seconds)):
        raise BriefError(
            f"{path.name} is cut off: it announces {float(seconds):.1f} s and ends at {float(ends_s):.1f} s",
            hint=_COPY_AGAIN,
        )
    return ends_s


def _is_short(container: InputContainer, seconds: Fraction) -> bool:
    """Whether all that is in a file ends well before its announced end: its sound may be longer than its pictures."""
    container.seek(0)
    last_s = 0.0
    for packet in container.demux():
        if packet.pts is not None and packet.time_base:
            last_s = max(last_s, float(packet.pts * packet.time_base))
    return last_s < seconds - _MISSING_S


def _last_end(container: InputContainer, stream: VideoStream, near: int) -> int:
    """Where the last picture ends, in the stream's time base; `near` is a place not far before or behind it."""
    step = int(1 / stream.average_rate / time_base(stream)) if stream.average_rate else 0
    start = stream.start_time or 0
    try:
        enter(container, stream, near)
    except (OSError, ValueError):
        # Not every kind of file can be entered behind its last picture.
        container.seek(start, stream=stream, backward=True)
    if (end := _end_from_here(container, stream, step)) is not None:
        return end
    # Entered behind its last picture: from the first one, then.
    container.seek(start, stream=stream, backward=True)
    return _end_from_here(container, stream, step) or start


def _end_from_here(container: InputContainer, stream: VideoStream, step: int) -> int | None:
    """Where the last picture from the present place on ends; None where there is none. `step` is a picture's usual length."""
    decoded = container.format.name in _IN_DECODING_ORDER
    times = [(packet.dts if decoded else packet.pts, packet.duration or step) for packet in container.demux(stream)]
    ends = [(time, time + length) for time, length in times if time is not None]
    return max(ends)[1] if ends else None
