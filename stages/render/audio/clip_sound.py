"""The own sound of clips: decoded once, at one loudness, in step with the pictures, faded where scenes meet."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, TYPE_CHECKING

from stages.render.audio.envelopes import SAMPLE_RATE_HZ, Ducking, SampleSpan, gain_of, rise
from stages.render.audio.loudness import Loudness, measure_pcm
from stages.render.ffmpeg.process import FfmpegRun
from stages.render.sources.clip_files import clip_facts, opened, time_base
from stages.render.specs import MixSpec, TimedClip
from stages.sound.channels import Balance, Repair
from stages.sound.files import SoundFile, UnreadableSoundError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FRAME_BYTES = 8
# Where a scene or a clip begins and ends nothing clicks.
_SHORTEST_FADE = SAMPLE_RATE_HZ // 50
_BLOCK = SAMPLE_RATE_HZ * 10
# Under music, against the narration's loudness. A clip that is to be kept is as loud as narration.
_UNDER_DB = -6.0
# What was recorded very quietly is meant to be quiet.
_MOST_BOOST_DB = 12.0
# So little of it is left under speech where it is heard only while nobody speaks.
_GONE_DB = -70.0
_SHORTEST_MEASURED_S = 0.4


@dataclass(frozen=True)
class _Track:
    """A clip's decoded sound: raw float32 stereo in `path`, `samples` of it. The pictures begin again after `period`."""

    path: Path
    samples: int
    period: Fraction
    repair: Repair
    loudness: Loudness

    def read(self, at: int, count: int) -> NDArray[np.float32]:
        """Samples from `at` on, counted from the clip's first picture, as often as it is shown; faded where it begins again."""
        import numpy as np

        sound = np.zeros((count, 2), np.float32)
        turn = int(at / self.period)
        while (begin := round(turn * self.period)) < at + count:
            end = round((turn + 1) * self.period)
            first, last = max(at, begin), min(at + count, end, begin + self.samples)
            if first < last:
                piece = np.fromfile(self.path, "<f4", 2 * (last - first), offset=(first - begin) * _FRAME_BYTES)
                heard = self.repair.of(piece.reshape(-1, 2))
                fade = _edges(first - begin, len(heard), min(self.samples, end - begin))
                sound[first - at : last - at] = heard * fade[:, None]
            turn += 1
        return sound


class ClipSounds:
    """The sound of all clips that have any to be heard. Close to nothing is kept in memory."""

    def __init__(self, spec: MixSpec, artifact: Callable[[str], Path], run: FfmpegRun) -> None:
        longest: dict[str, int] = {}
        for clip in spec.clips:
            longest[clip.digest] = max(longest.get(clip.digest, 0), clip.samples)
        tracks = {
            digest: _decoded(artifact(digest), run.scratch / f"clip-{number}.f32", samples, run)
            for number, (digest, samples) in enumerate(longest.items())
        }
        self._heard = [(clip, track) for clip in spec.clips if (track := tracks[clip.digest])]
        self._duckings = {
            None: Ducking(spec, spec.lines, _GONE_DB),
            "duck": Ducking(spec, spec.lines, spec.duck_db),
        }
        self._spoken_lufs = spec.target_lufs

    def __bool__(self) -> bool:
        return bool(self._heard)

    def beside(self, spoken_lufs: float) -> None:
        """Set the loudness of the narration, to which theirs is set."""
        self._spoken_lufs = spoken_lufs

    @property
    def kept(self) -> Sequence[SampleSpan]:
        """Where music steps back for them."""
        return [
            SampleSpan(clip.at_sample, clip.at_sample + clip.samples) for clip, _ in self._heard if clip.sound == "keep"
        ]

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """Samples `[start, stop)` of the programme, (n, 2)."""
        import numpy as np

        sound = np.zeros((stop - start, 2), np.float32)
        for clip, track in self._heard:
            first, last = max(start, clip.at_sample), min(stop, clip.at_sample + clip.samples)
            if first >= last:
                continue
            gains = np.full(last - first, self._gain(clip, track), np.float32)
            gains *= _scene_fade(clip, first - clip.at_sample, last - first)
            if ducking := self._duckings.get(clip.sound):
                ducking.lower(gains, first)
            sound[first - start : last - start] += track.read(first - clip.at_sample, last - first) * gains[:, None]
        return sound

    def _gain(self, clip: TimedClip, track: _Track) -> float:
        wanted = self._spoken_lufs + (0.0 if clip.sound == "keep" else _UNDER_DB)
        return gain_of(min(wanted - track.loudness.integrated_lufs, _MOST_BOOST_DB))


def _decoded(source: Path, pcm: Path, needed: int, run: FfmpegRun) -> _Track | None:
    """The sound of a clip's first `needed` samples; None where there is none, or none that can be heard."""
    import numpy as np

    period = clip_facts(source).length * SAMPLE_RATE_HZ
    needed = min(needed, math.ceil(period))
    with opened(source) as (_, stream):
        begins_s = float((stream.start_time or 0) * time_base(stream))
    balance, end = Balance(), 0
    try:
        with pcm.open("wb") as file:
            for place, piece in SoundFile(source).pieces(begins_s):
                run.cancel.check()
                first, last = max(place, 0), min(place + len(piece), needed)
                if place >= needed:
                    break
                if first < last:
                    stereo = np.broadcast_to(piece[first - place : last - place], (last - first, 2))
                    file.seek(first * _FRAME_BYTES)
                    file.write(np.ascontiguousarray(stereo, "<f4").tobytes())
                    balance.add(stereo)
                    end = max(end, last)
    except UnreadableSoundError:
        # A clip without a sound, as most are.
        return None
    loudness = _loudness(pcm, end, run) if end else None
    return _Track(pcm, end, period, balance.repair, loudness) if loudness and not loudness.is_silent else None


def _loudness(pcm: Path, samples: int, run: FfmpegRun) -> Loudness:
    repeats = math.ceil(_SHORTEST_MEASURED_S * SAMPLE_RATE_HZ / samples)

    def feed(pipe: IO[bytes]) -> None:
        for _ in range(repeats):
            with pcm.open("rb") as file:
                while block := file.read(_BLOCK * _FRAME_BYTES):
                    run.cancel.check()
                    pipe.write(block)

    return measure_pcm(feed, 2, "f32le", run)


def _edges(at: int, count: int, length: int) -> NDArray[np.float32]:
    """A short rise and fall at the ends of `length` samples, for `count` of them from `at` on."""
    return _faded(at, count, length, _SHORTEST_FADE, _SHORTEST_FADE)


def _scene_fade(clip: TimedClip, at: int, count: int) -> NDArray[np.float32]:
    return _faded(at, count, clip.samples, max(clip.fade_in, _SHORTEST_FADE), max(clip.fade_out, _SHORTEST_FADE))


def _faded(at: int, count: int, length: int, fade_in: int, fade_out: int) -> NDArray[np.float32]:
    import numpy as np

    from stages.render.audio.envelopes import lay

    gains = np.ones(count, np.float32)
    fade_in, fade_out = min(fade_in, length // 2), min(fade_out, length // 2)
    lay(gains, at, 0, rise(fade_in).astype(np.float32))
    lay(gains, at, length - fade_out, rise(fade_out)[::-1].astype(np.float32))
    return gains
