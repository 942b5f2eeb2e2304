"""The files of a brief that has other faults: looked into as well, so that all that is wrong is told at once."""

from __future__ import annotations

import math
from pathlib import Path

from config.errors import BriefError
from stages.brief.nodes import Node
from stages.brief.problems import Problems


def tell_faults(files: list[tuple[Node, str, Path]], problems: Problems) -> None:
    """Note what is wrong with each of the files that a brief names, told by content. `files` are (where, key, path)."""
    told: set[Path] = set()
    for node, key, path in files:
        if path not in told and (fault := _fault(key, path)):
            problems.add(node.line, key, fault)
        told.add(path)


def _fault(key: str, path: Path) -> str:
    from stages.render.audio.music import inspect_music
    from stages.render.sources.planes import inspect_visual

    if key.endswith(("recording", "recordings")):
        return _recording_fault(path)
    try:
        (inspect_music if key.startswith("music") else inspect_visual)(path)
    except BriefError as error:
        return f"{error.message}; {error.hint}" if error.hint else error.message
    return ""


def _recording_fault(path: Path) -> str:
    from stages.sound.files import UnreadableSoundError
    from stages.sound.listening import listen

    try:
        heard = listen(path, math.inf, whole=True)
    except UnreadableSoundError as error:
        return f"{path.name} is no sound that can be read: {error}"
    fault = heard.fault or ("" if heard.is_audible else "is silent")
    return f"{path.name} {fault}" if fault else ""
