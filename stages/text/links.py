"""Links, pictures, footnotes and citations as note apps, papers and site generators write them, beyond CommonMark."""

from __future__ import annotations

import re

from markdown_it.common.utils import normalizeReference
from markdown_it.helpers import parseLinkLabel
from markdown_it.rules_inline import StateInline

from stages.text.rules import ATTRIBUTE_LIST, ATTRIBUTES, Found, before, left_out, read, said, shown

#: Endings of files that an embed shows or plays; an embed of anything else is another note.
_FILE = re.compile(r"\.[a-z][a-z0-9]{1,4}$", re.IGNORECASE)
_WIKI = re.compile(r"(!?)\[\[([^\[\]\n]+?)\]\]")
_QUOTED_TITLE = re.compile(r"""\s+("[^"]*"|'[^']*'|“[^”]*”|\([^()]*\))$""")
_SIZE = re.compile(r"\s+=\d*%?x?\d*%?$")
_NUMBERS = r"\d{1,3}(?:\s*[,;\u2013-]\s*\d{1,3})*"
_CITATION = re.compile(rf"\[\^?{_NUMBERS}\^?\](?!\()(?:\s?\[\^?{_NUMBERS}\^?\])*")
_CITED_KEY = re.compile(r"\[(?:[^\[\]@\n]{0,60}[\s;(])?-?@[\w:][^\[\]\n]*\](?!\()")
_MODEL_CITATION = re.compile(r"【[^【】\n]*(?:†|source)[^【】\n]*】|\ue200[^\ue201\n]*\ue201")
_BLOCK_REFERENCE = re.compile(r"\(\([0-9a-f-]{8,40}\)\)")
_NOTE = re.compile(r"\^\[((?:[^\[\]]|\[[^\[\]]*\](?:\([^()\n]*\))?){1,2000})\]")
_NOTE_MARK = re.compile(r"\[\^[^\[\]\s]{1,100}\]")
_PATHLIKE = re.compile(r"[/#]|\.[a-z0-9]{2,5}\b", re.IGNORECASE)
_ENDS_HERE = re.compile(r"\s*(?:[.,;:!?)\]…]|\n|$)")
#: `a[1]` is a letter with an index.
_LONE_LETTER = re.compile(r"(?:(?<![^\W_])|^)[A-Za-z]$")
_DEEPEST_BRACKETS = 20
#: The words of a link that leads to a source: `[1]`, also with its brackets escaped, `[a]` and `[note 2]`.
_SOURCE = rf"(?:\^|{_NUMBERS}|[a-z]{{1,2}}|(?:note|nb|lower-alpha|n|Anm\.) ?\d{{1,3}})"
_ADDRESS = r"\((?:[^()\s]|\([^()\s]*\)){1,1000}(?:\s+(?:\"[^\"\n]*\"|'[^'\n]*'))?\)"
_LINKED_SOURCE = re.compile(
    rf"\[(?:\[|\\\[)\^?{_SOURCE}\^?(?:\]|\\\])\]{_ADDRESS}"
    rf"|\[\[{_SOURCE}\]{_ADDRESS}(?:[,;]?\s?\[{_SOURCE}\]{_ADDRESS})*\]|\[oai_citation[^\[\]\n]*\]{_ADDRESS}"
)
_LINKED_NUMBER = re.compile(rf"\[\^?{_SOURCE}\^?\](?P<address>{_ADDRESS})")
_TO_A_NOTE = re.compile(r"\([^()\s]*#(?:cite|ref|fn|note|footnote|bib|endnote|source|n\d|_ftn)", re.IGNORECASE)
#: What a page shows beside a heading or a footnote, for a jump.
_JUMP = re.compile(r"\[(?:[#^¶§↑↩⏎🔗🡅⬆]\ufe0e?\ufe0f?|\\\^|\\#)\](?:\(#[^()\s]*(?:\s+\"[^\"\n]*\")?\))")
#: What an encyclopedia puts right behind a word.
_PAGE_NOTE = re.compile(
    r"\[(?:edit(?: source)?|Bearbeiten(?: \| Quelltext bearbeiten)?|modifier(?: \| modifier le code)?|editar|modifica"
    r"|[abc]|(?:note|nb|Note|Anm\.) ?\d{1,3}"
    r"|[a-z -]*(?:citation|source|clarification|verification|page|quotation) needed|(?:when|who|which|where|how)\?"
    r"|dubious[^\[\]\n]{0,20}|failed verification|update)\](?![\w(\[{])"
)
_EDIT_LINK = re.compile(rf"\\?\[\[(?:edit(?: source)?|Bearbeiten|modifier|editar|modifica)\]{_ADDRESS}\\?\]")


