r"""What single apps and site generators write in a line: MDX, MkDocs, LaTeX, Obsidian, Bear, Roam, Slack, Discord, Wikipedia.

Only forms that prose does not have are marks here. Where an app shows words, they are read; what stands for something else (an
expression, a mention, a reference) is left out and named.
"""

from __future__ import annotations

import re

from markdown_it.rules_inline import StateInline

from stages.text.rules import Found, before, left_out, read, said

_EXPRESSION = re.compile(
    r"\{\s*(?:"
    r"(?:[A-Za-z_$](?=[.?]+[A-Za-z_$])|[A-Za-z_$][\w$]+)(?:\??\.[A-Za-z_$][\w$]*|\[[^\[\]{}\n]{1,80}\])*(?:\([^(){}\n]{0,200}\)(?:\.[\w$]+)*)*"
    r"|[^{}\n]{1,300}?(?:=>|&&|\|\||===|!==)[^{}\n]{1,300}?"
    r"|`[^`]{0,500}`"
    r")\s*\}",
    re.ASCII,
)
_JSX_STRING = re.compile(r"""\{\s*(?:"([^"{}\n]{0,500})"|'([^'{}\n]{0,500})')\s*\}""")
_INCLUDE = re.compile(r"""-{1,2}8<-{1,2}[ \t]+["']([^"'\n]+)["']""")
_LATEX_WORDS = re.compile(
    r"\\(?:textbf|textit|textsc|texttt|textrm|textsf|textsl|textmd|textup|textnormal|emph|underline|uline|mbox|text|enquote)\{"
)
_LATEX_LINK = re.compile(r"\\href\{[^{}\n]{1,500}\}\{")
_LATEX_NAMES = {"LaTeX": "LaTeX", "TeX": "TeX", "ldots": "…", "dots": "…", "textendash": "–", "textemdash": "—"}
_LATEX_NAME = re.compile(r"\\(LaTeX|TeX|ldots|dots|textendash|textemdash)(?![A-Za-z])(?:\{\})?")
_LATEX_UNSEEN = re.compile(r"\\(?:index|label|glsadd|nocite|vspace|hspace)\*?\{[^{}\n]{0,500}\}|\\item(?![A-Za-z])")
_LATEX_OTHER = re.compile(
    r"\\(?:@ref\([^()\n]{1,200}\)|[A-Za-z]{2,30}\*?(?:\[[^\[\]\n]{0,200}\])*(?:\{[^{}\n]{0,500}\})+)"
)
_LATEX_QUOTE = re.compile(r"``([^`'\n](?:[^`'\n]|'(?!')){0,500})''(?!')")
_TIE = re.compile(r"~(?=\d|[^\W\d_])")
_PLUS = re.compile(r"\+\+(?=[^\s+])([^\n]{1,500}?)(?<=[^\s+])\+\+(?![\w+])")
# One on each side holds no space: `[^a b] and^[c]` has two carets and nothing between them.
_CARETS = re.compile(r"\^\^(?=[^\s^])([^\n^]{1,500}?)(?<=[^\s^])\^\^(?![\w^])|\^([^\s^\[\]]{1,100})\^(?![\w^])")
_TILDES = re.compile(r"~(?=[^\s~/])([^\n~]{1,500}?)(?<=[^\s~])~(?![\w~])")
_COLONS = re.compile(r"::(?=[^\s:])([^\n:]{1,500}?)(?<=[^\s:])::(?![\w:])")
_BARS = re.compile(r"\|\|(?=[^\s|])([^\n|]{1,500}?)(?<=[^\s|])\|\|(?!\|)")
_FIELD = re.compile(r"\(\s*[^\W\d_][\w -]{0,40}::[^()\n]{0,500}\)|\[\s*[^\W\d_][\w -]{0,40}::[^\[\]\n]{0,500}\]")
_LONG_TAG = re.compile(r"#(?=[^\W\d_])[\w/-]+(?:[ /][\w/-]+)+(?<=\w\w)#(?![\w#])")
_CHAT_LINK = re.compile(r"<(?:https?://|mailto:|tel:|#C)[^<>|\s]*\|([^<>|\n]+)>")
_CHAT_MARKS = (
    (re.compile(r"<(?:@[!&]?\w+(?:\|[^<>\n]*)?|#\d{5,}|![a-z]+(?:\^\w+)?(?:\|[^<>\n]*)?)>"), "a mention"),
    (re.compile(r"<a?:\w+:\d+>"), "an emoji's name"),
    (re.compile(r"<t:-?\d+(?::[tTdDfFR])?>"), "a time of a chat"),
)
_ROLE = re.compile(r"(?::([a-z][a-z:+-]{1,30}):|\{([a-z][a-z:+-]{1,30})\})`([^`\n]{1,500})`")
_FORUM = re.compile(
    r"\[(b|i|u|color|size|font|center|quote|url|spoiler)(?:=[^\[\]\n]{0,300})?\](.{0,2000}?)\[/\1\]", re.DOTALL
)
_APOSTROPHES = re.compile(r"('{2,3}|'{5})(?=[^\s'])([^\n]{1,500}?)(?<=[^\s'])\1(?![\w'])")
_CODE_TO_RUN = re.compile(r"\$?= ?[\w(].*|(?:r|python|julia) [\w.]+[($\[].*|\{(?:r|python|julia|ojs)\} .*")


