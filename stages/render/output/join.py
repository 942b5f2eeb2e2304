"""Segments and sound become one file by stream copy: each segment is checked before, and the whole file after.

No picture is decoded here. Each was when its segment was made; that these are still its bytes, and the file's packets
those of its segments, is told by their hashes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checkpoints.files import mapping_errors
from checkpoints.keys import file_digest
from config.errors import CheckFailedError, DamagedSegmentError
from stages.base import CancelToken
from stages.render.ffmpeg.process import FfmpegRun, run_ffmpeg
from stages.render.output.chapters import check_chapters
from stages.render.output.check import HINT, CheckFinding, Expectations, inspect, raise_for
from stages.render.output.check_sound import unexpected_silence
from stages.render.output.tags import tags_file
from stages.render.sources.probe import Fingerprint, VideoFacts, probe_video
from stages.render.specs import Encoding, MediaFacts, MuxSpec
from stages.text.languages import three_letters

if TYPE_CHECKING:
    from av.packet import Packet

TIMESCALE = 90_000
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

    Nothing is encoded. Raises DamagedSegmentError for segments that are broken or unlike the others, naming them, and
    CheckFailedError for a result that is not as planned.
    """
    run = FfmpegRun("the finished video", out.parent, cancel, stall_timeout_s)
    segments = _unchanged(spec.segments, artifact, cancel)
    packets = check_segments(spec, segments, cancel)
    playlist = out.parent / "segments.ffconcat"
    with mapping_errors(playlist):
        playlist.write_text(_playlist(segments), encoding="utf-8", newline="\n")
    tags = out.parent / "tags.ffmetadata"
    with mapping_errors(tags):
        tags.write_text(tags_file(spec), encoding="utf-8", newline="\n")
    run_ffmpeg(_arguments(spec, playlist, artifact(spec.audio), tags, out), run)
    checking = replace(run, what="the check of the finished video")
    facts = _check_joined(spec, out, packets, artifact, checking, progress)
    check_chapters(out, spec.chapters, facts.frames, spec.encoding.fps)
    return facts


def _check_joined(
    spec: MuxSpec,
    out: Path,
    packets: Sequence[str],
    artifact: Callable[[str], Path],
    run: FfmpegRun,
    progress: Callable[[int, int, str], None],
) -> MediaFacts:
    """The whole file against the plan, and its pictures against those of the segments, which were decoded one by one."""
    frames = sum(spec.segment_frames)
    wanted = Expectations(
        frames=frames,
        samples=spec.samples,
        width=spec.encoding.width,
        height=spec.encoding.height,
        fps=spec.encoding.fps,
        codec=spec.encoding.codec,
        target_lufs=spec.target_lufs,
        true_peak_dbtp=spec.true_peak_dbtp,
    )

    def tell(frame: int) -> None:
        run.cancel.check()
        # Not in "frames": those are counted where they are encoded.
        progress(frame, frames, "checked")

    pieces = _Pieces(spec.segment_frames, tell)
    found = inspect(out, wanted, run, pieces.add)
    findings = [*found.findings, *unexpected_silence(spec, found.silences, artifact, run)]
    if not findings and pieces.digests != list(packets):
        pairs = zip(pieces.digests, packets, strict=False)
        number = next((number for number, (one, other) in enumerate(pairs, start=1) if one != other), len(packets))
        findings.append(CheckFinding("packets", f"the pictures of segment {number} were changed by joining"))
    raise_for(out, findings)
    return found.facts


def _unchanged(digests: Sequence[str], artifact: Callable[[str], Path], cancel: CancelToken) -> list[Path]:
    """The segments, each with the very bytes that were decoded when it was made. Raises DamagedSegmentError."""
    paths = [artifact(digest) for digest in digests]
    damaged: dict[str, str] = {}
    for number, (digest, path) in enumerate(zip(digests, paths, strict=True), start=1):
        cancel.check()
        try:
            if file_digest(path)[0] != digest:
                damaged[digest] = f"Segment {number} of {len(digests)} is broken: its bytes have changed"
        except OSError as error:
            damaged[digest] = f"Segment {number} of {len(digests)} is broken: {error.strerror or error}"
    _raise_for(damaged)
    return paths


