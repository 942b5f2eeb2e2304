"""MoviePy's environment, and the film handed over to it as JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stages.render.encoders.encoder import Libx264
from stages.typeset.fonts import SANS, load_fonts

if TYPE_CHECKING:
    from storyboard import Board

HERE = Path(__file__).resolve().parent
_COLOUR = ("-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", "-color_range", "tv")
# MoviePy's writer says these itself.
_SAID_BY_MOVIEPY = frozenset({"vcodec", "preset", "threads"})


class NotInstalled(RuntimeError):
    """The environment cannot be made here; the message is the reason."""


def moviepy_python(folder: Path) -> Path:
    """The interpreter of a fresh environment in `folder` that has what requirements.txt pins. Raises NotInstalled."""
    python = folder / "bin" / "python"
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(HERE / "requirements.txt")]
    try:
        for command in ([sys.executable, "-m", "venv", str(folder)], [str(python), *install]):
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
    except subprocess.CalledProcessError as error:
        said = [line for line in (error.stderr or error.stdout).splitlines() if line.startswith("ERROR")]
        raise NotInstalled((said or ["pip failed"])[-1].removeprefix("ERROR: ")) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstalled(str(error)) from error
    return python


def moviepy_command(python: Path, board: Board, folder: Path, out: Path) -> list[str]:
    """The whole command line; the film's description is written into `folder`."""
    encoding = board.segments[0].encoding
    options = Libx264().options(encoding)
    encoder = [
        part for name, value in options.items() if name not in _SAID_BY_MOVIEPY for part in (f"-{name}", str(value))
    ]
    # Without these its files are BT.601 and say nothing of it.
    encoder += ["-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p", *_COLOUR, "-movflags", "+faststart"]
    description = {
        "width": board.width,
        "height": board.height,
        "frames": board.frames,
        "fps": board.fps,
        "font": str(next(file.path for file in load_fonts().files if file.family == SANS and not file.italic)),
        "preset": encoding.preset,
        "threads": os.cpu_count() or 1,
        "encoder": encoder,
        "shots": [
            {
                "picture": str(shot.picture),
                "start": shot.start,
                "frames": shot.frames,
                "head": shot.head,
                "motion": shot.motion.model_dump(mode="json"),
            }
            for shot in board.shots
        ],
        "cues": [cue.model_dump(mode="json") for cue in board.cues],
        "lines": [[str(path), at] for path, at in board.lines],
        "music": str(board.music) if board.music else "",
    }
    path = folder / "board.json"
    path.write_text(json.dumps(description), encoding="utf-8")
    return [str(python), str(HERE / "moviepy_side.py"), str(path), str(out)]
