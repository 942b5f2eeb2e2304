"""The fields of a brief, their readers, and how they make a `Brief`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from stages.brief.fields import Reader, clean
from stages.brief.files import tell_faults
from stages.brief.media import HEARD_ENDINGS, VISUAL_ENDINGS, no_recordings_in, pictures_in, recordings_in
from stages.brief.nodes import Node
from stages.models import (
    Brief,
    CaptionMode,
    ClipSound,
    MotionName,
    Music,
    ProviderChoice,
    SceneBrief,
    Style,
    TransitionName,
    Visual,
)
from stages.text.names import readable

KEYS = (
    "title", "author", "description", "text", "scenes", "language", "voice", "style", "music", "pictures", "recordings", "captions",
    "transition", "exports", "length", "seed", "providers",
)  # fmt: skip
SCENE_KEYS = ("narration", "heading", "picture", "clip", "recording", "focus", "sound", "motion", "hold", "transition")
HINTS = {
    "theme": "`style: {theme: ...}`",
    "target_length_s": "`length: 75s`",
    "duration": "`length: 75s`",
    "format": "`exports: [...]`",
    "formats": "`exports: [...]`",
    "lang": "`language: en`",
    "artist": "`author:`",
    "summary": "`description:`",
}
_SCENE_HINTS = {
    "image": "`picture:`",
    "video": "`clip:`",
    "text": "`narration:`",
    "title": "`heading:`",
    "audio": "`recording:` (a sound file of the narration)",
    "voice": "`recording:` (a sound file of the narration); a voice's name stands at the top of the brief",
    "hold_s": "`hold:`",
    "duration": "`hold:` (seconds after the narration)",
}
_SCENE_HOLD_MOST_S = 60.0


def build(root: Node, reader: Reader, name: str) -> Brief:
    """The brief in `root`. `name` is the file's, and gives a title where there is none. Raises BriefError."""
    problems = reader.problems
    if root.value is None and not problems:
        problems.add(root.line, "", "the brief is empty; write a text or scenes")
    found = reader.mapping(root, "", KEYS, HINTS)
    values = {key: _read(reader, key, node) for key, node in found.items()}
    recordings = values.pop("recordings", None)
    text, scenes = values.get("text"), values.get("scenes")
    if recordings:
        values["scenes"] = scenes = _with_recordings(reader, found["recordings"], scenes or (), recordings)
    if not problems and not text and not scenes:
        problems.add(0, "", "there is nothing to say; write a text, or scenes with narration")
    if text and scenes:
        problems.add(found["scenes"].line, "scenes", "give either `text` or `scenes`, not both")
    if problems:
        tell_faults(reader.files, problems)
    problems.raise_if_any()
    values["target_length_s"] = values.pop("length", None)
    values.setdefault("title", title_from(name))
    kept = {key: value for key, value in values.items() if value is not None}
    return Brief(**kept, base=reader.base, name=name, warnings=problems.warnings)


def title_from(name: str) -> str:
    """A file's name as a person would write it: `my-first_film` gives `My first film`."""
    words = " ".join(readable(name).replace("_", " ").replace("-", " ").split())
    return words[:1].upper() + words[1:] if any(char.isalnum() for char in words) else "Untitled"


def _read(reader: Reader, key: str, node: Node) -> Any:
    if key in ("title", "author", "voice"):
        return reader.line_of_text(node, key)
    if key in ("captions", "transition"):
        return reader.choice(node, key, CaptionMode if key == "captions" else TransitionName)
    readers: dict[str, Any] = {
        "text": reader.prose,
        "description": reader.prose,
        "language": reader.language,
        "pictures": lambda node, key: reader.folder(node, key, pictures_in),
        "recordings": lambda node, key: reader.folder(node, key, recordings_in),
        "exports": reader.identifiers,
        "length": reader.length,
        "seed": reader.whole,
    }
    if key in readers:
        return readers[key](node, key)
    return {"scenes": _scenes, "style": _style, "music": _music, "providers": _providers}[key](reader, node)


def _style(reader: Reader, node: Node) -> Style:
    found = reader.mapping(node, "style", ("theme",), {})
    theme = reader.identifier(found["theme"], "style.theme") if "theme" in found else None
    return Style(theme=theme) if theme else Style()


def _music(reader: Reader, node: Node) -> Music | None:
    if not isinstance(node.value, dict):
        path = reader.file(node, "music", HEARD_ENDINGS)
        return Music(path=path) if path else None
    found = reader.mapping(node, "music", ("path", "gain_db"), {"gain": "`gain_db: -3`", "volume": "`gain_db: -3`"})
    gain_db = reader.number(found["gain_db"], "music.gain_db", -40.0, 12.0, " dB") if "gain_db" in found else 0.0
    if "path" not in found:
        reader.wrong(node, "music", "names no `path`")
        return None
    path = reader.file(found["path"], "music.path", HEARD_ENDINGS)
    return Music(path=path, gain_db=gain_db) if path and gain_db is not None else None


def _providers(reader: Reader, node: Node) -> ProviderChoice:
    found = reader.mapping(node, "providers", tuple(ProviderChoice.model_fields), {})
    chosen = {stage: reader.identifiers(names, f"providers.{stage}") for stage, names in found.items()}
    return ProviderChoice(**{stage: names for stage, names in chosen.items() if names})


