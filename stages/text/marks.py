"""Inline marks that note apps, word processors and site generators write beyond CommonMark, as parser rules.

Each rule either consumes a mark or leaves the text as it is. What is not spoken becomes a `left_out` token: `content` is what a
reader would have seen, `info` says what it is; an empty `info` means that no reader would have seen it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from markdown_it import MarkdownIt
from markdown_it.common.utils import normalizeReference
from markdown_it.helpers import parseLinkLabel
from markdown_it.rules_inline import StateInline

#: Endings of files that an embed shows or plays; an embed of anything else is another note.
_FILE = re.compile(r"\.[a-z][a-z0-9]{1,4}$", re.IGNORECASE)
_WIKI = re.compile(r"(!?)\[\[([^\[\]\n]+?)\]\]")
_QUOTED_TITLE = re.compile(r"""\s+("[^"]*"|'[^']*'|“[^”]*”|\([^()]*\))$""")
_SIZE = re.compile(r"\s+=\d*%?x?\d*%?$")
_NUMBERS = r"\d{1,3}(?:\s*[,;\u2013-]\s*\d{1,3})*"
_CITATION = re.compile(rf"\[\^?{_NUMBERS}\^?\](?!\()(?:\s?\[\^?{_NUMBERS}\^?\])*")
_CITED_KEY = re.compile(r"\[(?:[^\[\]@\n]{0,60}[\s;(])?-?@[\w:][^\[\]\n]*\](?!\()")
_MODEL_CITATION = re.compile(r"【[^【】\n]*(?:†|source)[^【】\n]*】|\ue200[^\ue201\n]*\ue201")
_ATTRIBUTE = r"""(?:[#.][\w:-]+|[\w:-]+\s*=\s*(?:"[^"]*"|'[^']*'|“[^”]*”|[^\s"'{}]+))"""
_ATTRIBUTES = re.compile(r"\{:?\s*([^{}\n]*?)\s*\}")
_ATTRIBUTE_LIST = re.compile(rf"{_ATTRIBUTE}(?:[\s,]+{_ATTRIBUTE})*")
_SHORTCODE = re.compile(r"\{\{.{0,2000}?\}\}|\{%.{0,2000}?%\}", re.DOTALL)
_EDIT = re.compile(r"\{(>>|\+\+|--|~~|==)(.{1,2000}?)(?:<<|\+\+|--|~~|==)\}", re.DOTALL)
_NOTE = re.compile(r"\^\[((?:[^\[\]]|\[[^\[\]]*\](?:\([^()\n]*\))?){1,2000})\]")
_NOTE_MARK = re.compile(r"\[\^[^\[\]\s]{1,100}\]")
_EMOJI = re.compile(r":[a-z][a-z0-9_+-]{1,30}:(?![\w:])")
_FORMULA = re.compile(r"(\$\$?)(?=\S)([^$]+?)(?<=\S)\1(?!\d)")
_LATEX = re.compile(r"\\\((.{1,2000}?)\\\)|\\\[(.{1,2000}?)\\\]", re.DOTALL)
_PAGE_MARKS = re.compile(r"\\(?:newpage|pagebreak|clearpage|tableofcontents|toc|noindent)\b")
_BLOCK_NAME = re.compile(r"(?:(?<=\s)|^)\^(?=[a-zA-Z0-9-]*[a-zA-Z])[a-zA-Z0-9-]{4,}[ \t]*$")
_SMALL = re.compile(r"([~^])([^\s~^\[\]]{1,12})\1")
_RAISED = str.maketrans("0123456789+-()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾")
_PATHLIKE = re.compile(r"[/#]|\.[a-z0-9]{2,5}\b", re.IGNORECASE)


_MARKED = re.compile(r"==(?=[^\s=])(.{1,2000}?)(?<=[^\s=])==(?![A-Za-z0-9=])", re.DOTALL)
_GOES_ON = re.compile(r"\s+[^\W\d_]")
_LINE_END = re.compile(r"[^\S\n]*(?:\n|$)")
_DEEPEST_BRACKETS = 20
_LOOK_BACK = 4000

