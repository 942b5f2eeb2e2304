"""Blocks of lines that note apps and site generators write beyond CommonMark, as parser rules."""

from __future__ import annotations

import re

from markdown_it.rules_block import StateBlock

from stages.text.formulas import is_formula

_CONTAINER = re.compile(r":{3,}[ \t]*(?P<rest>.*)")
_ADMONITION = re.compile(r"(?:!!!|\?\?\?\+?)[ \t]+[a-z -]+?(?:\"(?P<title>[^\"]*)\")?[ \t]*")
_TAB = re.compile(r"===[!+]{0,2}[ \t]+[\"“](?P<title>[^\"”]*)[\"”][ \t]*")
_SLASHES = re.compile(r"/{3,}[ \t]*(?:[a-z][\w -]*?)?[ \t]*(?:\|[ \t]*(?P<title>.*))?")
#: A template's block of code: how it opens. Where it closes follows from its name.
_CODE_OPENING = re.compile(
    r"\{\{[<%]\s*(?P<hugo>highlight|code|mermaid|katex|math|chart|plantuml|codes)\b[^{}\n]*[>%]\}\}"
    r"|\{%-?\s*(?P<liquid>highlight|codeblock|code|mermaid|plantuml|math|katex|uml)\b[^{}\n]*?-?%\}"
    r"|\[(?P<square>code|sourcecode|php|html|css|js|javascript|python|bash|sql|latex)(?:\s+[\w-]+=[^\[\]\n]*)?\]"
)


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def container(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """One line that opens or closes a box or a tab, `:::note Title`, `!!! note "Title"`, `=== "Title"`, `/// note | Title`.

    Only its title is text.
    """
    line = _line(state, start).rstrip()
    is_above_indented = start + 1 < end and (
        state.sCount[start + 1] >= state.blkIndent + 4
        or (state.isEmpty(start + 1) and start + 2 < end and state.sCount[start + 2] >= state.blkIndent + 4)
    )
    found = _CONTAINER.fullmatch(line) or _TAB.fullmatch(line) or _SLASHES.fullmatch(line)
    found = found or (_ADMONITION.fullmatch(line) if is_above_indented else None)
    if not found:
        return False
    if silent:
        return True
    token = state.push("container", "", 0)
    token.content = found.groupdict().get("title") or _container_title(found.groupdict().get("rest") or "")
    token.map = [start, start + 1]
    state.line = start + 1
    return True


def _container_title(rest: str) -> str:
    """The title in `note Title`, `tip[Title]` or `{.callout-tip title="Title"}`."""
    if quoted := re.search(r"title\s*=\s*[\"“']([^\"”']*)", rest):
        return quoted[1]
    if bracketed := re.fullmatch(r"[\w-]*\s*\[(.*)\]\s*(?:\{.*\})?", rest):
        return bracketed[1]
    bare = re.sub(r"\{[^{}]*\}|:+$", " ", rest).strip()
    return " ".join(bare.split()[1:])


def code_of_template(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Code between the tags of a template, `{% highlight ruby %}` … `{% endhighlight %}`: the same as a fence."""
    begin = state.bMarks[start] + state.tShift[start]
    opening = _CODE_OPENING.match(state.src, begin, state.eMarks[start])
    if not opening:
        return False
    closing = code_ending(opening).search(state.src, opening.end(), state.eMarks[end - 1])
    if not closing:
        return False
    last = start + state.src.count("\n", begin, closing.end())
    if state.src[closing.end() : state.eMarks[last]].strip():
        # Words follow in the same line: the rule for lines finds it.
        return False
    if silent:
        return True
    token = state.push("fence", "code", 0)
    token.content = state.src[opening.end() : closing.start()].strip("\n")
    token.map = [start, last + 1]
    state.line = last + 1
    return True


def code_opening(text: str, start: int, most: int) -> re.Match[str] | None:
    return _CODE_OPENING.match(text, start, most)


def code_ending(opening: re.Match[str]) -> re.Pattern[str]:
    """How the block of code ends that a tag opens."""
    if opening["hugo"]:
        return re.compile(rf"\{{\{{[<%]\s*/\s*{opening['hugo']}\s*[>%]\}}\}}")
    if opening["liquid"]:
        return re.compile(rf"\{{%-?\s*end{opening['liquid']}\s*-?%\}}")
    return re.compile(rf"\[/{opening['square']}\]")


def formula_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    r"""A formula over several lines, from `$$` to `$$` or from `\[` to `\]`."""
    first = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]]
    closing = {"$$": "$$", "\\[": "\\]"}.get(first[:2])
    if not closing or silent:
        return bool(closing) and first.strip() in ("$$", "\\[")
    last = start
    while last < end:
        line = state.src[state.bMarks[last] : state.eMarks[last]].rstrip()
        if line.endswith(closing) and (last > start or len(first.rstrip()) > len(closing) + 1):
            break
        last += 1
    content = state.getLines(start, last + 1, state.blkIndent, False)
    if last == end or not is_formula(content.strip()[2:-2].strip()):
        return False
    token = state.push("formula_block", "", 0)
    token.content = content
    token.map = [start, last + 1]
    state.line = last + 1
    return True
