"""What failed a check is kept for a look at it: the file itself, and what was found, in a folder of the home.

Only the last few are: a machine that makes bad files makes many.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from config.errors import DamagedSegmentError, FramekeepError

KEPT = 3


def keep(root: Path, job: str, step: str, files: Sequence[Path], error: FramekeepError) -> Path | None:
    """Move `files` into a folder of their own below `root`, with the findings beside them; where, or None if impossible.

    The folder is named in the error's hint. The oldest folders beyond the last three go.
    """
    stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%d-%H%M%S-%f")
    folder = root / job / f"{stamp}-{step.replace('/', '-')}"
    document = {
        "job": job,
        "step": step,
        **error.as_dict(),
        "findings": list(getattr(error, "problems", ())) or [error.message],
        "files": [file.name for file in files],
    }
    try:
        folder.mkdir(parents=True)
        for file in files:
            file.replace(folder / file.name)
        (folder / "findings.json").write_text(json.dumps(document, ensure_ascii=False, indent=2), encoding="utf-8")
    except OSError:
        # The disk may be full, which is no reason to fail in another way.
        shutil.rmtree(folder, ignore_errors=True)
        return None
    _forget_old(root)
    error.hint = f"{error.hint.rstrip('.')}. What failed is kept in {folder}" if error.hint else f"See {folder}"
    return folder


def copied(files: Sequence[Path], folder: Path) -> list[Path]:
    """Copies of files that must stay where they are, as far as they can be read."""
    copies = []
    for file in files:
        with contextlib.suppress(OSError):
            copies.append(Path(shutil.copyfile(file, folder / f"segment-{file.name[:12]}.mp4")))
    return copies


def segments_of(error: FramekeepError) -> tuple[str, ...]:
    """Digests of the artifacts that an error blames."""
    return error.digests if isinstance(error, DamagedSegmentError) else ()


def _forget_old(root: Path) -> None:
    """By the time in their names; folders of jobs that are left empty go, too."""
    folders = sorted(root.glob("*/*/"), key=lambda folder: folder.name)
    for folder in folders[:-KEPT]:
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            folder.parent.rmdir()