#: Where a mark ends, and what to write in its place; None where there is no mark.
Found = tuple[int, Callable[[], None]] | None


def add_rules(parser: MarkdownIt) -> None:
    """Give `parser` every rule of this module."""
    ruler = parser.inline.ruler
    for find in (_star, _latex):
        ruler.before("escape", find.__name__, _rule(find))
    rest = (
        _note, _wiki, _picture, _citation, _loose_link, _edit, _shortcode, _attributes, _mark, _emoji, _formula, _block_name,
        _small,
    )  # fmt: skip
    for find in rest:
        ruler.before("link", find.__name__, _rule(find))
    for char in "【\ue200":
        parser.inline.add_terminator_char(char)


def raised(text: str) -> str:
    """Superscript figures for figures: `10` and a raised `6` must not become `106`. Other text stays as it is."""
    return text.translate(_RAISED) if re.fullmatch(r"[+-]?\d+", text) else text


def is_formula(text: str) -> bool:
    """Whether text between dollar signs is mathematics, and not prose between two prices."""
    if re.search(r"\\[a-zA-Z]+|[\^_{}]|[^<>=]=[^=]", text):
        return True
    return bool(re.search(r"[a-zA-Z]", text)) and not re.search(r"[^\W\d_]{2}|[.,;:!?]\s|\s$", text)


def _rule(find: Callable[[StateInline], Found]) -> Callable[[StateInline, bool], bool]:
    def rule(state: StateInline, silent: bool) -> bool:
        found = find(state)
        if found is None:
            return False
        end, write = found
        if not silent:
            write()
        state.pos = end
        return True

    return rule


def _left_out(state: StateInline, end: int, what: str = "", words: str = "") -> Found:
    def write() -> None:
        token = state.push("left_out", "", 0)
        token.content = words or state.src[state.pos : end]
        token.info = what
        token.meta = {"lines": state.src.count("\n", state.pos, end)}

    return end, write


def _said(state: StateInline, end: int, words: str) -> Found:
    def write() -> None:
        state.push("text", "", 0).content = words

    return end, write


def _read(state: StateInline, start: int, stop: int, end: int) -> Found:
    """Inline text of its own from `start` to `stop`, in a mark that ends at `end`."""

    def write() -> None:
        most = state.posMax
        state.pos, state.posMax = start, stop
        state.md.inline.tokenize(state)
        state.posMax = most

    return end, write


def _shown(state: StateInline, end: int, source: str, **meta: object) -> Found:
    def write() -> None:
        token = state.push("image", "img", 0)
        token.attrs = {"src": source}
        token.meta = meta

    return end, write


def _before(state: StateInline) -> str:
    """The character before the mark; a space at the start."""
    return state.src[state.pos - 1] if state.pos else " "


def _star(state: StateInline) -> Found:
    """`2*3*4` and `a*b` multiply: the star stays."""
    at = state.pos
    if state.src[at] != "*" or _before(state) == "*" or state.src[at + 1 : at + 2] == "*":
        return None
    left, right = state.src[max(at - 2, 0) : at], state.src[at + 1 : at + 3]
    figures = re.search(r"[\d)]$", left) and re.match(r"[\d(]", right)
    letters = re.search(r"(?:^|[^A-Za-z0-9])[A-Za-z0-9]$", left) and re.match(r"[A-Za-z0-9](?![A-Za-z0-9])", right)
    return _said(state, at + 1, "*") if figures or letters else None


def _latex(state: StateInline) -> Found:
    if state.src[state.pos] != "\\":
        return None
    found = _LATEX.match(state.src, state.pos, state.posMax)
    if found and is_formula(found[1] or found[2]):
        return _left_out(state, found.end(), "a formula")
    found = _PAGE_MARKS.match(state.src, state.pos, state.posMax)
    return _left_out(state, found.end()) if found else None


