"""The images stage: a user's own file is taken as it is, every other scene asks a provider."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from config.errors import BriefError, TransientError
from stages.base import CancelToken, Context
from stages.images.picture_provider import ImageProvider, PictureRequest
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
                kind="ServiceUnavailable",
            )
        return path, size

    (path, size), provider = context.call("draw", providers, work)
    if provider.makes_cards:
        # A card is composed around its middle.
        width, height = size
        picture = Picture(kind="picture", digest="", width=width, height=height, provider=provider.name, is_card=True)
        return path, picture
    return path, _with_focus(
        path, Picture(kind="picture", digest="", width=size[0], height=size[1], provider=provider.name)
    )


def take_visual(visual: Visual) -> Picture:
    """What the user's own file is; its digest is filled in when it is published.

    The focus is the user's, else what the picture is found to be of. Raises BriefError when the file cannot be shown.
    """
    from stages.render.sources.focus import NAMED_REACH
    from stages.render.sources.planes import inspect_visual

    kind, width, height, length_s = inspect_visual(visual.path)
    picture = Picture(kind=kind, digest="", width=width, height=height, provider="brief", length_s=length_s)
    if visual.focus:
        return picture.model_copy(update={"focus": visual.focus, "reach": NAMED_REACH})
    return _with_focus(visual.path, picture)


def visual_notes(path: Path, kind: str) -> tuple[str, ...]:
    """What of a file that can be shown will not be."""
    from stages.render.sources.stills import is_animated

    if kind == "picture" and is_animated(path):
        return ("The animation is too large: only its first image is shown. Convert it to MP4 to have it move",)
    return ()


def _with_focus(path: Path, picture: Picture) -> Picture:
    from stages.render.sources.focus import find_focus

    found = find_focus(path, picture.kind)
    return picture.model_copy(update={"focus": found.at, "reach": found.reach})


def _size(path: Path) -> tuple[int, int] | None:
    """Width and height as shown of a picture that can be read to its end, else None."""
    from stages.render.sources.stills import picture_size

    try:
        return picture_size(path)
    except BriefError:
        return None
