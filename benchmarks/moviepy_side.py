"""The storyboard in MoviePy 2.2, as a careful user would write it: `moviepy_side.py BOARD.json OUT.mp4`.

It runs in an environment of its own and knows nothing of the project: the JSON file holds all that it needs. Each picture is
scaled once to what the closest view needs.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
from moviepy import (  # type: ignore[import-not-found]  # installed where this runs, not here
    AudioFileClip,
    CompositeAudioClip,
    CompositeVideoClip,
    ImageClip,
    TextClip,
    afx,
    vfx,
)
from PIL import Image

EASE = 0.4


def crop(motion: dict[str, Any], frame: float) -> tuple[float, float, float]:
    """Zoom and centre of the view at a frame: the closed form that everybody follows."""
    (zoom_a, x_a, y_a), (zoom_b, x_b, y_b) = motion["start"], motion["end"]
    part = min(max(frame / max(motion["frames"] - 1, 1), 0.0), 1.0)
    done = part - EASE * math.sin(2 * math.pi * part) / (2 * math.pi)
    zoom = zoom_a * (zoom_b / zoom_a) ** done
    if zoom_a != zoom_b:
        done = (1 / zoom - 1 / zoom_a) / (1 / zoom_b - 1 / zoom_a)
    return zoom, x_a + (x_b - x_a) * done, y_a + (y_b - y_a) * done


def shot_clip(shot: dict[str, Any], board: dict[str, Any]) -> CompositeVideoClip:
    """One scene; a frame more before it where it fades in, so that its first visible frame already shows a part of it."""
    width, height, fps, motion = board["width"], board["height"], board["fps"], shot["motion"]
    extra = 1 if shot["head"] else 0
    most = max(motion["start"][0], motion["end"][0])
    with Image.open(shot["picture"]) as image:
        picture = image.convert("RGB").resize((round(width * most), round(height * most)), Image.Resampling.LANCZOS)

    def view(t: float) -> tuple[float, float, float]:
        return crop(motion, t * fps - extra)

    def place(t: float) -> tuple[float, float]:
        zoom, x, y = view(t)
        return width / 2 - x * width * zoom, height / 2 - y * height * zoom

    duration = (shot["frames"] + extra) / fps
    still = ImageClip(np.asarray(picture)).with_duration(duration)
    moving = still.with_effects([vfx.Resize(lambda t: view(t)[0] / most)]).with_position(place)
    clip = CompositeVideoClip([moving], size=(width, height)).with_duration(duration)
    if shot["head"]:
        clip = clip.with_effects([vfx.CrossFadeIn((shot["head"] + 1) / fps)])
    return clip.with_start((shot["start"] - extra) / fps)


def captions(board: dict[str, Any]) -> list[TextClip]:
    height, fps = board["height"], board["fps"]
    clips = []
    for cue in board["cues"]:
        text = TextClip(
            font=board["font"], text="\n".join(cue["lines"]), font_size=round(0.046 * height), color="white", stroke_color="black",
            stroke_width=max(round(0.003 * height), 1), text_align="center", margin=(8, 8),
        )  # fmt: skip
        text = text.with_start(cue["start"] / fps).with_duration((cue["end"] - cue["start"]) / fps)
        clips.append(text.with_position(("center", round(0.92 * height) - text.h)))
    return clips


def sound(board: dict[str, Any]) -> CompositeAudioClip | None:
    """Speech over music that is lowered while somebody speaks."""
    if not board["lines"] or not board["music"]:
        return None
    duration = board["frames"] / board["fps"]
    spoken = [AudioFileClip(path).with_start(at / 48_000) for path, at in board["lines"]]
    music = AudioFileClip(board["music"]).with_effects([afx.AudioLoop(duration=duration), afx.MultiplyVolume(0.5)])
    ducked = [afx.MultiplyVolume(0.13, start_time=clip.start, end_time=clip.end) for clip in spoken]
    music = music.with_effects([*ducked, afx.AudioFadeIn(1), afx.AudioFadeOut(2)])
    return CompositeAudioClip([music, *spoken]).with_duration(duration)


def main() -> None:
    board = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    duration = board["frames"] / board["fps"]
    clips = [shot_clip(shot, board) for shot in board["shots"]]
    film = CompositeVideoClip([*clips, *captions(board)], size=(board["width"], board["height"])).with_duration(
        duration
    )
    heard = sound(board)
    film = film.with_audio(heard) if heard else film
    film.write_videofile(
        sys.argv[2], fps=board["fps"], codec="libx264", preset=board["preset"], threads=board["threads"], audio_codec="aac",
        audio=heard is not None, audio_fps=48_000, audio_bitrate="192k", logger=None, ffmpeg_params=board["encoder"],
        temp_audiofile=sys.argv[2] + ".m4a",
    )  # fmt: skip


if __name__ == "__main__":
    main()