def _wiki(state: StateInline) -> Found:
    """`[[page|words]]` keeps its words; `![[file|size]]` is a picture, or a note that cannot be read in."""
    found = _WIKI.match(state.src, state.pos, state.posMax) if state.src[state.pos] in "![" else None
    if not found:
        return None
    page, *words = re.split(r"\\?\|", found[2])
    if found[1] and _FILE.search(page.strip()):
        return _shown(state, found.end(), page.strip())
    if found[1]:
        return _left_out(state, found.end(), "an embedded note")
    if re.fullmatch(r"_?toc_?", found[2], re.IGNORECASE):
        return _left_out(state, found.end())
    return _said(state, found.end(), words[-1].strip() if words else _page_name(page))


def _page_name(page: str) -> str:
    name, _, part = page.strip().partition("#")
    name = re.sub(r"\.md$", "", name.rsplit("/", 1)[-1]).strip()
    return name or part.lstrip("^#").replace("#", ", ")


def _picture(state: StateInline) -> Found:
    """A picture whose path may hold spaces and brackets, or whose reference is defined nowhere."""
    if not state.src.startswith("![", state.pos):
        return None
    label_end = parseLinkLabel(state, state.pos + 1, False)
    follows = state.src[label_end + 1 : label_end + 2] if label_end > 0 else ""
    if follows == "(":
        end = _closing(state.src, label_end + 1, state.posMax)
        return None if end < 0 else _shown(state, end + 1, _path_in(state.src[label_end + 2 : end]))
    if follows != "[":
        return None
    end = state.src.find("]", label_end + 2, state.posMax)
    label = state.src[label_end + 2 : end] or state.src[state.pos + 2 : label_end]
    if end < 0 or normalizeReference(label) in state.env.get("references", {}):
        return None
    return _shown(state, end + 1, "", undefined=label)


def _closing(text: str, start: int, most: int) -> int:
    """Where the bracket that opens at `start` closes in the same line; -1 for nowhere."""
    depth = 0
    for found in re.compile(r"\\.|[()\n]").finditer(text, start, most):
        if found[0] == "\n" or depth > _DEEPEST_BRACKETS:
            break
        depth += (found[0] == "(") - (found[0] == ")")
        if not depth:
            return found.start()
    return -1


def _path_in(text: str) -> str:
    """The path of a picture in its brackets: without a title, a size, pointed brackets and escapes."""
    path = _SIZE.sub("", _QUOTED_TITLE.sub("", text.strip())).strip()
    if path.startswith("<") and path.endswith(">"):
        path = path[1:-1]
    return re.sub(r"\\([_*()\[\]<>#+.!~`&-])", r"\1", path)


def _citation(state: StateInline) -> Found:
    src, at = state.src, state.pos
    if src[at] not in "[【\ue200":
        return None
    if found := _CITED_KEY.match(src, at, state.posMax):
        return _left_out(state, found.end(), "a citation")
    if found := _MODEL_CITATION.match(src, at, state.posMax):
        return _left_out(state, found.end())
    found = _CITATION.match(src, at, state.posMax)
    if not found:
        return None
    opens_line = at == 0 or src[at - 1] == "\n"
    goes_on = _before(state).isspace() and _GOES_ON.match(src, found.end())
    return _left_out(state, found.end(), "a citation" if goes_on or opens_line else "")


def _loose_link(state: StateInline) -> Found:
    """A link that CommonMark does not know: an address with spaces, or a reference that is defined nowhere."""
    if state.src[state.pos] != "[":
        return None
    label_end = parseLinkLabel(state, state.pos, True)
    follows = state.src[label_end + 1 : label_end + 2] if label_end > 0 else ""
    if follows == "(":
        end = _closing(state.src, label_end + 1, state.posMax)
        address = _QUOTED_TITLE.sub("", state.src[label_end + 2 : max(end, 0)].strip())
        if end < 0 or " " not in address or not _PATHLIKE.search(address):
            return None
    elif follows == "[":
        end = state.src.find("]", label_end + 2, state.posMax)
        label = state.src[label_end + 2 : end] or state.src[state.pos + 1 : label_end]
        if end < 0 or "[" in label or "\n" in label or normalizeReference(label) in state.env.get("references", {}):
            return None
    else:
        return None
    return _read(state, state.pos + 1, label_end, end + 1)