def check_segments(spec: MuxSpec, segments: Sequence[Path], cancel: CancelToken) -> list[str]:
    """Each segment as long as planned, from time 0, from a key frame on, and all of them alike.

    Returns the digest of each one's packets. Raises DamagedSegmentError for those that are not so; where
    they differ, the most are right.
    """
    frames, digests, count = spec.segment_frames, spec.segments, len(segments)
    if not segments or count != len(frames):
        raise CheckFailedError(f"{count} segments for {len(frames)} planned lengths", hint=HINT)
    damaged: dict[str, str] = {}
    shared: list[tuple[Any, ...]] = []
    packets: list[str] = []
    for number, (path, wanted) in enumerate(zip(segments, frames, strict=True), start=1):
        cancel.check()
        name, fingerprint = f"Segment {number} of {count}", Fingerprint()
        try:
            facts = probe_video(path, fingerprint.add)
        except CheckFailedError as error:
            raise DamagedSegmentError(
                f"{name} is broken: {error.message}", digests=[digests[number - 1]], hint=HINT
            ) from error
        packets.append(fingerprint.digest)
        shared.append(tuple(getattr(facts, field) for field in _SHARED))
        if wrong := _departures(facts, wanted, spec.encoding):
            damaged[digests[number - 1]] = f"{name} does not fit: {'; '.join(wrong)}"
    usual = Counter(shared).most_common(1)[0][0]
    for number, (digest, found) in enumerate(zip(digests, shared, strict=True), start=1):
        if found != usual:
            wrong = _differences(found, usual)
            damaged[digest] = f"Segment {number} of {count} does not fit: {'; '.join(wrong)}"
    _raise_for(damaged)
    return packets


def _raise_for(damaged: dict[str, str]) -> None:
    if damaged:
        problems = list(damaged.values())
        raise DamagedSegmentError("; ".join(problems), digests=list(damaged), problems=problems, hint=HINT)


class _Pieces:
    """The packets of a joined stream, cut where its segments begin: a digest for each."""

    def __init__(self, frames: Sequence[int], tell: Callable[[int], None]) -> None:
        self.digests: list[str] = []
        self._ends = list(accumulate(frames))
        self._tell = tell
        self._count = 0
        self._current = Fingerprint()

    def add(self, packet: Packet[Any]) -> None:
        """Take the next packet."""
        self._current.add(packet)
        self._count += 1
        if self._ends and self._count == self._ends[0]:
            self.digests.append(self._current.digest)
            self._current = Fingerprint()
            self._tell(self._ends.pop(0))


def _differences(found: tuple[Any, ...], usual: tuple[Any, ...]) -> list[str]:
    """Where a segment is unlike the others."""
    return [
        f"{name} is {_shown(one)}, the others' is {_shown(other)}"
        for name, one, other in zip(_SHARED, found, usual, strict=True)
        if one != other
    ]


def _departures(facts: VideoFacts, frames: int, encoding: Encoding) -> list[str]:
    """Where a segment is not what was planned."""
    checks = [
        ("codec", facts.codec, encoding.codec),
        ("frames", facts.frames, frames),
        ("size", f"{facts.width}x{facts.height}", f"{encoding.width}x{encoding.height}"),
        ("frame rate", facts.fps, Fraction(encoding.fps)),
        ("time scale", facts.time_base, Fraction(1, TIMESCALE)),
        ("start", facts.start_pts, 0),
        ("first frame", "a key frame" if facts.begins_with_key else "no key frame", "a key frame"),
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
    ticks = TIMESCALE // spec.encoding.fps
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
        # The list knows lengths in microseconds only: over a hundred segments, what it rounds becomes a frame that is too long.
        "bsf:v": f"setts=ts=N*{ticks}:duration={ticks}",
        "map_metadata": 2,
        "map_chapters": 2,
        "metadata:s:v:0": language,
        "metadata:s:a:0": language,
        "fflags": "+bitexact",
        "flags": "+bitexact",
    }
    arguments: list[str] = ffmpeg.output(pictures.video, sound.audio, words, str(out.absolute()), **options).get_args()
    return arguments
