"""Where everything falls in time: scenes in whole frames, lines in whole samples, all of it on the programme's clock.

Nothing here touches a file. Every number is an integer count, so no rounding error grows with the length of a video.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise, repeat

from config.errors import UsageError
from stages.models import Narration, ScriptScene, TransitionName, Word
from stages.render.specs import Cue, PlacedLine, RenderPacing, SceneCut, TimedCue, TimedLine
from stages.text.phrases import has_spaceless, is_spaceless

SAMPLE_RATE_HZ = 48_000


@dataclass(frozen=True)
class Programme:
    """All scenes on one clock. `samples` is exactly `frames` × 48000 / `fps`; `starts` holds each scene's first frame.

    `lines` are in samples and `cues` in frames from the video's first; no cue overlaps the next.
    """

    frames: int
    samples: int
    fps: int
    starts: tuple[int, ...]
    lines: tuple[TimedLine, ...]
    cues: tuple[TimedCue, ...] = ()


def cut_scene(
    index: int,
    scene: ScriptScene,
    narrations: Sequence[tuple[str, Narration]],
    fps: int,
    pacing: RenderPacing,
    *,
    first: bool,
    last: bool,
    transition_in: TransitionName,
    transition_out: TransitionName,
) -> SceneCut:
    """A scene's length and where its lines stand in it. `narrations` are (digest, narration) in the order of speaking.

    The silences between scenes are measured to the middle of a crossfade, so that it makes no longer pause than a cut.
    But nobody speaks in frames that two scenes share, and every scene has at least one frame of its own.
    Raises `UsageError` for a frame rate whose frames are not whole samples.
    """
    per_frame = _samples_per_frame(fps)
    head = 0 if first else _shared(transition_in, pacing, fps)
    tail = 0 if last else _shared(transition_out, pacing, fps)
    lead = _samples(pacing.intro_s if first else pacing.lead_s)
    after = _samples(pacing.outro_s if last else pacing.tail_s)
    if narrations:
        lines = _place(narrations, max(lead + head * per_frame // 2, head * per_frame), _samples(pacing.line_gap_s))
        spoken = lines[-1].start_sample + lines[-1].samples
        length = spoken + max(after + tail * per_frame // 2, tail * per_frame) + _samples(scene.hold_s)
    else:
        lines = ()
        length = _samples(pacing.empty_scene_s + scene.hold_s)
    return SceneCut(
        index=index,
        fps=fps,
        frames=max(-(-length // per_frame), head + tail + 1),
        head=head,
        tail=tail,
        transition_in="cut" if first else transition_in,
        lines=lines,
    )


def programme(cuts: Sequence[SceneCut], cues: Sequence[Sequence[Cue]] | None = None) -> Programme:
    """All scenes one after the other, each overlapping the one before by the frames that they share.

    `cues` are the captions of each of them. Raises `UsageError` for no scenes at all.
    """
    if not cuts:
        raise UsageError("There are no scenes to show.", hint="Give the brief some text or at least one scene.")
    fps = cuts[0].fps
    per_frame = _samples_per_frame(fps)
    starts: list[int] = []
    lines: list[TimedLine] = []
    timed: list[TimedCue] = []
    end = 0
    for cut, shown in zip(cuts, cues or repeat(()), strict=cues is not None):
        start = end - cut.head
        end = start + cut.frames
        starts.append(start)
        lines += [
            TimedLine(
                digest=line.digest,
                samples=line.samples,
                at_sample=start * per_frame + line.start_sample,
                silent=line.silent,
            )
            for line in cut.lines
        ]
        timed += [TimedCue(start=start + cue.start, end=start + cue.end, lines=cue.lines) for cue in shown]
    return Programme(end, end * per_frame, fps, tuple(starts), tuple(lines), tuple(timed))


def slices(cut: SceneCut, max_frames: int) -> list[tuple[int, int]]:
    """The scene's own frames `[head, frames - tail)` in ranges of near-equal length, none above `max_frames`."""
    own = cut.frames - cut.tail - cut.head
    if own <= 0:
        return []
    parts = -(-own // max(max_frames, 1))
    edges = [cut.head + own * part // parts for part in range(parts + 1)]
    return list(pairwise(edges))


def _samples_per_frame(fps: int) -> int:
    if fps <= 0 or SAMPLE_RATE_HZ % fps:
        raise UsageError(
            f"At {fps} frames a second a frame is not a whole number of sound samples.",
            hint="Set the frame rate to 24, 25, 30, 50 or 60.",
        )
    return SAMPLE_RATE_HZ // fps


def _shared(transition: TransitionName, pacing: RenderPacing, fps: int) -> int:
    """Frames of a transition. It depends on nothing of either scene, so that both neighbours count the same."""
    return 0 if transition == "cut" else round(pacing.transition_s * fps)


def _samples(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE_HZ)


def _place(narrations: Sequence[tuple[str, Narration]], start: int, gap: int) -> tuple[PlacedLine, ...]:
    lines = []
    for digest, narration in narrations:
        lines.append(
            PlacedLine(
                digest=digest,
                samples=narration.samples,
                start_sample=start,
                silent=narration.silent,
                words=_shown_words(narration),
            )
        )
        start += narration.samples + gap
    return tuple(lines)


def _shown_words(narration: Narration) -> tuple[Word, ...]:
    """The words as the text has them, their times rising and within the line.

    A provider that leaves out words or marks, or times none, must not make a caption poorer than the text.
    """
    length_s = narration.samples / SAMPLE_RATE_HZ
    tokens = narration.text.split()
    words = [word for word in narration.words if word.text.strip()]
    texts = [word.text.strip() for word in words]
    spans = [(word.start_s, word.end_s) for word in words]
    if texts != tokens or has_spaceless(narration.text):
        if "".join("".join(texts).split()) == "".join(tokens):
            texts, spans = _as_written(narration.text, words)
        elif len(texts) == len(tokens):
            texts = _with_spaces(tokens)
        else:
            texts, spans = _with_spaces(tokens), _spread(tokens, *_bounds(spans, length_s))
    shown, latest_s = [], 0.0
    for text, (start_s, end_s) in zip(texts, spans, strict=True):
        start_s = min(max(start_s, latest_s), length_s)
        latest_s = min(max(end_s, start_s), length_s)
        shown.append((text, start_s, latest_s))
    if shown == [(word.text, word.start_s, word.end_s) for word in narration.words]:
        return narration.words
    return tuple(Word(text=text, start_s=start_s, end_s=end_s) for text, start_s, end_s in shown)


def _as_written(text: str, words: Sequence[Word]) -> tuple[list[str], list[tuple[float, float]]]:
    """Words that the text writes without a space between them become one, but for scripts that never write one.

    There a space that the text does have is kept at its word's end.
    """
    texts: list[str] = []
    spans: list[tuple[float, float]] = []
    position = 0
    for word in words:
        shown = " ".join(word.text.split())
        start = position
        while text[start].isspace():
            start += 1
        spaced, position = start > position, _after(text, start, shown)
        spaceless = bool(texts) and is_spaceless(texts[-1][-1]) and is_spaceless(shown[0])
        if texts and not spaced and not spaceless:
            texts[-1] += shown
            spans[-1] = (spans[-1][0], word.end_s)
            continue
        if spaced and spaceless:
            texts[-1] += " "
        texts.append(shown)
        spans.append((word.start_s, word.end_s))
    return texts, spans


def _with_spaces(tokens: Sequence[str]) -> list[str]:
    """Tokens of a text; a space between two of a script that writes none between words is kept at the first one's end."""
    texts = [
        f"{token} " if is_spaceless(token[-1]) and is_spaceless(following[0]) else token
        for token, following in pairwise(tokens)
    ]
    return [*texts, *tokens[-1:]]


def _after(text: str, position: int, word: str) -> int:
    """Where `word` ends in `text`, whatever space either of them has within it."""
    left = len(word) - word.count(" ")
    while left:
        left -= not text[position].isspace()
        position += 1
    return position


def _bounds(spans: Sequence[tuple[float, float]], length_s: float) -> tuple[float, float]:
    return (spans[0][0], spans[-1][1]) if spans else (0.0, length_s)


def _spread(tokens: Sequence[str], start_s: float, end_s: float) -> list[tuple[float, float]]:
    """Times by length alone."""
    ends = list(accumulate((len(token) + 1 for token in tokens), initial=0))
    scale = max(end_s - start_s, 0.0) / max(ends[-1], 1)
    return [(start_s + before * scale, start_s + after * scale) for before, after in pairwise(ends)]
