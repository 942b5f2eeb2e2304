"""Documents that people take for briefs: what they are, and what makes a brief of them."""

from __future__ import annotations

import shlex
from pathlib import Path

#: By ending: a command with {source} and {stem} in it.
_PANDOC = "pandoc {source} -o {stem}.md"
_READ_BY_ENDING = ".docx .odt .rtf .html .htm .xhtml .rst .org .tex .latex .epub .ipynb .fb2 .typ .opml"
_PANDOC_FROM = "pandoc -f {format} {source} -o {stem}.md"
_READ_BY_NAME = ".textile .wiki .mediawiki .dokuwiki .muse .t2t .djot"
_COMMANDS = {
    **dict.fromkeys(_READ_BY_ENDING.split(), _PANDOC),
    **dict.fromkeys(_READ_BY_NAME.split(), _PANDOC_FROM),
    ".doc": "libreoffice --convert-to docx {source} && pandoc {stem}.docx -o {stem}.md",
    ".pptx": "libreoffice --convert-to pdf {source} && pdftotext {stem}.pdf {stem}.txt",
    ".pdf": "pdftotext {source} {stem}.txt",
    ".adoc": "asciidoctor -b docbook {source} && pandoc -f docbook {stem}.xml -o {stem}.md",
    ".asciidoc": "asciidoctor -b docbook {source} && pandoc -f docbook {stem}.xml -o {stem}.md",
}
_FORMATS = {".wiki": "mediawiki"}
#: Markdown under the ending of one tool.
_MARKDOWN = (".mdx", ".qmd", ".rmd", ".mkd", ".mdown", ".mkdn", ".mdwn", ".mdtxt", ".mdtext", ".text", ".mdc")


def way_to_a_brief(path: Path) -> str:
    """The command that makes a brief of a document; empty for a file that is no document by its ending."""
    ending = path.suffix.lower()
    if ending in _MARKDOWN:
        return f"cp {shlex.quote(str(path))} {shlex.quote(str(path.with_suffix('.md')))}"
    if ending not in _COMMANDS:
        return ""
    return _COMMANDS[ending].format(
        source=shlex.quote(str(path)),
        stem=shlex.quote(str(path.with_suffix(""))),
        format=_FORMATS.get(ending, ending[1:]),
    )
