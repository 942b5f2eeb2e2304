"""Files a brief may name: their known endings, and a folder's pictures in order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from config.errors import BriefError
from stages.render.sources.unreadable import foreign_named

PICTURE_ENDINGS = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".avif", ".heic", ".heif", ".hif",
    ".gif", ".jp2", ".j2k", ".jpx", ".psd", ".ppm", ".pgm", ".pbm", ".qoi", ".ico",
)  # fmt: skip
CLIP_ENDINGS = (
    ".mp4", ".m4v", ".mov", ".qt", ".webm", ".mkv", ".avi", ".mpg", ".mpeg", ".m2v", ".vob", ".ts", ".mts", ".m2ts", ".wmv", ".asf",
    ".flv", ".f4v", ".3gp", ".3g2", ".ogv", ".mxf", ".dv", ".divx",
)  # fmt: skip
SOUND_ENDINGS = (
    ".mp3", ".wav", ".flac", ".ogg", ".oga", ".opus", ".m4a", ".m4b", ".aac", ".aif", ".aiff", ".aifc", ".wma", ".amr", ".caf",
    ".mp2", ".ac3", ".au", ".mka", ".weba", ".wv", ".3ga",
)  # fmt: skip


# What stands beside pictures, and nobody would look for in a film.
_NOTES = (".txt", ".md", ".xmp", ".aae", ".json", ".csv", ".ini", ".db", ".zip", ".yaml", ".yml", ".html", ".thm")
VISUAL_ENDINGS = (*PICTURE_ENDINGS, *CLIP_ENDINGS)
# Voice memos and recordings of browsers come as clips without a picture: where one is named it is taken.
HEARD_ENDINGS = (*SOUND_ENDINGS, *CLIP_ENDINGS)
# First bytes of media files, for those that sites and phones save under another ending or none: where they stand, and the bytes.
_MARKS = (
    (0, b"\xff\xd8\xff"), (0, b"\x89PNG"), (0, b"GIF8"), (0, b"RIFF"), (0, b"II*\x00"), (0, b"MM\x00*"), (0, b"BM"), (0, b"8BPS"),
    (4, b"ftyp"), (4, b"moov"), (4, b"mdat"), (0, b"\x1a\x45\xdf\xa3"), (0, b"OggS"), (0, b"fLaC"), (0, b"ID3"), (0, b"FORM"),
    (0, b"\xff\xfb"), (0, b"\xff\xf3"), (0, b"\xff\xf1"), (0, b"FLV"), (0, b"caff"), (0, b"#!AMR"), (0, b"\x30\x26\xb2\x75"),
    (0, b"\x00\x00\x01\xba"), (0, b"\x00\x00\x00\x0cjP  "),
)  # fmt: skip


def not_taken(path: Path, endings: Sequence[str]) -> str:
    """Why a file cannot be one of a kind with these endings, and what to do about it; empty where it can. Reads its first bytes."""
    if foreign := foreign_named(path):
        return f"{path.name} is {foreign.name}, which cannot be read; {foreign.way_out(path)}"
    if path.suffix.lower() in endings or _is_media(path):
        return ""
    return f"{path.name!r} does not end in one of {' '.join(endings[:8])} …"


def _is_media(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError:
        return False
    return any(head[at:].startswith(mark) for at, mark in _MARKS)


def pictures_in(folder: Path) -> list[Path]:
    """A folder's own pictures in natural order, `2.jpg` before `10.jpg`; hidden files are left out.

    Raises BriefError when the folder cannot be read.
    """
    return [path for path in _files_in(folder, "pictures") if path.suffix.lower() in PICTURE_ENDINGS]


def left_out_of(folder: Path) -> list[str]:
    """The files in a folder of pictures that are not taken for any, each with the reason and what to do about it.

    Raises BriefError when the folder cannot be read.
    """
    taken = set(pictures_in(folder))
    reasons = []
    for path in _files_in(folder, "pictures"):
        ending = path.suffix.lower()
        if path in taken or ending in _NOTES:
            continue
        if foreign := foreign_named(path):
            reasons.append(f"{path.name} is {foreign.name}; {foreign.way_out(path)}")
        elif ending in CLIP_ENDINGS:
            reasons.append(f"{path.name} is a clip; name it in a scene of its own")
        else:
            reasons.append(f"{path.name} is no picture by its ending")
    return reasons


def recordings_in(folder: Path) -> list[Path]:
    """A folder's own sound files, in the same order. Raises BriefError when the folder cannot be read."""
    return [path for path in _files_in(folder, "recordings") if path.suffix.lower() in SOUND_ENDINGS]


def no_recordings_in(folder: Path) -> list[str]:
    """Names of a folder's files that are not taken for recordings. Raises BriefError when the folder cannot be read."""
    others = [path for path in _files_in(folder, "recordings") if path.suffix.lower() not in SOUND_ENDINGS]
    return [path.name for path in others if path.suffix.lower() not in _NOTES]


def _files_in(folder: Path, key: str) -> list[Path]:
    """A folder's own files in natural order, hidden ones left out."""
    try:
        files = [path for path in folder.iterdir() if not path.name.startswith(".") and path.is_file()]
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise BriefError(f"{folder}: cannot read this folder of {key}: {reason}", hint=f"check `{key}:`") from None
    return sorted(files, key=_natural)


def _natural(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    parts = re.findall(r"[0-9]+|[^0-9]+", path.name.casefold())
    numbered = [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]
    return numbered, path.name
