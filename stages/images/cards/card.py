"""Cards: pictures for scenes, drawn here, with no network and no model. The same spec gives the same pixels."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from stages.images.cards.art import AMBIENT, Drawing
from stages.images.cards.backdrop import Art, Canvas, calm, finish, ground, hush, lay_over
from stages.images.cards.content import CardSpec, Layout, choose_layout
from stages.images.cards.focal import FOCAL, medallion, sun
from stages.images.cards.icons import icon_for
from stages.images.cards.layouts import CardPlan, plan_card
from stages.images.cards.palette import Palette, palette_for
from stages.images.cards.safe_area import safe_bottom
from stages.typeset.svg import document, font_files, rasterise

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CardSpec", "Layout", "choose_layout", "render_card", "safe_bottom"]

# A little over the 4.5 that is promised, for the grain that comes after.
_CONTRAST = 5.0
_HUSHED = 0.8


def render_card(spec: CardSpec, width: int, height: int) -> NDArray[np.uint8]:
    """Draw the card: uint8 (height, width, 3), sRGB. Raises `UnavailableError` when a font or resvg is missing."""
    palette = palette_for(spec.theme, spec.brief_title)
    plan = plan_card(spec, palette, width, height)
    pixels = paint_ground(spec, plan, palette, width, height)
    _paint_text(pixels, plan)
    return finish(pixels, _seed(spec, "grain"))


def paint_ground(spec: CardSpec, plan: CardPlan, palette: Palette, width: int, height: int) -> NDArray[np.float32]:
    """Everything but text and ornaments, calm enough to read on: float32 (height, width, 3), sRGB 0..1."""
    rng = np.random.default_rng(_seed(spec, f"art {spec.index}"))
    canvas = Canvas(width, height, palette, rng, plan.focus)
    behind, front = _artwork(spec, plan, canvas)
    pixels = ground(canvas, (*behind.lights, *front.lights))
    layer = rasterise(document(width, height, behind.body + front.body), width, height, fonts=())
    patches = [block.patch() for block in plan.blocks]
    if behind.fine:
        hush(layer, patches, share=_HUSHED)
    lay_over(pixels, layer)
    calm(pixels, patches, palette, wanted=_CONTRAST)
    return pixels


def _artwork(spec: CardSpec, plan: CardPlan, canvas: Canvas) -> tuple[Art, Art]:
    """A drawing for the whole ground and one for the focus. Neighbours in a video never share either."""
    ambient = _nth(AMBIENT, spec, "ambient")
    if plan.layout == "title" and plan.has_focal:
        return AMBIENT[("ridges", "waves")[_seed(spec, "land") % 2]](canvas), sun(canvas)
    behind = AMBIENT[ambient](canvas)
    if not plan.has_focal:
        return behind, Art()
    icon = icon_for(spec.heading, spec.text)
    if icon:
        return behind, medallion(canvas, icon)
    return behind, FOCAL[_nth(FOCAL, spec, "focal")](canvas)


def _nth(drawings: dict[str, Drawing], spec: CardSpec, purpose: str) -> str:
    """The drawing of this scene's turn, in an order of the video's own."""
    names = list(drawings)
    order = np.random.default_rng(_seed(spec, purpose)).permutation(len(names))
    return names[int(order[(spec.index - 1) % len(names)])]


def _seed(spec: CardSpec, purpose: str) -> int:
    digest = hashlib.sha256(f"{spec.seed}\n{spec.brief_title}\n{purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "big")


def _paint_text(pixels: NDArray[np.float32], plan: CardPlan) -> None:
    """Ornaments and text."""
    height, width = pixels.shape[:2]
    body = plan.ornaments + "".join(block.svg() for block in plan.blocks)
    fonts = font_files((line, block.font) for block in plan.blocks for line in block.fitted.lines)
    lay_over(pixels, rasterise(document(width, height, body), width, height, fonts=fonts))