def _note(state: StateInline) -> Found:
    """A footnote's mark, or a footnote in the text, `^[its words]`."""
    if mark := _NOTE_MARK.match(state.src, state.pos, state.posMax):
        return left_out(state, mark.end())
    found = _NOTE.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "^" else None
    return left_out(state, found.end(), "a footnote", found[1]) if found else None


def _block_reference(state: StateInline) -> Found:
    """`((64a1-…))`, which stands for a paragraph of another note."""
    found = _BLOCK_REFERENCE.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "(" else None
    return left_out(state, found.end(), "a part of another note") if found else None


def _wiki(state: StateInline) -> Found:
    """`[[page|words]]` keeps its words; `![[file|size]]` is a picture, or a note that cannot be read in."""
    found = _WIKI.match(state.src, state.pos, state.posMax) if state.src[state.pos] in "![" else None
    if not found:
        return None
    page, *words = re.split(r"\\?\|", found[2])
    if found[1] and _FILE.search(page.strip()):
        return shown(state, found.end(), page.strip())
    if found[1]:
        return left_out(state, found.end(), "an embedded note")
    if re.fullmatch(r"_?toc_?", found[2], re.IGNORECASE):
        return left_out(state, found.end())
    named = words[-1].strip() if words else _page_name(page)
    return said(state, found.end(), named or found[2])


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
        return None if end < 0 else shown(state, end + 1, _path_in(state.src[label_end + 2 : end]))
    if follows != "[":
        return None
    end = state.src.find("]", label_end + 2, state.posMax)
    label = state.src[label_end + 2 : end] or state.src[state.pos + 2 : label_end]
    if end < 0 or normalizeReference(label) in state.env.get("references", {}):
        return None
    return shown(state, end + 1, "", undefined=label)


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
        return left_out(state, found.end(), "a citation")
    if found := _MODEL_CITATION.match(src, at, state.posMax):
        return left_out(state, found.end())
    found = _CITATION.match(src, at, state.posMax)
    if not found:
        return None
    attached = not before(state).isspace() and not _LONE_LETTER.search(src, max(at - 3, 0), at)
    if not attached and not before(state).isspace():
        return None
    # Within a sentence it may be a part of it: `[5] of them`.
    is_clear = attached or bool(_ENDS_HERE.match(src, found.end()))
    return left_out(state, found.end(), "" if is_clear and at else "a citation")


def _linked_source(state: StateInline) -> Found:
    """A link that is a citation, `[[1]](address)`, or leads to a note of the page; and what an encyclopedia puts behind a word."""
    src, at, most = state.src, state.pos, state.posMax
    if src[at] not in "[\\":
        return None
    if found := _EDIT_LINK.match(src, at, most) or _LINKED_SOURCE.match(src, at, most) or _JUMP.match(src, at, most):
        return left_out(state, found.end())
    is_attached = not before(state).isspace()
    found = _LINKED_NUMBER.match(src, at, most)
    if found and (_TO_A_NOTE.match(found["address"]) or (is_attached and re.match(r"\[\^?\d", found[0]))):
        return left_out(state, found.end())
    note = _PAGE_NOTE.match(src, at, most) if is_attached and before(state) not in "([" else None
    if not note or (len(note[0]) == len("[a]") and _LONE_LETTER.search(src, max(at - 3, 0), at)):
        return None
    return left_out(state, note.end(), "a page's note")


def _loose_link(state: StateInline) -> Found:
    """A link that CommonMark does not know: an address with spaces, a reference that is defined nowhere, or `[words]{.class}`."""
    if state.src[state.pos] != "[":
        return None
    label_end = parseLinkLabel(state, state.pos, True)
    follows = state.src[label_end + 1 : label_end + 2] if label_end > 0 else ""
    unknown = ""
    if follows == "(":
        end = _closing(state.src, label_end + 1, state.posMax)
        address = _QUOTED_TITLE.sub("", state.src[label_end + 2 : max(end, 0)].strip())
        is_address = _PATHLIKE.search(address) or re.search(r"\{[{%]", address)
        if end < 0 or " " not in address or not is_address:
            return None
    elif follows == "[":
        end = state.src.find("]", label_end + 2, state.posMax)
        unknown = state.src[label_end + 2 : end]
        label = unknown or state.src[state.pos + 1 : label_end]
        if end < 0 or "[" in label or "\n" in label or normalizeReference(label) in state.env.get("references", {}):
            return None
    elif follows == "{" and (braces := ATTRIBUTES.match(state.src, label_end + 1, state.posMax)):
        if not ATTRIBUTE_LIST.fullmatch(braces[1]):
            return None
        end = braces.end() - 1
    else:
        return None
    return read(state, state.pos + 1, label_end, end + 1, unknown)


LINK_RULES = (_note, _wiki, _picture, _citation, _loose_link, _block_reference)
#: Looked for before a backslash escapes a bracket.
EARLY_LINK_RULES = (_linked_source,)
