"""What a picture is of: the point that cropping keeps, and how much around it matters, found from the pixels alone.

Several plain measures of what catches the eye are added up: colours that an outline sets off from everything around (a lamp, a
face, a boat), contrast between a place and its surroundings, and the residual of the picture's spectrum. Things near the middle
count for more, even bars at the rim for nothing. Where no place stands out, the middle is the answer; so it is for a thing that
fills a quarter of the picture or more.

There is no detector of faces: the OpenCV wheel carries neither cascades nor the model that its face detector needs. A face in a
picture stands out by its colour and outline like anything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from stages.render.sources.stills import header_size, load_rgb

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Map = NDArray[np.float32]

# Around a point that the user named; enough for a tall frame cut out of a wide picture.
NAMED_REACH = (0.25, 0.25)
# Pictures are judged at this length of the longer side; every radius below is in pixels of it.
_SIDE = 256
_LEAST_SIDE = 12
# A row or column whose levels differ by no more is a bar.
_BAR_RANGE = 10
# Thresholds in each channel; neighbours closer than this are the same colour to the eye.
_CUTS, _LEAST_RANGE = 16, 4.0
_SURROUNDS = ((1.5, 6.0), (3.0, 12.0), (6.0, 24.0), (10.0, 40.0))
_SPECTRUM_SIDE = 64
_CONTRAST_WEIGHT, _SPECTRUM_WEIGHT = 0.4, 0.4
# How much less what lies at the rim counts than what lies in the middle.
_PRIOR_SIGMA, _PRIOR_LEAST = 0.23, 0.25
# A peak this near to the rim belongs to something outside, or to a ramp of light.
_RIM = 0.04
# What four fifths of the map do not reach, in parts of the peak: up to the first there is a clear subject, from the second on none.
_OTHERS, _CLEAR, _SPREAD = 80, 0.27, 0.38
# Rivals this near to the peak, in parts of the longer side, pull the focus to themselves.
_GROUP_SIGMA, _GROUP_STEPS = 0.16, 8
# What matters: all above this part of the peak, but for the last tenth of it.
_MATTERS_FROM, _MATTERS_SHARE = 0.35, 0.9
_CLIP_MOMENTS = 5


@dataclass(frozen=True)
class Focus:
    """`at` and `reach` in fractions of width and height: what matters lies within half of `reach` to each side of `at`.

    A reach of 1.0 says that all of that side matters: there is no clear subject.
    """

    at: tuple[float, float] = (0.5, 0.5)
    reach: tuple[float, float] = (1.0, 1.0)


def find_focus(path: Path, kind: Literal["picture", "clip"]) -> Focus:
    """The focus of a picture, or of a clip over its whole length. The same bytes give the same answer. Raises BriefError."""
    if kind == "clip":
        from stages.render.sources.clips import sample_pictures

        return focus_of(sample_pictures(path, _CLIP_MOMENTS, _SIDE))
    width, height = _small(*header_size(path))
    return focus_of([load_rgb(path, width, height)])


def focus_of(pictures: Sequence[NDArray[np.uint8]]) -> Focus:
    """The one focus of sRGB pictures (h, w, 3) of the same size, such as moments of a clip."""
    import cv2
    import numpy as np

    cv2.setNumThreads(1)
    if not pictures:
        return Focus()
    height, width = pictures[0].shape[:2]
    size = _small(width, height)
    small = [np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8) for picture in pictures]
    top, bottom, left, right = _content(small)
    shown = [picture[top:bottom, left:right] for picture in small]
    if not shown or min(bottom - top, right - left) < _LEAST_SIDE:
        found = Focus()
    else:
        found = _peak(np.mean([saliency(picture) for picture in shown], axis=0, dtype=np.float32))
    (x, y), (reach_x, reach_y) = found.at, found.reach
    part_x, part_y = (right - left) / size[0], (bottom - top) / size[1]
    return Focus(
        at=(round(left / size[0] + x * part_x, 4), round(top / size[1] + y * part_y, 4)),
        reach=(round(reach_x * part_x, 4), round(reach_y * part_y, 4)),
    )


def saliency(rgb: NDArray[np.uint8]) -> Map:
    """How much each place of a small picture catches the eye, 0..1 of the most that does."""
    import cv2
    import numpy as np

    # Of the levels that an 8-bit picture can have, steps smaller than one in Lab are noise.
    lab = np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2Lab), np.float32)
    if max(np.ptp(lab[..., channel]) for channel in range(3)) < _LEAST_RANGE:
        return np.ones(lab.shape[:2], np.float32)
    found = _unit(_soft(_set_off(lab), 4.0))
    found = found + _CONTRAST_WEIGHT * _contrast(lab) + _SPECTRUM_WEIGHT * _residual(lab)
    return _unit(_soft(found.astype(np.float32), 3.0))


def _set_off(lab: Map) -> Map:
    """How often a place belongs to an area that is closed within the picture, over all cuts of all channels.

    What touches the rim is ground; small areas count for more than large ones.
    """
    import cv2
    import numpy as np

    height, width = lab.shape[:2]
    found = np.zeros((height, width), np.float32)
    for channel in range(3):
        plane = _soft(lab[..., channel], 1.0)
        low, high = np.percentile(plane, (0.1, 99.9))
        if high - low < _LEAST_RANGE:
            continue
        for cut in np.linspace(low, high, _CUTS + 2)[1:-1]:
            above = (plane > cut).astype(np.uint8)
            for area in (above, 1 - above):
                _, labels, facts, _ = cv2.connectedComponentsWithStats(area, connectivity=8)
                x, y, w, h = (facts[:, column] for column in range(4))
                closed = (x > 0) & (y > 0) & (x + w < width) & (y + h < height)
                closed[0] = False
                inside = closed[labels].astype(np.float32)
                if total := float(inside.sum()):
                    found += cv2.dilate(inside, np.ones((3, 3), np.uint8)) / np.float32(total**0.5)
    return found


def _contrast(lab: Map) -> Map:
    """Difference between a place and its surroundings, at several sizes; a size at which everything differs says little."""
    import numpy as np

    found = np.zeros(lab.shape[:2], np.float32)
    weights = np.array([0.7, 1.0, 1.0], np.float32)
    for centre, surround in _SURROUNDS:
        difference = (_soft(lab, centre) - _soft(lab, surround)) * weights
        found += _promoted(np.sqrt((difference**2).sum(axis=-1)))
    return _unit(found)


def _promoted(values: Map) -> Map:
    """Weighted by how far the highest peak is above the mean of the others."""
    import cv2
    import numpy as np

    values = _unit(values)
    peaks = values[(values == cv2.dilate(values, np.ones((25, 25), np.uint8))) & (values > 0.1)]
    others = (float(peaks.sum()) - 1.0) / max(len(peaks) - 1, 1) if len(peaks) else 0.0
    return np.asarray(values * (1.0 - max(others, 0.0)) ** 2, np.float32)


def _residual(lab: Map) -> Map:
    """What the picture's spectrum has beyond a smooth one: the parts that do not repeat."""
    import cv2
    import numpy as np

    size = (_SPECTRUM_SIDE, _SPECTRUM_SIDE)
    found = np.zeros(size, np.float32)
    for channel in range(3):
        if np.ptp(lab[..., channel]) < _LEAST_RANGE:
            continue
        spectrum = np.fft.fft2(cv2.resize(lab[..., channel], size, interpolation=cv2.INTER_AREA))
        level = np.log(np.abs(spectrum) + 1e-3)
        rest = np.exp(level - cv2.blur(level, (3, 3)) + 1j * np.angle(spectrum))
        found += (np.abs(np.fft.ifft2(rest)) ** 2).astype(np.float32)
    soft = _soft(found, 2.0)
    return _unit(np.asarray(cv2.resize(soft, lab.shape[1::-1]), np.float32))


