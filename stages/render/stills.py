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
from stages.render.srgb import in_srgb, on_ground, reduced

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

# What may be opened at all: Pillow also knows formats that start other programs. By the names of their modules.
_FORMATS = {"JPEG": "Jpeg", "PNG": "Png", "WEBP": "WebP", "TIFF": "Tiff", "BMP": "Bmp", "GIF": "Gif", "AVIF": "Avif"}
MOST_PIXELS = 200_000_000
# Their decoders take 10 to 16 bytes a pixel, and cannot give less than all of it.
_MOST_PIXELS_OF = {"WEBP": 50_000_000, "AVIF": 50_000_000}
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
_REPLACE = "replace or convert it (JPEG and PNG always work)"
# What comes out of Pillow for damaged data; some of it only warns of where warnings are errors.
_DAMAGE = (SyntaxError, ValueError, EOFError, OSError, struct.error, zlib.error, UserWarning)
_OPENING, _LARGE = threading.Lock(), threading.Lock()
# What people take for pictures, and what it is: where the mark stands, and the mark.
_OTHER_KINDS = (
    (4, b"ftyphei", "a HEIC picture"),
    (4, b"ftyphev", "a HEIC picture"),
    (4, b"ftypmif1", "a HEIC picture"),
    (4, b"ftypmsf1", "a HEIC picture"),
    (0, b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"%PDF", "a PDF"),
    (0, b"%!PS", "a PostScript file"),
    (0, b"<svg", "an SVG drawing"),
    # Of the kinds that are taken, but Pillow finds no picture in these.
    (0, b"\xff\xd8\xff", "a damaged JPEG picture"),
    (0, b"\x89PNG", "a damaged PNG picture"),
    (0, b"GIF8", "a damaged GIF picture"),
    (8, b"WEBP", "a damaged WebP picture"),
    (4, b"ftypavi", "a damaged AVIF picture"),
    (0, b"II*\x00", "a damaged TIFF picture"),
    (0, b"MM\x00*", "a damaged TIFF picture"),
)


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


def is_animated(path: Path) -> bool:
    """Whether a picture, of which only the first one is shown, has more. Raises BriefError."""
    with _opened(path) as image:
        return image.format in ("GIF", "WEBP", "PNG", "AVIF") and bool(getattr(image, "is_animated", False))


def other_kind(path: Path) -> str:
    """What a file is that is neither picture nor clip to us, as far as its first bytes tell; empty for what they do not."""
    with path.open("rb") as file:
        head = file.read(512).removeprefix(b"\xef\xbb\xbf")
    if head.lstrip().startswith((b"<?xml", b"<!--", b"<!DOCTYPE svg")) and b"<svg" in head:
        return "an SVG drawing"
    return next((name for at, mark, name in _OTHER_KINDS if head[at:].startswith(mark)), "")


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height as shown, after a check of the whole file that decodes as little as it can. Raises BriefError."""
    with _opened(path) as image:
        turned = _orientation(image) in _SIDEWAYS
        width, height = image.size
        if image.format == "PNG":
            image.verify()
        else:
            # Reads all the data, at an eighth of the size where the format can do that.
            image.draft("RGB", (64, 64))
            image.load()
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
        with Image.open(path, formats=known) as image:
            yield image


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
    """Those that this Pillow was built with. What it would say on the console of odd files is an error here, or of no interest."""
    from PIL import Image

    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
    for module in (*_FORMATS.values(), "Mpo"):
        importlib.import_module(f"PIL.{module}ImagePlugin")
    return tuple(name for name in _FORMATS if name in Image.OPEN)
