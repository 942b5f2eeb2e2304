"""Makes the sample pictures and the music, from nothing but numbers.

    .venv/bin/python sample_media/make_media.py            all of it, which takes some minutes
    .venv/bin/python sample_media/make_media.py storm      one of them
    .venv/bin/python sample_media/make_media.py --check    are the files here what the script makes?

The same machine makes the same pictures, pixel for pixel; another one may differ in last digits, which `--check` allows.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

HERE = Path(__file__).resolve().parent
if str(HERE.parent) not in sys.path:
    sys.path.insert(0, str(HERE.parent))

import numpy as np  # noqa: E402 - the path above comes first

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from sample_media.making.develop import Photo
    from sample_media.making.tune import Sound

MUSIC = Path("music/harbour-lights.ogg")
_MOST_OFF, _MOST_OFF_SOMEWHERE = 1.5, 5.0  # of 255, on average, and in the worst tile
_LEAST_SNR_DB = 24.0
_BLOCK, _TILE = 4, 25  # pixels, and blocks


@dataclass(frozen=True)
class Picture:
    """One picture: the module in `making/` that paints it, and its size in pixels."""

    module: str
    width: int
    height: int
    quality: int = 85

    @property
    def path(self) -> Path:
        return Path("pictures") / f"{self.module}.jpg"

    def make(self, scale: float = 1.0) -> Photo:
        """The picture as rows of red, green, blue; `scale` shrinks it."""
        module = importlib.import_module(f"sample_media.making.{self.module}")
        photo: Photo = module.make(round(self.width * scale), round(self.height * scale))
        return photo


PICTURES: dict[str, Picture] = {
    picture.module: picture
    for picture in (
        Picture("coast", 3000, 2000),
        Picture("harbour", 3000, 2000),
        Picture("islands", 2880, 1800),
        Picture("lens", 2400, 2400),
        Picture("night", 2700, 1800),
        Picture("storm", 2000, 3000),
    )
}
NAMES = (*PICTURES, "music")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Makes the sample pictures and the music.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"what to make (default: all of {', '.join(NAMES)})")
    parser.add_argument("--check", action="store_true", help="make, but only compare with the files that are here")
    parser.add_argument("--scale", type=float, default=1.0, help="size of the pictures, for drafts (default: 1)")
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write to, or to check (default: this one)")
    chosen = parser.parse_args(arguments)
    unknown = [name for name in chosen.names if name not in NAMES]
    if unknown:
        parser.error(f"there is no {unknown[0]!r}; choose from {', '.join(NAMES)}")
    if not 0.02 <= chosen.scale <= 1:
        parser.error("--scale is from 0.02 to 1")
    wrong = 0
    for name in chosen.names or NAMES:
        started = time.monotonic()
        line = (check if chosen.check else write)(name, chosen.out, chosen.scale)
        wrong += line.startswith("differs")
        print(f"{name:8} {line}  ({time.monotonic() - started:.0f} s)", flush=True)
    return 1 if wrong else 0


def write(name: str, out: Path, scale: float = 1.0) -> str:
    """Makes one thing and writes it under `out`; says how large it is."""
    path = out / (MUSIC if name == "music" else PICTURES[name].path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if name == "music":
        _encode(_music(), path)
    else:
        from PIL import Image

        image = Image.fromarray(PICTURES[name].make(scale))
        image.save(path, quality=PICTURES[name].quality, optimize=True, progressive=True, subsampling="4:2:0")
    return f"{path.name}, {path.stat().st_size / 1e6:.2f} MB"


def check(name: str, out: Path, scale: float = 1.0) -> str:
    """Makes one thing and compares it with the file under `out`; the answer begins with `same` or `differs`."""
    path = out / (MUSIC if name == "music" else PICTURES[name].path)
    if not path.is_file():
        return f"differs: there is no {path}"
    if name == "music":
        return _compare_sound(_music(), decode(path))
    return _compare_photo(PICTURES[name].make(scale), path)


def _compare_photo(made: Photo, path: Path) -> str:
    from PIL import Image

    with Image.open(path) as image:
        if image.size != (made.shape[1], made.shape[0]):
            return f"differs: {path.name} is {image.size[0]}x{image.size[1]}, not {made.shape[1]}x{made.shape[0]}"
        kept = _blocks(image.convert("RGB"))
    off = np.abs(kept - _blocks(Image.fromarray(made))).mean(axis=2)
    rows, columns = (max(1, side // _TILE) for side in off.shape)
    worst = max(
        float(tile.mean()) for band in np.array_split(off, rows) for tile in np.array_split(band, columns, axis=1)
    )
    same = off.mean() <= _MOST_OFF and worst <= _MOST_OFF_SOMEWHERE
    return f"{'same' if same else 'differs'}: off by {off.mean():.2f} of 255, {worst:.2f} in the worst tile"


def _blocks(image: Image.Image) -> NDArray[np.float32]:
    """Means over blocks of a few pixels: JPEG changes single pixels much more than those."""
    from PIL.Image import Resampling

    size = max(1, image.width // _BLOCK), max(1, image.height // _BLOCK)
    return np.asarray(image.resize(size, Resampling.BOX), dtype=np.float32)


def _compare_sound(made: Sound, kept: Sound) -> str:
    if kept.shape != made.shape:
        return f"differs: {kept.shape[0]} samples by {kept.shape[1]}, not {made.shape[0]} by {made.shape[1]}"
    snr_db = float(10 * np.log10((made**2).sum() / max(1e-12, ((made - kept) ** 2).sum())))
    return f"{'same' if snr_db >= _LEAST_SNR_DB else 'differs'}: {snr_db:.1f} dB above what the encoder changed"


def _music() -> Sound:
    from sample_media.making import tune

    return tune.make()


def _encode(sound: Sound, path: Path) -> None:
    """Vorbis keeps the exact count of samples, and at this quality both ends of the loop still meet."""
    import imageio_ffmpeg

    from sample_media.making.tune import RATE_HZ

    command = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y", "-f", "f64le", "-ar", str(RATE_HZ), "-ac", "2",
        "-i", "pipe:0", "-c:a", "libvorbis", "-q:a", "6", "-fflags", "+bitexact", "-flags", "+bitexact", str(path),
    ]  # fmt: skip
    subprocess.run(command, input=sound.astype("<f8").tobytes(), check=True)


def decode(path: Path) -> Sound:
    """A sound file's samples by channels."""
    import av

    with av.open(str(path)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
    return np.concatenate(frames, axis=1).T.astype(np.float64)


if __name__ == "__main__":
    sys.exit(main())
