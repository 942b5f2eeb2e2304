"""One segment: its frames painted into an encoder, and the result decoded before it counts.

This is the only time that the pictures of a film are decoded: afterwards digests guarantee their bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import IO

from config.errors import CheckFailedError, TransientError
from stages.base import CancelToken, Context
from stages.render.encoders.encoder import Encoder
from stages.render.ffmpeg.pipe_writer import Spout
from stages.render.ffmpeg.process import FfmpegRun, run_ffmpeg
from stages.render.frames.frame_check import Looks, strangest
from stages.render.frames.painter import Painter
from stages.render.sources.probe import decode_all, probe_video
from stages.render.specs import MediaFacts, SegmentSpec

# Packets, decoded pictures, width, height, frame rate.
_Facts = tuple[int, int, int, int, Fraction]


def render_segment(spec: SegmentSpec, context: Context, encoders: Sequence[Encoder]) -> tuple[Path, MediaFacts]:
    """A verified segment in the step's scratch folder, and what it holds.

    Raises BriefError for a picture that cannot be decoded, else what the guarded call raises.
    """
    out = context.scratch / "segment.mp4"

    def work(encoder: Encoder, cancel: CancelToken) -> MediaFacts:
        out.unlink(missing_ok=True)
        painted = _encode(spec, encoder, out, context, cancel)
        return _checked(spec, encoder, out, painted, cancel)

    facts, _encoder = context.call("encode", encoders, work)
    context.progress(spec.frames, spec.frames, "frames")
    return out, facts


def _encode(spec: SegmentSpec, encoder: Encoder, out: Path, context: Context, cancel: CancelToken) -> Looks:
    """Encode the painted frames; returns what they looked like."""
    painted, size = Looks(), (spec.encoding.width, spec.encoding.height)
    run = FfmpegRun(
        what=f"a {spec.kind} segment of {spec.frames} frames",
        scratch=context.scratch,
        cancel=cancel,
        stall_timeout_s=encoder.stall_timeout_s,
        on_frame=lambda frame: context.progress(min(frame, spec.frames), spec.frames, "frames"),
    )
    cancel.check()
    with Painter(spec, context.artifact) as painter:

        def feed(stdin: IO[bytes]) -> None:
            spout = Spout(stdin)
            for frame in painter.frames():
                cancel.check()
                painted.add_raw(frame, size)
                spout.write(frame)

        run_ffmpeg(encoder.arguments(spec.encoding, out), run, feed)
    return painted


def _checked(spec: SegmentSpec, encoder: Encoder, out: Path, painted: Looks, cancel: CancelToken) -> MediaFacts:
    """The segment's facts. A zero exit code proves nothing: an encoder that was asked to stop leaves a valid, short file.

    Nor does a flawless decode: what came out must look like what went in.
    """
    encoding = spec.encoding
    try:
        found = probe_video(out)
        seen = Looks()
        decoded = decode_all(out, lambda number: cancel.check(), seen.add_decoded)
    except CheckFailedError as error:
        raise TransientError(
            f"{encoder.name} made a segment that cannot be read: {error.message}",
            provider=encoder.name,
            hint="framekeep resume",
            kind="ServiceUnavailable",
        ) from error
    wanted: _Facts = (spec.frames, spec.frames, encoding.width, encoding.height, Fraction(encoding.fps))
    got: _Facts = (found.frames, decoded, found.width, found.height, found.fps)
    if wanted != got:
        raise TransientError(
            f"{encoder.name} made {_told(got)} where {_told(wanted)} were wanted",
            provider=encoder.name,
            hint="framekeep resume",
            kind="ServiceUnavailable",
        )
    if fault := strangest(painted, seen):
        raise TransientError(
            f"{encoder.name} made a {spec.kind} segment in which {fault}",
            provider=encoder.name,
            hint="framekeep doctor",
            kind="ServiceUnavailable",
        )
    return MediaFacts(
        frames=found.frames,
        width=found.width,
        height=found.height,
        duration_s=spec.frames / encoding.fps,
        bytes=out.stat().st_size,
    )


def _told(facts: _Facts) -> str:
    frames, decoded, width, height, fps = facts
    return f"{frames} frames ({decoded} of them decodable) of {width} × {height} at {fps} a second"
