"""The last look at a finished video: everything that was promised, measured on the file itself.

Each check says what it found and what was wanted; nothing counts as finished until all of them pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

from config.errors import CheckFailedError, RejectedError
from stages.render.loudness import GATED_FROM_S, Loudness, measured, parse
from stages.render.models import MediaFacts
from stages.render.probe import BT709, AudioFacts, VideoFacts, probe_audio, probe_video
from stages.render.process import Run, run_ffmpeg

_HINT = "Run `framekeep resume`: what is wrong is made again."
_LOUDNESS_TOLERANCE_LU = 0.5
_ROUNDING = 1e-6
_AT_CEILING_DB = 2.0


@dataclass(frozen=True)
class Expectations:
    """What a finished file must be. `fps` is a whole number.

    Loudness counts from three seconds on and not for silence. A programme of little but sharp peaks may stay quieter than
    the target when its peaks already stand at the ceiling: louder there is none.
    """

    frames: int
    samples: int
    width: int
    height: int
    fps: int
    target_lufs: float = -14.0
    true_peak_dbtp: float = -1.0
    codec: str = "h264"
    tag: str = "avc1"
    profile: str = "High"
    pix_fmt: str = "yuv420p"
    sample_rate_hz: int = 48_000


def check_finished(path: Path, wanted: Expectations, run: Run) -> MediaFacts:
    """Check a file from its boxes to its last sample and return its facts. Raises CheckFailedError.

    The pictures are decoded once, in the same walk that measures the sound.
    """
    _check_layout(path)
    video, audio = probe_video(path), probe_audio(path)
    _compare(path, [*_picture_checks(video, wanted), *_sound_checks(audio, wanted), *_time_checks(video, audio)])
    loudness = _decode(path, wanted.frames, run)
    _check_loudness(path, loudness, wanted)
    return MediaFacts(
        frames=video.frames,
        samples=audio.samples,
        width=video.width,
        height=video.height,
        duration_s=float(video.duration_s),
        bytes=path.stat().st_size,
        integrated_lufs=loudness.integrated_lufs,
        true_peak_dbtp=loudness.true_peak_dbtp,
    )


_Checks = Iterator[tuple[str, object, object]]


def _compare(path: Path, checks: list[tuple[str, object, object]]) -> None:
    """All differences at once: one may explain another."""
    wrong = [f"{what} is {found}, wanted {wanted}" for what, found, wanted in checks if found != wanted]
    if wrong:
        raise CheckFailedError(f"{path.name} is not what was planned: {'; '.join(wrong)}", hint=_HINT)


def _picture_checks(video: VideoFacts, wanted: Expectations) -> _Checks:
    yield "the number of frames", video.frames, wanted.frames
    yield "the size", f"{video.width}x{video.height}", f"{wanted.width}x{wanted.height}"
    yield "the frame rate", video.fps, Fraction(wanted.fps)
    yield "the spacing of frames", "even" if video.is_even else "uneven", "even"
    yield "the video codec", video.codec, wanted.codec
    yield "the video tag", video.tag, wanted.tag
    yield "the profile", video.profile, wanted.profile
    yield "the pixel format", video.pix_fmt, wanted.pix_fmt
    yield "the colour (primaries, transfer, matrix, range)", video.colour, BT709


def _sound_checks(audio: AudioFacts, wanted: Expectations) -> _Checks:
    yield "the number of samples", audio.samples, wanted.samples
    yield "the sample rate", audio.sample_rate_hz, wanted.sample_rate_hz
    yield "the number of channels", audio.channels, 2
    yield "the audio codec", f"{audio.codec} {audio.profile}", "aac LC"


def _time_checks(video: VideoFacts, audio: AudioFacts) -> _Checks:
    yield "the time of the first frame", video.start_pts * video.time_base, 0
    yield "the time of the first sample", audio.start_pts * audio.time_base, 0
    apart = abs(video.duration_s - Fraction(audio.samples, audio.sample_rate_hz))
    within = bool(video.fps) and apart * video.fps < 1
    yield "the difference of picture and sound", "under a frame" if within else f"{float(apart):.4f} s", "under a frame"


def _decode(path: Path, frames: int, run: Run) -> Loudness:
    import ffmpeg

    decoded = 0

    def count(frame: int) -> None:
        nonlocal decoded
        decoded = frame
        run.on_frame(frame)

    source = ffmpeg.input(str(path.absolute()), err_detect="explode")
    output = ffmpeg.output(source.video, measured(source.audio, peak=True), "-", format="null", fps_mode="passthrough")
    try:
        log = run_ffmpeg(["-xerror", *output.get_args()], replace(run, on_frame=count))
    except RejectedError as error:
        reason = error.message.partition(": ")[2]
        raise CheckFailedError(f"{path.name} cannot be decoded to its end: {reason}", hint=_HINT) from error
    if decoded != frames:
        raise CheckFailedError(f"{path.name} decodes to {decoded} frames, wanted {frames}", hint=_HINT)
    return parse(log)


def _check_loudness(path: Path, found: Loudness, wanted: Expectations) -> None:
    if found.is_silent or wanted.samples < GATED_FROM_S * wanted.sample_rate_hz:
        return
    peak = found.true_peak_dbtp
    off = found.integrated_lufs - wanted.target_lufs
    is_at_ceiling = peak is not None and peak > wanted.true_peak_dbtp - _AT_CEILING_DB
    if off > _LOUDNESS_TOLERANCE_LU + _ROUNDING or (off < -_LOUDNESS_TOLERANCE_LU - _ROUNDING and not is_at_ceiling):
        raise CheckFailedError(
            f"{path.name} has a loudness of {found.integrated_lufs:g} LUFS, "
            f"wanted {wanted.target_lufs:g} within {_LOUDNESS_TOLERANCE_LU:g}",
            hint=_HINT,
        )
    if peak is not None and peak > wanted.true_peak_dbtp + _ROUNDING:
        raise CheckFailedError(
            f"{path.name} has a true peak of {peak:g} dBTP, wanted at most {wanted.true_peak_dbtp:g}",
            hint=_HINT,
        )


def _check_layout(path: Path) -> None:
    """A player that starts before the download ends needs the index (`moov`) in front of the data (`mdat`)."""
    try:
        with path.open("rb") as file:
            names = [name for name, _ in _boxes(file, path.stat().st_size)]
    except OSError as error:
        raise CheckFailedError(f"{path.name} cannot be read: {error.strerror or error}", hint=_HINT) from error
    index = [name for name in names if name in ("moov", "mdat")]
    if index != ["moov", "mdat"]:
        raise CheckFailedError(
            f"{path.name} has its parts in the order {', '.join(names) or 'of no mp4 file'}, wanted moov, then mdat",
            hint=_HINT,
        )


def _boxes(file: BinaryIO, end: int) -> Iterator[tuple[str, int]]:
    """Names and sizes of an mp4 file's outermost boxes, as far as they make sense."""
    at = 0
    while at + 8 <= end:
        file.seek(at)
        head = file.read(16)
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        elif size == 0:
            size = end - at
        name = head[4:8].decode("latin-1")
        if size < 8 or not name.isprintable() or at + size > end:
            return
        yield name, size
        at += size
