"""Settings documents by the hundred: what is given takes effect, what is broken is refused in words, and no secret is told."""

from __future__ import annotations

from pathlib import Path as File

import pytest
from settings_checks import refuse_or_load, take_effect, take_effect_from_anywhere

SAMPLE = 120


@pytest.mark.parametrize("seed", range(3))
def test_what_a_document_gives_takes_effect(tmp_path: File, seed: int) -> None:
    take_effect(tmp_path, range(seed * SAMPLE, seed * SAMPLE + SAMPLE))


def test_sources_add_up_whoever_gives_what(tmp_path: File) -> None:
    take_effect_from_anywhere(tmp_path, range(SAMPLE))


def test_a_broken_document_is_refused_in_words_or_loaded(tmp_path: File) -> None:
    refuse_or_load(tmp_path, range(3 * SAMPLE))
