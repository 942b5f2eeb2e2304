"""Loudness by EBU R128, as ffmpeg's `ebur128` filter measures it, and stretches of silence."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from config.errors import CheckFailedError
from stages.render.ffmpeg.process import FfmpegRun, run_ffmpeg

# Below this there is no programme, only noise that nobody should turn up. The standard's own gate is at -70.
SILENT_LUFS = -60.0
# Shorter programmes are at most a few of the measure's blocks, so their figure says little.
GATED_FROM_S = 3.0
_INTEGRATED = re.compile(r"^\s*I:\s+(\S+) LUFS", re.MULTILINE)
_PEAK = re.compile(r"^\s*Peak:\s+(\S+) dBFS", re.MULTILINE)
_FLOOR_LUFS = -70.0
# Below the standard's own gate. What a lost line leaves is far below it, and quiet music well above.
SILENCE_DB = -75.0
_SILENT_FROM_S = 0.1
_SILENCE = re.compile(r"silence_(start|end): (-?[\d.]+)")


@dataclass(frozen=True)
class Loudness:
    """`true_peak_dbtp` is None for digital silence, and where it was not asked for."""

    integrated_lufs: float
    true_peak_dbtp: float | None

    @property
    def is_silent(self) -> bool:
        return self.integrated_lufs <= SILENT_LUFS


def measured(stream: Any, *, dual_mono: bool = False, peak: bool = False, silence_db: float | None = None) -> Any:
    """`stream` of an ffmpeg graph led through the meter; `parse` finds the result in that run's log.

    `dual_mono` counts one channel as the two loudspeakers it will be heard from. `silences` finds
    stretches below `silence_db` there as well.
    """
    options: dict[str, str] = {"framelog": "quiet"}
    if dual_mono:
        options["dualmono"] = "true"
    if peak:
        options["peak"] = "true"
    if silence_db is not None:
        stream = stream.filter("silencedetect", noise=f"{silence_db:.1f}dB", duration=_SILENT_FROM_S)
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


def silences(log: str, length_s: float) -> list[tuple[float, float]]:
    """Stretches of at least a tenth of a second, in seconds, from the log of a run of `length_s`."""
    found: list[tuple[float, float]] = []
    start_s: float | None = None
    for edge, value in _SILENCE.findall(log):
        if edge == "start":
            start_s = max(float(value), 0.0)
        elif start_s is not None:
            found.append((start_s, float(value)))
            start_s = None
    # One that lasts to the end is not closed by older builds.
    return found if start_s is None else [*found, (start_s, length_s)]


def silences_of(path: Path, silence_db: float, length_s: float, run: FfmpegRun) -> list[tuple[float, float]]:
    """Stretches of a file that stay below `silence_db`."""
    import ffmpeg

    sound = measured(ffmpeg.input(str(path.absolute())).audio, silence_db=silence_db)
    return silences(run_ffmpeg(ffmpeg.output(sound, "-", format="null").get_args(), run), length_s)


def measure_file(path: Path, run: FfmpegRun) -> Loudness:
    """Loudness and true peak of a file's sound."""
    import ffmpeg

    sound = measured(ffmpeg.input(str(path.absolute())).audio, peak=True)
    return parse(run_ffmpeg(ffmpeg.output(sound, "-", format="null").get_args(), run))


def measure_pcm(feed: Callable[[IO[bytes]], None], channels: int, sample_format: str, run: FfmpegRun) -> Loudness:
    """Loudness of 48 kHz samples (`f32le`, `s16le`) that `feed` writes."""
    import ffmpeg

    source = ffmpeg.input("pipe:0", format=sample_format, ar=48000, ac=channels)
    sound = measured(source.audio, dual_mono=channels == 1)
    return parse(run_ffmpeg(ffmpeg.output(sound, "-", format="null").get_args(), run, feed))
