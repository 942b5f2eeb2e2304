"""The offline picture provider: a typeset card for every scene."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from checkpoints.keys import code_digest
from stages.base import CancelToken
from stages.images.picture_provider import ImageProvider, PictureRequest
from stages.typeset.fonts import packaged_identity


class CardProvider(ImageProvider):
    """Draws scene cards from the scene's own words."""

    name = "card"
    makes_cards = True

    def identity(self) -> dict[str, str]:
        """Versions of everything that a card's pixels depend on. Loads none of it: every run asks, few draw."""
        return {
            "code": code_digest("stages.images", "stages.typeset", "stages.text"),
            "resvg": version("resvg-py"),
            "pillow": version("pillow"),
            "numpy": version("numpy"),
            "opencv": version("opencv-python-headless"),
            "icons": version("justmyresource-lucide"),
            "breaks": "/".join(version(name) for name in ("budoux", "uniseg", "pyphen")),
            "fonts": packaged_identity(),
        }

    def draw(self, request: PictureRequest, cancel: CancelToken, folder: Path) -> Path:
        from PIL import Image

        from stages.images.cards.card import CardSpec, render_card

        spec = CardSpec(
            heading=request.heading,
            text=request.text,
            index=request.index,
            total=request.total,
            brief_title=request.brief_title,
            theme=request.theme,
            seed=request.seed,
            caption_safe=request.caption_safe,
            language=request.language,
            items=request.items,
        )
        pixels = render_card(spec, request.width, request.height)
        cancel.check()
        path = folder / "card.png"
        Image.fromarray(pixels).save(path, compress_level=1)
        return path
