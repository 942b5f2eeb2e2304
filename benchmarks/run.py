"""What a whole render costs beside its limit and beside others, measured side by side in one run.

    .venv/bin/python benchmarks/run.py                        # the table: `make bench`
    .venv/bin/python benchmarks/run.py --parts                # where our own CPU goes
    .venv/bin/python benchmarks/run.py --scenes 6 60 300      # how cost grows with length

(a) libx264 alone: our own frames, raw in a file, encoded with the arguments of a segment. That is the limit.
(b) framekeep, cold: an empty home; pictures, captions, sound, checks and checkpoints included, the speech given as recordings, as
    it is given to the others. Then its render stage alone, the same command once more, and another empty home, where it speaks.
(c) an expert's single ffmpeg filter graph.
(d) MoviePy 2.2, installed into a temporary environment; left out, with the reason, where that is impossible.

CPU is user + system time of the whole process tree, memory the highest sum of it, and (PSS) of it with shared
pages counted once. Absolute times depend on the machine and on
who else uses it; the ratios are what to look at.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import graph
import ideal
from growth import grow, planning_s
from measure import Cost, Failed, measured
from others import NotInstalled, moviepy_command, moviepy_python
from parts import measure_parts
from storyboard import Board, make_single, make_storyboard, make_texture

from stages.render.encoders.encoder import Libx264
from stages.render.ffmpeg.process import ffmpeg_path
from stages.render.frames.painter import Painter

_PLANNED_SCENES = 3000
_GROWTH_SIZE = (160, 90)
_HEAD = ("", "CPU s", "x limit", "wall s", "peak MB", "PSS MB", "file MB", "ms/frame", "jitter px", "VMAF")


@dataclass(frozen=True)
class Row:
    """One contender. `jitter_px` and `vmaf` are None where they say nothing; `skipped` is why there are no figures."""

    label: str
    cost: Cost | None = None
    frames: int = 0
    file_bytes: int = 0
    jitter_px: float | None = None
    vmaf: float | None = None
    skipped: str = ""

    def as_dict(self, limit: Cost) -> dict[str, Any]:
        if self.cost is None:
            return {"label": self.label, "skipped": self.skipped}
        figures = {key: value for key, value in asdict(self).items() if key not in ("cost", "skipped")}
        return figures | asdict(self.cost) | {"times_limit": self.cost.ratio(limit)}


def limit_row(board: Board, folder: Path) -> Row:
    """(a): all segments' frames one after the other in one file, painted beforehand."""
    raw, out = folder / "frames.yuv", folder / "limit.mp4"
    with raw.open("wb") as file:
        for spec in board.segments:
            with Painter(spec, board.store.store.path) as painter:
                for frame in painter.frames():
                    file.write(frame)
    arguments = Libx264().arguments(board.segments[0].encoding, out)
    cost, _ = measured(
        [
            str(ffmpeg_path()),
            "-hide_banner",
            "-nostdin",
            "-y",
            *(str(raw) if part == "pipe:0" else part for part in arguments),
        ]
    )
    raw.unlink()
    return Row("(a) libx264 alone", cost, ideal.count_frames(out), out.stat().st_size)


class Contest:
    """One run of all, in one folder."""

    def __init__(
        self,
        folder: Path,
        size: tuple[int, int],
        pictures: int,
        scene_s: float,
        judged: bool,
        say: Callable[[str], None],
    ) -> None:
        self._folder, self._judged, self._say = folder, judged, say
        say("making the storyboard")
        self._project = make_storyboard(folder / "film", size, pictures, scene_s)
        self._spoken = make_storyboard(folder / "spoken", size, pictures, scene_s, recorded=False)
        self._single = make_single(folder / "single", size, make_texture(folder / "texture.png", size), seconds=scene_s)
        self._ideal: Path | None = None

    def rows(self, moviepy: bool) -> list[Row]:
        self._say("(b) framekeep")
        cold, _ = self._project.render()
        warm, _ = self._project.render()
        self._project.forget("segment", "mux")
        alone, _ = self._project.render()
        spoken, _ = self._spoken.render()
        self._board = self._project.board()
        self._single.render()
        self._move = self._single.board()
        self._say("(a) libx264 alone")
        rows = [limit_row(self._board, self._folder)]
        rows.append(self._row("(b) framekeep, cold", cold, self._project.video(), self._single.video()))
        rows += [
            Row("    its render stage alone", alone, self._board.frames),
            Row("    the same again", warm, self._board.frames),
            Row("    cold, and speaking", spoken, self._board.frames),
        ]
        self._say("(c) one ffmpeg graph")
        rows.append(self._contender("(c) one ffmpeg graph", "graph", graph.command))
        rows.append(self._moviepy() if moviepy else Row("(d) MoviePy 2.2", skipped="not asked for"))
        return rows

    def _moviepy(self) -> Row:
        label = "(d) MoviePy 2.2"
        self._say(label)
        try:
            python = moviepy_python(self._folder / "moviepy")
            return self._contender(label, "moviepy-film", lambda *given: moviepy_command(python, *given))
        except (NotInstalled, Failed) as error:
            return Row(label, skipped=str(error).strip().splitlines()[-1])

    def _contender(self, label: str, name: str, command: Callable[[Board, Path, Path], list[str]]) -> Row:
        folder = self._folder / name
        folder.mkdir()
        film, move = folder / "film.mp4", folder / "move.mp4"
        cost, _ = measured(command(self._board, folder, film), cwd=folder)
        if self._judged:
            measured(command(self._move, folder, move), cwd=folder)
        return self._row(label, cost, film, move)

    def _row(self, label: str, cost: Cost, film: Path, move: Path) -> Row:
        row = Row(label, cost, ideal.count_frames(film), film.stat().st_size)
        if not self._judged:
            return row
        self._say("    judging its pictures")
        if self._ideal is None:
            self._ideal = ideal.write_ideal(self._board, self._folder / "ideal.yuv")
        jitter, vmaf = ideal.jitter(move, self._move), ideal.vmaf(film, self._ideal, self._board)
        return Row(row.label, cost, row.frames, row.file_bytes, jitter, vmaf)


