"""Where our own CPU goes: each part of a render done alone, one after the other, on the same frames."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from measure import measured
from storyboard import ROOT

from checkpoints.keys import file_digest
from stages.render.encoders.encoder import Libx264
from stages.render.ffmpeg.process import ffmpeg_path
from stages.render.frames.painter import Painter
from stages.render.sources.probe import decode_all, probe_video

if TYPE_CHECKING:
    from storyboard import Board, Project


def cpu_of(work: Callable[[], object]) -> float:
    """CPU seconds of `work`, of this process and of the children that it ended."""

    def spent() -> float:
        both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(usage.ru_utime + usage.ru_stime for usage in both)

    before = spent()
    work()
    return spent() - before


def measure_parts(project: Project, folder: Path) -> tuple[dict[str, Any], str]:
    """Figures by part, and the table of them. The whole is measured too: what the parts do not explain is the rest."""
    whole, _ = project.render()
    warm, _ = project.render()
    board, video = project.board(), project.video()
    segments = _segments(project)
    project.forget("mux")
    joined, _ = project.render()
    project.forget("segment", "mux")
    alone, _ = project.render()
    raw = folder / "frames.yuv"
    parts = {
        "the whole, cold": whole.cpu_s,
        "  speech, sound, pictures": whole.cpu_s - alone.cpu_s,
        "  the render stage": alone.cpu_s,
        "the same again (start-up, plan, records)": warm.cpu_s,
        "importing the command line": _importing(),
        "opening canvases (decode, scale, convert)": cpu_of(lambda: _open(board)),
        "painting, and writing to a file": cpu_of(lambda: _paint(board, raw)),
        "writing such a file alone": cpu_of(lambda: _copy(raw)),
        "libx264 from that file": cpu_of(lambda: _encode(board, raw, folder / "again.mp4", piped=False)),
        "libx264 through a pipe": cpu_of(lambda: _encode(board, raw, folder / "again.mp4", piped=True)),
        "segments: packets counted": cpu_of(lambda: [probe_video(path) for path in segments]),
        "segments: decoded": cpu_of(lambda: [decode_all(path) for path in segments]),
        "join, its checks, and start-up": joined.cpu_s,
        "finished file: hashed": cpu_of(lambda: file_digest(video)),
        "segments: hashed": cpu_of(lambda: [file_digest(path) for path in segments]),
    }
    raw.unlink()
    lines = [f"{board.frames} frames of {board.width} x {board.height}", f"{'':44}{'CPU s':>8}{'ms/frame':>10}"]
    lines += [f"{name:44}{cpu_s:8.2f}{1000 * cpu_s / board.frames:10.2f}" for name, cpu_s in parts.items()]
    return {"frames": board.frames, "cpu_s": {name.strip(): cpu_s for name, cpu_s in parts.items()}}, "\n".join(lines)


def _segments(project: Project) -> list[Path]:
    """Copies of the segments, for the store is about to lose them."""
    from pipeline.home import Home

    home = Home(project.home)
    export = project.plan(home).exports["youtube"]
    kept = project.brief.parent / "segments"
    kept.mkdir()
    paths = []
    for position in sorted(export.segments):
        source = home.store.path(export.done[export.segments[position].id].artifacts["segment"].digest)
        paths.append(kept / f"{position[0]:03}-{position[1]:02}.mp4")
        paths[-1].write_bytes(source.read_bytes())
    home.close()
    return paths


def _importing() -> float:
    cost, _ = measured([sys.executable, "-c", "import pipeline.cli.app"], cwd=ROOT)
    return cost.cpu_s


def _open(board: Board) -> None:
    for spec in board.segments:
        with Painter(spec, board.store.store.path):
            pass


def _paint(board: Board, raw: Path) -> None:
    with raw.open("wb") as file:
        for spec in board.segments:
            with Painter(spec, board.store.store.path) as painter:
                for frame in painter.frames():
                    file.write(frame)


def _copy(raw: Path) -> None:
    size = 1 << 22
    block = bytes(size)
    with tempfile.TemporaryFile(dir=raw.parent) as file:
        for _ in range(raw.stat().st_size // size):
            file.write(block)


def _encode(board: Board, raw: Path, out: Path, *, piped: bool) -> None:
    arguments = Libx264().arguments(board.segments[0].encoding, out)
    command = [str(ffmpeg_path()), "-hide_banner", "-loglevel", "error", "-nostdin", "-y"]
    if not piped:
        subprocess.run([*command, *(str(raw) if part == "pipe:0" else part for part in arguments)], check=True)
        return
    with raw.open("rb") as file, subprocess.Popen([*command, *arguments], stdin=subprocess.PIPE) as child:
        assert child.stdin
        size = board.width * board.height * 3 // 2
        while frame := file.read(size):
            child.stdin.write(frame)
