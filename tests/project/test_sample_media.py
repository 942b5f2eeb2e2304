"""The sample briefs, pictures and music: they are whole, they are what the script makes, and a demo can be made of them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sample_media import make_media
from sample_media.making import tune
from stages.brief import load_brief, pictures_in
from stages.images.cards.content import CardSpec, choose_layout
from stages.models import Brief

MEDIA = Path(make_media.__file__).parent
BRIEFS = ("brief.md", "short.md", "article.md", "german.md")
WORDS_PER_SECOND = 2.4
TINY = 0.05


def words_of(brief: Brief) -> int:
    return sum(len(scene.narration.split()) for scene in brief.scenes)


@lru_cache(maxsize=1)
def loop() -> tune.Sound:
    return make_media.decode(MEDIA / make_media.MUSIC)


@pytest.mark.parametrize("name", BRIEFS)
def test_every_sample_brief_can_be_read_and_what_it_names_is_there(name: str) -> None:
    brief = load_brief(MEDIA / name)
    assert brief.music is not None
    assert brief.music.path.is_file()
    assert brief.exports == ("youtube",)
    assert brief.captions == "burned"
    for scene in brief.scenes:
        assert scene.visual is None or scene.visual.path.parent == MEDIA / "pictures"


def test_the_demo_brief_is_as_long_as_a_demo_should_be_and_shows_every_picture_once() -> None:
    brief = load_brief(MEDIA / "brief.md")
    assert 9 <= len(brief.scenes) <= 11
    assert 60 <= words_of(brief) / WORDS_PER_SECOND <= 90
    shown = [scene.visual.path.name for scene in brief.scenes if scene.visual]
    assert sorted(shown) == sorted(picture.path.name for picture in make_media.PICTURES.values())


def test_the_demo_brief_leads_to_a_card_of_every_kind() -> None:
    brief = load_brief(MEDIA / "brief.md")
    layouts = [
        choose_layout(CardSpec(
            heading=scene.heading, text=scene.narration, index=index, total=len(brief.scenes), brief_title=brief.title,
            theme=brief.style.theme, seed=brief.seed, caption_safe=True,
        ))
        for index, scene in enumerate(brief.scenes, 1)
        if scene.visual is None
    ]  # fmt: skip
    assert layouts == ["title", "quote", "number", "list", "statement"]


def test_the_short_brief_is_short_and_has_a_picture_between_two_cards() -> None:
    brief = load_brief(MEDIA / "short.md")
    assert [scene.visual is not None for scene in brief.scenes] == [False, True, False]
    assert 8 <= words_of(brief) / WORDS_PER_SECOND <= 11
    assert brief.target_length_s is None


def test_the_article_has_no_scenes_and_says_much_more_than_its_length_allows() -> None:
    brief = load_brief(MEDIA / "article.md")
    assert brief.scenes == ()
    assert brief.target_length_s == 45
    assert 350 <= len(brief.text.split()) <= 500
    assert brief.pictures is not None
    assert len(pictures_in(brief.pictures)) == len(make_media.PICTURES)


def test_the_german_brief_says_that_it_is_german() -> None:
    brief = load_brief(MEDIA / "german.md")
    assert (brief.language, len(brief.scenes)) == ("de", 3)


@pytest.mark.parametrize("picture", make_media.PICTURES.values(), ids=lambda picture: picture.module)
def test_a_committed_picture_has_its_size_and_is_neither_dark_nor_flat(picture: make_media.Picture) -> None:
    with Image.open(MEDIA / picture.path) as image:
        assert image.format == "JPEG"
        assert image.size == (picture.width, picture.height)
        image.draft("RGB", (picture.width // 8, picture.height // 8))
        pixels = np.asarray(image.convert("L"), dtype=np.float32)
    assert 20 < pixels.mean() < 200
    assert pixels.std() > 20
    assert (pixels > 253).mean() < 0.08


def test_the_pictures_have_various_shapes() -> None:
    shapes = [picture.width / picture.height for picture in make_media.PICTURES.values()]
    assert sum(shape == 1.5 for shape in shapes) >= 2
    assert 1.0 in shapes
    assert 2 / 3 in shapes


@pytest.mark.parametrize("name", make_media.PICTURES)
def test_a_picture_made_twice_is_the_same_to_the_last_bit_and_looks_like_the_committed_one(name: str) -> None:
    picture = make_media.PICTURES[name]
    made = picture.make(TINY)
    assert made.shape == (round(picture.height * TINY), round(picture.width * TINY), 3)
    assert np.array_equal(made, picture.make(TINY))
    with Image.open(MEDIA / picture.path) as image:
        small = image.convert("RGB").resize((made.shape[1] // 6, made.shape[0] // 6), Image.Resampling.BOX)
    kept = np.asarray(small, dtype=np.float32)
    draft = np.asarray(Image.fromarray(made).resize(small.size, Image.Resampling.BOX), dtype=np.float32)
    # A draft has other detail, but light and dark, and their colours, lie where they lie in the whole picture.
    assert np.corrcoef(kept.ravel(), draft.ravel())[0, 1] > 0.93
    assert np.abs(kept - draft).mean() < 16


def test_a_picture_that_was_changed_is_told_from_the_one_that_the_script_makes(tmp_path: Path) -> None:
    assert make_media.check("night", tmp_path, TINY).startswith("differs: there is no")
    make_media.write("night", tmp_path, TINY)
    assert make_media.check("night", tmp_path, TINY).startswith("same")
    path = tmp_path / make_media.PICTURES["night"].path
    with Image.open(path) as image:
        changed = image.convert("RGB")
    changed.paste((255, 255, 255), (20, 20, 90, 60))
    changed.save(path, quality=85)
    assert make_media.check("night", tmp_path, TINY).startswith("differs: off by")
    changed.crop((0, 0, 50, 50)).save(path)
    assert "is 50x50, not" in make_media.check("night", tmp_path, TINY)


def test_an_unknown_name_or_scale_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["lighthouse"], ["--scale", "3"]):
        with pytest.raises(SystemExit) as caught:
            make_media.main(arguments)
        assert caught.value.code == 2
    assert "there is no 'lighthouse'; choose from coast," in capsys.readouterr().err


def test_the_music_has_its_exact_length_its_loudness_and_room_above_it() -> None:
    sound = loop()
    assert sound.shape == (round(tune.LENGTH_S * tune.RATE_HZ), 2)
    assert 40 <= tune.LENGTH_S <= 60
    assert tune.loudness_lufs(sound.T, tune.RATE_HZ) == pytest.approx(tune.LOUDNESS_LUFS, abs=0.5)
    assert np.abs(sound).max() < 0.6


def test_the_end_of_the_music_runs_into_its_start_without_a_click_or_a_gap() -> None:
    sound = loop()
    size = tune.RATE_HZ // 4
    joined = np.concatenate([sound[-size:], sound[:size]])
    steps = np.abs(np.diff(joined, axis=0))
    usual = np.percentile(np.abs(np.diff(sound, axis=0)), 99.9)
    assert steps[size - 1].max() < usual
    # A click would stand out where the second difference is taken, which smooth sound keeps small.
    bends = np.abs(np.diff(joined, n=2, axis=0)).max(axis=1)
    seam = bends[size - 4 : size + 3].max()
    assert seam < np.percentile(np.abs(np.diff(sound, n=2, axis=0)), 99.9)
    level = [np.sqrt((part**2).mean()) for part in np.array_split(joined, 10)]
    assert min(level) > 0.3 * max(level)


def test_the_music_made_twice_is_the_same_and_its_loudness_is_what_was_asked() -> None:
    first, second = tune.make(6000), tune.make(6000)
    assert np.array_equal(first, second)
    assert first.shape == (round(tune.LENGTH_S * 6000), 2)
    assert tune.loudness_lufs(first.T, 6000) == pytest.approx(tune.LOUDNESS_LUFS, abs=0.5)


def test_a_pure_tone_has_the_loudness_that_the_standard_gives_it() -> None:
    t = np.arange(48000) / 48000
    tone = np.sin(2 * np.pi * 997 * t)
    assert tune.loudness_lufs(np.stack([tone, np.zeros_like(tone)]), 48000) == pytest.approx(-3.01, abs=0.15)


def test_all_committed_media_together_stay_small() -> None:
    files = [path for path in MEDIA.rglob("*") if path.suffix in (".jpg", ".ogg")]
    assert len(files) == len(make_media.PICTURES) + 1
    assert sum(path.stat().st_size for path in files) < 6_500_000
