"""Animated WebP and AVIF pictures, which PyAV does not read, as APNG, which it does: times and transparency are kept."""

from __future__ import annotations

from pathlib import Path

from stages.render.sources.stills import frames_of, is_animated, is_picture, picture_size

# Pixels of all frames together that are worth 4 bytes each in memory: 150 frames of 512 × 512.
_MOST_PIXELS = 40_000_000


def as_clip(path: Path) -> Path:
    """A file beside it that is shown as a clip, for an animation that is not too large for that; else the file itself.

    Raises BriefError for a picture that is damaged.
    """
    if not is_picture(path) or not is_animated(path):
        return path
    width, height = picture_size(path)
    frames = frames_of(path, _MOST_PIXELS // (width * height))
    if len(frames) < 2:
        return path
    made = path.with_name(f"{path.stem}.moving.png")
    first, *rest = [frame for frame, _ in frames]
    times_ms = [time_ms for _, time_ms in frames]
    first.save(made, "PNG", save_all=True, append_images=rest, duration=times_ms, disposal=0, blend=0, compress_level=1)
    return made
