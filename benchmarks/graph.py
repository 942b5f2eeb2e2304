"""The expert's way: one ffmpeg filter graph for the whole storyboard.

Stills are decoded once and scaled once to twice the frame's size, in 4:4:4; zoompan follows the same closed form as everybody
else; fades, captions (libass), speech and ducked music are in the one graph; the encoder is told what our segments' is.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from stages.render.encoders.encoder import Libx264
from stages.render.ffmpeg.process import ffmpeg_path
from stages.render.specs import Motion
from stages.typeset.fonts import SANS, load_fonts

if TYPE_CHECKING:
    from storyboard import Board, Shot

_DENSITY = 2
_EASE = 0.4
_TAGS = ("-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", "-color_range", "tv")
_SET_TAGS = "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"


def command(board: Board, folder: Path, out: Path) -> list[str]:
    """The whole command line. `folder` takes the caption file."""
    inputs: list[str] = []
    for shot in board.shots:
        inputs += ["-i", str(shot.picture)]
    for path, _ in board.lines:
        inputs += ["-f", "wav", "-i", str(path)]
    if board.music:
        inputs += ["-stream_loop", "-1", "-i", str(board.music)]
    graph = [_picture(number, shot, board) for number, shot in enumerate(board.shots)]
    graph += _fades(board)
    graph.append(_finish(board, folder))
    sound = _sound(board)
    encoding = board.segments[0].encoding
    options = Libx264().options(encoding) | {"threads": os.cpu_count() or 1}
    encoder = [part for name, value in options.items() for part in (f"-{name}", str(value))]
    line = [str(ffmpeg_path()), "-nostdin", "-hide_banner", "-loglevel", "error", "-y", *inputs]
    line += ["-filter_complex", ";".join([*graph, *sound]), "-map", "[v]"]
    line += ["-map", "[a]", "-c:a", "aac", "-b:a", "192k"] if sound else []
    return [*line, "-frames:v", str(board.frames), *encoder, *_TAGS, "-movflags", "+faststart", str(out)]


def _picture(number: int, shot: Shot, board: Board) -> str:
    """One extra frame before a scene that fades in: xfade begins at nothing, so that its first shown frame is a sixteenth."""
    extra = 1 if shot.head else 0
    size = f"{board.width * _DENSITY}:{board.height * _DENSITY}"
    zoom, x, y = _expressions(shot.motion, extra)
    scale = f"scale={size}:flags=lanczos+accurate_rnd+full_chroma_int:out_color_matrix=bt709:out_range=tv"
    move = f"zoompan=d={shot.frames + extra}:z='{zoom}':x='{x}':y='{y}':s={board.width}x{board.height}:fps={board.fps}"
    return f"[{number}:v]{scale},format=yuv444p,{_SET_TAGS},{move},setsar=1,settb=1/{board.fps}[p{number}]"


def _expressions(motion: Motion, extra: int) -> tuple[str, str, str]:
    """The camera move as zoompan's expressions of `on`, the number of the frame."""
    (zoom_a, x_a, y_a), (zoom_b, x_b, y_b) = motion.start, motion.end
    part = f"((on-{extra})/{max(motion.frames - 1, 1)})"
    eased = f"({part}-{_EASE}*sin(2*PI*{part})/(2*PI))"
    zoom = f"{zoom_a}*pow({zoom_b / zoom_a},{eased})"
    done = f"((1/zoom-{1 / zoom_a})/{1 / zoom_b - 1 / zoom_a})" if zoom_a != zoom_b else eased
    x, y = (f"iw*({a}+{b - a}*{done})-iw/zoom/2" for a, b in ((x_a, x_b), (y_a, y_b)))
    return zoom, x, y.replace("iw", "ih")


def _fades(board: Board) -> list[str]:
    parts, last = [], "p0"
    for number, shot in enumerate(board.shots[1:], 1):
        if shot.head:
            duration, offset = (shot.head + 1) / board.fps, (shot.start - 1) / board.fps
            parts.append(
                f"[{last}][p{number}]xfade=transition=fade:duration={duration:.6f}:offset={offset:.6f}[f{number}]"
            )
        else:
            parts.append(f"[{last}][p{number}]concat=n=2[f{number}]")
        last = f"f{number}"
    return [*parts, f"[{last}]null[film]"]


def _finish(board: Board, folder: Path) -> str:
    if not board.cues:
        return "[film]format=yuv420p[v]"
    captions = _write_captions(board, folder / "captions.ass")
    fonts = next(file.path.parent for file in load_fonts().files if file.family == SANS)
    return f"[film]format=yuv420p,ass=filename='{captions}':fontsdir='{fonts}'[v]"


def _write_captions(board: Board, path: Path) -> Path:
    """Captions of the same size and place as ours; the box is libass's own."""
    import pysubs2

    subtitles = pysubs2.SSAFile()
    subtitles.info |= {"PlayResX": str(board.width), "PlayResY": str(board.height)}
    style = pysubs2.SSAStyle(fontname=SANS, fontsize=0.046 * board.height * 1.2, bold=True)
    style.borderstyle, style.outline, style.shadow = 3, 0.012 * board.height, 0.0
    style.outlinecolor = pysubs2.Color(0, 0, 0, 90)
    style.marginv = round(0.08 * board.height)
    subtitles.styles["Default"] = style
    for cue in board.cues:
        start, end = (round(1000 * frame / board.fps) for frame in (cue.start, cue.end))
        subtitles.append(pysubs2.SSAEvent(start=start, end=end, text=r"\N".join(cue.lines)))
    subtitles.save(str(path))
    return path


def _sound(board: Board) -> list[str]:
    """Speech at its places, music pressed down by it, one loudness, exactly as long as the pictures."""
    if not board.lines or not board.music:
        return []
    first, samples = len(board.shots), board.frames * 48_000 // board.fps
    parts = [f"[{first + n}:a]adelay={at}S:all=1[l{n}]" for n, (_, at) in enumerate(board.lines)]
    lines = "".join(f"[l{n}]" for n in range(len(board.lines)))
    parts.append(f"{lines}amix=inputs={len(board.lines)}:normalize=0,apad,atrim=end_sample={samples},asplit[said][key]")
    music = f"[{first + len(board.lines)}:a]atrim=end_sample={samples},volume={board.music_gain_db}dB"
    parts.append(f"{music},afade=d=1,afade=t=out:st={board.frames / board.fps - 2}:d=2[tune]")
    parts.append("[tune][key]sidechaincompress=threshold=0.02:ratio=12:attack=150:release=600[under]")
    loud = "loudnorm=I=-14:TP=-1.5:LRA=11,aresample=48000"
    parts.append(
        f"[said][under]amix=inputs=2:normalize=0,{loud},aformat=channel_layouts=stereo,atrim=end_sample={samples}[a]"
    )
    return parts
