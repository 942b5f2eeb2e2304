"""The images stage: a user's own file, or a provider's picture that is checked before it counts."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from config.errors import BriefError, TransientError, UsageError
from stages.base import CancelToken, Context
from stages.images.picture_provider import ImageProvider, PictureRequest
from stages.images.picture_registry import NAMES, create
from stages.images.picture_stage import draw_picture, take_visual
from stages.models import Visual

REQUEST = PictureRequest(
    heading="Hello",
    text="A card.",
    prompt="",
    index=4,
    total=9,
    brief_title="T",
    theme="auto",
    seed=0,
    width=64,
    height=36,
    caption_safe=True,
)


class Painter(ImageProvider):
    """Writes the bytes that it was given."""

    name = "painter"

    def __init__(self, data: bytes | None) -> None:
        self._data = data

    def identity(self) -> dict[str, str]:
        return {}

    def draw(self, request: PictureRequest, cancel: CancelToken, folder: Path) -> Path:
        path = folder / "picture.bin"
        if self._data is not None:
            path.write_bytes(self._data)
        return path


def context(folder: Path) -> Context:
    return Context(scratch=folder, artifact=lambda digest: folder / digest)


def encoded(folder: Path, kind: str, size: tuple[int, int] = (80, 45)) -> bytes:
    path = folder / f"made.{kind}"
    Image.effect_noise(size, 60).convert("RGB").save(path)
    return path.read_bytes()


@pytest.mark.parametrize("kind", ["png", "jpg", "webp"])
def test_a_provider_s_picture_is_described_as_it_is_and_not_as_it_was_ordered(tmp_path: Path, kind: str) -> None:
    path, picture = draw_picture(REQUEST, context(tmp_path), [Painter(encoded(tmp_path, kind))])
    assert path.exists()
    assert (picture.kind, picture.width, picture.height, picture.provider) == ("picture", 80, 45, "painter")
    assert not picture.is_card
    assert picture.digest == ""


@pytest.mark.parametrize("data", [None, b"", b"<html>429 Too Many Requests</html>", b"\x89PNG\r\n\x1a\n garbage"])
def test_what_is_no_picture_is_worth_another_try_and_names_who_sent_it(tmp_path: Path, data: bytes | None) -> None:
    with pytest.raises(TransientError, match="painter gave no readable picture for scene 4") as caught:
        draw_picture(REQUEST, context(tmp_path), [Painter(data)])
    assert caught.value.provider == "painter"


@pytest.mark.parametrize("kind", ["png", "jpg", "webp"])
def test_a_picture_cut_off_on_its_way_is_noticed(tmp_path: Path, kind: str) -> None:
    data = encoded(tmp_path, kind, (320, 180))
    with pytest.raises(TransientError):
        draw_picture(REQUEST, context(tmp_path), [Painter(data[: len(data) * 2 // 3])])


def test_a_card_says_that_it_is_one(tmp_path: Path) -> None:
    _, picture = draw_picture(REQUEST, context(tmp_path), [create("card")])
    assert picture.is_card
    assert (picture.width, picture.height) == (64, 36)


def test_a_users_picture_is_what_its_pixels_are_and_keeps_the_focus_that_was_named(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (64, 36), "teal").save(path)
    picture = take_visual(Visual(path=path, kind="picture", focus=(0.2, 0.8)))
    assert (picture.kind, picture.width, picture.height, picture.focus) == ("picture", 64, 36, (0.2, 0.8))
    assert picture.provider == "brief"
    assert take_visual(Visual(path=path, kind="picture")).focus == (0.5, 0.5)


def test_a_users_broken_file_is_the_briefs_mistake(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"\xff\xd8\xff no picture")
    with pytest.raises(BriefError, match=r"a\.jpg"):
        take_visual(Visual(path=path, kind="picture"))


def test_providers_are_made_by_name_and_an_unknown_one_names_the_known() -> None:
    assert [create(name).name for name in NAMES] == list(NAMES)
    with pytest.raises(UsageError, match="'dall-f'") as caught:
        create("dall-f")
    assert "card" in caught.value.hint
