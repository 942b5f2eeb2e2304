"""Markdown and plain text: front matter, then `##` scenes or prose for the writer."""

from __future__ import annotations

import re

from stages.brief.body import Source, read_body, tell_left_out, tell_second_title
from stages.brief.front import known_entries, properties, property_entries, split, without_slide_settings
from stages.brief.nodes import Node
from stages.brief.problems import Problems
from stages.brief.words import in_plain_words
from stages.text.markup import plain_line

_SHORT_TITLE = 80
_BEGINS_A_BLOCK = re.compile(r"#|[-*+>•]\s|!?\[|<|:::|\{|\d+[.)]\s|```|~~~|\|")
_UNDERLINE = re.compile(r"[ ]{0,3}(?:=+|-{2,})\s*")


def from_markdown(text: str, problems: Problems, *, is_plain: bool = False) -> Node:
    """The brief as the mapping that a YAML brief would have been, with the lines of this file.

    In plain text a short first line with an empty one below is the title, as it is without any mark.
    """
    from stages.brief.schema import KEYS

    entries, body, line = split(text, problems)
    entries = in_plain_words(known_entries(entries, KEYS, problems), problems)
    lines = body.split("\n")
    without_slide_settings(lines, line, problems)
    title = _take_properties(lines, line, entries, problems)
    if is_plain:
        title = _take_title(lines, line, problems) or title
        _keep_number_signs(lines)
    source = Source("\n".join(lines), line)
    found = read_body(source, problems)
    if is_plain and not title and not entries and "text" in found and _is_title(body.strip(), found["text"].raw):
        title = found["text"]
    if title and "title" in found:
        tell_second_title(title, found["title"], problems)
    elif title:
        found["title"] = title
    for key, node in found.items():
        if key != "title" and key in entries:
            problems.add(entries[key].line, key, "is given in the front matter and below it; keep one of them")
        if key == "title" and key in entries:
            tell_second_title(entries[key], node, problems)
        else:
            entries[key] = node
    return Node(entries, 1)


def _take_properties(lines: list[str], line: int, entries: dict[str, Node], problems: Problems) -> Node | None:
    """Take `Name: value` lines out that stand at the top or under the title; the title that was among them."""
    from stages.brief.schema import KEYS

    start = next((index for index, text in enumerate(lines) if text.strip()), 0)
    if lines[start].startswith("% "):
        return _take_title_block(lines, line, start, entries, problems)
    if lines[start].startswith("# "):
        start = next((index for index in range(start + 1, len(lines)) if lines[index].strip()), len(lines))
    count = properties("\n".join(lines[start:]), KEYS) if start < len(lines) else 0
    found = property_entries(lines[start : start + count], line + start)
    lines[start : start + count] = [""] * count
    found = in_plain_words(known_entries(found, KEYS, problems, refuse_slips=False), problems)
    title = found.pop("title", None)
    for key, node in found.items():
        entries.setdefault(key, node)
    return title


def _take_title_block(
    lines: list[str], line: int, start: int, entries: dict[str, Node], problems: Problems
) -> Node | None:
    """`% title`, `% author` and `% date` in lines of their own, as scientific papers begin."""
    title = None
    for index, key in enumerate(("title", "author", "date"), start):
        if index >= len(lines) or not lines[index].startswith("%"):
            break
        plain = plain_line(lines[index].lstrip("% "))
        tell_left_out(plain.left_out, Source("", line + index), problems)
        text, lines[index] = plain.text, ""
        if key == "title" and text:
            title = Node(text, line + index, text)
        elif key == "author" and text:
            entries.setdefault(key, Node(text, line + index, text))
        elif text:
            problems.warn(line + index, f"not used, as no key of a brief: {text}")
    return title


def _take_title(lines: list[str], line: int, problems: Problems) -> Node | None:
    """The title of a plain text, taken out of its lines; a rule below it goes with it."""
    start = next((index for index, text in enumerate(lines) if text.strip()), 0)
    below = start + 1
    if below < len(lines) and _UNDERLINE.fullmatch(lines[below]):
        lines[below] = ""
    has_more = any(text.strip() for text in lines[below:])
    has_gap = below < len(lines) and not lines[below].strip()
    if not (has_gap and has_more and _is_title(lines[start].strip(), lines[start].strip())):
        return None
    title = plain_line(lines[start])
    tell_left_out(title.left_out, Source("", line + start), problems)
    lines[start] = ""
    return Node(title.text, line + start, title.text) if title.text else None


def _keep_number_signs(lines: list[str]) -> None:
    """In plain text, `# ` is a heading only where it stands alone at the top: `# of people: 5` is text."""
    start = next((index for index, text in enumerate(lines) if text.strip()), 0)
    for index, text in enumerate(lines):
        is_alone = index + 1 == len(lines) or not lines[index + 1].strip()
        if re.match(r" {0,3}# ", text) and not (index == start and is_alone):
            lines[index] = text.replace("#", "\\#", 1)


def _is_title(source: str, text: str) -> bool:
    """Whether a text in one line reads like a title."""
    is_line = len(text) <= _SHORT_TITLE and "\n" not in source and not _BEGINS_A_BLOCK.match(source)
    return is_line and not text.rstrip().endswith((".", ";", ",", ":"))
