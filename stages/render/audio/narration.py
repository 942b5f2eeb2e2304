"""The narration: lines read from the store and placed to the sample, any stretch of it at any time."""

from __future__ import annotations

import wave
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import CheckFailedError
from stages.render.audio.envelopes import SAMPLE_RATE_HZ
from stages.render.specs import MixSpec, TimedLine

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FULL_SCALE = 32768.0


class Voices:
    """All lines that sound, in order of time. Raises CheckFailedError for one that is not what its spec says."""

    def __init__(self, spec: MixSpec, artifact: Callable[[str], Path]) -> None:
        heard = [(line, number) for number, line in enumerate(spec.lines, start=1) if not line.silent and line.samples]
        heard.sort(key=lambda pair: pair[0].at_sample)
        self._lines = [line for line, _ in heard]
        self._paths = [artifact(line.digest) for line in self._lines]
        # Lines may overlap, so the search needs ends that only rise.
        self._ends: list[int] = []
        for (line, number), path in zip(heard, self._paths, strict=True):
            end = line.at_sample + line.samples
            if line.at_sample < 0 or end > spec.samples:
                raise CheckFailedError(
                    f"Line {number} of the narration is planned for samples {line.at_sample} to {end}, "
                    f"but the programme has only 0 to {spec.samples}",
                    hint="framekeep render the brief again: the plan and its narration do not belong together",
                )
            _check(path, line, number)
            self._ends.append(max(end, self._ends[-1] if self._ends else 0))

    def __bool__(self) -> bool:
        return bool(self._lines)

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """Samples `[start, stop)`, mono."""
        import numpy as np

        sound = np.zeros(stop - start, dtype=np.float32)
        for index in range(bisect_left(self._ends, start + 1), len(self._lines)):
            line = self._lines[index]
            if line.at_sample >= stop:
                break
            first, last = max(start, line.at_sample), min(stop, line.at_sample + line.samples)
            if first < last:
                pcm = _pcm(self._paths[index], first - line.at_sample, last - first)
                sound[first - start : last - start] += np.frombuffer(pcm, "<i2") / np.float32(_FULL_SCALE)
        return sound

    def pcm(self, block: int) -> Iterator[bytes]:
        """The lines alone, one after the other without the gaps: 16-bit mono, at most `block` samples at a time."""
        for line, path in zip(self._lines, self._paths, strict=True):
            for at in range(0, line.samples, block):
                yield _pcm(path, at, min(block, line.samples - at))

    @property
    def samples(self) -> int:
        """Samples of all lines together."""
        return sum(line.samples for line in self._lines)


def _pcm(path: Path, at: int, count: int) -> bytes:
    with wave.open(str(path), "rb") as file:
        file.setpos(at)
        return file.readframes(count)


def _check(path: Path, line: TimedLine, number: int) -> None:
    with _named(number), wave.open(str(path), "rb") as file:
        found = (file.getframerate(), file.getnchannels(), 8 * file.getsampwidth(), file.getnframes())
    wanted = (SAMPLE_RATE_HZ, 1, 16, line.samples)
    size = path.stat().st_size
    if found != wanted or size < 2 * line.samples:
        raise CheckFailedError(
            f"Line {number} of the narration is {_words(found)} in {size} bytes, wanted {_words(wanted)}",
            hint="framekeep resume",
        )


@contextmanager
def _named(number: int) -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, wave.Error) as error:
        raise CheckFailedError(
            f"Line {number} of the narration is no readable WAV file: {error or type(error).__name__}",
            hint="framekeep resume",
        ) from error


def _words(shape: tuple[int, int, int, int]) -> str:
    rate, channels, bits, samples = shape
    return f"{samples} samples at {rate} Hz, {channels} channel(s), {bits} bits"
