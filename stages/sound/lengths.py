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


def stated_seconds(path: Path, container: InputContainer, stream: AudioStream) -> float | None:
    """Seconds of sound by the file's header; None where it has none that can be relied on."""
    format = container.format.name
    if format == "wav":
        return _wav_seconds(path)
    if format in _STATED or (format.startswith("mov,") and _is_cut_off(path, stream)):
        return float(stream.duration * stream.time_base) if stream.duration and stream.time_base else None
    return None


def _is_cut_off(path: Path, stream: AudioStream) -> bool:
    """Whether the last packet in an MP4's table lies beyond the file's end."""
    entries = stream.index_entries
    if not len(entries):
        return False
    last = entries[len(entries) - 1]
    return last.pos + last.size > path.stat().st_size


def _wav_seconds(path: Path) -> float | None:
    """By its `data` chunk: FFmpeg itself counts no further than to the file's end."""
    bytes_per_s = 0
    with path.open("rb") as file:
        if file.read(12)[:4] != b"RIFF":
            return None
        while len(head := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", head)
            if name == b"data":
                return size / bytes_per_s if bytes_per_s and size < _UNKNOWN_BYTES else None
            start = file.tell()
            if name == b"fmt ":
                bytes_per_s = struct.unpack("<8xI", file.read(12).ljust(12, b"\0"))[0]
            # Chunks begin at even places.
            file.seek(start + size + size % 2)
    return None
