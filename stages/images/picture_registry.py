"""Picture providers by name."""

from __future__ import annotations

from config.errors import UsageError
from stages.images.picture_provider import ImageProvider

NAMES = ("card",)


def create(name: str) -> ImageProvider:
    """The provider called `name`. Raises UsageError for an unknown one."""
    if name != "card":
        raise UsageError(f"There is no picture provider '{name}'", hint=f"known: {', '.join(NAMES)}")
    from stages.images.cards.card_provider import CardProvider

    return CardProvider()
