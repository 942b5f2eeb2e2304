"""Briefs in all four spellings: what they mean, and what is said when they are wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import BriefError
from stages.brief import (
    brief_from_canonical,
    brief_from_dict,
    canonical,
    load_brief,
    parse_brief,
    pictures_in,
)
from stages.models import Brief

Format = Literal["md", "txt", "yaml", "json"]
FULL = """---
title: The Reach of a Light
author: A. Keeper
description: |
  Of lamps: how far they reach.

  And why.
language: EN_gb
voice: heart            # optional
style: {theme: dusk}
music: {path: music/loop.flac, gain_db: -3}
captions: words
exports: [youtube, shorts, youtube]
transition: cut
seed: 7
length: 1m15s
pictures: photos/
providers: {script: [outline], speech: [hibari], images: card}
---

## Heading of the *scene*
![alt](pictures/coast.jpg){focus="0.3,0.5" motion="zoom-in"}

Narration **text** with [a link](https://example.org) and
`code` <!-- unseen --> here &amp; there.

## Second
![a clip](pictures/wave.mp4){hold=2 transition=cut sound=duck}
Done
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    names = ("pictures/coast.jpg", "pictures/wave.mp4", "pictures/my coast (1).png", "music/loop.flac")
    for name in (*names, "photos/10.jpg", "photos/2.png", "photos/notes.txt", "photos/._2.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path


def md(text: str, base: Path = Path("/nowhere")) -> Brief:
    return parse_brief(text, format="md", base=base, name="b.md")


def problems_of(text: str, base: Path, format: Format = "md") -> tuple[str, ...]:
    with pytest.raises(BriefError) as caught:
        parse_brief(text, format=format, base=base, name="b.md")
    assert caught.value.hint
    return caught.value.problems


def test_every_field_of_a_markdown_brief_is_read(folder: Path) -> None:
    (folder / "light.md").write_text(FULL)
    brief = load_brief(folder / "light.md")
    assert (brief.title, brief.language, brief.voice, brief.style.theme) == (
        "The Reach of a Light",
        "en-GB",
        "heart",
        "dusk",
    )
    assert (brief.author, brief.description) == ("A. Keeper", "Of lamps: how far they reach.\n\nAnd why.")
    assert brief.music is not None
    assert (brief.music.path, brief.music.gain_db) == (folder / "music/loop.flac", -3.0)
    assert (brief.captions, brief.transition, brief.seed, brief.target_length_s) == ("words", "cut", 7, 75.0)
    assert brief.exports == ("youtube", "shorts")
    assert brief.pictures == folder / "photos"
    assert brief.providers.model_dump() == {
        "script": ("outline",),
        "speech": ("hibari",),
        "images": ("card",),
    }
    assert (brief.base, brief.name, brief.text) == (folder, "light", "")
    first, second = brief.scenes
    assert (first.heading, first.narration) == (
        "Heading of the scene",
        "Narration text with a link and code here & there.",
    )
    assert first.visual is not None
    assert first.visual.model_dump() == {
        "path": folder / "pictures/coast.jpg",
        "kind": "picture",
        "focus": (0.3, 0.5),
        "sound": None,
    }
    assert (first.motion, first.line) == ("zoom-in", 21)
    assert second.visual is not None
    assert (second.visual.kind, second.hold_s, second.transition, second.line) == ("clip", 2.0, "cut", 27)
    assert second.visual.sound == "duck"


def test_yaml_and_json_say_the_same_as_markdown(folder: Path) -> None:
    from_markdown = md(FULL, folder)
    yaml_text = FULL.split("---")[1] + (
        "scenes:\n"
        "  - heading: Heading of the scene\n"
        "    picture: pictures/coast.jpg\n"
        "    focus: [0.3, 0.5]\n"
        "    motion: zoom-in\n"
        "    narration: >\n"
        "      Narration text with a link and\n"
        "      code here & there.\n"
        "  - {heading: Second, clip: pictures/wave.mp4, hold: 2, transition: cut, sound: duck, narration: Done}\n"
    )
    from_yaml = parse_brief(yaml_text, format="yaml", base=folder, name="b.md")
    assert canonical(from_yaml) == canonical(from_markdown)
    data = {
        "title": "The Reach of a Light", "author": "A. Keeper",
        "description": "Of lamps: how far they reach.\n\nAnd why.",
        "language": "en-GB", "voice": "heart", "style": {"theme": "dusk"},
        "music": {"path": "music/loop.flac", "gain_db": -3}, "captions": "words",
        "exports": ["youtube", "shorts"],
        "transition": "cut", "seed": 7, "length": 75, "pictures": "photos",
        "providers": {"script": ["outline"], "speech": ["hibari"], "images": ["card"]},
        "scenes": [
            {"heading": "Heading of the scene", "picture": "pictures/coast.jpg", "focus": "0.3,0.5",
             "motion": "zoom-in", "narration": "Narration text with a link and code here & there."},
            {"heading": "Second", "clip": "pictures/wave.mp4", "hold": 2, "transition": "cut",
             "sound": "duck", "narration": "Done"},
        ],
    }  # fmt: skip
    from_json = parse_brief(json.dumps(data, indent="\t"), format="json", base=folder, name="b.md")
    assert canonical(from_json) == canonical(from_markdown)
    assert canonical(brief_from_dict(data, folder, "b.md")) == canonical(from_markdown)


def test_a_canonical_brief_survives_json_without_a_difference(folder: Path) -> None:
    brief = md(FULL, folder)
    kept = canonical(brief)
    again = brief_from_canonical(json.loads(json.dumps(kept)))
    assert canonical(again) == kept
    scenes = tuple(scene.model_copy(update={"line": 0}) for scene in brief.scenes)
    assert again == brief.model_copy(update={"scenes": scenes, "base": Path()})
    assert str(folder / "pictures/coast.jpg") == kept["scenes"][0]["visual"]["path"]
    assert "base" not in kept
    assert "line" not in kept["scenes"][0]


def test_a_canonical_brief_that_is_damaged_is_a_brief_error() -> None:
    with pytest.raises(BriefError, match="kept brief"):
        brief_from_canonical({"title": "x", "captions": "burnt"})


def test_all_problems_of_a_brief_are_told_at_once_with_their_lines(folder: Path) -> None:
    text = (
        "---\ntilte: x\ncaptions: burnt\nlenght: 75\nlength: soon\nmusic: music/lop.flac\n"
        "exports: [you tube]\ntheme: dusk\nseed: -1\nseed: 2\n---\n"
        "## One\n![a](pictures/cost.jpg){moton=zoom-in focus='2,1'}\n\nSome words.\n\n## Two\n\n"
        "```\ncode\n```\n"
    )
    assert problems_of(text, folder) == (
        "b.md:2: unknown key 'tilte'; did you mean 'title'?",
        "b.md:3: captions: 'burnt' is not one of burned, words, none; did you mean 'burned'?",
        "b.md:4: unknown key 'lenght'; did you mean 'length'?",
        "b.md:5: length: 'soon' is not a length; write seconds, or like 75s or 1m15s",
        f"b.md:6: music: there is no file {folder}/music/lop.flac; did you mean 'loop.flac'?",
        "b.md:7: exports: 'you tube' is not a name (letters, digits, - _ . : +)",
        "b.md:8: unknown key 'theme'; write `style: {theme: ...}`",
        "b.md:9: seed: expected a whole number from 0 on, found -1",
        "b.md:10: seed: is given twice; first in line 9",
        "b.md:13: unknown attribute 'moton'; did you mean 'motion'?",
        "b.md:13: scene 1: focus: 2 is not between 0 and 1",
        f"b.md:13: scene 1: picture: there is no file {folder}/pictures/cost.jpg; did you mean 'coast.jpg'?",
        "b.md:19: a block of code cannot be spoken; say it in a sentence",
    )


@pytest.mark.parametrize(
    ("format", "text", "expected"),
    [
        ("json", '{\n "title": "x"\n "text": "y",\n}', "b.md:3: not valid JSON"),
        ("json", '{\n // why\n "text": "y",\n "seed": 1 1\n}', "b.md:4: not valid JSON"),
        ("json", '{\n "title": "x",\n "text": NaN\n}', "b.md:1: not valid JSON: NaN is not a JSON number"),
        ("json", '{"text": "a",\n "text": "b"}', "b.md:2: text: is given twice; first in line 1"),
        ("json", '{"text": "a",\n\n "zeed": 1}', "b.md:3: unknown key 'zeed'; did you mean 'seed'?"),
        ("json", '{"text": "a", // why\n\n "zeed": 1,}', "b.md:3: unknown key 'zeed'"),
        ("json", "[" * 100_000, "b.md:1: not valid JSON: nested too deeply"),
        ("json", '["a"]', "b.md:1: expected `name: value` pairs"),
        ("json", '{"text": "half \\ud800"}', "b.md:1: text: holds half of a surrogate pair"),
        ("yaml", "title: x\ntext: [a\nseed: 1", "b.md:3: not valid YAML"),
        ("yaml", "title: x\n\ttext: a", "b.md:2: not valid YAML: the line is indented with a tab; use spaces"),
        ("yaml", "scenes:\n  - heading: a\n\tnarration: b", "b.md:3: not valid YAML: the line is indented with a tab"),
        (
            "yaml",
            "text: a\nscenes:\n  - narration: b\n    moton: hold",
            "b.md:4: scene 1: unknown key 'moton'",
        ),
        ("yaml", "text: a\nscenes: [b]", "b.md:2: scenes: give either"),
        ("yaml", "text: a\n---\ntext: b", "b.md:2: a second document begins"),
        ("yaml", "[" * 30_000, "b.md:1: is nested too deeply"),
        ("yaml", "a: &a [*b]", "b.md:1: *b has no anchor before it"),
        ("yaml", "title: Only a title", "b.md: there is nothing to say"),
        ("md", "---\ntitle: x\n", "b.md:1: the front matter is never closed"),
        ("md", "# Title only\n", "b.md: there is nothing to say"),
        ("md", "---\n- a\n---\ntext", "b.md:2: the front matter is a list"),
        ("md", "## A\nword\n\n# B\n", "b.md:4: a second `# ` heading"),
        ("md", "## A\nsee ![this](a.jpg) here", "b.md:2: picture: a picture stands on a line of its own"),
        ("md", "## A\nword\n![](https://a.b/c.jpg)", "is an address; download it"),
        ("md", "## A\nword\n![](pictures/wave.doc)", "'wave.doc' does not end in one of .jpg"),
        ("md", "## A\nword\n![](wave.cr2)", "raw photo of a camera, which cannot be read; convert it: magick wave.cr2"),
        ("md", "Prose.\n\n![](pictures/coast.jpg)\n", "b.md:3: picture: needs `## ` scenes"),
        ("md", "## A\n* * *\n## B\n...\n", "b.md:4: scene 2: narration: has no word to speak"),
        ("txt", " \n\n", "b.md:1: the brief is empty"),
    ],
)
def test_a_broken_brief_says_where_and_what(folder: Path, format: Format, text: str, expected: str) -> None:
    assert any(expected in problem for problem in problems_of(text, folder, format))


def test_yaml_words_that_old_parsers_turn_into_other_things_stay_text() -> None:
    brief = parse_brief(
        "title: 1984\nlanguage: no\ntext: yes\nlength: 1:15\nvoice:\n", format="yaml", base=Path(), name="b"
    )
    assert (brief.title, brief.language, brief.text, brief.target_length_s) == ("1984", "no", "yes", 75.0)


def test_aliases_that_multiply_cannot_exhaust_anything() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    assert len(problems_of("\n".join(lines), Path(), "yaml")) == 30


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("75", 75),
        ("75s", 75),
        ("1m15s", 75),
        ("1m 15s", 75),
        ("1.5min", 90),
        ("2h", 7200),
        ("0:45", 45),
        ("7.5", 7.5),
    ],
)
def test_a_length_may_be_written_in_many_ways(written: str, seconds: float) -> None:
    assert brief_from_dict({"text": "a", "length": written}, Path(), "b").target_length_s == seconds


