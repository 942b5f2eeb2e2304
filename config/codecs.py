"""Which encoders make which codec: the one table behind the settings, the choice of an encoder, and the checks."""

from __future__ import annotations

from typing import Literal, get_args

Codec = Literal["h264", "hevc", "av1"]

EncoderName = Literal[
    "software",
    "auto",
    "libx264",
    "h264_nvenc",
    "h264_qsv",
    "h264_videotoolbox",
    "h264_amf",
    "h264_vaapi",
    "libx265",
    "hevc_nvenc",
    "hevc_qsv",
    "hevc_videotoolbox",
    "hevc_amf",
    "hevc_vaapi",
    "libsvtav1",
    "av1_nvenc",
    "av1_qsv",
    "av1_amf",
    "av1_vaapi",
]

SOFTWARE: dict[Codec, EncoderName] = {"h264": "libx264", "hevc": "libx265", "av1": "libsvtav1"}


def hardware(codec: Codec) -> tuple[EncoderName, ...]:
    """Encoders of `codec` in hardware, in the order in which `auto` asks them."""
    return tuple(name for name in get_args(EncoderName) if name.startswith(f"{codec}_"))


def codec_of(name: EncoderName) -> Codec | None:
    """What an encoder makes; None for `software` and `auto`, which make any."""
    for codec, software in SOFTWARE.items():
        if name == software or name in hardware(codec):
            return codec
    return None
