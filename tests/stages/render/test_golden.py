"""Frames at named instants look as they did, within a tolerance: SSIM, never hashes, so that another machine's rounding passes.

After a change that is meant to be seen: `python tests/stages/render/test_golden.py --update`, look at tests/golden/, then commit.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from stages.images.cards.card import CardSpec, render_card
from stages.models import MotionName, Picture, Word
from stages.render.frames.painter import Painter
from stages.render.motion import plan_motion
from stages.render.specs import Cue, Encoding, Layer, SegmentSpec

FOLDER = Path(__file__).parents[2] / "golden"
SAMPLES = Path(__file__).parents[3] / "sample_media" / "pictures"
SIZE = (256, 144)
FRAMES = 60
LEAST = 0.95
TILE = 16
ENCODING = Encoding(level="golden", width=SIZE[0], height=SIZE[1], fps=30, bitrate_bps=1)

Finder = Callable[[str], Path]


def ssim(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Structural similarity of two RGB pictures where they are least alike: the mean over the worst tile of 16 pixels.

    A mean over the whole would hardly notice a caption that is gone.
    """
    a, b = one.astype(np.float64), other.astype(np.float64)

    def blurred(picture: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(cv2.GaussianBlur(picture, (11, 11), 1.5))

    mean_a, mean_b = blurred(a), blurred(b)
    spread_a, spread_b = blurred(a * a) - mean_a**2, blurred(b * b) - mean_b**2
    common = blurred(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    likeness = (2 * mean_a * mean_b + c1) * (2 * common + c2)
    likeness /= (mean_a**2 + mean_b**2 + c1) * (spread_a + spread_b + c2)
    rows, columns = likeness.shape[0] // TILE, likeness.shape[1] // TILE
    return float(likeness.reshape(rows, TILE, columns, TILE, 3).mean(axis=(1, 3, 4)).min())


class Studio:
    """Pictures in a folder, and frames painted from them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        Image.fromarray(render_card(CARD, 640, 360)).save(folder / "card", "png")

    def layer(self, name: str, motion: MotionName, offset: int = 0) -> Layer:
        with Image.open(self.find(name)) as image:
            width, height = image.size
        is_card = name == "card"
        move = plan_motion(motion, FRAMES, width, height, *SIZE, (0.5, 0.5), 1, is_card)
        picture = Picture(kind="picture", digest=name, width=width, height=height, is_card=is_card)
        return Layer(picture=picture, motion=move, offset=offset)

    def find(self, name: str) -> Path:
        return self._folder / name if name == "card" else SAMPLES / f"{name}.jpg"

    def frame(self, spec: SegmentSpec, number: int) -> NDArray[np.uint8]:
        with Painter(spec, self.find) as painter:
            for at, frame in enumerate(painter.frames()):
                if at == number:
                    planes = np.frombuffer(frame, np.uint8).reshape(SIZE[1] * 3 // 2, SIZE[0])
                    return np.asarray(cv2.cvtColor(planes, cv2.COLOR_YUV2RGB_NV12), np.uint8)
        raise AssertionError("there is no such frame")


CARD = CardSpec(
    heading="Three lights on the coast",
    text="",
    index=2,
    total=5,
    brief_title="Harbour lights",
    theme="auto",
    seed=7,
    caption_safe=True,
)
LINES = ("The lamp is lit at dusk,", "and it's 50% {brighter}.")


def body(*layers: Layer, frames: int = FRAMES, **changes: object) -> SegmentSpec:
    kind: Literal["body", "transition"] = "transition" if len(layers) == 2 else "body"
    spec = SegmentSpec(kind=kind, frames=frames, layers=layers, encoding=ENCODING)
    return spec.model_copy(update=changes)


def cue() -> Cue:
    spoken = " ".join(LINES).split()
    words = tuple(Word(text=text, start_s=0.3 * at, end_s=0.3 * at + 0.25) for at, text in enumerate(spoken))
    return Cue(start=0, end=FRAMES, lines=LINES, words=words)


def paint(studio: Studio, name: str) -> NDArray[np.uint8]:
    """The frame of that name."""
    if name == "card":
        return studio.frame(body(studio.layer("card", "hold")), 0)
    if name == "photo-zoom-end":
        return studio.frame(body(studio.layer("harbour", "zoom-in")), FRAMES - 1)
    if name == "crossfade-middle":
        layers = studio.layer("harbour", "zoom-in", FRAMES - 15), studio.layer("storm", "pan-left")
        return studio.frame(body(*layers, frames=15), 7)
    if name == "slide-middle":
        layers = studio.layer("night", "hold"), studio.layer("coast", "hold")
        return studio.frame(body(*layers, frames=15, blend="slide"), 7)
    return studio.frame(body(studio.layer("coast", "hold"), cues=(cue(),), caption_mode=name.partition("-")[2]), 47)


NAMES = (
    "card",
    "photo-zoom-end",
    "crossfade-middle",
    "slide-middle",
    "caption-burned",
    "caption-words",
)


def kept(name: str) -> NDArray[np.uint8]:
    with Image.open(FOLDER / f"{name}.png") as image:
        return np.asarray(image.convert("RGB"))


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(tmp_path_factory.mktemp("golden"))


@pytest.mark.parametrize("name", NAMES)
def test_a_frame_looks_as_it_did(studio: Studio, name: str, tmp_path: Path) -> None:
    found = paint(studio, name)
    likeness = ssim(found, kept(name))
    if likeness < LEAST:
        Image.fromarray(found).save(tmp_path / f"{name}.png")
    assert likeness >= LEAST, f"see {tmp_path / name}.png"


def test_the_measure_tells_a_small_change_from_none() -> None:
    """A picture moved by a pixel, a word not highlighted, one picture in place of two: each is below the limit."""
    picture = kept("photo-zoom-end")
    assert ssim(picture, picture) == pytest.approx(1.0)
    assert ssim(picture, np.roll(picture, 1, axis=1)) < LEAST
    assert ssim(kept("caption-burned"), kept("caption-words")) < LEAST
    assert ssim(kept("crossfade-middle"), picture) < LEAST


def test_a_frame_of_another_instant_is_not_taken_for_the_right_one(studio: Studio) -> None:
    early = studio.frame(body(studio.layer("harbour", "zoom-in")), FRAMES // 2)
    assert ssim(early, kept("photo-zoom-end")) < LEAST
    bare = studio.frame(body(studio.layer("coast", "hold")), 20)
    assert ssim(bare, kept("caption-burned")) < LEAST


def test_golden_pictures_stay_small() -> None:
    files = sorted(FOLDER.glob("*.png"))
    assert [file.stem for file in files] == sorted(NAMES)
    assert sum(file.stat().st_size for file in files) < 300_000


def update() -> None:
    """Paint them all anew."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in NAMES:
            Image.fromarray(paint(Studio(Path(folder)), name)).save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__" and sys.argv[1:] == ["--update"]:
    update()