def is_inline_code_to_run(code: str) -> bool:
    """Whether a code span stands for what a program makes of it: a query of a note app, or a paper's R and Python."""
    return bool(_CODE_TO_RUN.fullmatch(code.strip()))


def _follows_word(state: StateInline) -> bool:
    return bool(re.match(r"\w", before(state)))


def _expression(state: StateInline) -> Found:
    """`{props.name}` of a page with components; `{" "}` and `{'words'}` are the words."""
    if state.src[state.pos] != "{" or before(state) in "{$\\":
        return None
    if string := _JSX_STRING.match(state.src, state.pos, state.posMax):
        return said(state, string.end(), string[1] or string[2] or "")
    found = _EXPRESSION.match(state.src, state.pos, state.posMax)
    return left_out(state, found.end(), "a template's code") if found else None


def _include(state: StateInline) -> Found:
    found = _INCLUDE.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "-" else None
    return left_out(state, found.end(), "a text kept in another file", found[1]) if found else None


def _latex_command(state: StateInline) -> Found:
    r"""`\textbf{words}` and `\href{address}{words}` keep their words; other commands with an argument are named."""
    if state.src[state.pos] != "\\":
        return None
    src, at, most = state.src, state.pos, state.posMax
    if name := _LATEX_NAME.match(src, at, most):
        return said(state, name.end(), _LATEX_NAMES[name[1]])
    opening = _LATEX_WORDS.match(src, at, most) or _LATEX_LINK.match(src, at, most)
    if opening and (end := _brace_end(src, opening.end(), most)) > 0:
        return read(state, opening.end(), end, end + 1)
    if unseen := _LATEX_UNSEEN.match(src, at, most):
        return left_out(state, unseen.end())
    other = _LATEX_OTHER.match(src, at, most)
    # A path of Windows looks alike, but follows a word.
    is_command = other and (not _follows_word(state) or other[0].startswith(("\\begin{", "\\end{")))
    return left_out(state, other.end(), "a command of LaTeX") if other and is_command else None


def _brace_end(text: str, start: int, most: int) -> int:
    """Where the brace that opened before `start` closes in the same line; -1 for nowhere."""
    depth = 1
    for found in re.compile(r"\\.|[{}\n]").finditer(text, start, min(most, start + 2000)):
        if found[0] == "\n":
            break
        depth += (found[0] == "{") - (found[0] == "}")
        if not depth:
            return found.start()
    return -1


def _latex_quote(state: StateInline) -> Found:
    """Two grave accents and two apostrophes are LaTeX's quotation marks."""
    found = _LATEX_QUOTE.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "`" else None
    if not found or before(state) == "`":
        return None
    return said(state, found.end(), f"“{found[1]}”")


def _tie(state: StateInline) -> Found:
    """`Fig.~3` and `Section~2`: a space at which no line breaks."""
    if state.src[state.pos] != "~" or not _TIE.match(state.src, state.pos, state.posMax):
        return None
    left = state.src[max(state.pos - 3, 0) : state.pos]
    is_tie = re.search(r"[A-Za-z]\.$", left) or (
        re.search(r"[A-Za-z]{3}$", left) and re.match(r"~\d+(?!~|\w)", state.src[state.pos : state.posMax])
    )
    return said(state, state.pos + 1, "\u00a0") if is_tie else None