def _prior(height: int, width: int) -> Map:
    import numpy as np

    x, y = _places(height, width)
    near = np.exp(-((x - 0.5) ** 2 + (y - 0.5) ** 2) / (2 * _PRIOR_SIGMA**2))
    return np.asarray(_PRIOR_LEAST + (1 - _PRIOR_LEAST) * near, np.float32)


def _peak(found: Map) -> Focus:
    """The place that most catches the eye, drawn to its neighbours, and to the middle the less it stands out."""
    import numpy as np

    height, width = found.shape
    x, y = _places(height, width)
    prior = _prior(height, width)
    row, column = np.unravel_index(int((found * prior).argmax()), found.shape)
    at_x, at_y, top = float(x[0, column]), float(y[row, 0]), max(float(found[row, column]), 1e-6)
    clear = (_SPREAD - float(np.percentile(found, _OTHERS)) / top) / (_SPREAD - _CLEAR)
    if clear <= 0 or min(at_x, at_y, 1 - at_x, 1 - at_y) < _RIM:
        return Focus()
    # What lies farther out than the peak counts for less, but what lies nearer to the middle for no more.
    found = found * np.minimum(prior / prior[row, column], 1)
    longer = max(height, width)
    for _ in range(_GROUP_STEPS):
        far = ((x - at_x) * (width / longer)) ** 2 + ((y - at_y) * (height / longer)) ** 2
        weight = found**2 * np.exp(-far / (2 * _GROUP_SIGMA**2))
        total = float(weight.sum())
        at_x, at_y = float((weight * x).sum()) / total, float((weight * y).sum()) / total
    sure = min(clear, 1.0)
    at_x, at_y = 0.5 + (at_x - 0.5) * sure, 0.5 + (at_y - 0.5) * sure
    matters = np.where(found > _MATTERS_FROM * top, found, 0.0)
    reach_x, reach_y = _reach(matters.sum(axis=0), x[0], at_x), _reach(matters.sum(axis=1), y[:, 0], at_y)
    return Focus((at_x, at_y), (1 - (1 - reach_x) * sure, 1 - (1 - reach_y) * sure))


