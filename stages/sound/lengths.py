"""How long a sound file says it is: one that ends before was cut off, by a full disk or a download that broke off."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer

# Formats whose header has the length, which FFmpeg gives as it stands there. That of others is estimated, or taken from the end.
_STATED = frozenset({"aiff", "au", "flac"})
# Who writes to a pipe does not know the length yet, and writes one of the largest numbers there are.
_UNKNOWN_BYTES = 0x7FFF0000
# Flags of an MP3's first frame.
_FRAMES_AND_BYTES = 3


def stated_seconds(path: Path, container: InputContainer, stream: AudioStream) -> float | None:
    """Seconds of sound by the file's header; None where it has none that can be relied on."""
    format = container.format.name
    if format == "wav":
        return _wav_seconds(path)
    is_cut_off = (format == "mp3" and _is_cut_mp3(path)) or (format.startswith("mov,") and _is_cut_mp4(path, stream))
    if format in _STATED or is_cut_off:
        return float(stream.duration * stream.time_base) if stream.duration and stream.time_base else None
    return None


def _is_cut_mp3(path: Path) -> bool:
    """Whether its first frame, if it holds the numbers of frames and bytes, tells of more bytes than there are."""
    with path.open("rb") as file:
        tag = file.read(10)
        start = 0
        if tag[:3] == b"ID3" and len(tag) == 10:
            start = 10 + sum(byte << shift for byte, shift in zip(tag[6:], (21, 14, 7, 0), strict=True))
        file.seek(start)
        frame = file.read(256)
    at = max(frame.find(b"Xing"), frame.find(b"Info"))
    if at < 0 or len(frame) < at + 16:
        return False
    flags, _, size = struct.unpack_from(">III", frame, at + 4)
    return bool(flags & _FRAMES_AND_BYTES == _FRAMES_AND_BYTES and start + size > path.stat().st_size)


def _is_cut_mp4(path: Path, stream: AudioStream) -> bool:
    """Whether the last packet in an MP4's table lies beyond the file's end."""
    entries = stream.index_entries
    if not len(entries):
        return False
    last = entries[len(entries) - 1]
    return last.pos + last.size > path.stat().st_size


def _wav_seconds(path: Path) -> float | None:
    """By its `data` chunk, where that lies beyond the file's end: FFmpeg itself counts no further than to there.

    Only then, since bytes in a second are an average in compressed sound.
    """
    bytes_per_s = 0
    with path.open("rb") as file:
        if file.read(12)[:4] != b"RIFF":
            return None
        while len(head := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", head)
            start = file.tell()
            if name == b"data":
                is_known = bytes_per_s and size < _UNKNOWN_BYTES
                return size / bytes_per_s if is_known and start + size > path.stat().st_size else None
            if name == b"fmt ":
                bytes_per_s = struct.unpack("<8xI", file.read(12).ljust(12, b"\0"))[0]
            # Chunks begin at even places.
            file.seek(start + size + size % 2)
    return None
