"""Keys: equal requests are one key, different requests never are, and nothing else enters."""

from __future__ import annotations

import ast
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoints.keys import canonical_json, code_digest, code_files, file_digest, step_key, text_digest
from pipeline.planning import step_keys

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


@pytest.fixture
def two_level_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with a module in a folder, importable as `twolevels`."""
    folder = tmp_path / "twolevels"
    (folder / "room").mkdir(parents=True)
    for name in ("__init__.py", "flat.py", "room/__init__.py", "room/deep.py"):
        (folder / name).write_text(f"# {name}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    code_digest.cache_clear()
    return folder


def digest_now(*names: str) -> str:
    code_digest.cache_clear()
    return code_digest(*names)


def test_a_module_in_a_folder_is_part_of_the_codes_digest(two_level_package: Path) -> None:
    before = digest_now("twolevels")
    (two_level_package / "room" / "deep.py").write_text("# another version\n")
    assert digest_now("twolevels") != before


def test_a_module_that_moves_changes_the_codes_digest_and_stays_in_it(two_level_package: Path) -> None:
    before = digest_now("twolevels")
    shutil.move(two_level_package / "flat.py", two_level_package / "room" / "flat.py")
    moved = digest_now("twolevels")
    (two_level_package / "room" / "flat.py").write_text("# another version\n")
    assert len({before, moved, digest_now("twolevels")}) == 3


def test_a_single_module_has_a_digest_of_its_own(two_level_package: Path) -> None:
    before = digest_now("twolevels.room.deep")
    (two_level_package / "flat.py").write_text("# another version\n")
    assert digest_now("twolevels.room.deep") == before
    (two_level_package / "room" / "deep.py").write_text("# another version\n")
    assert digest_now("twolevels.room.deep") != before


# What a change of which must never make a result again: types, errors and plumbing.
_NEUTRAL = {"stages", "stages.base", "stages.models", "stages.process_memory", "stages.http"}
_KEYED = {
    "stages.speech": {"stages.speech", "stages.text", "stages.sound"},
    "stages.render": {"stages.render", "stages.typeset", "stages.text", "stages.sound"},
    "stages.images": {"stages.images", "stages.typeset", "stages.text"},
}


@pytest.mark.parametrize("stage", sorted(_KEYED))
def test_whatever_a_stage_imports_of_ours_is_in_its_keys(stage: str) -> None:
    for package in sorted(_KEYED[stage]):
        for path, place in code_files(package):
            if (package, place) == ("stages.images", "picture_stage.py"):
                continue  # Takes the user's own pictures: their key holds what paints them, see `inputs.visual`.
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("stages"):
                    found = ".".join((node.module or "").split(".")[:2])
                    assert found in _KEYED[stage] | _NEUTRAL, f"{package}/{place} imports {node.module}"


def test_every_package_that_a_key_is_said_to_hold_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from stages.images.cards.card_provider import CardProvider
    from stages.speech.providers import voice_checks

    asked: list[tuple[str, ...]] = []

    def note(*names: str) -> str:
        asked.append(names)
        return ""

    monkeypatch.setattr("stages.images.cards.card_provider.code_digest", note)
    monkeypatch.setattr("stages.speech.providers.voice_checks.code_digest", note)
    monkeypatch.setattr(step_keys, "code_digest", note)
    voice_checks.versions()
    CardProvider().identity()
    step_keys._render_code()
    assert [set(names) for names in asked] == [_KEYED[f"stages.{stage}"] for stage in ("speech", "images", "render")]
