"""The fonts that cards and captions are set in: found in installed packages and in the user's folders.

Every file is named by path, so that a system's own fonts never change a picture.
"""

from __future__ import annotations

import hashlib
import importlib.util
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from checkpoints.digests import INSTALLED
from config.errors import UnavailableError

DISPLAY = "Fraunces"
SANS = "Inter"
WIDE = "Noto Sans"

_REQUIRED = ("fontpkg_fraunces", "fontpkg_inter", "fontpkg_noto_sans")
_OPTIONAL = (
    "fontpkg_noto_sans_arabic",
    "fontpkg_noto_sans_devanagari",
    "fontpkg_noto_sans_khmer",
    "fontpkg_noto_sans_tamil",
    "fontpkg_noto_sans_telugu",
    "fontpkg_noto_sans_thai",
    "justmytype_intl_rtl",
    "justmytype_intl_africa",
    "justmytype_intl_sea",
    "justmytype_intl_south_asia",
    "justmytype_intl_cjk",
    "manimgx_fonts",
)
_SUFFIXES = frozenset({".ttf", ".otf", ".ttc"})


@dataclass(frozen=True)
class Axis:
    """One axis of a variable font, in the font's own order."""

    tag: str
    low: float
    high: float
    default: float


@dataclass(frozen=True)
class FontFile:
    """One font file. `cap_height_em` is the height of a capital letter as a fraction of the type size."""

    path: Path
    family: str
    italic: bool
    weight: int
    axes: tuple[Axis, ...]
    cap_height_em: float

    def covers(self, text: str) -> bool:
        """Whether every character of `text` that needs a glyph has one."""
        glyphs = _glyphs(self.path)
        return all(ord(char) in glyphs or _needs_no_glyph(char) for char in text)


@dataclass(frozen=True)
class FontRun:
    """A stretch of text that one font file sets."""

    text: str
    file: FontFile


class FontSet:
    """Font files in the order in which they are asked for a character. Safe to share between threads."""

    def __init__(self, files: Sequence[FontFile]) -> None:
        self.files = tuple(files)

    @cached_property
    def families(self) -> tuple[str, ...]:
        """Names of the families, in order, each once."""
        return tuple(dict.fromkeys(file.family for file in self.files))

    def identity(self) -> str:
        """One digest over the bytes of all fonts, whatever their paths: for the keys of checkpoints."""
        return _identity([file.path for file in self.files])

    def missing_glyphs(self, text: str) -> list[str]:
        """Characters of `text` that no font can show, each once, in the order in which they appear.

        Without pictographs such as emoji: a text is as good without them (see `left_out`).
        """
        return [char for char in self._without_glyph(text) if not _is_pictograph(char)]

    def left_out(self, text: str) -> list[str]:
        """Pictographs of `text` that no font can show: they are not drawn at all, rather than as empty boxes."""
        return [char for char in self._without_glyph(text) if _is_pictograph(char)]

    def _without_glyph(self, text: str) -> list[str]:
        missing = [char for char in dict.fromkeys(text) if not _needs_no_glyph(char)]
        for file in self.files_by_reach:
            if not missing:
                break
            glyphs = _glyphs(file.path)
            missing = [char for char in missing if ord(char) not in glyphs]
        return missing

    @cached_property
    def files_by_reach(self) -> tuple[FontFile, ...]:
        """All files, those that most texts are set in first: reading a file's characters takes time."""
        return tuple(sorted(self.files, key=lambda file: (file.family != SANS, file.italic, file.family != WIDE)))

    def file_for(self, family: str, *, weight: int = 400, italic: bool = False) -> FontFile:
        """The family's file nearest to the wanted cut. Raises `UnavailableError` for an unknown family."""
        found = [file for file in self.files if file.family == family]
        if not found:
            raise UnavailableError(
                f"No font of the family {family!r} is installed.",
                provider="fonts",
                hint="Choose one of: " + ", ".join(self.families),
            )
        return min(found, key=lambda file: (file.italic != italic, _distance(file, weight), str(file.path)))

    def runs(
        self, text: str, family: str, *, weight: int = 400, italic: bool = False, regional: str = ""
    ) -> list[FontRun]:
        """Cut `text` into runs. One family that covers it whole is preferred to a mixture of several.

        `regional` is asked before others that have the same characters in another region's shapes.

        Pictographs that no font has are left out, and of the spaces on their two sides one stays.
        """
        order = [family, *(name for name in (SANS, WIDE, regional) if name in self.families), *self.families]
        chain = [self.file_for(name, weight=weight, italic=italic) for name in dict.fromkeys(order)]
        for file in chain:
            if file.covers(text):
                return [FontRun(text, file)]
        return _mixed_runs(text, chain)


def regional_family(language: str) -> str:
    """The family with a language's own shapes of Chinese characters; empty where it writes none."""
    primary, *rest = language.lower().replace("_", "-").split("-")
    if primary in ("zh", "yue") and "hans" not in rest and (primary == "yue" or {"tw", "hk", "mo", "hant"} & set(rest)):
        return "Noto Sans TC"
    return {"zh": "Noto Sans SC", "yue": "Noto Sans SC", "ja": "Noto Sans JP", "ko": "Noto Sans KR"}.get(primary, "")


