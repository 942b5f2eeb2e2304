"""What stands beside a video: captions as SubRip and WebVTT, chapters as text, and a poster."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

from checkpoints.files import mapping_errors
from config.errors import DiskFullError, StoreError
from stages.render.models import MuxSpec, TimedCue

# Noncharacter code points stand in for what the subtitle library would take for codes of its own.
_BACKSLASH, _BRACE = "\ufdd0", "\ufdd1"


def write_beside(spec: MuxSpec, find: Callable[[str], Path], folder: Path) -> dict[str, Path]:
    """Write all that a finished video has beside it into `folder`. The keys are the files' endings.

    Raises `DiskFullError`, `StoreError`, or `BriefError` for a picture that cannot be decoded.
    """
    from stages.render.chapters import description_lines
    from stages.render.poster import write_poster

    fps = spec.encoding.fps
    files = write_sidecars(spec.cues, fps, folder, "captions")
    chapters = files["chapters.txt"] = folder / "chapters.txt"
    with mapping_errors(chapters):
        text = description_lines(spec.chapters, spec.title, sum(spec.segment_frames), fps)
        chapters.write_text(text, encoding="utf-8", newline="\n")
    if spec.posters:
        poster = files["poster.jpg"] = folder / "poster.jpg"
        with mapping_errors(poster):
            write_poster(spec.posters, find, poster)
    return files


def write_sidecars(cues: Sequence[TimedCue], fps: int, folder: Path, stem: str) -> dict[str, Path]:
    """Write `stem`.srt and `stem`.vtt into `folder`: UTF-8, line feeds, whole milliseconds. Returns {"srt", "vtt"}.

    Text stands there as typed; WebVTT has `&`, `<` and `>` escaped, SubRip knows no escapes.
    Raises `DiskFullError` or `StoreError` for a file that cannot be written.
    """
    paths = {kind: folder / f"{stem}.{kind}" for kind in ("srt", "vtt")}
    for kind, path in paths.items():
        try:
            path.write_text(_document(cues, fps, kind), encoding="utf-8", newline="\n")
        except OSError as error:
            kind_of = DiskFullError if error.errno in (errno.ENOSPC, errno.EDQUOT) else StoreError
            raise kind_of(
                f"Cannot write the captions {path}: {error.strerror or error}",
                hint="Make room or choose another folder, then run `framekeep resume`.",
            ) from error
    return paths


def _document(cues: Sequence[TimedCue], fps: int, kind: str) -> str:
    from pysubs2 import SSAEvent, SSAFile

    subtitles = SSAFile()
    for cue in cues:
        lines = [escape(line, quote=False) if kind == "vtt" else line for line in cue.lines]
        text = "\\N".join(map(shielded, lines))
        subtitles.append(SSAEvent(start=milliseconds(cue.start, fps), end=milliseconds(cue.end, fps), text=text))
    written: str = subtitles.to_string(kind)
    return unshielded(written)


def shielded(text: str) -> str:
    """Text in which the subtitle library sees no codes of its own."""
    return text.replace("\\", _BACKSLASH).replace("{", _BRACE)


def unshielded(text: str) -> str:
    """`shielded`, taken back."""
    return text.replace(_BACKSLASH, "\\").replace(_BRACE, "{")


def milliseconds(frame: int, fps: int) -> int:
    """The time of a frame, rounded as caption files have it."""
    return (frame * 2000 + fps) // (2 * fps)
