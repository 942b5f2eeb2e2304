"""A brief's front matter, as people and site generators write it."""

from __future__ import annotations

import datetime
import json
import re
from typing import Any

from stages.brief.nodes import Node, from_json, from_python, from_yaml
from stages.brief.problems import Problems, nearest, shorten

#: How front matter begins, and how it ends; word processors turn three hyphens into dashes.
_OPENING = re.compile(r"-{3,}|\+\+\+|[—–]-?|-[—–]")
_QUOTED = re.compile(r"^([ \t]*[\w-]+[ \t]*:[ \t]*)[“”„«]([^\"“”„«»\n]*)[“”»][ \t]*$", re.MULTILINE)
_PROPERTY = re.compile(r"(?P<name>[^\W\d_][\w &/-]{0,30}?)[ \t]*:[ \t]+(?P<value>\S.*)")
_ENDS_LIKE_PROSE = re.compile(r"[.!?…。！？][\"'”’»)]*$")
_SENTENCE_WORDS = 8
#: A slide's own settings in the middle of a deck: one of these keys first, and nothing but `key: value` lines.
_SLIDE_KEY = re.compile(
    r"(?:layout|class|background|clicks|hideInToc|routeAlias|disabled|preload|zoom|dragPos|transition|level|src|image):.*"
)
_KEY_LINE = re.compile(r"[A-Za-z][\w-]*:(?:\s.*)?|\s+\S.*")
#: Values of our keys with which another tool means its own.
_OTHERS_FORMATS = """
    html pdf docx odt epub gfm commonmark revealjs pptx beamer typst latex dashboard hugo jats ipynb md markdown html5 ebook
    confluence"""
_OTHERS_THEMES = """
    gaia uncover default seriph apple-basic bricks shibainu dracula geist light-icons purplin cosmo flatly darkly lumen litera
    light dark minimal black white league beige sky night serif simple solarized moon blood academic vuepress journal sandstone
    yeti"""
_OTHERS_TRANSITIONS = "slide-left slide-right slide-up slide-down fade-out view-transition zoom convex"
_OTHERS_VALUES = {
    "format": frozenset(_OTHERS_FORMATS.split()),
    "theme": frozenset(_OTHERS_THEMES.split()),
    "transition": frozenset(_OTHERS_TRANSITIONS.split()),
}
#: What note apps and site generators keep in front matter, and a film has no use for.
_PAGE_KEYS_LISTED = """
    abstract alias aliases author_profile authors background backgroundcolor banner bibliography body_class canonical
    canonicalurl categories category citation class classes color comments contributors cover created created_at csl
    cssclass cssclasses created_time created_by custom_edit_url custom_excerpt date datecreated datemodified documentclass
    draft due_date email event excerpt expirydate feature_image featured fontsize footer geometry header header-includes
    heroimage hidden hide_title icon id image images isbn keywords lastmod lastupdated last_edited_time last_modified_at
    layout license linestretch link links linktitle location markup marp math menu mathjax modified modified_at nav_order
    navigation next og_image outline output outputs pagination paginate parent permalink prev pubdate publish published
    publishdate rating redirect_from redirect_to related reviewed robots search series share sidebar sidebar_label
    sidebar_position size slug social source sources status subject subtitle tag tags template thumbnail toc topic topics
    type uid up updated updated_at url uuid version view weight
"""
PAGE_KEYS = frozenset(_PAGE_KEYS_LISTED.split())
#: How site generators call a key of ours.
_SAME = {"lang": "language"}
_PROPERTIES_AT_LEAST = 2


def split(text: str, problems: Problems) -> tuple[dict[str, Node], str, int]:
    """Front matter by key, what follows it, and the line at which that starts."""
    lines = text.split("\n")
    start = next((index for index, line in enumerate(lines) if line.strip()), 0)
    first = lines[start].strip()
    if first == "{" and (end := _json_end(lines, start)):
        return _entries(from_json("\n" * start + "\n".join(lines[start:end]), problems), problems), *_rest(lines, end)
    if not _OPENING.fullmatch(first):
        return {}, text, 1
    ends = ("+++",) if first == "+++" else ("---", "...", first)
    for end in range(start + 1, len(lines)):
        if lines[end].strip() in ends and not lines[end][:1].isspace():
            inner = "\n".join(lines[start + 1 : end])
            read = _from_toml if first == "+++" else _from_tidied_yaml
            return _entries(read(inner, problems, start + 2), problems), *_rest(lines, end + 1)
    problems.add(start + 1, "", f"the front matter is never closed; end it with a line of {ends[0]}")
    return {}, "", len(lines)


def known_entries(
    entries: dict[str, Node], known: tuple[str, ...], problems: Problems, *, refuse_slips: bool = True
) -> dict[str, Node]:
    """The entries that a brief has, whatever their case. What belongs to a page is named in a warning, and left out.

    A name that looks like a slip is kept, to be refused with a suggestion, unless `refuse_slips` is false.
    """
    kept: dict[str, Node] = {}
    unused: list[tuple[int, str]] = []
    for name, node in entries.items():
        plain = _SAME.get(name.strip().lower(), name.strip().lower())
        if plain in known and plain not in entries and not _is_meant_for_another_tool(plain, node):
            kept[plain] = node
        elif _is_meant_for_another_tool(plain, node) or (
            plain not in known and (not refuse_slips or _is_for_a_page(plain, known))
        ):
            unused.append((node.line, shorten(name)))
        else:
            kept[name] = node
    if unused:
        names = ", ".join(name for _, name in unused)
        problems.warn(min(line for line, _ in unused), f"not used, as no key of a brief: {names}")
    return kept


