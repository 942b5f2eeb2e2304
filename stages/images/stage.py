"""The images stage: a user's own file is taken as it is, every other scene asks a provider."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from config.errors import TransientError
from stages.base import CancelToken, Context
from stages.images.base import ImageProvider, PictureRequest
from stages.models import Picture, Visual


def draw_picture(request: PictureRequest, context: Context, providers: Sequence[ImageProvider]) -> tuple[Path, Picture]:
    """A picture file in the step's scratch folder, and what it is. Its digest is filled in when it is published."""

    def work(provider: ImageProvider, cancel: CancelToken) -> tuple[Path, tuple[int, int]]:
        path = provider.draw(request, cancel, context.scratch)
        size = _size(path)
        if size is None:
            raise TransientError(
                f"{provider.name} gave no readable picture for scene {request.index}",
                provider=provider.name,
                hint="framekeep resume",
            )
        return path, size

    (path, (width, height)), provider = context.call("draw", providers, work)
    return path, Picture(
        kind="picture",
        digest="",
        width=width,
        height=height,
        provider=provider.name,
        is_card=provider.makes_cards,
    )


def take_visual(visual: Visual) -> Picture:
    """What the user's own file is; its digest is filled in when it is published.

    The focus is the user's, else the middle. Raises BriefError when the file cannot be shown.
    """
    from stages.render.planes import inspect_visual

    kind, width, height, _duration_s = inspect_visual(visual.path)
    focus = visual.focus or (0.5, 0.5)
    return Picture(kind=kind, digest="", width=width, height=height, focus=focus, provider="brief")


def _size(path: Path) -> tuple[int, int] | None:
    """Width and height of a picture that can be read to its end, else None."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            image.load()
            return image.size
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
