"""Paths as people write them."""

from __future__ import annotations

from pathlib import Path

from config.errors import UsageError


def expanded(path: Path | str) -> Path:
    """With `~` and `~name` replaced by that home folder. Raises UsageError where there is no such person."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise UsageError(f"{path}: there is no such home folder", hint="write the whole path, or ./~name") from None
