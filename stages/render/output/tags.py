"""What a finished file says of itself: title, author, description, chapters, in the form in which ffmpeg takes them as data."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stages.render.specs import MuxSpec

_SPECIAL = re.compile(r"([=;#\\\r\n])")


def tags_file(spec: MuxSpec) -> str:
    """The text of an ffmetadata file. No time and no program's name stands in it: equal films are equal bytes."""
    return "\n".join([";FFMETADATA1", *_tags(spec), *_chapters(spec)]) + "\n"


def _tags(spec: MuxSpec) -> Iterator[str]:
    for name, value in (("title", spec.title), ("artist", spec.author), ("description", spec.description)):
        if value:
            yield f"{name}={_escaped(value)}"


def _chapters(spec: MuxSpec) -> Iterator[str]:
    if not spec.chapters:
        return
    frames = sum(spec.segment_frames)
    ends = [*(chapter.start for chapter in spec.chapters[1:]), frames]
    for chapter, end in zip(spec.chapters, ends, strict=True):
        yield "[CHAPTER]"
        yield f"TIMEBASE=1/{spec.encoding.fps}"
        yield f"START={chapter.start}"
        yield f"END={end}"
        yield f"title={_escaped(chapter.title)}"


def _escaped(text: str) -> str:
    escaped = _SPECIAL.sub(r"\\\1", text.replace("\0", ""))
    # Behind any backslash, an escaped one too, ffmpeg reads on over the line's end. A zero byte ends the value there.
    return f"{escaped}\0" if escaped.endswith("\\") else escaped
