"""Clips filmed in HDR (PQ or HLG, BT.2020), brought down to what a BT.709 screen shows.

Up to the white of paper light stays as it is; above it a shoulder bends 1,000 nits and more to full white. It follows the
brightest of red, green and blue, so that hues stay. Colour is worked out at chroma's size, then luma is carried by its own curve
and corrected by what colour changed: 65 CPU-ms a frame of 1080p. libswscale would take 400, and make a clip the darker the more
light its header announces.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

# Transfer characteristics by their number in the stream (ITU-T H.273).
PQ, HLG = 16, 18
TRANSFERS = frozenset({PQ, HLG})
# Paper white, and where a screen of 1,000 nits ends (ITU-R BT.2408).
_WHITE_NITS, _PEAK_NITS = 203.0, 1000.0
_KNEE = 0.6
_GAMMA = 2.4
_STEPS = 4096
_KR, _KB = 0.2627, 0.0593
_KR_709, _KB_709 = 0.2126, 0.0722
_TO_709 = ((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187))


def to_sdr(
    y: NDArray[np.uint16], u: NDArray[np.uint16], v: NDArray[np.uint16], transfer: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """10-bit BT.2020 planes of limited range, chroma at half the size, as 8-bit BT.709 ones."""
    import cv2
    import numpy as np

    small = np.asarray(cv2.resize(y, u.shape[::-1], interpolation=cv2.INTER_AREA), np.float32)
    rgb = _screen(_signal(small, u, v), transfer)
    luma = rgb @ np.array([_KR_709, 1 - _KR_709 - _KB_709, _KB_709], np.float32)
    blue = (rgb[..., 2] - luma) * np.float32(224 / (2 * (1 - _KB_709))) + 128
    red = (rgb[..., 0] - luma) * np.float32(224 / (2 * (1 - _KR_709))) + 128
    curve = _grey_curve(transfer)
    changed = luma * 219 + 16 - _along(curve, small)
    large = cv2.resize(changed, y.shape[::-1], interpolation=cv2.INTER_LINEAR)
    whole = curve[np.minimum(y, _STEPS // 4 - 1)] + large
    return _bytes(whole), _bytes(blue), _bytes(red)


def _signal(y: Floats, u: NDArray[np.uint16], v: NDArray[np.uint16]) -> Floats:
    """R'G'B' 0..1."""
    import numpy as np

    luma = (y - 64) / np.float32(876)
    blue = luma + (u.astype(np.float32) - 512) * np.float32(2 * (1 - _KB) / 896)
    red = luma + (v.astype(np.float32) - 512) * np.float32(2 * (1 - _KR) / 896)
    green = (luma - _KR * red - _KB * blue) / np.float32(1 - _KR - _KB)
    return np.asarray(np.clip(np.stack([red, green, blue], axis=-1), 0, 1), np.float32)


def _screen(signal: Floats, transfer: int) -> Floats:
    """R'G'B' of a BT.709 screen, 0..1."""
    import cv2
    import numpy as np

    light = _light_curve(transfer)[(signal * (_STEPS - 1) + 0.5).astype(np.int32)]
    if transfer == HLG:
        # The eye of the scene's light on a screen of 1,000 nits: system gamma 1.2.
        scene = light @ np.array([_KR, 1 - _KR - _KB, _KB], np.float32)
        light = light * (np.maximum(scene, 1e-6) ** np.float32(0.2))[..., None] * np.float32(_PEAK_NITS / _WHITE_NITS)
    light = np.maximum(cv2.transform(light, np.array(_TO_709, np.float32)), 0)
    brightest = np.maximum(light.max(axis=-1), np.float32(1e-6))
    light = light * (_shoulder(brightest) / brightest)[..., None]
    return np.asarray(np.clip(light, 0, 1) ** np.float32(1 / _GAMMA), np.float32)


def _shoulder(light: Floats) -> Floats:
    """Light in parts of paper white → what is shown of it, 0..1; smooth, and unchanged up to the knee."""
    import numpy as np

    over = np.maximum(light - np.float32(_KNEE), 0)
    room = np.float32(1 - _KNEE)
    return np.asarray(np.where(over > 0, _KNEE + room * (1 - np.exp(-over / room)), light), np.float32)


@lru_cache(maxsize=2)
def _light_curve(transfer: int) -> Floats:
    """Light for each step of the signal: for PQ in parts of paper white, for HLG of the scene, 0..1."""
    import numpy as np

    signal = np.linspace(0, 1, _STEPS)
    if transfer == PQ:
        m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
        power = signal ** (1 / m2)
        nits = 10_000 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)
        return np.asarray(nits / _WHITE_NITS, np.float32)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.asarray(np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12), np.float32)


@lru_cache(maxsize=2)
def _grey_curve(transfer: int) -> Floats:
    """Luma 16..235 for each 10-bit luma of a grey."""
    import numpy as np

    grey = np.clip((np.arange(_STEPS // 4, dtype=np.float32) - 64) / 876, 0, 1)
    shown = _screen(np.repeat(grey[None, :, None], 3, axis=2).astype(np.float32), transfer)[0, :, 0]
    return np.asarray(shown * 219 + 16, np.float32)


def _along(curve: Floats, at: Floats) -> Floats:
    """The curve between its steps."""
    import numpy as np

    low = np.clip(at.astype(np.int32), 0, len(curve) - 2)
    return np.asarray(curve[low] + (curve[low + 1] - curve[low]) * (at - low), np.float32)


def _bytes(plane: Floats) -> NDArray[np.uint8]:
    import numpy as np

    return np.asarray(np.clip(plane + np.float32(0.5), 0, 255), np.uint8)
