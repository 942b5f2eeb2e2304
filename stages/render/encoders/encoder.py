"""Encoders: who turns raw frames into a segment, and exactly how. This is what all share, and the one that works everywhere."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from config.codecs import Codec
from stages.base import Provider
from stages.render.encoders.nv12 import PIX_FMT
from stages.render.ffmpeg.process import ffmpeg_identity
from stages.render.specs import Encoding

# A multiple of every frame rate that is offered: no time stamp is rounded. The same for all segments, or they cannot be joined.
TIME_BASE_HZ = 90_000
_BT709 = {"color_primaries": "bt709", "color_trc": "bt709", "colorspace": "bt709", "color_range": "tv"}
# Raw frames carry no tags of their own: untagged ones are taken for something else and silently converted.
_TAGS = _BT709 | {"chroma_sample_location": "left"}
# The ceiling is held over two seconds, as the platforms' players buffer.
_BUFFER_S = 2.0


class Encoder(Provider):
    """Makes segments that can be joined by stream copy. `stall_timeout_s`: longest time without progress, 0 for no limit.

    `pix_fmt` is how the encoder wants its frames; `is_hardware` that it may be missing, may fail on this machine, and need
    not repeat its bytes.
    """

    codec: ClassVar[Codec] = "h264"
    is_hardware: ClassVar[bool] = False
    pix_fmt: ClassVar[str] = "yuv420p"

    def __init__(self, stall_timeout_s: float = 60.0) -> None:
        self.stall_timeout_s = stall_timeout_s

    def identity(self) -> dict[str, str]:
        return {"ffmpeg": ffmpeg_identity(), "encoder": self.name}

    @abstractmethod
    def options(self, encoding: Encoding) -> dict[str, Any]:
        """ffmpeg's output options for the codec, its quality and its key frames."""

    def device(self) -> tuple[str, ...]:
        """ffmpeg's global options that open what the encoder runs on."""
        return ()

    def arguments(self, encoding: Encoding, out: Path) -> list[str]:
        """ffmpeg's arguments (without the program) to encode raw frames (as in `frames`) from stdin into `out`.

        The same frames and the same arguments give the same bytes (of an encoder in software), and the first frame is a key
        frame.
        """
        import ffmpeg

        source = ffmpeg.input(
            "pipe:0",
            format="rawvideo",
            pixel_format=PIX_FMT,
            video_size=(encoding.width, encoding.height),
            framerate=encoding.fps,
            **_TAGS,
        )
        # ffmpeg-python writes keyword arguments in the order of their names: the same line every time.
        target = ffmpeg.output(
            source,
            str(out),
            format="mp4",
            pix_fmt=self.pix_fmt,
            video_track_timescale=TIME_BASE_HZ,
            fflags="+bitexact",
            **{"flags:v": "+bitexact+cgop", "fps_mode": "passthrough"},
            **_TAGS,
            **self.options(encoding),
        )
        arguments: Sequence[str] = ffmpeg.get_args(target)
        return [*self.device(), *arguments]


def ceiling(encoding: Encoding) -> dict[str, Any]:
    """The level's bit rate as what may not be passed."""
    return {"maxrate": encoding.bitrate_bps, "bufsize": round(encoding.bitrate_bps * _BUFFER_S)}


def group_frames(encoding: Encoding) -> int:
    """The length of a group of pictures."""
    return max(1, round(encoding.gop_s * encoding.fps))


class Libx264(Encoder):
    """H.264 in software: works everywhere."""

    name = "libx264"
    pix_fmt = PIX_FMT

    def options(self, encoding: Encoding) -> dict[str, Any]:
        """Constant quality below a ceiling; closed groups of pictures of fixed length; no B-frames, whose delay breaks joins."""
        return {
            "vcodec": "libx264",
            "preset": encoding.preset,
            "profile:v": "high",
            "crf": encoding.crf,
            "threads": encoding.threads,
            "g": group_frames(encoding),
            "bf": 0,
            # The fastest preset leaves 8x8 transforms out, and with them the High profile that is promised.
            "x264-params": "scenecut=0:open-gop=0:8x8dct=1",
            **ceiling(encoding),
        }
