"""Caption files read back as a player reads them: whole, in order, and within the limits of what can be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from pathlib import Path

from stages.render.captions.breaks import CHARACTERS_PER_SECOND, LONGEST_S, SHORTEST_S, line_width, reading_width
from stages.render.captions.cues import max_chars_for
from stages.render.output.check import CheckFinding, raise_for
from stages.render.output.sidecars import milliseconds, shielded, shown
from stages.render.specs import MuxSpec, TimedCue
from stages.typeset.direction import without_embedding

_MOST_LINES = 2
_SHOWN_PROBLEMS = 5


@dataclass(frozen=True)
class Caption:
    """One caption of a file, in milliseconds."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]

    @property
    def length_s(self) -> float:
        return (self.end_ms - self.start_ms) / 1000


def read_captions(path: Path) -> list[Caption]:
    """The captions of a `.srt` or `.vtt` file. Raises OSError or ValueError for one that is none."""
    import pysubs2

    kind = path.name.rpartition(".")[2]
    try:
        document = pysubs2.SSAFile.from_string(
            shielded(path.read_text(encoding="utf-8")), kind, keep_html_tags=True, keep_unknown_html_tags=True
        )
    except pysubs2.exceptions.Pysubs2Error as error:
        raise ValueError(str(error)) from error
    return [
        Caption(event.start, event.end, tuple(shown(line, kind) for line in event.text.split("\\N")))
        for event in document
    ]


def differences(path: Path, planned: Sequence[TimedCue], fps: int) -> list[CheckFinding]:
    """Where a file that was written just now is not what was planned."""
    try:
        found = read_captions(path)
    except (OSError, ValueError) as error:
        return [CheckFinding("captions", f"the captions {path.name} cannot be read: {error}")]
    wanted = [
        Caption(milliseconds(cue.start, fps), milliseconds(cue.end, fps), tuple(map(without_embedding, cue.lines)))
        for cue in planned
    ]
    if len(found) != len(wanted):
        return [CheckFinding("captions", f"{path.name} has {len(found)} captions, wanted {len(wanted)}")]
    wrong = [number for number, pair in enumerate(zip(found, wanted, strict=True), 1) if pair[0] != pair[1]]
    return [
        CheckFinding("captions", f"{path.name}: caption {number} is not as planned")
        for number in wrong[:_SHOWN_PROBLEMS]
    ]


def check_beside(spec: MuxSpec, files: Mapping[str, Path]) -> None:
    """The caption files of a finished video, just written, hold what was planned, within the limits. Raises CheckFailedError."""
    encoding = spec.encoding
    length_s = sum(spec.segment_frames) / encoding.fps
    max_chars = max_chars_for(encoding.width, encoding.height)
    for kind in ("srt", "vtt"):
        findings = differences(files[kind], spec.cues, encoding.fps)
        # One that differs from the plan, or cannot be read, says all.
        raise_for(files[kind], findings or limits(files[kind].name, read_captions(files[kind]), max_chars, length_s))


def limits(name: str, captions: Sequence[Caption], max_chars: int, length_s: float) -> list[CheckFinding]:
    """What no caption may be, and, as notes, what only fast speech or a short scene explains."""
    faults = [
        CheckFinding("captions", f"{name}: caption {number} {what}")
        for number, caption in enumerate(captions, 1)
        for what in _faults(caption, max_chars, length_s)
    ]
    faults += [
        CheckFinding("captions", f"{name}: captions {number} and {number + 1} overlap")
        for number, (one, other) in enumerate(pairwise(captions), 1)
        if other.start_ms < one.end_ms
    ]
    notes = [
        CheckFinding("captions", f"{name}: caption {number} {what}", is_note=True)
        for number, caption in enumerate(captions, 1)
        for what in _haste(caption)
    ]
    return [*faults[:_SHOWN_PROBLEMS], *notes[:_SHOWN_PROBLEMS]]


def _faults(caption: Caption, max_chars: int, length_s: float) -> Iterator[str]:
    if len(caption.lines) > _MOST_LINES:
        yield f"has {len(caption.lines)} lines, wanted at most {_MOST_LINES}"
    widest = max((line_width(line, max_chars) for line in caption.lines), default=0.0)
    if widest > max_chars:
        yield f"has a line of {ceil(widest)} characters, wanted at most {max_chars} (full-width ones count for more)"
    if caption.end_ms <= caption.start_ms:
        yield "ends before it begins"
    if caption.end_ms > length_s * 1000 + 1:
        yield f"ends at {caption.end_ms / 1000:.3f} s, after the video's {length_s:.3f} s"


def _haste(caption: Caption) -> Iterator[str]:
    length_s = caption.length_s
    if length_s <= 0:
        return
    rate = reading_width(" ".join(caption.lines)) / length_s
    if rate > CHARACTERS_PER_SECOND + 0.5:
        yield f"has {rate:.0f} characters a second, wanted at most {CHARACTERS_PER_SECOND} unless speech is faster"
    if not SHORTEST_S - 0.05 <= length_s <= LONGEST_S + 0.05:
        yield f"is shown for {length_s:.2f} s, wanted {SHORTEST_S:.2f} to {LONGEST_S:g} where speech allows"
