"""Encoders in hardware, by the interface that reaches them. None is trusted before its probe, and none repeats its bytes for sure.

All are told the same: a quality, the level's bit rate as the ceiling as far as the interface knows both, key frames at fixed
distances with nothing referring across them, and no B-frames.
"""

from __future__ import annotations

import os
from typing import Any

from stages.render.encoders.codecs import FACTS
from stages.render.encoders.encoder import Encoder, ceiling, group_frames
from stages.render.specs import Encoding

_RENDER_NODE = "/dev/dri/renderD128"


class HardwareEncoder(Encoder):
    """What the interfaces share; `name` is ffmpeg's."""

    is_hardware = True
    pix_fmt = "nv12"

    def options(self, encoding: Encoding) -> dict[str, Any]:
        facts = FACTS[self.codec]
        # Of AV1 there is but one profile for 4:2:0, and ffmpeg has no name for it.
        profile = {} if self.codec == "av1" else {"profile:v": facts.profile.lower()}
        return {
            "vcodec": self.name,
            "tag:v": facts.tag,
            "g": group_frames(encoding),
            "bf": 0,
            **profile,
            **ceiling(encoding),
            **self.quality(encoding),
        }

    def quality(self, encoding: Encoding) -> dict[str, Any]:
        """The interface's own words for constant quality; without any, the ceiling is also the aim."""
        return {"b:v": encoding.bitrate_bps}


class Nvenc(HardwareEncoder):
    """NVIDIA."""

    def quality(self, encoding: Encoding) -> dict[str, Any]:
        return {
            "preset": "p4",
            "tune": "hq",
            "rc": "vbr",
            # 0 would leave the choice to the driver.
            "cq": max(1, encoding.crf),
            "b:v": 0,
            "no-scenecut": 1,
            "strict_gop": 1,
            "forced-idr": 1,
        }


class Qsv(HardwareEncoder):
    """Intel Quick Sync."""

    def quality(self, encoding: Encoding) -> dict[str, Any]:
        # Of HEVC's key frames only the first would be one that a player can start at.
        idr = {"idr_interval": 1} if self.codec == "hevc" else {}
        return {"preset": "medium", "global_quality": max(1, encoding.crf), "b:v": encoding.bitrate_bps, **idr}


class VideoToolbox(HardwareEncoder):
    """Apple."""

    def quality(self, encoding: Encoding) -> dict[str, Any]:
        # Otherwise it may quietly encode in software.
        return {"b:v": encoding.bitrate_bps, "allow_sw": 0, "realtime": 0}


class Amf(HardwareEncoder):
    """AMD on Windows, and on Linux with AMD's own driver."""

    def quality(self, encoding: Encoding) -> dict[str, Any]:
        return {"usage": "transcoding", "quality": "balanced", "rc": "vbr_peak", "b:v": encoding.bitrate_bps}


class Vaapi(HardwareEncoder):
    """Intel and AMD on Linux."""

    pix_fmt = "vaapi"

    def device(self) -> tuple[str, ...]:
        """`FRAMEKEEP_VAAPI_DEVICE`, else the first graphics card."""
        return ("-vaapi_device", os.environ.get("FRAMEKEEP_VAAPI_DEVICE") or _RENDER_NODE)

    def quality(self, encoding: Encoding) -> dict[str, Any]:
        return {
            "vf": "format=nv12,hwupload",
            "global_quality": max(1, encoding.crf),
            "b:v": encoding.bitrate_bps,
        }


INTERFACES: dict[str, type[HardwareEncoder]] = {
    "nvenc": Nvenc,
    "qsv": Qsv,
    "videotoolbox": VideoToolbox,
    "amf": Amf,
    "vaapi": Vaapi,
}
