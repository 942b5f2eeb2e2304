"""The one audio track: narration to the sample, music ducked under it, one loudness, encoded once.

The mix is a function of time that can be asked for any stretch. It is asked three times at most: to measure, to encode,
and to encode again where the encoder itself moved loudness or peaks out of tolerance. No copy of it is ever kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, TYPE_CHECKING

from config.errors import CheckFailedError
from stages.base import CancelToken
from stages.render.audio.clip_sound import ClipSounds
from stages.render.audio.envelopes import SAMPLE_RATE_HZ, MusicCurve, gain_of
from stages.render.audio.limiter import CONTEXT, HOP, SMOOTHNESS, Hops, limited
from stages.render.audio.loudness import GATED_FROM_S, Loudness, measure_file, measure_pcm
from stages.render.audio.music import DecodedMusic, load_music
from stages.render.audio.narration import Voices
from stages.render.ffmpeg.process import FfmpegRun, run_ffmpeg
from stages.render.sources.probe import probe_audio
from stages.render.specs import MediaFacts, MixSpec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BLOCK = 1200 * HOP
_MEASURABLE = SAMPLE_RATE_HZ
# AAC moves peaks by some tenths of a decibel.
_ENCODER_MARGIN_DB = 0.5
# Half of what the finished file may be off is kept for another measure's rounding.
_TOLERANCE_LU = 0.25
_MOST_ENCODES = 4
_PREDICTIONS = 8
# What the limiter may take: gently, and at most.
_GENTLE_DB = 4.0
_MOST_PUSH_DB = 15.0
_MOST_AIM_LU = 6.0


class Mix:
    """The programme before its loudness is set: narration in the middle, the sound of clips and music under it."""

    def __init__(
        self,
        spec: MixSpec,
        voices: Voices,
        music: DecodedMusic | None,
        music_gain: float,
        clips: ClipSounds | None = None,
    ) -> None:
        self.samples = spec.samples
        self._voices = voices
        self._clips = clips
        self._music = music
        self._curve = MusicCurve(spec, music_gain, clips.kept if clips else ())

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """Samples `[start, stop)`, (n, 2); silence outside the programme."""
        import numpy as np

        first, last = max(start, 0), min(stop, self.samples)
        sound = np.zeros((stop - start, 2), dtype=np.float32)
        inside = sound[first - start : last - start]
        inside += self._voices.read(first, last)[:, None]
        if self._clips:
            inside += self._clips.read(first, last)
        if self._music:
            inside += self._music.read(first, last) * self._curve.gains(first, last)[:, None]
        return sound


@dataclass(frozen=True)
class _Job:
    spec: MixSpec
    out: Path
    run: FfmpegRun
    progress: Callable[[int, int, str], None]
    block: int

    def blocks(self) -> list[tuple[int, int]]:
        return list(pairwise([*range(0, self.spec.samples, self.block), self.spec.samples]))

    def tell(self, part: int, sample: int) -> None:
        """Measuring and encoding count as half each."""
        self.run.cancel.check()
        total = self.spec.samples
        self.progress((part * total + sample) // 2 // SAMPLE_RATE_HZ, total // SAMPLE_RATE_HZ, "seconds")


def mix(
    spec: MixSpec,
    out: Path,
    artifact: Callable[[str], Path],
    scratch: Path,
    cancel: CancelToken,
    progress: Callable[[int, int, str], None],
    *,
    block: int = BLOCK,
    stall_timeout_s: float = 60.0,
) -> MediaFacts:
    """Make `out`, an m4a file of exactly `spec.samples` samples at the programme's loudness.

    A programme without sound stays silent. The bytes depend on the inputs alone, not on `block` (a multiple of `HOP`).
    Raises BriefError for music that cannot be used, and CheckFailedError for lines or a result that are not as planned.
    """
    if spec.samples <= 0:
        raise CheckFailedError("The programme has no length", hint="Give the brief at least one scene.")
    job = _Job(spec, out, FfmpegRun("the sound", scratch, cancel, stall_timeout_s), progress, block)
    voices = Voices(spec, artifact)
    music = load_music(artifact(spec.music_digest), spec.samples, job.run) if spec.music_digest else None
    clips = ClipSounds(spec, artifact, job.run)
    spoken_lufs = _spoken_lufs(job, voices) if music or clips else 0.0
    clips.beside(spoken_lufs)
    programme = Mix(spec, voices, music, _music_gain(spec, spoken_lufs, music) if music else 0.0, clips)
    hops, before = _measure(job, programme)
    loudness = _encode_to_target(job, programme, hops, before)
    facts = probe_audio(out)
    if facts.samples != spec.samples or facts.start_pts:
        raise CheckFailedError(
            f"The sound has {facts.samples} samples from {facts.start_pts}, wanted {spec.samples} from 0",
            hint="framekeep resume",
        )
    return MediaFacts(
        samples=facts.samples,
        duration_s=facts.samples / SAMPLE_RATE_HZ,
        bytes=out.stat().st_size,
        integrated_lufs=loudness.integrated_lufs,
        true_peak_dbtp=loudness.true_peak_dbtp,
    )


def _spoken_lufs(job: _Job, voices: Voices) -> float:
    """The narration's loudness. With none there is nothing to be relative to, and the programme's loudness is all that counts."""
    heard = _loudness_of_voices(job, voices) if voices else None
    return job.spec.target_lufs if heard is None or heard.is_silent else heard.integrated_lufs


def _music_gain(spec: MixSpec, spoken_lufs: float, music: DecodedMusic) -> float:
    """Brings the music to the narration's loudness and `music_gain_db` from there."""
    return gain_of(spoken_lufs - music.loudness.integrated_lufs + spec.music_gain_db)