def properties(text: str, known: tuple[str, ...]) -> int:
    """How many lines at the start of a text are `Name: value` lines of a page, as some exports write them without a fence."""
    count, is_of_a_page = 0, False
    for line in text.split("\n"):
        found = _PROPERTY.fullmatch(line.strip())
        if not found:
            # A line of prose right below shows that those above are prose as well.
            return count if not line.strip() and count >= _PROPERTIES_AT_LEAST and is_of_a_page else 0
        is_known = _names_a_property(found["name"], known)
        if not is_known and (_ENDS_LIKE_PROSE.search(found["value"]) or len(found["value"].split()) > _SENTENCE_WORDS):
            return 0
        is_of_a_page |= is_known
        count += 1
    return count if count >= _PROPERTIES_AT_LEAST and is_of_a_page else 0


def without_slide_settings(lines: list[str], first_line: int, problems: Problems) -> None:
    """Take the settings of single slides out of the text, which stand between two lines of `---`."""
    at = 0
    while at < len(lines):
        end = next((index for index in range(at + 1, len(lines)) if not _KEY_LINE.fullmatch(lines[index])), len(lines))
        is_settings = (
            lines[at].strip() == "---"
            and at + 1 < end < len(lines)
            and lines[end].strip() == "---"
            and any(_SLIDE_KEY.fullmatch(line) for line in lines[at + 1 : end])
        )
        if is_settings:
            names = ", ".join(line.split(":")[0] for line in lines[at + 1 : end] if not line[0].isspace())
            problems.warn(first_line + at + 1, f"not used, as settings of a slide: {names}")
            lines[at : end + 1] = [""] * (end + 1 - at)
        at += 1


def property_entries(lines: list[str], first_line: int) -> dict[str, Node]:
    """Those lines by key."""
    found = [(_PROPERTY.fullmatch(line.strip()), number) for number, line in enumerate(lines, first_line)]
    return {
        match["name"].strip().lower().replace(" ", "_"): Node(match["value"], number, match["value"])
        for match, number in found
        if match
    }


def _is_meant_for_another_tool(name: str, node: Node) -> bool:
    """Whether a key that we could take has a value, or values, that only a site generator or a slide tool knows."""
    others = _OTHERS_VALUES.get(name)
    if not others:
        return False
    names = node.value if isinstance(node.value, dict) else [node.raw] if node.raw else []
    return bool(names) and all(str(each).lower().split("+")[0] in others or "/" in str(each) for each in names)


def _names_a_property(name: str, known: tuple[str, ...]) -> bool:
    plain = name.strip().lower()
    return plain in known or plain.replace(" ", "_") in PAGE_KEYS or plain.replace(" ", "") in PAGE_KEYS


def _is_for_a_page(name: str, known: tuple[str, ...]) -> bool:
    from stages.brief.schema import HINTS

    plain = re.sub(r"[ -]", "_", name)
    if plain in PAGE_KEYS or plain.replace("_", "") in PAGE_KEYS or name in PAGE_KEYS:
        return True
    return name not in HINTS and not nearest(name, known)


def _entries(node: Node, problems: Problems) -> dict[str, Node]:
    if isinstance(node.value, dict):
        return dict(node.value)
    if node.value is not None:
        problems.add(node.line, "", f"the front matter is {node.kind}, not `key: value` lines")
    return {}


def _rest(lines: list[str], end: int) -> tuple[str, int]:
    return "\n".join(lines[end:]), end + 1


def _from_tidied_yaml(text: str, problems: Problems, first_line: int) -> Node:
    """YAML whose quotes and spaces a word processor has made typographic."""
    tidy = (
        text.replace("\u00a0", " ").replace("\t", "    ") if "\u00a0" in text or re.search(r"^\t", text, re.M) else text
    )
    return from_yaml(_QUOTED.sub(r'\1"\2"', tidy), problems, first_line)


def _from_toml(text: str, problems: Problems, first_line: int) -> Node:
    import tomllib

    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"at line (\d+)", str(error))
        line = first_line + int(at[1]) - 1 if at else first_line
        problems.add(line, "", f"not valid TOML: {shorten(str(error))}")
        return Node(None, first_line)
    except RecursionError:
        problems.add(first_line, "", "is nested too deeply")
        return Node(None, first_line)
    node = from_python(_without_dates(data), problems)
    return _with_lines(node, text.split("\n"), first_line)


def _without_dates(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_dates(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_dates(item) for item in value]
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else value


def _with_lines(node: Node, lines: list[str], first_line: int) -> Node:
    """The values of a TOML table with the lines of their keys; what is inside a value has its line."""
    if not isinstance(node.value, dict):
        return node
    entries = {}
    for name, entry in node.value.items():
        key = re.compile(rf"\s*\[*\s*[\"']?{re.escape(name)}[\"']?\s*[=\].]")
        line = next((number for number, text in enumerate(lines, first_line) if key.match(text)), first_line)
        entries[name] = _at_line(entry, line)
    return Node(entries, first_line)


def _at_line(node: Node, line: int) -> Node:
    value = node.value
    if isinstance(value, dict):
        value = {key: _at_line(item, line) for key, item in value.items()}
    elif isinstance(value, list):
        value = [_at_line(item, line) for item in value]
    return Node(value, line, node.raw)


def _json_end(lines: list[str], start: int) -> int:
    """The line after a JSON object that begins the text; 0 where there is none, or nothing follows it."""
    text = "\n".join(lines[start:])
    try:
        found, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return 0
    last = start + text.count("\n", 0, end) + 1
    return last if isinstance(found, dict) and not lines[last - 1].strip(" }") else 0
