"""The storyboard that everybody renders: six photograph-like pictures, 6 s each, slow zooms, crossfades, captions, speech, music.

It is made in a folder of its own, the same on every run. What the others are given (where scenes start, how the camera moves, which
caption stands when) is read from this project's own plan of it, so that all of them are asked for the same film.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measure import Cost, measured

from config.loader import load_settings
from config.settings import Settings
from pipeline.engine.step_results import StepResults
from pipeline.home import Home
from pipeline.job.options import JobOptions
from pipeline.planning.plan import Plan
from pipeline.planning.steps import Step
from pipeline.planning.toolbox import Toolbox
from stages.brief import load_brief
from stages.render.captions.cues import build_cues
from stages.render.specs import Motion, SegmentSpec, TimedCue
from stages.render.timing import programme

ROOT = Path(__file__).resolve().parent.parent
MEDIA = ROOT / "sample_media"
SCENE_S = 6.0
# (picture, what cropping to 16:9 keeps of it, where the camera goes, what is said)
_SCENES = (
    ("coast", 0.45, "zoom-in", "At dusk a white tower stands above the cliffs, and its lamp is lit."),
    ("storm", 0.53, "zoom-out", "In winter the spray climbs higher than the gallery itself."),
    ("lens", 0.52, "zoom-in", "Rings of glass gather the stray light into one single beam."),
    ("night", 0.50, "zoom-out", "The beam reaches a ship that is twenty miles away."),
    ("harbour", 0.50, "zoom-in", "In the harbour the boats come home, one by one."),
    ("islands", 0.70, "zoom-out", "By day the islands lie quiet, and the light rests."),
)
_FOCUS_X = 0.6
# Large enough to be rendered at all.
_DRAFT = (128, 72)


@dataclass(frozen=True)
class Shot:
    """A scene on the programme's clock, in frames: it overlaps its neighbours by `head` and `tail`."""

    picture: Path
    start: int
    frames: int
    head: int
    tail: int
    motion: Motion


@dataclass(frozen=True)
class Board:
    """The whole film as planned. `lines` are WAV files and the sample at which each begins."""

    width: int
    height: int
    frames: int
    fps: int
    shots: tuple[Shot, ...]
    cues: tuple[TimedCue, ...]
    lines: tuple[tuple[Path, int], ...]
    music: Path | None
    music_gain_db: float
    segments: tuple[SegmentSpec, ...]
    store: Home


@dataclass(frozen=True)
class Project:
    """A brief with the settings and the folders to render it in."""

    brief: Path
    config: Path
    home: Path
    out: Path

    def render(self) -> tuple[Cost, dict[str, Any]]:
        """Run the command line on it, cold or warm as the home is; what it cost and its report."""
        command = [sys.executable, "-m", "pipeline.cli.app", "render", str(self.brief), "--json"]
        command += ["--home", str(self.home), "--out", str(self.out), "--config", str(self.config)]
        cost, printed = measured(command, cwd=ROOT)
        report: dict[str, Any] = json.loads(printed)
        return cost, report

    def video(self) -> Path:
        """The finished file."""
        return next(self.out.glob("*.mp4"))

    def forget(self, *stages: str) -> None:
        """Remove what these kinds of step have made, so that it is made again."""
        home = Home(self.home)
        checkpoints = StepResults(home.ledger, home.store, lambda step, what: None)
        for step in self.plan(home).steps.values():
            if step.stage not in stages or not (record := checkpoints.recall(step)):
                continue
            for artifact in record.artifacts.values():
                home.store.discard(artifact.digest)
            home.ledger.results.forget(step.key)
            home.store.forget(step.key)
        home.close()

    def plan(self, home: Home) -> Plan:
        """The plan as it was carried out. Only after `render`."""
        brief, settings = load_brief(self.brief), self.settings()
        options = JobOptions(exports=("youtube",), output=self.out, stem=brief.name)
        return replayed(Plan(brief, options, settings, Toolbox(brief, settings)), home)

    def settings(self) -> Settings:
        return load_settings(file=self.config, environ={}).settings

    def board(self) -> Board:
        """The film as it was rendered. Only after `render`."""
        home = Home(self.home)
        plan = self.plan(home)
        brief, export = plan.brief, plan.exports["youtube"]
        segments = tuple(_spec(export.segments[position]) for position in sorted(export.segments))
        encoding, cuts = segments[0].encoding, plan.cuts()
        whole = programme(cuts, [build_cues(cut, max_chars=42) for cut in cuts])
        motions = _motions(segments)
        shots = tuple(
            Shot(_visual(scene.visual), start, cut.frames, cut.head, cut.tail, motion)
            for scene, start, cut, motion in zip(brief.scenes, whole.starts, cuts, motions, strict=True)
        )
        return Board(
            width=encoding.width,
            height=encoding.height,
            frames=whole.frames,
            fps=whole.fps,
            shots=shots,
            cues=whole.cues if brief.captions != "none" else (),
            lines=tuple((home.store.path(line.digest), line.at_sample) for line in whole.lines),
            music=brief.music.path if brief.music else None,
            music_gain_db=brief.music.gain_db if brief.music else 0.0,
            segments=segments,
            store=home,
        )