def _reach(mass: NDArray[np.floating], places: Map, at: float) -> float:
    """The part of a side, centred on `at`, in which that much of the mass lies."""
    import numpy as np

    away = np.abs(places - at)
    order = np.argsort(away, kind="stable")
    held = np.cumsum(mass[order])
    last = int(np.searchsorted(held, held[-1] * _MATTERS_SHARE))
    return min(1.0, 2 * float(away[order[min(last, len(order) - 1)]]))


def _content(pictures: Sequence[NDArray[np.uint8]]) -> tuple[int, int, int, int]:
    """Top, bottom, left and right of what is left without even bars at the rim; all of it where nothing else is."""
    import numpy as np

    height, width = pictures[0].shape[:2]
    spans = []
    for axis, length in ((1, height), (0, width)):
        uneven = np.zeros(length, bool)
        for picture in pictures:
            uneven |= (np.ptp(picture, axis=axis) > _BAR_RANGE).any(axis=-1)
        inside = np.flatnonzero(uneven)
        spans.append((int(inside[0]), int(inside[-1]) + 1) if len(inside) else (0, length))
    return *spans[0], *spans[1]


def _places(height: int, width: int) -> tuple[Map, Map]:
    """Where each column and row lies, in fractions, as arrays that go together."""
    import numpy as np

    x = (np.arange(width, dtype=np.float32) + np.float32(0.5)) / np.float32(width)
    y = (np.arange(height, dtype=np.float32) + np.float32(0.5)) / np.float32(height)
    return x[None, :], y[:, None]


def _small(width: int, height: int) -> tuple[int, int]:
    scale = min(1.0, _SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _soft(values: Map, sigma: float) -> Map:
    import cv2
    import numpy as np

    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma), np.float32)


def _unit(values: Map) -> Map:
    import numpy as np

    values = values - values.min()
    return np.asarray(values / max(float(values.max()), 1e-6), np.float32)
