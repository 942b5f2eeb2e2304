"""What stands beside a video: captions as SubRip and WebVTT, chapters as text, and a poster."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Sequence
from html import escape, unescape
from pathlib import Path

from checkpoints.files import mapping_errors
from config.errors import DiskFullError, StoreError
from stages.render.specs import MuxSpec, TimedCue
from stages.typeset.direction import embedded, is_right_to_left, without_embedding

# Noncharacter code points stand in for what the subtitle library would take for codes of its own.
# Within a caption it would be taken for the time of the next one. Nobody sees the character that goes in.
_TIME = re.compile(r"(\d{1,2}:)(?=\d{1,2}:\d{1,2}[.,]\d{1,3})")
_UNSEEN = "\u2060"
_BACKSLASH, _BRACE = "\ufdd0", "\ufdd1"


def write_beside(spec: MuxSpec, find: Callable[[str], Path], folder: Path) -> dict[str, Path]:
    """Write all that a finished video has beside it into `folder`. The keys are the files' endings.

    Raises `DiskFullError`, `StoreError`, or `BriefError` for a picture that cannot be decoded.
    """
    from stages.render.output.chapters import description_lines
    from stages.render.output.poster import write_poster

    fps = spec.encoding.fps
    files = write_sidecars(spec.cues, fps, folder, "captions", right_to_left=is_right_to_left(spec.language))
    chapters = files["chapters.txt"] = folder / "chapters.txt"
    with mapping_errors(chapters):
        text = description_lines(spec.chapters, spec.title, sum(spec.segment_frames), fps)
        chapters.write_text(text, encoding="utf-8", newline="\n")
    if spec.posters:
        poster = files["poster.jpg"] = folder / "poster.jpg"
        with mapping_errors(poster):
            write_poster(spec.posters, find, poster)
    return files


def write_sidecars(
    cues: Sequence[TimedCue], fps: int, folder: Path, stem: str, *, right_to_left: bool = False
) -> dict[str, Path]:
    """Write `stem`.srt and `stem`.vtt into `folder`: UTF-8, line feeds, whole milliseconds. Returns {"srt", "vtt"}.

    Text stands there as typed; WebVTT has `&`, `<` and `>` escaped, SubRip knows no escapes, so that a time in the text is broken
    by a character that nobody sees. Lines of a language that is read from right to left are marked so: many players take every line
    for one of English, and put its full stop on the wrong side.
    Raises `DiskFullError` or `StoreError` for a file that cannot be written.
    """
    paths = {kind: folder / f"{stem}.{kind}" for kind in ("srt", "vtt")}
    for kind, path in paths.items():
        try:
            path.write_text(_document(cues, fps, kind, right_to_left), encoding="utf-8", newline="\n")
        except OSError as error:
            kind_of = DiskFullError if error.errno in (errno.ENOSPC, errno.EDQUOT) else StoreError
            raise kind_of(
                f"Cannot write the captions {path}: {error.strerror or error}",
                hint="Make room or choose another folder, then run `framekeep resume`.",
            ) from error
    return paths


def _document(cues: Sequence[TimedCue], fps: int, kind: str, right_to_left: bool) -> str:
    from pysubs2 import SSAEvent, SSAFile

    subtitles = SSAFile()
    for cue in cues:
        lines = [escape(line, quote=False) if kind == "vtt" else _TIME.sub(rf"\1{_UNSEEN}", line) for line in cue.lines]
        lines = [embedded(line) for line in lines] if right_to_left else lines
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


def shown(line: str, kind: str) -> str:
    """A line of a caption file of a kind as a viewer reads it."""
    text = without_embedding(unshielded(line))
    return unescape(text) if kind == "vtt" else text.replace(_UNSEEN, "")


def milliseconds(frame: int, fps: int) -> int:
    """The time of a frame, rounded as caption files have it."""
    return (frame * 2000 + fps) // (2 * fps)
