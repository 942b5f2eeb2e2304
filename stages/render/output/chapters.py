"""Chapters: one for each group of scenes under a heading, inside the video and as lines for a description field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from config.errors import CheckFailedError
from stages.render.specs import Chapter, SceneCut

# What description fields take: from the first second on, each chapter this long, the whole text this large, no angle brackets.
LEAST_S = 10
MOST_BYTES = 5000
_MOST_TITLE_CHARS = 100
_MOST_NAME_BYTES = 255
_NO_BRACKETS = str.maketrans("<>", "\u2039\u203a")
# mp4 keeps chapters' times in milliseconds.
_ROUNDING_S = 0.002
_HINT = "Run `framekeep resume`: what is wrong is made again."


@dataclass(frozen=True)
class _Entry:
    """A chapter in whole seconds."""

    start_s: int
    end_s: int
    title: str

    @property
    def length_s(self) -> int:
        return self.end_s - self.start_s


def chapters_of(
    cuts: Sequence[SceneCut], starts: Sequence[int], headings: Sequence[str], title: str
) -> tuple[Chapter, ...]:
    """A chapter for each scene whose heading is not the one before; scenes without a heading go on with theirs.

    It begins with the scene's first frame of its own, after the transition: nobody has spoken yet, the picture is the new
    scene's alone, and a player can start there, since a segment begins. The first one begins with the film, and bears the
    film's title where its scene has no heading. A film of one chapter has none.
    """
    chapters: list[Chapter] = []
    for cut, start, heading in zip(cuts, starts, headings, strict=True):
        name = _named(heading)
        if not chapters:
            chapters.append(Chapter(start=0, title=name or _named(title)))
        elif name and name != chapters[-1].title:
            chapters.append(Chapter(start=start + cut.head, title=name))
    return tuple(chapters) if len(chapters) > 1 else ()


def description_lines(chapters: Sequence[Chapter], title: str, frames: int, fps: int) -> str:
    """The chapters as `0:00 Title` lines that a video platform's description field takes, and reads as chapters.

    Platforms ignore the whole list for one chapter under ten seconds, so short ones become one, with the longest one's title;
    where the field would be too small for all, the least length grows. For a film of one chapter it says the film's title.
    Times are rounded down: no word is missed.
    """
    edges = [*(chapter.start // fps for chapter in chapters), frames // fps]
    entries = [_Entry(*span, chapter.title) for span, chapter in zip(pairwise(edges), chapters, strict=True)]
    least_s = LEAST_S
    while len(merged := _merged(entries, least_s)) > 1:
        text = "".join(_line(entry.start_s, entry.title) for entry in merged)
        if len(text.encode()) <= MOST_BYTES:
            return text
        least_s = least_s * 3 // 2
    return _line(0, title)


def check_chapters(path: Path, chapters: Sequence[Chapter], frames: int, fps: int) -> None:
    """The file's chapters as a player reads them are the planned ones, without gap to the end. Raises CheckFailedError."""
    import av

    with av.open(str(path.absolute())) as container:
        found = [
            (
                float(item["start"] * (item["time_base"] or 0)),
                float(item["end"] * (item["time_base"] or 0)),
                item["metadata"],
            )
            for item in container.chapters()
        ]
    ends = [*(chapter.start for chapter in chapters[1:]), frames] if chapters else []
    for number, (chapter, end) in enumerate(zip(chapters, ends, strict=True), start=1):
        if number > len(found):
            break
        start_s, end_s, metadata = found[number - 1]
        apart_s = max(abs(start_s - chapter.start / fps), abs(end_s - end / fps))
        if metadata.get("title", "") != chapter.title or apart_s > _ROUNDING_S:
            raise CheckFailedError(
                f"{path.name}: chapter {number} is {metadata.get('title', '')!r} from {start_s:.3f} to {end_s:.3f} s, "
                f"wanted {chapter.title!r} from {chapter.start / fps:.3f} to {end / fps:.3f} s",
                hint=_HINT,
            )
    if len(found) != len(chapters):
        raise CheckFailedError(f"{path.name} has {len(found)} chapters, wanted {len(chapters)}", hint=_HINT)


def _named(heading: str) -> str:
    """One line, as long as mp4 takes."""
    name = " ".join(heading.split())
    data = name.encode()
    if len(data) <= _MOST_NAME_BYTES:
        return name
    return data[: _MOST_NAME_BYTES - len("…".encode())].decode(errors="ignore").rstrip() + "…"


def _merged(entries: Sequence[_Entry], least_s: int) -> list[_Entry]:
    """As many chapters as can all be `least_s` long: each ends as soon as it may, and a short rest joins the last."""
    groups: list[list[_Entry]] = []
    for entry in entries:
        if not groups or _length_s(groups[-1]) >= least_s:
            groups.append([])
        groups[-1].append(entry)
    if len(groups) > 1 and _length_s(groups[-1]) < least_s:
        rest = groups.pop()
        groups[-1] += rest
    return [
        _Entry(group[0].start_s, group[-1].end_s, max(group, key=lambda entry: entry.length_s).title)
        for group in groups
    ]


def _length_s(group: Sequence[_Entry]) -> int:
    return group[-1].end_s - group[0].start_s


def _line(start_s: int, title: str) -> str:
    shown = " ".join(title.translate(_NO_BRACKETS).split())
    if len(shown) > _MOST_TITLE_CHARS:
        shown = shown[: _MOST_TITLE_CHARS - 1].rstrip() + "…"
    minutes, seconds = divmod(start_s, 60)
    hours, minutes = divmod(minutes, 60)
    clock = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    return f"{clock} {shown}\n"