@pytest.mark.parametrize("written", ["0", "-5", "7h", "s", "1m15", "", True, [75], float("inf")])
def test_a_length_that_is_none_is_a_problem(written: object) -> None:
    if written == "":
        assert brief_from_dict({"text": "a", "length": written}, Path(), "b").target_length_s is None
        return
    with pytest.raises(BriefError, match="length"):
        brief_from_dict({"text": "a", "length": written}, Path(), "b")


def test_prose_without_scenes_is_text_for_the_writer() -> None:
    brief = md("# On *light*\n\nFirst paragraph\nruns on.\n\n- one\n- two\n\n### A part\n\n> Said.\n")
    assert brief.title == "On light"
    assert brief.text == "First paragraph runs on.\n\none.\n\ntwo.\n\nA part\n\nSaid."
    assert brief.scenes == ()


def test_a_title_comes_from_the_front_matter_then_the_heading_then_the_name() -> None:
    assert md("---\ntitle: A\n---\n# B\n\ntext").title == "A"
    assert md("# B\n\ntext").title == "B"
    assert parse_brief("text", format="md", base=Path(), name="my-first_film").title == "My first film"
    assert parse_brief("text", format="md", base=Path(), name="--").title == "Untitled"


def test_text_above_the_first_scene_is_a_scene_without_a_heading() -> None:
    brief = md("# T\n\nHello there.\n\n## One\nMore.\n")
    assert [(scene.heading, scene.narration) for scene in brief.scenes] == [
        ("", "Hello there."),
        ("One", "More."),
    ]