def _loudness_of_voices(job: _Job, voices: Voices) -> Loudness:
    def feed(pipe: IO[bytes]) -> None:
        for pcm in voices.pcm(job.block):
            job.run.cancel.check()
            pipe.write(pcm * _repeats(voices.samples))

    return measure_pcm(feed, 1, "s16le", job.run)


def _repeats(samples: int) -> int:
    """Nothing shorter than 0.4 s can be measured; a sound said several times is as loud as once."""
    return -(-_MEASURABLE // samples)


def _measure(job: _Job, programme: Mix) -> tuple[Hops, Loudness]:
    """One walk through the programme: its loudness by ffmpeg, its peaks by the hop."""
    hops = Hops(programme.samples)

    def feed(pipe: IO[bytes]) -> None:
        for start, stop in job.blocks():
            sound = programme.read(start - CONTEXT, stop + CONTEXT)
            pipe.write(sound[CONTEXT:-CONTEXT].tobytes() * _repeats(programme.samples))
            hops.add(start, sound)
            job.tell(0, stop)

    return hops, measure_pcm(feed, 2, "f32le", job.run)


def _encode_to_target(job: _Job, programme: Mix, hops: Hops, before: Loudness) -> Loudness:
    """Encode until loudness and peak of the file itself are right: once, as a rule. Returns what the file measures."""
    spec = job.spec
    ceiling_db = spec.true_peak_dbtp - _ENCODER_MARGIN_DB
    aim = spec.target_lufs
    gated = programme.samples >= GATED_FROM_S * SAMPLE_RATE_HZ
    for _ in range(_MOST_ENCODES):
        ceiling = gain_of(ceiling_db)
        if before.is_silent:
            gain, curve = 1.0, hops.curve(1.0, ceiling)
        else:
            gain, curve = _turned_up(hops, before.integrated_lufs, aim, ceiling)
        _encode(job, programme, gain, curve)
        found = measure_file(job.out, job.run)
        off = found.integrated_lufs - spec.target_lufs
        # The meter tells tenths: what it calls -1.0 may be a little more.
        over = (found.true_peak_dbtp if found.true_peak_dbtp is not None else -99.0) + 0.05 - spec.true_peak_dbtp
        if over <= 0 and (before.is_silent or not gated or abs(off) <= _TOLERANCE_LU):
            break
        if over > 0:
            ceiling_db -= over + 0.1
        elif aim >= spec.target_lufs + _MOST_AIM_LU:
            break
        if not before.is_silent and gated:
            aim = min(aim - off, spec.target_lufs + _MOST_AIM_LU)
    return found


def _turned_up(hops: Hops, before_lufs: float, aim_lufs: float, ceiling: float) -> tuple[float, NDArray[np.float32]]:
    """The gain that reaches the loudness after the limiter has taken its part, and the limiter's curve.

    As gently as the peaks allow; a programme of little but peaks ends up as loud as a bounded effort makes it.
    """
    for smooth in SMOOTHNESS:
        gain_db = aim_lufs - before_lufs
        for _ in range(_PREDICTIONS):
            curve = hops.curve(gain_of(gain_db), ceiling, smooth)
            missing = aim_lufs - before_lufs - gain_db - hops.loudness_change_lu(curve)
            if missing < 0.02 or gain_db >= aim_lufs - before_lufs + _MOST_PUSH_DB:
                break
            gain_db = min(gain_db + missing, aim_lufs - before_lufs + _MOST_PUSH_DB)
        if gain_db <= aim_lufs - before_lufs + _GENTLE_DB:
            break
    return gain_of(gain_db), hops.curve(gain_of(gain_db), ceiling, smooth)


def _encode(job: _Job, programme: Mix, gain: float, curve: NDArray[np.float32]) -> None:
    import ffmpeg

    def feed(pipe: IO[bytes]) -> None:
        for start, stop in job.blocks():
            pipe.write(limited(programme.read(start, stop), start, gain, curve).tobytes())
            job.tell(1, stop)

    source = ffmpeg.input("pipe:0", format="f32le", ar=SAMPLE_RATE_HZ, ac=2)
    options = {
        "format": "ipod",
        "acodec": "aac",
        "profile:a": "aac_low",
        "b:a": job.spec.audio_bitrate_bps,
        "threads": 1,
        "movflags": "+faststart",
        "map_metadata": -1,
        "fflags": "+bitexact",
        "flags:a": "+bitexact",
    }
    run_ffmpeg(ffmpeg.output(source.audio, str(job.out.absolute()), **options).get_args(), job.run, feed)
