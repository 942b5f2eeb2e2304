"""Briefs: Markdown, plain text, YAML, JSON or a dict become one validated `Brief`."""

from __future__ import annotations

from stages.brief.canonical import brief_from_canonical, canonical
from stages.brief.documents import way_to_a_brief
from stages.brief.load import FORMATS, brief_from_dict, load_brief, parse_brief
from stages.brief.media import CLIP_ENDINGS, PICTURE_ENDINGS, SOUND_ENDINGS, pictures_in

__all__ = [
    "CLIP_ENDINGS",
    "FORMATS",
    "PICTURE_ENDINGS",
    "SOUND_ENDINGS",
    "brief_from_canonical",
    "brief_from_dict",
    "canonical",
    "load_brief",
    "parse_brief",
    "pictures_in",
    "way_to_a_brief",
]
