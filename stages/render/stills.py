"""Pictures as people have them: any orientation, colour profile, mode and size, decoded to plain sRGB pixels."""

from __future__ import annotations

import contextlib
import io
import struct
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import BriefError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

# What may be opened at all: Pillow also knows formats that start other programs.
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF")
MOST_PIXELS = 200_000_000
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
_LIMIT_LOCK = threading.Lock()
# Under what is transparent: the tone that the rest stands out from.
_LIGHT_GROUND, _DARK_GROUND = (244, 243, 240), (24, 25, 28)


def is_picture(path: Path) -> bool:
    """Whether the file's content is a picture of a format that is taken."""
    from PIL import Image, UnidentifiedImageError

    try:
        with _unlimited(), Image.open(path, formats=FORMATS):
            return True
    except UnidentifiedImageError:
        return False
    except (OSError, SyntaxError, ValueError, EOFError):
        return True


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
        picture: Image = _eight_bit(image)
        if shrink >= 2:
            picture = picture.reduce(shrink)
        rgb = _in_srgb(_on_ground(picture), profile)
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
    from PIL import Image, UnidentifiedImageError

    try:
        if path.stat().st_size == 0:
            raise BriefError(f"{path.name} is empty", hint="replace it")
        with _unlimited():
            image = Image.open(path, formats=FORMATS)
        with image:
            _check_size(path, image.width, image.height)
            yield image
    except UnidentifiedImageError as error:
        raise BriefError(f"{path.name} is no picture of a format that can be read", hint=_REPLACE) from error
    except (SyntaxError, ValueError, EOFError, OSError, struct.error, zlib.error) as error:
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
def _unlimited() -> Iterator[None]:
    """Pillow warns of pictures from 89 megapixels on. We have a limit of our own, and only open the header in here."""
    from PIL import Image

    with _LIMIT_LOCK:
        saved = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = saved


def _eight_bit(image: Image) -> Image:
    """The same picture in a mode of eight bits a channel, and without a palette."""
    import numpy as np
    from PIL import Image as Pillow

    if image.mode.startswith(("I", "F")):
        values = np.asarray(image).astype(np.float32)
        top = 65535.0 if image.mode.startswith("I") else float(max(values.max(), 1e-6))
        return Pillow.fromarray((np.clip(values / top, 0, 1) * 255 + 0.5).astype(np.uint8))
    if image.mode in ("RGB", "RGBA", "L", "LA", "CMYK", "LAB"):
        return image if image.mode != "RGB" or "transparency" not in image.info else image.convert("RGBA")
    has_alpha = "transparency" in image.info or image.mode in ("PA", "La", "RGBa")
    return image.convert("RGBA" if has_alpha else "RGB")


def _on_ground(image: Image) -> Image:
    """Without transparency: dark drawings stand on light ground, light ones on dark."""
    import numpy as np
    from PIL import Image as Pillow

    if image.mode not in ("RGBA", "LA"):
        return image
    rgba = image.convert("RGBA")
    alpha = rgba.getchannel("A")
    if alpha.getextrema()[0] == 255:
        return rgba.convert("RGB")
    small = np.asarray(rgba.resize((64, 64), Pillow.Resampling.BOX)).astype(np.float32)
    weight = small[..., 3].sum()
    tone = (small[..., :3] @ (0.2126, 0.7152, 0.0722) * small[..., 3]).sum() / weight if weight else 0.0
    ground = Pillow.new("RGB", rgba.size, _LIGHT_GROUND if tone < 128 else _DARK_GROUND)
    ground.paste(rgba, mask=alpha)
    return ground


def _in_srgb(image: Image, profile: bytes | None) -> Image:
    """Converted by the picture's colour profile; a profile that cannot be used is left out of account."""
    from PIL import ImageCms

    if profile:
        with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if converted is not None:
                return converted
    return image if image.mode == "RGB" else image.convert("RGB")
