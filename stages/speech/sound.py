"""Sound of a line: read in any format, trimmed, brought to one loudness, written as 48 kHz mono 16-bit WAV.

Samples are float64 in -1..1. The same input gives the same bytes: nothing here is random, and nothing depends on threads.
"""

from __future__ import annotations

import functools
import wave
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stages.sound.channels import mixed
from stages.sound.files import SoundFile
from stages.sound.files import UnreadableSoundError as UnreadableSoundError
from stages.sound.listening import cut_off

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Samples = NDArray[np.float64]

SAMPLE_RATE_HZ = 48_000
TARGET_LUFS = -20.0
PEAK_DBFS = -2.0
_BEFORE_S, _AFTER_S, _FADE_S = 0.04, 0.10, 0.005
# A frame counts as speech when it is at most this far below the loudest one, and above what any engine's noise reaches.
_SPEECH_DB, _FLOOR_DBFS = -42.0, -62.0
_FRAME_S = 0.01
# Both filters have died away after a sixth of a second, to either side as they stand here.
_TRANSFORM, _SETTLING = 1 << 16, 1 << 13
_LOUDEST_GAIN = 10 ** (40 / 20)
# BS.1770's two filters at 48 kHz: a shelf for the head, and a high-pass.
_K_FILTERS = (
    ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585)),
    ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621)),
)


