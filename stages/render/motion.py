"""Camera moves over a picture: chosen from its shape and a seed, and a closed form of the frame number.

No frame depends on the one before it, so a scene rendered in slices is the scene rendered at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from stages.models import MotionName
from stages.render.specs import Motion

# Of a picture that fills the frame, the least that must be left to see; below that it is shown whole over a blurred fill.
_LEAST_KEPT = 0.5
# A frame filled by the subject may show less than that, if the subject has this much room in it.
_LEAST_KEPT_OF_SUBJECT, _SUBJECT_ROOM = 0.3, 1.2
# What matters nearly everywhere is no subject.
_CLEAR_REACH = 0.85
# A pan along a long picture may show less at a time, but a ribbon is no picture.
_LEAST_KEPT_BY_PAN = 0.15
# A picture with this much beside the frame is worth a pan.
_ROOM_FOR_PAN = 0.2
# Zoom a second, and the least and greatest in all. Faster looks like a lurch, slower like a fault.
_ZOOM_PER_S, _ZOOM_LEAST, _ZOOM_MOST = 0.016, 0.05, 0.16
# Type shows every half pixel, and a whole picture loses its edges: both move less.
_CALM_PER_S, _CALM_LEAST, _CALM_MOST = 0.006, 0.015, 0.035
# Pans, in parts of the frame.
_PAN_PER_S, _PAN_LEAST, _PAN_MOST = 0.03, 0.1, 0.35
_ZOOM_TO_PAN, _CALM_ZOOM_TO_PAN = 1.1, 1.035
# How far the speed sinks at both ends: never to rest, because neighbours are still moving through a crossfade.
_EASE = 0.4
# A focus at the very rim would forbid every pan; nothing that matters is that thin.
_RIM = 0.05
# A canvas has whole pixels, so a focus right on the frame's edge may fall out of it by one.
_INSIDE = 0.95
# By less than this a held picture's scale is off only because a canvas has even sides.
_ROUNDED_SCALE = 0.005
_PANS = ("pan-left", "pan-right", "pan-up", "pan-down")

Point = tuple[float, float]


def plan_motion(
    name: MotionName,
    frames: int,
    picture_w: int,
    picture_h: int,
    out_w: int,
    out_h: int,
    focus: Point,
    seed: int,
    is_card: bool,
    *,
    fps: int = 30,
    is_clip: bool = False,
    reach: Point = (1.0, 1.0),
) -> Motion:
    """The move of one scene. `focus` (fractions of the picture) stays in the frame; `pan-left` moves the camera to the left.

    `reach` is the width and height around the focus that matter: where they are small, more of the rest may be cut off. `auto`
    alternates with the seed, so that neighbouring scenes differ; a clip moves by itself and is only held. A pan goes no further
    than the picture does; where a named one has no room, a slight zoom makes some.
    """
    share_w, share_h = _shares(picture_w, picture_h, out_w, out_h)
    fit: Literal["cover", "contain"] = "cover"
    if _loses_too_much(name, (share_w, share_h), reach):
        fit, share_w, share_h, focus, reach = "contain", 1.0, 1.0, (0.5, 0.5), (1.0, 1.0)
    if name == "auto":
        name = "hold" if is_clip else _choice(share_w, share_h, seed, is_card)
    seconds = frames / fps
    calm = is_card or fit == "contain"
    if name in _PANS:
        start, end = _pan(name, seconds, (share_w, share_h), focus, reach, calm)
    else:
        low = (1.0, *_held((share_w, share_h), 1.0, focus))
        high_zoom = 1.0 if name == "hold" else min(_zoom(seconds, calm), _closest((share_w, share_h), reach))
        high = (high_zoom, *_held((share_w, share_h), high_zoom, focus))
        start, end = (high, low) if name == "zoom-out" else (low, high)
    return Motion(start=_rounded(start), end=_rounded(end), frames=frames, fit=fit)


def crop_at(motion: Motion, frame: int) -> tuple[float, float, float]:
    """Zoom and centre (fractions of the canvas) at a scene frame."""
    (zoom_a, x_a, y_a), (zoom_b, x_b, y_b) = motion.start, motion.end
    done = _eased(frame / max(motion.frames - 1, 1))
    # By equal factors in equal times: the eye sees constant speed.
    zoom = zoom_a * (zoom_b / zoom_a) ** done
    if zoom_a != zoom_b:
        # The centre follows the window's size, so that one point of the picture stands still.
        done = (1 / zoom - 1 / zoom_a) / (1 / zoom_b - 1 / zoom_a)
    return zoom, x_a + (x_b - x_a) * done, y_a + (y_b - y_a) * done


def canvas_size(motion: Motion, picture_w: int, picture_h: int, out_w: int, out_h: int) -> tuple[int, int]:
    """The size, in even pixels, at which a canvas gives one pixel to each of the frame's at the highest zoom."""
    zoom = max(motion.start[0], motion.end[0])
    if motion.fit == "contain":
        return _even(out_w * zoom), _even(out_h * zoom)
    scale = max(out_w / picture_w, out_h / picture_h) * zoom
    return max(_even(picture_w * scale), out_w), max(_even(picture_h * scale), out_h)


@dataclass(frozen=True)
class Affine:
    """The frame's pixel (i, j) shows the canvas at (`scale_x`·i + `x`, `scale_y`·j + `y`), in pixel centres.

    A canvas has whole pixels, so it may be a hair wider or higher than the picture's shape says: each axis has its own scale.
    """

    scale_x: float
    scale_y: float
    x: float
    y: float


