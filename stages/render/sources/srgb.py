"""From whatever modes and colour profiles pictures come in to plain sRGB of eight bits a channel, without transparency."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

_STRIP_ROWS = 256
# Under what is transparent: the tone that the rest stands out from.
_LIGHT_GROUND, _DARK_GROUND = (244, 243, 240), (24, 25, 28)


def reduced(image: Image, shrink: int) -> Image:
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


def on_ground(image: Image) -> Image:
    """Without transparency: dark drawings stand on light ground, light ones on dark."""
    import numpy as np
    from PIL import Image as Pillow

    if image.mode != "RGBA":
        return image
    alpha = image.getchannel("A")
    if alpha.getextrema()[0] == 255:
        return image.convert("RGB")
    small = np.asarray(image.resize((64, 64), Pillow.Resampling.BOX))
    ground = Pillow.new("RGB", image.size, ground_for([small]))
    ground.paste(image, mask=alpha)
    return ground


def ground_for(pictures: Sequence[NDArray[np.uint8]]) -> tuple[int, int, int]:
    """The ground that small RGBA pictures (h, w, 4) stand out from: one for all of them, as they may be of one clip."""
    import numpy as np

    tone = weight = 0.0
    for picture in pictures:
        alpha = picture[..., 3].astype(np.float32)
        tone += float((picture[..., :3] @ np.array((0.2126, 0.7152, 0.0722), np.float32) * alpha).sum())
        weight += float(alpha.sum())
    return _LIGHT_GROUND if tone < 128 * weight or not weight else _DARK_GROUND


def over(picture: NDArray[np.uint8], ground: tuple[int, int, int]) -> NDArray[np.uint8]:
    """RGBA pixels (h, w, 4) over one colour, as RGB."""
    import numpy as np

    alpha = picture[..., 3:].astype(np.uint16)
    mixed = picture[..., :3] * alpha + np.array(ground, np.uint16) * (255 - alpha) + 127
    return np.ascontiguousarray(mixed // 255, np.uint8)


def in_srgb(image: Image, profile: bytes | None) -> Image:
    """RGB or RGBA, converted by the picture's colour profile; a profile that cannot be used is left out of account."""
    from PIL import ImageCms

    if image.mode in ("RGBA", "LA"):
        if not profile:
            return image.convert("RGBA")
        colour = in_srgb(image.convert("RGB") if image.mode == "RGBA" else image.getchannel("L"), profile)
        colour.putalpha(image.getchannel("A"))
        return colour
    if profile:
        with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if converted is not None:
                return converted
    return image if image.mode == "RGB" else image.convert("RGB")