def read_sound(path: Path) -> Samples:
    """The file's first audio stream, as one channel at 48 kHz.

    Raises `UnreadableSoundError`, for what is damaged in the middle or cut off too.
    """
    file = SoundFile(path, precision="dbl")
    pieces = [piece for _, piece in file.pieces()]
    if file.damaged_s:
        raise UnreadableSoundError(f"it is damaged at {file.damaged_s[0]:.1f} s")
    if file.cut_from_s:
        raise UnreadableSoundError(f"it {cut_off(file.seconds, file.cut_from_s)}")
    if not pieces:
        return np.zeros(0)
    channels = max(piece.shape[1] for piece in pieces)
    # One that changes from one channel to two in the middle.
    return np.asarray(mixed(np.concatenate([np.repeat(piece, channels // piece.shape[1], axis=1) for piece in pieces])))


def write_wav(path: Path, samples: Samples, rate_hz: int = SAMPLE_RATE_HZ) -> int:
    """Write 16-bit mono without dither, for the same bytes each time; how many samples were written."""
    pcm = np.clip(np.rint(samples * 32767.0), -32768, 32767).astype("<i2")
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes(pcm.tobytes())
    return len(pcm)


def frame_levels(samples: Samples, rate_hz: int) -> Samples:
    """RMS of each 10 ms, in dBFS."""
    size = round(rate_hz * _FRAME_S)
    count = -(-len(samples) // size)
    padded = np.zeros(count * size)
    padded[: len(samples)] = samples
    power = np.mean(padded.reshape(count, size) ** 2, axis=1)
    return np.asarray(10 * np.log10(np.maximum(power, 1e-12)))


def voiced(samples: Samples, rate_hz: int) -> NDArray[np.bool_]:
    """For each 10 ms, whether somebody speaks."""
    levels = frame_levels(samples, rate_hz)
    if not len(levels):
        return np.zeros(0, dtype=bool)
    return np.asarray(levels > max(float(levels.max()) + _SPEECH_DB, _FLOOR_DBFS))


def speech_bounds(samples: Samples, rate_hz: int) -> tuple[int, int]:
    """First and last sample to keep: the speech and a small fixed margin. (0, 0) when nobody speaks."""
    frames = np.flatnonzero(voiced(samples, rate_hz))
    if not len(frames):
        return 0, 0
    size = round(rate_hz * _FRAME_S)
    start = int(frames[0]) * size - round(_BEFORE_S * rate_hz)
    end = (int(frames[-1]) + 1) * size + round(_AFTER_S * rate_hz)
    return max(start, 0), min(end, len(samples))


def loudness(samples: Samples) -> float:
    """Gated loudness in LUFS as ITU-R BS.1770-4 has it, of mono at 48 kHz. A line shorter than one block is one block."""
    weighted = _k_weighted(samples)
    block, hop = round(0.4 * SAMPLE_RATE_HZ), round(0.1 * SAMPLE_RATE_HZ)
    starts = range(0, max(len(weighted) - block, 0) + 1, hop)
    powers = np.array([np.mean(weighted[start : start + block] ** 2) for start in starts])
    powers = powers[powers > _power(-70.0)]
    if not len(powers):
        return -70.0
    powers = powers[powers > powers.mean() / 10]
    return float(-0.691 + 10 * np.log10(np.mean(powers)))


def even_level(samples: Samples) -> Samples:
    """The line at `TARGET_LUFS`, its peaks held under `PEAK_DBFS`."""
    gain = min(10 ** ((TARGET_LUFS - loudness(samples)) / 20), _LOUDEST_GAIN)
    return _limit(samples * gain, 10 ** (PEAK_DBFS / 20))


def fade_ends(samples: Samples) -> Samples:
    """A few milliseconds in and out, so that a cut never clicks."""
    size = min(round(_FADE_S * SAMPLE_RATE_HZ), len(samples) // 2)
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(size) + 0.5) / max(size, 1))
    faded = samples.copy()
    faded[:size] *= ramp
    faded[len(faded) - size :] *= ramp[::-1]
    return faded


def _power(lufs: float) -> float:
    return float(10 ** ((lufs + 0.691) / 10))


def _k_weighted(samples: Samples) -> Samples:
    """K-weighting by its magnitude response: block powers come out as the filters' own, without a loop over samples.

    In blocks of one length, for a transform of each length that ever comes keeps its tables.
    """
    step = _TRANSFORM - 2 * _SETTLING
    padded = np.pad(samples, (_SETTLING, _SETTLING + step))
    weighted = np.empty(len(padded))
    for at in range(0, len(samples), step):
        spectrum = np.fft.rfft(padded[at : at + _TRANSFORM]) * _k_response()
        weighted[at : at + step] = np.fft.irfft(spectrum, _TRANSFORM)[_SETTLING:-_SETTLING]
    return weighted[: len(samples)]


@functools.cache
def _k_response() -> Samples:
    cosine = np.cos(2 * np.pi / _TRANSFORM * np.arange(_TRANSFORM // 2 + 1))
    power = np.ones(len(cosine))
    for top, bottom in _K_FILTERS:
        power *= _power_response(top, cosine) / _power_response(bottom, cosine)
    # What is nothing at 0 Hz may come out as a little less.
    return np.sqrt(np.maximum(power, 0.0))


def _power_response(taps: tuple[float, float, float], cosine: Samples) -> Samples:
    """A second-order filter's squared magnitude, by the cosine of the angle that a frequency has at one sample."""
    first, second, third = taps
    level = first * first + second * second + third * third - 2 * first * third
    return np.asarray(level + cosine * (2 * second * (first + third) + cosine * (4 * first * third)))


def _limit(samples: Samples, ceiling: float) -> Samples:
    """Turn down around each peak above the ceiling, over ±5 ms: a closed form, with no state that runs along."""
    if not len(samples) or np.abs(samples).max() <= ceiling:
        return samples
    size, reach = SAMPLE_RATE_HZ // 1000, 5
    count = -(-len(samples) // size)
    padded = np.zeros(count * size)
    padded[: len(samples)] = np.abs(samples)
    wanted = np.minimum(ceiling / np.maximum(padded.reshape(count, size).max(axis=1), ceiling), 1.0)
    # The minimum reaches one block further than the smoothing and the interpolation together take in.
    wide = np.lib.stride_tricks.sliding_window_view(np.pad(wanted, reach + 2, mode="edge"), 2 * reach + 5).min(axis=1)
    bell = np.hanning(2 * reach + 3)[1:-1]
    smooth = np.convolve(np.pad(wide, reach, mode="edge"), bell / bell.sum(), mode="valid")
    centres = (np.arange(count) + 0.5) * size
    return np.asarray(samples * np.interp(np.arange(len(samples)), centres, smooth))