def test_a_picture_path_may_hold_spaces_brackets_and_percent_signs(folder: Path) -> None:
    for target in (
        "pictures/my coast (1).png",
        "<pictures/my coast (1).png>",
        "pictures/my%20coast%20(1).png",
    ):
        brief = md(f"## A\n![x]({target} 'a title')\nwords\n", folder)
        assert brief.scenes[0].visual is not None
        assert brief.scenes[0].visual.path == folder / "pictures/my coast (1).png"


def test_a_scene_may_be_silent_when_it_shows_something_for_a_time(folder: Path) -> None:
    brief = md("## A\n![](pictures/coast.jpg){hold=2}\n\n## B\n{hold=3 motion=hold}\n", folder)
    assert [(scene.narration, scene.hold_s) for scene in brief.scenes] == [("", 2.0), ("", 3.0)]


def test_a_plain_text_takes_a_short_first_line_as_its_title() -> None:
    def txt(text: str) -> Brief:
        return parse_brief(text, format="txt", base=Path(), name="name-of-file")

    titled = txt("How tides work\n\nThe moon pulls.\n\nThe sea follows.")
    assert (titled.title, titled.text) == ("How tides work", "The moon pulls.\n\nThe sea follows.")
    assert txt("The moon pulls.\n\nThe sea follows.").title == "Name of file"
    assert txt("A line\nand its next").text == "A line and its next"
    topic = txt("The history of tea")
    assert (topic.title, topic.text) == ("The history of tea", "The history of tea")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_any_unicode_file_is_read(tmp_path: Path, encoding: str, newline: str) -> None:
    text = "---\ntitle: Kaffee\u0301\n---\n\n## Eins\nGrüße aus Köln.\n".replace("\n", newline)
    path = tmp_path / "b.md"
    path.write_bytes(text.encode(encoding))
    brief = load_brief(path)
    assert (brief.title, brief.scenes[0].narration, brief.scenes[0].line) == ("Kaffeé", "Grüße aus Köln.", 5)


