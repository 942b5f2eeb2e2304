"""Files a brief may name: their known endings, and a folder's pictures in order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from config.errors import BriefError

PICTURE_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".avif")
CLIP_ENDINGS = (".mp4", ".mov", ".webm", ".mkv")
SOUND_ENDINGS = (".mp3", ".wav", ".flac", ".ogg", ".opus", ".m4a", ".aac")


def pictures_in(folder: Path) -> list[Path]:
    """A folder's own pictures in natural order, `2.jpg` before `10.jpg`; hidden files are left out.

    Raises BriefError when the folder cannot be read.
    """
    return _files_in(folder, PICTURE_ENDINGS, "pictures")


def recordings_in(folder: Path) -> list[Path]:
    """A folder's own sound files, in the same order. Raises BriefError when the folder cannot be read."""
    return _files_in(folder, SOUND_ENDINGS, "recordings")


def _files_in(folder: Path, endings: Sequence[str], key: str) -> list[Path]:
    try:
        files = [path for path in folder.iterdir() if not path.name.startswith(".") and path.is_file()]
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise BriefError(f"{folder}: cannot read this folder of {key}: {reason}", hint=f"check `{key}:`") from None
    return sorted((path for path in files if path.suffix.lower() in endings), key=_natural)


def _natural(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    parts = re.findall(r"[0-9]+|[^0-9]+", path.name.casefold())
    numbered = [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]
    return numbered, path.name
