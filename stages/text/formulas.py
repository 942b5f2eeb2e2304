"""Whether a text between a formula's marks is mathematics."""

from __future__ import annotations

import re


def is_formula(text: str) -> bool:
    """Whether text between dollar signs is mathematics, and not prose between two prices."""
    if re.search(r"\\[a-zA-Z]+|[\^_{}]|[^<>=]=[^=]", text):
        return True
    return bool(re.search(r"[a-zA-Z]", text)) and not re.search(r"[^\W\d_]{2}|[.,;:!?]\s|\s$", text)
