"""Caption files beside a video: SubRip and WebVTT."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from html import escape
from pathlib import Path

from config.errors import DiskFullError, StoreError
from stages.render.models import TimedCue

# Noncharacter code points stand in for what the subtitle library would take for codes of its own.
_BACKSLASH, _BRACE = "\ufdd0", "\ufdd1"


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
        text = "\\N".join(line.replace("\\", _BACKSLASH).replace("{", _BRACE) for line in lines)
        subtitles.append(SSAEvent(start=_milliseconds(cue.start, fps), end=_milliseconds(cue.end, fps), text=text))
    written: str = subtitles.to_string(kind)
    return written.replace(_BACKSLASH, "\\").replace(_BRACE, "{")


def _milliseconds(frame: int, fps: int) -> int:
    return (frame * 2000 + fps) // (2 * fps)
