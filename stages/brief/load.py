"""From a file, a text or a dict to a `Brief`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from config.errors import BriefError
from stages.brief.documents import way_to_a_brief
from stages.brief.fields import Reader
from stages.brief.file_text import read_text
from stages.brief.nodes import from_json, from_python, from_yaml
from stages.brief.problems import Problems
from stages.brief.schema import build
from stages.models import Brief
from stages.text.names import as_spelled

_HALF_A_PAIR = re.compile("[\ud800-\udfff]")
Format = Literal["md", "txt", "yaml", "json"]
FORMATS: dict[str, Format] = {
    ".md": "md", ".markdown": "md", ".txt": "txt", ".yaml": "yaml", ".yml": "yaml", ".json": "json",
}  # fmt: skip


def load_brief(path: Path) -> Brief:
    """The brief in a file; its ending says how it is written. Paths in it start from the file's folder.

    Raises BriefError with every problem, each as `file:line: key: what is wrong`.
    """
    format = FORMATS.get(path.suffix.lower())
    if format is None and path.is_file():
        what = f"ends in {path.suffix!r}" if path.suffix else "has no ending"
        command = way_to_a_brief(path)
        hint = f"convert it: {command}" if command else "save it as text, with one of these endings"
        raise BriefError(f"{path}: {what}; a brief ends in one of {' '.join(FORMATS)}", hint=hint)
    path = as_spelled(path)
    text = read_text(path)
    return _parse(text, format or "txt", path.absolute().parent, path.stem, str(path))


def parse_brief(text: str, *, format: Format, base: Path, name: str) -> Brief:
    """The brief in `text`. Relative paths start from `base`; messages and outputs call it `name`."""
    return _parse(text, format, base.absolute(), name, name)


def brief_from_dict(data: Mapping[str, Any], base: Path, name: str) -> Brief:
    """The brief in a dict with the keys of a YAML brief. Raises BriefError, naming keys only."""
    from stages.brief.words import in_plain_words

    problems = Problems(name)
    root = from_python(data, problems)
    if isinstance(root.value, dict):
        root = replace(root, value=in_plain_words(root.value, problems))
    return build(root, Reader(problems, base.absolute()), name)


def _parse(text: str, format: Format, base: Path, name: str, label: str) -> Brief:
    problems = Problems(label)
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if half := _HALF_A_PAIR.search(text):
        line = text.count("\n", 0, half.start()) + 1
        problems.add(line, "", "holds half of a surrogate pair, which is no character")
        problems.raise_if_any()
    if not text.strip():
        problems.add(1, "", "the brief is empty; write a text or scenes")
        problems.raise_if_any()
    if format in ("json", "yaml"):
        from stages.brief.words import in_plain_words

        root = from_json(text, problems) if format == "json" else from_yaml(text, problems)
        if isinstance(root.value, dict):
            root = replace(root, value=in_plain_words(root.value, problems))
    else:
        from stages.brief.markdown import from_markdown

        root = from_markdown(text, problems, is_plain=format == "txt")
    return build(root, Reader(problems, base), name)
