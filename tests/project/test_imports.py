"""A user's own config.py beside a script must not be taken for ours in silence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("name", ["config", "checkpoints", "stages"])
def test_a_module_of_the_users_with_our_packages_name_is_named_in_a_clear_error(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.py").write_text("value = 1\n")
    script = tmp_path / "script.py"
    script.write_text("import pipeline\n")
    run = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    last = run.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: ")
    assert str(tmp_path / f"{name}.py") in last
    assert "Rename it" in last


def test_a_script_beside_harmless_files_imports_the_pipeline(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("from pipeline import Pipeline, Brief\nprint(Pipeline.__name__, Brief.__name__)\n")
    run = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert run.stdout == "Pipeline Brief\n", run.stderr


def test_every_name_that_the_package_offers_can_be_imported() -> None:
    import pipeline

    for name in pipeline.__all__:
        assert getattr(pipeline, name).__name__
    assert set(pipeline.__all__) <= set(dir(pipeline))
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        pipeline.Nothing  # noqa: B018