def _scenes(reader: Reader, node: Node) -> tuple[SceneBrief, ...]:
    items = reader.items(node, "scenes")
    below = [*(item.line for item in items[1:]), 0]
    return tuple(
        _scene(reader, item, f"scene {number}", end)
        for number, (item, end) in enumerate(zip(items, below, strict=False), 1)
    )


def _scene(reader: Reader, node: Node, where: str, end_line: int) -> SceneBrief:
    """One scene; the next one begins in line `end_line`, 0 for none."""
    if isinstance(node.value, str):
        node = Node({"narration": node}, node.line)
    found = reader.mapping(node, where, SCENE_KEYS, _SCENE_HINTS)
    values: dict[str, Any] = {"line": node.line, "visual": _visual(reader, found, where)}
    values["recording"] = _recording(reader, found, where)
    for key in ("heading", "narration"):
        if key in found:
            read = reader.prose if key == "narration" else reader.line_of_text
            values[key] = read(found[key], f"{where}: {key}")
    if "narration" in found:
        values["items"] = tuple(item._replace(text=clean(item.text)) for item in found["narration"].items)
    if "motion" in found:
        values["motion"] = reader.choice(found["motion"], f"{where}: motion", MotionName)
    if "transition" in found:
        values["transition"] = reader.choice(found["transition"], f"{where}: transition", TransitionName)
    if "hold" in found:
        values["hold_s"] = reader.number(found["hold"], f"{where}: hold", 0.0, _SCENE_HOLD_MOST_S, " seconds")
    # What was refused in the scene is the reason why it is empty.
    if isinstance(node.value, dict) and not (node.line and reader.problems.has_refused(node.line, end_line)):
        _refuse_empty(reader, node, found, where)
    return SceneBrief(**{key: value for key, value in values.items() if value is not None})


def _with_recordings(
    reader: Reader, node: Node, scenes: tuple[SceneBrief, ...], folder: Path
) -> tuple[SceneBrief, ...]:
    """A folder's sound files given to the scenes in which somebody speaks and that name none: one each, in order."""
    files = recordings_in(folder)
    if others := no_recordings_in(folder):
        reader.problems.warn(node.line, f"not used from {folder.name}, as no sound by its ending: {', '.join(others)}")
    bare = [number for number, scene in enumerate(scenes) if scene.narration and not scene.recording]
    if len(files) != len(bare):
        what = f"{len(files)} sound files for {len(bare)} spoken scenes without one; each needs its own"
        reader.wrong(
            node, "recordings", what if scenes else "needs `## ` scenes: a text is cut into scenes by the writer"
        )
        return scenes
    given = dict(zip(bare, files, strict=True))
    return tuple(
        scene.model_copy(update={"recording": given[number]}) if number in given else scene
        for number, scene in enumerate(scenes)
    )


def _recording(reader: Reader, found: dict[str, Node], where: str) -> Path | None:
    if "recording" not in found:
        return None
    if "narration" not in found:
        what = "needs the words that are spoken in it as the scene's narration: captions are made of them"
        reader.wrong(found["recording"], f"{where}: recording", what)
        return None
    return reader.file(found["recording"], f"{where}: recording", HEARD_ENDINGS)


def _refuse_empty(reader: Reader, node: Node, found: dict[str, Node], where: str) -> None:
    """A scene needs something to say, or something to show for a time."""
    said = found["narration"].raw if "narration" in found else ""
    if any(char.isalnum() for char in said):
        return
    shown = any(key in found for key in ("picture", "clip", "heading"))
    held = "hold" in found and found["hold"].value not in (0, "0", "")
    if said.strip():
        reader.wrong(found["narration"], f"{where}: narration", "has no word to speak")
    elif not (shown and held) and "clip" not in found:
        reader.wrong(node, where, "has no narration; write some, or show a picture for a time with `hold`")


def _visual(reader: Reader, found: dict[str, Node], where: str) -> Visual | None:
    focus = reader.focus(found["focus"], f"{where}: focus") if "focus" in found else None
    sound = _clip_sound(reader, found, where)
    picture, clip = found.get("picture"), found.get("clip")
    if picture and clip:
        reader.wrong(clip, f"{where}: clip", "a scene has either a picture or a clip; start another scene")
    if "focus" in found and not (picture or clip):
        reader.wrong(found["focus"], f"{where}: focus", "needs a picture or clip in this scene")
    if picture:
        path = reader.file(picture, f"{where}: picture", VISUAL_ENDINGS)
        return Visual(path=path, kind="picture", focus=focus, sound=sound) if path else None
    if clip:
        path = reader.file(clip, f"{where}: clip", VISUAL_ENDINGS)
        return Visual(path=path, kind="clip", focus=focus, sound=sound) if path else None
    return None


def _clip_sound(reader: Reader, found: dict[str, Node], where: str) -> ClipSound | None:
    if "sound" not in found:
        return None
    if "picture" not in found and "clip" not in found:
        reader.wrong(found["sound"], f"{where}: sound", "is for a clip's own sound, and this scene has no clip")
    return cast(ClipSound | None, reader.choice(found["sound"], f"{where}: sound", ClipSound))
