"""Segments and sound become one file by stream copy: each segment is checked before, and the whole file after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from checkpoints.files import mapping_errors
from config.errors import CheckFailedError
from stages.base import CancelToken
from stages.render.chapters import check_chapters
from stages.render.check import Expectations, check_finished
from stages.render.languages import three_letters
from stages.render.models import Encoding, MediaFacts, MuxSpec
from stages.render.probe import VideoFacts, decode_all, probe_video
from stages.render.process import Run, run_ffmpeg
from stages.render.tags import tags_file

TIMESCALE = 90_000
_HINT = "Run `framekeep resume`: what is wrong is made again."
# Of these the joined stream has only one; a segment that differs would be played with the others' settings.
_SHARED = (
    "codec",
    "tag",
    "profile",
    "pix_fmt",
    "width",
    "height",
    "fps",
    "time_base",
    "colour",
    "extradata",
)


def mux(
    spec: MuxSpec,
    out: Path,
    artifact: Callable[[str], Path],
    cancel: CancelToken,
    progress: Callable[[int, int, str], None],
    *,
    stall_timeout_s: float = 60.0,
) -> MediaFacts:
    """Make the finished file `out` and check it; what is needed on the way lies beside it.

    Nothing is encoded. Raises CheckFailedError for a segment that is broken or unlike the others, naming it, and for a
    result that is not as planned.
    """
    run = Run("the finished video", out.parent, cancel, stall_timeout_s)
    frames = sum(spec.segment_frames)
    segments = [artifact(digest) for digest in spec.segments]
    check_segments(segments, spec.segment_frames, spec.encoding, lambda: cancel.check())
    playlist = out.parent / "segments.ffconcat"
    with mapping_errors(playlist):
        playlist.write_text(_playlist(segments), encoding="utf-8", newline="\n")
    tags = out.parent / "tags.ffmetadata"
    with mapping_errors(tags):
        tags.write_text(tags_file(spec), encoding="utf-8", newline="\n")
    run_ffmpeg(_arguments(spec, playlist, artifact(spec.audio), tags, out), run)
    wanted = Expectations(
        frames=frames,
        samples=spec.samples,
        width=spec.encoding.width,
        height=spec.encoding.height,
        fps=spec.encoding.fps,
        target_lufs=spec.target_lufs,
        true_peak_dbtp=spec.true_peak_dbtp,
    )
    # Not in "frames": those are counted where they are encoded.
    checking = replace(
        run, what="the check of the finished video", on_frame=lambda frame: progress(frame, frames, "checked")
    )
    try:
        facts = check_finished(out, wanted, checking)
    except CheckFailedError:
        _name_damaged(segments, cancel)
        raise
    check_chapters(out, spec.chapters, frames, spec.encoding.fps)
    return facts


def check_segments(
    segments: Sequence[Path], frames: Sequence[int], encoding: Encoding, between: Callable[[], None] = lambda: None
) -> None:
    """Each segment as long as planned, from time 0, and all of them alike. Raises CheckFailedError naming the first that is not."""
    if not segments or len(segments) != len(frames):
        raise CheckFailedError(f"{len(segments)} segments for {len(frames)} planned lengths", hint=_HINT)
    first: VideoFacts | None = None
    for number, (path, wanted) in enumerate(zip(segments, frames, strict=True), start=1):
        between()
        name = f"Segment {number} of {len(segments)}"
        try:
            facts = probe_video(path)
        except CheckFailedError as error:
            raise CheckFailedError(f"{name} is broken: {error.message}", hint=_HINT) from error
        first = first or facts
        if wrong := [*_differences(facts, first), *_departures(facts, wanted, encoding)]:
            raise CheckFailedError(f"{name} does not fit: {'; '.join(wrong)}", hint=_HINT)


def _name_damaged(segments: Sequence[Path], cancel: CancelToken) -> None:
    """Raise for the segment that cannot be decoded, if it is one of them that spoils the whole."""
    for number, path in enumerate(segments, start=1):
        cancel.check()
        try:
            decode_all(path)
        except CheckFailedError as error:
            raise CheckFailedError(
                f"Segment {number} of {len(segments)} is broken: {error.message}", hint=_HINT
            ) from error


def _differences(facts: VideoFacts, first: VideoFacts) -> list[str]:
    """Where a segment is unlike the first."""
    pairs = [(name, getattr(facts, name), getattr(first, name)) for name in _SHARED]
    return [
        f"{name} is {_shown(found)}, the first one's is {_shown(wanted)}"
        for name, found, wanted in pairs
        if found != wanted
    ]


def _departures(facts: VideoFacts, frames: int, encoding: Encoding) -> list[str]:
    """Where a segment is not what was planned."""
    checks = [
        ("frames", facts.frames, frames),
        ("size", f"{facts.width}x{facts.height}", f"{encoding.width}x{encoding.height}"),
        ("frame rate", facts.fps, Fraction(encoding.fps)),
        ("time scale", facts.time_base, Fraction(1, TIMESCALE)),
        ("start", facts.start_pts, 0),
        ("duration", facts.duration_s, Fraction(frames, encoding.fps)),
    ]
    return [f"{name} is {found}, wanted {wanted}" for name, found, wanted in checks if found != wanted]


def _shown(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _playlist(segments: Sequence[Path]) -> str:
    """ffmpeg's list of files. Within quotes only the quote itself is special."""
    quoted = [str(path.absolute()).replace("'", r"'\''") for path in segments]
    return "".join(["ffconcat version 1.0\n", *(f"file '{path}'\n" for path in quoted)])


def _arguments(spec: MuxSpec, playlist: Path, audio: Path, tags: Path, out: Path) -> list[str]:
    import ffmpeg

    language = f"language={three_letters(spec.language)}"
    # Converted, packets would be taken apart and put together again, and a damaged one silently left out.
    pictures = ffmpeg.input(str(playlist.absolute()), format="concat", safe=0, auto_convert=0)
    sound = ffmpeg.input(str(audio.absolute()))
    # It has no stream, but only an input that is mapped is read: as many of its subtitles as there are, none.
    words = ffmpeg.input(str(tags.absolute()), format="ffmetadata")["s?"]
    options: dict[str, Any] = {
        "format": "mp4",
        "codec": "copy",
        "movflags": "+faststart",
        "video_track_timescale": TIMESCALE,
        "map_metadata": 2,
        "map_chapters": 2,
        "metadata:s:v:0": language,
        "metadata:s:a:0": language,
        "fflags": "+bitexact",
        "flags": "+bitexact",
    }
    arguments: list[str] = ffmpeg.output(pictures.video, sound.audio, words, str(out.absolute()), **options).get_args()
    return arguments
