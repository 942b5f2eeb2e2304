"""Small HEIC pictures as phones make them: one HEVC picture in the boxes of ISO/IEC 23008-12, its turns and mirrors beside it."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

from PIL import Image

from stages.render.ffmpeg.process import ffmpeg_path


def write_heic(
    path: Path, image: Image.Image, *, quarter_turns: int = 0, mirror: int | None = None, exif_orientation: int = 0
) -> Path:
    """`quarter_turns` against the clock and `mirror` (0: top and bottom change places, 1: left and right) as the file's own
    properties; `exif_orientation` as a camera repeats them for others, which readers must leave out of account.
    """
    config, picture = _hevc(image)
    properties = [
        _box(b"hvcC", config),
        _box(b"ispe", struct.pack(">III", 0, *image.size)),
        _box(b"irot", bytes([quarter_turns])),
    ]
    if mirror is not None:
        properties.append(_box(b"imir", bytes([mirror])))
    items, references, exif = [_infe(1, b"hvc1")], b"", b""
    if exif_orientation:
        tags = Image.Exif()
        tags[0x0112] = exif_orientation
        exif = struct.pack(">I", 6) + tags.tobytes()
        items.append(_infe(2, b"Exif"))
        references = _box(b"iref", bytes(4) + _box(b"cdsc", struct.pack(">HHH", 2, 1, 1)))
    listed = struct.pack(">IHB", 1, 1, len(properties)) + bytes(range(0x81, 0x81 + len(properties)))
    rest = _box(b"iinf", bytes(4) + struct.pack(">H", len(items)) + b"".join(items)) + references
    rest += _box(b"iprp", _box(b"ipco", b"".join(properties)) + _box(b"ipma", bytes(4) + listed))
    head = _box(b"ftyp", b"heic" + bytes(4) + b"mif1heic")
    handler = _box(b"hdlr", bytes(8) + b"pict" + bytes(13)) + _box(b"pitm", bytes(4) + struct.pack(">H", 1))

    def meta(start: int) -> bytes:
        places = [(1, start, len(picture)), (2, start + len(picture), len(exif))][: len(items)]
        table = b"".join(struct.pack(">HHHII", number, 0, 1, at, size) for number, at, size in places)
        iloc = _box(b"iloc", bytes(4) + b"\x44\x00" + struct.pack(">H", len(places)) + table)
        return _box(b"meta", bytes(4) + handler + iloc + rest)

    start = len(head) + len(meta(0)) + 8
    path.write_bytes(head + meta(start) + _box(b"mdat", picture + exif))
    return path


def _hevc(image: Image.Image) -> tuple[bytes, bytes]:
    """The decoder's configuration and the one picture's data, out of an mp4 of one frame."""
    command = [
        str(ffmpeg_path()),
        "-v",
        "error",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-s",
        f"{image.width}x{image.height}",
    ]
    command += [
        "-i",
        "pipe:0",
        "-vf",
        "scale=out_color_matrix=bt709:out_range=tv",
        "-colorspace",
        "bt709",
        "-pix_fmt",
        "yuv420p",
    ]
    command += ["-c:v", "libx265", "-x265-params", "log-level=error:qp=4:info=0", "-frames:v", "1"]
    command += ["-f", "mp4", "-movflags", "frag_keyframe+empty_moov", "-tag:v", "hvc1", "pipe:1"]
    made = subprocess.run(command, input=image.convert("RGB").tobytes(), capture_output=True, check=True).stdout
    at, data = made.index(b"hvcC") - 4, made.index(b"mdat") - 4
    return made[at + 8 : at + _size(made, at)], made[data + 8 : data + _size(made, data)]


def _size(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")


def _box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body) + 8, name) + body


def _infe(number: int, kind: bytes) -> bytes:
    return _box(b"infe", b"\x02\0\0\0" + struct.pack(">HH4s", number, 0, kind) + b"\0")
