"""Pictures as people have them: any orientation, colour profile, mode and size, decoded to plain sRGB pixels."""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import BriefError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

# What may be opened at all: Pillow also knows formats that start other programs. By the names of their modules.
_FORMATS = {"JPEG": "Jpeg", "PNG": "Png", "WEBP": "WebP", "TIFF": "Tiff", "BMP": "Bmp", "GIF": "Gif", "AVIF": "Avif"}
MOST_PIXELS = 200_000_000
_MOST_SIDE = 60_000
_STRIP_ROWS = 256
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
_OPENING = threading.Lock()
# Under what is transparent: the tone that the rest stands out from.
_LIGHT_GROUND, _DARK_GROUND = (244, 243, 240), (24, 25, 28)


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
        rgb = _on_ground(_in_srgb(_reduced(image, max(shrink, 1)), profile))
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
            _check_size(path, image.width, image.height)
            yield image
    except UnidentifiedImageError as error:
        raise BriefError(f"{path.name} is no picture of a format that can be read", hint=_REPLACE) from error
    except _DAMAGE as error:
        if isinstance(error, OSError) and error.errno:
            raise BriefError(f"Cannot read {path.name}: {error.strerror}", hint="check the file") from error
        raise BriefError(f"{path.name} is damaged and cannot be decoded: {error}", hint=_REPLACE) from error


def _check_size(path: Path, width: int, height: int) -> None:
    if width * height > MOST_PIXELS or max(width, height) > _MOST_SIDE:
        raise BriefError(
            f"{path.name} is too large: {width} × {height} is {width * height / 1e6:.0f} megapixels, "
            f"the most is {MOST_PIXELS / 1e6:.0f}",
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


def _reduced(image: Image, shrink: int) -> Image:
    """The picture in eight bits a channel, `shrink` times smaller; strip by strip, so that it never stands in memory twice."""
    from PIL import Image as Pillow

    top = 0.0
    if image.mode.startswith(("I", "F")):
        high = image.getextrema()[1]
        assert not isinstance(high, tuple)
        top = max(high, 65535.0 if image.mode.startswith("I") else 1e-6)
    width, height = image.size
    rows = -(-_STRIP_ROWS // shrink) * shrink
    found: Image | None = None
    for upper in range(0, height, rows):
        strip = _eight_bit(image.crop((0, upper, width, min(upper + rows, height))), top)
        if shrink > 1:
            strip = strip.reduce(shrink)
        if found is None:
            found = Pillow.new(strip.mode, (strip.width, -(-height // shrink)))
        found.paste(strip, (0, upper // shrink))
    assert found is not None
    return found


def _eight_bit(image: Image, top: float) -> Image:
    """The same picture in a mode of eight bits a channel, and without a palette. `top` is white, where a mode has none."""
    import numpy as np
    from PIL import Image as Pillow

    if image.mode.startswith(("I", "F")):
        values = np.asarray(image).astype(np.float32)
        return Pillow.fromarray((np.clip(values / top, 0, 1) * 255 + 0.5).astype(np.uint8))
    has_alpha = "transparency" in image.info or image.mode in ("PA", "La", "RGBa")
    if image.mode in ("RGBA", "LA", "CMYK", "LAB") or (image.mode in ("RGB", "L") and not has_alpha):
        return image
    return image.convert("RGBA" if has_alpha else "RGB")


def _on_ground(image: Image) -> Image:
    """Without transparency: dark drawings stand on light ground, light ones on dark."""
    import numpy as np
    from PIL import Image as Pillow

    if image.mode != "RGBA":
        return image
    alpha = image.getchannel("A")
    if alpha.getextrema()[0] == 255:
        return image.convert("RGB")
    small = np.asarray(image.resize((64, 64), Pillow.Resampling.BOX)).astype(np.float32)
    weight = small[..., 3].sum()
    tone = (small[..., :3] @ (0.2126, 0.7152, 0.0722) * small[..., 3]).sum() / weight if weight else 0.0
    ground = Pillow.new("RGB", image.size, _LIGHT_GROUND if tone < 128 else _DARK_GROUND)
    ground.paste(image, mask=alpha)
    return ground


def _in_srgb(image: Image, profile: bytes | None) -> Image:
    """RGB or RGBA, converted by the picture's colour profile; a profile that cannot be used is left out of account."""
    from PIL import ImageCms

    if image.mode in ("RGBA", "LA"):
        if not profile:
            return image.convert("RGBA")
        colour = _in_srgb(image.convert("RGB") if image.mode == "RGBA" else image.getchannel("L"), profile)
        colour.putalpha(image.getchannel("A"))
        return colour
    if profile:
        with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if converted is not None:
                return converted
    return image if image.mode == "RGB" else image.convert("RGB")
