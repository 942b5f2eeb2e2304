"""Caption files, read back: what was written is what is there, and what nobody could read is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from stages.render.output.check_captions import Caption, differences, limits, read_captions
from stages.render.output.sidecars import write_sidecars
from stages.render.specs import TimedCue

CUES = (
    TimedCue(start=0, end=40, lines=("it's 50% {\\an8} C:\\x; [a]=b", '"q" <i>typed</i> & more')),
    TimedCue(start=45, end=90, lines=("Über 1 < 2 > 0", "第二行です")),
    TimedCue(start=90, end=131, lines=("\\N is text, and so is {\\b1}",)),
    TimedCue(start=140, end=190, lines=("5", "00:00:01,000 --> 00:00:02,000")),
    TimedCue(start=190, end=240, lines=("WEBVTT", "NOTE &lt;b&gt; --> STYLE")),
)


@pytest.mark.parametrize("kind", ["srt", "vtt"])
def test_what_was_written_reads_back_as_planned(tmp_path: Path, kind: str) -> None:
    path = write_sidecars(CUES, 30, tmp_path, "captions")[kind]
    assert [caption.lines for caption in read_captions(path)] == [cue.lines for cue in CUES]
    assert differences(path, CUES, 30) == []


@pytest.mark.parametrize("kind", ["srt", "vtt"])
def test_lines_of_a_language_read_from_right_to_left_are_marked_so(tmp_path: Path, kind: str) -> None:
    cues = (TimedCue(start=0, end=40, lines=("3 שוניות.", "5 < 6")),)
    path = write_sidecars(cues, 30, tmp_path, "captions", right_to_left=True)[kind]
    assert "\u202b3 שוניות.\u202c\n" in path.read_text(encoding="utf-8")
    assert differences(path, cues, 30) == []


def test_a_file_that_is_not_as_planned_is_found(tmp_path: Path) -> None:
    path = write_sidecars(CUES, 30, tmp_path, "captions")["srt"]
    (found,) = differences(path, (*CUES[:2], CUES[2].model_copy(update={"end": 130}), *CUES[3:]), 30)
    assert "caption 3 is not as planned" in found.message
    (found,) = differences(path, CUES[:2], 30)
    assert "has 5 captions, wanted 2" in found.message
    path.write_text("no captions at all")
    assert differences(path, CUES, 30)
    path.unlink()
    assert "cannot be read" in differences(path, CUES, 30)[0].message


def check(*captions: Caption) -> tuple[list[str], list[str]]:
    found = limits("a.srt", captions, 22, 20.0)
    return [item.message for item in found if not item.is_note], [item.message for item in found if item.is_note]


def test_captions_within_the_limits_have_no_findings() -> None:
    assert check(Caption(0, 2000, ("a" * 20, "b" * 19)), Caption(2000, 9000, ("第" * 11,))) == ([], [])


@pytest.mark.parametrize(
    ("caption", "says"),
    [
        (Caption(0, 3000, ("a", "b", "c")), "has 3 lines"),
        (Caption(0, 3000, ("a" * 23,)), "a line of 23 characters, wanted at most 22"),
        (Caption(0, 3000, ("第" * 12,)), "a line of 24 characters"),
        (Caption(18_000, 20_002, ("a",)), "ends at 20.002 s, after the video's 20.000 s"),
        (Caption(3000, 3000, ("a",)), "ends before it begins"),
    ],
)
def test_what_no_caption_may_be_is_a_fault(caption: Caption, says: str) -> None:
    faults, _ = check(caption)
    assert len(faults) == 1
    assert says in faults[0]


def test_overlapping_captions_are_a_fault_and_haste_is_a_note() -> None:
    faults, notes = check(Caption(0, 3000, ("a",)), Caption(2999, 3500, ("a" * 20,)), Caption(4000, 12_000, ("b",)))
    assert faults == ["a.srt: captions 1 and 2 overlap"]
    assert len(notes) == 3
    assert "40 characters a second" in notes[0]
    assert "0.50 s" in notes[1]
    assert "8.00 s" in notes[2]