def test_what_is_no_brief_file_is_a_clear_error(tmp_path: Path) -> None:
    def fault(name: str, data: bytes | None = None) -> BriefError:
        path = tmp_path / name
        if data is not None:
            path.write_bytes(data)
        with pytest.raises(BriefError) as caught:
            load_brief(path)
        assert str(path) in caught.value.message
        assert caught.value.hint
        return caught.value

    assert "there is no such file" in fault("x.md").message
    assert "is empty" in fault("empty.md", b"").message
    assert "is empty" in fault("mark.md", b"\xef\xbb\xbf\n").message
    assert "not a text file" in fault("video.md", b"\x00\x00\x00\x18ftypmp42\xff\xfe" * 99).message
    assert ":2: byte 0xE9 is not UTF-8" in fault("latin.md", b"one\ncaf\xe9\n").message
    assert "a brief is at most 2 MB" in fault("big.md", b"word " * 1_000_000).message
    assert "ends in '.docx'" in fault("brief.docx", b"PK").message
    assert "has no ending" in fault("brief", b"text").message
    assert "empty.md" in fault("emty.md").hint
    (tmp_path / "folder.md").mkdir()
    assert "is a folder" in fault("folder.md").message
    assert "cannot be read" in fault("a" * 300 + ".md").message


def test_a_file_that_may_not_be_read_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "b.md"
    path.write_text("text")

    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(BriefError, match="Permission denied"):
        load_brief(path)


