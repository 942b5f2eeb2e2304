"""HTML inside Markdown: which tags are tags, what they hide, and where they break a text into blocks."""

from __future__ import annotations

import re
from html import unescape

#: Every element of the HTML standard, and the old ones that exports still write.
_ALL = """
    a abbr acronym address applet area article aside audio b base basefont bdi bdo big blockquote body br button canvas
    caption center cite code col colgroup data datalist dd del details dfn dialog dir div dl dt em embed fieldset figcaption
    figure font footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html i iframe img input ins kbd label legend
    li link main map mark math menu meta meter nav noframes noscript object ol optgroup option output p param picture pre
    progress q rp rt ruby s samp script search section select slot small source span strike strong style sub summary sup svg
    table tbody td template textarea tfoot th thead time title tr track tt u ul var video wbr"""
_ELEMENTS = frozenset(_ALL.split())
_BARE = """
    allowfullscreen async autofocus autoplay checked controls default defer disabled hidden inert ismap itemscope loop
    multiple muted nomodule noshade nowrap novalidate open playsinline readonly required reversed selected"""
_BARE_ATTRIBUTES = frozenset(_BARE.split())
#: Elements whose content no reader sees as words, and what to say of them; nothing for what no reader sees at all.
HIDING = {
    **dict.fromkeys(("script", "style", "template", "head", "noscript", "datalist", "rp"), ""),
    "rt": "a reading aid",
    "s": "struck-out text", "del": "struck-out text", "strike": "struck-out text",
    "iframe": "embedded content", "object": "embedded content", "audio": "embedded content", "svg": "a drawing",
    "canvas": "a drawing", "select": "a form", "textarea": "a form", "button": "a form",
    "table": "a table", "pre": "a block of code", "math": "a formula",
}  # fmt: skip
_BREAKS = """
    address article aside blockquote body br caption center dd details dialog div dl dt fieldset figcaption figure footer form
    header hr html legend li main menu nav ol p section summary ul"""
_BREAKING = frozenset(_BREAKS.split())
_SHOWN_ATTRIBUTES = ("label", "title", "heading", "caption", "summary", "subtitle", "description", "text")
HEADINGS = {f"h{level}": level for level in range(1, 7)}
_TAG = re.compile(r"<(?P<end>/?)(?P<name>[a-zA-Z][\w:-]*)(?P<rest>(?:\"[^\"<]*\"|'[^'<]*'|[^<>\"'])*)>")
_ATTRIBUTE = re.compile(r"""([\w:@.-]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+))?""")


class Tag:
    """One tag as it is written. `is_tag` is false for words between angle brackets that no browser knows."""

    def __init__(self, source: str, ended: frozenset[str]) -> None:
        """`ended` holds the names of all elements that the document ends somewhere."""
        found = _TAG.fullmatch(source.strip())
        self.name = found["name"].lower() if found else ""
        self.is_end = bool(found and found["end"])
        rest = found["rest"] if found else ""
        self.attributes = {
            name.lower(): unescape(value.strip("\"'")) if value else "" for name, value in _ATTRIBUTE.findall(rest)
        }
        self.is_tag = not found or self._is_known(rest, ended)
        self._has_end = self.name in ended and not rest.endswith("/")

    def _is_known(self, rest: str, ended: frozenset[str]) -> bool:
        if self.name not in _ELEMENTS:
            # A component of a site generator, or words: `<Insert name here>`.
            return self.is_end or "=" in rest or rest.endswith("/") or self.name in ended
        bare = {name for name, value in self.attributes.items() if not value and f"{name}=" not in rest.lower()}
        return all(name in _BARE_ATTRIBUTES or name.startswith("data-") for name in bare - {"/"})

    @property
    def hides(self) -> bool:
        """Whether a reader does not see as words what follows, up to the end of the element."""
        style = self.attributes.get("style", "").replace(" ", "").lower()
        is_hiding = self.name in HIDING or "hidden" in self.attributes or "display:none" in style
        return is_hiding and self._has_end and not self.is_end

    @property
    def component_words(self) -> str:
        """What a component of a site generator shows of its attributes, as `<TabItem label="Linux">`."""
        if self.is_end or self.name in _ELEMENTS:
            return ""
        return " ".join(self.attributes[name] for name in _SHOWN_ATTRIBUTES if self.attributes.get(name))

    @property
    def breaks(self) -> bool:
        return self.name in _BREAKING or self.name in HEADINGS


def ended_elements(source: str) -> frozenset[str]:
    """Names of all elements that have an end tag."""
    return frozenset(name.lower() for name in re.findall(r"</([a-zA-Z][\w:-]*)", source))


def pieces(source: str) -> list[tuple[int, str, bool]]:
    """HTML cut into tags and what stands between them: (lines above, text, whether it is a tag)."""
    found: list[tuple[int, str, bool]] = []
    at = lines = 0
    for tag in _TAG.finditer(source):
        for text, is_tag in ((source[at : tag.start()], False), (tag[0], True)):
            if text:
                found.append((lines, text, is_tag))
                lines += text.count("\n")
        at = tag.end()
    if at < len(source):
        found.append((lines, source[at:], False))
    return found
