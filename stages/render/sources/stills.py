"""Pictures as people have them: any orientation, colour profile, mode and size, decoded to plain sRGB pixels."""

from __future__ import annotations

import contextlib
import functools
import importlib
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import BriefError
from stages.render.sources.jpeg_end import check_whole, ended
from stages.render.sources.srgb import in_srgb, on_ground, reduced
from stages.render.sources.unreadable import RAW_PHOTO

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

# What may be opened at all: Pillow also knows formats that start other programs. By the names of their modules.
_FORMATS = {
    "JPEG": "Jpeg", "PNG": "Png", "WEBP": "WebP", "TIFF": "Tiff", "BMP": "Bmp", "GIF": "Gif", "AVIF": "Avif", "JPEG2000": "Jpeg2K",
    "PSD": "Psd", "PPM": "Ppm", "QOI": "Qoi", "ICO": "Ico",
}  # fmt: skip
# Brought by a package of its own.
_HEIF = "HEIF"
MOST_PIXELS = 200_000_000
# Their decoders take 10 to 16 bytes a pixel, and cannot give less than all of it.
_MOST_PIXELS_OF = {"WEBP": 50_000_000, "AVIF": 50_000_000, _HEIF: 50_000_000}
# One picture of this many pixels is decoded at a time.
_LARGE_PIXELS = 24_000_000
_MOST_SIDE = 60_000
_SIDEWAYS = frozenset({5, 6, 7, 8})
_ORIENTATION = 0x0112
# What Pillow calls the way back to upright.
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
AS_JPEG = "open it where it is shown and save it as JPEG or PNG"
_REPLACE = f"copy it again, or {AS_JPEG}"
# What comes out of Pillow for damaged data; some of it only warns of where warnings are errors.
_DAMAGE = (SyntaxError, ValueError, EOFError, OSError, struct.error, zlib.error, UserWarning)
_OPENING, _LARGE = threading.Lock(), threading.Lock()
# Of the kinds that are taken, where no picture is found in the file after all: where the mark stands, and the mark.
_DAMAGED_KINDS = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG", "PNG"),
    (0, b"GIF8", "GIF"),
    (8, b"WEBP", "WebP"),
    (4, b"ftypavi", "AVIF"),
    (4, b"ftyphei", "HEIC"),
    (4, b"ftyphev", "HEIC"),
    (4, b"ftypmif1", "HEIC"),
    (4, b"ftypmsf1", "HEIC"),
    (0, b"II*\x00", "TIFF"),
    (0, b"MM\x00*", "TIFF"),
    (0, b"8BPS", "Photoshop"),
    (0, b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
)
# For frames that do not say how long they are shown.
_USUAL_MS = 100.0
# TIFF tags of raw photos: what they show to others is a small preview.
_DNG_VERSION, _IS_PREVIEW = 50706, 254


def is_picture(path: Path) -> bool:
    """Whether the file's content is a picture of a format that is taken."""
    from PIL import UnidentifiedImageError

    try:
        with _header(path):
            return True
    except UnidentifiedImageError:
        return False
    except _DAMAGE:
        return True


def moves(path: Path) -> bool:
    """Whether a picture is an animation of a kind that is shown as a clip. Raises BriefError."""
    return _is_animated(path, ("GIF", "PNG"))


def is_animated(path: Path) -> bool:
    """Whether a picture, of which only the first one is shown, has more. Raises BriefError."""
    return _is_animated(path, ("WEBP", "AVIF"))


def _is_animated(path: Path, formats: tuple[str, ...]) -> bool:
    with _opened(path) as image:
        return image.format in formats and bool(getattr(image, "is_animated", False))


def frames_of(path: Path, most: int) -> list[tuple[Image, float]]:
    """All frames of an animation as RGBA with the milliseconds that each is shown; none where there are more than `most`.

    Raises BriefError.
    """
    with _opened(path) as image:
        count = int(getattr(image, "n_frames", 1))
        if count > most:
            return []
        found = []
        for number in range(count):
            image.seek(number)
            found.append((image.convert("RGBA"), float(image.info.get("duration") or _USUAL_MS)))
        return found


