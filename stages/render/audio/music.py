"""Background music: decoded once to 48 kHz stereo in a scratch file, and looped so that no seam is heard."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import BriefError, RejectedError
from stages.render.audio.envelopes import SAMPLE_RATE_HZ
from stages.render.audio.loudness import Loudness, measured, parse
from stages.render.ffmpeg.process import FfmpegRun, run_ffmpeg
from stages.sound.channels import AS_IT_IS, Balance, Repair
from stages.sound.files import UnreadableSoundError
from stages.sound.listening import listen

if TYPE_CHECKING:
    import numpy as np
    from av.container import InputContainer
    from numpy.typing import NDArray

_FRAME_BYTES = 8
_SHORTEST = SAMPLE_RATE_HZ // 2
_SEAM = SAMPLE_RATE_HZ * 3 // 10
# Silence at the ends of a file is not part of a loop when it is longer than this; shorter, it may be rhythm.
_SILENCE = 1e-4
_LONG_SILENCE = SAMPLE_RATE_HZ // 4
_SCAN = SAMPLE_RATE_HZ * 4
# A seam is clean when the step over it is no larger than this many of the steps around it.
_CLEAN_STEPS = 3.0
_AROUND = 480
_SILENT_START_S = 30.0
# No film needs more of its music looked through.
_LISTENED_S = 1200.0


def inspect_music(path: Path) -> None:
    """Raise BriefError unless the file begins with sound that can be decoded and is long enough to loop. Reads little of it."""
    import av

    try:
        with av.open(str(path)) as container:
            seconds = _sound_s(container) if container.streams.audio else 0.0
        if seconds >= _SHORTEST / SAMPLE_RATE_HZ:
            return
        reason = f"it lasts only {seconds:.2f} s, too short to be looped" if seconds else "there is no sound in it"
    except (av.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
    raise BriefError(
        f"The music {path} cannot be used: {reason}",
        problems=[str(path)],
        hint="put it right, then run the same command again",
    )


def music_fault(path: Path, *, whole: bool) -> str:
    """What of a music file cannot be heard, in words that follow its name; empty for nothing.

    Without `whole`, no further than to what can be heard. Raises BriefError as `inspect_music` does.
    """
    try:
        found = listen(path, _LISTENED_S, whole=whole)
    except UnreadableSoundError:
        # What nobody can make music of is refused as such.
        inspect_music(path)
        return ""
    if not found.is_audible:
        return "is silent: the film has no music"
    return found.fault


def _sound_s(container: InputContainer) -> float:
    """Seconds of sound at the start of a file, counted no further than a loop needs."""
    seconds = 0.0
    for frame in container.decode(audio=0):
        seconds += frame.samples / frame.sample_rate
        if seconds >= _SHORTEST / SAMPLE_RATE_HZ:
            break
    return seconds


@dataclass(frozen=True)
class DecodedMusic:
    """Decoded music: `samples` of raw float32 stereo in `path` from sample `first`, its end overlapping its start by `seam`.

    `repair` is for channels that would cancel each other out, and the like.
    """

    path: Path
    first: int
    samples: int
    seam: int
    loudness: Loudness
    repair: Repair = AS_IT_IS

    @property
    def period(self) -> int:
        """After how many samples it begins again."""
        return self.samples - self.seam

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """Samples `[start, stop)` of endless music, (n, 2)."""
        import numpy as np

        edges = [start, *range((start // self.period + 1) * self.period, stop, self.period), stop]
        return np.concatenate([self._once(a, b - a) for a, b in pairwise(edges)])

    def _once(self, start: int, count: int) -> NDArray[np.float32]:
        turn, at = divmod(start, self.period)
        sound = self._raw(at, count)
        crossing = min(self.seam - at, count)
        if turn and crossing > 0:
            rise, fall = _seam_gains(self.seam)
            sound[:crossing] *= rise[at : at + crossing, None]
            sound[:crossing] += self._raw(self.period + at, crossing) * fall[at : at + crossing, None]
        return sound

    def _raw(self, at: int, count: int) -> NDArray[np.float32]:
        return self.repair.of(_frames(self.path, self.first + at, count))


def load_music(source: Path, needed: int, run: FfmpegRun) -> DecodedMusic | None:
    """Decode what `needed` samples of programme can use of `source`. None when there is nothing in it to be heard.

    Raises BriefError for a file that is no music: the user can put another one in its place.
    """
    pcm = run.scratch / "music.f32"
    # What is cut off as silence at the start must not be missing at the end.
    limit_s = needed / SAMPLE_RATE_HZ + _SILENT_START_S
    loudness = _decode(source, pcm, limit_s, run)
    total = pcm.stat().st_size // _FRAME_BYTES
    edges = _sounding(pcm, total)
    if total >= round(limit_s * SAMPLE_RATE_HZ) and (edges is None or total - edges[0] < needed):
        # It begins later than most: then from its beginning to its end.
        loudness = _decode(source, pcm, None, run)
    return _looped(pcm, needed, loudness)


def _decode(source: Path, pcm: Path, limit_s: float | None, run: FfmpegRun) -> Loudness:
    import ffmpeg

    sound = ffmpeg.input(str(source.absolute())).audio.filter("aresample", SAMPLE_RATE_HZ)
    sound = measured(sound.filter("aformat", sample_fmts="flt", channel_layouts="stereo"))
    limit = {} if limit_s is None else {"t": limit_s}
    output = ffmpeg.output(sound, str(pcm.absolute()), format="f32le", acodec="pcm_f32le", ar=SAMPLE_RATE_HZ, **limit)
    try:
        return parse(run_ffmpeg(output.get_args(), run))
    except RejectedError as error:
        raise _broken(error.message.splitlines()[-1]) from error


def _looped(pcm: Path, needed: int, loudness: Loudness) -> DecodedMusic | None:
    total = pcm.stat().st_size // _FRAME_BYTES
    if not total:
        raise _broken("it holds no sound")
    edges = _sounding(pcm, total)
    if edges is None or (loudness.is_silent and total >= _SHORTEST):
        return None
    first, last = edges
    first = first if first >= _LONG_SILENCE else 0
    last = last if total - last >= _LONG_SILENCE else total
    samples = last - first
    repair = _repair(pcm, first, last)
    if samples >= needed:
        return DecodedMusic(pcm, first, samples, 0, loudness, repair)
    if samples < _SHORTEST:
        raise _broken(f"it lasts only {samples / SAMPLE_RATE_HZ:.2f} s, too short to be looped")
    seam = 0 if _is_seamless(pcm, first, last) else min(_SEAM, samples // 4)
    return DecodedMusic(pcm, first, samples, seam, loudness, repair)


def _repair(pcm: Path, first: int, last: int) -> Repair:
    balance = Balance()
    for at in range(first, last, _SCAN):
        balance.add(_frames(pcm, at, min(_SCAN, last - at)))
    return balance.repair


def _broken(reason: str) -> BriefError:
    problem = f"music: the file cannot be used: {reason}"
    return BriefError(
        f"The brief's music cannot be used: {reason}",
        problems=[problem],
        hint="Check that the file plays, or give the brief other `music`, then run `framekeep render` again.",
    )


def _frames(path: Path, at: int, count: int) -> NDArray[np.float32]:
    """Read, not mapped: pages of a mapped file would count as this process's memory."""
    import numpy as np

    return np.fromfile(path, "<f4", 2 * count, offset=at * _FRAME_BYTES).reshape(-1, 2)


