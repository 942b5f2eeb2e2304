"""The music: sixteen slow bars in D that lead back to where they began, with no sound from anywhere but sines and noise.

Everything happens on a ring as long as the loop: a note that rings past its end goes on at the start, and so does the
reverberation, because it is a circular convolution. That is why the seam cannot be heard.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float64]

RATE_HZ = 48000
BARS, BEATS, BEAT_S = 16, 4, 5 / 6
LENGTH_S = BARS * BEATS * BEAT_S
LOUDNESS_LUFS = -20.0

#: Each chord lasts two bars: bass note, then the notes above it, as MIDI numbers.
_CHORDS = (
    (38, (50, 57, 62, 64, 66)),  # D, ninth added
    (35, (47, 54, 62, 64, 66)),  # B minor, eleventh added
    (43, (50, 55, 59, 62, 66)),  # G, major seventh
    (45, (52, 57, 59, 62, 64)),  # A, fourth held
    (42, (49, 54, 57, 61, 64)),  # F sharp minor, seventh
    (43, (47, 55, 57, 62, 66)),  # G, ninth added
    (40, (52, 55, 59, 62, 66)),  # E minor, ninth
    (45, (52, 57, 61, 62, 64)),  # A, fourth let go
)
#: Eighths of a chord's two bars at which the arpeggio plays, and which of the chord's notes.
_ARPEGGIO = ((0, 0), (1, 2), (2, 3), (3, 4), (5, 3), (6, 2), (8, 1), (9, 3), (10, 4), (12, 2), (13, 3), (15, 4))
#: The melody: beat, MIDI number, beats held.
_MELODY = (
    (2.0, 78, 3.0), (5.5, 76, 2.0), (10.0, 74, 4.0), (18.0, 74, 2.0), (20.0, 78, 3.0), (26.0, 76, 4.0),
    (34.0, 73, 2.5), (37.0, 76, 2.0), (42.0, 81, 4.0), (50.0, 79, 2.0), (52.0, 78, 3.0), (58.0, 76, 2.0), (60.5, 73, 3.0),
)  # fmt: skip


def make(rate_hz: int = RATE_HZ) -> Sound:
    """The loop as samples by channels, two channels, at `LOUDNESS_LUFS` and below half of full scale."""
    rng = np.random.default_rng(1823)
    size = round(LENGTH_S * rate_hz)
    dry, wet = np.zeros((2, size)), np.zeros((2, size))
    for index, (bass, notes) in enumerate(_CHORDS):
        start_s = index * 2 * BEATS * BEAT_S
        _pad(wet, dry, notes, start_s, rate_hz, rng)
        for bar in (0, 1):
            for offset_s, length_s, power in ((0.0, 2.6, 1.0), (2.5 * BEAT_S, 1.3, 0.5)):
                note = _bass(bass, length_s, rate_hz) * power * 0.11
                _place(dry, note, note, start_s + bar * BEATS * BEAT_S + offset_s, rate_hz)
        for eighth, which in _ARPEGGIO:
            late_s, power = rng.normal(0, 0.006), rng.uniform(0.6, 1.0) * (1.15 if eighth % 8 == 0 else 0.9)
            note = _pluck(notes[which] + 12, rate_hz) * power * 0.115
            pan, at_s = rng.uniform(0.3, 0.7), start_s + eighth * BEAT_S / 2 + late_s
            for bus, share in ((dry, 0.8), (wet, 0.7)):
                _place(bus, note * np.sqrt(1 - pan) * share, note * np.sqrt(pan) * share, at_s, rate_hz)
            echo = note * 0.26
            _place(wet, echo * np.sqrt(pan), echo * np.sqrt(1 - pan), at_s + 0.75 * BEAT_S, rate_hz)
    for beat, key, beats in _MELODY:
        note = _bell(key, beats * BEAT_S, rate_hz) * 0.065
        _place(wet, note * 0.8, note, beat * BEAT_S, rate_hz)
        _place(dry, note * 0.4, note * 0.5, beat * BEAT_S, rate_hz)
    mixed = dry + _reverberation(wet, rate_hz, rng) * 0.55 + wet * 0.5
    mixed *= 10 ** ((LOUDNESS_LUFS - loudness_lufs(mixed, rate_hz)) / 20)
    return np.ascontiguousarray(np.tanh(mixed * 1.1).T / 1.1)


def _hz(key: float) -> float:
    return float(440.0 * 2 ** ((key - 69) / 12))


def _place(bus: Sound, left: Sound, right: Sound, at_s: float, rate_hz: int) -> None:
    """Adds a note; what goes past the end of the ring comes in at its start."""
    where = (round(at_s * rate_hz) + np.arange(left.size)) % bus.shape[1]
    np.add.at(bus[0], where, left)
    np.add.at(bus[1], where, right)


def _pad(
    wet: Sound, dry: Sound, notes: tuple[int, ...], start_s: float, rate_hz: int, rng: np.random.Generator
) -> None:
    """A bowed chord that swells in and overlaps with the next; each ear hears other voices of it."""
    held_s = 2 * BEATS * BEAT_S
    t = np.arange(round((held_s + 3.0) * rate_hz)) / rate_hz
    swell = np.clip(t / 1.9, 0, 1) ** 1.5 * np.clip((held_s + 3.0 - t) / 3.4, 0, 1) ** 1.4
    bright = 0.45 + 0.55 * np.sin(np.pi * np.clip(t / (held_s + 3.0), 0, 1)) ** 2
    for key in notes:
        ears = []
        for _ in range(2):
            voice = np.zeros_like(t)
            for cents in (-5.5, 4.0):
                base = _hz(key + (cents + rng.normal(0, 1.2)) / 100)
                wobble = 0.0012 * np.sin(2 * np.pi * rng.uniform(0.12, 0.3) * t + rng.uniform(0, 6.28))
                phase = 2 * np.pi * base * t + base * wobble * 2 + rng.uniform(0, 6.28)
                for harmonic in range(1, 7):
                    if base * harmonic < rate_hz * 0.45:
                        voice += np.sin(harmonic * phase) * bright ** (harmonic - 1) / harmonic**1.9
            ears.append(voice * swell * 0.020)
        _place(wet, ears[0], ears[1], start_s - 0.35, rate_hz)
        _place(dry, ears[0] * 0.45, ears[1] * 0.45, start_s - 0.35, rate_hz)


def _bass(key: int, length_s: float, rate_hz: int) -> Sound:
    t = np.arange(round((length_s + 0.6) * rate_hz)) / rate_hz
    shape = np.clip(t / 0.035, 0, 1) * np.exp(-t / 1.5) * np.clip((length_s + 0.6 - t) / 0.6, 0, 1)
    base = 2 * np.pi * _hz(key) * t
    return np.asarray(
        (np.sin(base) + 0.35 * np.sin(2 * base) * np.exp(-t / 0.5) + 0.10 * np.sin(3 * base) * np.exp(-t / 0.25))
        * shape
    )


def _pluck(key: int, rate_hz: int) -> Sound:
    """A string plucked a quarter of the way along: high partials die first and run a little sharp."""
    t = np.arange(round(2.4 * rate_hz)) / rate_hz
    base, sound = _hz(key), np.zeros_like(t)
    for harmonic in range(1, 12):
        hz = base * harmonic * np.sqrt(1 + 0.0002 * harmonic**2)
        if hz < rate_hz * 0.45:
            power = np.sin(np.pi * harmonic * 0.27) / harmonic**1.35
            sound += power * np.sin(2 * np.pi * hz * t) * np.exp(-t * (1.5 + 0.9 * harmonic))
    return np.asarray(sound * np.clip(t / 0.003, 0, 1) * np.clip((2.4 - t) / 0.2, 0, 1))


def _bell(key: int, length_s: float, rate_hz: int) -> Sound:
    """Two sines, one bending the other: soft at once, and softer as it dies away."""
    t = np.arange(round((length_s + 1.6) * rate_hz)) / rate_hz
    base = 2 * np.pi * _hz(key) * t
    vibrato = 0.10 * np.sin(2 * np.pi * 4.6 * t) * np.clip((t - 0.5) / 1.2, 0, 1)
    sound = np.sin(base + vibrato + 1.1 * np.exp(-t / 0.6) * np.sin(2 * base)) + 0.2 * np.sin(2.001 * base) * np.exp(
        -t / 0.8
    )
    shape = (
        np.clip(t / 0.06, 0, 1) ** 1.3 * np.exp(-t / (0.5 * length_s + 0.7)) * np.clip((length_s + 1.6 - t) / 1.0, 0, 1)
    )
    return np.asarray(sound * shape)


def _reverberation(wet: Sound, rate_hz: int, rng: np.random.Generator) -> Sound:
    """A hall of falling noise, its high tones dying sooner, folded round the ring."""
    size = wet.shape[1]
    t = np.arange(round(3.4 * rate_hz)) / rate_hz
    result = np.empty_like(wet)
    hz = np.fft.rfftfreq(size, 1 / rate_hz)
    for ear in (0, 1):
        hall = np.zeros(size)
        noise = rng.standard_normal(t.size)
        for low, high, decay_s in ((180, 900, 0.95), (900, 2800, 0.70), (2800, 7000, 0.38)):
            band = np.fft.rfft(noise)
            places = np.fft.rfftfreq(t.size, 1 / rate_hz)
            band *= np.exp(-((np.log2(np.maximum(places, 1) / np.sqrt(low * high)) / np.log2(high / low) * 2) ** 2))
            hall[: t.size] += np.fft.irfft(band, t.size) * np.exp(-t / decay_s)
        hall[: t.size] *= np.clip((t - 0.012) / 0.03, 0, 1)
        hall /= np.sqrt((hall**2).sum())
        result[ear] = np.fft.irfft(np.fft.rfft(wet[ear]) * np.fft.rfft(hall) * (hz > 90), size)
    return result


def loudness_lufs(sound: Sound, rate_hz: int) -> float:
    """Loudness of channels by samples, by the weighting of ITU-R BS.1770 but without its gate: nothing here is silent."""
    hz = np.maximum(np.fft.rfftfreq(sound.shape[1], 1 / rate_hz), 1e-3)
    shelf = 10 ** (np.minimum(4.0, 4.0 / (1 + (1500 / hz) ** 3.2)) / 20)
    low_cut = (hz / 38.1) ** 2 / np.sqrt((1 - (hz / 38.1) ** 2) ** 2 + (2 * hz / 38.1) ** 2)
    power = 0.0
    for channel in sound:
        spectrum = np.abs(np.fft.rfft(channel)) * shelf * low_cut
        power += float((spectrum**2).sum() * 2 / channel.size**2)
    return float(-0.691 + 10 * np.log10(max(power, 1e-12)))
