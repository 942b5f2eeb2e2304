"""The one Markdown parser: CommonMark with its kept plugins, and what people's tools write beyond both."""

from __future__ import annotations

import re
from functools import lru_cache

from markdown_it import MarkdownIt
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.footnote import footnote_plugin

from stages.text.blocks import code_of_template, container, formula_block
from stages.text.dialects import BRACE_RULES, DIALECT_RULES, EARLY_DIALECT_RULES
from stages.text.links import EARLY_LINK_RULES, LINK_RULES
from stages.text.list_marks import with_list_marks
from stages.text.marks import EARLY_RULES, MARK_RULES
from stages.text.rules import as_rule

#: Comments of HTML, of note apps and of templates: how they begin and end.
_COMMENTS = (
    (re.compile(r"(?<!`)<!--"), re.compile(r"-->")),
    (re.compile(r"(?<!\S)%%(?!%)"), re.compile(r"%%(?!\S)")),
    (re.compile(r"\{/\*"), re.compile(r"\*/\s*\}")),
    (re.compile(r"\{%-?\s*comment\s*-?%\}"), re.compile(r"\{%-?\s*endcomment\s*-?%\}")),
)
#: Tags of word processors that are no HTML: `<o:p>` and `<![if !supportLists]>`.
_OFFICE = re.compile(r"</?(?:o|v|w|m|x|st1|xml):[a-z]\w*(?:\s[^<>]*)?/?>|<!\[(?:if[^\[\]<>]*|endif)\]>", re.IGNORECASE)
#: Quotes, lists and indents nested so deeply that the parser would stop there, and what follows would be lost.
_TOO_DEEP = re.compile(r"^(?:[ \t]{80,}|(?:[ \t]*(?:>|[-*+](?=[ \t])|\d{1,9}[.)](?=[ \t]))){40,}[ \t]*)", re.MULTILINE)
_MOST_NESTED = 100
_INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u2060\u00ad\u202a\u202b\u202c\u202d\u202e"))
_BEFORE_A_MARK = re.compile(r"^([ \t]{0,3})[\u00a0\u200c-\u200f\u2066-\u2069]+(?=[#>*+•-]|\d+[.)])", re.MULTILINE)
_AFTER_A_MARK = re.compile(r"^([ \t]*(?:>[ \t]?)*(?:#{1,6}|[-*+>]|\d{1,9}[.)]))[\u00a0\u202f\u3000]", re.MULTILINE)
_WIDE_HEADING = re.compile(r"^[ ]{0,3}＃+", re.MULTILINE)
_TIGHT_HEADING = re.compile(r"^([ ]{0,3}#{2,6})(?=[^\s#])", re.MULTILINE)
#: A heading as encyclopedias write it, with as many signs on both sides.
_WIKI_HEADING = re.compile(r"^(={2,6})[ \t]+(\S[^\n]*?)[ \t]+\1[ \t]*$", re.MULTILINE)
_TIGHT_TITLE = re.compile(r"\s*#(?=[^\W\d_][^#\n]* [^#\n]*(?:\n|$))")
_BULLET = re.compile(r"^([ \t]*)(?:[•◦▪▫‣⁃●○■□➢➤►✓✔❖·\uf0b7\uf0a7]|o(?=\t))[ \t\u00a0]+", re.MULTILINE)
_TICK_BOX = re.compile(r"^([ \t]*)(?:[☐☑☒][ \t\u00a0]*|(?=\[[ xX]\][ \t]))", re.MULTILINE)


@lru_cache(maxsize=1)
def parser() -> MarkdownIt:
    """The parser. Addresses of every kind are links: whether one can be used is asked later."""
    made = MarkdownIt("commonmark", {"maxNesting": _MOST_NESTED}).enable(["table", "strikethrough"]).disable("code")
    made.use(footnote_plugin, inline=False, move_to_end=False).use(deflist_plugin)
    made.inline.ruler.disable("footnote_ref")
    made.validateLink = lambda url: True  # type: ignore[method-assign]
    made.normalizeLink = lambda url: url  # type: ignore[method-assign]
    for block in (container, formula_block, code_of_template):
        made.block.ruler.before("fence", block.__name__, block, {"alt": ["paragraph", "blockquote", "list"]})
    for find in (*EARLY_LINK_RULES, *EARLY_RULES, *EARLY_DIALECT_RULES):
        made.inline.ruler.before("escape", find.__name__, as_rule(find))
    # A template's code in square brackets is looked for before a citation.
    for find in (*DIALECT_RULES, *MARK_RULES, *BRACE_RULES, *LINK_RULES):
        made.inline.ruler.before("link", find.__name__, as_rule(find))
    for char in "【(|'\ue200":
        made.inline.add_terminator_char(char)
    return made


def prepared(source: str) -> tuple[str, int]:
    """The source with the same lines, without comments, and with marks as the parser knows them.

    Also the line (from 1) of a comment that is never closed; 0 where there is none.
    """
    text = source.replace("\r\n", "\n").replace("\r", "\n").translate(_INVISIBLE)
    for opening, closing in _COMMENTS:
        text = _without(text, opening, closing)
    text = _OFFICE.sub(lambda found: "\n" * found[0].count("\n"), text)
    left_open = _COMMENTS[0][0].search(text)
    # Read, so that nothing is lost where an opening mark was a slip.
    text = _COMMENTS[0][0].sub("", text) if left_open else text
    text = _TOO_DEEP.sub("", text)
    text = _BEFORE_A_MARK.sub(r"\1", text)
    text = _WIDE_HEADING.sub(lambda found: found[0].replace("＃", "#"), text)
    text = _AFTER_A_MARK.sub(r"\1 ", text)
    text = _TIGHT_TITLE.sub(lambda found: f"{found[0]} ", text, count=1) if _TIGHT_TITLE.match(text) else text
    text = _WIKI_HEADING.sub(lambda found: f"{'#' * len(found[1])} {found[2]}", text)
    text = _TIGHT_HEADING.sub(r"\1 ", text)
    text = _TICK_BOX.sub(r"\1- ", _BULLET.sub(r"\1- ", text))
    text = with_list_marks(text)
    return text, left_open.string.count("\n", 0, left_open.start()) + 1 if left_open else 0


def _without(text: str, opening: re.Pattern[str], closing: re.Pattern[str]) -> str:
    """The text without what stands from `opening` to `closing`, but with its line ends."""
    parts, at = [], 0
    while (first := opening.search(text, at)) and (last := closing.search(text, first.end())):
        parts += [text[at : first.start()], "\n" * text.count("\n", first.start(), last.end())]
        at = last.end()
    return "".join([*parts, text[at:]])


def counts_on(before: int, number: int, *, in_one_list: bool) -> bool:
    """Whether a number before a paragraph goes on counting: `1. 2. 3.`, also with other things in between, or `1. 1. 1.`."""
    return number == before + 1 or (in_one_list and number == before)
