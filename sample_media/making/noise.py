"""Gradient noise on a tile that repeats without a seam, and sums of its octaves."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

#: Numbers for pixels or places: mostly 32-bit, but numpy may widen them on the way.
Grid = NDArray[np.floating[Any]]

_CELLS, _STEP = 128, 12


@lru_cache(maxsize=2)
def tile(seed: int = 11) -> Grid:
    """Perlin's gradient noise, about -1..1, over 128 by 128 cells."""
    angles = np.random.default_rng(seed).random((_CELLS, _CELLS)) * 2 * np.pi
    at = np.arange(_CELLS * _STEP) / _STEP
    cell = at.astype(int)
    part = at - cell
    ease = part**3 * (part * (part * 6 - 15) + 10)
    total = np.zeros((at.size, at.size))
    for down in (0, 1):
        for across in (0, 1):
            angle = angles[np.ix_((cell + down) % _CELLS, (cell + across) % _CELLS)]
            slope = np.cos(angle) * (part - across)[None, :] + np.sin(angle) * (part - down)[:, None]
            weight = (ease if across else 1 - ease)[None, :] * (ease if down else 1 - ease)[:, None]
            total += slope * weight
    return (total * 1.5).astype(np.float32)


def noise(u: Grid, v: Grid) -> Grid:
    """One octave at the given places; a unit is one cell."""
    places = np.broadcast_arrays(np.asarray(u, dtype=np.float32), np.asarray(v, dtype=np.float32))
    shape, count = places[0].shape, places[0].size
    if not count:
        return np.zeros(shape, dtype=np.float32)
    wide = min(count, 4096)
    across, down = (_rows(place, wide) for place in places)
    found = cv2.remap(tile(), across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.asarray(found, dtype=np.float32).reshape(-1)[:count].reshape(shape)


def _rows(place: Grid, wide: int) -> Grid:
    """Places within the tile, in pixels, as rows that OpenCV is able to take."""
    flat = place.reshape(-1)
    within = flat - np.floor(flat * np.float32(1 / _CELLS)) * np.float32(_CELLS)
    rows = -(-flat.size // wide)
    padded = np.zeros(rows * wide, dtype=np.float32)
    padded[: flat.size] = within * np.float32(_STEP)
    return padded.reshape(rows, wide)


def fbm(u: Grid, v: Grid, octaves: int, *, gain: float = 0.5, fine: Grid | float = 0.0, ridged: bool = False) -> Grid:
    """A sum of octaves, about -1..1, or 0..1 when `ridged`.

    `fine` is the size of a pixel in units of the first octave: octaves that it cannot show fade out, so that nothing
    shimmers in the distance.
    """
    total = np.zeros(np.broadcast(u, v).shape, dtype=np.float32)
    size, scale, reach = 1.0, 1.0, 0.0
    for octave in range(octaves):
        value = noise(u * scale + 17.3 * octave, v * scale + 31.7 * octave)
        if ridged:
            value = 1 - np.abs(value) * 1.6
            value *= np.abs(value)
        if not isinstance(fine, float) or fine > 0:
            seen = np.clip(1.6 - 2.0 * np.asarray(fine, dtype=np.float32) * scale, 0, 1)
            value = value * seen + (0.35 * (1 - seen) if ridged else 0)
        total += (value * size).astype(np.float32)
        reach += size
        size *= gain
        scale *= 2.03
    return total / np.float32(reach) * (1.0 if ridged else 1.7)


def smooth(low: float, high: float, value: Grid) -> Grid:
    """0 below `low`, 1 above `high`, an S between."""
    part = np.clip((value - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.asarray(part * part * (3 - 2 * part), dtype=np.float32)
