"""Gain curves in closed form: ducking from the lines' timing, fades, and placing them on any stretch of the programme.

Each curve is a table made once and cut to the stretch that is asked for, so a sample's gain never depends on how the
programme is cut into blocks. A follower of the signal (`sidechaincompress`) is not even repeatable.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stages.render.specs import MixSpec, TimedLine

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAMPLE_RATE_HZ = 48_000
# A gap shorter than this many ramps would only let the music swell and drop again.
_RAMPS_TO_RISE = 2


def gain_of(db: float) -> float:
    return float(10.0 ** (db / 20.0))


@dataclass(frozen=True)
class SampleSpan:
    """Samples `[start, end)` of the programme."""

    start: int
    end: int


def speech_spans(lines: Sequence[TimedLine], bridge: int) -> list[SampleSpan]:
    """Where somebody speaks, in order; stretches less than `bridge` samples apart are one. Silent lines do not count."""
    heard = [line for line in lines if line.samples and not line.silent]
    return joined([SampleSpan(line.at_sample, line.at_sample + line.samples) for line in heard], bridge)


def joined(spans: Sequence[SampleSpan], bridge: int) -> list[SampleSpan]:
    """Spans in order; those less than `bridge` samples apart are one."""
    found: list[SampleSpan] = []
    for span in sorted(spans, key=lambda span: span.start):
        if found and span.start - found[-1].end < bridge:
            found[-1] = SampleSpan(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return found


class Ducking:
    """Gains lowered by `depth_db` while somebody speaks, or in `more` spans.

    The ramp down ends where speech begins, and the ramp up starts where it ends. Both are half a cosine in decibels.
    """

    def __init__(
        self, spec: MixSpec, lines: Sequence[TimedLine], depth_db: float, more: Sequence[SampleSpan] = ()
    ) -> None:
        attack, release = _samples(spec.attack_s), _samples(spec.release_s)
        self._depth = gain_of(depth_db)
        self._down = _ramp_db(attack, depth_db)
        self._up = _ramp_db(release, depth_db)[::-1].copy()
        bridge = _RAMPS_TO_RISE * (attack + release)
        self._spans = joined([*speech_spans(lines, bridge), *more], bridge)
        self._ends = [span.end + release for span in self._spans]

    def lower(self, gains: NDArray[np.float32], start: int) -> None:
        """Multiply into `gains`, which begin at sample `start`."""
        import numpy as np

        stop = start + len(gains)
        for span in self._spans[bisect_right(self._ends, start) :]:
            if span.start - len(self._down) >= stop:
                break
            lay(gains, start, span.start - len(self._down), self._down)
            gains[max(span.start - start, 0) : max(span.end - start, 0)] *= np.float32(self._depth)
            lay(gains, start, span.end, self._up)


class MusicCurve:
    """The music's gain over the programme: `base_gain`, faded at both ends, lowered while somebody speaks and in `more` spans."""

    def __init__(self, spec: MixSpec, base_gain: float, more: Sequence[SampleSpan] = ()) -> None:
        self._base = base_gain
        self._ducking = Ducking(spec, spec.lines, spec.duck_db, more)
        fade_in, fade_out = _fades(spec)
        self._fade_in, self._fade_out = _fade(fade_in), _fade(fade_out)[::-1].copy()
        self._fade_out_at = spec.samples - fade_out

    def gains(self, start: int, stop: int) -> NDArray[np.float32]:
        """One gain for each sample of `[start, stop)`."""
        import numpy as np

        gains = np.full(stop - start, self._base, dtype=np.float32)
        lay(gains, start, 0, self._fade_in)
        lay(gains, start, self._fade_out_at, self._fade_out)
        self._ducking.lower(gains, start)
        return gains


def lay(gains: NDArray[np.float32], origin: int, at: int, curve: NDArray[np.float32]) -> None:
    """Multiply `curve`, which begins at sample `at`, into `gains`, which begin at sample `origin`."""
    first, last = max(at, origin), min(at + len(curve), origin + len(gains))
    if first < last:
        gains[first - origin : last - origin] *= curve[first - at : last - at]


def _samples(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE_HZ)


def _fades(spec: MixSpec) -> tuple[int, int]:
    """Lengths of both fades; in a programme too short for them they share what there is."""
    fade_in, fade_out = _samples(spec.fade_in_s), _samples(spec.fade_out_s)
    if fade_in + fade_out > spec.samples:
        fade_in = spec.samples * fade_in // (fade_in + fade_out)
        fade_out = min(fade_out, spec.samples - fade_in)
    return fade_in, fade_out


def rise(length: int) -> NDArray[np.float64]:
    """Half a cosine from just above 0 to just below 1."""
    import numpy as np

    rise: NDArray[np.float64] = 0.5 - 0.5 * np.cos(np.pi * (np.arange(length) + 0.5) / max(length, 1))
    return rise


def _ramp_db(length: int, depth_db: float) -> NDArray[np.float32]:
    import numpy as np

    ramp: NDArray[np.float32] = (10.0 ** (depth_db * rise(length) / 20.0)).astype(np.float32)
    return ramp


def _fade(length: int) -> NDArray[np.float32]:
    import numpy as np

    return rise(length).astype(np.float32)
