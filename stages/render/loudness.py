"""Loudness by EBU R128, as ffmpeg's `ebur128` filter measures it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from config.errors import CheckFailedError
from stages.render.process import Run, run_ffmpeg

# Below this there is no programme, only noise that nobody should turn up. The standard's own gate is at -70.
SILENT_LUFS = -60.0
# Shorter programmes are at most a few of the measure's blocks, so their figure says little.
GATED_FROM_S = 3.0
_INTEGRATED = re.compile(r"^\s*I:\s+(\S+) LUFS", re.MULTILINE)
_PEAK = re.compile(r"^\s*Peak:\s+(\S+) dBFS", re.MULTILINE)
_FLOOR_LUFS = -70.0


@dataclass(frozen=True)
class Loudness:
    """`true_peak_dbtp` is None for digital silence, and where it was not asked for."""

    integrated_lufs: float
    true_peak_dbtp: float | None

    @property
    def is_silent(self) -> bool:
        return self.integrated_lufs <= SILENT_LUFS


def measured(stream: Any, *, dual_mono: bool = False, peak: bool = False) -> Any:
    """`stream` of an ffmpeg graph led through the meter; `parse` finds the result in that run's log.

    `dual_mono` counts one channel as the two loudspeakers it will be heard from.
    """
    options: dict[str, str] = {"framelog": "quiet"}
    if dual_mono:
        options["dualmono"] = "true"
    if peak:
        options["peak"] = "true"
    return stream.filter("ebur128", **options)


def parse(log: str) -> Loudness:
    """The summary at the end of a log. Raises CheckFailedError when there is none."""
    integrated, peak = _INTEGRATED.findall(log), _PEAK.findall(log)
    if not integrated:
        raise CheckFailedError("ffmpeg's ebur128 filter reported no loudness", hint="framekeep doctor")
    value = float(integrated[-1])
    top = float(peak[-1]) if peak else -math.inf
    # `nan` and `-inf` mean that no block passed the gate.
    return Loudness(value if value > _FLOOR_LUFS else _FLOOR_LUFS, top if math.isfinite(top) else None)


def measure_file(path: Path, run: Run) -> Loudness:
    """Loudness and true peak of a file's sound."""
    import ffmpeg

    sound = measured(ffmpeg.input(str(path.absolute())).audio, peak=True)
    return parse(run_ffmpeg(ffmpeg.output(sound, "-", format="null").get_args(), run))


def measure_pcm(feed: Callable[[IO[bytes]], None], channels: int, sample_format: str, run: Run) -> Loudness:
    """Loudness of 48 kHz samples (`f32le`, `s16le`) that `feed` writes."""
    import ffmpeg

    source = ffmpeg.input("pipe:0", format=sample_format, ar=48000, ac=channels)
    sound = measured(source.audio, dual_mono=channels == 1)
    return parse(run_ffmpeg(ffmpeg.output(sound, "-", format="null").get_args(), run, feed))
