"""The benchmark runs and its instruments measure what they say. Nobody's time is asserted."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module of the benchmarks by its name; they are scripts, not a package."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(BENCHMARKS)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and Path(str(sys.modules[name].__file__)).parent == BENCHMARKS:
            del sys.modules[name]


def test_a_tiny_run_measures_everybody_on_the_same_film() -> None:
    command = [sys.executable, str(BENCHMARKS / "run.py"), "--size", "128x72", "--pictures", "2", "--scene", "5"]
    ran = subprocess.run([*command, "--no-moviepy", "--json"], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    limit, cold, alone, warm, speaking, expert, moviepy = json.loads(ran.stdout)["rows"]
    assert limit["times_limit"] == 1.0
    assert {row["frames"] for row in (limit, cold, alone, warm, speaking, expert)} == {2 * 150 - 15}
    for row in (limit, cold, alone, warm, speaking, expert):
        assert row["cpu_s"] > 0
        assert row["peak_mb"] > 0
    for row in (cold, expert):
        assert 20 < row["vmaf"] <= 100
    assert cold["jitter_px"] < expert["jitter_px"], "whole-pixel steps must show"
    assert moviepy == {"label": "(d) MoviePy 2.2", "skipped": "not asked for"}


@pytest.mark.parametrize(("right", "down"), [(0.131, -0.072), (0.01, 0.0), (0.0, -0.003)])
def test_shifts_of_a_part_of_a_pixel_are_found(load: Any, right: float, down: float) -> None:
    ideal: ModuleType = load("ideal")
    noise = np.random.default_rng(3).standard_normal((128, 128)).astype(np.float32)
    wanted = cv2.GaussianBlur(noise, (0, 0), 4.0) * 400 + 128
    spectrum = np.fft.fft2(wanted)
    across, along = np.meshgrid(np.fft.fftfreq(128), np.fft.fftfreq(128))
    got = np.fft.ifft2(spectrum * np.exp(-2j * np.pi * (across * right + along * down))).real.astype(np.float32)
    window = cv2.createHanningWindow((128, 128), cv2.CV_32F)
    assert ideal._shift(wanted, got, window) == pytest.approx((right, down), abs=0.0005, rel=0.03)


def test_planning_reaches_the_last_step(load: Any, tmp_path: Path) -> None:
    assert load("growth").planning_s(12, tmp_path) > 0


def test_a_command_is_charged_for_its_children(load: Any) -> None:
    measure: ModuleType = load("measure")
    burn = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'x = bytearray(80_000_000); sum(range(4_000_000))'])"
    cost, _ = measure.measured([sys.executable, "-c", burn])
    idle, _ = measure.measured([sys.executable, "-c", "pass"])
    assert cost.cpu_s > idle.cpu_s
    assert cost.peak_mb > 80


def test_a_command_that_fails_says_why(load: Any) -> None:
    measure: ModuleType = load("measure")
    with pytest.raises(measure.Failed, match="no such film"):
        measure.measured([sys.executable, "-c", "raise SystemExit('no such film')"])