def replayed(plan: Plan, home: Home) -> Plan:
    """The plan grown to its end by the records that a finished render has left."""
    checkpoints = StepResults(home.ledger, home.store, lambda step, what: None)
    todo = plan.start()
    while todo:
        step = todo.pop()
        record = checkpoints.recall(step)
        if record is None:
            raise LookupError(f"no record of {step.id}: the code has changed since that was rendered; run this again")
        todo.extend(plan.done(step, record))
    return plan


def make_storyboard(
    folder: Path,
    size: tuple[int, int],
    scenes: int = len(_SCENES),
    scene_s: float | None = SCENE_S,
    *,
    recorded: bool = True,
) -> Project:
    """The storyboard below `folder`, each scene exactly `scene_s` long where its speech fits into that; None holds nothing.

    For that the speech is made once beforehand: how long a scene is held after it follows from its length. `recorded` gives that
    speech to the film as recordings, as it is given to everybody else; else the film speaks again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pictures = [_cropped(name, focus, folder) for name, focus, _, _ in _SCENES]
    wanted = [_scene(number, pictures) for number in range(scenes)]
    if scene_s is not None:
        draft = _project(folder / "draft", _DRAFT, wanted)
        draft.render()
        board = draft.board()
        for scene, shot in zip(wanted, board.shots, strict=True):
            scene["hold"] = max(round(scene_s * board.fps) - shot.frames, 0) / board.fps
        if recorded:
            for number, (scene, (line, _)) in enumerate(zip(wanted, board.lines, strict=True), 1):
                scene["recording"] = str(shutil.copyfile(line, folder / f"{number:02}.wav"))
    return _project(folder, size, wanted)


def _project(folder: Path, size: tuple[int, int], scenes: list[dict[str, Any]]) -> Project:
    config = _write_config(folder, size)
    return Project(_write_brief(folder / "storyboard.json", scenes), config, folder / "home", folder / "out")


def make_single(
    folder: Path, size: tuple[int, int], picture: Path, motion: str = "zoom-in", seconds: float = SCENE_S
) -> Project:
    """One silent scene without captions over one picture: a camera move and nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    empty_s = Settings().rendering.pacing.empty_scene_s
    config = _write_config(folder, size, empty_scene_s=min(seconds, empty_s))
    scene = {
        "heading": "A move", "picture": str(picture), "focus": [_FOCUS_X, 0.5], "motion": motion,
        "hold": max(seconds - empty_s, 0.01),
    }  # fmt: skip
    brief = {"title": "A move", "captions": "none", "scenes": [scene]}
    path = folder / "single.json"
    path.write_text(json.dumps(brief), encoding="utf-8")
    return Project(path, config, folder / "home", folder / "out")


