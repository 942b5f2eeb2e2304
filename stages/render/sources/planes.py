"""Pictures as the encoder takes them: BT.709 limited-range planes, chroma at half the size, made once for each scene.

Every later step (moving, blending, captions) works on these planes, so nothing is converted frame by frame.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from config.errors import BriefError
from stages.render.motion import canvas_size, is_still
from stages.render.sources.resample import ROOM
from stages.render.sources.stills import (
    AS_JPEG,
    damaged_kind,
    header_size,
    is_picture,
    load_rgb,
    moves,
    picture_size,
)
from stages.render.sources.unreadable import foreign_kind
from stages.render.specs import Motion

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# R'G'B' 0..255 → Y' 16..235, Cb and Cr 16..240 (ITU-R BT.709).
LUMA = (0.2126, 0.7152, 0.0722)
_LUMA_GAIN, _CHROMA_GAIN = 219 / 255, 224 / 255
# A moving picture is sampled between its pixels. From a canvas half again as dense as the frame, its band limited to the frame's,
# plain bilinear sampling comes out as sharp and as free of shimmer as twice the work on a single-density one; from one twice as
# dense hardly better (0.1 of VMAF), at a third more. The last bit keeps the scale off 3/2 itself, at which samples of a moved
# picture are hard to come by.
DENSITY = 1.51
# What bilinear sampling takes from the finest detail, given back beforehand.
_PREEMPHASIS = 0.15
# Finished canvases that neighbouring segments will ask for again.
_KEPT_CANVASES, _KEPT_BYTES = 4, 100_000_000


@dataclass(frozen=True)
class Planes:
    """uint8 Y (h, w) and UV (h/2, w/2, 2). `chroma_x` is where a chroma sample lies, in luma pixels from the left one of its two.

    It is 0 in the video that we write (MPEG-2 siting) and 0.5 (centred) in our own canvases; down, it is always centred. The
    first `room` columns and rows of each plane only repeat its rim.
    """

    y: NDArray[np.uint8]
    uv: NDArray[np.uint8]
    chroma_x: float = 0.0
    room: int = 0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the luma plane, without the room beside it."""
        return self.y.shape[1] - self.room, self.y.shape[0] - self.room

    @property
    def nbytes(self) -> int:
        return self.y.nbytes + self.uv.nbytes


def inspect_visual(path: Path) -> tuple[Literal["picture", "clip"], int, int, float]:
    """Kind, width, height as shown, and a clip's length in seconds (0.0 for a picture), told by content, not by name.

    Raises BriefError for what is empty, damaged, too large or of no kind that can be shown.
    """
    if path.is_file() and path.stat().st_size and (foreign := foreign_kind(path)):
        raise BriefError(f"{path.name} is {foreign.name}, which cannot be read", hint=foreign.way_out(path))
    if path.is_file() and not is_picture(path):
        if kind := damaged_kind(path):
            raise BriefError(f"{path.name} is a damaged {kind} picture", hint=f"copy it again, or {AS_JPEG}")
        from stages.render.sources.clip_files import clip_facts

        facts = clip_facts(path)
        return "clip", facts.width, facts.height, float(facts.length)
    width, height = picture_size(path)
    if moves(path):
        from stages.render.sources.clip_files import clip_facts

        facts = clip_facts(path)
        return "clip", facts.width, facts.height, float(facts.length)
    return "picture", width, height, 0.0


def load_planes(path: Path, motion: Motion, out_w: int, out_h: int) -> Planes:
    """The canvas over which `motion` moves a frame of this size. Raises BriefError for a picture that cannot be decoded."""
    try:
        facts = path.stat()
    except OSError as error:
        raise BriefError(f"Cannot read {path.name}: {error.strerror}", hint="framekeep resume") from error
    key = (path, facts.st_mtime_ns, facts.st_size, motion.fit, motion.start, motion.end, out_w, out_h)
    return _SHELF.get(key, lambda: _load(path, motion, out_w, out_h))


