"""Inline marks that note apps, word processors and site generators write beyond CommonMark, as parser rules.

Each rule either consumes a mark or leaves the text as it is. What is not spoken becomes a `left_out` token: `content` is what a
reader would have seen, `info` says what it is; an empty `info` means that no reader would have seen it.
"""

from __future__ import annotations

import re

from markdown_it.rules_inline import StateInline

from stages.text.blocks import code_ending, code_opening
from stages.text.formulas import is_formula
from stages.text.rules import ATTRIBUTE_LIST, ATTRIBUTES, Found, before, left_out, read, said, shown

_FIGURE = re.compile(
    r"""\{\{[<%]\s*(?:figure|img|image)\b[^{}]{0,500}?\bsrc\s*=\s*["']([^"']+)["'][^{}]{0,500}?[>%]\}\}"""
)
_CAPTION = re.compile(r"""\b(?:title|caption|attr)\s*=\s*(?:"([^"]+)"|'([^']+)')""")
_SQUARE_CODE = re.compile(r"""\[[a-z][\w-]*(?:\s+[\w-]+=(?:"[^"\n]*"|'[^'\n]*'|[^\s\]"']+))+\s*/?\]|\[/[a-z][\w-]*\]""")
_STARS = re.compile(r"\*{1,2}(?!\*)")
_STRONG = re.compile(r"(\*{1,3})(?=[^\s*])([^*\n]{1,500}?)(?<=[^\s*])\1(?!\*)")
_WIDE = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]")
_SHORTCODE = re.compile(r"\{\{.{0,2000}?\}\}|\{%.{0,2000}?%\}", re.DOTALL)
_EDIT = re.compile(r"\{(>>|\+\+|--|~~|==)(.{1,2000}?)(?:<<|\+\+|--|~~|==)\}", re.DOTALL)
_EMOJI = re.compile(r":[a-z][a-z0-9_+-]{1,30}:(?![\w:])")
_FORMULA = re.compile(r"(\$\$?)(?=\S)([^$]+?)(?<=\S)\1(?!\d)")
_LATEX = re.compile(r"\\\((.{1,2000}?)\\\)|\\\[(.{1,2000}?)\\\]", re.DOTALL)
_PAGE_MARKS = re.compile(r"\\(?:newpage|pagebreak|clearpage|tableofcontents|toc|noindent)\b")
_BLOCK_NAME = re.compile(r"(?:(?<=\s)|^)\^(?=[a-zA-Z0-9-]*[a-zA-Z])[a-zA-Z0-9-]{4,}[ \t]*$")
_SMALL = re.compile(r"([~^])([^\s~^\[\]]{1,12})\1")
_MARKED = re.compile(r"==(?=[^\s=])(.{1,2000}?)(?<=[^\s=])==(?![A-Za-z0-9=])", re.DOTALL)
_LINE_END = re.compile(r"[^\S\n]*(?:\n|$)")
_LOOK_BACK = 4000


def raised(text: str) -> str:
    """Raised figures as a power: `10` and a raised `6` must not become `106`. Other text stays as it is."""
    if not re.fullmatch(r"[+-]?\d+", text):
        return text
    return {"2": "²", "3": "³"}.get(text, f"^{text}")


def _star(state: StateInline) -> Found:
    """`2*3*4`, `2**3` and `a*b`: the stars stay."""
    found = _STARS.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "*" else None
    if not found or before(state) == "*":
        return None
    left, right = state.src[max(state.pos - 2, 0) : state.pos], state.src[found.end() : found.end() + 2]
    figures = re.search(r"[\d)]$", left) and re.match(r"[\d(]", right)
    letters = re.search(r"(?:^|[^A-Za-z0-9])[A-Za-z0-9]$", left) and re.match(r"[A-Za-z0-9](?![A-Za-z0-9])", right)
    return said(state, found.end(), found[0]) if figures or letters else None


def _strong(state: StateInline) -> Found:
    """`**Fact:**so` and emphasis beside Chinese or Japanese characters, which CommonMark does not see."""
    found = _STRONG.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "*" else None
    if not found or before(state) == "*" or not (len(found[1]) > 1 or _WIDE.search(before(state) + found[0])):
        return None
    return read(state, found.start(2), found.end(2), found.end())


def _latex(state: StateInline) -> Found:
    if state.src[state.pos] != "\\":
        return None
    found = _LATEX.match(state.src, state.pos, state.posMax)
    if found and is_formula(found[1] or found[2]):
        return left_out(state, found.end(), "a formula")
    found = _PAGE_MARKS.match(state.src, state.pos, state.posMax)
    return left_out(state, found.end()) if found else None


