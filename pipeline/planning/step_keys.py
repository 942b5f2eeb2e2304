"""What enters the keys of steps: everything that can change a result, and nothing else.

Pure but for reading bytes: the user's own files, whose digests stand in keys in place of their paths, and our own code, whose
next version may draw, mix or read differently. (Providers bring theirs in their identities.)
"""

from __future__ import annotations

import functools
import importlib.metadata
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checkpoints.keys import code_digest, file_digest
from config.errors import UsageError
from stages.images.picture_provider import PictureRequest
from stages.models import Brief, Music, Visual
from stages.render.specs import MixSpec, MuxSpec, SegmentSpec
from stages.speech.recording import Recording
from stages.speech.speech_provider import SpeechRequest

if TYPE_CHECKING:
    from pipeline.planning.toolbox import Toolbox

_RENDER_CODE = ("stages.render", "stages.typeset", "stages.text", "stages.sound")
_DRAWING = ("opencv-python-headless", "numpy", "pillow", "resvg-py")
_CLIPS = ("av",)
_SOUND = ("av", "numpy")
_SIDECARS = ("pysubs2", "opencv-python-headless", "numpy", "pillow", "av")
_READING = ("av", "pillow")


def script(brief: Brief, toolbox: Toolbox) -> dict[str, Any]:
    """Everything that can change a written script."""
    return {**asked_of_writers(brief), "writers": toolbox.writer_identities}


def asked_of_writers(brief: Brief) -> dict[str, Any]:
    """What a writer is told, whoever it is."""
    return {
        "title": brief.title,
        "text": brief.text,
        "language": brief.language,
        "target_length_s": brief.target_length_s,
        "seed": brief.seed,
    }


def speech(request: SpeechRequest, toolbox: Toolbox) -> dict[str, Any]:
    """Everything that can change a spoken line."""
    return {**asked(request), "speakers": toolbox.speaker_identities}


def line(work: SpeechRequest | Recording, toolbox: Toolbox) -> dict[str, Any]:
    """Everything that can change a line, whoever speaks it."""
    return recording(work) if isinstance(work, Recording) else speech(work, toolbox)


def recording(item: Recording) -> dict[str, Any]:
    """A narration of the user's: its bytes, what is said in it, and who finds the words in it."""
    return {
        "file": _user_file(item.path),
        "text": item.text,
        "language": item.language,
        "code": code_digest("stages.speech", "stages.text", "stages.sound"),
        "libraries": _versions(_SOUND),
    }


def picture(request: PictureRequest, toolbox: Toolbox) -> dict[str, Any]:
    """Everything that can change a drawn picture."""
    return {**asked(request), "painters": toolbox.painter_identities}


def asked(request: SpeechRequest | PictureRequest) -> dict[str, Any]:
    """What a voice or a painter is told, whoever it is."""
    return {"request": dict(vars(request))}


def visual(item: Visual) -> dict[str, Any]:
    """A user's picture or clip: its bytes, who reads its size from them, and whether what it is of has to be found."""
    return {
        "file": _user_file(item.path),
        "kind": item.kind,
        "finds_focus": item.focus is None,
        "code": code_digest("stages.images.picture_stage", "stages.images.picture_provider", *_RENDER_CODE),
        "libraries": _versions((*_READING, *_DRAWING)),
    }


def music(item: Music) -> dict[str, Any]:
    """A user's music: its bytes."""
    return {"file": _user_file(item.path)}


def segment(spec: SegmentSpec, toolbox: Toolbox) -> dict[str, Any]:
    """Everything that can change a segment's bytes."""
    has_clip = any(layer.picture.kind == "clip" for layer in spec.layers)
    return {
        "spec": spec.model_dump(mode="json"),
        "encoder": dict(toolbox.encoder_identity),
        "code": _render_code(),
        "libraries": _versions((*_DRAWING, *_CLIPS) if has_clip else _DRAWING),
        "fonts": toolbox.font_identity if spec.cues else "",
    }


def mix(spec: MixSpec, toolbox: Toolbox) -> dict[str, Any]:
    """Everything that can change the sound."""
    return {
        "spec": spec.model_dump(mode="json"),
        "encoder": dict(toolbox.encoder_identity),
        "code": _render_code(),
        "libraries": _versions(_SOUND),
    }


def mux(spec: MuxSpec, toolbox: Toolbox) -> dict[str, Any]:
    """Everything that can change the finished file."""
    return {
        "spec": spec.model_dump(mode="json"),
        "encoder": dict(toolbox.encoder_identity),
        "code": _render_code(),
        "libraries": _versions(_SIDECARS),
    }


def _render_code() -> str:
    return code_digest(*_RENDER_CODE)


def _user_file(path: Path) -> str:
    try:
        found = path.stat()
        return _digest(path, (found.st_size, found.st_mtime_ns, found.st_ino))
    except OSError as error:
        raise UsageError(
            f"Cannot read {path}: {error.strerror or error}", hint="put the file back, or change the brief"
        ) from error


@functools.lru_cache(maxsize=4096)
def _digest(path: Path, _stamp: tuple[int, int, int]) -> str:
    """A file's digest, read once for as long as it is not written to: one clip may serve many scenes."""
    return file_digest(path)[0]


def _versions(names: Sequence[str]) -> dict[str, str]:
    return {name: _version(name) for name in names}


# Every key asks, and each answer is read from a file.
_version = functools.cache(importlib.metadata.version)
