"""Files that people take for pictures, clips or sound and that nothing here reads: what they are, and what converts them."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

_HEAD_BYTES = 512


@dataclass(frozen=True)
class Foreign:
    """A kind of file. `command` has `{source}` and `{stem}` in it; where there is no command, `advice` says what to do.

    `marks` are (place, bytes) of its first bytes; `endings` decide where a file is asked about by name alone.
    """

    name: str
    endings: tuple[str, ...]
    command: str = ""
    marks: tuple[tuple[int, bytes], ...] = ()
    advice: str = ""

    def way_out(self, path: Path) -> str:
        """What to type, or to do, to have it in a kind that is read."""
        if not self.command:
            return self.advice
        return f"convert it: {self.command.format(source=shlex.quote(path.name), stem=shlex.quote(path.stem))}"


_RAW = (".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".dng", ".orf", ".rw2", ".raf", ".pef", ".srw", ".raw", ".3fr")
_RAW_MARKS = ((8, b"CR\x02"), (4, b"ftypcrx"), (0, b"FUJIFILMCCD-RAW"), (0, b"IIRO"), (0, b"IIRS"), (0, b"IIU\x00"))
RAW_PHOTO = Foreign("a raw photo of a camera", _RAW, "magick {source} -auto-orient {stem}.jpg", _RAW_MARKS)
_KINDS = (
    RAW_PHOTO,
    Foreign("an SVG drawing", (".svg", ".svgz"), "rsvg-convert -w 1920 {source} -o {stem}.png", ((0, b"<svg"),)),
    Foreign(
        "a JPEG XL picture",
        (".jxl",),
        "djxl {source} {stem}.png",
        ((0, b"\x00\x00\x00\x0cJXL "), (0, b"\xff\x0a")),
    ),
    Foreign("a PDF", (".pdf", ".ai"), "pdftoppm -r 200 -png -singlefile {source} {stem}", ((0, b"%PDF"),)),
    Foreign(
        "a PostScript file",
        (".eps", ".ps"),
        "magick -density 300 {source} {stem}.png",
        ((0, b"%!PS"), (0, b"\xc5\xd0\xd3\xc6")),
    ),
    Foreign("a GIMP picture", (".xcf",), "magick {source} -flatten {stem}.png", ((0, b"gimp xcf"),)),
    Foreign("a large Photoshop file", (".psb",), "magick {source}[0] {stem}.png", ((0, b"8BPS\x00\x02"),)),
    Foreign("a TGA picture", (".tga",), "ffmpeg -i {source} {stem}.png"),
    Foreign(
        "a MIDI file, which holds notes and no sound",
        (".mid", ".midi"),
        "timidity {source} -Ow -o {stem}.wav",
        ((0, b"MThd"),),
    ),
    Foreign("a playlist", (".m3u8", ".m3u", ".pls"), "ffmpeg -i {source} -c copy {stem}.mp4", ((0, b"#EXTM3U"),)),
    Foreign(
        "a sound file with copy protection",
        (".m4p", ".aax", ".aa"),
        advice="use one without: nothing but its shop's own player opens it",
    ),
    Foreign(
        "a project of an editor, not its result",
        (".aup3", ".aup", ".prproj", ".fcpxml", ".kdenlive", ".veg", ".imovieproj", ".band"),
        advice="open it in its program and export it: pictures as JPEG or PNG, clips as MP4, sound as WAV",
    ),
)


def foreign_kind(path: Path) -> Foreign | None:
    """What a file is by its first bytes, where it is of such a kind. Raises OSError."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES).removeprefix(b"\xef\xbb\xbf")
    text = head.lstrip()
    if text.startswith((b"<?xml", b"<!--", b"<!DOCTYPE svg")) and b"<svg" in head:
        return foreign_named(Path("a.svg"))
    return next((kind for kind in _KINDS for at, mark in kind.marks if head[at:].startswith(mark)), None)


def foreign_named(path: Path) -> Foreign | None:
    """What a file is by its ending."""
    ending = path.suffix.lower()
    return next((kind for kind in _KINDS if ending in kind.endings), None)
