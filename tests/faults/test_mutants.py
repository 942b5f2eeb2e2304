"""The list of mutants is not stale: what it would change is there, and so is every test that it names."""

from __future__ import annotations

import pytest
from mutants import MUTANTS, ROOT, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=[one.guard for one in MUTANTS])
def test_a_mutants_text_and_its_test_are_there(mutant: Mutant) -> None:
    text = (ROOT / mutant.file).read_text(encoding="utf-8")
    for old, new in mutant.changes:
        assert text.count(old) == 1, f"{mutant.file} has it {text.count(old)} times: {old}"
        assert old != new
    file, _, test = mutant.test.partition("::")
    assert f"def {test.partition('[')[0]}(" in (ROOT / "tests" / file).read_text(encoding="utf-8")


def test_every_mutant_has_a_name_of_its_own() -> None:
    assert len({one.guard for one in MUTANTS}) == len(MUTANTS)
