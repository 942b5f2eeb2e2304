"""What is wrong with a brief and with what is asked of it is told together, before any work."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import BriefError, UsageError
from config.settings import Settings
from pipeline.engine.asked_work import Wish, asked_for

BAD_BRIEF = "---\ntitle: T\nlanguage: [en]\nlength: soon\n---\n\nThe sea rises. It falls again.\n"


def refused(brief: Path, wish: Wish) -> UsageError:
    with pytest.raises(UsageError) as caught:
        asked_for(Settings(), brief, wish)
    return caught.value


def test_a_brief_that_cannot_be_read_and_an_unknown_export_are_told_together(tmp_path: Path) -> None:
    brief = tmp_path / "brief.md"
    brief.write_text(BAD_BRIEF)
    error = refused(brief, Wish(exports=["cinema"], quality="ultra"))
    assert isinstance(error, BriefError)
    assert len(error.problems) == 4
    for part in ("language", "length", "Unknown export: cinema", "There is no quality level 'ultra'"):
        assert any(part in problem for problem in error.problems)
    assert error.exit_code == 2


def test_a_missing_brief_does_not_hide_a_wrong_name(tmp_path: Path) -> None:
    error = refused(tmp_path / "gone.md", Wish(exports="cinema", stem="a/b"))
    assert [part in str(error.problems) for part in ("gone.md", "cinema", "a/b")] == [True] * 3  # type: ignore[attr-defined]


def test_what_is_wrong_in_a_readable_brief_is_told_with_an_unknown_export(tmp_path: Path) -> None:
    brief = tmp_path / "brief.md"
    brief.write_text(
        "---\ntitle: T\nexports: [cinema]\nproviders: {script: nobody}\n---\n\nThe sea rises. It falls again.\n"
    )
    error = refused(brief, Wish(quality="ultra"))
    assert [part in str(error.problems) for part in ("cinema", "ultra", "nobody")] == [True] * 3  # type: ignore[attr-defined]


def test_a_single_problem_stays_what_it_is(tmp_path: Path) -> None:
    brief = tmp_path / "brief.md"
    brief.write_text("---\ntitle: T\n---\n\nThe sea rises. It falls again.\n")
    error = refused(brief, Wish(exports=["cinema"]))
    assert type(error) is UsageError
    assert error.message == "Unknown export: cinema"
    loaded, options = asked_for(Settings(), brief, Wish(exports=["square", "square"], output=tmp_path))
    assert (loaded.title, options.exports, options.output, options.stem) == ("T", ("square",), tmp_path, "brief")


@pytest.mark.parametrize(
    ("scenes", "is_refused"),
    [
        (["Make a video about tides.", "Keep it short."], True),
        (["Explain how tides work.", "Explain why there are two a day. Mention the Bay of Fundy."], True),
        (["Tides rise and fall. The moon pulls on the sea.", "Explain it to a child and you will see."], False),
        (["Open the app. Tap the plus sign.", "Choose a video. Press Save."], False),
        (["Write about your day every evening.", "Close the notebook."], False),
    ],
)
def test_scenes_that_only_say_what_is_to_be_made_are_refused(
    tmp_path: Path, scenes: list[str], is_refused: bool
) -> None:
    from pipeline.engine.preflight import check_brief
    from pipeline.planning.toolbox import Toolbox
    from stages.brief import load_brief

    file = tmp_path / "brief.md"
    file.write_text("---\ntitle: T\n---\n" + "".join(f"\n## Scene {n}\n\n{text}\n" for n, text in enumerate(scenes, 1)))
    brief = load_brief(file)
    if not is_refused:
        check_brief(brief, Toolbox(brief, Settings()))
        return
    with pytest.raises(UsageError, match="only say what is to be made"):
        check_brief(brief, Toolbox(brief, Settings()))
