"""Silence where there should be sound: a line that was lost, music that broke off. Silent sources are no finding."""

from __future__ import annotations

import wave
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from stages.render.audio.loudness import SILENCE_DB, measure_file, silences_of
from stages.render.ffmpeg.process import FfmpegRun
from stages.render.output.check import CheckFinding
from stages.render.specs import MuxSpec

SAMPLE_RATE_HZ = 48_000
# Speech has pauses: only what is silent nearly throughout is lost.
_LOST = 0.95
_AUDIBLE_PEAK = 33
# Music may rest for as long as this.
_LONGEST_REST_S = 4.0
# How far its level in the programme may be from what its loudness and its gain say.
_LEEWAY_DB = 20.0

Spans = Sequence[tuple[float, float]]


def unexpected_silence(
    spec: MuxSpec, quiet: Spans, find: Callable[[str], Path], run: FfmpegRun
) -> Iterator[CheckFinding]:
    """What should be heard in the stretches that are quiet. Sources are looked at only on suspicion."""
    for number, line in enumerate(spec.lines, start=1):
        start_s, length_s = line.at_sample / SAMPLE_RATE_HZ, line.samples / SAMPLE_RATE_HZ
        covered_s = sum(max(0.0, min(end, start_s + length_s) - max(start, start_s)) for start, end in quiet)
        if not line.silent and covered_s >= _LOST * length_s and _is_audible(find(line.digest)):
            yield CheckFinding(
                "silence", f"line {number}, at {start_s:.1f} s, cannot be heard for its {length_s:.1f} s"
            )
    if spec.music_digest:
        yield from _rests(spec, quiet, find(spec.music_digest), run)


def _rests(spec: MuxSpec, quiet: Spans, music: Path, run: FfmpegRun) -> Iterator[CheckFinding]:
    """Silences in a programme with music that the music itself does not have."""
    long = [(start, end) for start, end in quiet if end - start > _LONGEST_REST_S]
    if not long:
        return
    loudness = measure_file(music, run)
    if loudness.is_silent:
        # Nothing of it can be heard, as was said before the work.
        return
    gain_db = spec.target_lufs - loudness.integrated_lufs + spec.music_gain_db
    own_quiet = silences_of(music, SILENCE_DB - gain_db + _LEEWAY_DB, spec.samples / SAMPLE_RATE_HZ, run)
    own = max((end - start for start, end in own_quiet), default=0.0)
    for start, end in long:
        # What is silent at its end goes on silent at its beginning, if it is both.
        if end - start > 2 * own + _LONGEST_REST_S:
            yield CheckFinding("silence", f"there is neither speech nor music from {start:.1f} to {end:.1f} s")


def _is_audible(path: Path) -> bool:
    import numpy as np

    with wave.open(str(path), "rb") as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return bool(samples.size) and int(np.abs(samples.astype(np.int32)).max()) > _AUDIBLE_PEAK
