"""What every picture provider looks like."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path

from stages.base import CancelToken, Provider
from stages.models import ListItem


@dataclass(frozen=True)
class PictureRequest:
    """A picture for one scene, `width` × `height` pixels.

    `prompt` describes what to show, for providers that can draw it. `caption_safe` keeps a card's text out of where
    burned captions go. `items` are those of the lists in the text.
    """

    heading: str
    text: str
    prompt: str
    index: int
    total: int
    brief_title: str
    theme: str
    seed: int
    width: int
    height: int
    caption_safe: bool
    language: str = "en"
    items: tuple[ListItem, ...] = ()


class ImageProvider(Provider):
    """Makes a picture file for a scene."""

    #: Whether the pictures are typeset cards, which move less so that their text stays crisp.
    makes_cards: bool = False

    @abstractmethod
    def draw(self, request: PictureRequest, cancel: CancelToken, folder: Path) -> Path:
        """Write the picture into `folder` and return its path. Raises ProviderError."""
