"""JPEGs without their end: every viewer shows one that lacks its last bytes, and half of one as half a picture over grey."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import BriefError

if TYPE_CHECKING:
    from PIL.Image import Image

_END_OF_JPEG = b"\xff\xd9"
# Stands in for what is missing of a JPEG: where it changes the picture, something is missing.
_JPEG_FILLER = bytes(range(1, 200)) * 4
# A JPEG may lack this share of its rows, or one row of blocks: the last bytes hold no more.
_MOST_MISSING, _JPEG_BLOCK = 0.03, 16
_COPY_AGAIN = "copy or download it again"


def ended(path: Path, filler: bytes = b"") -> io.BytesIO | None:
    """A JPEG whose end is missing, and that every viewer shows all the same, with its end put on. None for other files."""
    with path.open("rb") as file:
        if file.read(3) != b"\xff\xd8\xff":
            return None
        file.seek(-2, 2)
        if file.read(2) == _END_OF_JPEG:
            return None
        file.seek(0)
        return io.BytesIO(file.read() + filler + _END_OF_JPEG)


def check_whole(path: Path, image: Image, rows: int) -> None:
    """Raise BriefError where much of a JPEG without an end is missing: its decoder paints that grey, and says nothing.

    `image` is decoded, perhaps smaller than its `rows`.
    """
    from PIL import Image as Pillow
    from PIL import ImageChops

    if image.format not in ("JPEG", "MPO") or (filled := ended(path, _JPEG_FILLER)) is None:
        return
    with Pillow.open(filled, formats=("JPEG",)) as other:
        other.draft("RGB", (64, 64))
        other.load()
        changed = ImageChops.difference(image.convert("RGB"), other.convert("RGB")).getbbox()
    if not changed:
        return
    share = 1 - changed[1] / image.height
    # The passes of a progressive one go over all of its rows.
    if image.info.get("progressive"):
        raise BriefError(f"{path.name} is cut off", hint=_COPY_AGAIN)
    if share * rows > max(_MOST_MISSING * rows, _JPEG_BLOCK):
        raise BriefError(f"{path.name} is cut off: the lower {share:.0%} of it is missing", hint=_COPY_AGAIN)
