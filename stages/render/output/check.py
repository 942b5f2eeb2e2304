"""The last look at a finished video: everything that was promised, measured on the file itself.

Each finding says what is there and what was wanted; nothing counts as finished while there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from config.codecs import Codec
from config.errors import CheckFailedError, RejectedError
from stages.render.audio.loudness import GATED_FROM_S, SILENCE_DB, Loudness, measured, parse, silences
from stages.render.encoders.codecs import FACTS
from stages.render.ffmpeg.process import FfmpegRun, run_ffmpeg
from stages.render.sources.probe import BT709, AudioFacts, VideoFacts, decode_all, probe_audio, probe_video
from stages.render.specs import MediaFacts
from stages.text.names import utf8_path

if TYPE_CHECKING:
    from av.packet import Packet

HINT = "Run `framekeep resume`: what is wrong is made again."
FRAME_RATES = (24, 25, 30, 50, 60)
_LOUDNESS_TOLERANCE_LU = 0.5
_ROUNDING = 1e-6
_AT_CEILING_DB = 2.0


@dataclass(frozen=True)
class CheckFinding:
    """What is wrong, by the check that found it. A `note` is worth a look, and is no fault."""

    check: str
    message: str
    is_note: bool = False


@dataclass(frozen=True)
class Expectations:
    """What a finished file must be; None where nothing particular was planned. `fps` is a whole number.

    Loudness counts from three seconds on and not for silence. A programme of little but sharp peaks may stay quieter than
    the target when its peaks already stand at the ceiling: louder there is none.
    """

    frames: int | None = None
    samples: int | None = None
    width: int | None = None
    height: int | None = None
    fps: int | None = None
    codec: Codec | None = None
    target_lufs: float = -14.0
    true_peak_dbtp: float = -1.0
    sample_rate_hz: int = 48_000


@dataclass(frozen=True)
class Inspection:
    """What a file holds. `silences` are stretches without sound, in seconds."""

    findings: tuple[CheckFinding, ...]
    facts: MediaFacts
    silences: tuple[tuple[float, float], ...]


Watch = Callable[["Packet[Any]"], None]


def raise_for(path: Path, findings: Sequence[CheckFinding]) -> None:
    """Raise CheckFailedError with all findings that are faults: one may explain another."""
    faults = [finding.message for finding in findings if not finding.is_note]
    if faults:
        raise CheckFailedError(f"{path.name} is not what was planned: {'; '.join(faults)}", problems=faults, hint=HINT)


def inspect(path: Path, wanted: Expectations, run: FfmpegRun, on_packet: Watch = lambda packet: None) -> Inspection:
    """Look at a file from its boxes to its last sample. Pictures are not decoded: `decode_pictures` does.

    Raises CheckFailedError for one that cannot be read to its end.
    """
    layout = [CheckFinding("layout", fault) for fault in _layout_faults(path)]
    video, audio = probe_video(path, on_packet), probe_audio(path)
    loudness, quiet = _listen(path, audio, run)
    checks = [*_picture_checks(video, wanted), *_sound_checks(audio, wanted), *_time_checks(video, audio)]
    findings = [
        *layout,
        *(
            CheckFinding(check, f"{what} is {is_}, wanted {should}")
            for check, what, is_, should in checks
            if is_ != should
        ),
        *(CheckFinding("loudness", fault) for fault in _loudness_faults(loudness, audio, wanted)),
    ]
    facts = MediaFacts(
        frames=video.frames,
        samples=audio.samples,
        width=video.width,
        height=video.height,
        duration_s=float(video.duration_s),
        bytes=path.stat().st_size,
        integrated_lufs=loudness.integrated_lufs,
        true_peak_dbtp=loudness.true_peak_dbtp,
    )
    return Inspection(tuple(findings), facts, tuple(quiet))


def decode_pictures(
    path: Path, frames: int, on_frame: Callable[[int], None], on_picture: Callable[[Any], None]
) -> list[CheckFinding]:
    """Decode a whole file: what Framekeep itself made was decoded when it was made."""
    try:
        decoded = decode_all(path, on_frame, on_picture, threads=0)
    except CheckFailedError as error:
        return [CheckFinding("decode", f"it cannot be decoded to its end: {error.message}")]
    if decoded != frames:
        return [CheckFinding("decode", f"it decodes to {decoded} frames and has {frames}")]
    return []


def is_mp4(path: Path) -> bool:
    """Whether a file begins like an mp4. Raises OSError."""
    with path.open("rb") as file:
        return any(name in ("ftyp", "moov", "mdat") for name, _ in _boxes(file, path.stat().st_size))


_Checks = Iterator[tuple[str, str, object, object]]


def _picture_checks(video: VideoFacts, wanted: Expectations) -> _Checks:
    known = (
        FACTS[wanted.codec]
        if wanted.codec
        else next((item for item in FACTS.values() if item.codec == video.codec), None)
    )
    size = f"{video.width}x{video.height}"
    rate = wanted.fps or (int(video.fps) if video.fps in FRAME_RATES else " or ".join(map(str, FRAME_RATES)))
    yield "frames", "the number of frames", video.frames, video.frames if wanted.frames is None else wanted.frames
    yield "size", "the size", size, f"{wanted.width}x{wanted.height}" if wanted.width and wanted.height else size
    yield "rate", "the frame rate", str(video.fps), str(rate)
    yield "rate", "the spacing of frames", "even" if video.is_even else "uneven", "even"
    yield "codec", "the video codec", video.codec, known.codec if known else " or ".join(FACTS)
    if known:
        yield "codec", "the video tag", video.tag, known.tag
        yield "codec", "the profile", video.profile, known.profile
        yield "codec", "the pixel format", video.pix_fmt, known.pix_fmt
    yield "colour", "the colour (primaries, transfer, matrix, range)", video.colour, BT709


def _sound_checks(audio: AudioFacts, wanted: Expectations) -> _Checks:
    samples = audio.samples if wanted.samples is None else wanted.samples
    yield "samples", "the number of samples", audio.samples, samples
    yield "sound", "the sample rate", audio.sample_rate_hz, wanted.sample_rate_hz
    yield "sound", "the number of channels", audio.channels, 2
    yield "sound", "the audio codec", f"{audio.codec} {audio.profile}", "aac LC"


def _time_checks(video: VideoFacts, audio: AudioFacts) -> _Checks:
    yield "start", "the time of the first frame", video.start_pts * video.time_base, 0
    yield "start", "the time of the first sample", audio.start_pts * audio.time_base, 0
    apart = abs(video.duration_s - Fraction(audio.samples, audio.sample_rate_hz))
    within = bool(video.fps) and apart * video.fps < 1
    found = "under a frame" if within else f"{float(apart):.4f} s"
    yield "lengths", "the difference of picture and sound", found, "under a frame"


def _listen(path: Path, audio: AudioFacts, run: FfmpegRun) -> tuple[Loudness, list[tuple[float, float]]]:
    import ffmpeg

    # A listener follows no frames: the run's progress is the time that was heard.
    quiet_run = replace(run, on_frame=lambda frame: None)
    try:
        with utf8_path(path.absolute()) as named:
            source = ffmpeg.input(str(named), err_detect="explode").audio
            sound = measured(source, peak=True, silence_db=SILENCE_DB)
            log = run_ffmpeg(["-xerror", *ffmpeg.output(sound, "-", format="null").get_args()], quiet_run)
    except RejectedError as error:
        reason = error.message.partition(": ")[2]
        raise CheckFailedError(f"{path.name} cannot be decoded to its end: {reason}", hint=HINT) from error
    return parse(log), silences(log, audio.samples / audio.sample_rate_hz)


def _loudness_faults(found: Loudness, audio: AudioFacts, wanted: Expectations) -> Iterator[str]:
    if found.is_silent or audio.samples < GATED_FROM_S * audio.sample_rate_hz:
        return
    peak = found.true_peak_dbtp
    off = found.integrated_lufs - wanted.target_lufs
    is_at_ceiling = peak is not None and peak > wanted.true_peak_dbtp - _AT_CEILING_DB
    if off > _LOUDNESS_TOLERANCE_LU + _ROUNDING or (off < -_LOUDNESS_TOLERANCE_LU - _ROUNDING and not is_at_ceiling):
        yield (
            f"it has a loudness of {found.integrated_lufs:g} LUFS, "
            f"wanted {wanted.target_lufs:g} within {_LOUDNESS_TOLERANCE_LU:g}"
        )
    if peak is not None and peak > wanted.true_peak_dbtp + _ROUNDING:
        yield f"it has a true peak of {peak:g} dBTP, wanted at most {wanted.true_peak_dbtp:g}"


def _layout_faults(path: Path) -> Iterator[str]:
    """A player that starts before the download ends needs the index (`moov`) in front of the data (`mdat`)."""
    try:
        with path.open("rb") as file:
            names = [name for name, _ in _boxes(file, path.stat().st_size)]
    except OSError as error:
        raise CheckFailedError(f"{path.name} cannot be read: {error.strerror or error}", hint=HINT) from error
    if [name for name in names if name in ("moov", "mdat")] != ["moov", "mdat"]:
        yield f"it has its parts in the order {', '.join(names) or 'of no mp4 file'}, wanted moov, then mdat"


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