def _load(path: Path, motion: Motion, out_w: int, out_h: int) -> Planes:
    width, height = header_size(path)
    canvas = canvas_size(motion, width, height, out_w, out_h)
    if motion.fit == "contain":
        from stages.render.sources.fill import inner_size, over_fill

        inner = inner_size((width, height), canvas)
        planes = over_fill(from_rgb(load_rgb(path, *inner), inner), canvas)
    else:
        planes = from_rgb(load_rgb(path, *canvas), canvas)
    return planes if is_still(motion) else _denser(planes)


def from_rgb(rgb: NDArray[np.uint8], size: tuple[int, int]) -> Planes:
    """sRGB pixels (h, w, 3) scaled to an even `size` and converted."""
    import cv2
    import numpy as np
    from PIL import Image

    cv2.setNumThreads(1)
    red, green, blue = LUMA
    to_y = np.array([[red, green, blue, 0]]) * _LUMA_GAIN + [[0, 0, 0, 16]]
    blue_gain, red_gain = _CHROMA_GAIN / (2 * (1 - blue)), _CHROMA_GAIN / (2 * (1 - red))
    to_uv = np.array(
        [
            [-red * blue_gain, -green * blue_gain, (1 - blue) * blue_gain, 128],
            [(1 - red) * red_gain, -green * red_gain, -blue * red_gain, 128],
        ]
    )
    y = np.asarray(cv2.transform(rgb, to_y), np.uint8)
    if (rgb.shape[1], rgb.shape[0]) != size:
        # Of three channels it would take three times as long.
        y = np.asarray(Image.fromarray(y).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0))
    small = (size[0] // 2, size[1] // 2)
    shrinks = small[0] <= rgb.shape[1] and small[1] <= rgb.shape[0]
    half = cv2.resize(rgb, small, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return Planes(y, np.asarray(cv2.transform(half, to_uv), np.uint8), chroma_x=0.5)


def scaled(planes: Planes, size: tuple[int, int]) -> Planes:
    """The same picture at another even size; its siting must be centred to survive that."""
    import cv2
    import numpy as np

    def to(plane: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
        shrinks = width < plane.shape[1] or height < plane.shape[0]
        method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(plane, (width, height), interpolation=method), np.uint8)

    width, height = size
    return Planes(to(planes.y, width, height), to(planes.uv, width // 2, height // 2), planes.chroma_x)


def _denser(planes: Planes) -> Planes:
    import cv2
    import numpy as np

    kernel = np.array([-_PREEMPHASIS, 1 + 2 * _PREEMPHASIS, -_PREEMPHASIS], np.float32)
    width, height = (round(side * DENSITY / 2) for side in planes.size)

    def denser(plane: NDArray[np.uint8], width: int, height: int, method: int) -> NDArray[np.uint8]:
        roomy = np.empty((height + ROOM, width + ROOM, *plane.shape[2:]), np.uint8)
        inner = roomy[ROOM:, ROOM:]
        large = cv2.resize(plane, (width, height), interpolation=method)
        cv2.sepFilter2D(large, cv2.CV_8U, kernel, kernel, dst=inner, borderType=cv2.BORDER_REPLICATE)
        roomy[ROOM:, :ROOM] = inner[:, :1]
        roomy[:ROOM] = roomy[ROOM]
        return roomy

    return Planes(
        # OpenCV's cubic shifts detail by up to a fiftieth of a pixel, here and there: in a pan that can be measured.
        denser(planes.y, 2 * width, 2 * height, cv2.INTER_LANCZOS4),
        denser(planes.uv, width, height, cv2.INTER_CUBIC),
        planes.chroma_x,
        ROOM,
    )


class _Shelf:
    """Canvases used lately. One is made at a time, so that large pictures do not stand in memory side by side."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[object, Planes] = OrderedDict()

    def get(self, key: object, make: Callable[[], Planes]) -> Planes:
        with self._lock:
            if (planes := self._kept.pop(key, None)) is None:
                planes = make()
            self._kept[key] = planes
            while len(self._kept) > 1 and (
                len(self._kept) > _KEPT_CANVASES or sum(item.nbytes for item in self._kept.values()) > _KEPT_BYTES
            ):
                self._kept.popitem(last=False)
            return planes


_SHELF = _Shelf()
