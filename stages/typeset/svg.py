"""SVG to pixels through resvg, with our fonts and no others."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from xml.sax.saxutils import escape as _escape_markup

from config.errors import UnavailableError
from stages.typeset.fonts import FontFile, load_fonts
from stages.typeset.text import Font

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# XML 1.0 has no way to write these, not even as a character reference.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def escape(text: str) -> str:
    """`text` for XML content or a quoted attribute; characters that XML cannot hold are dropped."""
    return _escape_markup(_ILLEGAL.sub("", text), {'"': "&quot;", "'": "&apos;"})


View = tuple[float, float, float, float]


def document(width: int, height: int, body: str, *, view: View | None = None) -> str:
    """A whole SVG, `width` by `height` pixels; `view` (x, y, width, height) shows a part of a larger drawing."""
    box = " ".join(f"{value:g}" for value in (view or (0, 0, width, height)))
    size = f'width="{width}" height="{height}" viewBox="{box}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{body}</svg>'


def text_element(
    text: str,
    font: Font,
    *,
    x: float,
    y: float,
    size_px: float,
    fill: str,
    anchor: Literal["start", "middle", "end"] = "start",
    extra: str = "",
) -> str:
    """One line of text with its baseline at `y`. `extra` is further attributes, already escaped."""
    spans = "".join(_span(run.text, font, run.file) for run in font.runs(text))
    tracking = f' letter-spacing="{font.tracking_em * size_px:.3f}"' if font.tracking_em else ""
    return (
        f'<text x="{x:.2f}" y="{y:.2f}" font-size="{size_px:.2f}" fill="{fill}" text-anchor="{anchor}"'
        f' xml:space="preserve"{tracking}{" " + extra if extra else ""}>{spans}</text>'
    )


def _span(text: str, font: Font, file: FontFile) -> str:
    settings = ", ".join(f"'{tag}' {value:g}" for tag, value in font.axes(file).items() if tag != "wght")
    style = f' style="font-variation-settings: {settings}"' if settings else ""
    slant = ' font-style="italic"' if file.italic else ""
    family = f'font-family="{escape(file.family)}" font-weight="{font.weight}"'
    return f"<tspan {family}{slant}{style}>{escape(text)}</tspan>"


def font_files(lines: Iterable[tuple[str, Font]]) -> tuple[Path, ...]:
    """The files that these lines need: handing over only those keeps a short SVG cheap."""
    return tuple(sorted({run.file.path for text, font in lines for run in font.runs(text)}))


def rasterise(svg: str, width: int, height: int, *, fonts: Sequence[Path] | None = None) -> NDArray[np.uint8]:
    """Pixels of `svg`: uint8 (height, width, 4), RGBA with straight alpha, the same for the same input.

    `fonts` names the font files that the text needs (see `font_files`); None loads every packaged one.
    Raises `UnavailableError` when resvg is missing, and `ValueError` for what is not an SVG.
    """
    try:
        import resvg_py
    except ImportError as error:
        raise UnavailableError("resvg-py is not installed.", provider="cards", hint="pip install resvg-py") from error
    import numpy as np
    from PIL import Image

    paths = [file.path for file in load_fonts().files] if fonts is None else fonts
    names = [str(path) for path in paths]
    png = resvg_py.svg_to_bytes(svg_string=svg, width=width, height=height, skip_system_fonts=True, font_files=names)
    with Image.open(io.BytesIO(png)) as image:
        pixels = np.array(image.convert("RGBA"), dtype=np.uint8)
    if pixels.shape[:2] == (height, width):
        return pixels
    # resvg keeps the drawing's own proportions; the caller was promised an exact size.
    canvas = np.zeros((height, width, 4), dtype=np.uint8)
    rows, columns = min(height, pixels.shape[0]), min(width, pixels.shape[1])
    canvas[:rows, :columns] = pixels[:rows, :columns]
    return canvas