def _sounding(pcm: Path, total: int) -> tuple[int, int] | None:
    """First and one past the last sample that can be heard."""
    import numpy as np

    def heard(at: int) -> NDArray[np.intp]:
        sound = _frames(pcm, at, min(_SCAN, total - at))
        return np.flatnonzero(np.abs(sound).max(axis=1) > _SILENCE) + at

    starts = range(0, total, _SCAN)
    first = next((int(found[0]) for at in starts if len(found := heard(at))), None)
    if first is None:
        return None
    return first, next(int(found[-1]) + 1 for at in reversed(starts) if len(found := heard(at)))


def _is_seamless(pcm: Path, first: int, last: int) -> bool:
    """Whether the start follows on from the end: neither a step nor a kink there larger than music has anyway."""
    import numpy as np

    around = np.concatenate([_frames(pcm, last - _AROUND, _AROUND), _frames(pcm, first, _AROUND)])
    for steps in (np.diff(around, axis=0), np.diff(around, n=2, axis=0)):
        usual = np.sqrt(np.mean(np.square(steps, dtype=np.float64)))
        at_seam = np.abs(steps[_AROUND - 2 : _AROUND]).max()
        if at_seam > max(_CLEAN_STEPS * usual, _SILENCE):
            return False
    return True


def _seam_gains(length: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Equal power: what comes and what goes are not alike, so their squares add up to one."""
    import numpy as np

    angle = np.pi / 2 * (np.arange(length) + 0.5) / length
    return np.sin(angle).astype(np.float32), np.cos(angle).astype(np.float32)