def table(rows: Sequence[Row]) -> str:
    limit = _limit(rows)
    lines = [_line(_HEAD)]
    for row in rows:
        if row.cost is None:
            lines.append(f"{row.label:28}skipped: {row.skipped}")
            continue
        cost = row.cost
        cells = [f"{cost.cpu_s:.1f}", f"{cost.ratio(limit):.2f}", f"{cost.wall_s:.1f}", f"{cost.peak_mb:.0f}"]
        cells += [f"{cost.peak_pss_mb:.0f}"]
        cells += [
            f"{row.file_bytes / 1e6:.1f}" if row.file_bytes else "",
            f"{1000 * cost.cpu_s / max(row.frames, 1):.1f}",
        ]
        cells += [
            f"{row.jitter_px:.3f}" if row.jitter_px is not None else "",
            f"{row.vmaf:.1f}" if row.vmaf is not None else "",
        ]
        lines.append(_line((row.label, *cells)))
    return "\n".join(lines)


def _limit(rows: Sequence[Row]) -> Cost:
    return next(row.cost for row in rows if row.cost)


def _line(cells: Sequence[str]) -> str:
    return f"{cells[0]:28}" + "".join(f"{cell:>10}" for cell in cells[1:])


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    return int(width), int(height)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=_size, help="frame size; 1920x1080, with --scenes 160x90")
    parser.add_argument("--scene", type=float, default=6.0, metavar="SECONDS", help="length of a scene (6)")
    parser.add_argument(
        "--scenes", type=int, nargs="+", metavar="N", help="how cost grows with length, instead of the table"
    )
    parser.add_argument("--pictures", type=int, default=6, metavar="N", help="scenes in the table's film (6)")
    parser.add_argument("--parts", action="store_true", help="where our CPU goes, instead of the table")
    parser.add_argument("--no-quality", action="store_true", help="leave smoothness and VMAF out")
    parser.add_argument("--no-moviepy", action="store_true", help="leave MoviePy out")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse(arguments)
    say: Callable[[str], None] = lambda what: print(what, file=sys.stderr, flush=True)  # noqa: E731
    with tempfile.TemporaryDirectory(prefix="framekeep-bench-") as name:
        folder = Path(name)
        if options.scenes:
            found, text = _growth(folder, options)
        elif options.parts:
            found, text = measure_parts(
                make_storyboard(folder, options.size or (1920, 1080), scene_s=options.scene), folder
            )
        else:
            contest = Contest(
                folder, options.size or (1920, 1080), options.pictures, options.scene, not options.no_quality, say
            )
            rows = contest.rows(not options.no_moviepy)
            found, text = {"rows": [row.as_dict(_limit(rows)) for row in rows]}, table(rows)
    print(json.dumps(found, indent=2) if options.json else text)


def _growth(folder: Path, options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    found = grow(folder, options.size or _GROWTH_SIZE, options.scenes)
    planned_s = planning_s(_PLANNED_SCENES, folder)
    lines = [f"{'scenes':>8}{'frames':>8}{'CPU s':>9}{'ms/frame':>10}{'wall s':>9}{'peak MB':>9}{'PSS MB':>9}"]
    lines += [item.line() for item in found]
    lines.append(f"planning {_PLANNED_SCENES} scenes: {planned_s:.2f} s")
    figures = {
        "lengths": [item.as_dict() for item in found],
        "planning": {"scenes": _PLANNED_SCENES, "wall_s": planned_s},
    }
    return figures, "\n".join(lines)


if __name__ == "__main__":
    main()