def damaged_kind(path: Path) -> str:
    """The kind of picture that a file says it is by its first bytes; empty for what they do not tell."""
    with path.open("rb") as file:
        head = file.read(64)
    return next((name for at, mark, name in _DAMAGED_KINDS if head[at:].startswith(mark)), "")


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height as shown, after a check of the whole file that decodes as little as it can. Raises BriefError."""
    with _opened(path) as image:
        turned = _orientation(image) in _SIDEWAYS
        width, height = image.size
        if image.format == "PNG":
            _verify_png(path, image)
        else:
            # Reads all the data, at an eighth of the size where the format can do that.
            image.draft("RGB", (64, 64))
            image.load()
            check_whole(path, image, height)
    return (height, width) if turned else (width, height)


def header_size(path: Path) -> tuple[int, int]:
    """Width and height as shown, by the header alone. Raises BriefError."""
    with _opened(path) as image:
        return image.size[::-1] if _orientation(image) in _SIDEWAYS else image.size


def load_rgb(path: Path, width: int, height: int) -> NDArray[np.uint8]:
    """The picture as shown, sRGB uint8 (h, w, 3), not smaller than `width` × `height` unless it is so itself.

    It is reduced as early as its format allows, so that 100 megapixels need not stand in memory at once.
    Raises BriefError.
    """
    import numpy as np
    from PIL import Image as Pillow

    with _opened(path) as image:
        orientation = _orientation(image)
        turned = orientation in _SIDEWAYS
        least = (height, width) if turned else (width, height)
        image.draft(None if image.mode in ("CMYK", "L") else "RGB", least)
        image.load()
        profile = image.info.get("icc_profile")
        shrink = min(image.width // max(least[0], 1), image.height // max(least[1], 1))
        rgb = on_ground(in_srgb(reduced(image, max(shrink, 1)), profile))
        if orientation in _TURNS:
            rgb = rgb.transpose(Pillow.Transpose[_TURNS[orientation]])
        return np.asarray(rgb)


def _orientation(image: Image) -> int:
    """EXIF's number; 1 is upright. Pillow turns TIFF by itself, and would decode a whole PNG to look for one behind its pixels."""
    from PIL.Image import Exif

    if image.format == "TIFF" or (image.format == "PNG" and "exif" not in image.info):
        return 1
    exif = image.getexif() if image.format != "PNG" else Exif()
    if image.format == "PNG":
        exif.load(image.info["exif"])
    return int(exif.get(_ORIENTATION) or 1)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Image]:
    """The picture, its size checked; whatever goes wrong inside with its data becomes a BriefError."""
    from PIL import UnidentifiedImageError

    try:
        if path.stat().st_size == 0:
            raise BriefError(f"{path.name} is empty", hint="replace it")
        with _header(path) as image:
            _check_size(path, image)
            _refuse_preview(path, image)
            large = image.width * image.height >= _LARGE_PIXELS
            with _LARGE if large else contextlib.nullcontext():
                yield image
    except UnidentifiedImageError as error:
        raise BriefError(f"{path.name} is no picture of a format that can be read", hint=_REPLACE) from error
    except _DAMAGE as error:
        if isinstance(error, OSError) and error.errno:
            raise BriefError(f"Cannot read {path.name}: {error.strerror}", hint="check the file") from error
        raise BriefError(f"{path.name} is damaged and cannot be decoded: {error}", hint=_REPLACE) from error


def _check_size(path: Path, image: Image) -> None:
    width, height = image.size
    most = _MOST_PIXELS_OF.get(image.format or "", MOST_PIXELS)
    if width * height > most or max(width, height) > _MOST_SIDE:
        kind = f" for {image.format}" if most < MOST_PIXELS else ""
        raise BriefError(
            f"{path.name} is too large: {width} × {height} is {width * height / 1e6:.0f} megapixels, "
            f"the most is {most / 1e6:.0f}{kind}",
            hint="make it smaller; 4000 pixels on the longer side are plenty",
        )


@contextlib.contextmanager
def _header(path: Path) -> Iterator[Image]:
    """The picture, as yet only its header read."""
    from PIL import Image

    with _UNLIMITED:
        # One at a time: threads that open their first pictures at once would find the table of formats half filled.
        with _OPENING:
            known = _known_formats()
        with Image.open(ended(path) or path, formats=known) as image:
            yield image


def _verify_png(path: Path, image: Image) -> None:
    """By checksums, which costs little. A file whose end mark or a note in it is damaged may yet have all its pixels."""
    try:
        image.verify()
    except _DAMAGE:
        with _header(path) as again:
            again.load()


def _refuse_preview(path: Path, image: Image) -> None:
    if image.format != "TIFF":
        return
    tags = image.getexif()
    if _DNG_VERSION in tags or int(tags.get(_IS_PREVIEW) or 0) & 1:
        raise BriefError(f"{path.name} is {RAW_PHOTO.name}, which cannot be read", hint=RAW_PHOTO.way_out(path))


class _Unlimited:
    """Pillow warns of pictures from 89 megapixels on. While anybody is in here it does not: we have a limit of our own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._saved: int | None = None

    def __enter__(self) -> None:
        from PIL import Image

        with self._lock:
            if not self._inside:
                self._saved, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        from PIL import Image

        with self._lock:
            self._inside -= 1
            if not self._inside:
                Image.MAX_IMAGE_PIXELS = self._saved


_UNLIMITED = _Unlimited()


@functools.cache
def _known_formats() -> tuple[str, ...]:
    """Those that this Pillow was built with, and HEIC.

    What it would say on the console of odd files is an error here, or of no interest.
    """
    from PIL import Image

    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
    for module in (*_FORMATS.values(), "Mpo"):
        importlib.import_module(f"PIL.{module}ImagePlugin")
    importlib.import_module("pi_heif").register_heif_opener(thumbnails=False)
    return tuple(name for name in (*_FORMATS, _HEIF) if name in Image.OPEN)