def make_texture(path: Path, frame: tuple[int, int]) -> Path:
    """A picture, half again as large as the frame, whose every patch can be told from its neighbours.

    It is noise without detail finer than a few pixels.
    """
    import cv2
    import numpy as np
    from PIL import Image

    size = (frame[0] * 3 // 2, frame[1] * 3 // 2)
    rng = np.random.default_rng(20)
    layers = np.zeros((size[1], size[0], 3), np.float32)
    for sigma, weight in ((3.0, 0.6), (8.0, 0.8), (24.0, 1.0)):
        noise = cv2.GaussianBlur(rng.standard_normal((size[1], size[0])).astype(np.float32), (0, 0), sigma)
        layers += (noise / noise.std() * weight)[..., None]
    grey = np.clip(128 + layers * 24, 8, 247).astype(np.uint8)
    Image.fromarray(grey).save(path)
    return path


def _scene(number: int, pictures: Sequence[Path]) -> dict[str, Any]:
    at = number % len(_SCENES)
    name, _, motion, said = _SCENES[at]
    return {
        "heading": name.capitalize(), "narration": said, "picture": str(pictures[at]), "focus": [_FOCUS_X, 0.5],
        "motion": motion, "hold": 0.0,
    }  # fmt: skip


def _write_brief(path: Path, scenes: list[dict[str, Any]]) -> Path:
    brief = {
        "title": "Six pictures", "language": "en-GB", "captions": "burned", "transition": "crossfade",
        "music": {"path": str(MEDIA / "music" / "harbour-lights.ogg"), "gain_db": -4}, "scenes": scenes,
    }  # fmt: skip
    path.write_text(json.dumps(brief), encoding="utf-8")
    return path


def _write_config(folder: Path, size: tuple[int, int], empty_scene_s: float | None = None) -> Path:
    """The best level's settings at another size, its bitrate in proportion to the pixels."""
    best = Settings().quality.ladder()[0]
    share = size[0] * size[1] / (best.resolution[0] * best.resolution[1])
    level = {
        "Name": best.name, "Resolution": f"{size[0]}x{size[1]}", "Bitrate": max(round(best.bitrate_bps * share), 100_000),
        "Priority": 1,
    }  # fmt: skip
    config: dict[str, Any] = {"Quality": {"Levels": [level], "FallbackEnabled": False}}
    if empty_scene_s is not None:
        config["Rendering"] = {"Pacing": {"EmptyScene": empty_scene_s}}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "settings.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    return path


def _cropped(name: str, focus_y: float, folder: Path) -> Path:
    """A sample picture in the frame's own shape, so that nobody has to choose what to cut off."""
    from PIL import Image

    path = folder / f"{name}.jpg"
    with Image.open(MEDIA / "pictures" / f"{name}.jpg") as image:
        height = round(image.width * 9 / 16 / 2) * 2
        if height > image.height:
            width, height = round(image.height * 16 / 9 / 2) * 2, image.height
        else:
            width = image.width
        top = round((image.height - height) * focus_y)
        left = (image.width - width) // 2
        image.crop((left, top, left + width, top + height)).save(path, quality=95, subsampling=0)
    return path


def _motions(segments: Sequence[SegmentSpec]) -> list[Motion]:
    """Each scene's camera move, in order: a body has one layer, a scene may be cut into several of them."""
    motions: list[Motion] = []
    fresh = True
    for spec in segments:
        if spec.kind == "body" and (fresh or spec.layers[0].offset == 0):
            motions.append(spec.layers[0].motion)
        fresh = spec.kind == "transition"
    return motions


def _spec(step: Step) -> SegmentSpec:
    assert isinstance(step.work, SegmentSpec)
    return step.work


def _visual(visual: Any) -> Path:
    assert visual
    path: Path = visual.path
    return path
