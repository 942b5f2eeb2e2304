"""A walk over every setting that the guide shows: two values of it, and the product does two different things."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.loader import SettingPath
from tests.config.test_guide_settings import BLOCKS
from tests.matter import chains, circuits, health, recovery, rendering, retries, timing, watching
from tests.matter.case import Case, Lab, leaves, load

LISTED: dict[str, SettingPath] = {".".join(path): path for block, _ in BLOCKS for path in leaves(block)}
TABLES = (circuits, retries, chains, timing, recovery, rendering, watching, health)
CASES: dict[str, Case] = {name: case for table in TABLES for name, case in table.CASES.items()}


def test_every_setting_of_the_guide_has_a_case_and_every_case_a_setting() -> None:
    assert LISTED.keys() - CASES.keys() == set(), "settings of which nothing shows what they change"
    assert CASES.keys() - LISTED.keys() == set(), "cases of settings that the guide does not show"
    assert sum(len(table.CASES) for table in TABLES) == len(CASES), "a setting has two cases"


@pytest.mark.parametrize("name", sorted(CASES))
def test_each_of_the_guides_settings_makes_a_difference(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, path = CASES[name], LISTED[name]
    documents = [case.document(path, which) for which in (0, 1)]
    told: list[Any] = [_flat(document) for document in documents]
    assert {leaf for leaf in told[0].keys() | told[1].keys() if told[0].get(leaf) != told[1].get(leaf)} == {name}
    seen = []
    for which, document in enumerate(documents):
        folder = tmp_path / str(which)
        folder.mkdir()
        with monkeypatch.context() as patch:
            seen.append(case.observe(load(document, folder), Lab(folder, patch)))
    assert tuple(seen) == case.seen
    assert seen[0] != seen[1]


def _flat(document: dict[str, Any], above: str = "") -> dict[str, Any]:
    """Settings by name; of a list of blocks, each item's by the same name."""
    found: dict[str, Any] = {}
    for name, value in document.items():
        here = f"{above}.{name}" if above else name
        if isinstance(value, dict):
            found |= _flat(value, here)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for item in value:
                for inner, one in _flat(item, f"{here}[]").items():
                    found[inner] = [*found.get(inner, []), one]
        else:
            found[here] = value
    return found
