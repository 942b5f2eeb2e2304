"""The film as it should look, and how far a file is from it.

A frame of the ideal is sampled from the original picture at the very place that the closed form names, by a Lanczos filter on
floating-point luma. Only luma is compared: that is what VMAF looks at. Captions are left out of it, since everybody sets them in a
type of their own: what is compared is the frame above them.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages.render.ffmpeg.process import ffmpeg_path
from stages.render.motion import crop_at

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image
    from storyboard import Board, Shot

# Captions stand below this part of the frame.
_ABOVE_CAPTIONS = 0.75
_EVERY = 5
# Side of a patch that is followed, where the frame is large enough for nine of them.
_PATCH = 256


def compared_height(board: Board) -> int:
    """Rows from the top that are compared."""
    return int(board.height * _ABOVE_CAPTIONS) // 2 * 2 if board.cues else board.height


def ideal_frames(board: Board) -> Iterator[NDArray[np.float32]]:
    """All frames' luma (16 to 235), the compared rows of it."""
    rows = compared_height(board)
    pictures: dict[Path, Image] = {}
    for frame in range(board.frames):
        shown = [shot for shot in board.shots if shot.start <= frame < shot.start + shot.frames]
        for path in set(pictures) - {shot.picture for shot in shown}:
            del pictures[path]
        for shot in shown:
            if shot.picture not in pictures:
                pictures[shot.picture] = _luma(shot.picture)
        sampled = [_sampled(pictures[shot.picture], shot, frame - shot.start, board, rows) for shot in shown]
        if len(sampled) == 1:
            yield sampled[0]
            continue
        share = (frame - shown[1].start + 1) / (shown[1].head + 1)
        yield sampled[0] * (1 - share) + sampled[1] * share


