"""Keys: equal requests are one key, different requests never are, and nothing else enters."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoints.keys import canonical_json, file_digest, step_key, text_digest

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def shuffled(value: Any) -> Any:
    """The same value with every mapping's order reversed."""
    if isinstance(value, dict):
        return {key: shuffled(item) for key, item in reversed(value.items())}
    return [shuffled(item) for item in value] if isinstance(value, list) else value


@given(VALUES)
def test_order_of_names_does_not_enter_a_key(value: Any) -> None:
    assert canonical_json(shuffled(value)) == canonical_json(value)


@given(VALUES, VALUES)
def test_different_texts_mean_different_keys_and_equal_ones_equal_keys(one: Any, two: Any) -> None:
    same_text = canonical_json(one) == canonical_json(two)
    assert (step_key("speech", {"r": one}) == step_key("speech", {"r": two})) == same_text


def test_a_key_tells_numbers_from_texts_and_stages_from_each_other() -> None:
    keys = {step_key(stage, {"fps": fps}) for stage in ("mix", "mux") for fps in (30, "30", 30.5, None, True, [30])}
    assert len(keys) == 12
    assert all(len(key) == 64 and set(key) <= set("0123456789abcdef") for key in keys)


def test_a_key_is_the_same_in_every_process() -> None:
    code = "from checkpoints.keys import step_key; print(step_key('speech', {'text': 'Größe', 'b': 1, 'a': [1.5]}))"
    here = step_key("speech", {"a": [1.5], "b": 1, "text": "Größe"})
    for seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        )
        assert run.stdout.strip() == here


def test_a_key_does_not_change_from_one_version_to_the_next_by_accident() -> None:
    text = '{"request":{"a":[1.5,null],"text":"Größe"},"schema":1,"stage":"speech"}'
    assert step_key("speech", {"text": "Größe", "a": [1.5, None]}) == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"x": [float("-inf")]}])
def test_what_json_cannot_say_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical_json(value)


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_a_files_digest_is_that_of_all_its_bytes(tmp_path: Path, size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    (tmp_path / "f").write_bytes(data[:size])
    assert file_digest(tmp_path / "f") == (hashlib.sha256(data[:size]).hexdigest(), size)
    assert text_digest("é") == hashlib.sha256("é".encode()).hexdigest()
