"""2,000 model answers: each is read whole, or told to be none. The default suite tries a few of them."""

from __future__ import annotations

import random

import pytest
from many_answers import check_answer

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("seed", range(0, 2000, 100))
def test_answers_in_every_dress_are_read_whole_or_told_to_be_none(seed: int) -> None:
    for number in range(seed, seed + 100):
        check_answer(random.Random(number))