def _edit(state: StateInline) -> Found:
    """CriticMarkup: additions and new wordings are read, comments and deletions are not."""
    found = _EDIT.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "{" else None
    if not found:
        return None
    kind, words = found[1], found[2]
    if kind == ">>":
        return left_out(state, found.end())
    if kind == "--":
        return left_out(state, found.end(), "struck-out text", words)
    if kind != "~~" or "~>" not in words:
        return read(state, found.start(2), found.end(2), found.end())
    middle = found.start(2) + words.index("~>")
    end, write_new = read(state, middle + 2, found.end(2), found.end()) or (0, lambda: None)
    _, write_old = left_out(state, found.end(), "struck-out text", words.split("~>")[0]) or (0, lambda: None)

    def write() -> None:
        write_old()
        write_new()

    return end, write


def _shortcode(state: StateInline) -> Found:
    """Code of a site's templates; one that shows a picture is a picture."""
    if state.src[state.pos] == "[":
        found = _SQUARE_CODE.match(state.src, state.pos, state.posMax)
        return left_out(state, found.end(), "a template's code") if found else None
    if state.src[state.pos] != "{":
        return None
    if picture := _FIGURE.match(state.src, state.pos, state.posMax):
        captions = " ".join(double or single for double, single in _CAPTION.findall(picture[0]))
        return shown(state, picture.end(), picture[1], caption=captions)
    if (opening := code_opening(state.src, state.pos, state.posMax)) and (
        closing := code_ending(opening).search(state.src, opening.end(), state.posMax)
    ):
        return left_out(state, closing.end(), "a block of code", state.src[opening.end() : closing.start()].strip())
    found = _SHORTCODE.match(state.src, state.pos, state.posMax)
    return left_out(state, found.end(), "a template's code") if found else None


def _attributes(state: StateInline) -> Found:
    """Braces after a picture, alone in a line, or with an id or class at the end of something."""
    found = ATTRIBUTES.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "{" else None
    if not found or not found[1]:
        return None
    before = state.src[state.src.rfind("\n", max(state.pos - _LOOK_BACK, 0), state.pos) + 1 : state.pos]
    after = not _LINE_END.match(state.src, found.end())
    after_picture = bool(re.search(r"!\[.*(?:\)|\]|\})\s*$", before))
    alone = not before.strip() and not after and "=" in found[1]
    is_kramdown = found[0].startswith("{:")
    at_end = is_kramdown or (not after and found[1][0] in "#.-")
    attached = before[-1:] in (")", "]", "*", "_", "`", "~")
    if not (after_picture or alone or (ATTRIBUTE_LIST.fullmatch(found[1]) and (at_end or attached))):
        return None

    def write() -> None:
        token = state.push("attributes", "", 0)
        token.content = found[1]
        token.meta = {"is_ours": after_picture or alone}

    return found.end(), write


def _mark(state: StateInline) -> Found:
    """`==words==` keeps its words."""
    if not state.src.startswith("==", state.pos) or re.match(r"[A-Za-z0-9=]", before(state)):
        return None
    found = _MARKED.match(state.src, state.pos, state.posMax)
    return read(state, found.start(1), found.end(1), found.end()) if found else None


def _emoji(state: StateInline) -> Found:
    if state.src[state.pos] != ":" or re.match(r"[\w:]", before(state)):
        return None
    found = _EMOJI.match(state.src, state.pos, state.posMax)
    return left_out(state, found.end(), "an emoji's name") if found else None


def _formula(state: StateInline) -> Found:
    if state.src[state.pos] != "$" or before(state).isdigit():
        return None
    found = _FORMULA.match(state.src, state.pos, state.posMax)
    if not found or not is_formula(found[2]):
        return None
    if re.fullmatch(r"[A-Za-z]", found[2]):
        return said(state, found.end(), found[2])
    return left_out(state, found.end(), "a formula")


def _block_name(state: StateInline) -> Found:
    """`^quote-of-the-day` at the end of a paragraph, by which notes link to it."""
    found = _BLOCK_NAME.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "^" else None
    return left_out(state, found.end()) if found else None


def _small(state: StateInline) -> Found:
    """`H~2~O` and `x^2^`, attached to what stands before."""
    if state.src[state.pos] not in "~^" or not re.match(r"[\w)]", before(state)):
        return None
    found = _SMALL.match(state.src, state.pos, state.posMax)
    if not found:
        return None
    return said(state, found.end(), raised(found[2]) if found[1] == "^" else found[2])


#: Rules that come before a backslash escapes what follows it, and those that come after.
EARLY_RULES = (_star, _strong, _latex)
MARK_RULES = (_edit, _shortcode, _attributes, _mark, _emoji, _formula, _block_name, _small)
