"""What a whole render costs beside the encoder alone, measured side by side in one run.

    .venv/bin/python benchmarks/run.py [BRIEF] [--quality LEVEL]

(a) libx264 alone: the finished video's frames, already raw on disk, encoded with the arguments of a segment.
(b) framekeep, cold: an empty home, the same brief; speech, pictures, painting, captions, sound, checks, checkpoints included.
(c) framekeep, warm: the same command again.

CPU is user + system time of the whole process tree. Absolute times depend on the machine; the ratios are what to look at.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg

from config.settings import Settings
from stages.render.encoders import Libx264
from stages.render.models import Encoding
from stages.render.process import ffmpeg_path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Cost:
    """CPU and wall seconds of one command with all its children."""

    cpu_s: float
    wall_s: float


def measured(command: list[str]) -> tuple[Cost, str]:
    """Run a command to its end; what it cost, and what it printed."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    run = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(cpu_s, time.monotonic() - started), run.stdout


def encoder_alone(output: dict[str, Any], folder: Path) -> Cost:
    """(a): decode the finished video to raw frames, not measured, and encode those as a segment is encoded."""
    raw, again = folder / "frames.yuv", folder / "again.mp4"
    size = {"format": "rawvideo", "pix_fmt": "yuv420p"}
    decode = ffmpeg.input(output["path"]).video.output(str(raw), **size).compile(cmd=str(ffmpeg_path()))
    measured([*decode, "-y"])
    settings = Settings()
    level = next(level for level in settings.quality.levels if level.name == output["quality"])
    encoding = Encoding(
        level=level.name,
        width=output["width"],
        height=output["height"],
        fps=output["fps"],
        bitrate_bps=level.bitrate_bps,
        crf=settings.rendering.crf,
        preset=settings.rendering.preset,
        threads=settings.rendering.threads,
    )
    arguments = [str(raw) if part == "pipe:0" else part for part in Libx264().arguments(encoding, again)]
    cost, _ = measured([str(ffmpeg_path()), "-hide_banner", "-nostdin", "-y", *arguments])
    raw.unlink()
    return cost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("brief", nargs="?", type=Path, default=ROOT / "sample_media" / "short.md")
    parser.add_argument("--quality", default="high")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        render = [sys.executable, "-m", "pipeline.cli.app", "render", str(options.brief), "--json"]
        render += ["--quality", options.quality, "--home", str(folder / "home"), "--out", str(folder / "out")]
        cold, printed = measured(render)
        warm, _ = measured(render)
        output = json.loads(printed)["outputs"][0]
        alone = encoder_alone(output, folder)
    frames = output["frames"]
    print(f"{options.brief.name}: {frames} frames, {output['width']} x {output['height']}, {output['quality']}")
    print(f"{'':24}{'CPU s':>8}{'wall s':>8}{'CPU ms/frame':>14}{'x encoder':>11}")
    for label, cost in (("(a) libx264 alone", alone), ("(b) framekeep, cold", cold), ("(c) framekeep, warm", warm)):
        ratio = cost.cpu_s / alone.cpu_s
        print(f"{label:24}{cost.cpu_s:8.2f}{cost.wall_s:8.2f}{1000 * cost.cpu_s / frames:14.1f}{ratio:11.2f}")


if __name__ == "__main__":
    main()