def _edit(state: StateInline) -> Found:
    """CriticMarkup: additions and new wordings are read, comments and deletions are not."""
    found = _EDIT.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "{" else None
    if not found:
        return None
    kind, words = found[1], found[2]
    if kind == ">>":
        return _left_out(state, found.end())
    if kind == "--":
        return _left_out(state, found.end(), "struck out", words)
    if kind != "~~" or "~>" not in words:
        return _read(state, found.start(2), found.end(2), found.end())
    middle = found.start(2) + words.index("~>")
    end, write_new = _read(state, middle + 2, found.end(2), found.end()) or (0, lambda: None)
    _, write_old = _left_out(state, found.end(), "struck out", words.split("~>")[0]) or (0, lambda: None)

    def write() -> None:
        write_old()
        write_new()

    return end, write


def _shortcode(state: StateInline) -> Found:
    found = _SHORTCODE.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "{" else None
    return _left_out(state, found.end(), "a template's code") if found else None


def _attributes(state: StateInline) -> Found:
    """Braces after a picture, alone in a line, or with an id or class at the end of something."""
    found = _ATTRIBUTES.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "{" else None
    if not found or not found[1]:
        return None
    before = state.src[state.src.rfind("\n", max(state.pos - _LOOK_BACK, 0), state.pos) + 1 : state.pos]
    after = not _LINE_END.match(state.src, found.end())
    after_picture = bool(re.search(r"!\[.*(?:\)|\]|\})\s*$", before))
    alone = not before.strip() and not after and "=" in found[1]
    at_end = not after and (found[1][0] in "#." or found[0].startswith("{:"))
    attached = before[-1:] in (")", "]", "*", "_", "`", "~")
    if not (after_picture or alone or (_ATTRIBUTE_LIST.fullmatch(found[1]) and (at_end or attached))):
        return None

    def write() -> None:
        token = state.push("attributes", "", 0)
        token.content = found[1]
        token.meta = {"is_ours": after_picture or alone}

    return found.end(), write


def _mark(state: StateInline) -> Found:
    """`==words==` keeps its words."""
    if not state.src.startswith("==", state.pos) or re.match(r"[A-Za-z0-9=]", _before(state)):
        return None
    found = _MARKED.match(state.src, state.pos, state.posMax)
    return _read(state, found.start(1), found.end(1), found.end()) if found else None


def _emoji(state: StateInline) -> Found:
    if state.src[state.pos] != ":" or re.match(r"[\w:]", _before(state)):
        return None
    found = _EMOJI.match(state.src, state.pos, state.posMax)
    return _left_out(state, found.end(), "an emoji's name") if found else None


def _formula(state: StateInline) -> Found:
    if state.src[state.pos] != "$" or _before(state).isdigit():
        return None
    found = _FORMULA.match(state.src, state.pos, state.posMax)
    if not found or not is_formula(found[2]):
        return None
    if re.fullmatch(r"[A-Za-z]", found[2]):
        return _said(state, found.end(), found[2])
    return _left_out(state, found.end(), "a formula")


def _note(state: StateInline) -> Found:
    """A footnote's mark, or a footnote in the text, `^[its words]`."""
    if mark := _NOTE_MARK.match(state.src, state.pos, state.posMax):
        return _left_out(state, mark.end())
    found = _NOTE.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "^" else None
    return _left_out(state, found.end(), "a footnote", found[1]) if found else None


def _block_name(state: StateInline) -> Found:
    """`^quote-of-the-day` at the end of a paragraph, by which notes link to it."""
    found = _BLOCK_NAME.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "^" else None
    return _left_out(state, found.end()) if found else None


def _small(state: StateInline) -> Found:
    """`H~2~O` and `x^2^`, attached to what stands before."""
    if state.src[state.pos] not in "~^" or not re.match(r"[\w)]", _before(state)):
        return None
    found = _SMALL.match(state.src, state.pos, state.posMax)
    if not found:
        return None
    return _said(state, found.end(), raised(found[2]) if found[1] == "^" else found[2])