def _doubled(state: StateInline) -> Found:
    """`++ctrl+c++`, `^^high^^`, `^up^`, `::marked::` and `||hidden||` keep their words."""
    looks = {"+": _PLUS, "^": _CARETS, ":": _COLONS, "|": _BARS}.get(state.src[state.pos])
    if not looks or _follows_word(state) or before(state) == state.src[state.pos]:
        return None
    found = looks.match(state.src, state.pos, state.posMax)
    group = (found and found.lastindex) or 1
    if not found or not re.search(r"[^\W_]", found[group]) or (found[0].startswith("++") and "++ " in found[1]):
        return None
    return read(state, found.start(group), found.end(group), found.end())


def _single_tildes(state: StateInline) -> Found:
    """`~old~`, which sites strike out as they do between two."""
    if state.src[state.pos] != "~" or re.match(r"[\w~)]", before(state)):
        return None
    found = _TILDES.match(state.src, state.pos, state.posMax)
    return left_out(state, found.end(), "struck-out text", found[1]) if found else None


def _field(state: StateInline) -> Found:
    """`(depth:: 5 m)` and `[mood:: calm]`, the data of a note."""
    found = _FIELD.match(state.src, state.pos, state.posMax) if state.src[state.pos] in "([" else None
    return left_out(state, found.end(), "a property") if found else None


def _apostrophes(state: StateInline) -> Found:
    """An encyclopedia's `''italic''` and `'''bold'''`."""
    if state.src[state.pos] != "'" or re.match(r"[\w'`]", before(state)):
        return None
    found = _APOSTROPHES.match(state.src, state.pos, state.posMax)
    return read(state, found.start(2), found.end(2), found.end()) if found else None


def _role(state: StateInline) -> Found:
    """A role of Sphinx and MyST before a code span, `:kbd:`Ctrl`` or `{ref}`words <target>``, keeps the words."""
    found = _ROLE.match(state.src, state.pos, state.posMax) if state.src[state.pos] in ":{" else None
    if not found or _follows_word(state):
        return None
    name = (found[1] or found[2]).rpartition(":")[2]
    if name == "math":
        return left_out(state, found.end(), "a formula", found[3])
    if name.startswith("cite"):
        return left_out(state, found.end(), "a citation", found[3])
    return said(state, found.end(), re.sub(r"\s*<[^<>]*>$", "", found[3]).lstrip("~!"))


def _forum(state: StateInline) -> Found:
    """`[b]words[/b]` and `[url=address]words[/url]` of a forum keep their words."""
    found = _FORUM.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "[" else None
    return read(state, found.start(2), found.end(2), found.end()) if found else None


def _long_tag(state: StateInline) -> Found:
    """`#[[long tag]]` is read as a link to a page is; `#sea/tide notes#` is a tag."""
    if state.src[state.pos] != "#" or _follows_word(state):
        return None
    if state.src.startswith("#[[", state.pos):
        return said(state, state.pos + 1, "")
    found = _LONG_TAG.match(state.src, state.pos, state.posMax)
    return left_out(state, found.end(), "tags") if found else None


def _chat(state: StateInline) -> Found:
    """Mentions, links and emoji of chats, between angle brackets."""
    if state.src[state.pos] != "<":
        return None
    if link := _CHAT_LINK.match(state.src, state.pos, state.posMax):
        return said(state, link.end(), link[1].strip())
    for looks, what in _CHAT_MARKS:
        if found := looks.match(state.src, state.pos, state.posMax):
            return left_out(state, found.end(), what)
    return None


#: Rules that come before a backslash escapes what follows it, and those that come after the common ones.
EARLY_DIALECT_RULES = (_latex_command, _latex_quote)
DIALECT_RULES = (_include, _apostrophes, _role, _forum, _tie, _doubled, _single_tildes, _field, _long_tag, _chat)
#: Looked for after all other marks between braces.
BRACE_RULES = (_expression,)
