"""Ten thousand settings documents: `settings_documents.py` draws them, `settings_checks.py` says what must hold."""

from __future__ import annotations

from pathlib import Path as File

import pytest
from settings_checks import refuse_or_load, take_effect, take_effect_from_anywhere

PART = 500
pytestmark = pytest.mark.faults


@pytest.mark.parametrize("part", range(6))
def test_what_documents_give_takes_effect(tmp_path: File, part: int) -> None:
    take_effect(tmp_path, range(part * PART, part * PART + PART))


@pytest.mark.parametrize("part", range(4))
def test_sources_add_up_whoever_gives_what(tmp_path: File, part: int) -> None:
    take_effect_from_anywhere(tmp_path, range(part * PART, part * PART + PART))


@pytest.mark.parametrize("part", range(10))
def test_broken_documents_are_refused_in_words_or_loaded(tmp_path: File, part: int) -> None:
    refuse_or_load(tmp_path, range(part * PART, part * PART + PART))