def test_control_characters_are_left_out_and_letters_composed() -> None:
    brief = brief_from_dict({"text": "Cafe\u0301\x07 is\u200b open\r\nnow"}, Path(), "b")
    assert brief.text == "Café is open now"


def test_pictures_of_a_folder_come_in_natural_order(folder: Path) -> None:
    assert [path.name for path in pictures_in(folder / "photos")] == ["2.png", "10.jpg"]
    with pytest.raises(BriefError, match="cannot read"):
        pictures_in(folder / "none")


def test_a_folder_without_pictures_is_a_problem(folder: Path) -> None:
    found = problems_of("---\npictures: music\n---\ntext", folder)
    assert found == (f"b.md:2: pictures: the folder {folder}/music has no pictures in it",)


def test_files_in_a_folder_of_recordings_that_are_no_sound_are_named(folder: Path) -> None:
    (folder / "music" / "take.doc").write_bytes(b"x")
    (folder / "music" / "notes.txt").write_bytes(b"x")
    brief = md("---\nrecordings: music\n---\n## A\nSome words.\n", folder)
    assert [scene.recording for scene in brief.scenes] == [folder / "music/loop.flac"]
    assert brief.warnings == ("b.md:2: not used from music, as no sound by its ending: take.doc",)


def test_a_dict_may_hold_paths_and_tuples_and_its_problems_name_keys(folder: Path) -> None:
    data = {"scenes": ({"narration": "a", "picture": folder / "pictures/coast.jpg"},)}
    brief = brief_from_dict(data, Path("/nowhere"), "b")
    assert brief.scenes[0].visual is not None
    with pytest.raises(BriefError) as caught:
        brief_from_dict({"text": object(), "seed": True}, folder, "my brief")
    assert set(caught.value.problems) == {
        "my brief: text: a object has no place in a brief",
        "my brief: seed: expected a whole number from 0 on, found True",
    }


def test_importing_briefs_loads_nothing_heavy() -> None:
    heavy = "yaml", "markdown_it", "numpy", "pydantic_ai"
    code = f"import sys, stages.brief; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def _brief_or_problems(make: Callable[[], Brief]) -> Brief | tuple[str, ...]:
    try:
        return make()
    except BriefError as error:
        return error.problems


_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_keys = st.sampled_from(
    [
        "title",
        "text",
        "scenes",
        "style",
        "music",
        "exports",
        "length",
        "seed",
        "providers",
        "language",
        "pictures",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(_keys, _values, max_size=5))
def test_any_dict_gives_a_brief_or_a_brief_error(data: dict[str, object]) -> None:
    brief = _brief_or_problems(lambda: brief_from_dict(data, Path("/nowhere"), "b"))
    if isinstance(brief, Brief):
        assert canonical(brief_from_canonical(canonical(brief))) == canonical(brief)
    else:
        assert brief


@settings(max_examples=200, deadline=None)
@given(
    st.text(alphabet=st.sampled_from("---\n#!:[]{}()*&`'\"|<> \tab1,\\\u2028"), max_size=120) | st.text(max_size=60),
    st.sampled_from(["md", "txt", "yaml", "json"]),
)
def test_any_text_gives_a_brief_or_a_brief_error(text: str, format: Format) -> None:
    brief = _brief_or_problems(lambda: parse_brief(text, format=format, base=Path("/nowhere"), name="b"))
    if isinstance(brief, Brief):
        assert brief.text or brief.scenes
    else:
        assert brief


def test_html_in_a_brief_is_read_without_its_tags(tmp_path: Path) -> None:
    text = "---\ntitle: T\n---\n\n## One\n<div class='x'>\nA lamp is lit.\n</div>\n"
    brief = parse_brief(text, format="md", base=tmp_path, name="b")
    assert brief.scenes[0].narration == "A lamp is lit."
