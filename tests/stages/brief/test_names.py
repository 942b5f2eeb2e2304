"""Names as disks and archives have them: composed or in parts, and bytes that are no UTF-8."""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from pathlib import Path

import pytest

from checkpoints.keys import canonical_json
from checkpoints.ledger.refusals import Refusals
from config.errors import BriefError, UsageError
from pipeline.home import Home
from pipeline.job.naming import slug
from stages.brief import brief_from_dict, load_brief
from stages.text.names import as_spelled, readable, utf8_path

COMPOSED = unicodedata.normalize("NFC", "Café")
IN_PARTS = unicodedata.normalize("NFD", "Café")
NO_UTF8 = os.fsdecode(b"caf\xe9")
needs_bytes = pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="names are UTF-8 there")


@pytest.mark.parametrize(("on_disk", "written"), [(COMPOSED, IN_PARTS), (IN_PARTS, COMPOSED)])
def test_a_picture_a_folder_and_a_brief_are_found_in_either_form(tmp_path: Path, on_disk: str, written: str) -> None:
    folder = tmp_path / on_disk
    folder.mkdir()
    (folder / f"{on_disk}.jpg").write_bytes(b"x")
    (folder / f"{on_disk}.wav").write_bytes(b"x")
    brief = (
        f"---\nmusic: {written}/{written}.wav\npictures: {written}\n---\n## One\n![]({written}/{written}.jpg)\nHi.\n"
    )
    (tmp_path / f"{on_disk}.md").write_text(brief, encoding="utf-8")
    read = load_brief(tmp_path / f"{written}.md")
    assert read.scenes[0].visual is not None
    assert read.music is not None
    assert read.scenes[0].visual.path == folder / f"{on_disk}.jpg"
    assert read.music.path == folder / f"{on_disk}.wav"
    assert read.pictures == folder


def test_a_name_that_is_not_there_is_left_as_it_is(tmp_path: Path) -> None:
    for name in ("none.jpg", "a\0b", "x" * 300, "none/none.jpg"):
        assert as_spelled(tmp_path / name) == tmp_path / name


def test_a_wrong_capital_and_a_folder_below_are_hinted_at(tmp_path: Path) -> None:
    (tmp_path / "attachments").mkdir()
    (tmp_path / "attachments" / "reef.jpg").write_bytes(b"x")
    (tmp_path / f"{IN_PARTS}.JPG").write_bytes(b"x")
    (tmp_path / "b.md").write_text(f"## One\n![]({COMPOSED}.jpg)\nHi.\n## Two\n![[reef.jpg]]\nHo.\n", encoding="utf-8")
    with pytest.raises(BriefError) as caught:
        load_brief(tmp_path / "b.md")
    assert [problem.rpartition("did you mean ")[2] for problem in caught.value.problems] == [
        f"'{IN_PARTS}.JPG'?",
        "'attachments/reef.jpg'?",
    ]


def test_bytes_that_are_no_utf8_are_read_as_people_wrote_them() -> None:
    assert readable(NO_UTF8) == "café"
    assert readable("日本") == "日本"
    assert readable("half \ud83d") == "half ?"
    assert slug(NO_UTF8) == "cafe"


@needs_bytes
def test_a_brief_whose_name_is_no_utf8_has_a_title_and_keeps_its_name(tmp_path: Path) -> None:
    path = tmp_path / f"{NO_UTF8}.md"
    path.write_text("## One\nHi.\n")
    brief = load_brief(path)
    assert (brief.title, brief.name) == ("Café", NO_UTF8)


def test_what_is_kept_of_such_a_name_is_utf8_and_comes_back_the_same() -> None:
    kept = canonical_json({"path": NO_UTF8, "title": "Café"})
    assert json.loads(kept.encode().decode()) == {"path": NO_UTF8, "title": "Café"}


@needs_bytes
def test_a_refused_brief_of_such_a_name_is_found_again(tmp_path: Path) -> None:
    refusals = Refusals(Home(tmp_path / "home").ledger)
    source = str(tmp_path / NO_UTF8)
    refusals.note(source, {"path": f"{source}.md"}, UsageError(f"{source}: no", hint="x"), 1.0)
    (found,) = refusals.all()
    assert (found.source, found.options) == (source, {"path": f"{source}.md"})
    refusals.forget(source)
    assert refusals.all() == []


@needs_bytes
def test_a_library_gets_a_name_that_it_can_take(tmp_path: Path) -> None:
    path = tmp_path / NO_UTF8
    path.write_bytes(b"sound")
    with utf8_path(path) as named:
        assert str(named).encode()
        assert named.read_bytes() == b"sound"
    assert not named.exists()
    with utf8_path(tmp_path / "plain") as named:
        assert named == tmp_path / "plain"


def test_a_home_folder_is_named_in_utf8(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"not UTF-8: .*café"):
        Home(tmp_path / NO_UTF8)


def test_a_file_address_and_spaces_around_a_name_lead_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "a b.jpg").write_bytes(b"x")
    (tmp_path / " lead.jpg").write_bytes(b"x")
    for written in (f"file://{tmp_path}/a%20b.jpg", f"file://localhost{tmp_path}/a%20b.jpg", " lead.jpg"):
        scene = {"narration": "Hi.", "picture": written}
        visual = brief_from_dict({"scenes": [scene]}, tmp_path, "b").scenes[0].visual
        assert visual is not None
        assert visual.path.exists()


@needs_bytes
def test_a_suggestion_that_cannot_be_typed_says_to_rename_the_file(tmp_path: Path) -> None:
    (tmp_path / f"{NO_UTF8}.jpg").write_bytes(b"x")
    with pytest.raises(BriefError, match=r"did you mean 'café.jpg'\? Its name is not UTF-8: rename"):
        brief_from_dict({"scenes": [{"narration": "Hi.", "picture": "caf.jpg"}]}, tmp_path, "b")


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("x.docx", "pandoc {}/x.docx -o {}/x.md"),
        ("x.RST", "pandoc {}/x.RST -o {}/x.md"),
        ("x.wiki", "pandoc -f mediawiki {}/x.wiki -o {}/x.md"),
        ("x.mdx", "cp {}/x.mdx {}/x.md"),
    ],
)
def test_a_document_is_refused_with_the_command_that_converts_it(tmp_path: Path, name: str, command: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(BriefError) as caught:
        load_brief(tmp_path / name)
    assert caught.value.hint == "convert it: " + command.format(tmp_path, tmp_path)


def test_a_file_address_that_leads_nowhere_is_told_as_a_path(tmp_path: Path) -> None:
    with pytest.raises(BriefError, match=r"there is no file /nowhere/a\.png"):
        brief_from_dict({"scenes": [{"narration": "Hi.", "picture": "file:///nowhere/a.png"}]}, tmp_path, "b")
