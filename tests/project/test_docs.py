"""What the documentation shows must run, and what it links to must be there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pipeline import events

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "sample_media").glob("*.md")])
_CODE = re.compile(r"```python\n(.*?)```", re.DOTALL)
_FENCE = re.compile(r"```.*?```", re.DOTALL)
_INLINE_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


def test_the_examples_of_the_scripting_page_run_as_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FRAMEKEEP_RENDERING__PRESET", "superfast")
    levels = [
        {"Name": name, "Resolution": size, "Bitrate": "300k", "Priority": rank}
        for rank, (name, size) in enumerate([("High", "320x180"), ("Medium", "192x108"), ("Low", "128x72")], 1)
    ]
    monkeypatch.setenv("FRAMEKEEP_QUALITY__LEVELS", json.dumps(levels))
    blocks = _CODE.findall((ROOT / "docs" / "scripting.md").read_text())
    assert len(blocks) >= 8
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "docs/scripting.md", "exec"), names)
    said = capsys.readouterr().out
    assert "done 0" in said
    assert "BAD_BRIEF" in said
    assert "job_done done" in said
    made = sorted(path.name for path in (tmp_path / "videos").glob("*.mp4"))
    assert made == [
        "buoy-shorts.mp4",
        "buoy-youtube.mp4",
        "lamp-shorts.mp4",
        "lamp-square.mp4",
        "lamp-youtube.mp4",
        "tides-youtube.mp4",
    ]


def test_the_scripting_page_lists_every_event() -> None:
    page = (ROOT / "docs" / "scripting.md").read_text()
    missing = [kind for kind in events.EventKind.__args__ if f"`{kind}`" not in page]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    broken = [
        target
        for target in _LINK.findall(_INLINE_CODE.sub("", _FENCE.sub("", page.read_text())))
        if not (page.parent / target).exists()
    ]
    assert broken == []
