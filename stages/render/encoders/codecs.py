"""What a codec looks like in an mp4 file when it is made as promised."""

from __future__ import annotations

from dataclasses import dataclass

from config.codecs import Codec


@dataclass(frozen=True)
class CodecFacts:
    """`tag` is the sample entry that players look at: Apple's take HEVC only as `hvc1`."""

    codec: Codec
    tag: str
    profile: str
    pix_fmt: str = "yuv420p"


FACTS: dict[Codec, CodecFacts] = {
    "h264": CodecFacts("h264", "avc1", "High"),
    "hevc": CodecFacts("hevc", "hvc1", "Main"),
    "av1": CodecFacts("av1", "av01", "Main"),
}
