"""What a newcomer runs into: wrong input, silent films, small disks, names that do not exist."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time
import wave
from collections.abc import Callable
from pathlib import Path

import pytest

from checkpoints.files import copy_atomically
from config.errors import BriefError, DiskFullError, SettingsError, TransientError, UsageError
from config.loader import load_settings
from pipeline import Event, Pipeline
from pipeline.cli.app import main
from pipeline.cli.terminal import console
from pipeline.health.home_checks import check_clock
from pipeline.home import Home
from stages.brief import load_brief
from stages.speech.reading import read
from stages.typeset.fonts import SANS, load_fonts
from stages.typeset.text import Font

Make = Callable[..., Pipeline]


@pytest.fixture(autouse=True)
def quiet_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of its own, a working folder, and no settings from outside."""
    for name in [name for name in os.environ if name.startswith("FRAMEKEEP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FRAMEKEEP_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def brief_of(folder: Path, head: str, body: str = "## One\nA lamp is lit.\n") -> Path:
    """A brief with `head` in its front matter."""
    path = folder / "brief.md"
    path.write_text(f"---\ntitle: A lamp\n{head}\n---\n\n{body}")
    return path


def tone_of(path: Path, seconds: float) -> Path:
    """A square wave."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", "NONE"))
        file.writeframes((b"\x00\x10" * 10 + b"\x00\xf0" * 10) * round(seconds * 400))
    return path


def test_a_brief_in_which_nobody_speaks_becomes_a_silent_film(tmp_path: Path, make_pipeline: Make) -> None:
    path = tmp_path / "silent.yaml"
    path.write_text("title: Silence\nscenes:\n - {heading: A lamp, hold: 0.5}\n - {heading: The sea, hold: 0.5}\n")
    result = make_pipeline().render(path, output=tmp_path / "out", quality="low")
    assert result.status == "done"
    assert result.outputs[0].path.stat().st_size > 0
    assert result.outputs[0].frames > 0


def test_a_superseded_job_is_listed_and_shown(
    tmp_path: Path, make_pipeline: Make, tiny_brief: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline = make_pipeline()
    ledger = pipeline.home.ledger
    ledger.put_job("lamp-1", "A lamp", {"name": "lamp"}, {"exports": ["youtube"], "output": str(tmp_path)})
    ledger.set_state("lamp-1", "superseded")
    home = ["--home", str(pipeline.home.root)]
    assert main(["jobs", "--state", "superseded", *home]) == 0
    assert "lamp-1" in capsys.readouterr().out
    assert main(["show", "lamp-1", *home]) == 0
    assert "superseded" in capsys.readouterr().out


def test_an_unknown_script_writer_is_refused_where_none_is_asked(tmp_path: Path, make_pipeline: Make) -> None:
    path = brief_of(tmp_path, "providers: {script: [nobody]}")
    with pytest.raises(UsageError, match="no script writer 'nobody'"):
        make_pipeline().render(path, output=tmp_path / "out")


def test_wrong_names_are_said_all_at_once_and_leave_no_folder(tmp_path: Path, make_pipeline: Make) -> None:
    head = "style: {theme: lava}\nvoice: somebody\nproviders: {script: [nobody], images: [none]}"
    with pytest.raises(BriefError) as caught:
        make_pipeline().render(brief_of(tmp_path, head), output=tmp_path / "out")
    said = "\n".join(caught.value.problems)
    assert all(name in said for name in ("lava", "somebody", "nobody", "'none'"))
    assert not (tmp_path / "out").exists()


def test_a_picture_that_is_none_is_named_with_its_line(tmp_path: Path, make_pipeline: Make) -> None:
    (tmp_path / "words.jpg").write_text("no picture")
    path = brief_of(tmp_path, "seed: 1", "## One\n![a](words.jpg)\nA lamp is lit.\n")
    with pytest.raises(BriefError) as caught:
        make_pipeline().render(path, output=tmp_path / "out")
    assert caught.value.problems[0].startswith("brief, line 6: scene 1: ")


@pytest.mark.parametrize("seconds", [0.0, 0.3])
def test_music_too_short_to_loop_is_wrong_input_before_any_work(
    tmp_path: Path, make_pipeline: Make, events: list[Event], seconds: float
) -> None:
    tone_of(tmp_path / "tune.wav", seconds)
    with pytest.raises(BriefError, match=r"too short|no sound"):
        make_pipeline().render(brief_of(tmp_path, "music: tune.wav"), output=tmp_path / "out")
    assert not events


def test_music_just_long_enough_is_taken(tmp_path: Path) -> None:
    from stages.render.audio.music import inspect_music

    inspect_music(tone_of(tmp_path / "tune.wav", 0.6))


def test_quiet_says_nothing_of_a_run_that_went_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = brief_of(tmp_path, "captions: none")
    flags = ["--quality", "low", "--out", str(tmp_path / "out"), "--set", "Rendering.Preset=ultrafast"]
    assert main(["render", str(path), "--quiet", *flags]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{tmp_path / 'out' / 'brief-youtube.mp4'}\n"
    assert captured.err == ""
    assert main(["batch", str(path), "--quiet", *flags]) == 0
    assert capsys.readouterr().err == ""


def test_a_message_does_not_repeat_a_whole_page_of_narration(tmp_path: Path) -> None:
    from stages.speech.speech_provider import SpeechRequest, Spoken
    from stages.speech.speech_stage import _finish

    request = SpeechRequest(text="word " * 500, language="en", voice="", seed=0)
    spoken = Spoken(path=tone_of(tmp_path / "line.wav", 1.0), words=(), voice="v", timing="estimated")
    with pytest.raises(TransientError) as caught:
        _finish(request, spoken, "somebody")
    assert len(caught.value.message) < 200


def test_what_turns_the_direction_of_a_line_does_not_reach_the_terminal() -> None:
    assert console.clean("a\u202eb\u2066c") == "abc"


def test_a_disk_full_from_the_start_does_not_advise_to_resume_what_is_not_there(
    tmp_path: Path, make_pipeline: Make, tiny_brief: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Path.write_text

    def full(self: Path, *rest: object, **named: object) -> int:
        if self.name.endswith(".owner.json"):
            self.touch()
            raise OSError(errno.ENOSPC, "No space left on device")
        return written(self, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "write_text", full)
    pipeline = make_pipeline()
    with pytest.raises(DiskFullError) as caught:
        pipeline.render(tiny_brief, output=tmp_path / "out")
    assert "resume" not in caught.value.hint
    assert "again" in caught.value.hint
    assert not list(pipeline.home.locks.glob("*.owner.json"))


def test_a_home_folder_of_nobody_is_wrong_use(tmp_path: Path, tiny_brief: Path) -> None:
    assert main(["render", str(tiny_brief), "--out", "~nosuchperson/videos"]) == 2
    assert main(["jobs", "--home", "~nosuchperson/home"]) == 2
    assert main(["batch", "~nosuchperson/x.md"]) == 2


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_closed_from_the_start_are_no_error(tmp_path: Path, closed: str) -> None:
    command = f'exec "{sys.executable}" -m pipeline.cli.app jobs --home "{tmp_path / "home"}" {closed}'
    assert subprocess.run(["/bin/sh", "-c", command], capture_output=True, timeout=30).returncode == 0


def test_a_dangling_link_is_called_that(tmp_path: Path) -> None:
    link = tmp_path / "link.md"
    link.symlink_to("gone.md")
    with pytest.raises(BriefError, match=r"is a link to gone\.md, which is not there"):
        load_brief(link)


def test_a_length_beside_scenes_is_said_to_be_without_effect(
    tmp_path: Path, make_pipeline: Make, events: list[Event]
) -> None:
    path = brief_of(tmp_path, "length: 90s\nproviders: {speech: [text]}")
    make_pipeline().render(path, output=tmp_path / "out", quality="low")
    assert any(event.kind == "warning" and "length" in event.data["message"] for event in events)


@pytest.mark.parametrize(("arguments", "code"), [(["--json"], 2), (["--json", "--version"], 0)])
def test_json_without_a_command_is_still_one_document(
    arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == code
    document = json.loads(capsys.readouterr().out)
    assert ("error" in document) == bool(code)


def test_a_setting_misspelled_by_one_letter_of_three_is_recognised() -> None:
    with pytest.raises(SettingsError, match=r"did you mean Crf\?"):
        load_settings(flags={("rendering", "crv"): 20})


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("Hello \u2603\ufe0f \U0001f389 there", "Hello there"),
        ("\U0001f389 Hello", "Hello"),
        ("Go \U0001f680!", "Go !"),
        ("Go\U0001f680 on", "Go on"),
    ],
)
def test_a_pictograph_that_is_left_out_leaves_no_hole_in_the_line(text: str, drawn: str) -> None:
    fonts = load_fonts()
    assert "".join(run.text for run in fonts.runs(text, SANS)) == drawn
    assert Font(SANS, fonts=fonts).width(text, 40) == pytest.approx(Font(SANS, fonts=fonts).width(drawn, 40))


def test_a_pictograph_in_a_caption_is_said_to_be_left_out(
    tmp_path: Path, make_pipeline: Make, events: list[Event]
) -> None:
    path = brief_of(tmp_path, "providers: {speech: [text]}", "## One\nA lamp \U0001f389 is lit.\n")
    make_pipeline().render(path, output=tmp_path / "out", quality="low")
    assert any(event.kind == "warning" and "\U0001f389" in event.data["message"] for event in events)


def test_a_broken_ledger_is_not_blamed_on_the_clock(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.root.mkdir()
    (home.root / "ledger.db").write_bytes(b"no database " * 400)
    try:
        assert [finding.status for finding in check_clock(home, time.time())] == ["ok"]
    finally:
        home.close()


def test_one_export_may_be_named_without_a_list(tmp_path: Path, make_pipeline: Make) -> None:
    path = brief_of(tmp_path, "providers: {speech: [text]}")
    result = make_pipeline().render(path, exports="square", output=tmp_path / "out", quality=" low ")
    assert [output.export for output in result.outputs] == ["square"]


@pytest.mark.parametrize("stem", ["../evil", "a/b", "a\\b"])
def test_a_stem_cannot_lead_out_of_the_output_folder(tmp_path: Path, make_pipeline: Make, stem: str) -> None:
    with pytest.raises(UsageError, match="cannot begin a file's name"):
        make_pipeline().render(brief_of(tmp_path, "seed: 1"), output=tmp_path / "out", stem=stem)


def test_a_working_folder_that_was_removed_is_wrong_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = brief_of(tmp_path, "seed: 1")
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert main(["render", str(path)]) == 2
    assert "not there any more" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full is Linux's")
def test_a_result_that_does_not_fit_where_it_goes_is_an_error(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pipeline.cli.app", "config", "path", "--home", str(tmp_path)]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "could not be written to stdout: No space left" in done.stderr


def test_what_a_killed_delivery_left_beside_the_video_goes_with_the_next_one(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "out" / "film.mp4"
    source.write_bytes(b"film")
    killed = subprocess.run(
        [
            sys.executable,
            "-c",
            "import os, shutil, sys\n"
            "from pathlib import Path\n"
            "from checkpoints.files import copy_atomically\n"
            "shutil.copyfile = lambda source, target: (Path(target).write_bytes(b'fi'), os._exit(9))\n"
            "copy_atomically(Path(sys.argv[1]), Path(sys.argv[2]))\n",
            str(source),
            str(target),
        ],
        check=False,
        timeout=30,
    )
    assert killed.returncode == 9
    left = list(target.parent.iterdir())
    assert len(left) == 1
    alive = left[0].with_name(left[0].name.replace(left[0].name.split("-")[1], str(os.getppid())))
    alive.write_bytes(b"somebody's work")
    elsewhere = target.with_name(".film.mp4.00000000-1-ab.part")
    elsewhere.write_bytes(b"another machine's work")
    copy_atomically(source, target)
    assert sorted(target.parent.iterdir()) == sorted([alive, elsewhere, target])
    assert target.read_bytes() == b"film"


def test_a_space_is_never_said_to_be_not_read_out() -> None:
    assert read("№5, 1st", "en").text == "number five, first"
    assert read("№5, 1st", "en").notes == ()