def write_ideal(board: Board, path: Path) -> Path:
    """The ideal as raw yuv420p without colour, never compressed."""
    import numpy as np

    rows = compared_height(board)
    chroma = np.full(board.width * rows // 2, 128, np.uint8).tobytes()
    with path.open("wb") as file:
        for luma in ideal_frames(board):
            file.write(np.clip(np.rint(luma), 0, 255).astype(np.uint8).tobytes())
            file.write(chroma)
    return path


def vmaf(video: Path, ideal: Path, board: Board, *, is_bt601: bool = False) -> float:
    """VMAF of every fifth frame against the ideal (the model for 1080p at three picture heights), pooled as a harmonic mean."""
    rows = compared_height(board)
    log = ideal.with_suffix(".vmaf.json")
    matrix = "scale=in_color_matrix=bt601:out_color_matrix=bt709," if is_bt601 else ""
    graph = (
        f"[0:v]{matrix}format=yuv420p,crop={board.width}:{rows}:0:0,settb=1/{board.fps},setpts=N[got];"
        f"[1:v]settb=1/{board.fps},setpts=N[wanted];"
        f"[got][wanted]libvmaf=n_threads=2:n_subsample={_EVERY}:log_fmt=json:log_path={log.name}"
    )
    command = [str(ffmpeg_path()), "-nostdin", "-hide_banner", "-loglevel", "error", "-i", str(video.absolute())]
    command += [
        "-f",
        "rawvideo",
        "-pixel_format",
        "yuv420p",
        "-video_size",
        f"{board.width}x{rows}",
        "-framerate",
        str(board.fps),
    ]
    command += ["-color_range", "tv", "-colorspace", "bt709", "-i", str(ideal.absolute())]
    command += ["-lavfi", graph, "-f", "null", "-"]
    subprocess.run(command, check=True, capture_output=True, cwd=ideal.parent)
    found: dict[str, Any] = json.loads(log.read_text(encoding="utf-8"))
    return float(found["pooled_metrics"]["vmaf"]["harmonic_mean"])


def jitter(video: Path, board: Board) -> float:
    """RMS distance, in pixels, of the camera's path as it is seen from where the closed form has it.

    Nine patches of each frame are laid over the ideal's by least squares (which finds 0.003 px on uncompressed frames, where phase
    correlation has an error of 0.04 of its own); shift and zoom of the frame are fitted to them. What is off by the same amount
    all the time does not jitter: the mean is taken off first.
    """
    import cv2
    import numpy as np

    side = min(_PATCH, board.width // 3, board.height // 3)
    window: NDArray[Any] = cv2.createHanningWindow((side, side), cv2.CV_32F)
    corners = _corners(board.width, board.height, side)
    centre = np.array(corners, float) - np.mean(corners, axis=0)
    # What a shift to the right, one down and a zoom do to each patch: columns for least squares.
    ones, zeros = np.ones(len(corners)), np.zeros(len(corners))
    design = np.stack([[ones, zeros], [zeros, ones], centre.T]).reshape(3, -1).T
    paths = []
    for got, wanted in zip(_decoded(video, board), ideal_frames(board), strict=True):
        cuts = [(slice(y, y + side), slice(x, x + side)) for x, y in corners]
        shifts = np.array([_shift(wanted[cut], got[cut], window) for cut in cuts]).T.reshape(-1)
        path, *_ = np.linalg.lstsq(design, shifts, rcond=None)
        paths.append(design @ path)
    found = np.array(paths)
    found -= found.mean(axis=0)
    return float(np.sqrt((found**2).mean() * 2))


def _shift(wanted: NDArray[np.float32], got: NDArray[np.float32], window: NDArray[Any]) -> NDArray[np.float64]:
    """How far `got` is shifted against `wanted`, right and down: the step that explains their difference best.

    One step is right to a few hundredths of what it finds, as long as that is well under a pixel.
    """
    import numpy as np

    down, right = np.gradient(wanted.astype(np.float64))
    slopes, difference = np.stack([right.ravel(), down.ravel()]), (got - wanted).ravel()
    weighted = slopes * window.ravel()
    found: NDArray[np.float64] = -np.linalg.solve(weighted @ slopes.T, weighted @ difference)
    return found


def count_frames(video: Path) -> int:
    """Pictures in a file, by its packets."""
    import av

    with av.open(str(video)) as container:
        return sum(1 for packet in container.demux(container.streams.video[0]) if packet.size)


def _luma(path: Path) -> Image:
    import numpy as np
    from PIL import Image

    with Image.open(path) as image:
        rgb = np.asarray(image.convert("RGB"), np.float32)
    return Image.fromarray(rgb @ np.array([0.2126, 0.7152, 0.0722], np.float32) * (219 / 255) + 16)


def _sampled(picture: Image, shot: Shot, frame: int, board: Board, rows: int) -> NDArray[np.float32]:
    import numpy as np
    from PIL.Image import Resampling

    zoom, centre_x, centre_y = crop_at(shot.motion, frame)
    scale = min(picture.width / board.width, picture.height / board.height) / zoom
    wide, high = board.width * scale, board.height * scale
    left = min(max(centre_x * picture.width - wide / 2, 0.0), picture.width - wide)
    top = min(max(centre_y * picture.height - high / 2, 0.0), picture.height - high)
    box = (left, top, left + wide, top + rows * scale)
    return np.asarray(picture.resize((board.width, rows), Resampling.LANCZOS, box=box))


def _decoded(video: Path, board: Board) -> Iterator[NDArray[np.float32]]:
    """Luma of all frames of a file."""
    import av
    import numpy as np

    with av.open(str(video)) as container:
        for frame in container.decode(container.streams.video[0]):
            plane: Any = frame.planes[0]
            rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
            yield rows[: board.height, : board.width].astype(np.float32)


def _corners(width: int, height: int, side: int) -> list[tuple[int, int]]:
    xs, ys = ([round(part * (size - side)) for part in (0.05, 0.5, 0.95)] for size in (width, height))
    return [(x, y) for y in ys for x in xs]
