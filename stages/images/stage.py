"""The images stage: a user's own file is taken as it is, every other scene asks a provider."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from config.errors import TransientError
from stages.base import CancelToken, Context
from stages.images.base import ImageProvider, PictureRequest
from stages.models import Picture, Visual


def draw_picture(
    request: PictureRequest, context: Context, providers: Sequence[ImageProvider]
) -> tuple[Path, Picture]:
    """A picture file in the step's scratch folder, and what it is. Its digest is filled in when it is published."""

    def work(provider: ImageProvider, cancel: CancelToken) -> Path:
        path = provider.draw(request, cancel, context.scratch)
        if _size(path) is None:
            raise TransientError(
                f"{provider.name} gave no readable picture for scene {request.index}", provider=provider.name
            )
        return path

    path, provider = context.call("draw", providers, work)
    width, height = _size(path) or (request.width, request.height)
    return path, Picture(
        kind="picture",
        digest="",
        width=width,
        height=height,
        provider=provider.name,
        is_card=provider.makes_cards,
    )


def take_visual(visual: Visual) -> Picture:
    """What the user's own file is. Raises BriefError when it cannot be shown. Its digest is filled in when it is published."""
    from stages.render.planes import inspect_visual

    kind, width, height, _duration_s = inspect_visual(visual.path)
    return Picture(kind=kind, digest="", width=width, height=height, provider="brief")


def _size(path: Path) -> tuple[int, int] | None:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            image.verify()
            return image.size
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError):
        return None