def _mixed_runs(text: str, chain: Sequence[FontFile]) -> list[FontRun]:
    runs: list[FontRun] = []
    leaving_out = False
    for char in text:
        if _is_pictograph(char) and not any(file.covers(char) for file in chain):
            leaving_out = True
            continue
        if leaving_out and _needs_no_glyph(char):
            # A joiner or variant selector of what was left out, or the second of two spaces around it.
            if not char.isspace():
                continue
            leaving_out = False
            if not runs or runs[-1].text.endswith(" "):
                continue
        leaving_out = False
        if _needs_no_glyph(char) and runs:
            file = runs[-1].file
        else:
            file = next((one for one in chain if one.covers(char)), chain[0])
        if runs and runs[-1].file is file:
            runs[-1] = FontRun(runs[-1].text + char, file)
        else:
            runs.append(FontRun(char, file))
    return runs


def load_fonts(folders: Sequence[Path] = ()) -> FontSet:
    """The packaged fonts, then those in `folders` (searched through, by name). Cached per list of folders.

    Raises `UnavailableError` when a package of fonts is not installed or a font file cannot be read.
    """
    return _load_fonts(tuple(Path(folder).resolve() for folder in folders))


@lru_cache(maxsize=8)
def _load_fonts(folders: tuple[Path, ...]) -> FontSet:
    return FontSet([_describe(path) for path in (*_packaged(), *_found_in(folders))])


def packaged_identity() -> str:
    """What `load_fonts().identity()` is, without a look into the fonts. Raises `UnavailableError`."""
    return _identity(_packaged())


@lru_cache(maxsize=1)
def _packaged() -> tuple[Path, ...]:
    roots = [_package_folder(name, required=True) for name in _REQUIRED]
    roots += [_package_folder(name, required=False) for name in _OPTIONAL]
    return tuple(_found_in([root for root in roots if root is not None]))


def _found_in(folders: Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for folder in folders:
        files += sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
    return files


def _identity(paths: Sequence[Path]) -> str:
    digests = sorted(_digest(path) for path in paths)
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def _package_folder(name: str, *, required: bool) -> Path | None:
    spec = importlib.util.find_spec(name)
    if spec is not None and spec.origin is not None:
        return Path(spec.origin).parent
    if not required:
        return None
    package = name.replace("_", "-")
    raise UnavailableError(
        f"The fonts of {package} are not installed.", provider="fonts", hint=f"pip install {package}"
    )


@lru_cache(maxsize=256)
def _describe(path: Path) -> FontFile:
    from fontTools.ttLib import TTFont, TTLibError

    try:
        # Opened here, because fontTools leaves a file open that is no font.
        with path.open("rb") as stream, TTFont(stream, lazy=True, fontNumber=0) as font:
            os2 = font["OS/2"]
            axes = tuple(
                Axis(axis.axisTag, axis.minValue, axis.maxValue, axis.defaultValue)
                for axis in (font["fvar"].axes if "fvar" in font else ())
            )
            units = font["head"].unitsPerEm
            return FontFile(
                path=path,
                family=font["name"].getBestFamilyName() or path.stem,
                italic=bool(os2.fsSelection & 1),
                weight=os2.usWeightClass,
                axes=axes,
                cap_height_em=(getattr(os2, "sCapHeight", 0) or 0.7 * units) / units,
            )
    except (TTLibError, KeyError, OSError) as error:
        raise _unreadable(path, error) from error


@lru_cache(maxsize=256)
def _glyphs(path: Path) -> frozenset[int]:
    from fontTools.ttLib import TTFont

    with TTFont(path, lazy=True, fontNumber=0) as font:
        return frozenset(font.getBestCmap() or ())


@lru_cache(maxsize=256)
def _digest(path: Path) -> str:
    try:
        return INSTALLED.of(path)
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> UnavailableError:
    return UnavailableError(
        f"The font {path} cannot be read: {error}", provider="fonts", hint="Replace or remove that file."
    )


def _distance(file: FontFile, weight: int) -> float:
    for axis in file.axes:
        if axis.tag == "wght":
            return max(axis.low - weight, weight - axis.high, 0.0)
    return abs(file.weight - weight)


@lru_cache(maxsize=4096)
def _needs_no_glyph(char: str) -> bool:
    """Spaces, controls, joiners and variation selectors are instructions to the shaper, not shapes."""
    if char.isspace() or unicodedata.category(char) in ("Cc", "Cf"):
        return True
    return 0xFE00 <= ord(char) <= 0xFE0F or 0xE0100 <= ord(char) <= 0xE01EF


@lru_cache(maxsize=4096)
def _is_pictograph(char: str) -> bool:
    """Emoji and what belongs to them: skin tones, flags' letters, the frame of a keycap."""
    code = ord(char)
    if 0x1F000 <= code <= 0x1FBFF or code == 0x20E3:
        return True
    return unicodedata.category(char) == "So" and 0x2300 <= code <= 0x2BFF