def affine_at(
    motion: Motion, frame: int, canvas: tuple[int, int], out: tuple[int, int], picture: tuple[int, int]
) -> Affine:
    """Where a scene frame looks on the canvas of a picture of that size."""
    zoom, centre_x, centre_y = crop_at(motion, frame)
    (canvas_w, canvas_h), (out_w, out_h) = canvas, out
    share_w, share_h = (1.0, 1.0) if motion.fit == "contain" else _shares(*picture, *out)
    scale_x = canvas_w * share_w / zoom / out_w
    scale_y = canvas_h * share_h / zoom / out_h
    x = min(max(centre_x * canvas_w - out_w * scale_x / 2, 0.0), canvas_w - out_w * scale_x)
    y = min(max(centre_y * canvas_h - out_h * scale_y / 2, 0.0), canvas_h - out_h * scale_y)
    if is_still(motion) and max(abs(scale_x - 1.0), abs(scale_y - 1.0)) < _ROUNDED_SCALE:
        # Nothing moves: whole pixels (and whole chroma pixels) are sharper than any interpolation.
        return Affine(1.0, 1.0, round(x / 2) * 2.0, round(y / 2) * 2.0)
    return Affine(scale_x, scale_y, x + (scale_x - 1) / 2, y + (scale_y - 1) / 2)


def is_still(motion: Motion) -> bool:
    """Whether every frame shows the same crop."""
    return motion.start == motion.end


def _shares(picture_w: int, picture_h: int, out_w: int, out_h: int) -> Point:
    """The parts of the picture's width and height that a frame filled by it shows."""
    wider = (picture_w * out_h) / (picture_h * out_w)
    return (1 / wider, 1.0) if wider > 1 else (1.0, wider)


def _loses_too_much(name: MotionName, shares: Point, reach: Point) -> bool:
    axis = 0 if shares[0] < shares[1] else 1
    kept = shares[axis]
    if name in _PANS[2 * axis : 2 * axis + 2] and kept < 1:
        return kept < _LEAST_KEPT_BY_PAN
    return kept < (_LEAST_KEPT_OF_SUBJECT if reach[axis] * _SUBJECT_ROOM <= kept else _LEAST_KEPT)


def _choice(share_w: float, share_h: float, seed: int, is_card: bool) -> MotionName:
    if not is_card and seed % 2 == 0 and 1 - min(share_w, share_h) >= _ROOM_FOR_PAN:
        onward = seed // 2 % 2 == 0
        if share_w < share_h:
            return "pan-right" if onward else "pan-left"
        return "pan-up" if onward else "pan-down"
    return "zoom-in" if seed % 2 else "zoom-out"


def _zoom(seconds: float, calm: bool) -> float:
    if calm:
        return 1 + min(max(_CALM_PER_S * seconds, _CALM_LEAST), _CALM_MOST)
    return 1 + min(max(_ZOOM_PER_S * seconds, _ZOOM_LEAST), _ZOOM_MOST)


def _closest(shares: Point, reach: Point) -> float:
    """The highest zoom at which all that matters stays in the frame, but at least one that is seen."""
    limits = [share / part for share, part in zip(shares, reach, strict=True) if 0 < part < min(share, _CLEAR_REACH)]
    return max(min(limits, default=math.inf), 1 + _ZOOM_LEAST)


def _pan(
    name: MotionName, seconds: float, shares: Point, focus: Point, reach: Point, calm: bool
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    axis = 0 if name in ("pan-left", "pan-right") else 1
    zoom = 1.0
    if 1 - shares[axis] < 1 - 1 / (_CALM_ZOOM_TO_PAN if calm else _ZOOM_TO_PAN):
        zoom = _CALM_ZOOM_TO_PAN if calm else _ZOOM_TO_PAN
    window = shares[axis] / zoom
    at = min(max(focus[axis], _RIM), 1 - _RIM)
    # With less than its distance to the picture's nearer end, the focus is in the frame from the first to the last.
    travel = min(1 - window, window * min(_PAN_PER_S * seconds, _PAN_MOST), _INSIDE * at, _INSIDE * (1 - at))
    if reach[axis] < window:
        # So is what matters around it, as far as its place in the picture and a pan worth the name let it be.
        travel = min(travel, max(window - reach[axis], window * _PAN_LEAST))
    low = min(max(at - travel / 2, window / 2), 1 - window / 2 - travel)
    across = _held(shares, zoom, focus)
    points = []
    for along in (low, low + travel):
        x, y = (along, across[1]) if axis == 0 else (across[0], along)
        points.append((zoom, x, y))
    if name in ("pan-left", "pan-up"):
        points.reverse()
    return points[0], points[1]


def _held(shares: Point, zoom: float, focus: Point) -> Point:
    """The window's centre nearest to the focus with the window inside the picture."""
    x, y = (min(max(at, share / zoom / 2), 1 - share / zoom / 2) for at, share in zip(focus, shares, strict=True))
    return x, y


def _eased(part: float) -> float:
    return part - _EASE * math.sin(2 * math.pi * part) / (2 * math.pi)


def _rounded(point: tuple[float, float, float]) -> tuple[float, float, float]:
    """Short numbers for keys and reports; a hundred-millionth of a picture is nothing."""
    zoom, x, y = (round(value, 8) for value in point)
    return zoom, x, y


def _even(pixels: float) -> int:
    """Rounded up, so that the canvas is never too small; a hair above a whole number is that number."""
    return max(2, math.ceil(pixels / 2 - 1e-6) * 2)
